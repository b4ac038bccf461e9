"""A process that answers questions: `python -m idto3d.jobs.clerk.process MODULE FUNCTION [ARGUMENT ...]`.

FUNCTION prepares what answers take and returns the function that gives them. Then the process writes an empty line, and
answers each line of JSON with one of its own, whose `bytes` says how many come after it. It ends when nobody can ask
any more. What libraries print goes to the log.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable
from importlib import import_module

from idto3d.determinism import repeatable
from idto3d.errors import UserError

Answer = Callable[[dict], tuple[dict, bytes]]  # plain JSON types to plain JSON types, and bytes such as a picture's

log = logging.getLogger(__name__)


def answered(answer: Answer, line: bytes) -> bytes:
    """The answer to one line, as it is written; a refusal or a fault where there is none."""
    data = b""
    try:
        said, data = answer(json.loads(line))
    except UserError as refusal:
        said = {"what": refusal.what, "remedy": refusal.remedy}
    except Exception:
        log.exception("a question broke")
        said = {"broken": True}
    return json.dumps({**said, "bytes": len(data)}).encode() + b"\n" + data


def main(argv: list[str] | None = None) -> int:
    """Answer what is asked on the standard input until it closes."""
    repeatable()
    parser = argparse.ArgumentParser(prog="python -m idto3d.jobs.clerk.process", description=main.__doc__)
    parser.add_argument("module")
    parser.add_argument("function")
    parser.add_argument("arguments", nargs="*")
    asked = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answer = getattr(import_module(asked.module), asked.function)(*asked.arguments)
    answers.write(b"\n")
    answers.flush()
    for line in sys.stdin.buffer:
        answers.write(answered(answer, line))
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
