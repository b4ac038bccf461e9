"""Which scorer chooses, and where it lies: that of the weights, a folder, or one on the Hub.

Nothing is fetched unless it was asked for by name; size and licence are said before.
"""

from collections.abc import Generator
from pathlib import Path

import torch

from idto3d.bundle.find import BRANCH, ON_HUB, LocatedBundle, Weights, commit_of, fetch
from idto3d.bundle.hub import cached
from idto3d.bundle.layout import SCORER_FILE
from idto3d.bundle.sources import Source
from idto3d.config import EMBEDDED
from idto3d.config.subject import AUTO
from idto3d.errors import UserError
from idto3d.events import Event, Notice
from idto3d.guidance.scorer.clip import CONFIG, FILES, load_clip
from idto3d.guidance.scorer.file import load_scoring
from idto3d.guidance.scorer.scorer import OwnScorer, Scorer

NAMES = "Use auto, a folder with a CLIP model, or ORG/REPO[@REV] of one on the Hub."
UNKNOWN = "see its page on the Hub"


def find_scorer(
    asked: str, files: LocatedBundle | Weights, modes: int, device: torch.device
) -> Generator[Event, None, Scorer | None]:
    """The scorer that is `asked` for (see `ChoiceOptions.scorer`), loaded, for a template of so many identity modes.

    None, with a Notice, where the weights have none that knows their template. Raises UserError for a name that leads
    nowhere, and for what the Hub answers.
    """
    if asked == AUTO:
        return (yield from _of_weights(files, modes, device))
    path = Path(asked)
    if path.is_file():
        return _fitting(OwnScorer(load_scoring(path, device), path.name), modes, path)
    if path.is_dir():
        own = path / SCORER_FILE
        if own.is_file():
            return _fitting(OwnScorer(load_scoring(own, device), asked), modes, own)
        if not (path / CONFIG).is_file():
            raise UserError(f"There is no scorer in the folder {path}.", NAMES)
        return load_clip(path, asked, device)
    found = ON_HUB.fullmatch(asked)
    if not found:
        what = f"There is no scorer at '{asked}'."
        raise UserError(what, NAMES)
    commit, notice = commit_of(found[1], found[2] or BRANCH)
    if notice:
        yield Notice(notice)
    source = Source(found[1], commit, UNKNOWN, dict.fromkeys(FILES, ""))
    return load_clip((yield from fetch(source)), source.title(), device)


def _of_weights(
    files: LocatedBundle | Weights, modes: int, device: torch.device
) -> Generator[Event, None, Scorer | None]:
    source = files.info.sources.get(files.info.scorer)
    if source is not None:
        if cached(source) is not None:
            return load_clip((yield from fetch(source)), source.title(), device)
        name = f"{source.repo}@{source.revision}"
        yield Notice(f"Our own scorer chooses the head; with --set choice.scorer={name} that of these weights would.")
    own = files.folder / SCORER_FILE
    scorer = _known(own if own.is_file() else EMBEDDED / SCORER_FILE, device)
    if scorer is None or scorer.scoring.modes != modes:
        yield Notice("These weights have no scorer for their template: the head is the one that words let expect.")
        return None
    return scorer


def _known(path: Path, device: torch.device) -> OwnScorer | None:
    return OwnScorer(load_scoring(path, device), "our own scorer") if path.is_file() else None


def _fitting(scorer: OwnScorer, modes: int, path: Path) -> OwnScorer:
    if scorer.scoring.modes != modes:
        what = f"The scorer {path} knows heads of {scorer.scoring.modes} identity modes, the template has {modes}."
        raise UserError(what, "Use one that was taught on this template, or choice.scorer=auto.")
    return scorer
