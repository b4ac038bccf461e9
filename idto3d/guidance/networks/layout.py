"""How the frozen networks lie in memory: channels last, as convolutions of today's processors want them.

Otherwise every convolution turns its pictures around before and after, which on a CPU takes a third of the time in a
large VAE. What is computed stays the same but for rounding.
"""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

WIDE = (torch.float32, torch.bfloat16)  # that hold sums over a whole picture


def channels_last(network: nn.Module) -> nn.Module:
    """`network` with its convolutions channels last, and with group norms that suit them while they are frozen."""
    for module in network.modules():
        if type(module) is nn.GroupNorm and module.affine:
            module.__class__ = FrozenGroupNorm
    return network.to(memory_format=torch.channels_last)


class FrozenGroupNorm(nn.GroupNorm):
    """A GroupNorm with a quick way back on a CPU, for pictures whose channels lie last, where it learns nothing itself.

    torch's own way back takes longer there than the convolutions do.
    """

    def forward(self, input: Tensor) -> Tensor:
        """`input` [B, C, H, W] or [B, C, N] normalised by group and picture, scaled and shifted by channel."""
        if self._suits(input):
            return _GroupNorm.apply(input, self.weight, self.bias, self.num_groups, self.eps)[0]
        return super().forward(input)

    def _suits(self, input: Tensor) -> bool:
        if input.device.type != "cpu" or not input.requires_grad or self.weight.requires_grad:
            return False
        if torch.compiler.is_compiling() or input.dtype not in WIDE or input.dtype != self.weight.dtype:
            return False
        if input.dim() != 4:
            return False
        _, channels, height, width = input.shape  # torch asks for these very strides, also of a single picture
        return input.stride() == (channels * height * width, 1, width * channels, channels)


class _GroupNorm(torch.autograd.Function):
    """With x the normalised input and g the gradient times the channel's scale, both of one group of one picture, the
    way back is `(g - mean(g) - x mean(g x)) / deviation`: gradient and input, each times a number by channel.
    """

    @staticmethod
    def forward(pictures, weight, bias, groups, eps):
        count, channels, height, width = pictures.shape
        return torch.native_group_norm(pictures, weight, bias, count, channels, height * width, groups, eps)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, mean, scale = output
        ctx.mark_non_differentiable(mean, scale)
        ctx.save_for_backward(*inputs[:2], mean, scale)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient, *_):
        pictures, weight, mean, scale = (one.float() if one.dim() < 4 else one for one in ctx.saved_tensors)
        size = pictures[0].numel() / mean.shape[1]
        room = gradient * pictures
        level, along = (_by_group(sums.sum((2, 3)), weight, mean) / size for sums in (gradient, room))
        slope = (mean * level - along) * scale**3
        shift = -level * scale - slope * mean
        slope, shift, factor = (_by_channel(one, gradient) for one in (slope, shift, scale))
        factor = (factor * weight[:, None, None]).to(gradient.dtype)
        torch.addcmul(shift.to(gradient.dtype), pictures, slope.to(gradient.dtype), out=room)
        return room.addcmul_(gradient, factor), None, None, None, None


def _by_group(sums: Tensor, weight: Tensor, mean: Tensor) -> Tensor:
    """Sums [B, C] by channel, times the channel's scale, summed by group [B, G]."""
    return (sums.float() * weight).view(*mean.shape, -1).sum(-1)


def _by_channel(values: Tensor, pictures: Tensor) -> Tensor:
    """`values` [B, G] of groups as [B, C, 1, 1] of the channels of `pictures` [B, C, H, W]."""
    return values.repeat_interleave(pictures.shape[1] // values.shape[1], 1)[..., None, None]
