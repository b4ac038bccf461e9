"""Requests that no page sends, drawn from a seed: as the bytes that go over the wire."""

import json
import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

API = "/gradio_api"
NAMES = ("generate", "watch", "cancel", "resume", "delete", "render", "download", "nothing", "..", "%00", "a" * 300)
UPWARDS = (
    "../" * 8,
    "..%2f" * 8,
    "%2e%2e/" * 8,
    "..%252f" * 8,
    "....//" * 8,
    "..\\" * 8,
    "/",
    "//",
    "%c0%ae%c0%ae/" * 6,
)
GOALS = (
    "etc/passwd",
    "proc/self/environ",
    "app.py",
    "secret.txt",
    "runs",
    "",
    "%00",
    "a" * 5000,
    "%ff%fe",
    "x%0d%0ay: z",
)
BEFORE = (
    "/static/",
    "/assets/",
    "/svelte/",
    f"{API}/file=",
    f"{API}/file/",
    f"{API}/proxy=",
    "/custom_component/a/b/c/",
)
ELSEWHERE = (
    *(
        "/monitoring",
        f"{API}/dev/reload",
        f"{API}/component_server",
        f"{API}/run/generate",
        f"{API}/api/watch",
        "/runs",
    ),
    *(f"{API}/vibe-edit", f"{API}/process_recording", f"{API}/deep_link", "/gradio_api/deep_link", "/docs", "/redoc"),
    *(f"{API}/stream/x", f"{API}/run-history/records", f"{API}/file=http://127.0.0.1:9/x", "/?deep_link=x", "/mcp"),
)
METHODS = ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "HEAD", "get", "BREW", "X" * 300)
HEADERS = (
    *("Host: evil.example", "Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Host:"),
    *("Range: bytes=0-1-2", "Range: bytes=9999999999999999999999-", "Range: x", "Content-Length: -5", "Expect: 200-ok"),
    *(
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Content-Type: multipart/form-data",
        "Cookie: =",
    ),
    *("Content-Encoding: gzip", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: javascript", "Upgrade: h2c"),
    *("X-Forwarded-For: \x7f", "Accept-Encoding: " + "br," * 500, "X: " + "y" * 70_000, "No-Colon", "Cookie: \xff\xfe"),
)

EXTRAS = ("batched", "event_data", "simple_format", "event_id", "session_hash", "oauth_token")


@dataclass(frozen=True)
class Wire:
    """One request: its kind, what is sent, and whether the client goes away or stands still in its middle."""

    kind: str
    sent: bytes
    leaves: bool = False
    stalls: bool = False


def hostile(rng: random.Random, functions: Mapping[int, int]) -> Wire:
    """One request; `functions` are the page's, by number, with how many values each takes."""
    make = rng.choice((values, broken_json, large, address, method, header, form, session, upgrade, noise, halves))
    return make(rng, functions)


def values(rng: random.Random, functions: Mapping[int, int]) -> Wire:
    """A call with values of other kinds, as many as there should be or not."""
    number = rng.choice([*functions, *(odd(rng) for _ in range(3))])
    count = functions.get(number, 1) if isinstance(number, int) else 1
    data = [odd(rng) for _ in range(count if rng.random() < 0.9 else rng.randrange(9))]
    body = {"data": data, "fn_index": number, "session_hash": word(rng), "trigger_id": rng.choice([None, odd(rng)])}
    if rng.random() < 0.2:
        body[rng.choice(("batched", "event_data", "simple_format", "event_id", "session_hash", "oauth_token"))] = odd(
            rng
        )
    path = rng.choice((f"{API}/queue/join", f"{API}/queue/join", f"{API}/call/{rng.choice(NAMES)}", f"{API}/cancel"))
    return post("values", path, json.dumps(body).encode())


def broken_json(rng: random.Random, _functions) -> Wire:
    """A call that is no JSON, too deep, or not an object."""
    deep = rng.choice((b"[", b'{"a":')) * rng.choice((50, 2000, 100_000))
    body = rng.choice(
        (deep, b'{"data": ' + deep, b"", b"null", b"7", b'"x"', b"NaN", b"\xff\xfe{}", b'{"data": [1e999]}')
    )
    body = rng.choice((body, rng.randbytes(rng.randrange(200)), b'{"data": [' + b"9" * rng.choice((400, 9000)) + b"]}"))
    verb = rng.choice(("queue/join", "call/watch", "call/v2/watch", "cancel", "reset", "../login"))
    kind = rng.choice(("application/json", "application/json", "text/plain", "application/x-www-form-urlencoded", "x"))
    return post("broken json", f"{API}/{verb}", body, kind)


def large(rng: random.Random, _functions) -> Wire:
    """A body that is too large, or says that it is."""
    path = rng.choice((f"{API}/queue/join", f"{API}/call/watch", "/login", f"{API}/upload"))
    if rng.random() < 0.5:
        lines = ["Content-Type: application/json", f"Content-Length: {rng.choice((2**31, 2**40, 10**30))}"]
        return Wire("large", head("POST", path, lines) + b"x" * 1000, leaves=True)
    return post("large", path, b'{"data": ["' + b"x" * rng.randrange(1 << 20, 3 << 20) + b'"]}')


def address(rng: random.Random, _functions) -> Wire:
    """An address of something that is not to be had."""
    beyond = rng.choice(BEFORE) + rng.choice(UPWARDS) + rng.choice(GOALS)
    drawn = "/" + "".join(rng.choices(string.printable.replace(" ", "")[:-5] + "%%%%", k=rng.randrange(60)))
    path = rng.choice((beyond, beyond, beyond, rng.choice(ELSEWHERE), drawn, "*", "http://evil.example/"))
    return Wire("address", head(rng.choice(("GET", "GET", "POST", "HEAD")), path, ["Content-Length: 0"]))


def method(rng: random.Random, _functions) -> Wire:
    """A method that nothing here has."""
    path = rng.choice(("/", "/config", f"{API}/upload", f"{API}/queue/join", f"{API}/file=x", "/login"))
    return Wire("method", head(rng.choice(METHODS), path, ["Content-Length: 0"]))


def header(rng: random.Random, _functions) -> Wire:
    """Headers that are wrong, foreign, or too many."""
    lines = rng.sample(HEADERS, rng.randrange(1, 4)) * rng.choice((1, 1, 40))
    path = rng.choice(("/", "/config", f"{API}/info", "/theme.css", f"{API}/queue/join"))
    own = [] if any(line.startswith("Host") for line in lines) else ["Host: localhost"]
    verb = rng.choice(("GET", "POST"))
    sent = "\r\n".join((f"{verb} {path} HTTP/1.1", *own, *lines, "Connection: close", "", ""))
    return Wire("header", sent.encode("latin-1"), leaves=True)


def form(rng: random.Random, _functions) -> Wire:
    """An upload of too many, too large, nameless or broken parts."""
    edge, count = "edge" * rng.choice((1, 1, 1, 40)), rng.choice((1, 2, 21, 80, 1000))
    name = rng.choice(("a.png", "../../a.png", "..", ".", "", "a" * 4000, "\x00", "\ud800", "con", "a/b\\c", "a.html"))
    field = rng.choice(("files", "files", "files", "other", ""))
    part = f'--{edge}\r\nContent-Disposition: form-data; name="{field}"'
    part += rng.choice((f'; filename="{name}"', f'; filename="{name}"', "", "; filename*=x''y"))
    part = (
        (part + "\r\n\r\n").encode("utf-8", "surrogatepass")
        + b"x" * rng.choice((0, 10, 3000, 250_000 // count))
        + b"\r\n"
    )
    body = part * count + rng.choice((f"--{edge}--\r\n".encode(), b"", b"--"))
    kind = rng.choice(
        ("multipart/form-data; boundary={}", "multipart/form-data", "multipart/form-data; charset=x; boundary={}")
    )
    query = rng.choice(("", "", "?upload_id=x", "?upload_id=" + "y" * 3000))
    whole = post("form", f"{API}/upload{query}", body, kind.format(edge))
    return Wire("form", whole.sent[: len(whole.sent) - len(body) // 2], leaves=True) if rng.random() < 0.2 else whole


def session(rng: random.Random, _functions) -> Wire:
    """Somebody else's session, event or upload, as if one knew it."""
    guess = rng.choice((word(rng), "x" * 500, "%00", "../x"))
    path = rng.choice(
        (
            *(f"{API}/queue/data?session_hash={guess}", f"{API}/call/watch/{guess}", f"{API}/heartbeat/{guess}"),
            *(f"{API}/call/v2/watch/{guess}", f"{API}/queue/data", f"{API}/stream/{guess}/1/2/playlist.m3u8"),
        )
    )
    if rng.random() < 0.3:
        body = {"session_hash": guess, "event_id": odd(rng), "fn_index": odd(rng)}
        return post("session", f"{API}/{rng.choice(('cancel', 'reset'))}", json.dumps(body).encode())
    return Wire("session", head("GET", path, []), leaves=True)


def upgrade(rng: random.Random, _functions) -> Wire:
    """A websocket, whole or not; there are none here."""
    lines = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    path = rng.choice((f"{API}/queue/join", "/", f"{API}/heartbeat/x"))
    kept = lines[: rng.randrange(2, 5)]
    sent = "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *kept, "", "")).encode()
    return Wire("upgrade", sent, leaves=True)


def noise(rng: random.Random, _functions) -> Wire:
    """Bytes that are no HTTP, or HTTP with some of them changed."""
    sent = bytearray(head("GET", "/config", ["Accept: */*"]))
    for _ in range(rng.randrange(1, 20)):
        sent[rng.randrange(len(sent))] = rng.randrange(256)
    return Wire(
        "noise", rng.choice((bytes(sent), rng.randbytes(300), b"\x16\x03\x01\x02\x00\x01\x00", b"\r\n" * 500)), True
    )


def halves(rng: random.Random, _functions) -> Wire:
    """A request that stands still in its middle."""
    path = rng.choice((f"{API}/queue/join", f"{API}/upload", "/login"))
    lines = ["Content-Type: multipart/form-data; boundary=edge", "Content-Length: 5000"]
    whole = (
        head("POST", path, lines)
        + b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nxx'
    )
    return Wire("halves", whole[: rng.randrange(10, len(whole))], leaves=True, stalls=rng.random() < 0.05)


def odd(rng: random.Random, depth: int = 0):
    """A value of JSON that is seldom the right one."""
    file = {
        "path": rng.choice(("/etc/passwd", "/", "", "http://127.0.0.1:9/x", "\x00", "a" * 5000)),
        "meta": {"_type": "gradio.FileData"},
    }
    plain = (
        None,
        True,
        -1,
        0,
        7,
        1e300,
        -(10**40),
        0.5,
        "",
        "x",
        "\x00",
        "\ud800",
        "x" * 2000,
        word(rng),
        file,
        [file],
    )
    if depth > 2 or rng.random() < 0.7:
        return rng.choice(plain)
    inner = [odd(rng, depth + 1) for _ in range(rng.randrange(4))]
    return rng.choice((inner, {word(rng): value for value in inner}, [{"image": file, "caption": inner}]))


def word(rng: random.Random) -> str:
    """Letters and digits as a session or a job has them."""
    return "".join(rng.choices(string.ascii_letters + string.digits, k=rng.choice((11, 22))))


def head(verb: str, path: str, lines: Sequence[str]) -> bytes:
    """The head of a request to this machine."""
    written = "\r\n".join((f"{verb} {path} HTTP/1.1", "Host: localhost", "Connection: close", *lines, "", ""))
    return written.encode("utf-8", "surrogatepass")


def post(kind: str, path: str, body: bytes, content: str = "application/json") -> Wire:
    """A POST, with its length or in chunks."""
    return Wire(kind, head("POST", path, [f"Content-Type: {content}", f"Content-Length: {len(body)}"]) + body)
