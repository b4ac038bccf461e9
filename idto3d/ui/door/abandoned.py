"""Answers nobody fetches: they are dropped after a while. Gradio keeps them for as long as it runs."""

import asyncio
import time
from collections.abc import Callable

import gradio as gr

LOOK_SECONDS = 5.0
WAIT_SECONDS = 60.0


async def drop_abandoned(blocks: gr.Blocks, seconds: float = WAIT_SECONDS, now: Callable[[], float] = time.monotonic):
    """Forget the sessions of `blocks` whose answers have lain unread for `seconds`; goes on until cancelled."""
    since: dict[str, float] = {}
    while True:
        queue = blocks._queue
        unread = [name for name, messages in queue.pending_messages_per_session.items() if not messages.empty()]
        since = {name: since.get(name, now()) for name in unread}
        for name in [name for name, begun in since.items() if now() - begun > seconds]:
            await queue.clean_events(session_hash=name)  # what it does when a reader leaves
            queue.pending_messages_per_session.pop(name, None)
            queue.pending_event_ids_session.pop(name, None)
        await asyncio.sleep(LOOK_SECONDS)
