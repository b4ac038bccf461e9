"""The short calibration: how fast this machine multiplies matrices, beside one of two cores. Imports no torch.

It is one core's speed by its own time, so that it says the same of a busy machine, times the cores that help: small
matrices, for which no threads are begun.
"""

import os
import time

import numpy as np

SIDE, SECONDS = 48, 0.2
USUAL = 40e9  # multiplications and additions a second of one core
HELPFUL = 8  # cores beyond which a run is hardly faster
SLOWEST, FASTEST = 0.05, 20.0


def speed() -> float:
    """1 for a machine of two usual cores, 2 for one that is twice as fast; takes a fifth of a second."""
    numbers = np.random.default_rng(0).standard_normal((SIDE, SIDE), np.float32)
    begun, until, done = time.thread_time(), time.perf_counter() + SECONDS, 0
    while time.perf_counter() < until:
        numbers @ numbers
        done += 1
    core = done * 2.0 * SIDE**3 / max(time.thread_time() - begun, 1e-6) / USUAL
    return min(max(core * min(cores(), HELPFUL) / 2.0, SLOWEST), FASTEST)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
