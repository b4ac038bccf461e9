"""What runs took on this machine: a small JSON beside them, renewed by every run that is done.

    .pace.json   {"machine": its name, "speed": of the short calibration,
                  "paces": {"WEIGHTS|DEVICE|CARRIER": {"shape": [seconds a unit of the last runs]}}}

Of each stage the last KEPT measurements are kept; their median counts, so that one run on a busy machine changes
little. A file of another machine, or a damaged one, is begun anew.
"""

import json
import logging
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from idto3d.config import PRESETS, HeadOptions
from idto3d.files import write_json
from idto3d.jobs.pace.expected import seconds, units
from idto3d.jobs.pace.speed import speed

FILE = ".pace.json"
KEPT = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Paces:
    """What is known of this machine: its `speed`, and measured seconds a unit by kind of run and stage, newest last."""

    speed: float
    measured: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)

    def of(self, options: HeadOptions) -> dict[str, float]:
        """Seconds a unit of each stage that was measured with such weights on such a device."""
        return {stage: median(taken) for stage, taken in self.measured.get(kind_of(options), {}).items()}


def kind_of(options: HeadOptions) -> str:
    """What a unit's seconds depend on besides the machine."""
    return f"{options.weights}|{options.device}|{options.shape.carrier}"


def known_paces(root: Path) -> Paces | None:
    """What is known beside the runs under `root`; None where that is nothing, or of another machine."""
    try:
        data = json.loads((root / FILE).read_text(encoding="utf-8"))
        if data["machine"] == platform.node():
            return Paces(float(data["speed"]), _measured(data["paces"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.debug("no paces in %s: %s", root, error)  # not there, torn, or of another version
    return None


def calibrated(root: Path) -> Paces:
    """What is known beside the runs under `root`; where that is nothing, after a calibration, which is kept there."""
    if known := known_paces(root):
        return known
    paces = Paces(speed())
    write_paces(root, paces)
    return paces


def _measured(paces: Mapping) -> dict[str, dict[str, tuple[float, ...]]]:
    """Raises ValueError, TypeError or AttributeError where `paces` is none of ours."""
    return {
        kind: {stage: tuple(float(one) for one in taken) for stage, taken in stages.items() if taken}
        for kind, stages in paces.items()
    }


def write_paces(root: Path, paces: Paces) -> None:
    """Keep what is known beside the runs under `root`. Raises OSError."""
    write_json(root / FILE, {"machine": platform.node(), "speed": paces.speed, "paces": dict(paces.measured)})


def learned(paces: Paces, options: HeadOptions, photos: int, taken: Mapping[str, float]) -> Paces:
    """`paces` with the seconds that the stages of a whole run have `taken`."""
    counted, kind = units(options, photos), kind_of(options)
    before = paces.measured.get(kind, {})
    now = {
        stage: (*before.get(stage, ()), taken[stage] / amount)[-KEPT:]
        for stage, amount in counted.items()
        if taken.get(stage, 0.0) > 0
    }
    return Paces(paces.speed, {**paces.measured, kind: {**before, **now}})


def planned(root: Path, options: HeadOptions, photos: int) -> dict[str, float]:
    """Seconds that each stage of a run is likely to take, in their order; of a usual machine where nothing is known."""
    paces = known_paces(root) or Paces(1.0)
    return seconds(options, photos, paces.of(options), paces.speed)


def minutes(root: Path, options: HeadOptions, photos: int) -> float:
    """Minutes that a run under `root` is likely to take, after a short calibration where nothing is known."""
    paces = calibrated(root)
    return sum(seconds(options, photos, paces.of(options), paces.speed).values()) / 60.0


def minutes_of_presets(root: Path, photos: int, weights: str = "embedded", device: str = "auto") -> dict[str, float]:
    """`minutes` of each preset, with such weights on such a device."""
    return {
        name: minutes(root, replace(preset, weights=weights, device=device), photos) for name, preset in PRESETS.items()
    }
