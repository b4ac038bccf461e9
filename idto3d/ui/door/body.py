"""Reading what a client sends: never more than is allowed, never longer than is sensible."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

from starlette.types import Message, Receive

from idto3d.ui.door.refusal import Body, Refusal

TOO_LARGE = partial(Refusal, 413, "This request is too large.")
TOO_SLOW = partial(Refusal, 408, "This request came too slowly.")
BROKEN_OFF = partial(Refusal, 400, "This request was broken off.")
SHARE = 8  # visitors who send as much as they may at a time fill the memory; one alone does not


@dataclass(frozen=True)
class Patience:
    """How long a body may take: between two pieces, and from its first to its last, in seconds."""

    pause: float = 20.0
    whole: float = 900.0


class Clock:
    """One body being read with `patience`; time runs only while we wait for the client."""

    def __init__(self, body: Body, patience: Patience):
        self._body = body
        self._patience = patience
        self._waited = 0.0

    async def next(self) -> Message:
        """The next piece of the body. Raises Refusal when it is late, or will not come.

        After the last piece it is whatever comes next, whenever that is.
        """
        if self._body.ended:
            return await self._body()
        begun = time.monotonic()
        left = min(self._patience.pause, self._patience.whole - self._waited)
        try:
            message = await asyncio.wait_for(self._body(), max(left, 0.0))
        except TimeoutError:
            raise TOO_SLOW() from None
        self._waited += time.monotonic() - begun
        if message["type"] != "http.request":
            raise BROKEN_OFF()
        return message


class Memory:
    """How many bytes of bodies may lie in memory at a time: `most` of all visitors together, a share of that of one."""

    def __init__(self, most: int = 64 << 20):
        self.most = most
        self.held: Counter[str] = Counter()

    async def read(self, clock: Clock, largest: int, visitor: str) -> bytes:
        """The whole body of a visitor's request.

        Raises Refusal when it is larger than `largest` bytes, late, or too much beside what is being read already.
        """
        pieces, size, more = [], 0, True
        try:
            while more:
                message = await clock.next()
                piece, more = message.get("body", b""), message.get("more_body", False)
                size += len(piece)
                self.held[visitor] += len(piece)
                if size > largest:
                    raise TOO_LARGE()
                self._check(visitor)
                pieces.append(piece)
            return b"".join(pieces)
        finally:
            self.held[visitor] -= size
            if not self.held[visitor]:
                del self.held[visitor]

    def _check(self, visitor: str) -> None:
        if self.held[visitor] > self.most // SHARE:
            raise Refusal(429, "You send too much at a time; wait until the rest is through.")
        if self.held.total() > self.most:
            raise Refusal(429, "This server is busy; try again in a moment.")


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` once and then what comes after it."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
