"""Whether values that were computed anew, from other memory, are the same but for rounding.

Some kernels (Intel MKL's for AVX2, which it also takes on AMD's processors) give bits that depend on where their
buffers lie. What is copied, read or must not be touched is compared bit for bit, by torch.equal.
"""

import torch

ROUNDING = 1e-5  # of a float32 result, as a share of the largest value


def same_but_for_rounding(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Whether two tensors of one shape and type differ at most by rounding.

    In float32 by 1e-5 of the largest value; in float16 by one unit in the last place besides.
    """
    assert first.shape == second.shape and first.dtype == second.dtype
    last_place = torch.finfo(torch.float16).eps if first.dtype == torch.float16 else 0.0
    largest = float(second.abs().max())
    return torch.allclose(first.double(), second.double(), rtol=last_place, atol=ROUNDING * max(largest, 1.0))
