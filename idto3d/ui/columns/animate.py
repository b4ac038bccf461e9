"""Below the changes: animating a finished head by a clip of a face, and the animations it has."""

from dataclasses import dataclass

import gradio as gr

from idto3d.config import AnimateOptions
from idto3d.jobs.limits import Limits
from idto3d.ui import views
from idto3d.ui.cards.films import BESIDE
from idto3d.ui.columns.picker import picker

PROMISE = "The clip is deleted when the animation is there; no frame of it is kept."
CONSENT = "This is me, or I have this person's permission; the person is an adult."


@dataclass(frozen=True)
class Animate:
    """What an animation is asked with, and the list of those there are."""

    group: gr.Column
    clip: gr.Video
    consent: gr.Checkbox
    strength: gr.Slider
    smoothing: gr.Slider
    apply: gr.Button
    message: gr.HTML
    films: gr.HTML


def animate(limits: Limits) -> Animate:
    """Lay it out."""
    with gr.Column(visible=False, elem_id="animate") as group:
        gr.HTML(views.heading("Animate it", "A clip of a face, yours or a film, makes the head do the same."))
        films = picker("", "films", js=BESIDE)
        with gr.Accordion("From a new clip", open=False, elem_id="new_film"):
            clip = _clip(limits)
            consent = gr.Checkbox(label=CONSENT, elem_id="clip_consent")
            strength, smoothing = _ways()
            apply = gr.Button("Animate", variant="primary", elem_id="film")
            message = gr.HTML("", elem_id="animate_message")
    return Animate(group, clip, consent, strength, smoothing, apply, message, films)


def _clip(limits: Limits) -> gr.Video:
    most = f"{limits.clip_seconds:.0f} seconds and {limits.clip_megabytes:.0f} MB"
    gr.HTML(f'<p class="hint">One face, well lit, up to {most}. {PROMISE}</p>')
    return gr.Video(
        label="Clip of a face",
        show_label=False,
        sources=["upload", "webcam"],
        height=300,
        include_audio=True,  # without it the framework would write a second copy, by a program that may not be there
        interactive=True,
        buttons=[],
        elem_id="clip",
    )


def _ways() -> tuple[gr.Slider, gr.Slider]:
    usual = AnimateOptions()
    info = "1 is as in the clip; more exaggerates."
    with gr.Row(elem_id="film_ways"):
        strength = gr.Slider(
            0, 3, usual.strength, step=0.05, label="Strength", info=info, min_width=140, elem_id="film_strength"
        )
        info = "0 follows every frame, 1 is very calm."
        smoothing = gr.Slider(
            0, 1, usual.smoothing, step=0.05, label="Smoothing", info=info, min_width=140, elem_id="film_smoothing"
        )
    return strength, smoothing
