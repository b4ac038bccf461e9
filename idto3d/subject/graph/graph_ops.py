"""The operators of a network graph, as functions of torch tensors; pictures are [B, H, W, C], as in TensorFlow Lite.

Weights lie as torch wants them: a convolution's [out, in / groups, h, w], a transposed one's [in, out, h, w].
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional


def plain(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`function`, which works number by number; of tensors without numbers, on "meta", it gives the shape alone.

    For that torch would load its compiler, which takes two seconds.
    """

    def act(*tensors: Tensor) -> Tensor:
        if tensors[0].is_meta:
            return tensors[0].new_empty(torch.broadcast_shapes(*(tensor.shape for tensor in tensors)))
        return function(*tensors)

    return act


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda x: x,
    "relu": plain(torch.relu),
    "relu6": plain(functional.relu6),
}


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    stride: Sequence[int],
    same: bool,
    dilation: Sequence[int],
    groups: int,
    activation: str,
) -> Tensor:
    """[B, h, w, out] of `x` [B, H, W, in]; `same`: padded so that h is H / stride, rounded up."""
    x, padding = x.permute(0, 3, 1, 2), (0, 0)
    if same:
        sizes = zip(x.shape[2:], weight.shape[2:], stride, dilation, strict=True)
        top, left = (same_padding(*size) for size in sizes)
        if top[0] == top[1] and left[0] == left[1]:
            padding = (top[0], left[0])  # as part of the convolution, which takes less time
        else:
            x = functional.pad(x, (*left, *top))
    y = functional.conv2d(x, weight, bias, tuple(stride), padding, tuple(dilation), groups)
    return ACTIVATIONS[activation](y.permute(0, 2, 3, 1))


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """How many rows TensorFlow's padding SAME puts before and behind `size` of them; an odd one goes behind."""
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def transposed_conv(x: Tensor, weight: Tensor, bias: Tensor, *, stride: Sequence[int]) -> Tensor:
    """[B, stride H, stride W, out] of `x` [B, H, W, in]; the kernel is as large as the stride, so none overlap."""
    y = functional.conv_transpose2d(x.permute(0, 3, 1, 2), weight, bias, tuple(stride))
    return y.permute(0, 2, 3, 1)


@plain
def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """`x` [B, H, W, C] where it is positive, else `slope` [C] times it."""
    return functional.prelu(x.permute(0, 3, 1, 2), slope).permute(0, 2, 3, 1)


def max_pool(x: Tensor, *, size: Sequence[int], stride: Sequence[int]) -> Tensor:
    """The largest of each window of `x` [B, H, W, C], unpadded."""
    return functional.max_pool2d(x.permute(0, 3, 1, 2), tuple(size), tuple(stride)).permute(0, 2, 3, 1)


def average_pool(x: Tensor, *, size: Sequence[int], stride: Sequence[int]) -> Tensor:
    """The mean of each window of `x` [B, H, W, C], unpadded."""
    return functional.avg_pool2d(x.permute(0, 3, 1, 2), tuple(size), tuple(stride)).permute(0, 2, 3, 1)


def resize_bilinear(x: Tensor, *, size: Sequence[int]) -> Tensor:
    """`x` [B, H, W, C] at another size; pixel centres lie at halves."""
    if x.is_meta:  # see `plain`
        return x.new_empty((x.shape[0], *size, x.shape[3]))
    y = functional.interpolate(x.permute(0, 3, 1, 2), tuple(size), mode="bilinear", align_corners=False)
    return y.permute(0, 2, 3, 1)


def pad(x: Tensor, *, widths: Sequence[Sequence[int]]) -> Tensor:
    """`x` with zeros, `widths` before and behind along each axis."""
    return functional.pad(x, [width for pair in reversed(widths) for width in pair])


def mean(x: Tensor, *, axes: Sequence[int]) -> Tensor:
    return total(x, axes=axes) if x.is_meta else x.mean(tuple(axes), keepdim=True)  # see `plain`


def total(x: Tensor, *, axes: Sequence[int]) -> Tensor:
    return x.sum(tuple(axes), keepdim=True)


def concat(*parts: Tensor, axis: int) -> Tensor:
    """`parts` one behind the other along `axis`."""
    if parts[0].is_meta:  # see `plain`
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        return parts[0].new_empty(shape)
    return torch.cat(parts, axis)


def reshape(x: Tensor, *, shape: Sequence[int]) -> Tensor:
    return x.reshape(tuple(shape))


def transpose(x: Tensor, *, order: Sequence[int]) -> Tensor:
    return x.permute(tuple(order))


def cut(x: Tensor, *, spans: Sequence[Sequence[int]], drop: Sequence[int]) -> Tensor:
    """The part of `x` from, up to (without) the `spans` along each axis; the axes `drop`, of length 1, are left out."""
    y = x[tuple(slice(*span) for span in spans)]
    return y.squeeze(tuple(drop)) if drop else y


OPERATORS: dict[str, Callable[..., Tensor]] = {
    "conv": conv,
    "transposed_conv": transposed_conv,
    "prelu": prelu,
    "max_pool": max_pool,
    "average_pool": average_pool,
    "resize_bilinear": resize_bilinear,
    "pad": pad,
    "mean": mean,
    "sum": total,
    "concat": concat,
    "reshape": reshape,
    "transpose": transpose,
    "cut": cut,
    "add": plain(torch.add),
    "sub": plain(torch.sub),
    "mul": plain(torch.mul),
    "div": plain(torch.div),
    "squared_difference": plain(lambda a, b: (a - b).square()),
    "neg": plain(torch.neg),
    "sqrt": plain(torch.sqrt),
    "rsqrt": plain(torch.rsqrt),
    "relu": plain(torch.relu),
    "logistic": plain(torch.sigmoid),
    "hard_swish": plain(functional.hardswish),
}
