"""A process that is asked to stop does so wherever it is."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idto3d.stop import stops_when_asked, undisturbed

ROOT = Path(__file__).parents[1]
NATIVE = "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"  # minutes during which Python hears no signal
SWALLOWED = """
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""

INTERRUPTED = """
import time
from idto3d.stop import leave, stops_when_asked
try:
    with stops_when_asked():
        print("begun", flush=True)
        exec("time.sleep(60)")  # as dataclasses do with the text of a method
except KeyboardInterrupt:
    leave(130)
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("work", [NATIVE, SWALLOWED], ids=["native", "swallowed"])
def test_a_process_ends_with_130_inside_native_code_and_where_the_interrupt_is_swallowed(work, sign):
    code = "import hashlib, time\nfrom idto3d.stop import stops_when_asked\nwith stops_when_asked(0.2):\n"
    code += "    print('begun', flush=True)\n" + "\n".join(f"    {line}" for line in work.splitlines())
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "begun\n"
            time.sleep(0.1)
            process.send_signal(sign)
            assert process.wait(10) == 130
        finally:
            process.kill()


def test_a_module_interrupted_while_it_makes_a_class_ends_with_130_as_well(tmp_path):
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path)))}
    command = [sys.executable, "-m", "interrupted"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 130


def test_what_ends_in_order_goes_on_with_the_signals_as_before():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt), stops_when_asked(0.2):
        signal.raise_signal(signal.SIGTERM)
    time.sleep(0.4)  # the process would be gone
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_what_must_be_done_as_a_whole_ends_before_the_interrupt_comes():
    done = []

    def work():
        os.kill(os.getpid(), signal.SIGINT)
        done.extend(range(1000))

    with pytest.raises(KeyboardInterrupt), stops_when_asked():
        undisturbed(work)
        time.sleep(1.0)
        done.append("too late")
    assert done == list(range(1000))
