"""Threads that wait do not burn the time of another run, unless the user wants them to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}


@pytest.mark.parametrize(
    ("chosen", "in_force"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "none")],
)
def test_a_package_that_is_imported_sets_how_long_threads_spin_where_nobody_did(chosen, in_force):
    environment = {name: value for name, value in os.environ.items() if name not in OURS} | chosen
    asks = "import idto3d, os, sys; assert 'torch' not in sys.modules; print(os.environ.get('GOMP_SPINCOUNT', 'none'))"
    told = subprocess.run([sys.executable, "-c", asks], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert told.stdout.strip() == in_force, told.stderr


@pytest.mark.parametrize("door", ["app", "idto3d.cli", "idto3d.jobs.worker", "idto3d.training.train"])
def test_every_front_door_sets_it_before_torch_is_loaded(door):
    asks = (
        "import os, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'torch': print('torch', os.environ.get('GOMP_SPINCOUNT')); sys.exit()\n"
        f"sys.meta_path.insert(0, Watch())\nimport {door}\nprint('no torch', os.environ.get('GOMP_SPINCOUNT'))"
    )
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    told = subprocess.run([sys.executable, "-c", asks], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert told.stdout.split()[-1] == "1000", told.stdout + told.stderr
