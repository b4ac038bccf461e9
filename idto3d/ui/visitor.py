"""Who asks: the name of whoever logged in, otherwise the address a request came from."""

import gradio as gr
from starlette.types import Scope

NOBODY = ""


def visitor_of(request: gr.Request | None) -> str:
    """The visitor behind a call of Gradio's; NOBODY where none is told."""
    if request is None:
        return NOBODY
    return request.username or (request.client.host if request.client else NOBODY)


def sender_of(scope: Scope) -> str:
    """The address behind an ASGI request; NOBODY where none is told."""
    client = scope.get("client")
    return client[0] if client else NOBODY
