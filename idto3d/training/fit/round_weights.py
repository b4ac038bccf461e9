"""`python -m idto3d.training.fit.round_weights PATH`: round weights of networks, to pack smaller.

A half keeps ten bits of its mantissa; with six, every number is right within 0.8 %. Places on the head stay as they
are, and so do the whitening of identities, which tells small differences of large numbers, and what is rounded already.
"""

import argparse
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from idto3d.bundle.find import IDENTITY_FILE
from idto3d.bundle.info import read_info
from idto3d.bundle.layout import MORPHABLE, MORPHABLE_FILE
from idto3d.errors import UserError, run_command
from idto3d.files import write_tensors

MANTISSA_BITS = 6
KEPT_TENSORS = ("mean", "hair_offsets", "identity.weight", "identity.bias")  # of the morphable head


def main(argv: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="idto3d.training.fit.round_weights", description=__doc__.split("\n")[0])
    parser.add_argument("path", type=Path, help="an identity.safetensors, or a bundle's folder; files are replaced")
    parser.add_argument("--bits", type=int, default=MANTISSA_BITS, help=f"of the mantissa, 1 to 10 ({MANTISSA_BITS})")
    options = parser.parse_args(argv)
    if not 1 <= options.bits <= 10:
        raise UserError("The mantissa of a half has ten bits.", "Give --bits from 1 to 10.")
    for path in weights_of(options.path):
        round_file(path, options.bits)
        print(f"rounded {path}")
    return 0


def weights_of(path: Path) -> list[Path]:
    """The file at `path`, or a bundle's files that are rounded. Raises UserError where there is none."""
    if path.is_file():
        return [path]
    files = (path / IDENTITY_FILE, path / read_info(path).base / MORPHABLE / MORPHABLE_FILE)
    present = [file for file in files if file.is_file()]
    if not present:
        raise UserError(f"The bundle {path} has no identity network and no morphable head.", "Leave it as it is.")
    return present


def round_file(path: Path, bits: int) -> None:
    """Round the halves of a safetensors file in place; all else in it stays."""
    with safe_open(path, "pt") as file:
        known = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    rounded = {name: value if name in KEPT_TENSORS else shortened(value, bits) for name, value in known.items()}
    write_tensors(path, rounded, metadata)


def shortened(values: Tensor, bits: int) -> Tensor:
    """`values` with `bits` of mantissa left where they are halves, rounded to nearest, ties away from zero."""
    if values.dtype != torch.float16:
        return values
    left = 10 - bits
    numbers = values.view(torch.int16).int() & 0xFFFF
    rounded = ((numbers + (1 << left >> 1)) >> left << left).to(torch.int16).view(torch.float16)
    return torch.where(rounded.isfinite() & values.isfinite(), rounded, values)  # the largest would become infinite


if __name__ == "__main__":
    run_command(main)
