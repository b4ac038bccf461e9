"""The process that draws finished heads: `python -m idto3d.jobs.drawing.process MODULE FUNCTION`.

It loads the module, writes an empty line, and then answers each line of JSON (`folder`, `options`) with one of its own
and the bytes of the picture after it. It ends when nobody can ask any more. What libraries print goes to the log.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

from idto3d.config import RenderOptions, from_json
from idto3d.determinism import repeatable
from idto3d.errors import UserError

RenderView = Callable[[Path, RenderOptions], np.ndarray]

log = logging.getLogger(__name__)


def answer(render_view: RenderView, line: bytes) -> tuple[dict, bytes]:
    """What is said of one drawing, and its bytes: [S, S, 3] uint8, or none where it is refused or breaks."""
    asked = json.loads(line)
    try:
        picture = np.ascontiguousarray(render_view(Path(asked["folder"]), options_from(asked["options"])))
    except UserError as refusal:
        return {"what": refusal.what, "remedy": refusal.remedy}, b""
    except Exception:
        log.exception("a drawing broke")
        return {"broken": True}, b""
    return {"shape": picture.shape}, picture.tobytes()


def options_from(data: dict) -> RenderOptions:
    """The view that was written as JSON."""
    pairs = tuple((name, weight) for name, weight in data["expressions"])
    return from_json(RenderOptions, {**data, "expressions": pairs})


def main(argv: list[str] | None = None) -> int:
    """Draw what is asked for on the standard input until it closes."""
    repeatable()
    parser = argparse.ArgumentParser(prog="python -m idto3d.jobs.drawing.process", description=main.__doc__)
    parser.add_argument("module")
    parser.add_argument("function")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    render_view = getattr(import_module(arguments.module), arguments.function)
    answers.write(b"\n")
    answers.flush()
    for line in sys.stdin.buffer:
        said, picture = answer(render_view, line)
        answers.write(json.dumps(said).encode() + b"\n" + picture)
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
