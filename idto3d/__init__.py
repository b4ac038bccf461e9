"""Photos of a person in, an expressive and relightable 3D head out."""

import os

__version__ = "0.1.0"

SPIN_COUNT = "GOMP_SPINCOUNT"
SPINS = "1000"
# GNU's OpenMP, which torch brings along on Linux, lets a thread that waits at a barrier spin for milliseconds before it
# sleeps, so two runs on one machine burn each other's time. It reads this once, when torch is loaded; all that is
# started from here inherits it. What the user set stays.
if not {SPIN_COUNT, "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ[SPIN_COUNT] = SPINS
