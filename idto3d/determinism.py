"""The same bits from the same numbers, wherever they lie in memory. Imports no torch, so that every front door can."""

import os

MKL_SETTING = "MKL_CBWR"
STRICT = "AUTO,STRICT"


def repeatable() -> None:
    """Let Intel MKL, with which torch multiplies float32 matrices on a CPU, give the same bits for the same numbers.

    Otherwise some of its kernels (with AVX2, as on many processors without AVX-512, or with SSE 4.2) sum in an order
    that depends on where a buffer lies or on how torch groups the products. MKL reads this at its first product;
    called later it changes nothing. What the user set stays. Processes that are started from here inherit it.

    On processors of other makers MKL 2024.2 keeps the first promise alone: the last bits of a layer of three dimensions
    depend there on whether its weights learn. Only its setting COMPATIBLE, which is slow, would keep both.
    """
    os.environ.setdefault(MKL_SETTING, STRICT)
