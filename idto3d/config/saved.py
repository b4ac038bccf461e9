"""Options as plain JSON, and back."""

from dataclasses import fields, is_dataclass, replace


def as_json(options) -> dict:
    """`options` as plain JSON types, nested like the dataclasses."""
    return {
        f.name: as_json(value) if is_dataclass(value) else list(value) if isinstance(value, tuple) else value
        for f in fields(options)
        for value in (getattr(options, f.name),)
    }


def from_json(kind: type, data: dict):
    """The inverse of `as_json`. Raises ValueError for an unknown option."""
    known = {f.name: f for f in fields(kind)}
    if unknown := set(data) - set(known):
        raise ValueError(f"{kind.__name__} has no option {sorted(unknown)}; it has {sorted(known)}")
    values = {}
    for name, value in data.items():
        default = known[name].default
        if is_dataclass(default):
            value = from_json(type(default), value)
        elif isinstance(value, list):
            value = tuple(value)
        values[name] = value
    return replace(kind(), **values)
