"""Widgets and parameters are bound to options by name; the order in which options have their fields means nothing."""

import asyncio
import types
from dataclasses import field, fields, make_dataclass
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from idto3d.config import RenderOptions
from idto3d.jobs.limits import LOCAL
from idto3d.ui import actions, api, page, wiring
from idto3d.ui.actions import Request, request_of

ASKED = {
    "photos": (Path("anna.png"),),
    "consent": True,
    "prompt": "young",
    "negative_prompt": "hat",
    "preset": "paper",
    "expressions": "1",
    "seed": 7,
}
VIEW = {
    "mode": "clay",
    "light": "candle",
    "light_rotation_deg": 10.0,
    "azimuth_deg": 20.0,
    "elevation_deg": 30.0,
}


@pytest.fixture(params=[False, True], ids=["as it is", "turned round"])
def studio(request, monkeypatch):
    """The page over notes of what it was asked, its widgets, and the notes; or with all fields the other way round."""
    if request.param:
        for kind in (Request, RenderOptions):
            for module in (actions, api, page, wiring):
                monkeypatch.setattr(module, kind.__name__, turned_round(kind), raising=False)
    notes, desk = {}, types.SimpleNamespace(cancel=None, resume=None, watch=None)
    does = types.SimpleNamespace(
        desk=desk,
        limits=LOCAL,
        shelf=types.SimpleNamespace(picture=lambda job_id, image: image),
        look=lambda job_id: None,
        start=lambda request, visitor: notes.update(request=request) or "a" * 22,
        draw=lambda job_id, options, visitor, live=False: (
            notes.update(job_id=job_id, view=options) or np.zeros((8, 8, 3), np.uint8)
        ),
    )
    with gr.Blocks() as blocks:
        widgets = page.layout()
        wiring.wire(widgets, does, blocks)
        api.add_api(does)
    return blocks, widgets, notes


def turned_round(kind):
    """An options class with the same fields in reverse."""
    columns = [(f.name, f.type, field(default=f.default, metadata=f.metadata)) for f in reversed(fields(kind))]
    return make_dataclass(kind.__name__, columns, frozen=True)


def call(blocks, function, values):
    """Call a function of the page as Gradio does, with the values of its widgets."""
    return asyncio.run(blocks.call_function(function, values))


def listening(blocks, widget, event):
    return next(f for f in blocks.fns.values() if (widget._id, event) in f.targets)


def endpoint(blocks, name):
    return next(f for f in blocks.fns.values() if f.api_name == name)


def values_of(options, names):
    return {name: getattr(options, name) for name in names}


def test_what_a_visitor_asks_for_reaches_the_request_by_name(studio):
    blocks, widgets, notes = studio
    function = listening(blocks, widgets.controls.generate, "click")
    given = ASKED | {"photos": [("anna.png", None)]}
    values = {widgets.memory.jobs: []} | {getattr(widgets.inputs, name): value for name, value in given.items()}
    call(blocks, function, [values[widget] for widget in function.inputs])
    assert values_of(notes["request"], ASKED) == ASKED


def test_what_the_api_is_asked_for_reaches_the_request_by_name(studio):
    blocks, _, notes = studio
    given = ASKED | {"photos": ["anna.png"]}
    function = endpoint(blocks, "generate")
    call(blocks, function, [given[widget.label] for widget in function.inputs])
    assert values_of(notes["request"], ASKED) == ASKED


def test_the_sliders_of_the_page_reach_the_view_by_name(studio):
    blocks, widgets, notes = studio
    result = widgets.result
    function = listening(blocks, result.light, "input")
    values = {widgets.memory.arrived: "b" * 22} | {getattr(result, name): value for name, value in VIEW.items()}
    values |= {slider: 0.5 if name == "smile" else 0 for name, slider in result.weights.items()}
    call(blocks, function, [values[widget] for widget in function.inputs])
    expected = VIEW | {"expressions": (("smile", 0.5),), "size": actions.VIEW_SIZE}
    assert notes["job_id"] == "b" * 22 and values_of(notes["view"], expected) == expected


def test_what_the_api_is_asked_to_draw_reaches_the_view_by_name(studio):
    blocks, _, notes = studio
    function = endpoint(blocks, "render")
    given = VIEW | {"job_id": "c" * 22, "expressions": {"smile": 0.5}, "size": 64}
    call(blocks, function, [given[widget.label] for widget in function.inputs])
    expected = VIEW | {"expressions": (("smile", 0.5),), "size": 64}
    assert notes["job_id"] == "c" * 22 and values_of(notes["view"], expected) == expected


def test_the_parameters_of_the_api_keep_their_names_their_order_and_their_defaults(studio):
    endpoints = studio[0].get_api_info()["named_endpoints"]
    parameters = {
        name: {p["parameter_name"]: p["parameter_default"] for p in endpoints[f"/{name}"]["parameters"]}
        for name in ("generate", "render")
    }
    words = {"prompt": "", "negative_prompt": "", "preset": "draft", "expressions": "3", "seed": 0}
    assert list(parameters["generate"].items()) == list({"photos": None, "consent": False, **words}.items())
    view = {"mode": "relit", "light": "", "light_rotation_deg": 0, "azimuth_deg": 0, "elevation_deg": 0, "size": 512}
    assert list(parameters["render"].items()) == list({"job_id": None, **view, "expressions": {}}.items())
    assert {f.name for f in fields(Request)} == set(parameters["generate"])
    assert {f.name for f in fields(RenderOptions)} == set(parameters["render"]) - {"job_id"} | {"video"}


def test_what_was_never_filled_in_is_left_to_the_request():
    assert request_of(dict.fromkeys(ASKED)) == Request()
