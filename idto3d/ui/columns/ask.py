"""The left column: photos and what was seen in them, words, how the head is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import gradio as gr
from gradio.components import Component

from idto3d.config import HeadOptions
from idto3d.jobs.limits import Limits
from idto3d.subject.images import ENDINGS
from idto3d.ui import views
from idto3d.ui.columns.nine import Nine, nine
from idto3d.ui.columns.picker import picker
from idto3d.ui.heads.request import LARGEST_SEED, LONGEST_PROMPT, Request
from idto3d.words.expressions import SETS
from idto3d.words.traits import ATTRIBUTES

AS_SEEN = "as seen"
CHIPS = {"hair_style": "Hair", "hair_colour": "Hair colour", "beard": "Beard", "skin": "Skin"}
FOLD = "<details><summary>Photos, words and how it is made</summary></details>"  # opens the rest on a small screen
STRENGTHS = {
    "lambda_id": ("Likeness", "How closely it follows the face in the photos.", 2.0),
    "words": ("Words", "How closely it follows the words. 1 is usual; much more makes colours harsh.", 2.0),
    "lambda_exp": ("Expression", "How far expressions move from the resting face.", 2.0),
}


@dataclass(frozen=True)
class Inputs:
    """What a visitor asks for, by the names of the fields of Request, and what is told about it."""

    photos: gr.Gallery
    consent: gr.Checkbox
    taken: gr.HTML
    cards: gr.HTML
    chips: gr.Row
    hair_style: gr.Dropdown
    hair_colour: gr.Dropdown
    beard: gr.Dropdown
    skin: gr.Dropdown
    prompt: gr.Textbox
    nine: Nine
    chosen: gr.BrowserState
    preset: gr.Radio
    expressions: gr.Radio
    negative_prompt: gr.Textbox
    seed: gr.Number
    dice: gr.Button
    lambda_id: gr.Slider
    guidance_scale: gr.State
    words: gr.Slider
    lambda_exp: gr.Slider
    weights: gr.Textbox
    weigh: gr.Button
    offer: gr.HTML
    usual: Mapping[str, float]

    def asked(self) -> dict[str, Component]:
        """The widgets whose values make a request, by the names of its fields."""
        return {field.name: getattr(self, field.name) for field in fields(Request)}

    def request(self, values: Mapping[Component, object]) -> dict[str, object]:
        """What is asked by the `values` of the widgets; a strength nobody moved is left to the weights."""
        given = {name: values[widget] for name, widget in self.asked().items()}
        photos = [path for path, _caption in given["photos"] or ()]
        given |= {"photos": photos, "chosen": () if photos else given["chosen"]}
        return given | {name: None for name, own in self.usual.items() if given[name] == own}

    def filled(self, values: Mapping[str, object]) -> dict[Component, object]:
        """The widgets' values for what was asked once, by the names of the fields."""
        told = {name: self.usual.get(name) if value is None else value for name, value in values.items()}
        words = {self.nine.words: values.get("prompt", "")} if "chosen" in values else {}
        return {self.asked()[name]: value for name, value in told.items()} | words


@dataclass(frozen=True)
class Start:
    """What begins a head: the button, the box for refusals, and the question whether a change was meant."""

    message: gr.HTML
    generate: gr.Button
    question: gr.Column
    change: gr.Button
    anew: gr.Button


def ask(limits: Limits, usual: Mapping[str, float], terms: Sequence = ()) -> tuple[Inputs, Start]:
    """Lay out the column; `usual` are the strengths that the server's weights take by themselves.

    terms: what is to be known of the weights before photos are given.
    """
    gr.HTML(FOLD, elem_id="fold")
    inputs = _photos(terms) | _words() | _make(limits)
    start = _start()
    with gr.Accordion("More options", open=False, elem_id="more"):
        inputs |= _more(limits, usual)
    return Inputs(**inputs, usual=usual), start


def _photos(terms: Sequence) -> dict[str, Component]:
    gr.HTML(views.section(1, "Photos", "One to twenty of one person. Sharp, from several sides, face uncovered."))
    if terms:
        gr.HTML(views.terms(terms), elem_id="terms")
    taken = gr.HTML("", elem_id="taken")
    consent = gr.Checkbox(
        label="This is me, or I have this person's permission; the person is an adult.", elem_id="consent"
    )
    photos = gr.Gallery(
        label="Photos",
        show_label=False,
        columns=4,
        height=132,
        object_fit="cover",
        sources=["upload", "webcam", "clipboard"],
        file_types=list(ENDINGS),
        interactive=True,
        buttons=[],
        elem_id="photos",
    )
    cards = picker("", "cards")
    with gr.Row(elem_id="chips", visible=False) as chips:
        seen = {name: _chip(name) for name in CHIPS}
    return {"photos": photos, "consent": consent, "taken": taken, "cards": cards, "chips": chips, **seen}


def chip_choices(name: str, seen: str = "", sure: str = "") -> list[tuple[str, str]]:
    """The choices of a chip: what photos show and how `sure` that is, then every other word; values never change."""
    first = (f"{seen.capitalize()}: {sure}" if seen else AS_SEEN.capitalize(), "")
    return [first, *((word.capitalize(), word) for word in ATTRIBUTES[name])]


