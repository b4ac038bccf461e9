"""Files of the Hub: are they here, how large are they, fetch them while telling how far it is, and say what went wrong.

Everything goes through huggingface_hub, so its settings hold: HF_HOME, HF_ENDPOINT, HF_HUB_OFFLINE, the login.
"""

import logging
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from huggingface_hub import HfApi, constants, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    RevisionResolutionError,
)
from huggingface_hub.utils import httpx, tqdm

from idto3d.bundle.sources import Source
from idto3d.errors import UserError
from idto3d.events import Event, StageStarted, StepDone

STAGE = "weights"
MEGABYTE = 1_000_000
PATIENCE = 0.3  # seconds between two looks at a download
FIRST_ANSWER = 10.0  # seconds the Hub may take for its first answer

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class NotThere(UserError):
    """The Hub has no such repository, commit or file, or does not give it to whoever asks."""


@dataclass(frozen=True)
class Plan:
    """What fetching a source would take: bytes of all its files, of those `missing`, and the names of these."""

    source: Source
    sizes: Mapping[str, int]
    missing: int
    files: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(self.sizes.values())

    def sentence(self) -> str:
        """The plan in one sentence, with the licence."""
        count = f"{len(self.files)} file{'s' if len(self.files) > 1 else ''}"
        return f"Fetching {count} of {self.source.title()} ({readable(self.missing)}), licence: {self.source.licence}."


def in_all(orders: Collection[Plan]) -> str:
    """How much several plans come to, in one sentence."""
    return f"Fetching {readable(sum(order.missing for order in orders))} in all, from {len(orders)} repositories."


