"""What was measured of heads of words: as JSON, and as a table in Markdown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from idto3d.training.measure.heads.looks import Found
from idto3d.training.measure.heads.sheet import Told

Traits = Sequence[tuple[str, Sequence[Found]]]


def row(prompt: str, folder: str, traits: Traits, apart_mm: float, seconds: Mapping[str, float]) -> dict:
    """All of one head as plain JSON."""
    return {
        "prompt": prompt,
        "folder": folder,
        "traits": [
            {"trait": name, "there": all(one.right for one in found), "found": [asdict(one) for one in found]}
            for name, found in traits
        ],
        "seeds_apart_mm": round(apart_mm, 2),
        "seconds": {part: round(value, 1) for part, value in seconds.items()},
    }


def told(traits: Traits) -> list[Told]:
    """A line for everything that was measured."""
    return [
        Told(f"{name}: {one.what} {one.value:.3g} ({one.wanted})", one.right) for name, found in traits for one in found
    ]


def summed(rows: Sequence[Mapping]) -> dict:
    """All heads together: how many named traits are there, seconds by part, and the mean distance of two seeds."""
    traits = [trait for one in rows for trait in one["traits"]]
    parts = {part for one in rows for part in one["seconds"]}
    seconds = {part: sum(one["seconds"].get(part, 0.0) for one in rows) for part in sorted(parts)}
    return {
        "heads": len(rows),
        "named": len(traits),
        "there": sum(trait["there"] for trait in traits),
        "seeds_apart_mm": round(sum(one["seeds_apart_mm"] for one in rows) / max(len(rows), 1), 2),
        "seconds": {part: round(value, 1) for part, value in seconds.items()},
        "seconds_in_all": round(sum(seconds.values()), 1),
    }


def table(rows: Sequence[Mapping]) -> str:
    """A line for each trait; what is not there is bold."""
    lines = ["| prompt | trait | measured | wanted | there |", "|---|---|---|---|---|"]
    for one in rows:
        for trait in one["traits"]:
            measured = ", ".join(f"{found['what']} {found['value']:.3g}" for found in trait["found"])
            wanted = ", ".join(found["wanted"] for found in trait["found"])
            there = "yes" if trait["there"] else "**no**"
            lines.append(f"| {one['prompt']} | {trait['trait']} | {measured} | {wanted} | {there} |")
    return "\n".join(lines) + "\n"


def as_text(rows: Sequence[Mapping], one_line: bool) -> str:
    """Everything as JSON."""
    return json.dumps(summed(rows) | {"rows": list(rows)}, indent=None if one_line else 1)
