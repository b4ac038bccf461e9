"""A layer before Gradio that lets through what the page needs, within its limits; all else is answered in a sentence.

It keeps to our own names and addresses, to bodies of a sensible size and speed, to calls that fit, and to uploads
within their shares. It adds headers that keep the page to itself: the content policy makes the browser refuse anything
that is not from this server. What goes wrong behind it is logged, and reaches the client as one sentence.
"""

import logging
from dataclasses import dataclass, field
from functools import partial

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from idto3d.ui.door.body import Clock, Memory, Patience, replay
from idto3d.ui.door.calls import Calls
from idto3d.ui.door.hosts import Hosts
from idto3d.ui.door.pace import Crowd, Pace
from idto3d.ui.door.refusal import Body, Refusal, answer
from idto3d.ui.door.routes import LOGIN, UPLOAD, check_address, sound_headers
from idto3d.ui.door.uploads import Uploads
from idto3d.ui.visitor import sender_of

LARGEST_EVENT = 1 << 20
LARGEST_LOGIN = 1 << 12
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self' blob: data:; "
    "worker-src 'self' blob:; frame-ancestors {ancestors}"
)
FAULT = partial(Refusal, 500, "Something went wrong here; the server's log says more.")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rules:
    """What a guard goes by. `ancestors`: who may show the page in a frame."""

    hosts: Hosts
    calls: Calls
    uploads: Uploads
    ancestors: str = "'self'"
    patience: Patience = Patience()
    pace: Pace = field(default_factory=Pace)
    crowd: Crowd = field(default_factory=Crowd)


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, rules: Rules):
        self.app = app
        self.rules = rules
        self._memory = Memory()
        self._headers = [
            (b"content-security-policy", POLICY.format(ancestors=rules.ancestors).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begun, body = False, Body(receive)

        async def add_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        try:
            with self.rules.crowd.place(sender_of(scope)):
                await self._serve(scope, body, add_headers)
        except Refusal as refusal:
            await answer(refusal, scope, body, add_headers)
        except Exception as fault:
            log.error("%s %.200s: %s", scope["method"], scope["path"], type(fault).__name__, exc_info=not begun)
            if not begun:
                return await answer(FAULT(), scope, body, add_headers)
            # Gradio ends the stream of a session that is gone by raising once it said so.
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _serve(self, scope: Scope, body: Body, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        self.rules.hosts.check(method, Headers(scope=scope))
        check_address(method, path, scope["query_string"])
        scope["headers"] = sound_headers(scope["headers"])
        if method != "POST":
            return await self.app(scope, body, send)
        if path.rstrip("/") == UPLOAD:
            return await self.rules.uploads.serve(self.app, scope, body, send, sender_of(scope))
        self.rules.pace.check(sender_of(scope))
        login = path.rstrip("/") == LOGIN
        clock = Clock(body, self.rules.patience)
        content = await self._memory.read(clock, LARGEST_LOGIN if login else LARGEST_EVENT, sender_of(scope))
        if not login:
            self._check_call(scope, content)
        await self.app(scope, replay(content, body), send)

    def _check_call(self, scope: Scope, content: bytes) -> None:
        if not Headers(scope=scope).get("content-type", "").startswith("application/json"):
            raise Refusal(415, "Calls are sent as application/json.")
        self.rules.calls.check(scope["path"], content)
