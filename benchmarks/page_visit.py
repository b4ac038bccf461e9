"""Visits the page with the real pipeline as a stranger would, times it and keeps pictures of it.

    python -m benchmarks.page_visit photo.png --shots FOLDER [--prompt WORDS]

Starts app.py, waits until the page answers, uploads the photo, presses Generate, and takes pictures while the shape
grows, while it is painted, and when the head is there. Needs playwright and a Chromium. Prints JSON.
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


def visit(tab: Page, address: str, told) -> dict[str, float]:
    """One head from an empty page; seconds until each thing could be seen."""
    tab.set_default_timeout(PATIENCE)
    tab.goto(address)
    tab.wait_for_selector(".status.idle")
    tab.screenshot(path=told.shots / "empty.png", full_page=True)
    tab.set_input_files("#photos input[type=file]", [str(told.photo)])
    tab.wait_for_selector("#photos img")
    tab.check("#consent input")
    tab.fill("#prompt textarea", told.prompt)
    tab.click("#generate")
    begun, seen = time.monotonic(), {}
    waits = (
        ("first_normals", ".pane img[alt=Normals]", ""),
        ("half_shape", "text=step 8", "shape.png"),
        ("first_relit", ".pane img[alt=Relit]", ""),
        ("half_skin", "text=step 8", "skin.png"),
        ("done", ".status.done", ""),
    )
    for name, selector, picture in waits:
        tab.wait_for_selector(selector)
        seen[name] = round(time.monotonic() - begun, 1)
        if picture:
            tab.screenshot(path=told.shots / picture, full_page=True)
    tab.wait_for_selector("#picture img")
    slider = tab.locator("#faces input[type=range]:visible").first
    before = tab.get_attribute("#picture img", "src")
    begun = time.monotonic()
    slider.fill("0.8")
    tab.wait_for_function("before => document.querySelector('#picture img')?.src !== before", arg=before)
    seen["slider"] = round(time.monotonic() - begun, 2)
    tab.wait_for_timeout(3000)
    tab.screenshot(path=told.shots / "page.png", full_page=True)
    return seen


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--shots", type=Path, required=True)
    parser.add_argument("--prompt", default="")
    told = parser.parse_args()
    told.shots.mkdir(parents=True, exist_ok=True)
    port, chromium = free_port(), shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = subprocess.Popen([sys.executable, "app.py", "--port", str(port), "--runs", f"{folder}/runs"], cwd=ROOT)
        try:
            address = f"http://127.0.0.1:{port}"
            opened = seconds_to_open(address, server)
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            tab = browser.new_page(viewport={"width": 1440, "height": 1000})
            seen = visit(tab, address, told)
            browser.close()
        finally:
            server.terminate()
            server.wait(60)
    print(json.dumps({"seconds": {"page_opens": round(opened, 1)} | seen}, indent=1))


if __name__ == "__main__":
    main()
