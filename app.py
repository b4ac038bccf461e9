"""The page of idto3d: `python app.py`, then http://127.0.0.1:7860."""

import signal

from idto3d.determinism import repeatable
from idto3d.ui.server import make_page, open_page, parse


def main(argv: list[str] | None = None) -> None:
    """Build the page and serve it until interrupted or terminated."""
    repeatable()
    asked = parse(argv)
    blocks, does = make_page(asked.runs, {"weights": asked.weights, "device": asked.device})
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    open_page(blocks, does, asked.host, asked.port)


if __name__ == "__main__":
    main()
