"""A thin layer before Gradio: headers that keep the page to itself, and no fetching of other people's addresses.

Gradio streams `file=http...` for anybody and downloads a photo given as an address without a limit of size; both are
refused here. The content policy also makes the browser refuse anything that is not from this server.
"""

import json
from collections.abc import Iterator

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_EVENT = 1 << 20
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self' blob: data:; "
    "worker-src 'self' blob:; frame-ancestors {ancestors}"
)


class Guard:
    """ASGI middleware. `ancestors`: who may show the page in a frame."""

    def __init__(self, app: ASGIApp, ancestors: str = "'self'"):
        self.app = app
        self._headers = [
            (b"content-security-policy", POLICY.format(ancestors=ancestors).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def add_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        if fetches(scope["path"]):
            return await _refuse("Other servers' files are not passed on.", scope, receive, add_headers)
        if scope["method"] != "POST" or scope["path"].endswith("/upload"):
            return await self.app(scope, receive, add_headers)
        body = await _read(receive)
        if body is None:
            return await _refuse("This request is too large.", scope, receive, add_headers)
        if names_address(body):
            return await _refuse("Upload photos; addresses are not fetched.", scope, receive, add_headers)
        await self.app(scope, _replay(body, receive), add_headers)


def fetches(path: str) -> bool:
    """Whether a request path asks the server to fetch another server's file."""
    rest = path.partition("/file=")[2]
    return rest.lstrip("/ ").lower().startswith(("http:", "https:"))


def names_address(body: bytes) -> bool:
    """Whether a JSON body holds a file whose path is an address."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return any(path.strip().lower().startswith(("http:", "https:")) for path in _paths(data))


def _paths(data) -> Iterator[str]:
    """Every `path` in nested JSON."""
    waiting = [data]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if isinstance(item.get("path"), str):
                yield item["path"]
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None when it is larger than `LARGEST_EVENT`."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_EVENT:
            return None
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` once and then what comes after it."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once


async def _refuse(text: str, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(text, status_code=400)(scope, receive, send)
