"""The browser that tests look with; IDTO3D_SHOTS names a folder for pictures, IDTO3D_SCHEME the theme."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SHOTS = os.environ.get("IDTO3D_SHOTS")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
PATIENCE = 180_000  # milliseconds


@contextmanager
def a_tab():
    """A tab of a desktop's size. Tests name it after their page, which takes seconds to close while a tab shows it."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        scheme = os.environ.get("IDTO3D_SCHEME", "light")
        tab = browser.new_page(viewport={"width": 1440, "height": 1000}, color_scheme=scheme)
        tab.set_default_timeout(PATIENCE)
        yield tab
        browser.close()


def shoot(tab, name):
    """A picture of the whole page, where one is wanted."""
    if SHOTS:
        tab.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
