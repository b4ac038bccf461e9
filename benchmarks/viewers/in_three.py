"""A head in three.js: one directional light, no shadows, in a headless Chromium that draws on the processor."""

import base64
import io
import mimetypes
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

from benchmarks.viewers.shots import FINER, Shot, Shown

FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
ADDRESS = "http://viewer.invalid"  # never asked: every request is answered here
PATIENCE = 300_000  # milliseconds


def in_three(glb: Path, shots: Sequence[Shot], three: Path) -> tuple[str, list[Shown]] | None:
    """three.js's revision and what it shows of each shot; None where three.js or Chromium is missing.

    three: the folder of the npm package.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not (three / "build" / "three.module.js").is_file():
        return None
    with served(glb, three, chromium) as page:
        revision = page.evaluate("window.revision")
        return revision, [_shown(page, shot) for shot in shots]


@contextmanager
def served(glb: Path, three: Path, chromium: str, page_name: str = "page.html") -> Iterator[Page]:
    """One of our pages, open in Chromium with a head and three.js beside it."""
    folder = Path(__file__).parent

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS + "/")
        inside = three / name.removeprefix("three/")
        file = {"": folder / page_name, "head.glb": glb}.get(name, inside)
        if file.is_file():
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            route.fulfill(body=file.read_bytes(), content_type=kind)
        else:
            route.fulfill(status=404)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.route("**/*", answer)
        page.goto(ADDRESS + "/")
        page.wait_for_function("window.revision !== undefined")
        yield page
        browser.close()


def _shown(page: Page, shot: Shot) -> Shown:
    lit, plain, cover = (_picture(page, shot, mode) for mode in ("lit", "plain", "cover"))
    return Shown(plain.round().astype(np.uint8), 1 - cover[..., 0] / 255, lit.round().astype(np.uint8))


def _picture(page: Page, shot: Shot, mode: str) -> np.ndarray:
    """[S, S, 3] 0..255: the page's picture, drawn larger and averaged like ours."""
    url = page.evaluate("([shot, mode]) => window.shoot(shot, mode)", [shot.told(), mode])
    large = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"), np.float64)
    return large.reshape(shot.size, FINER, shot.size, FINER, 3).mean((1, 3))
