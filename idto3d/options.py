"""Options by their dotted names, and read from text."""

from dataclasses import Field, fields, is_dataclass, replace

from idto3d.errors import UserError, shown


def with_option(options, name: str, text: str, section: str = ""):
    """`options` with the option of dotted `name` (`shape.steps`) read from `text`. Raises UserError.

    Whether a head can be made with it is for `checks.checked` to say. `section` is the dotted path of `options` itself;
    it is only named in errors.
    """
    first, _, rest = name.partition(".")
    known = {f.name: f for f in fields(options)}
    value = getattr(options, first, None) if first in known else None
    if first not in known or is_dataclass(value) != bool(rest):
        choices = ", ".join(section + choice for choice in option_names(options))
        raise UserError(f"There is no option '{section}{shown(name)}'.", f"Choose from: {choices}.")
    if rest:
        return replace(options, **{first: with_option(value, rest, text, f"{section}{first}.")})
    return replace(options, **{first: _parsed(text, known[first], section + first)})


def option_names(options) -> list[str]:
    """Dotted names of all options, depth first."""
    names = []
    for f in fields(options):
        value = getattr(options, f.name)
        names += [f"{f.name}.{inner}" for inner in option_names(value)] if is_dataclass(value) else [f.name]
    return names


def _parsed(text: str, option: Field, name: str):
    """`text` as a value of an option; one whose default is None may be left out. Raises UserError."""
    if option.default is None and text.lower() == "none":
        return None
    like = option.metadata.get("like", option.default)
    try:
        return _read_like(text, like)
    except (ValueError, KeyError):
        example = ",".join(map(str, like)) if isinstance(like, tuple) else like
        raise UserError(f"'{shown(text)}' is no value for {name}.", f"Give one like {example}.") from None


def _read_like(text: str, like):
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if isinstance(like, bool):
        return words[text.lower()]
    if isinstance(like, tuple):
        read = type(like[0]) if like else str
        parts = tuple(read(part.strip()) for part in text.split(","))
        if like and read is int and len(parts) != len(like):
            raise ValueError
        return parts
    return type(like)(text)
