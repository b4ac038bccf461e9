"""Which of the framework's many addresses are ours to serve. What the page does not use does not exist here.

Left out are those that fetch from other servers, write into folders we do not tidy, run code without the queue,
keep histories or tell of the machine.
"""

import re
from functools import partial
from urllib.parse import parse_qsl

from idto3d.ui.door.refusal import Refusal

API = "/gradio_api"
UPLOAD, LOGIN = f"{API}/upload", "/login"
LONGEST_PATH = 1024  # characters; a part of it may have 255 bytes, as in a file's name
LONGEST_QUERY = 2048
READ = re.compile(
    r"/|/config|/favicon\.ico|/robots\.txt|/manifest\.json|/theme\.css|/pwa_icon(/\d{1,4})?|/logout"
    r"|/(static|assets|svelte|_app)/.+"
    r"|/gradio_api/(info|config|openapi\.json|user|login_check|token|app_id|startup-events|theme\.css|queue/status)/?"
    r"|/gradio_api/(queue/data|upload_progress|heartbeat/[\w-]{1,64}|call/(v2/)?\w{1,40}/\w{1,64}|file=.+)"
)
CALLS = re.compile(r"/gradio_api/(queue/join|call/(v2/)?\w{1,40}|cancel|reset)/?")
METHODS = ("GET", "HEAD", "POST", "OPTIONS")
RANGE = re.compile(r"bytes=(\d{1,15}-\d{0,15}|-\d{1,15})")
NOT_HERE = partial(Refusal, 404, "There is nothing at this address.")


def check_address(method: str, path: str, query: bytes) -> None:
    """Raise Refusal for an address that is not served, for the method or at all."""
    if method not in METHODS:
        raise Refusal(405, "This server reads with GET and takes calls with POST.")
    if len(path) > LONGEST_PATH or len(query) > LONGEST_QUERY or any(len(p.encode()) > 255 for p in path.split("/")):
        raise Refusal(414, "This address is too long.")
    if not path.isprintable() or ".." in path.split("/"):
        raise NOT_HERE()
    known = CALLS.fullmatch(path) or path.rstrip("/") in (UPLOAD, LOGIN) if method == "POST" else READ.fullmatch(path)
    if fetches(path) or not known:
        raise NOT_HERE()
    if any(name == "deep_link" for name, _ in parse_qsl(query.decode("latin-1"))):
        raise NOT_HERE()


def fetches(path: str) -> bool:
    """Whether a request path asks the server to fetch another server's file."""
    rest = path.partition("/file=")[2]
    return rest.lstrip("/ ").lower().startswith(("http:", "https:"))


def sound_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """`headers` without a Range the framework would stumble over; the whole file is then sent, as the standard says."""
    return [(name, value) for name, value in headers if name != b"range" or RANGE.fullmatch(value.decode("latin-1"))]
