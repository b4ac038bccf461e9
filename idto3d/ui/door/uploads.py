"""How much may be uploaded: counted while it streams, before the framework's parser writes a byte of it."""

import asyncio
import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Scope, Send

from idto3d.files import NO_SPACE
from idto3d.jobs.limits import Limits
from idto3d.ui.door.body import Clock, Patience
from idto3d.ui.door.refusal import Body, Refusal

MEGABYTE = 1_000_000
LEAST_SIZE = 64_000  # bytes that a file counts at least: small files fill a disk by their number
HEADERS_SIZE = 16_384  # bytes of a part that are not its file
LOOK_BYTES = 8 << 20  # written between two looks at the disk
FULL = partial(Refusal, 507, "The disk of this server is nearly full, so it takes no uploads now; try again later.")


class Ledger:
    """Who uploaded what lies here, and how much is on its way; bytes. It may be used from several threads."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self._lock = threading.Lock()
        self._files: dict[Path, tuple[str, int]] = {}
        self._held: Counter[str] = Counter()
        self._uploading = 0

    def take(self, visitor: str, size: int) -> None:
        """Count `size` bytes that a visitor sends. Raises Refusal, and counts nothing, where that is too much."""
        with self._lock:
            if self._held[visitor] + size > self.limits.visitor_megabytes * MEGABYTE:
                most = f"{self.limits.visitor_megabytes:.0f} MB"
                raise Refusal(413, f"One visitor may have {most} of photos here; delete yours, or wait a while.")
            if self._held.total() + size > self.limits.total_megabytes * MEGABYTE:
                raise Refusal(507, "This server holds as many photos as it may; try again later.")
            self._held[visitor] += size

    def give_back(self, visitor: str, size: int) -> None:
        """No longer count `size` bytes of a visitor."""
        with self._lock:
            self._give_back(visitor, size)

    def keep(self, visitor: str, path: Path) -> None:
        """Count a file that lies here now."""
        try:
            size = max(path.lstat().st_size, LEAST_SIZE)
        except OSError:
            return
        with self._lock:
            self._drop(path)
            self._files[path] = (visitor, size)
            self._held[visitor] += size

    def knows(self, path: Path) -> bool:
        """Whether a file is an upload that is counted."""
        return path in self._files

    def forget_removed(self) -> None:
        """No longer count files that are gone."""
        gone = [path for path in tuple(self._files) if not path.exists()]
        with self._lock:
            for path in gone:
                self._drop(path)

    @property
    def uploading(self) -> bool:
        """Whether an upload is under way."""
        return self._uploading > 0

    @contextmanager
    def upload(self) -> Iterator[None]:
        """While an upload is under way."""
        with self._lock:
            self._uploading += 1
        try:
            yield
        finally:
            with self._lock:
                self._uploading -= 1

    def _drop(self, path: Path) -> None:
        visitor, size = self._files.pop(path, ("", 0))
        self._give_back(visitor, size)

    def _give_back(self, visitor: str, size: int) -> None:
        self._held[visitor] -= size
        if self._held[visitor] <= 0:
            del self._held[visitor]


class Upload:
    """One upload request, read piece by piece. `refusal` is why it was ended, if it was."""

    def __init__(self, clock: Clock, ledger: Ledger, folder: Path, visitor: str, edge: bytes):
        self.refusal: Refusal | None = None
        self.taken = 0
        self._clock, self._ledger, self._folder, self._visitor = clock, ledger, folder, visitor
        self._edge = b"--" + edge
        self._edges, self._tail, self._unlooked = 0, b"", LOOK_BYTES

    async def receive(self) -> Message:
        """The next piece for the framework's parser, which removes what it wrote when this raises.

        Raises MultiPartException where the request is too much, too slow, or broken off.
        """
        try:
            message = await self._clock.next()
            await self._count(message.get("body", b""))
            return message
        except Refusal as refusal:
            self.refusal = refusal
            raise MultiPartException(refusal.sentence) from None

    async def _count(self, piece: bytes) -> None:
        self._ledger.take(self._visitor, len(piece))
        self.taken += len(piece)
        limits = self._ledger.limits
        if self.taken > request_bytes(limits):
            raise too_large(limits)
        window = self._tail + piece
        self._edges += window.count(self._edge)
        self._tail = window[-(len(self._edge) - 1) :]
        if self._edges > limits.photos + 1:  # each part begins with one, and one ends the last
            raise too_many(limits)
        self._unlooked += len(piece)
        if self._unlooked >= LOOK_BYTES:
            self._unlooked = 0
            await asyncio.to_thread(check_space, self._folder, limits)


class Uploads:
    """Has uploads into `folder` served while `ledger` counts."""

    def __init__(self, ledger: Ledger, folder: Path, patience: Patience):
        self.ledger, self.folder, self.patience = ledger, folder, patience

    async def serve(self, app: ASGIApp, scope: Scope, body: Body, send: Send, visitor: str) -> None:
        """Have one upload of a visitor served by `app`. Raises Refusal where it must not be."""
        headers, limits = Headers(scope=scope), self.ledger.limits
        edge = boundary_of(headers)
        if _length(headers) > request_bytes(limits):
            raise too_large(limits)
        self.ledger.take(visitor, _length(headers))  # so that what cannot fit is refused before it is sent
        self.ledger.give_back(visitor, _length(headers))
        upload, answer = Upload(Clock(body, self.patience), self.ledger, self.folder, visitor, edge), Answer(send)
        with self.ledger.upload():
            try:
                await app(scope, upload.receive, answer.hold)
            except OSError as fault:
                raise (FULL() if fault.errno in NO_SPACE else fault) from None
            except (AttributeError, TypeError, ValueError):  # what the parser makes of texts where files belong
                raise Refusal(400, "This form is not an upload of photos.") from None
            finally:
                self.ledger.give_back(visitor, upload.taken)
        if upload.refusal:
            raise upload.refusal
        for path in answer.paths():
            self.ledger.keep(visitor, path)
        await answer.release()


class Answer:
    """The framework's short answer to an upload, held until it is known whether it is ours too."""

    def __init__(self, send: Send):
        self._send = send
        self._held: list[Message] = []

    async def hold(self, message: Message) -> None:
        """Keep one message of the answer."""
        self._held.append(message)

    async def release(self) -> None:
        """Send the answer."""
        for message in self._held:
            await self._send(message)

    def paths(self) -> list[Path]:
        """The files that a good answer names."""
        if not self._held or self._held[0].get("status") != 200:
            return []
        return [Path(path) for path in json.loads(b"".join(message.get("body", b"") for message in self._held[1:]))]


def boundary_of(headers: Headers) -> bytes:
    """What parts the pieces of a form. Raises Refusal for another kind of body."""
    kind, options = parse_options_header(headers.get("content-type", ""))
    edge = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(edge) <= 70:
        raise Refusal(415, "Photos are uploaded as a form, multipart/form-data with a boundary.")
    return edge


def request_bytes(limits: Limits) -> float:
    """The largest body of one upload."""
    return limits.photos * (limits.photo_megabytes * MEGABYTE + HEADERS_SIZE)


def too_large(limits: Limits) -> Refusal:
    """For an upload whose files are too large together."""
    what = f"{limits.photos} photos of {limits.photo_megabytes:.0f} MB each may be uploaded at a time"
    return Refusal(413, f"{what}; this is more.")


def too_many(limits: Limits) -> Refusal:
    """For an upload of too many files."""
    return Refusal(413, f"{limits.photos} photos may be uploaded at a time; choose the sharpest ones.")


def check_space(folder: Path, limits: Limits) -> None:
    """Raise Refusal where the disk of `folder` has less left than it must."""
    if shutil.disk_usage(folder).free < limits.free_megabytes * MEGABYTE:
        raise FULL()


def _length(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isdigit() and text.isascii() and len(text) < 16 else 0
