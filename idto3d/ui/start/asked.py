"""What `python app.py` is asked. Imports no Gradio, so that a refusal is quick."""

import argparse
import os
from pathlib import Path

from idto3d.config import HeadOptions
from idto3d.jobs.privacy.places import default_root
from idto3d.ui.door.access import switched_on


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Where to listen, whom to serve and what to use; the environment gives the defaults.

    Raises UserError for a switch of the environment that is neither yes nor no.
    """
    given = os.environ.get
    here = "0.0.0.0" if given("SPACE_ID") else "127.0.0.1"  # a Space is reached from outside its container
    parser = argparse.ArgumentParser(description="The page of idto3d.")
    parser.add_argument("--host", default=given("IDTO3D_HOST", here), help="address to listen on (IDTO3D_HOST)")
    parser.add_argument("--port", default=given("IDTO3D_PORT", "7860"), type=int, help="port (IDTO3D_PORT)")
    parser.add_argument("--runs", default=default_root(), type=Path, help="folder of the runs (IDTO3D_RUNS)")
    text = "a Ray cluster that makes the heads; it sees the runs under the same path (IDTO3D_RAY); see docs/hosting.md"
    parser.add_argument("--ray", default=given("IDTO3D_RAY", ""), metavar="ADDRESS", help=text)
    _add_access(parser)
    for name in ("weights", "device"):
        option = HeadOptions.__dataclass_fields__[name]
        default = given(f"IDTO3D_{name.upper()}", option.default)
        text = f"{option.metadata['help']} (IDTO3D_{name.upper()})"
        parser.add_argument(f"--{name}", default=default, choices=option.metadata.get("choices"), help=text)
    return parser.parse_args(argv)


def _add_access(parser: argparse.ArgumentParser) -> None:
    auth = os.environ.get("IDTO3D_AUTH")
    text = "file of NAME:SALT:HASH lines, for those who may log in (IDTO3D_AUTH); see idto3d/ui/door/passwords.py"
    parser.add_argument("--auth", default=Path(auth) if auth else None, type=Path, metavar="FILE", help=text)
    text = "serve strangers, within narrow limits (IDTO3D_PUBLIC=yes)"
    parser.add_argument("--public", action="store_true", default=switched_on("IDTO3D_PUBLIC", os.environ), help=text)
    names = [name for name in os.environ.get("IDTO3D_HOSTS", "").split(",") if name]
    text = "another name of this server, as behind a proxy; may be given again (IDTO3D_HOSTS, with commas)"
    parser.add_argument("--allow-host", action="append", default=names, metavar="NAME", help=text)