def _chip(name: str) -> gr.Dropdown:
    choices, title = chip_choices(name), CHIPS[name]
    return gr.Dropdown(
        choices, value="", label=title, filterable=False, min_width=120, elem_classes="chip", elem_id=name
    )


def _words() -> dict:
    gr.HTML(views.section(2, "Words", "Optional: say more about the person, or use words alone."))
    prompt = _text("prompt", "What the person looks like", "with short buzzcut hair", lines=2)
    chosen = gr.BrowserState([], storage_key="idto3d-chosen", secret="idto3d-chosen")
    return {"prompt": prompt, "nine": nine(), "chosen": chosen}


def _text(name: str, label: str, example: str, lines: int = 1, info: str | None = None) -> gr.Textbox:
    return gr.Textbox(
        value="",
        label=label,
        placeholder=example,
        lines=lines,
        max_length=LONGEST_PROMPT,
        info=info,
        elem_id=name,
    )


def _make(limits: Limits) -> dict[str, Component]:
    gr.HTML(views.section(3, "Make", "" if limits.trusted else quotas(limits)))
    preset = gr.Radio(preset_choices(limits.presets, {}), value=HeadOptions().preset, label="Quality", elem_id="preset")
    expressions = gr.Radio(
        _expression_sets(),
        value=Request().expressions,
        label="Expressions shaped one by one",
        info="Each takes a little longer. Every head has sliders for all the usual ones as well.",
        elem_id="expressions",
    )
    return {"preset": preset, "expressions": expressions}


def preset_choices(names: Sequence[str], minutes: dict[str, float]) -> list[tuple[str, str]]:
    """The presets by name, with how long each takes here where that is known."""
    return [(name.capitalize() + _about(minutes.get(name)), name) for name in names]


def _about(minutes: float | None) -> str:
    return "" if minutes is None else f", {views.duration(60 * minutes)}"


def quotas(limits: Limits) -> str:
    """What a visitor may ask for, in a sentence."""
    photos = f"{limits.photos} photos of {limits.photo_megabytes:.0f} MB each"
    jobs = f"{limits.visitor_jobs} heads at a time, {limits.visitor_jobs_an_hour} an hour"
    kept = f"{limits.job_seconds / 60:.0f} minutes of work a head, kept for {limits.keep_seconds / 3600:.0f} hours"
    return f"For everybody there are {jobs}, from {photos}, {kept}."


def _expression_sets() -> list[tuple[str, str]]:
    """How many expressions each set has besides the neutral face."""
    counts = {name: len(names) - 1 for name, names in SETS.items()}
    return [("None" if not count else str(count), name) for name, count in counts.items()]


def _start() -> Start:
    message = gr.HTML("", elem_id="message")
    with gr.Column(visible=False, elem_id="question") as question:
        gr.HTML("<p>This sounds like a change to the head that is shown. What would you like?</p>")
        with gr.Row():
            change = gr.Button("Change that head", variant="primary", size="sm", elem_id="as_change")
            anew = gr.Button("Make a new one", size="sm", elem_id="anew")
    generate = gr.Button("Generate", variant="primary", size="lg", elem_id="generate")
    return Start(message, generate, question, change, anew)


def _more(limits: Limits, usual: Mapping[str, float]) -> dict[str, Component]:
    negative = _text("negative_prompt", "Keep away from", "glasses, hat")
    with gr.Row(elem_classes="seed"):
        text = "The same number makes the same head again."
        most = LARGEST_SEED
        seed = gr.Number(0, label="Seed", info=text, precision=0, minimum=0, maximum=most, min_width=120)
        dice = gr.Button("Roll the dice", size="sm", min_width=100, scale=0, elem_id="dice")
    strengths = {name: _strength(name, usual[name]) for name in STRENGTHS}
    weights, weigh = _weights(limits)
    offer = gr.HTML("", elem_id="offer")
    return {
        "negative_prompt": negative,
        "seed": seed,
        "dice": dice,
        "weights": weights,
        "weigh": weigh,
        "offer": offer,
        "guidance_scale": gr.State(None),  # on the page words are a factor; a head made otherwise keeps its scale
        **strengths,
    }


def _weights(limits: Limits) -> tuple[gr.Textbox, gr.Button]:
    free = limits.weights is None
    text = "The trained models to use; empty for those of this server. Nothing is downloaded before Generate."
    with gr.Row(elem_classes="seed", visible=free):
        weights = gr.Textbox(
            "", label="Weights", placeholder="community, a folder, or ORG/REPO@REV", info=text, elem_id="weights"
        )
        weigh = gr.Button("Size and licence", size="sm", min_width=120, scale=0, elem_id="weigh")
    return weights, weigh


def _strength(name: str, usual: float) -> gr.Slider:
    title, info, most = STRENGTHS[name]
    return gr.Slider(0, most, usual, step=0.05, label=f"{title} strength", info=info, elem_id=name)
