"""The page: which widgets there are and where they stand. What they do is in wiring.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import gradio as gr
from gradio.components import Component

from idto3d.config import MODES, PRESETS, HeadOptions, RenderOptions
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.ui import actions, views
from idto3d.words.expressions import NAMES, SETS

PHOTO_TYPES = [".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"]
HELP = {name: field.metadata["help"] for name, field in HeadOptions.__dataclass_fields__.items() if field.metadata}
VIEW = RenderOptions()


@dataclass(frozen=True)
class Inputs:
    """What a visitor asks for, by the names of the fields of actions.Request; the dice roll a seed."""

    photos: gr.Gallery
    consent: gr.Checkbox
    prompt: gr.Textbox
    negative_prompt: gr.Textbox
    preset: gr.Radio
    expressions: gr.Radio
    seed: gr.Number
    dice: gr.Button

    def asked(self) -> dict[str, Component]:
        """The widgets whose values make a request, by the names of its fields."""
        return {field.name: getattr(self, field.name) for field in fields(actions.Request)}


@dataclass(frozen=True)
class Controls:
    """The buttons that start and steer a job, and the box for refusals."""

    message: gr.HTML
    generate: gr.Button
    cancel: gr.Button
    resume: gr.Button
    delete: gr.Button
    confirm: gr.Column
    really: gr.Button
    keep: gr.Button


@dataclass(frozen=True)
class Live:
    """What is seen while a job runs."""

    panes: gr.HTML
    status: gr.HTML
    details: gr.HTML


@dataclass(frozen=True)
class Result:
    """The finished head: viewer, drawing, its sliders, downloads.

    What says how it is drawn bears the names of the fields of RenderOptions; `weights` has a slider per expression.
    """

    group: gr.Column
    model: gr.Model3D
    picture: gr.HTML
    mode: gr.Radio
    light: gr.Dropdown
    light_rotation_deg: gr.Slider
    azimuth_deg: gr.Slider
    elevation_deg: gr.Slider
    weights: Mapping[str, gr.Slider]
    reset: gr.Button
    glb: gr.DownloadButton
    archive: gr.DownloadButton

    def view(self) -> dict[str, Component]:
        """The widgets that say how the head is drawn, but its expressions, by the names of the fields of the view."""
        return {field.name: getattr(self, field.name) for field in fields(RenderOptions) if hasattr(self, field.name)}


@dataclass(frozen=True)
class Memory:
    """What the page remembers: ids of its jobs (in the browser, newest last), what it shows, whether it watches."""

    jobs: gr.BrowserState
    seen: gr.State
    arrived: gr.State
    timer: gr.Timer


@dataclass(frozen=True)
class Page:
    """All widgets."""

    inputs: Inputs
    controls: Controls
    live: Live
    result: Result
    memory: Memory


def layout(limits: Limits = LOCAL) -> Page:
    """Put all widgets that `limits` offer where they stand; to be called while the Blocks are being built."""
    gr.HTML(views.header(limits.keep_seconds), elem_id="header")
    with gr.Row(elem_id="studio", equal_height=False):
        with gr.Column(scale=4, min_width=330, elem_id="ask"):
            inputs = _inputs(limits)
            controls = _controls()
        with gr.Column(scale=9, min_width=420, elem_id="live"):
            live = Live(gr.HTML(views.panes(None)), gr.HTML(views.status(None)), gr.HTML(""))
    return Page(inputs, controls, live, _result(), _memory())


def _memory() -> Memory:
    return Memory(
        gr.BrowserState([], storage_key="idto3d-jobs", secret="idto3d-jobs"),
        gr.State(()),
        gr.State(""),
        gr.Timer(1.0, active=False),
    )


def _inputs(limits: Limits) -> Inputs:
    gr.HTML(views.section(1, "Photos", "One to twenty of one person. Sharp, from several sides, face uncovered."))
    photos = gr.Gallery(
        label="Photos",
        show_label=False,
        columns=4,
        height=168,
        object_fit="cover",
        sources=["upload", "webcam", "clipboard"],
        file_types=PHOTO_TYPES,
        interactive=True,
        buttons=[],
        elem_id="photos",
    )
    consent = gr.Checkbox(
        label="This is me, or I have this person's permission; the person is an adult.", elem_id="consent"
    )
    gr.HTML(views.section(2, "Words", "Optional: say more about the person, or use words alone."))
    prompt = _words("with short buzzcut hair", "prompt")
    gr.HTML(views.section(3, "Make", "" if limits.trusted else quotas(limits)))
    names = limits.presets
    preset = gr.Radio(
        [(name.capitalize(), name) for name in names],
        value=HeadOptions().preset,
        label="Quality",
        info=_preset_text(names),
        elem_id="preset",
    )
    expressions = gr.Radio(
        _expression_sets(),
        value=actions.Request().expressions,
        label="Expressions beside neutral",
        elem_id="expressions",
    )
    with gr.Accordion("More options", open=False, elem_id="more"):
        negative_prompt = _words("glasses, hat", "negative_prompt")
        with gr.Row(elem_classes="seed"):
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=actions.LARGEST_SEED, min_width=120)
            dice = gr.Button("Roll", size="sm", min_width=60, scale=0)
    return Inputs(
        photos=photos,
        consent=consent,
        prompt=prompt,
        negative_prompt=negative_prompt,
        preset=preset,
        expressions=expressions,
        seed=seed,
        dice=dice,
    )


def _words(example: str, name: str) -> gr.Textbox:
    """A text field for the option `name`, with its help as title."""
    return gr.Textbox(
        value="",
        label=HELP[name].capitalize(),
        placeholder=example,
        lines=2 if name == "prompt" else 1,
        max_length=actions.LONGEST_PROMPT,
        elem_id=name,
        show_label=name != "prompt",
    )


def quotas(limits: Limits) -> str:
    """What a visitor may ask for, in a sentence."""
    photos = f"{limits.photos} photos of {limits.photo_megabytes:.0f} MB each"
    jobs = f"{limits.visitor_jobs} heads at a time, {limits.visitor_jobs_an_hour} an hour"
    kept = f"{limits.job_seconds / 60:.0f} minutes of work a head, kept for {limits.keep_seconds / 3600:.0f} hours"
    return f"For everybody there are {jobs}, from {photos}, {kept}."


def _preset_text(names: Sequence[str]) -> str:
    """What each preset costs."""
    chosen = {name: PRESETS[name] for name in names}
    return "Steps: " + ", ".join(f"{p.shape.steps + p.material.steps} {name}" for name, p in chosen.items()) + "."


def _expression_sets() -> list[tuple[str, str]]:
    """How many expressions each set has besides the neutral face."""
    counts = {name: len(names) - 1 for name, names in SETS.items()}
    return [("None" if not count else str(count), name) for name, count in counts.items()]


def _controls() -> Controls:
    message = gr.HTML("", elem_id="message")
    with gr.Row(elem_id="buttons"):
        generate = gr.Button("Generate", variant="primary", size="lg", elem_id="generate")
        cancel = gr.Button("Cancel", variant="secondary", size="lg", visible=False, elem_id="cancel")
        resume = gr.Button("Resume", variant="secondary", size="lg", visible=False, elem_id="resume")
    delete = gr.Button("Delete my data", size="sm", visible=False, elem_id="delete")
    with gr.Column(visible=False, elem_id="confirm") as confirm:
        gr.HTML("<p>This removes the photos, the head and everything made from them, for good.</p>")
        with gr.Row():
            really = gr.Button("Delete everything", variant="stop", size="sm", elem_id="really")
            keep = gr.Button("Keep it", size="sm")
    return Controls(message, generate, cancel, resume, delete, confirm, really, keep)


def _result() -> Result:
    with gr.Column(visible=False, elem_id="result") as group:
        gr.HTML('<div class="heading"><div><h2>Your head</h2><p>Turn it, light it, give it a face.</p></div></div>')
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                model = _viewer()
                with gr.Row(elem_id="downloads"):
                    glb = gr.DownloadButton("Download GLB", variant="primary", elem_id="glb")
                    archive = gr.DownloadButton("Everything as ZIP", elem_id="zip")
            with gr.Column(scale=5, min_width=300):
                picture = gr.HTML(views.drawing(None, "Drawing …"), elem_id="picture")
            with gr.Column(scale=4, min_width=280, elem_id="tuning"):
                mode = gr.Radio([m for m in MODES if m != "roughness"], value=VIEW.mode, label="Show", elem_id="mode")
                light = gr.Dropdown(_lights(), value=VIEW.light, label="Light", elem_id="light")
                rotation = gr.Slider(-180, 180, VIEW.light_rotation_deg, step=5, label="Turn the light, degrees")
                azimuth = gr.Slider(-180, 180, VIEW.azimuth_deg, step=5, label="Walk around, degrees")
                elevation = gr.Slider(-45, 45, VIEW.elevation_deg, step=5, label="Look from above, degrees")
        with gr.Row(elem_id="faces"):
            weights = {name: _weight(name) for name in NAMES}
        reset = gr.Button("Relax the face", size="sm", elem_id="reset")
    return Result(
        group=group,
        model=model,
        picture=picture,
        mode=mode,
        light=light,
        light_rotation_deg=rotation,
        azimuth_deg=azimuth,
        elevation_deg=elevation,
        weights=weights,
        reset=reset,
        glb=glb,
        archive=archive,
    )


def _weight(expression: str) -> gr.Slider:
    """How much of an expression the face has; hidden until a head knows it."""
    return gr.Slider(0, 1, 0, step=0.05, label=expression.capitalize(), visible=False)


def _viewer() -> gr.Model3D:
    """The GLB to turn with the mouse."""
    clear = (0.0, 0.0, 0.0, 0.0)
    return gr.Model3D(
        label="GLB", show_label=False, clear_color=clear, height="100%", interactive=False, elem_id="model"
    )


def _lights() -> list[tuple[str, str]]:
    return [("Default", ""), *((name.replace("_", " ").capitalize(), name) for name in actions.lights())]
