"""The page of idto3d: `python app.py`, then http://127.0.0.1:7860."""

import os
import signal

from idto3d.errors import run_command
from idto3d.ui.door.access import access
from idto3d.ui.start.asked import parse
from idto3d.ui.start.port import expect_free
from idto3d.ui.start.quickly import load_gradio


def main(words: list[str]) -> int:
    """Build the page and serve it until interrupted or terminated. Returns the exit code."""
    asked = parse(words)
    who = access(asked.host, asked.public, asked.auth, tuple(asked.allow_host), os.environ)
    if who.notice:
        print(who.notice, flush=True)
    expect_free(asked.host, asked.port)
    load_gradio()  # half of the time until the page is there
    from idto3d.jobs.engines import engine_of
    from idto3d.ui.server import make_page, open_page

    base = {"weights": asked.weights, "device": asked.device}
    engine = engine_of(asked.runs, asked.weights, asked.ray, os.environ)
    blocks, does = make_page(asked.runs, base, limits=who.limits, engine=engine)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    open_page(blocks, does, who, asked.port)
    return 0


if __name__ == "__main__":
    run_command(main)
