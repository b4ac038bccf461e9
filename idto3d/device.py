"""Where the guidance computes and in which precision."""

import torch

from idto3d.errors import UserError

CUDA = "cuda"


def choose_device(name: str) -> torch.device:
    """The device called `name`: auto (CUDA where there is one), cpu or cuda. Raises UserError when it is not there."""
    if name not in ("auto", "cpu", CUDA):
        raise UserError(f"There is no device named '{name}'.", "Choose auto, cpu or cuda.")
    available = torch.cuda.is_available()
    if name == CUDA and not available:
        raise UserError("No CUDA device was found.", "Use --device cpu, or install a CUDA build of PyTorch.")
    return torch.device("cpu" if name == "cpu" or not available else CUDA)


def choose_dtype(device: torch.device) -> torch.dtype:
    """Precision of the frozen networks: bf16 (older cards: fp16) on CUDA, on a CPU bf16 only where AMX has it.

    A card that only imitates bf16 counts as one without: it would be slower than in fp16 by far.
    """
    if device.type == CUDA:
        computes = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if computes else torch.float16
    return torch.bfloat16 if torch.cpu._is_amx_tile_supported() else torch.float32


def in_half(device: torch.device) -> torch.autocast:
    """A context in which networks compute as `choose_dtype` says, in float32 where it says so."""
    dtype = choose_dtype(device)
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)
