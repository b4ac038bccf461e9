import asyncio

import pytest

from idto3d.ui.door.body import SHARE, Clock, Memory, Patience
from idto3d.ui.door.refusal import Body, Refusal


def client(*pieces: bytes, ends: bool = True) -> Body:
    """Somebody who sends these pieces, and then says no more unless the last `ends` the body."""
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if ends:
        waiting[-1]["more_body"] = False

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    return Body(receive)


async def read(memory: Memory, body: Body, visitor: str) -> bytes:
    return await memory.read(Clock(body, Patience(pause=0.2)), 1000, visitor)


def test_one_visitor_who_holds_bodies_back_leaves_room_for_the_others():
    async def story():
        memory = Memory(SHARE * 1000)
        slow = [asyncio.create_task(read(memory, client(bytes(500), ends=False), "anna")) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert memory.held["anna"] <= 1000  # the third was turned away
        assert await read(memory, client(bytes(300), bytes(700)), "bert") == bytes(1000)
        refused = await asyncio.gather(*slow, return_exceptions=True)
        assert sorted(fault.status for fault in refused) == [408, 408, 429] and not memory.held

    asyncio.run(story())


def test_all_visitors_together_have_a_bound_too():
    async def story():
        memory = Memory(SHARE * 100)
        several = (read(memory, client(bytes(100), ends=False), f"visitor {number}") for number in range(SHARE + 1))
        refused = await asyncio.gather(*several, return_exceptions=True)
        assert sorted(fault.status for fault in refused) == [408] * SHARE + [429]

    asyncio.run(story())


def test_a_body_that_is_too_large_is_refused():
    with pytest.raises(Refusal) as refused:
        asyncio.run(read(Memory(), client(bytes(600), bytes(600)), "anna"))
    assert refused.value.status == 413
