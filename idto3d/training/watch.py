"""What a person sees while a model trains: lines in log.jsonl, a curve in loss.svg, pictures in samples/."""

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from idto3d.training.measure.samples import Gallery, grid
from idto3d.training.model import Model

LOG, CURVE, SAMPLES = "log.jsonl", "loss.svg", "samples"
LINE_STEPS, CURVE_SECONDS = 50, 60.0
WIDTH, HEIGHT, MARGIN = 720, 200, 40
COLOURS = {"loss": "#888", "geometry_error": "#06c", "albedo_error": "#c50"}


class Watch:
    """Writes into the work folder `folder`; pictures of `gallery` every `picture_minutes`, none at 0.

    In a training of many processes only the main one writes.
    """

    def __init__(self, folder: Path, gallery: Gallery | None = None, picture_minutes: float = 0.0):
        self.folder = folder
        self._gallery = gallery if picture_minutes > 0 else None
        self._picture_seconds = 60 * picture_minutes
        self._losses: list[Tensor] = []
        self._stage = ""
        self._pictured = time.monotonic()
        self._drawn = 0.0

    def tell(self, stage: str, step: int, seconds: float, figures: dict) -> None:
        """Print one line and append it to the log; redraw the curve from time to time."""
        line = json.dumps({"stage": stage, "step": step, "seconds": round(seconds, 1)} | figures)
        print(line, flush=True)
        with open(self.folder / LOG, "a", encoding="utf-8") as log:
            log.write(line + "\n")
        if time.monotonic() - self._drawn > CURVE_SECONDS:
            draw_curve(self.folder)
            self._drawn = time.monotonic()

    def step(self, stage: str, step: int, seconds: float, loss: Tensor) -> None:
        """Note the loss of one step; every 50 steps their mean is told."""
        if stage != self._stage:
            self._stage = stage
            self._losses.clear()
        self._losses.append(loss.detach())
        if step % LINE_STEPS == 0:
            self.tell(stage, step, seconds, {"loss": round(torch.stack(self._losses).nanmean().item(), 5)})
            self._losses.clear()

    def picture_due(self) -> bool:
        """Whether it is time for pictures."""
        return self._gallery is not None and time.monotonic() - self._pictured > self._picture_seconds

    def picture(self, model: Model, stage: str, domains: tuple[str, ...], step: int) -> None:
        """Write a grid of true pictures and samples."""
        if self._gallery is not None:
            (self.folder / SAMPLES).mkdir(exist_ok=True)
            grid(model, self._gallery, domains).save(self.folder / SAMPLES / f"{stage}-{step:06}.png")
        self._pictured = time.monotonic()


def draw_curve(folder: Path) -> None:
    """Draw log.jsonl as loss.svg: one chart per stage, training loss in grey, held-out errors in blue and orange."""
    stages: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for line in _lines(folder / LOG):
        for name, value in line.items():
            if name in COLOURS and math.isfinite(value):
                stages[line["stage"]][name][line["step"]] = value  # a continued run replaces the steps it repeats
    charts = [_chart(name, curves, i * (HEIGHT + MARGIN)) for i, (name, curves) in enumerate(stages.items())]
    size = f'width="{WIDTH}" height="{len(charts) * (HEIGHT + MARGIN)}"'
    style = 'font-family="sans-serif" font-size="12" fill="#333"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n' + "\n".join(charts) + "\n</svg>\n"
    (folder / CURVE).write_text(svg, encoding="utf-8")


def _lines(log: Path) -> Iterator[dict]:
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # cut short when the machine stopped


def _chart(title: str, curves: dict[str, dict[int, float]], top: int) -> str:
    values = [value for curve in curves.values() for value in curve.values()]
    last = max(step for curve in curves.values() for step in curve)
    low, high = min(values), max(values)
    elements = [f'<text x="8" y="{top + 16}">{title}: {low:.4g} to {high:.4g}, step {last}</text>']
    for name, curve in curves.items():
        points = " ".join(_points(curve, last, low, high, top + MARGIN))
        elements.append(
            f'<polyline fill="none" stroke="{COLOURS[name]}" points="{points}"><title>{name}</title></polyline>'
        )
    return "\n".join(elements)


def _points(curve: dict[int, float], last: int, low: float, high: float, top: int) -> Iterable[str]:
    for step, value in sorted(curve.items()):
        y = top + (HEIGHT - MARGIN) * (high - value) / max(high - low, 1e-12)
        yield f"{WIDTH * step / max(last, 1):.1f},{y:.1f}"
