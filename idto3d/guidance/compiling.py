"""Kernels compiled for the frozen networks: the same answers but for rounding, after minutes in the first steps.

Worth it for many steps. Every shape of a batch and every domain is compiled once.
"""

import importlib.util
import os
import shutil
import sys

import torch
from torch import nn

from idto3d.device import CUDA
from idto3d.errors import UserError
from idto3d.guidance.loading import Bundle

COMPILERS = {CUDA: "triton and a C compiler", "cpu": "a C++ compiler"}


def check_compiling(how: str, device: torch.device) -> None:
    """Raise UserError where networks on `device` cannot be compiled as `guidance.compile` says."""
    if how == "off":
        return
    if how == "graphs" and device.type != CUDA:
        raise UserError("CUDA graphs need a CUDA device.", "Set guidance.compile=kernels, or off.")
    if not _has_compiler(device):
        needed = COMPILERS[device.type]
        raise UserError(f"Compiling the networks needs {needed}.", "Install that, or set guidance.compile=off.")


def compile_networks(bundle: Bundle, how: str) -> None:
    """Compile the UNets and the VAE's encoder of a loaded bundle at their first use, as `guidance.compile` says.

    off: not at all. kernels: fused kernels. graphs: these, and each network is launched as one CUDA graph.
    """
    if how == "off":
        return
    mode = "reduce-overhead" if how == "graphs" else "default"
    networks: list[nn.Module] = [bundle.parts.vae.encoder, bundle.parts.unet, *bundle.unets.values()]
    for network in {id(network): network for network in networks}.values():
        network.compile(mode=mode, dynamic=False)


def _has_compiler(device: torch.device) -> bool:
    usual = "clang++" if sys.platform == "darwin" else "g++"
    own = shutil.which(os.environ.get("CXX", usual)) is not None
    if device.type == CUDA:
        return importlib.util.find_spec("triton") is not None and (own or shutil.which("cc") is not None)
    return own
