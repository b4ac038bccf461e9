"""How much memory weights and a step of score distillation take, before any of it is taken.

Weights are counted from the headers of their files, a step by taking it on torch's device meta, where tensors have
shapes and no memory. What libraries need for themselves, and the head, are not in it: whoever has less cannot succeed.
"""

import weakref
from dataclasses import dataclass
from math import prod
from pathlib import Path, PurePosixPath

import psutil
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.nn import Module
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from idto3d.bundle.find import OWN, Planned, Weights
from idto3d.device import choose_dtype
from idto3d.errors import UserError
from idto3d.files import read_shapes
from idto3d.guidance.networks.base import encode_images
from idto3d.guidance.networks.reading import DIFFUSERS_FILE, TEXT_FILE, expect_files, outlines, variant_name

LIMITS = (  # of a container: the most it may take, what it takes, and how much of that is given back when asked for
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)
CGROUP = Path("/sys/fs/cgroup")
PLENTY = 50  # times what the networks take; a step takes up to 5 times that, and counting it a second
GIGA = 1e9
FEWER_VIEWS = "Set shape.views and material.views lower, end what else uses it, or choose smaller weights."
FAR = 1.5  # times what is free, which may change while files arrive
NETWORKS = ("unet", "vae", "text_encoder")  # folders of a base
TENSORS = (".safetensors", ".bin")
FLOAT = torch.float32.itemsize


@dataclass(frozen=True)
class Need:
    """Bytes: of all networks, and beside them of a step of `views` pictures at its fullest."""

    networks: int
    step: int
    views: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.networks + self.step


class Live(TorchDispatchMode):
    """Counts, inside it, the bytes of the tensors that live at a time; `peak` is the most there were."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(given):
            if isinstance(tensor, torch.Tensor):
                self._see(tensor.untyped_storage())
        return given

    def _see(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._end, key, size)

    def _end(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


class FusedAttention(TorchFunctionMode):
    """Attention as the kernels of CPUs and GPUs do it, without a table of all pairs, which meta would make."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is scaled_dot_product_attention:
            query, _, value = args[:3]
            return query.new_empty(*query.shape[:-1], value.shape[-1])
        return func(*args, **(kwargs or {}))


def expect_memory(weights: Weights, views: int, device: torch.device, refine: bool, remedy: str = FEWER_VIEWS) -> None:
    """Raise UserError where less memory is free on `device` than the `weights` and a step of `views` pictures take.

    refine: with what only the refinement needs. remedy: what to do then. The bundle's files are all here.
    """
    dtype, free = choose_dtype(device), free_memory(device)
    if free > PLENTY * networks_bytes(weights, dtype, refine):
        return
    need = needed_memory(weights, views, dtype, refine)
    if need.total <= free:
        return
    where = "" if device.type == "cpu" else " of the GPU"
    parts = f"{need.networks / GIGA:.1f} its networks, {need.step / GIGA:.1f} a step of {views} pictures"
    what = f"{weights.info.name} takes {need.total / GIGA:.1f} GB of memory{where} ({parts})"
    what += f", and {free / GIGA:.1f} are free."
    raise UserError(what, remedy)


def expect_room(planned: Planned, device: torch.device) -> None:
    """Raise UserError where what is to be fetched takes far more memory on `device` than is free there.

    The networks alone are counted, by the lengths of their files, each with the least that its numbers may take.
    """
    least = sum(least_bytes(planned, name, choose_dtype(device)) for name in planned.orders)
    if not least or least <= FAR * (free := free_memory(device)):
        return
    where = "" if device.type == "cpu" else " of the GPU"
    what = f"{planned.located.info.name} takes more than {least / GIGA:.1f} GB of memory{where} for its networks alone"
    raise UserError(f"{what}, and {free / GIGA:.1f} are free.", "End what else uses it, or choose smaller weights.")


def least_bytes(planned: Planned, name: str, dtype: torch.dtype) -> int:
    """What the networks of a source take at least in `dtype`; of one that is no base only the UNet is loaded."""
    info = planned.located.info
    whole = name in (OWN, info.base, info.refinement and info.refinement.base)
    networks = NETWORKS if whole else NETWORKS[:1]
    numbers = 0
    for path, size in planned.orders[name].sizes.items():
        if path.endswith(TENSORS) and any(part in networks for part in PurePosixPath(path).parts[:-1]):
            numbers += size // (torch.half.itemsize if ".fp16." in path else FLOAT)
    return numbers * dtype.itemsize


