"""A stand-in for the Hub on 127.0.0.1: repositories held in memory, every request noted, and faults on demand."""

import base64
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

LARGE = (".safetensors", ".bin")
SLOW_SECONDS, SLOW_PIECES = 1.0, 40


@dataclass
class Repo:
    """One repository: the files of its newest commit, and those of all commits.

    `truncated` and `altered` name files that arrive other than announced, `slow` those that take a second.
    """

    files: dict[str, bytes]
    commit: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: bool = False
    truncated: set[str] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)
    slow: set[str] = field(default_factory=set)

    def named(self, revision: str) -> str | None:
        """The commit that is meant by main, by nothing, or by a commit's own name; None for another."""
        return self.commit if revision in ("", "main") else revision if revision in self.commits else None


class FakeHub:
    """The server's state: repositories by name, and the requests so far as `METHOD path`."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[str] = []
        self.forbidden = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, name: str, files: dict[str, bytes]) -> Repo:
        """A repository with `files`, or a further commit of one; the commit's name follows from them."""
        digest = hashlib.sha1(name.encode())
        for path in sorted(files):
            digest.update(path.encode() + files[path])
        commit = digest.hexdigest()
        earlier = self.repos[name].commits if name in self.repos else {}
        self.repos[name] = Repo(dict(files), commit, earlier | {commit: dict(files)})
        return self.repos[name]


def etag(path: str, content: bytes) -> str:
    """Large files are known by their SHA-256, small ones by git's hash."""
    return hashlib.sha256(content).hexdigest() if path.endswith(LARGE) else git_hash(content)


def git_hash(content: bytes) -> str:
    """The hash by which git knows a file."""
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


def _handler(hub: FakeHub) -> type:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self._answer()

        def do_GET(self):
            self._answer()

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path).path
            hub.requests.append(f"POST {path}")
            if hub.forbidden:
                return self._refuse(403, "Forbidden")
            if path == "/api/repos/create":
                asked = json.loads(body)
                name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
                hub.repos.setdefault(name, Repo({}, "0" * 40))
                return self._json({"url": f"{hub.url}/{name}"})
            if path == "/api/validate-yaml":
                return self._json({"errors": [], "warnings": []})
            name, _, verb = path.removeprefix("/api/models/").rpartition("/")[0].rpartition("/")
            if verb == "preupload":
                paths = [file["path"] for file in json.loads(body)["files"]]
                return self._json(
                    {"files": [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]}
                )
            return self._commit(name, body)

        def _commit(self, name, body):
            lines = [json.loads(line) for line in body.splitlines() if line.strip()]
            added = {
                line["value"]["path"]: base64.b64decode(line["value"]["content"])
                for line in lines
                if line["key"] == "file"
            }
            repo = hub.add(name, hub.repos[name].files | added)
            return self._json(
                {"success": True, "commitOid": repo.commit, "commitUrl": f"{hub.url}/{name}/commit/{repo.commit}"}
            )

        def _answer(self):
            path = unquote(urlsplit(self.path).path)
            hub.requests.append(f"{self.command} {path}")
            if path.startswith("/api/models/"):
                return self._about(path.removeprefix("/api/models/"))
            name, _, rest = path.lstrip("/").partition("/resolve/")
            revision, _, file = rest.partition("/")
            return self._file(name, revision, file)

        def _about(self, rest):
            name = "/".join(rest.split("/")[:2])
            repo = hub.repos.get(name)
            if repo is None:
                return self._refuse(404, "RepoNotFound")
            verb, _, revision = rest.removeprefix(name).strip("/").partition("/")
            commit = repo.named(revision)
            if commit is None:
                return self._refuse(404, "RevisionNotFound")
            files = repo.commits.get(commit, {})
            if verb == "tree":
                return self._json([_entry(path, content) for path, content in files.items()])
            return self._json({"id": name, "sha": commit, "siblings": [{"rfilename": path} for path in files]})

        def _file(self, name, revision, file):
            repo = hub.repos.get(name)
            if repo is None:
                return self._refuse(404, "RepoNotFound")
            if repo.gated:
                return self._refuse(403, "GatedRepo")
            commit = repo.named(revision)
            if commit is None:
                return self._refuse(404, "RevisionNotFound")
            if file not in repo.commits[commit]:
                return self._refuse(404, "EntryNotFound")
            content = repo.commits[commit][file]
            self.send_response(200)
            self.send_header("ETag", f'"{etag(file, content)}"')
            self.send_header("X-Repo-Commit", commit)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                if file in repo.altered:
                    content = bytes(byte ^ 1 for byte in content)
                self._send(content[: len(content) // 2] if file in repo.truncated else content, file in repo.slow)
                self.close_connection = True

        def _send(self, content, slowly):
            size = max(1, len(content) // SLOW_PIECES) if slowly else len(content) or 1
            for start in range(0, len(content), size):
                try:
                    self.wfile.write(content[start : start + size])
                except OSError:
                    return  # who asked has gone
                time.sleep(SLOW_SECONDS / SLOW_PIECES if slowly else 0)

        def _json(self, data):
            body = json.dumps(data).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _refuse(self, status, code):
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


def _entry(path: str, content: bytes) -> dict:
    entry = {"type": "file", "path": path, "size": len(content), "oid": git_hash(content)}
    if path.endswith(LARGE):
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return entry
