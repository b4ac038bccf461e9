"""A page over the toy pipeline in a process of its own: `python -m benchmarks.gates.toy_page --port P --runs DIR`.

Its limits are lowered, so that a flood is one with little traffic.
"""

import signal
import sys
from dataclasses import replace

from benchmarks.gates import toys
from idto3d.jobs.limits import PUBLIC
from idto3d.ui.door.access import Access
from idto3d.ui.door.body import Patience
from idto3d.ui.server import make_page, open_page, parse

LIMITS = replace(
    PUBLIC,
    photo_megabytes=0.2,
    visitor_megabytes=8.0,
    total_megabytes=16.0,
    free_megabytes=1.0,
    visitor_jobs=10,
    visitor_jobs_an_hour=10_000,
    visitor_calls_a_second=1000.0,
    visitor_requests=1000,
)
PATIENCE = Patience(pause=2.0, whole=6.0)


def main(words: list[str]) -> None:
    """Serve until terminated."""
    asked = parse(words)
    blocks, does = make_page(asked.runs, {}, toys.__name__, toys.render_view, LIMITS)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    open_page(blocks, does, Access(limits=LIMITS), asked.port, patience=PATIENCE)


if __name__ == "__main__":
    main(sys.argv[1:])
