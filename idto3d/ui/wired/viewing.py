"""What the viewer is given: the head when it is there, pictures where it cannot draw by itself, lights of a visitor."""

import base64
import logging
from collections.abc import Callable, Mapping

import gradio as gr

from idto3d.config import RenderOptions
from idto3d.errors import UserError
from idto3d.jobs.clerk.office import Superseded
from idto3d.ui import lanes, views
from idto3d.ui.actions import Actions, view_of
from idto3d.ui.cards.pictures import standing
from idto3d.ui.columns.change import COMPARE
from idto3d.ui.heads.painted import MASK, PNG, SKETCH, Painted, painted
from idto3d.ui.heads.thumbs import cut_out, webp_url
from idto3d.ui.page import Page
from idto3d.ui.visitor import visitor_of
from idto3d.ui.wired.frame import HIDDEN, arrived_job, is_changing, is_drawn

BROKEN = UserError("The head could not be drawn.", "Try another view; the server's log says more.")
VIEW_SIZE = 512
WAYS = [way for _, way in COMPARE]
VIEW = ("mode", "light", "light_rotation_deg", "azimuth_deg", "elevation_deg", "expressions")
LOOK_DOWN = """() => setTimeout(() => {
  const edit = document.querySelector("#edit"), used = document.querySelector("#unmask");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (edit && used && used.offsetParent) edit.scrollIntoView({ behavior: calm ? "instant" : "smooth" });
}, 100)"""  # where it is said what becomes of what was painted, and where the change is asked for
PAINTED = "<p>Only what you painted will change.</p>"
DRAWN = "Your drawing is laid on the skin with the next change. Say what it is, as in “a tattoo”, or leave it at that."

log = logging.getLogger(__name__)


def wire_viewing(page: Page, does: Actions) -> None:
    """Connect the viewer and the downloads."""
    _wire_arrival(page, does)
    _wire_comparing(page, does)
    _wire_pictures(page, does)
    _wire_mask(page)
    _wire_light(page, does)


def said(event: gr.EventData) -> Mapping:
    """What a browser told with an event; anything may come from there."""
    return event._data if isinstance(event._data, Mapping) else {}


def _wire_arrival(page: Page, does: Actions) -> None:
    stage, take, memory = page.stage, page.take, page.memory

    def arrive(arrived, lights, other, compare):
        view = does.look(arrived_job(arrived))
        if view is None or not does.has_head(view):  # of a head that was there before something may come late
            return [standing(view), gr.skip()]
        on_stage = does.on_stage(view.id, lights, other, compare)
        if view.active:  # what is shown of its change stays
            kept = {name: value for name, value in on_stage.items() if name not in ("picture", "caption")}
            return [kept | {"over": True}, gr.skip()]
        does.desk.warm("" if is_drawn(view) else view.id)  # whoever looks at a head may change it
        return [on_stage, str(does.file(view.id))]

    def pack(arrived):
        view = does.look(arrived_job(arrived))
        return str(does.file(view.id, whole=True)) if view is not None and view.glb else gr.skip()

    given = [memory.arrived, memory.lights, memory.other, page.history.compare]
    memory.arrived.change(arrive, given, [stage.viewer, take.glb], **HIDDEN, **lanes.HAND_OUT)
    memory.packed.change(pack, memory.arrived, take.archive, **HIDDEN, **lanes.HAND_OUT)


def _wire_comparing(page: Page, does: Actions) -> None:
    stage, memory, way = page.stage, page.memory, page.history.compare

    def compare(arrived, lights, other, how):
        view = does.look(arrived_job(arrived))
        return does.on_stage(view.id, lights, other, how) if view is not None and view.glb else gr.skip()

    def chosen(event: gr.EventData):
        how = said(event).get("how")
        return how if how in WAYS else gr.skip()

    given = [memory.arrived, memory.lights, memory.other, way]
    gr.on([memory.other.change, way.input], compare, given, stage.viewer, **HIDDEN, **lanes.HAND_OUT)
    stage.viewer.compare(chosen, None, way, **HIDDEN, **lanes.STEER)


def _wire_pictures(page: Page, does: Actions) -> None:
    stage, memory = page.stage, page.memory

    def draw(arrived, shown, sender: gr.Request, event: gr.EventData):
        job_id, asked = arrived_job(arrived), said(event)
        if not job_id or is_changing(arrived) or not isinstance(shown, Mapping):
            return [gr.skip(), gr.skip()]
        usual = RenderOptions()
        view = {name: asked.get(name, getattr(usual, name)) for name in VIEW} | {"size": VIEW_SIZE}
        try:
            image = does.draw(job_id, view_of(view), visitor_of(sender), live=True)
        except Superseded:
            return [gr.skip(), gr.skip()]
        except UserError as error:
            return [gr.skip(), views.refusal(error)]
        except Exception:
            log.exception("drawing failed")
            return [gr.skip(), views.refusal(BROKEN)]
        return [{**shown, "picture": webp_url(cut_out(image), VIEW_SIZE)}, ""]

    told = [stage.viewer, page.edit.message]
    looks = {**HIDDEN, "trigger_mode": "always_last", **lanes.DRAW}
    stage.viewer.view(draw, [memory.arrived, stage.viewer], told, **looks)


def _wire_mask(page: Page) -> None:
    edit, memory = page.edit, page.memory

    def paint(kind: str, text: Callable[[Painted], str]):
        def take(event: gr.EventData):
            try:
                mask = painted(said(event), kind)
            except UserError as error:
                return [None, gr.skip(), gr.skip(), gr.update(visible=False), views.refusal(error)]
            return [mask, text(mask), gr.update(open=True), gr.update(visible=True), ""]

        return take

    told = [memory.mask, edit.mask, edit.limits, edit.unmask, edit.message]
    viewer, quiet = page.stage.viewer, HIDDEN | lanes.STEER
    masked = viewer.mask(paint(MASK, lambda _mask: PAINTED), None, told, **quiet)
    sketched = viewer.sketch(paint(SKETCH, lambda mask: drawn(mask.png)), None, told, **quiet)
    for used in (masked, sketched):
        used.then(None, js=LOOK_DOWN, **HIDDEN)


def drawn(png: bytes) -> str:
    """What is said of a drawing, which is shown."""
    picture = f'<img alt="Your drawing" src="{PNG}{base64.b64encode(png).decode()}">'
    return f'<p class="drawn">{picture}<span>{DRAWN}</span></p>'


def _wire_light(page: Page, does: Actions) -> None:
    stage, memory = page.stage, page.memory

    def light(arrived, lights, shown, sender: gr.Request, event: gr.EventData):
        job_id, upload = arrived_job(arrived), said(event)
        if not job_id or not isinstance(shown, Mapping):
            return [gr.skip()] * 3
        try:
            lights = does.own_light(job_id, lights, upload.get("path"), upload.get("name"), visitor_of(sender))
        except UserError as error:
            return [gr.skip(), gr.skip(), views.refusal(error)]
        return [lights, {**shown, "lights": does.stage.lights(lights)}, ""]

    given, told = [memory.arrived, memory.lights, stage.viewer], [memory.lights, stage.viewer, page.edit.message]
    stage.viewer.light(light, given, told, **HIDDEN, **lanes.DRAW)
