"""Queues apart for what the page does, so that no flood of one kind holds up another."""

from idto3d.jobs.limits import LOCAL


def lane(name: str, width: int) -> dict:
    """Settings of an event of Gradio's: it shares the queue called `name`, of which `width` are handled at a time."""
    return {"concurrency_id": name, "concurrency_limit": width}


WATCH = lane("watch", 16)
STEER = lane("steer", 16)  # cancel, resume, delete
LOOK = lane("look", LOCAL.total_looks + 8)  # likewise at photos
CHOOSE = lane("choose", LOCAL.total_looks + 8)  # likewise among faces
MAKE = lane("make", 4)
HAND_OUT = lane("hand out", 4)
DRAW = lane("draw", LOCAL.total_views + 8)  # as many wait for the studio as it lets in, and refusals pass by them
THREADS = sum(one["concurrency_limit"] for one in (WATCH, STEER, LOOK, CHOOSE, MAKE, HAND_OUT, DRAW)) + 8
LONGEST = 1024  # events that wait for all of these together
