"""The viewer as a component of the page. All that it needs comes with it: nothing has to be added to the page's head.

Mounting: `viewer = viewer_component()` where it is to stand; then set its value, as an output of any event:

    {"head": URL, "name": str, "lights": {name: URL} or "…/{name}…", "picture": data URL, "caption": str,
     "other": URL, "other_name": str, "compare": "" | "split" | "side", "light": name, "uploads": bool, "over": bool}

* head: where a file of `export.viewer.payload.payload_bytes` is served; "" while there is none. Then `picture` is shown
  (a live preview, an example) with its `caption`, or the empty state where that is "" as well. A new URL is a new head:
  view, face and light stay. Pass URLs, never data: values are compared whole whenever they change.
* lights: where files of `export.viewer.lights.light_bytes` are served; in a pattern, `{name}` stands for the name of
  one of assets/hdri. A name that is new in a mapping is chosen at once, as a visitor's own light is.
* over: what is given lies over the value before: a picture of a change that is made, without "head", over the head that
  is there, or a head under the picture that is there. Who moves the head then sees the picture in its corner.
* uploads: whether to offer "Your own .hdr or .exr"; see "light" below.
* other: a second head, with the same camera and face, compared by a line or side by side.
* light: the name of a light to be chosen, once whenever it changes.

It requests the URLs above and nothing else. It triggers, each with a dict as `gr.EventData`'s `_data`:

* "view": where the browser has no WebGL2, the view that it wants as a picture: mode, light, light_rotation_deg,
  azimuth_deg, elevation_deg, expressions {name: weight}, size. The page answers by setting `picture`.
* "mask": what the visitor painted: png (data URL, 512 x 512, white where the head may change; the standard camera
  at the neutral face), azimuth_deg, elevation_deg. Take it as untrusted as any upload.
* "sketch": what the visitor drew: png (data URL, 1024 x 1024, clear where nothing is), azimuth_deg, elevation_deg, and
  the space it lies on: view, as a mask, or uv, the skin's texture. Likewise.
* "compare": how, as the value's `compare`, when the visitor chose another way in the viewer.
* "light": path and name of an uploaded .hdr or .exr. The page answers with a longer `lights`.
"""

import base64
from functools import lru_cache
from pathlib import Path

import gradio as gr

from idto3d.config import HDRI

HERE = Path(__file__).parent
DRAWS = ("math", "payload", "morph", "shaders", "gpu", "renderer")
SHOWS = ("page", "state", "panel", "stage", "brush", "lamps", "film", "frame", "pace", "viewer")
SPRITE = HERE / "lights.jpg"
COLUMNS = 10  # of the sprite
EMPTY = {"head": "", "name": "", "lights": "", "picture": "", "caption": ""}
EVENTS = ("view", "mask", "sketch", "light", "compare")
TEMPLATE = '<div class="idv-root"></div>'  # constant: what changes it would take away what the viewer put there
ON_LOAD = f"""
const events = {list(EVENTS)};
const told = (event, data) => events.includes(event) && trigger(event, data);
window.idto3dViewer.mount(element, {{ props, trigger: told, upload, watch }});
"""


def viewer_component(elem_id: str = "viewer", value: dict | None = None) -> gr.HTML:
    """The viewer; to be called while the Blocks are being built."""
    return gr.HTML(
        value=value or EMPTY,
        html_template=TEMPLATE,
        js_on_load=ON_LOAD,
        head=viewer_head(),
        apply_default_css=False,
        elem_id=elem_id,
    )


@lru_cache(maxsize=1)
def viewer_head() -> str:
    """Script and style of the viewer, with the thumbnails of our lights: HTML for the head of a page."""
    return f"<style>{viewer_style()}</style><script>{viewer_script()}</script>"


def viewer_script() -> str:
    """All scripts as one, in a scope of its own."""
    names = [path.stem for path in sorted(HDRI.glob("*.hdr"))]
    constants = f"const LIGHT_NAMES = {names};\nconst LIGHT_COLUMNS = {COLUMNS};\n"
    return f'(() => {{\n"use strict";\n{constants}{"".join(_text(f"{name}.js") for name in DRAWS + SHOWS)}}})();'


def viewer_style() -> str:
    """The style sheet; all rules are below the root, twice, as a page's own rules for buttons may count more."""
    picture = base64.b64encode(SPRITE.read_bytes()).decode()
    facts = f'--idv-lights: url("data:image/jpeg;base64,{picture}"); --idv-columns: {COLUMNS};'
    return f":root {{ {facts} }}\n.idv-root.idv-root {{\n{_text('viewer.css')}}}\n"


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
