"""The figures of edits as a table in Markdown: a row for each request, a column for each head."""

from collections.abc import Mapping

LEFT_OUT = ("seconds", "first picture, s", "rig and names kept", "texels outside", "vertices outside")


def table(found: Mapping[str, Mapping[str, dict]]) -> str:
    """What `benchmarks.edits` has measured, by head and request; what is not as wanted is bold."""
    heads = list(found)
    requests = list(found[heads[0]])
    lines = [f"| request | {' | '.join(heads)} | outside | first picture | in all |", f"|{'---|' * (len(heads) + 4)}"]
    for request in requests:
        rows = [found[head][request] for head in heads]
        outside = sum(one["outside"]["texels"] + one["outside"]["vertices"] for one in rows)
        first, whole = (max(one[name] for one in rows) for name in ("first_picture_s", "seconds"))
        cells = " | ".join(_cell(one) for one in rows)
        lines.append(f"| {request} | {cells} | {outside} | {first:.1f} s | {whole:.1f} s |")
    return "\n".join(lines) + "\n"


def _cell(measures: dict) -> str:
    said = [one for one in measures["found"] if one["what"] not in LEFT_OUT]
    return ", ".join(_bold(f"{one['what']} {one['value']:.2f}", one["right"]) for one in said)


def _bold(text: str, right: bool) -> str:
    return text if right else f"**{text}**"
