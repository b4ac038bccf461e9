"""What the commands of training share: options that several of them have, and how numbers and folders are refused."""

import argparse
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from idto3d.errors import UserError
from idto3d.subject.encoders import ENCODERS

PACKED = "packed ICT-FaceKit .npz or a checkout's folder"
PROCESSORS = os.cpu_count() or 1


def add_ict(parser: argparse.ArgumentParser, text: str = PACKED, required: bool = True) -> None:
    """The option --ict, the morphable model; None where it may be left out."""
    parser.add_argument("--ict", type=Path, required=required, help=text)


def add_out(parser: argparse.ArgumentParser, text: str, default: Path | None = None) -> None:
    """The option --out, needed unless there is a `default`."""
    parser.add_argument("--out", type=Path, required=default is None, default=default, help=text)


def add_dataset(parser: argparse.ArgumentParser, option: str, text: str, required: bool = False) -> None:
    """An option that names a dataset's folder; None where it may be left out."""
    parser.add_argument(option, type=Path, required=required, help=text)


def add_encoder(parser: argparse.ArgumentParser) -> None:
    """The options --encoder and --identity of what embeds portraits."""
    parser.add_argument("--encoder", choices=ENCODERS, default="dlib", help="identity encoder of the portraits")
    parser.add_argument("--identity", type=Path, help="network of the encoder portrait; embeds anew when it changes")


def add_workers(parser: argparse.ArgumentParser, text: str | None = None, default: int = PROCESSORS) -> None:
    """The option --workers, how many processes share the work."""
    parser.add_argument("--workers", type=int, default=default, help=text)


def add_seed(parser: argparse.ArgumentParser, text: str | None = None) -> None:
    """The option --seed, 0 by default."""
    parser.add_argument("--seed", type=int, default=0, help=text)


def split_domain(argv: Sequence[str], domains: Collection[str]) -> tuple[str, list[str]]:
    """The value of --domain in `argv`, "" where it is not given, and the other words. Raises UserError."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, argument_default="")
    parser.add_argument("--domain")
    asked, rest = parser.parse_known_args(list(argv))
    if asked.domain and asked.domain not in domains:
        what = f"There is no trainer of the domain '{asked.domain}'."
        raise UserError(what, f"Choose from: {', '.join(domains)}; without --domain a bundle is trained.")
    return asked.domain, rest


def count(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError("give a number of at least 1")
    return int(text)


def expect_one(what: str, *numbers: int) -> None:
    """Raises UserError where one of the `numbers` of `what` is below 1."""
    if min(numbers) < 1:
        raise UserError(f"{what} is below 1.", "Give at least 1.")


def expect_folder(folder: Path | None, name: str, remedy: str) -> None:
    """Raises UserError where the option of the field `name` names a folder that is not there."""
    if folder is not None and not folder.is_dir():
        raise UserError(f"There is no folder {folder}, which --{name.replace('_', '-')} names.", remedy)
