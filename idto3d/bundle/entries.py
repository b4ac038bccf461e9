"""Checking the entries of bundle.json, one sentence for the first that is wrong."""

from collections.abc import Mapping

from idto3d.errors import UserError

FILE = "bundle.json"
REMEDY = "Correct bundle.json, or fetch the weights again."


def wrong(why: str) -> UserError:
    """The error for a bundle.json that says something it should not."""
    return UserError(f"{FILE} is not valid: {why}.", REMEDY)


def expect_entries(data: Mapping, kinds: Mapping[str, type], prefix: str, optional: tuple[str, ...] = ()) -> None:
    """Raise UserError unless `data` has exactly the entries `kinds`, of those types; `optional` ones may be missing."""
    for key in kinds:
        if key not in data and key not in optional:
            raise wrong(f"'{prefix}{key}' is missing")
    for key, value in data.items():
        if key not in kinds:
            raise wrong(f"'{prefix}{key}' is not known")
        if value is None and key in optional:
            continue
        allowed = (int, float) if kinds[key] is float else kinds[key]
        if not isinstance(value, allowed) or isinstance(value, bool):
            raise wrong(f"'{prefix}{key}' should be of type {kinds[key].__name__}")
