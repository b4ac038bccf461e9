import asyncio
from contextlib import ExitStack

import pytest

from idto3d.ui.door.pace import Crowd
from idto3d.ui.door.refusal import Refusal
from idto3d.ui.guard import Guard, Rules


def test_a_visitor_has_so_many_requests_open_and_others_have_theirs():
    crowd = Crowd(2)
    with ExitStack() as open_ones:
        for visitor in ("anna", "anna", "bert"):
            open_ones.enter_context(crowd.place(visitor))
        with pytest.raises(Refusal, match="too many requests open"), crowd.place("anna"):
            pass
    with crowd.place("anna"):
        pass


def test_streams_that_are_held_open_are_counted_by_the_guard():
    class Anybody:
        def check(self, *_):
            pass

    async def stream(_scope, _receive, _send):
        await asyncio.Event().wait()

    async def story():
        guard = Guard(stream, Rules(Anybody(), Anybody(), None, crowd=Crowd(2)))
        scope = {"type": "http", "method": "GET", "path": "/gradio_api/heartbeat/a", "query_string": b"", "headers": []}
        said = []

        async def send(message):
            said.append(message)

        async def receive():
            return {"type": "http.request", "body": b""}

        held = [asyncio.create_task(guard(scope | {"client": ("192.0.2.7", 1)}, receive, send)) for _ in range(2)]
        await asyncio.sleep(0)
        await guard(scope | {"client": ("192.0.2.7", 1)}, receive, send)
        assert [message["status"] for message in said if "status" in message] == [429]
        other = asyncio.create_task(guard(scope | {"client": ("192.0.2.8", 1)}, receive, send))
        await asyncio.sleep(0)
        assert not other.done()
        for task in (*held, other):
            task.cancel()

    asyncio.run(story())
