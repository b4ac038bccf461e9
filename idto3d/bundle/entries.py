"""bundle.json entry by entry: JSON becomes the dataclass it describes, or one sentence names the first wrong entry."""

from dataclasses import MISSING, Field, fields, is_dataclass
from types import UnionType
from typing import get_args, get_origin, get_type_hints

from idto3d.errors import UserError

FILE = "bundle.json"
REMEDY = "Correct bundle.json, or fetch the weights again."


def wrong(why: str) -> UserError:
    """The error for a bundle.json that says something it should not."""
    return UserError(f"{FILE} is not valid: {why}.", REMEDY)


def parsed(kind, data: object, name: str = ""):
    """`data` as JSON has it as a value of the type `kind`: a dataclass, a mapping, a tuple, a text or a number.

    An entry with a default may be missing. `name` is the dotted path of the entry. Raises UserError.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _parsed_object(kind, data, name)
    if origin is UnionType:
        return None if data is None else parsed(inner[0], data, name)
    if origin is tuple:
        return _parsed_row(inner, data, name)
    if origin is not None:  # a mapping
        return {key: parsed(inner[1], value, f"{name}.{key}") for key, value in _expected(dict, data, name).items()}
    return _expected(kind, data, name)


def _parsed_object(kind: type, data: object, name: str):
    entries, types = _expected(dict, data, name), get_type_hints(kind)
    known, prefix = {field.name: field for field in fields(kind)}, f"{name}." if name else ""
    for field in known.values():
        if field.name not in entries and not _has_default(field):
            raise wrong(f"'{prefix}{field.name}' is missing")
    for key in entries:
        if key not in known:
            raise wrong(f"'{prefix}{key}' is not known")
    return kind(**{key: parsed(types[key], value, prefix + key) for key, value in entries.items()})


def _has_default(field: Field) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _parsed_row(inner: tuple, data: object, name: str) -> tuple:
    values = _expected(list, data, name)
    if inner[-1] is not Ellipsis and len(values) != len(inner):
        raise wrong(f"'{name}' should have {len(inner)} values")
    return tuple(parsed(inner[0], value, name) for value in values)


NAMES = {dict: "an object", list: "a list", str: "a text", int: "a whole number", float: "a number"}


def _expected(kind: type, data: object, name: str):
    """`data`, which is of the JSON type `kind`; `object` stands for any."""
    allowed = (int, float) if kind is float else kind
    if not isinstance(data, allowed) or (isinstance(data, bool) and kind is not object):
        raise wrong(f"'{name}' should be {NAMES[kind]}")
    return data


def expect(prefix: str, *facts: tuple[object, str]) -> None:
    """Raise UserError with the words beside the first of `facts` that does not hold, after `prefix`."""
    for holds, why in facts:
        if not holds:
            raise wrong(prefix + why)
