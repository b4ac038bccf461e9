"""Serving the page: local by default, no share link, no history, no telemetry, small limits."""

import argparse
import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from idto3d.config import HeadOptions, SubjectOptions
from idto3d.files import private_folder
from idto3d.jobs.desk import Desk, default_root
from idto3d.jobs.produce import PIPELINE
from idto3d.ui.actions import Actions, RenderView, pipeline_view
from idto3d.ui.blocks import build_page
from idto3d.ui.guard import Guard
from idto3d.ui.shelf import Shelf
from idto3d.ui.theme import CSS, studio

HEAD = '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
TIDY_SECONDS = 30.0

log = logging.getLogger(__name__)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Where to listen and what to use; the environment gives the defaults."""
    given = os.environ.get
    parser = argparse.ArgumentParser(description="The page of idto3d.")
    parser.add_argument("--host", default=given("IDTO3D_HOST", "127.0.0.1"), help="address to listen on (IDTO3D_HOST)")
    parser.add_argument("--port", default=given("IDTO3D_PORT", "7860"), type=int, help="port (IDTO3D_PORT)")
    parser.add_argument("--runs", default=default_root(), type=Path, help="folder of the runs (IDTO3D_RUNS)")
    for name in ("weights", "device"):
        option = HeadOptions.__dataclass_fields__[name]
        default = given(f"IDTO3D_{name.upper()}", option.default)
        text = f"{option.metadata['help']} (IDTO3D_{name.upper()})"
        parser.add_argument(f"--{name}", default=default, choices=option.metadata.get("choices"), help=text)
    return parser.parse_args(argv)


def make_page(
    runs: Path, base: dict | None = None, pipeline: str = PIPELINE, render_view: RenderView = pipeline_view
) -> tuple[gr.Blocks, Actions]:
    """The page and its verbs, with uploads in a private folder beside `runs`."""
    uploads = private_folder(runs.parent / f"{runs.name}-page")
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    does = Actions(Desk(runs, pipeline), Shelf(uploads), render_view, base)
    return build_page(does), does


def keeping_tidy(does: Actions) -> Callable[[ASGIApp], AbstractAsyncContextManager]:
    """What goes on beside the server: uploads of an earlier one are removed first, then it is tidied now and then."""

    @asynccontextmanager
    async def lifespan(_app: ASGIApp) -> AsyncIterator[None]:
        does.shelf.clear()
        task = asyncio.create_task(_tidy_on(does))
        try:
            yield
        finally:
            task.cancel()

    return lifespan


async def _tidy_on(does: Actions) -> None:
    while True:
        try:
            await asyncio.to_thread(does.tidy)
        except Exception:
            log.exception("tidying failed; it is tried again")
        await asyncio.sleep(TIDY_SECONDS)


def open_page(blocks: gr.Blocks, does: Actions, host: str, port: int | None, wait: bool = True) -> str:
    """Serve `blocks`; returns the address once serving, or with `wait` after it ended, when no upload is left."""
    try:
        return _serve(blocks, does, host, port, wait)
    except KeyboardInterrupt:  # while Gradio still starts; later ones it takes itself
        blocks.close(verbose=False)
        return ""
    finally:
        if wait:
            does.shelf.clear()


def _serve(blocks: gr.Blocks, does: Actions, host: str, port: int | None, wait: bool) -> str:
    blocks.queue(max_size=64, default_concurrency_limit=4)
    ancestors = "'self' https://huggingface.co https://*.hf.space" if os.environ.get("SPACE_ID") else "'self'"
    _, address, _ = blocks.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=not wait,
        share=False,
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        ssr_mode=False,
        pwa=False,
        show_error=False,
        strict_cors=True,
        allowed_paths=[],
        max_file_size=f"{SubjectOptions().max_megabytes:.0f}mb",
        max_threads=16,
        state_session_capacity=200,
        footer_links=["api"],
        app_kwargs={"middleware": [Middleware(Guard, ancestors=ancestors)], "lifespan": keeping_tidy(does)},
        theme=studio(),
        css_paths=[CSS],
        head=HEAD,
        quiet=not wait,
    )
    return address
