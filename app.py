"""The page of idto3d: `python app.py`, then http://127.0.0.1:7860."""

from idto3d.ui.server import make_page, open_page, parse


def main(argv: list[str] | None = None) -> None:
    """Build the page and serve it until interrupted."""
    asked = parse(argv)
    blocks, _ = make_page(asked.runs, {"weights": asked.weights, "device": asked.device})
    open_page(blocks, asked.host, asked.port)


if __name__ == "__main__":
    main()
