"""Turning a request away: a status of 4xx, or 507 for a full disk, and one sentence."""

import asyncio
from contextlib import suppress

from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

DRAIN_SECONDS = 2.0


class Refusal(Exception):
    """Why a request is not served. `sentence` repeats nothing of what was sent.

    A fresh one is made for each request: an exception keeps all that lay in memory where it was raised.
    """

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Body:
    """What a client sends, as `receive` gives it; `ended` once its last piece, or the client's leaving, has come."""

    def __init__(self, receive: Receive):
        self._receive = receive
        self.ended = False

    async def __call__(self) -> Message:
        """The next message."""
        message = await self._receive()
        self.ended = self.ended or message["type"] != "http.request" or not message.get("more_body", False)
        return message


async def answer(refusal: Refusal, scope: Scope, body: Body, send: Send) -> None:
    """Send `refusal` and end the connection.

    What the client still sends is read and dropped for a moment first: one that is cut off in the middle of its body
    never reads the answer.
    """
    with suppress(TimeoutError):
        await asyncio.wait_for(_drain(body), DRAIN_SECONDS)
    response = PlainTextResponse(refusal.sentence, refusal.status, {"connection": "close"})
    await response(scope, body, send)


async def _drain(body: Body) -> None:
    while not body.ended:
        await body()
