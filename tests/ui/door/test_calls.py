from importlib import import_module
from pathlib import Path

import pytest

from idto3d.ui import door
from idto3d.ui.door.calls import DEEPEST, parsed
from idto3d.ui.door.refusal import Refusal


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"null",
        b"[1]",
        b"[" * 100_000,
        b'{"a": ' * 100_000,
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 400 + b"}",
        b'{"a": ' + b"9" * 9000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"a": [' + b"1," * 30_000 + b"1]}",
        b'{"a": ' + b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1) + b"}",
    ],
)
def test_what_is_no_sound_json_object_is_refused(body):
    with pytest.raises(Refusal) as refused:
        parsed(body)
    assert refused.value.status == 400


def test_a_call_is_read_as_it_is():
    assert parsed(b'{"data": [["\\u00e9", 1.5, null]], "fn_index": 3}') == {
        "data": [["\u00e9", 1.5, None]],
        "fn_index": 3,
    }


def test_refusals_share_nothing_so_that_none_keeps_the_bodies_of_others():
    refused = []
    for _ in range(2):
        with pytest.raises(Refusal) as one:
            parsed(b"")
        refused.append(one.value)
    assert refused[0] is not refused[1]
    modules = [import_module(f"idto3d.ui.door.{path.stem}") for path in Path(door.__path__[0]).glob("*.py")]
    assert not [value for module in modules for value in vars(module).values() if isinstance(value, BaseException)]
