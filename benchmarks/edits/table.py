"""The figures of edits as a table in Markdown: a row for each request, a column for each head."""

from collections.abc import Mapping, Sequence

LEFT_OUT = ("seconds", "first picture, s", "rig and names kept", "texels outside", "vertices outside")


def table(found: Mapping[str, Mapping[str, dict]], requests: Sequence[str]) -> str:
    """What `benchmarks.edits` has measured so far, by head and request; what is not as wanted is bold."""
    heads = list(found)
    lines = [f"| request | {' | '.join(heads)} | outside | first picture | in all |", f"|{'---|' * (len(heads) + 4)}"]
    for request in requests:
        rows = [found[head][request] for head in heads if request in found[head]]
        if rows:
            cells = " | ".join(_cell(found[head].get(request)) for head in heads)
            lines.append(f"| {request} | {cells} | {_sums(rows)} |")
    return "\n".join(lines) + "\n"


def _sums(rows: Sequence[dict]) -> str:
    """Of one request on all heads: what differs outside, and the longest times."""
    outside = sum(one["outside"]["texels"] + one["outside"]["vertices"] for one in rows)
    first, whole = (max(one[name] for one in rows) for name in ("first_picture_s", "seconds"))
    return f"{outside} | {first:.1f} s | {whole:.1f} s"


def _cell(measures: dict | None) -> str:
    if measures is None:
        return ""
    said = [one for one in measures["found"] if one["what"] not in LEFT_OUT]
    return ", ".join(_bold(f"{one['what']} {one['value']:.2f}", one["right"]) for one in said)


def _bold(text: str, right: bool) -> str:
    return text if right else f"**{text}**"
