"""What a call may hold: a function there is, as many values as it takes, each of the kind its widget has.

The framework trusts its own page in this: a wrong value ends there in a traceback, and a folder or link handed in as a
photo's path is followed.
"""

import json
import os
import re
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import gradio as gr
from gradio.components import Component
from gradio.components.api_component import Api
from gradio_client.utils import is_valid_file
from pydantic import ValidationError

from idto3d.ui.door.refusal import Refusal
from idto3d.ui.door.routes import API

SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)
DEEPEST, MOST_VALUES = 24, 20_000
LARGEST_NUMBER = 2.0**63
NOT_JSON = partial(Refusal, 400, "This request is no JSON object that this server reads.")
NO_SUCH = partial(Refusal, 404, "There is no such function here.")
WRONG = partial(Refusal, 422, "The values of this call are not of the kinds that the function takes.")
NO_UPLOAD = partial(
    Refusal, 400, "A file in this call was not uploaded here, or is gone; upload it first, addresses are not read."
)


class Calls:
    """What `blocks` can be asked to do, with files that lie in the folder `uploads`."""

    def __init__(self, blocks: gr.Blocks, uploads: Path):
        self._functions = blocks.fns
        self._public = {f.api_name: f for f in blocks.fns.values() if f.api_name and f.api_visibility == "public"}
        self._named = {name: None for name in self._public}
        self._blocks = blocks
        self._uploads = uploads

    def check(self, path: str, body: bytes) -> None:
        """Raise Refusal for a POST to `path` of the API whose `body` is not a call of a function that is here."""
        said = parsed(body)
        verb = path.removeprefix(f"{API}/").strip("/").split("/")
        if verb[:2] == ["call", "v2"]:
            return self._check_named(self._function(verb[2]), said)
        session = said.get("session_hash")
        if session is not None and not (isinstance(session, str) and SESSION.fullmatch(session)):
            raise WRONG()
        if verb[0] == "call":
            self._check_values(self._function(verb[1]), said.get("data"))
        elif verb == ["queue", "join"]:
            self._check_join(said)
        elif not all(isinstance(said.get(name), str) for name in _needed(verb[0])):
            raise WRONG()

    def _function(self, name: str):
        if name not in self._public:
            raise NO_SUCH()
        return self._public[name]

    def _check_join(self, said: dict) -> None:
        number = said.get("fn_index")
        if isinstance(number, bool) or not isinstance(number, int) or number not in self._functions:
            raise NO_SUCH()
        if said.get("batched") or said.get("session_hash") is None:
            raise WRONG()
        if not all(isinstance(said.get(name), int | None) for name in ("trigger_id", "simple_format")):
            raise WRONG()
        self._check_values(self._functions[number], said.get("data"))

    def _check_named(self, function, said: dict) -> None:
        """Check the values of a call that gives them by name; those with defaults may be left out."""
        info = self._blocks.get_api_info()["named_endpoints"][f"/{function.api_name}"]["parameters"]
        needed = {one["parameter_name"] for one in info if not one["parameter_has_default"]}
        known = {one["parameter_name"]: one["parameter_default"] for one in info if one["parameter_has_default"]}
        if not needed <= set(said) <= needed | set(known):
            raise WRONG()
        self._check_values(function, [(known | said)[one["parameter_name"]] for one in info])

    def _check_values(self, function, values) -> None:
        widgets = function.inputs
        if isinstance(values, list) and len(values) != len(widgets):
            widgets = [widget for widget in widgets if not widget.skip_api]
        if not isinstance(values, list) or len(values) != len(widgets):
            raise WRONG()
        for path in _paths(values):
            if not self.uploaded(path):
                raise NO_UPLOAD()
        if not all(fits(widget, value) for widget, value in zip(widgets, values, strict=True)):
            raise WRONG()

    def uploaded(self, path: str) -> bool:
        """Whether `path` is a file, no link and no folder, where uploads are put: in a folder of its own."""
        return lies_alone(path, self._uploads)


def lies_alone(path: str, uploads: Path) -> bool:
    """Whether `path` is a file, no link and no folder, in a folder of its own below `uploads`."""
    try:
        return Path(path).parent.parent == uploads and stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def parsed(body: bytes) -> dict:
    """The JSON object in `body`. Raises Refusal for anything else, for deep nesting, many values or endless numbers."""
    try:
        said = json.loads(body, parse_constant=_no_number)
        json.dumps(said, ensure_ascii=False).encode()  # halves of letters (lone surrogates) can be written nowhere
    except (ValueError, RecursionError):
        raise NOT_JSON() from None
    if not isinstance(said, dict):
        raise NOT_JSON()
    for count, (depth, value) in enumerate(_walk(said)):
        endless = isinstance(value, int | float) and not -LARGEST_NUMBER < value < LARGEST_NUMBER
        if depth > DEEPEST or count > MOST_VALUES or endless:
            raise NOT_JSON()
    return said


def _no_number(name: str):
    raise ValueError(name)


def _walk(data) -> Iterator[tuple[int, object]]:
    """Every value in nested JSON, with how deep it lies."""
    waiting = [(0, data)]
    while waiting:
        depth, item = waiting.pop()
        yield depth, item
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        waiting += [(depth + 1, value) for value in inner]


def _paths(data) -> Iterator[str]:
    """Every `path` in nested JSON."""
    for _, item in _walk(data):
        if isinstance(item, dict) and isinstance(item.get("path"), str):
            yield item["path"]


def _needed(verb: str) -> tuple[str, ...]:
    return ("session_hash", "event_id") if verb == "cancel" else ("event_id",)


def fits(widget: Component, value) -> bool:
    """Whether a widget may have `value`. None is what one never opened has, unless it is a text that must be given."""
    if value is None:
        return not isinstance(widget, Api) and not (isinstance(widget, gr.Textbox) and widget.value is None)
    if isinstance(widget, gr.Textbox | Api):
        return isinstance(value, str)
    if isinstance(widget, gr.Checkbox):
        return isinstance(value, bool)
    if isinstance(widget, gr.Number | gr.Slider):
        return _is_number(value, widget.minimum, widget.maximum)
    if isinstance(widget, gr.Radio | gr.Dropdown):
        return isinstance(value, str) and value in [choice for _, choice in widget.choices]
    return _holds(widget, value) if widget.data_model else True


def _is_number(value, least: float | None, most: float | None) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def _holds(widget: Component, value) -> bool:
    """Whether a widget of structured values, such as files, takes `value`."""
    try:
        widget.data_model.model_validate(value)
    except ValidationError:
        return False
    kinds = getattr(widget, "file_types", None)
    return not kinds or all(is_valid_file(path, kinds) for path in _paths(value))
