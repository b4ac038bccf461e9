"""What a choice of weights would mean: whose they are, how much would be fetched, and under which terms.

`at_hand` asks nobody; `looked_up` may ask the Hub, and fetches no more than a bundle.json.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import get_cached_repo_tree
from huggingface_hub.errors import CachedRepoTreeNotFoundError

from idto3d.bundle.checked import to_copy
from idto3d.bundle.entries import FILE
from idto3d.bundle.find import BRANCH, ON_HUB, LocatedBundle, find_bundle, read_card
from idto3d.bundle.hub import cached, plan, readable
from idto3d.bundle.info import LARGE_SIDE, BundleInfo, read_info
from idto3d.bundle.layout import own_files
from idto3d.bundle.needed import needed
from idto3d.bundle.sources import COMMIT, Source
from idto3d.config import FREE, NAMED
from idto3d.errors import UserError
from idto3d.events import exhausted

Sizes = tuple[int | None, int | None, int | None]  # bytes in all, missing, and to be copied; None: only the Hub knows


@dataclass(frozen=True)
class Offer:
    """Weights that may be chosen.

    weights: how they are asked for. title: their name, with the commit of those on the Hub. licences: their own and
    that of everything that they refer to. size: bytes of all their files; missing: of those that are not on this
    machine; both None where only the Hub knows and nobody asked it. encoder: the identity encoder they take. side: of
    the pictures they judge, pixels. copies: bytes that our own copies of pickled files will take at most, see
    `checked.ready`.
    """

    weights: str
    title: str
    licences: tuple[str, ...]
    encoder: str
    side: int
    size: int | None = None
    missing: int | None = None
    copies: int = 0

    @property
    def free(self) -> bool:
        """Whether the models of the encoder may be used for anything."""
        return self.encoder in FREE

    @property
    def heavy(self) -> bool:
        """Whether they want a graphics card."""
        return self.side >= LARGE_SIDE

    def fetching(self) -> str:
        """What choosing them would fetch, and write beside it, in a sentence or two."""
        if self.missing is None:
            return "How much would be fetched is told when it is looked up on the Hub."
        more = f" Copies of it take up to {readable(self.copies)} more." if self.copies else ""
        if not self.missing:
            return f"All of it is on this machine ({readable(self.size or 0)}).{more}"
        of = f" of {readable(self.size)}" if self.size and self.size > self.missing else ""
        return f"{readable(self.missing)}{of} would be fetched from the Hub.{more}"


def at_hand(weights: str) -> Offer | None:
    """The offer of `weights` as far as this machine knows it, without a request; None where it knows nothing.

    It knows those of the Hub that were looked up before, at one commit. Raises UserError where a folder is no bundle.
    """
    if _hub_name(weights):
        return _remembered(weights)
    found = exhausted(find_bundle(weights))
    return _offer(weights, found.title(), found.info, _local(found), ask=False)


def looked_up(weights: str) -> Offer:
    """The offer of `weights`; the Hub is asked where files have to come from there. Raises UserError."""
    if not (match := _hub_name(weights)):
        found = exhausted(find_bundle(weights))
        return _offer(weights, found.title(), found.info, _local(found), ask=True)
    return _on_hub(*exhausted(read_card(match[1], match[2] or BRANCH)), ask=True)


def _hub_name(weights: str) -> re.Match | None:
    """Repository and revision of `weights` on the Hub; None where they are others."""
    return None if weights in NAMED or Path(weights).is_dir() else ON_HUB.fullmatch(weights)


def _remembered(weights: str) -> Offer | None:
    """The offer of `weights` on the Hub that were looked up before."""
    repo, _, commit = weights.partition("@")
    card = Source(repo, commit, "", {FILE: ""})
    folder = cached(card) if COMMIT.fullmatch(commit) else None
    if folder is None:
        return None
    try:
        tree = get_cached_repo_tree(repo, revision=commit)
    except CachedRepoTreeNotFoundError:
        return None
    return _on_hub(card, folder, {entry.path for entry in tree}, ask=False)


def _on_hub(card: Source, folder: Path, present: Collection[str], ask: bool) -> Offer:
    """The offer of the bundle that `card` names, of whose files `present` are on the Hub."""
    info = read_info(folder)
    own = Source(card.repo, card.revision, info.licence, dict.fromkeys(own_files(info, present), ""))
    title = f"{info.name} ({own.title()})"
    return _offer(f"{card.repo}@{card.revision}", title, info, _size(own, ask), ask)


def _local(found: LocatedBundle) -> Sizes:
    """Bytes of a bundle's own files in its folder; none has to be fetched or copied. Raises UserError."""
    folder = found.folder
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    files = own_files(found.info, present)
    if absent := [name for name in files if name not in present]:
        raise UserError(f"The weights in '{folder}' have no {absent[0]}.", "Copy the whole bundle again.")
    return sum((folder / name).stat().st_size for name in files), 0, 0


def _offer(weights: str, title: str, info: BundleInfo, own: Sizes, ask: bool) -> Offer:
    sizes = [own, *(_size(info.sources[name], ask) for name in needed(info))]
    size, missing, copies = (_sum([part[place] for part in sizes]) for place in range(3))
    about = (weights, title, info.licences(), info.identity_encoder.name, info.image_size)
    return Offer(*about, size, missing, copies or 0)


def _size(source: Source, ask: bool) -> Sizes:
    """Bytes of a source, of what is missing of it, and of what will be copied of it."""
    folder = cached(source)
    if folder is not None:
        sizes = {name: (folder / name).stat().st_size for name in source.files}
        return sum(sizes.values()), 0, to_copy(source, sizes)
    if not ask:
        return None, None, None
    order = plan(source)
    return order.size, order.missing, to_copy(source, order.sizes)


def _sum(parts: Sequence[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