def needed_memory(weights: Weights, views: int, dtype: torch.dtype, refine: bool) -> Need:
    """What the weights take that a run loads, and its largest step; see the module."""
    size, steps = weights.info.image_size, []
    for name in bases(weights, refine):
        unet, vae = outlines(weights.place(name), weights.variant(name))
        steps.append(step_bytes(unet, vae, size, views, dtype))
    return Need(networks_bytes(weights, dtype, refine), max(steps), views)


def networks_bytes(weights: Weights, dtype: torch.dtype, refine: bool) -> int:
    """What the networks take that a run loads."""
    whole = sum(_base_bytes(weights, name, dtype) for name in bases(weights, refine))
    return whole + sum(_unet_bytes(weights, name, dtype) for name in unets_beside(weights))


def bases(weights: Weights, refine: bool) -> list[str]:
    """Names of the sources that are loaded whole, each once; the refinement's only where it was fetched."""
    info = weights.info
    second = [info.refinement.base] if refine and info.refinement is not None else []
    return [info.base, *(name for name in second if name != info.base and _unet_file(weights, name).is_file())]


def unets_beside(weights: Weights) -> list[str]:
    """Names of the sources whose UNet alone is loaded, each once, of those that were fetched."""
    info = weights.info
    given = (*(domain.unet for domain in info.domains.values()), *(one.unet for one in info.beside))
    return [name for name in dict.fromkeys(given) if name and _unet_file(weights, name).is_file()]


def _base_bytes(weights: Weights, name: str, dtype: torch.dtype) -> int:
    folder, variant = weights.place(name), weights.variant(name)
    expect_files(folder, variant)
    vae = read_shapes(folder / "vae" / variant_name(DIFFUSERS_FILE, variant))
    half = {key: shape for key, shape in vae.items() if key.startswith(("encoder.", "quant_conv."))}
    rest = {key: shape for key, shape in vae.items() if key not in half}
    text = read_shapes(folder / "text_encoder" / variant_name(TEXT_FILE, variant))
    return _unet_bytes(weights, name, dtype) + _bytes(half, dtype.itemsize) + _bytes(rest | text, FLOAT)


def _unet_bytes(weights: Weights, name: str, dtype: torch.dtype) -> int:
    return _bytes(read_shapes(_unet_file(weights, name)), dtype.itemsize)


def _unet_file(weights: Weights, name: str) -> Path:
    return weights.place(name) / "unet" / variant_name(DIFFUSERS_FILE, weights.variant(name))


def _bytes(shapes: dict[str, tuple[int, ...]], each: int) -> int:
    return sum(map(prod, shapes.values())) * each


def step_bytes(unet: UNet2DConditionModel, vae: AutoencoderKL, size: int, views: int, dtype: torch.dtype) -> int:
    """The most bytes beside the networks, which lie on meta, in a step of `views` pictures of `size` by `size` pixels.

    A step encodes them, asks the UNet with and without condition and follows the gradient back to the pictures.
    """
    for network in (unet, vae):
        Module.to(network.requires_grad_(False), dtype)  # diffusers' own warns of types that no such network has
    images = torch.empty(views, 3, size, size, device="meta", requires_grad=True)
    text = torch.empty(2 * views, 1, unet.config.cross_attention_dim, device="meta", dtype=dtype)
    times = torch.zeros(2 * views, dtype=torch.int64, device="meta")
    with Live() as live:
        latents = encode_images(vae, images)
        with torch.no_grad(), FusedAttention():
            channels = unet.config.in_channels // latents.shape[1]
            unet(torch.cat([latents.to(dtype)] * 2).repeat(1, channels, 1, 1), times, text)
        latents.sum().backward()
    return live.peak


def free_memory(device: torch.device) -> int:
    """Bytes that this process may still take on `device`; what torch holds there in reserve counts as free."""
    if device.type == "cpu":
        return min([psutil.virtual_memory().available, *_left_in_container(CGROUP)])
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _left_in_container(root: Path) -> list[int]:
    """What the limit of a container leaves, in bytes; nothing where there is none."""
    found = []
    for most, now, stat, given_back in LIMITS:
        try:
            limit, used = (root / most).read_text().strip(), int((root / now).read_text())
            rows = dict(line.split() for line in (root / stat).read_text().splitlines())
        except (OSError, ValueError):
            continue
        if limit.isdigit():
            found.append(max(int(limit) - used + int(rows.get(given_back, 0)), 0))
    return found
