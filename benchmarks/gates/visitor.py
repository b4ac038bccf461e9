"""A page in a process of its own, and the requests of a visitor who keeps to what is offered."""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idto3d.config import ROOT

API = "/gradio_api"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c6360606000000004000127340a0a0000000049454e44ae426082"
)
START_SECONDS, ANSWER_SECONDS = 120.0, 30.0


@dataclass(frozen=True)
class Page:
    """A served page: its port, its process and the file that holds what it printed."""

    port: int
    process: subprocess.Popen
    log: Path

    def get(self, path: str) -> bytes:
        """What lies at `path`. Raises OSError where it is refused."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=ANSWER_SECONDS) as answer:
            return answer.read()

    def post(self, path: str, body: bytes, kind: str = "application/json"):
        """The JSON that answers `body`. Raises OSError where it is refused."""
        address = f"http://127.0.0.1:{self.port}{API}{path}"
        request = urllib.request.Request(address, body, {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            return json.loads(answer.read())

    def call(self, name: str, *values):
        """What a function of the API gives for `values`. Raises RuntimeError where it refuses."""
        event = self.post(f"/call/{name}", json.dumps({"data": values}).encode())["event_id"]
        said = self.get(f"{API}/call/{name}/{event}").decode()
        found = re.search(r"event: complete\ndata: (.*)", said)
        if not found:
            raise RuntimeError(said[-300:])
        return json.loads(found[1])

    def upload(self, content: bytes, name: str = "person.png") -> str:
        """Upload one file; returns its path on the server."""
        head = f'--edge\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + b"\r\n--edge--\r\n"
        return self.post("/upload", body, "multipart/form-data; boundary=edge")[0]

    def make_head(self) -> str:
        """Make a head from an upload, watch it, look at it and delete it; returns its last status."""
        file = {"path": self.upload(PNG), "meta": {"_type": "gradio.FileData"}}
        job_id = self.call("generate", [file], True, "young", "", "draft", "3", 5)[0]
        status, deadline = "queued", time.monotonic() + START_SECONDS
        while status in ("queued", "running") and time.monotonic() < deadline:
            time.sleep(0.2)
            status = self.call("watch", job_id)[0]["status"]
        if status == "done":
            self.call("render", job_id, "clay", "", 0, 0, 0, 64, {})
        self.call("delete", job_id)
        return status

    def used(self) -> tuple[float, int]:
        """Resident memory in MB, and how many files are open."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        memory = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1000
        return memory, len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextmanager
def page(folder: Path) -> Iterator[Page]:
    """The page of toy_page.py over runs in `folder`. Raises RuntimeError when it does not start."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "server.log"
    command = [sys.executable, "-m", "benchmarks.gates.toy_page", "--port", str(port), "--runs", str(folder / "runs")]
    with open(log, "wb") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process:
        served = Page(port, process, log)
        try:
            _wait(served)
            yield served
        finally:
            process.terminate()
            process.wait(30)


def _wait(served: Page) -> None:
    deadline = time.monotonic() + START_SECONDS
    while served.process.poll() is None and time.monotonic() < deadline:
        try:
            served.get("/config")
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the page did not start: {served.log.read_text()[-500:]}")
