"""`python -m idto3d publish DIR ORG/REPO`: upload a trained bundle with its model card to the Hub."""

import argparse
from pathlib import Path

from idto3d.bundle.publish import publish_bundle


def main(argv: list[str]) -> None:
    """Upload the bundle and print what to give to --weights. Raises UserError."""
    parser = argparse.ArgumentParser(prog="idto3d publish", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the bundle, with a README.md as its card")
    parser.add_argument("repo", metavar="ORG/REPO", help="repository on the Hub; it is made where it is missing")
    parser.add_argument("--private", action="store_true", help="make the repository private")
    options = parser.parse_args(argv)
    print(publish_bundle(options.folder, options.repo, options.private))
