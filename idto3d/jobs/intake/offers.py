"""Weights that may be chosen, and whether they can be used on this machine; see `clerk.process`.

It runs in a process of its own, so that a Hub that does not answer, or torch, which knows of graphics cards, are none
of the page's.
"""

import os
import shutil
from dataclasses import asdict
from pathlib import Path

from huggingface_hub import constants

from idto3d.bundle.offer import Offer, at_hand, looked_up
from idto3d.bundle.resolved import too_heavy
from idto3d.config import AUTO
from idto3d.device import CUDA, choose_device
from idto3d.jobs.clerk.process import Answer
from idto3d.jobs.intake.offered import Offered
from idto3d.jobs.space.engine import on_zero_gpu
from idto3d.subject.encoders import obstacle, to_download

ROOM = 1_000_000_000  # bytes that stay free on the disk
SLOW = "Without a graphics card a head takes hours with these. Choose embedded, or a machine that has one."


def offered(weights: str, device: str, ask: bool) -> Offered | None:
    """What this machine offers as `weights`; without `ask` None where only the Hub knows. Raises UserError."""
    offer = looked_up(weights) if ask else at_hand(weights)
    if offer is None:
        return None
    return Offered(offer, _hindrance(offer, device), _warnings(offer, device))


def _hindrance(offer: Offer, device: str) -> tuple[str, str] | None:
    """Why they cannot be used here."""
    if device == AUTO and _slow(offer, device):
        refusal = too_heavy("These weights")
        return refusal.what, refusal.remedy
    free = shutil.disk_usage(_existing(Path(constants.HF_HUB_CACHE))).free
    more = (offer.missing or 0) + offer.copies
    if more and more + ROOM > free:
        what = f"They take {more / 1e9:.1f} GB more, and the disk has {free / 1e9:.1f} GB left."
        return what, "Free some space, or set HF_HOME to a larger disk."
    return None


def _warnings(offer: Offer, device: str) -> tuple[str, ...]:
    said = []
    if not offer.free:
        said.append("Faces are read by InsightFace, whose models are for non-commercial research only.")
        said += [download] if (download := to_download(offer.encoder)) else []
    if missing := obstacle(offer.encoder):
        said += [f"{missing.what} Without it heads are made from words alone. {missing.remedy}"]
    if _slow(offer, device) and device != AUTO:
        said += [SLOW]
    return tuple(said)


def _slow(offer: Offer, device: str) -> bool:
    return offer.heavy and choose_device(device).type != CUDA and not on_zero_gpu(os.environ)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def answer(question: dict) -> tuple[dict, bytes]:
    """Answers `weights`, `device` and `ask` with the `offered`, which is null where only the Hub knows."""
    found = offered(question["weights"], question["device"], question["ask"])
    return {"offered": asdict(found) if found else None}, b""


def offerer() -> Answer:
    """Answers what weights would mean."""
    return answer
