"""Connections on which no request comes: they are closed after a while. The server below waits for a head forever."""

import asyncio
import time
from collections.abc import Callable

from uvicorn import Server

LOOK_SECONDS = 1.0


async def close_silent(server: Callable[[], Server | None], seconds: float) -> None:
    """Close connections of `server()` that have been without a whole request for `seconds`; goes on until cancelled."""
    since: dict[object, float] = {}
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        running, now = server(), time.monotonic()
        connections = tuple(running.server_state.connections) if running else ()
        since = {one: since.get(one, now) for one in connections if _waits(one)}
        for connection, begun in since.items():
            if now - begun > seconds:
                connection.transport.close()


def _waits(connection) -> bool:
    """Whether the head of a request is awaited, its first one or, after an answer, one that has begun to come.

    Between two requests the server keeps time itself.
    """
    cycle = getattr(connection, "cycle", None)
    kept = getattr(connection, "timeout_keep_alive_task", None)
    return kept is None and (cycle is None or cycle.response_complete)
