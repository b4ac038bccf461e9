"""One option of a frozen dataclass of options."""

from dataclasses import field


def option(default, help: str, **facts):
    """A dataclass field with its help text, and where not all values are allowed, `choices`, or `least` and `most`.

    Where the default is None, `like` is a value as it might be given.
    """
    return field(default=default, metadata={"help": help, **facts})
