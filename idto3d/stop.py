"""A process that is asked to stop does so at once, also while it waits for native code."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, TypeVar

SIGNALS = (signal.SIGINT, signal.SIGTERM)
CANCELLED = 130  # exit code
GRACE = 2.0  # seconds to end in order
AGAIN = 0.01  # seconds after which a signal is heard again that came in the wrong moment
Result = TypeVar("Result")


def undisturbed(work: Callable[[], Result]) -> Result:
    """What `work` returns. Handlers of signals that ask `is_undisturbed` let it end: it is short, all or nothing."""
    return work()


def is_undisturbed(frame: FrameType | None) -> bool:
    """Whether a signal came, in `frame` of its handler, while `undisturbed` was at work."""
    while frame is not None:
        if frame.f_code is undisturbed.__code__:
            return True
        frame = frame.f_back
    return False


def leave(code: int) -> NoReturn:
    """End the process with `code`; a cancelled one at once, since Python would else end itself by a signal.

    It does so where the interrupt came inside an exec() of text, as dataclasses call it, even when somebody took it.
    """
    if code != CANCELLED:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@contextmanager
def stops_when_asked(grace: float = GRACE) -> Iterator[None]:
    """Within it Ctrl-C and SIGTERM raise KeyboardInterrupt; where it lasts `grace` seconds longer, all ends with 130.

    Python raises only between two of its own steps, so a long call of native code would put it off, and a library may
    swallow it: a thread hears of the signal, too. Written files are whole or absent, so a run that ends so can be
    resumed like one that was killed. For the main thread.
    """
    hearing, telling = socket.socketpair()
    telling.setblocking(False)
    threading.Thread(target=_insist, args=(hearing, grace), daemon=True).start()
    before = {number: signal.signal(number, _interrupt) for number in SIGNALS}
    told_before = signal.set_wakeup_fd(telling.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(told_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        telling.close()


def _interrupt(number: int, frame: FrameType | None) -> None:
    if not is_undisturbed(frame):
        raise KeyboardInterrupt
    again = threading.Timer(AGAIN, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _insist(hearing: socket.socket, grace: float) -> None:
    """End the process `grace` seconds after one of SIGNALS, unless the other end is closed before."""
    with hearing:
        asked = 0.0
        while not asked or (left := asked + grace - time.monotonic()) > 0:
            hearing.settimeout(left if asked else None)
            try:
                number = hearing.recv(1)
            except TimeoutError:
                continue
            if not number:
                return
            asked = asked or (time.monotonic() if number[0] in SIGNALS else 0.0)
        os._exit(CANCELLED)
