"""Serving the page: local by default, no share link, no history, no telemetry, small limits."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from idto3d.errors import UserError
from idto3d.files import private_folder
from idto3d.jobs.choosing.chooser import Chooser
from idto3d.jobs.desk import Desk
from idto3d.jobs.engine import Engine
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.jobs.lock import FileLock, owner_of, try_lock
from idto3d.jobs.privacy.places import HEADS, lock_of, uploads_of
from idto3d.jobs.produce import PIPELINE
from idto3d.ui import lanes
from idto3d.ui.actions import Actions, RenderView, pipeline_view
from idto3d.ui.blocks import build_page
from idto3d.ui.door.abandoned import drop_abandoned
from idto3d.ui.door.access import Access
from idto3d.ui.door.body import Patience
from idto3d.ui.door.calls import Calls
from idto3d.ui.door.log import Throttled
from idto3d.ui.door.pace import Crowd, Pace
from idto3d.ui.door.passwords import login
from idto3d.ui.door.sweep import Sweep
from idto3d.ui.door.uploads import MEGABYTE, Ledger, Uploads
from idto3d.ui.door.waiting import close_silent
from idto3d.ui.guard import Guard, Rules
from idto3d.ui.heads.onstage import LIGHTS
from idto3d.ui.shelf import Shelf
from idto3d.ui.theme import CSS, studio

HEAD = '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
TIDY_SECONDS = 30.0
TO_ITSELF = {  # what Gradio would share, keep, show or open
    "share": False,
    "run_history": False,
    "enable_monitoring": False,
    "mcp_server": False,
    "ssr_mode": False,
    "pwa": False,
    "show_error": False,
    "strict_cors": True,
    "allowed_paths": [],
}

log = logging.getLogger(__name__)


def make_page(
    runs: Path,
    base: dict | None = None,
    pipeline: str = PIPELINE,
    render_view: RenderView = pipeline_view,
    limits: Limits = LOCAL,
    engine: Engine | None = None,
    chooser: Chooser | None = None,
) -> tuple[gr.Blocks, Actions]:
    """The page and its verbs, with uploads in a private folder beside `runs`; `engine`: see `Desk`."""
    uploads = private_folder(uploads_of(runs)).resolve()
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    if os.environ.get("SPACE_ID"):
        os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")  # a Space's proxy has no address that is known beforehand
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # else every call ends in a table of all calls
    does = Actions(Desk(runs, pipeline, limits, engine), Shelf(uploads), render_view, base, limits, chooser)
    return build_page(does), does


def take_uploads(folder: Path) -> FileLock:
    """Make the upload folder this process's own. Raises UserError when another page uses it."""
    path = lock_of(folder)
    lock = try_lock(path)
    if lock is None:
        what = f"Another page (process {owner_of(path) or 'unknown'}) serves the runs beside '{folder}'."
        raise UserError(what, "Stop it, or give this one another folder with --runs.")
    return lock


def beside(
    does: Actions, sweep: Sweep, cares: Sequence[Callable[[], Coroutine]], end: Callable[[], None]
) -> Callable[[ASGIApp], AbstractAsyncContextManager]:
    """What goes on beside the server: uploads of an earlier one are removed first, then it is tidied now and then.

    `cares` go on as long as the server does; `end` is called when it has ended.
    """

    @asynccontextmanager
    async def lifespan(_app: ASGIApp) -> AsyncIterator[None]:
        does.shelf.clear()
        tasks = [asyncio.create_task(care) for care in (_tidy_on(does, sweep), *(care() for care in cares))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            end()

    return lifespan


async def _tidy_on(does: Actions, sweep: Sweep) -> None:
    while True:
        try:
            await asyncio.to_thread(tidy, does, sweep)
        except Exception:
            log.exception("tidying failed; it is tried again")
        await asyncio.sleep(TIDY_SECONDS)


def tidy(does: Actions, sweep: Sweep) -> None:
    """Remove what is past its time: uploads, though not those of jobs that wait or run, and jobs."""
    try:
        does.tidy()
    finally:
        views = [view for job_id in does.desk.ids() if (view := does.look(job_id, lends=False)) and view.active]
        sweep.run({photo.sha256 for view in views for photo in view.photos})


def open_page(
    blocks: gr.Blocks, does: Actions, who: Access, port: int | None, wait: bool = True, patience: Patience | None = None
) -> str:
    """Serve `blocks`; returns the address once serving, or with `wait` after it ended, when no upload is left.

    Raises UserError when another page uses the same folder of uploads.
    """
    lock = take_uploads(does.shelf.folder)
    try:
        with quiet() if wait else contextlib.nullcontext():
            return _serve(blocks, does, who, port, patience or Patience(), None if wait else lock.release)
    except KeyboardInterrupt:  # while Gradio still starts; later ones it takes itself
        blocks.close(verbose=False)
        return ""
    finally:
        if wait:
            does.shelf.clear()
            lock.release()


@contextlib.contextmanager
def quiet():
    """While the page is served, what is printed is bounded: Gradio prints whole tracebacks for a client's mistakes."""
    with contextlib.redirect_stdout(Throttled(sys.stdout)), contextlib.redirect_stderr(Throttled(sys.stderr)):
        yield


def _serve(
    blocks: gr.Blocks,
    does: Actions,
    who: Access,
    port: int | None,
    patience: Patience,
    end: Callable[[], None] | None,
) -> str:
    ledger = Ledger(who.limits)
    blocks.queue(max_size=lanes.LONGEST, default_concurrency_limit=4)
    lifespan = _beside(blocks, does, ledger, patience, end)
    guard = Middleware(Guard, rules=_rules(blocks, does.shelf.folder, who, patience, ledger))
    _, address, _ = blocks.launch(
        server_name=who.host,
        server_port=port,
        prevent_thread_lock=end is not None,
        auth=login(who.accounts) if who.accounts else None,
        max_file_size=int(max(who.limits.photo_megabytes, who.limits.clip_megabytes) * MEGABYTE),
        max_threads=lanes.THREADS,
        state_session_capacity=200,
        footer_links=["api"] if who.limits.trusted else [],
        app_kwargs={"middleware": [guard], "lifespan": lifespan},
        theme=studio(),
        css_paths=[CSS],
        head=HEAD,
        quiet=end is not None,
        **TO_ITSELF,
    )
    return address


def _rules(blocks: gr.Blocks, folder: Path, who: Access, patience: Patience, ledger: Ledger) -> Rules:
    """What the guard lets pass, and how much of it."""
    ancestors = "'self' https://huggingface.co https://*.hf.space" if os.environ.get("SPACE_ID") else "'self'"
    shares = Pace(who.limits.visitor_calls_a_second), Crowd(who.limits.visitor_requests)
    return Rules(who.hosts, Calls(blocks, folder), Uploads(ledger, folder, patience), ancestors, patience, *shares)


def _beside(
    blocks: gr.Blocks, does: Actions, ledger: Ledger, patience: Patience, end: Callable[[], None] | None
) -> Callable[[ASGIApp], AbstractAsyncContextManager]:
    """What goes on beside the page: see `beside`."""
    sweep = Sweep(does.shelf.folder, ledger.limits, ledger, (HEADS, LIGHTS))
    silent = partial(close_silent, lambda: blocks.server if blocks.is_running else None, patience.pause)
    return beside(does, sweep, (silent, partial(drop_abandoned, blocks)), end or (lambda: None))
