"""Widgets and parameters are bound to options by name; the order in which options have their fields means nothing."""

import asyncio
import types
from dataclasses import field, fields, make_dataclass
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from idto3d.config import EditOptions, RenderOptions
from idto3d.jobs.clerk.office import Superseded
from idto3d.jobs.limits import LOCAL
from idto3d.ui import actions, api, page, wiring
from idto3d.ui.columns import ask
from idto3d.ui.heads import request as requests
from idto3d.ui.heads.choosing import PICTURE, Found
from idto3d.ui.heads.request import Request, request_of
from idto3d.ui.wired import viewing
from idto3d.ui.wired.choosing import SUPERSEDED
from idto3d.words.corrections import CORRECTED

ASKED = {
    "photos": (Path("anna.png"),),
    "consent": True,
    "prompt": "young",
    "negative_prompt": "hat",
    "preset": "paper",
    "expressions": "1",
    "seed": 7,
    "hair_style": "bob",
    "hair_colour": "red",
    "beard": "clean",
    "skin": "fair",
    "lambda_id": 0.5,
    "lambda_exp": 1.5,
    "guidance_scale": 3.0,
    "weights": "embedded",
    "words": 0.5,
    "chosen": (0.5, -1.0),
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
            for module in (actions, requests, api, ask, page, viewing, wiring):
                monkeypatch.setattr(module, kind.__name__, turned_round(kind), raising=False)
    notes, nothing = {}, lambda *_: None
    does = types.SimpleNamespace(
        desk=types.SimpleNamespace(cancel=nothing, resume=nothing, watch=nothing),
        revisions=types.SimpleNamespace(go=nothing, drop=nothing, rename=nothing, listed=lambda job_id: ()),
        limits=LOCAL,
        shelf=types.SimpleNamespace(picture=lambda job_id, image: image),
        look=nothing,
        form_of=lambda job_id: {},
        delete_all=lambda jobs, uploads: notes.update(deleted=(jobs, uploads)) or ([], None, "Deleted."),
        minutes=lambda photos: {},
        reads_like_a_change=lambda job_id, prompt: False,
        choosing=types.SimpleNamespace(found=superseded),
        animations=types.SimpleNamespace(),
        start=lambda request, visitor, edits=(): notes.update(request=request) or "a" * 22,
        change=lambda job_id, options, visitor, mask=None: notes.update(job_id=job_id, edit=options),
        draw=lambda job_id, options, visitor, live=False: (
            notes.update(job_id=job_id, view=options) or np.zeros((8, 8, 3), np.uint8)
        ),
    )
    with gr.Blocks() as blocks:
        widgets = page.layout()
        wiring.wire(widgets, does, blocks)
        api.add_api(does)
    return blocks, widgets, notes


def superseded(*_):
    """Somebody asks for faces, and something newer is asked meanwhile."""
    raise Superseded("choice of faces")


def turned_round(kind):
    """An options class with the same fields in reverse."""
    columns = [(f.name, f.type, field(default=f.default, metadata=f.metadata)) for f in reversed(fields(kind))]
    return make_dataclass(kind.__name__, columns, frozen=True)


def call(blocks, function, values):
    """Call a function of the page as Gradio does, with the values of its widgets."""
    return asyncio.run(blocks.call_function(function, values))


def call_with(blocks, function, values, data):
    """What a function gives its widgets after an event with that data."""
    event = gr.EventData(None, data)
    return asyncio.run(blocks.call_function(function, values, event_data=event))["prediction"]


def listening(blocks, widget, event):
    return next(f for f in blocks.fns.values() if (widget._id, event) in f.targets)


def endpoint(blocks, name):
    return next(f for f in blocks.fns.values() if f.api_name == name)


def values_of(options, names):
    return {name: getattr(options, name) for name in names}


@pytest.mark.parametrize("photos", [True, False])
def test_what_a_visitor_asks_for_reaches_the_request_by_name(studio, photos):
    blocks, widgets, notes = studio
    function = listening(blocks, widgets.start.generate, "click")
    given = ASKED | {"photos": [("anna.png", None)] if photos else []}
    expected = ASKED | ({"chosen": ()} if photos else {"photos": ()})  # photos show the face
    values = {widgets.memory.jobs: [], widgets.memory.opened: "", widgets.memory.edits: ()}
    values |= {widgets.inputs.nine.words: "young"} | {
        getattr(widgets.inputs, name): value for name, value in given.items()
    }
    call(blocks, function, [values[widget] for widget in function.inputs])
    assert values_of(notes["request"], expected) == expected


def test_what_the_api_is_asked_for_reaches_the_request_by_name(studio):
    blocks, _, notes = studio
    given = ASKED | {"photos": ["anna.png"]}
    function = endpoint(blocks, "generate")
    call(blocks, function, [given[widget.label] for widget in function.inputs])
    assert values_of(notes["request"], ASKED) == ASKED


def test_what_the_viewer_asks_for_reaches_the_view_by_name(studio):
    blocks, widgets, notes = studio
    function = listening(blocks, widgets.stage.viewer, "view")
    values = {widgets.memory.arrived: f"{'b' * 22} 1", widgets.stage.viewer: {"head": ""}}
    event = gr.EventData(None, VIEW | {"expressions": {"smile": 0.5}, "size": 99999})
    given = [values[widget] for widget in function.inputs]
    asyncio.run(blocks.call_function(function, given, event_data=event))
    expected = VIEW | {"expressions": (("smile", 0.5),), "size": viewing.VIEW_SIZE}
    assert notes["job_id"] == "b" * 22 and values_of(notes["view"], expected) == expected


def test_a_change_reaches_its_options_by_name(studio):
    blocks, widgets, notes = studio
    edit, memory = widgets.edit, widgets.memory
    function = listening(blocks, edit.apply, "click")
    given = {edit.prompt: "green hair", edit.strength: 0.5, edit.keep: "geometry", edit.locks: ["eyes", "nose"]}
    given |= {memory.mask: None, memory.jobs: ["b" * 22], memory.opened: ""}
    call(blocks, function, [given[widget] for widget in function.inputs])
    assert notes["job_id"] == "b" * 22
    assert notes["edit"] == EditOptions("green hair", "geometry", 0.5, locks=("eyes", "nose"))


@pytest.mark.parametrize("press", ["another head", "delete", "generate"])
def test_what_was_painted_on_a_head_is_forgotten_with_it(studio, press):
    blocks, widgets, notes = studio
    heads, memory, start = widgets.heads, widgets.memory, widgets.start
    places = {
        "another head": (heads.shelf, "select"),
        "delete": (heads.really, "click"),
        "generate": (start.anew, "click"),
    }
    function = listening(blocks, *places[press])
    told = set(function.outputs)
    assert {memory.mask, widgets.edit.mask, widgets.edit.unmask} <= told
    given = {memory.jobs: ["b" * 22], memory.opened: "", memory.edits: (), memory.boxed: ""}
    given |= {memory.uploads: {"photos": ["anna.png"], "clip": ["anna.mp4"]}}
    given |= {widgets.inputs.nine.words: "an old <man>"}
    given |= {getattr(widgets.inputs, name): value for name, value in (ASKED | {"photos": []}).items()}
    said = call_with(blocks, function, [given[widget] for widget in function.inputs], {"pick": "new"})
    assert said[memory.mask] is None
    assert said[widgets.edit.hairs] == ""
    inputs, animate = widgets.inputs, widgets.animate
    assert (said[animate.clip], said[animate.consent]) == (None, False)
    left = {inputs.chosen: [], inputs.nine.words: "", inputs.nine.found: {}, inputs.guidance_scale: None}
    if press == "another head":
        assert {said[getattr(inputs, name)] for name in CORRECTED} == {""} and inputs.prompt not in said
    if press == "generate":  # the same face can be made again
        assert not left.keys() & said.keys()
    else:
        assert {widget: said[widget] for widget in left} == left
    assert ("chosen for “an old &lt;man&gt;”" in said[start.message]) is (press == "generate")
    if press == "delete":
        assert said[memory.lights] == {} and said[memory.edits] == () and said[memory.uploads] == {}
        assert notes["deleted"] == (["b" * 22], ["anna.png", "anna.mp4"])


def test_the_page_knows_what_was_uploaded_and_is_in_no_job(studio):
    blocks, widgets, _ = studio
    uploads, held = widgets.memory.uploads, {}
    for box, given in ((widgets.inputs.photos, [("anna.png", None)]), (widgets.animate.clip, "anna.mp4")):
        own = (f for f in blocks.fns.values() if (box._id, "change") in f.targets and uploads in f.outputs)
        held = asyncio.run(blocks.call_function(next(own), [held, given]))["prediction"]
    assert held == {"photos": ["anna.png"], "clip": ["anna.mp4"]}


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
    words |= {"hair_style": "", "hair_colour": "", "beard": "", "skin": ""}
    words |= {"lambda_id": None, "lambda_exp": None, "guidance_scale": None, "weights": "", "words": None, "chosen": []}
    assert list(parameters["generate"].items()) == list({"photos": None, "consent": False, **words}.items())
    view = {"mode": "relit", "light": "", "light_rotation_deg": 0, "azimuth_deg": 0, "elevation_deg": 0, "size": 512}
    assert list(parameters["render"].items()) == list({"job_id": None, **view, "expressions": {}}.items())
    assert {f.name for f in fields(Request)} == set(parameters["generate"])
    assert {f.name for f in fields(RenderOptions)} == set(parameters["render"]) - {"job_id"} | {"video"}


def test_what_was_never_filled_in_is_left_to_the_request():
    assert request_of(dict.fromkeys(ASKED)) == Request()


def test_a_choice_that_was_superseded_leaves_what_was_there(studio):
    blocks, widgets, _ = studio
    inputs, nine, memory = widgets.inputs, widgets.inputs.nine, widgets.memory
    before = Found("old", 1, (), ((f"{PICTURE}AA", (0.5, -1.0)),))
    function = listening(blocks, nine.show, "click")
    values = {memory.jobs: [], memory.opened: "", nine.found: before.plain(), nine.words: "old"}
    values |= {getattr(inputs, name): value for name, value in (ASKED | {"photos": [], "chosen": [0.5, -1.0]}).items()}
    *_, said = function.fn({widget: values[widget] for widget in function.inputs}, None)
    assert said[nine.found] == before.plain() and "face now" in said[nine.faces] and SUPERSEDED in said[nine.faces]
    assert inputs.chosen not in said
