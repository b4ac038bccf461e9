"""A pretended GPU: tensors that say they lie on "cuda:0", compute on the CPU, and refuse to meet tensors of the CPU.

It finds what a run on a GPU would stop at because tensors lie on two devices, and nothing else of a GPU.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map, tree_map_only

GPU = torch.device("cuda:0")
GIB = 2**30
aten = torch.ops.aten
# what moves between devices, and what takes places that lie on the CPU
MOVING = (aten.copy_, aten._to_copy)
INDEXING = (aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_)
FILLING = (aten.fill_, aten.fill, aten.masked_fill, aten.masked_fill_, aten.index_fill, aten.index_fill_)


class OnGPU(torch.Tensor):
    """A tensor of the pretended GPU. To torch's core it lies on "meta", which nothing else here uses."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device="meta",
        )
        made.held = held
        return made

    __torch_dispatch__ = classmethod(lambda cls, func, types, args=(), kwargs=None: computed(func, args, kwargs or {}))
    device = property(lambda self: GPU)
    is_cuda, is_cpu, is_meta = (property(lambda self, value=value: value) for value in (True, False, False))

    def __repr__(self, *, tensor_contents=None):
        return f"OnGPU({self.held})"

    def numpy(self):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first.")

    def __array__(self, dtype=None, copy=None):
        return self.numpy()

    def tolist(self):
        return self.cpu().tolist()

    def __getitem__(self, index):
        return super().__getitem__(as_tensors(index))

    def __setitem__(self, index, value):
        super().__setitem__(as_tensors(index), value)

    def new_tensor(self, data, *, dtype=None):
        return torch.tensor(data, dtype=dtype or self.dtype, device=GPU)

    def to(self, *args, **kwargs):
        if "copy" not in kwargs:
            like = args and isinstance(args[0], torch.Tensor)
            device, dtype = (args[0].device, args[0].dtype) if like else torch._C._nn._parse_to(*args, **kwargs)[:2]
            if device in (None, GPU) and dtype in (None, self.dtype):
                return self
        return super().to(*args, **kwargs)


def as_tensors(index):
    """Lists of places as tensors: torch would make tensors of "meta" of them, out of our sight."""
    several = index if isinstance(index, tuple) else (index,)
    places = tuple(torch.as_tensor(one) if isinstance(one, (list, tuple, np.ndarray)) else one for one in several)
    return places if isinstance(index, tuple) else places[0]


class Mode(TorchDispatchMode):
    """While it is on, what is made on or brought to "cuda" lies on the pretended GPU, in the thread that began it."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        device = kwargs.get("device")
        elsewhere = OnGPU in types or (device is not None and str(device) != "cpu")
        return computed(func, args, kwargs) if elsewhere else func(*args, **kwargs)


def numbered(value):
    return GPU if isinstance(value, (str, torch.device)) and str(value) == "cuda" else value


class Numbered(TorchFunctionMode):
    """Torch without CUDA cannot find out which GPU "cuda" is."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = {name: numbered(value) for name, value in (kwargs or {}).items()}
        return func(*map(numbered, args), **kwargs)


def computed(func, args, kwargs):
    """What the operator `func` of torch gives. Raises RuntimeError where a GPU would not compute it."""
    about, given = about_operator(func), tensors_of((*args, *kwargs.values()))
    there = any(isinstance(one, OnGPU) for one in given)
    if any(type(one) is torch.Tensor and one.is_meta for one in given):
        raise NotImplementedError(f"a tensor of the pretended GPU was made out of sight ({func})")
    refuse_two_devices(func, args, given)
    device = kwargs.get("device")
    if device is not None:
        there = torch.device(device).type in ("cuda", "meta")
        kwargs = {**kwargs, "device": torch.device("cpu")}
    elif about.packet in MOVING:
        there = isinstance(args[0], OnGPU)
    if (generator := kwargs.get("generator")) is not None and there:
        raise RuntimeError(f"Expected a 'cuda' device type for generator but found '{generator.device.type}'")
    out = func(*map(held, args), **{name: held(value) for name, value in kwargs.items()})
    if about.views_in_place and there:
        with torch._C._DisableTorchDispatch():
            func(*args, **kwargs)  # the tensor's own shape as well
    if about.mutable:
        return changed(func, args, kwargs, out)
    if about.packet is aten._to_copy and any(out is held(one) for one in given):
        out = out.clone()
    if there and isinstance(out, torch.Tensor):
        return OnGPU(out)
    return tree_map_only(torch.Tensor, OnGPU, out) if there else out


@dataclass(frozen=True)
class Operator:
    """What is asked of an operator each time that it computes; torch takes long to say it."""

    packet: object
    mutable: bool
    pointwise: bool
    views_in_place: bool


@cache
def about_operator(func):
    tags = func.tags
    kinds = torch.Tag.pointwise in tags, torch.Tag.inplace_view in tags
    return Operator(func.overloadpacket, func._schema.is_mutable, *kinds)


def tensors_of(values):
    """The tensors among `values` and in lists among them."""
    found = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += tensors_of(value)
    return found


def held(value):
    if isinstance(value, (list, tuple)):
        return type(value)(map(held, value))
    return value.held if isinstance(value, OnGPU) else value


def changed(func, args, kwargs, out):
    """What an operator in place returns: the tensors that it was given, not what they hold."""
    given = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)} | kwargs
    named = [one.name for one in func._schema.arguments if one.alias_info is not None and one.alias_info.is_write]
    by_content = {id(held(one)): one for one in tensors_of(given[name] for name in named if name in given)}
    return tree_map(lambda one: by_content.get(id(one), one), out)


def refuse_two_devices(func, args, given):
    """Raise RuntimeError, with torch's words, where tensors of two devices meet; single numbers of the CPU may."""
    about = about_operator(func)
    packet = about.packet
    if packet in MOVING:
        return
    if packet in INDEXING and isinstance(args[0], OnGPU):
        given = [args[0], *args[2:3]]
    single = 0 if about.pointwise or packet in (*INDEXING, *FILLING) else -1
    changes = about.mutable and args and isinstance(args[0], torch.Tensor)
    here = [one.dim() > single or (changes and one is args[0]) for one in given if not isinstance(one, OnGPU)]
    if any(here) and len(here) < len(given):
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! ({func})"
        )


@contextmanager
def fake_cuda():
    """A block in which torch has a GPU. What was made on it is of no use after it."""
    lifting, swapping = torch._C._only_lift_cpu_tensors(), torch.__future__.get_swap_module_params_on_conversion()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "_lazy_init", lambda: None)
        for name, value in CUDA.items():
            patch.setattr(torch.cuda, name, lambda *_, value=value, **__: value)
        torch._C._set_only_lift_cpu_tensors(True)
        torch.__future__.set_swap_module_params_on_conversion(True)
        try:
            with Mode(), Numbered():
                yield
        finally:
            torch._C._set_only_lift_cpu_tensors(lifting)
            torch.__future__.set_swap_module_params_on_conversion(swapping)


CUDA = {
    "is_available": True,
    "is_bf16_supported": True,
    "mem_get_info": (64 * GIB, 80 * GIB),
    "memory_allocated": 0,
    "memory_reserved": 0,
}
