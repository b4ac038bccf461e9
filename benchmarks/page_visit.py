"""Visits the page with the real pipeline as a stranger would, times it and keeps pictures of it.

    python -m benchmarks.page_visit [photo.png ...] --shots FOLDER [--prompt WORDS] [--edit WORDS]

Starts app.py, waits until the page answers, uploads the photos, presses Generate, and takes pictures while the shape
grows, while it is painted, when the head is there, and when it was edited. Needs playwright and a Chromium. Prints
JSON, in seconds: until the page opens, until each of these is seen, and how long moves of sliders take to be drawn, the
first of them by itself. The picture of the page in docs/ is page.png of a head of words alone.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
PATIENCE = 1_200_000  # milliseconds for the whole head


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def seconds_to_open(address: str, server: subprocess.Popen) -> float:
    """Wait for the page's first answer."""
    begun = time.monotonic()
    while server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).read()
            return time.monotonic() - begun
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"app.py ended with {server.returncode}")


# The head is drawn, and what does not move is held.
READY = """() => [...document.querySelectorAll("*")].some(({ idto3dViewer: viewer }) =>
  viewer && viewer.drawable() && viewer.preview.hidden && viewer.placed === viewer.value.head
  && (viewer.pace.slow ? viewer.renderer.holds : viewer.pace.measured > 1))"""
MOVE = """async (title) => {
  const slider = document.querySelector(`.idv-slider input[title="${title}"]`);
  const begun = performance.now();
  slider.value = 0.8;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))));
  document.querySelector(".idv-canvas").getContext("webgl2").readPixels(0, 0, 1, 1, 6408, 5121, new Uint8Array(4));
  return performance.now() - begun;
}"""  # until the picture is drawn, which reading a pixel waits for
FIRST, *LATER = SLIDERS = ("smile", "eyes closed", "brow raised", "anger", "grin")


def visit(tab: Page, address: str, told) -> dict[str, float]:
    """One head from an empty page, and an edit of it; seconds until each thing could be seen."""
    tab.set_default_timeout(PATIENCE)
    tab.goto(address)
    tab.wait_for_selector(".status.idle")
    tab.screenshot(path=told.shots / "empty.png", full_page=True)
    if told.photos:
        tab.set_input_files("#photos input[type=file]", list(map(str, told.photos)))
        tab.check("#consent input")
        tab.wait_for_selector(".verdicts .waiting", state="detached")
    tab.fill("#prompt textarea", told.prompt)
    tab.click("#generate")
    waits = {"first_shape": "text=Its shape", "first_relit": "text=Lit as in", "done": ".status.done"}
    seen = _awaited(tab, waits, told.shots)
    tab.wait_for_function(READY)
    moves = {}
    for title in SLIDERS:
        moves[title] = round(tab.evaluate(MOVE, title) / 1000, 3)
        tab.wait_for_timeout(2000)
    seen |= {"slider_first": moves[FIRST], "slider_later": max(moves[title] for title in LATER)}
    if told.edit:
        tab.fill("#edit_prompt input, #edit_prompt textarea", told.edit)
        tab.click("#apply")
        waits = {"edit_first": ".idv-preview:visible", "edit_done": ".status.done"}
        seen |= _awaited(tab, waits, told.shots)
    tab.wait_for_function(READY)
    tab.wait_for_timeout(1000)
    tab.screenshot(path=told.shots / "page.png", full_page=True)
    return seen


def _awaited(tab: Page, waits: dict[str, str], shots: Path) -> dict[str, float]:
    """Seconds until what each selector finds is there, one after the other, each kept as a picture."""
    begun, seen = time.monotonic(), {}
    tab.wait_for_selector(".status.running, .status.queued")
    for name, selector in waits.items():
        tab.wait_for_selector(selector)
        seen[name] = round(time.monotonic() - begun, 1)
        tab.screenshot(path=shots / f"{name}.png", full_page=True)
    return seen


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="*")
    parser.add_argument("--shots", type=Path, required=True)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--edit", default="")
    told = parser.parse_args()
    told.shots.mkdir(parents=True, exist_ok=True)
    port, chromium = free_port(), shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = subprocess.Popen([sys.executable, "app.py", "--port", str(port), "--runs", f"{folder}/runs"], cwd=ROOT)
        try:
            address = f"http://127.0.0.1:{port}"
            opened = seconds_to_open(address, server)
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            seen = visit(tab, address, told)
            browser.close()
        finally:
            server.terminate()
            server.wait(60)
    print(json.dumps({"seconds": {"page_opens": round(opened, 1)} | seen}, indent=1))


if __name__ == "__main__":
    main()
