"""A small head, a page of the viewer alone, and a browser to look at it."""

import functools
import http.server
import shutil
import threading

import numpy as np
import pytest

from idto3d.config import HDRI
from idto3d.export.gltf.load import Asset
from idto3d.export.gltf.mesh import HeadMesh, PartMesh
from idto3d.export.gltf.tangents import vertex_tangents
from idto3d.export.surface import smooth_normals
from idto3d.export.textures import Textures
from idto3d.export.viewer.lights import light_bytes
from idto3d.export.viewer.payload import payload_bytes
from idto3d.render.environment import load_environment

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
LIGHTS = ("studio_three_point", "night_neon_pink_cyan", "light_left")
NAMES = ("mouth stretch", "smile", "jawOpen", "eyeLookUpLeft")
SIDE = 64


def ball(rows=24, columns=40):
    """Positions on a unit ball [V, 3], uvs [V, 2] and faces [F, 3], open along a seam at the back."""
    v, u = np.meshgrid(np.linspace(0.02, 0.98, rows), np.linspace(0, 1, columns), indexing="ij")
    around, down = (u - 0.5).ravel() * 2 * np.pi, v.ravel() * np.pi
    places = np.stack([np.sin(down) * np.sin(around), np.cos(down), np.sin(down) * np.cos(around)], 1)
    start = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
    faces = np.concatenate([start + [0, columns, 1], start + [1, columns, columns + 1]])
    return places, np.stack([u.ravel(), v.ravel()], 1), faces


def part(name, material, places, uvs, faces, moves=(), pivot=(0.0, 0.0, 0.0)):
    normals, pivot = smooth_normals(places, faces), np.array(pivot)
    moved = np.zeros((len(NAMES), *places.shape))
    bent = np.zeros_like(moved)
    for number, move in enumerate(moves):
        moved[number] = move
        bent[number] = smooth_normals(places + move, faces) - normals
    tangents = vertex_tangents(places, normals, uvs, faces)
    return PartMesh(name, material, places - pivot, normals, tangents, uvs, faces, moved, bent, pivot)


def grain(*colour, seed=0):
    """A soft pattern about a colour, [S, S, C] uint8."""
    random = np.random.default_rng(seed)
    soft = np.kron(random.normal(0, 12, (SIDE // 8, SIDE // 8, len(colour))), np.ones((8, 8, 1)))
    return np.clip(np.array(colour) + soft, 0, 255).astype(np.uint8)


def gloss(level):
    return np.broadcast_to(np.array([255, level, 0], np.uint8), (SIDE, SIDE, 3)).copy()


def small_head(colour=(200, 120, 90)) -> Asset:
    """Skin with relief, an eye with a pivot, and a sheet of hair with holes."""
    places, uvs, faces = ball()
    egg = places * [0.075, 0.12, 0.095]
    chin = np.exp(-(((egg - [0, -0.08, 0.06]) / 0.03) ** 2).sum(1))[:, None]
    moves = [chin * [0, -0.02, 0], chin * [0, 0, 0.01], chin * [0, -0.015, 0.004], 0.2 * chin]
    eye, eye_uvs, eye_faces = ball(12, 20)
    u, v = np.meshgrid(np.linspace(0, 1, 4), np.linspace(0, 1, 6))
    sheet = np.stack([0.12 * u.ravel() - 0.06, 0.13 - 0.07 * v.ravel(), np.full(u.size, 0.1)], 1)
    start = (np.arange(5)[:, None] * 4 + np.arange(3)).reshape(-1, 1)
    cards = np.concatenate([start + [0, 4, 1], start + [1, 4, 5]])
    middle = (0.03, 0.03, 0.085)
    parts = (
        part("skin", "skin", egg, uvs, faces, moves),
        part("eye_left", "eyes", eye * 0.016 + middle, eye_uvs, eye_faces, pivot=middle),
        part("hair", "hair", sheet, np.stack([u.ravel(), v.ravel()], 1), cards),
    )
    hair = np.concatenate([grain(60, 40, 20), np.full((SIDE, SIDE, 1), 255, np.uint8)], -1)
    hair[:, SIDE // 4 :: 16, 3] = hair[:, SIDE // 4 + 1 :: 16, 3] = 0
    relief = grain(128, 128, 240, seed=2)
    skin = Textures(grain(*colour), np.stack([gloss(255)[..., 0], grain(120)[..., 0], gloss(0)[..., 1]], -1), relief)
    textures = {
        "skin": skin,
        "eyes": Textures(grain(40, 60, 160), gloss(40), None),
        "hair": Textures(hair, gloss(90), None),
    }
    return Asset(HeadMesh(parts, NAMES), textures, {})


PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>viewer</title>{head}</head>
<body><div id="host"><div class="idv-root"></div></div><script>
const watchers = [];
const props = {{ value: {{ head: "", lights: "{{name}}.light", picture: "", caption: "" }} }};
window.told = [];
const io = {{
  props,
  trigger: (event, data) => told.push([event, data]),
  upload: async (file) => [{{ path: "/sent/" + file.name }}],
  watch: (name, act) => watchers.push(act),
}};
window.setValue = (some) => {{ props.value = {{ ...props.value, ...some }}; watchers.forEach((act) => act()); }};
window.again = () => (window.viewer = window.idto3dViewer.mount(document.getElementById("host"), io));
again();
</script></body></html>"""


@pytest.fixture(scope="session")
def asset() -> Asset:
    return small_head()


@pytest.fixture(scope="session")
def site(asset, tmp_path_factory):
    """The address of a page with nothing but the viewer, its heads and lights beside it."""
    from idto3d.ui.viewer.component import viewer_head

    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text(PAGE.format(head=viewer_head()))
    (folder / "a.head").write_bytes(payload_bytes(asset))
    (folder / "b.head").write_bytes(payload_bytes(small_head((90, 140, 200))))
    for name in LIGHTS:
        (folder / f"{name}.light").write_bytes(light_bytes(load_environment(HDRI / f"{name}.hdr")))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")  # Playwright's loop runs as long as it is open, and other tests want one of their own
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser, site):
    """A small tab with the viewer; what it requests is in `tab.asked`, what goes wrong in `tab.faults`."""
    context = browser.new_context(viewport={"width": 460, "height": 640})
    tab = context.new_page()
    tab.set_default_timeout(60_000)
    tab.asked, tab.faults = [], []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.on("pageerror", lambda fault: tab.faults.append(str(fault)))
    tab.goto(site)
    yield tab
    context.close()
    assert not tab.faults


@pytest.fixture
def shown(tab):
    """The tab with the small head in it."""
    tab.evaluate("setValue({ head: 'a.head', name: 'a' })")
    tab.wait_for_function("viewer.heads.head && viewer.drawn && viewer.lamps.light.name")
    return tab
