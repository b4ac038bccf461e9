"""A stand-in of the package `spaces` as it is on ZeroGPU: `GPU` wraps a generator that needs the GPU.

Each call asks for seconds on behalf of whoever the context of the call names, and is refused or runs in a forked
process, in a thread of it, as there. What it yields is sent as pickles; closing the generator ends the work at its next
`yield`; a process that is killed, as there where its time is up, is a refusal.
"""

import multiprocessing
import pickle
import queue
import signal
import threading
from contextvars import ContextVar

VISITOR = ContextVar("visitor", default="")
FORK = multiprocessing.get_context("fork")
OVER, FAULT = b"over", b"fault"


class Refused(Exception):
    """As the package's own error: `message` is for the visitor, and may hold tags."""

    def __init__(self, message):
        super().__init__(message)
        self.message = message


class FakeSpaces:
    """`asked` are the seconds and the visitor of each call, `refusals` what the next calls raise, None for nothing.

    Where `waits` is an event, no call gets its GPU before it.
    """

    def __init__(self):
        self.asked, self.refusals, self.processes, self.waits = [], [], [], None

    def GPU(self, task=None, *, duration=60):
        if task is None:
            return lambda wrapped: self.GPU(wrapped, duration=duration)

        def wrapped(*arguments):
            seconds = duration(*arguments) if callable(duration) else duration
            self.asked.append((seconds, VISITOR.get()))
            if self.waits:
                self.waits.wait()
            refusal = self.refusals.pop(0) if self.refusals else None
            if refusal is not None:
                raise refusal
            yield from self._lent(task, arguments)

        return wrapped

    def _lent(self, task, arguments):
        answers, stop = FORK.SimpleQueue(), FORK.Event()
        process = FORK.Process(target=_inside, args=(task, pickle.dumps(arguments), answers, stop), daemon=True)
        process.start()
        self.processes.append(process)
        heard = queue.Queue()
        threading.Thread(target=_listen, args=(process, answers, heard), daemon=True).start()
        while (said := heard.get()) != OVER:
            if said == FAULT:
                raise Refused("GPU task aborted")
            try:
                yield pickle.loads(said)
            except GeneratorExit:
                stop.set()
                while heard.get() not in (OVER, FAULT):
                    pass
                raise


def _inside(task, arguments, answers, stop):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    thread = threading.Thread(target=_iterate, args=(task(*pickle.loads(arguments)), answers, stop))
    thread.start()
    thread.join()
    answers.put(OVER)


def _iterate(events, answers, stop):
    for event in events:
        if stop.is_set():
            events.close()
            break
        answers.put(pickle.dumps(event))


def _listen(process, answers, heard):
    """Pass on what a process says until it is over; its death is a fault."""
    said = b""
    while said != OVER and (process.is_alive() or not answers.empty()):
        if answers._reader.poll(0.02):
            heard.put(said := answers.get())
    process.join()
    if said != OVER:
        heard.put(FAULT)
