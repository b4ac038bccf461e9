"""What the widgets of the page do. The page owns no job: it hands one in, and a timer looks how it stands."""

import logging
from pathlib import Path

import gradio as gr

from idto3d.errors import UserError
from idto3d.jobs.desk import JobView
from idto3d.jobs.drawing.studio import Superseded
from idto3d.ui import actions, lanes, views
from idto3d.ui.actions import Actions, request_of, view_of
from idto3d.ui.glb import morph_names, shape_key
from idto3d.ui.page import Page
from idto3d.ui.visitor import visitor_of

REMEMBERED = 20
BROKEN = UserError("The head could not be drawn.", "Try another view; the server's log says more.")

log = logging.getLogger(__name__)


def wire(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    """Connect the widgets of `page` with what `does` can do."""
    _wire_job(page, does, blocks)
    _wire_delete(page, does)
    _wire_result(page, does)


def current(jobs) -> str:
    """The newest job id a browser remembers; it may hold anything."""
    return jobs[-1] if isinstance(jobs, list) and jobs and isinstance(jobs[-1], str) else ""


def shown(view: JobView | None, seen: tuple) -> list:
    """New values for `_live_outputs`; pictures are sent only when they changed."""
    now = _signature(view)
    same = now == tuple(seen)
    active = view is not None and view.active
    return [
        gr.skip() if same else views.panes(view),
        views.status(view),
        gr.skip() if same else views.details(view),
        gr.update(visible=not active),
        gr.update(visible=active),
        gr.update(visible=view is not None and view.resumable),
        gr.update(visible=view is not None),
        gr.Timer(active=active),
        now,
        view.id if view is not None and view.glb else "",
    ]


def _live_outputs(page: Page) -> list:
    live, controls, memory = page.live, page.controls, page.memory
    buttons = [controls.generate, controls.cancel, controls.resume, controls.delete]
    return [live.panes, live.status, live.details, *buttons, memory.timer, memory.seen, memory.arrived]


def _signature(view: JobView | None) -> tuple:
    if view is None:
        return ("nothing",)
    changed = [f"{kind}{_changed(path)}" for kind, path in sorted((view.previews or {}).items())]
    return (view.id, len(view.progress.notices), len(view.progress.photo_crops), *changed)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _wire_job(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    controls, memory = page.controls, page.memory
    live, asked = _live_outputs(page), page.inputs.asked()

    def look(jobs, seen):
        return shown(does.look(current(jobs)), seen)

    def start(values, sender: gr.Request):
        request = {name: values[widget] for name, widget in asked.items()}
        paths = [path for path, _caption in request["photos"] or ()]
        try:
            job_id = does.start(request_of(request | {"photos": paths}), visitor_of(sender))
        except UserError as error:
            return [gr.skip(), views.refusal(error), *[gr.skip()] * len(live)]
        jobs = values[memory.jobs]
        jobs = [*(jobs if isinstance(jobs, list) else ()), job_id][-REMEMBERED:]
        return [jobs, "", *shown(does.look(job_id), ())]

    def steer(verb):
        def act(jobs):
            try:
                verb(current(jobs))
            except UserError as error:
                return [views.refusal(error), *shown(does.look(current(jobs)), ())]
            return ["", *shown(does.look(current(jobs)), ())]

        return act

    hidden = {"api_visibility": "private", "show_progress": "hidden"}
    controls.generate.click(
        start, {memory.jobs, *asked.values()}, [memory.jobs, controls.message, *live], **hidden, **lanes.MAKE
    )
    for button, verb in ((controls.cancel, does.desk.cancel), (controls.resume, does.desk.resume)):
        button.click(steer(verb), [memory.jobs], [controls.message, *live], **hidden, **lanes.STEER)
    memory.timer.tick(look, [memory.jobs, memory.seen], live, **hidden, **lanes.WATCH)
    blocks.load(look, [memory.jobs, memory.seen], live, **hidden, **lanes.WATCH)
    page.inputs.dice.click(actions.any_seed, None, page.inputs.seed, **hidden)


def _wire_delete(page: Page, does: Actions) -> None:
    controls, memory = page.controls, page.memory

    def forget(jobs):  # not called delete: that name belongs to the public endpoint
        kept, error, gone = does.delete_all(
            [job for job in jobs if isinstance(job, str)] if isinstance(jobs, list) else []
        )
        message = views.refusal(error) if error else gone
        return [kept, None, False, message, gr.update(visible=False), *shown(does.look(current(kept)), ())]

    hidden = {"api_visibility": "private", "show_progress": "hidden"}
    emptied = [memory.jobs, page.inputs.photos, page.inputs.consent, controls.message, controls.confirm]
    controls.delete.click(lambda: gr.update(visible=True), None, controls.confirm, **hidden)
    controls.keep.click(lambda: gr.update(visible=False), None, controls.confirm, **hidden)
    controls.really.click(forget, [memory.jobs], [*emptied, *_live_outputs(page)], **hidden, **lanes.STEER)


def _wire_result(page: Page, does: Actions) -> None:
    result, memory, view_widgets = page.result, page.memory, page.result.view()
    sliders = list(result.weights.values())

    def arrive(job_id):
        view = does.look(job_id)
        if view is None or view.glb is None:
            return [gr.update(visible=False), None, None, gr.skip(), *[gr.skip()] * len(sliders)]
        glb, archive = does.files(job_id)
        known = {shape_key(name) for name in morph_names(glb)}
        faces = [gr.update(visible=shape_key(name) in known, value=0) for name in result.weights]
        return [gr.update(visible=True), str(glb), str(archive), None, *faces]  # the photos are gone, show none

    def show_model(job_id):
        view = does.look(job_id)
        return str(does.files(job_id)[0]) if view is not None and view.glb else None

    def draw(values, sender: gr.Request):
        if not values[memory.arrived]:
            return views.drawing(None)
        view = {name: values[widget] for name, widget in view_widgets.items()}
        face = {name: values[slider] for name, slider in result.weights.items() if values[slider]}
        try:
            options = view_of(view | {"expressions": face, "size": actions.VIEW_SIZE})
            return views.drawing(
                actions.webp(does.draw(values[memory.arrived], options, visitor_of(sender), live=True))
            )
        except Superseded:
            return gr.skip()
        except UserError as error:
            return views.refusal(error)
        except Exception:
            log.exception("drawing failed")
            return views.refusal(BROKEN)

    hidden = {"api_visibility": "private", "show_progress": "hidden"}
    files = {**hidden, **lanes.HAND_OUT}
    looks = {**hidden, "trigger_mode": "always_last", **lanes.DRAW}
    drawn = [*view_widgets.values(), *sliders]
    picture = (draw, {memory.arrived, *drawn}, result.picture)
    filled = [result.group, result.glb, result.archive, page.inputs.photos, *sliders]
    arrival = memory.arrived.change(arrive, [memory.arrived], filled, **files).then(*picture, **looks)
    # Last, when the viewer is on the page: Gradio 6.31 shows nothing when a model comes while its viewer still loads.
    arrival.then(show_model, [memory.arrived], result.model, **files)
    gr.on([widget.input for widget in drawn], *picture, **looks)
    result.reset.click(lambda: [0] * len(sliders), None, sliders, **hidden).then(*picture, **looks)