def readable(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def cached(source: Source) -> Path | None:
    """The folder in which all files of `source` lie, or None. Makes no request."""
    folder = None
    for name in source.files:
        path = try_to_load_from_cache(source.repo, name, revision=source.revision)
        if not isinstance(path, str):
            return None
        folder = Path(path).parents[len(PurePosixPath(name).parts) - 1]
    return folder


def plan(source: Source) -> Plan:
    """Ask the Hub what fetching `source` would take; nothing is downloaded. Raises UserError.

    The first question is one that is not repeated for half a minute where nobody answers.
    """
    asked(source, lambda: HfApi().model_info(source.repo, revision=source.revision, timeout=FIRST_ANSWER))
    files = asked(source, lambda: _snapshot(source, Tally(), dry_run=True))
    if absent := set(source.files) - {file.filename for file in files}:
        raise NotThere(
            f"{source.title()} has no file {sorted(absent)[0]}.", "Ask the author of the bundle to correct its sources."
        )
    return Plan(
        source=source,
        sizes={file.filename: file.file_size or 0 for file in files},
        missing=sum(file.file_size or 0 for file in files if file.will_download),
        files=tuple(file.filename for file in files if file.will_download),
    )


def download(order: Plan) -> Generator[Event, None, Path]:
    """Fetch the files of a plan, reporting megabytes as steps; returns their folder. Raises UserError.

    Closing the generator stops the download; what has arrived is kept and used by the next one.
    """
    source, tally = order.source, Tally()
    steps = max(1, round(order.missing / MEGABYTE))
    future = in_background(lambda: _snapshot(source, tally))
    yield StageStarted(STAGE, steps)
    try:
        while not future.done():
            tally.wait(future)
            yield StepDone(STAGE, min(steps, tally.bytes() // MEGABYTE), steps)
    finally:
        tally.stopped = True
    return Path(asked(source, future.result))


def take(source: Source) -> Path:
    """Fetch the files of a small `source` without a word; returns their folder. Raises UserError."""
    return Path(asked(source, lambda: _snapshot(source, Tally())))


def _snapshot(source: Source, tally: "Tally", dry_run: bool = False):
    return snapshot_download(
        source.repo,
        revision=source.revision,
        allow_patterns=list(source.files),
        tqdm_class=tally.bar(),
        dry_run=dry_run,
    )


def in_background(work: Callable[[], Result]) -> "Future[Result]":
    """The future result of `work` in a thread of its own, which never keeps the program from ending."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as fault:  # handed to whoever asks for the result
            future.set_exception(fault)

    threading.Thread(target=run, daemon=True).start()
    return future


class Stopped(Exception):
    """Raised inside a download that nobody waits for any more."""


class Tally:
    """Counts what a download's progress bars are told, in place of drawing them; `stopped` ends the download."""

    def __init__(self) -> None:
        self.stopped = False
        self._bars: list = []

    def bytes(self) -> int:
        """Bytes so far, by the furthest bar: one counts what is received, another what is written."""
        return max((int(bar.counted) for bar in self._bars), default=0)

    def wait(self, future: Future) -> None:
        """Wait a moment, or until `future` is done."""
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        done.wait(PATIENCE)

    def bar(self) -> type:
        """A progress bar class for huggingface_hub that draws nothing and reports here."""
        tally = self

        class Bar(tqdm):
            def __init__(self, *arguments, **named):
                self.counted = 0
                super().__init__(*arguments, **{**named, "disable": True})
                if named.get("unit") == "B":
                    tally._bars.append(self)

            def update(self, n=1):
                if tally.stopped:
                    raise Stopped
                self.counted += n or 0
                return super().update(n)

        return Bar


def asked(source: Source, work: Callable[[], Result]) -> Result:
    """The result of `work`, which asks the Hub about `source`. Raises UserError for everything the Hub may answer."""
    try:
        return work()
    except (OSError, httpx.HTTPError, ValueError, RuntimeError, RevisionResolutionError) as fault:
        log.info("asking for %s", source.title(), exc_info=True)
        raise plainly(fault, source) from fault


def plainly(fault: BaseException, source: Source) -> UserError:
    """What went wrong with `source`, in words of the user."""
    causes = tuple(_causes(fault))
    page = f"{constants.ENDPOINT}/{source.repo}"
    for kind, refusal, *answer in _answers(source, page):
        if any(isinstance(cause, kind) for cause in causes):
            return refusal(*answer)
    last = str(causes[-1]).strip().splitlines() or [type(causes[-1]).__name__]
    return UserError(
        f"Fetching {source.title()} broke off: {last[0][:200]}.",
        "Run it again; it goes on with what has arrived. Check the free space of the disk if it happens again.",
    )


def _answers(source: Source, page: str) -> Iterable[tuple[type | tuple, type[UserError], str, str]]:
    """Rows of a kind of fault, the refusal it becomes, and its two sentences; the first that fits counts."""
    return (
        (
            GatedRepoError,
            NotThere,
            f"{source.repo} is gated: its authors ask you to accept their conditions first.",
            f"Accept them at {page}, then log in with: hf auth login",
        ),
        (
            RevisionNotFoundError,
            NotThere,
            f"{source.repo} has no revision {source.revision}.",
            "Correct the part after the @, or leave it out.",
        ),
        (
            RepositoryNotFoundError,
            NotThere,
            f"There is no repository {source.repo} on the Hub, or it is private.",
            "Check the name; for a private one, log in with: hf auth login",
        ),
        (
            OfflineModeIsEnabled,
            UserError,
            f"{source.title()} is not on this machine, and HF_HUB_OFFLINE forbids fetching it.",
            "Unset HF_HUB_OFFLINE, or use --weights embedded.",
        ),
        (
            (httpx.ConnectError, httpx.TimeoutException),
            UserError,
            f"{source.title()} is not on this machine, and the Hub ({constants.ENDPOINT}) cannot be reached.",
            "Check the connection, or use --weights embedded.",
        ),
        (
            HfHubHTTPError,
            UserError,
            f"The Hub ({constants.ENDPOINT}) refused to answer about {source.repo}.",
            "Try again later.",
        ),
    )


def _causes(fault: BaseException | None) -> Iterable[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__
