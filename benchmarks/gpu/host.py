"""What the host is: its GPU, its precision, and which of the optional packages and compilers are there."""

import importlib.util
import shutil

import torch

from benchmarks.gpu.part import Found, Host
from idto3d.device import CUDA, choose_dtype

OPTIONAL = ("nvdiffrast", "tinycudann", "insightface", "onnxruntime", "triton", "dlib")
TOOLS = ("nvcc", "g++", "ffmpeg")


def host(here: Host) -> Found:
    """Facts of the machine; checked is that a convolution in the chosen precision agrees with float32."""
    figures = {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "dtype": str(choose_dtype(here.device)).removeprefix("torch."),
        "installed": {name: importlib.util.find_spec(name) is not None for name in OPTIONAL},
        "tools": {name: shutil.which(name) is not None for name in TOOLS},
    }
    if here.device.type == CUDA:
        figures |= _card(here.device)
    return Found(figures, {"precision_agrees": _agreement(here) > 0.999})


def _card(device: torch.device) -> dict:
    known = torch.cuda.get_device_properties(device)
    free, total = torch.cuda.mem_get_info(device)
    return {
        "gpu": known.name,
        "capability": f"{known.major}.{known.minor}",
        "processors": known.multi_processor_count,
        "bytes": total,
        "free_bytes": free,
    }


def _agreement(here: Host) -> float:
    """Cosine of a convolution's result in the chosen precision and in float32."""
    generator = torch.Generator().manual_seed(0)
    pictures, kernel = (torch.randn(shape, generator=generator) for shape in ((1, 64, 32, 32), (64, 64, 3, 3)))
    exact = torch.nn.functional.conv2d(pictures, kernel)
    dtype = choose_dtype(here.device)
    found = torch.nn.functional.conv2d(pictures.to(here.device, dtype), kernel.to(here.device, dtype)).float().cpu()
    return float(torch.nn.functional.cosine_similarity(exact.flatten(), found.flatten(), 0))
