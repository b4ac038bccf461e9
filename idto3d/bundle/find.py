"""Finding weights: embedded, community, a folder, or ORG/REPO[@REV] on the Hub, with everything they refer to."""

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from huggingface_hub import HfApi, get_cached_repo_tree, resolve_revision
from huggingface_hub.errors import CachedRepoTreeNotFoundError, OfflineModeIsEnabled, RevisionResolutionError
from huggingface_hub.utils import httpx

from idto3d.bundle.checked import check_files, ready
from idto3d.bundle.entries import FILE
from idto3d.bundle.hub import FIRST_ANSWER, NotThere, Plan, asked, cached, download, in_all, plainly, plan, take
from idto3d.bundle.info import BundleInfo, read_info
from idto3d.bundle.layout import IDENTITY_FILE, own_files, read_first
from idto3d.bundle.needed import given_up, needed, without, without_optional
from idto3d.bundle.sources import COMMIT, REPO, Source
from idto3d.config import EMBEDDED, LANDMARKS_FILE, MATTE_FILE, NAMED
from idto3d.errors import UserError
from idto3d.events import Event, Notice, exhausted

BRANCH = "main"
OWN = ""  # the name of a bundle's own files among those that have to be fetched
PINNED = re.compile(rf"\(({REPO.pattern})@({COMMIT.pattern})\)$")  # at the end of a bundle's title
ON_HUB = re.compile(rf"({REPO.pattern})(?:@([\w./-]+))?")


@dataclass(frozen=True)
class LocatedBundle:
    """A bundle of which bundle.json is here: what it says, and the folder or the source of its own files.

    The networks that read photos are here too, so that they can be read first: that of its identity encoder, where it
    has one, and those of landmarks and matte, which are the embedded bundle's where it has none of its own.
    """

    info: BundleInfo
    folder: Path
    origin: Source | None = None

    def identity_path(self) -> Path | None:
        """The file of the identity encoder's network, None where the encoder needs none."""
        return self.folder / IDENTITY_FILE if self.info.identity_encoder.has_file() else None

    def landmarks_path(self) -> Path:
        """The file of the networks that find a face's landmarks."""
        return self._own_or_embedded(LANDMARKS_FILE)

    def matte_path(self) -> Path:
        """The file of the network that tells a person from the background."""
        return self._own_or_embedded(MATTE_FILE)

    def _own_or_embedded(self, name: str) -> Path:
        own = self.folder / name
        return own if own.is_file() else EMBEDDED / name

    def title(self) -> str:
        """The bundle's name, with the commit of one that comes from the Hub."""
        return (
            self.info.name if self.origin is None else f"{self.info.name} ({self.origin.repo}@{self.origin.revision})"
        )

    def address(self, asked: str) -> str:
        """What finds this very bundle again: the weights that were `asked` for, at the commit they stood for."""
        return asked if self.origin is None else f"{self.origin.repo}@{self.origin.revision}"


@dataclass(frozen=True)
class Weights:
    """A bundle whose files are all here; `sources` maps the names of the sources that are needed to their folders."""

    info: BundleInfo
    folder: Path
    sources: Mapping[str, Path]
    title: str

    def place(self, name: str) -> Path:
        """The folder of a source, or of a part of the bundle itself."""
        return self.sources.get(name, self.folder / name)

    def own_or_embedded(self, name: str) -> Path:
        """The bundle's own file called `name`, or the embedded bundle's where it has none."""
        own = self.folder / name
        return own if own.is_file() else EMBEDDED / name

    def variant(self, name: str) -> str | None:
        """The word for the precision in the file names of a source; None for a part of the bundle itself."""
        return self.info.sources[name].variant if name in self.info.sources else None

    def file(self, name: str) -> Path:
        """The one tensor file of the source of an adapter."""
        only = next(iter(self.info.sources[name].files))
        return self.sources[name] / Path(only).with_suffix(".safetensors")


def find_bundle(weights: str | Path) -> Generator[Event, None, LocatedBundle]:
    """Read the bundle.json of `weights`; of one on the Hub no large file is fetched. Raises UserError."""
    name = str(weights)
    if name in NAMED and not NAMED[name].is_dir():
        raise UserError(f"The {name} weights are not at {NAMED[name]}.", "Install idto3d together with its weights.")
    if name in NAMED or Path(weights).is_dir():
        folder = NAMED.get(name, Path(weights))
        return LocatedBundle(read_info(folder), folder)
    match = ON_HUB.fullmatch(name)
    if not match:
        raise UserError(
            f"There are no weights at '{weights}'.",
            "Use embedded, community, a folder that holds a bundle, or ORG/REPO of one on the Hub.",
        )
    return (yield from _find_on_hub(match[1], match[2] or BRANCH))


def find_here(weights: str, title: str) -> LocatedBundle | None:
    """The bundle `weights` whose `title` (see LocatedBundle) something was made with, where all its files are here.

    Makes no request. None where a file is missing, or where another bundle has that name by now; optional guidances
    of which a file is missing are left out.
    """
    try:
        if weights in NAMED or Path(weights).is_dir():
            located = exhausted(find_bundle(weights))
        elif pinned := PINNED.search(title):
            located = _cached(*pinned.groups())
        else:
            return None
    except UserError:
        return None
    if located is None or located.title() != title or not _all_here(located):
        return None
    return replace(located, info=_of_what_is_here(located.info))


def _cached(repo: str, commit: str) -> LocatedBundle | None:
    """A bundle of the Hub whose small files, and the list of all, are on this machine; else None."""
    try:
        present = {entry.path for entry in get_cached_repo_tree(repo, revision=commit)}
    except CachedRepoTreeNotFoundError:
        return None
    folder = cached(Source(repo, commit, "", {FILE: ""}))
    if folder is None:
        return None
    first = dict.fromkeys(read_first(read_info(folder), present), "")
    return None if cached(Source(repo, commit, "", first)) is None else exhausted(_find_on_hub(repo, commit))


def _all_here(located: LocatedBundle) -> bool:
    sources = [located.info.sources[name] for name in needed(located.info, refine=False, beside=False)]
    sources += [] if located.origin is None else [located.origin]
    return all(cached(source) is not None for source in sources)


def _of_what_is_here(info: BundleInfo) -> BundleInfo:
    """`info` without the optional guidances of which a file is not on this machine."""
    for name in needed(info):
        if cached(info.sources[name]) is None:
            info = without(info, name)
    return info


def read_card(repo: str, revision: str) -> Generator[Event, None, tuple[Source, Path, set[str]]]:
    """The bundle.json of a repository on the Hub, as a source with its folder, and the paths of all files there.

    Nothing else is fetched. Raises UserError.
    """
    commit, notice = commit_of(repo, revision)
    if notice:
        yield Notice(notice)
    card = Source(repo, commit, "", {FILE: ""})
    return card, _at_once(card), _present(card)


def _find_on_hub(repo: str, revision: str) -> Generator[Event, None, LocatedBundle]:
    card, folder, present = yield from read_card(repo, revision)
    info, commit = read_info(folder), card.revision
    if len(first := read_first(info, present)) > 1:
        folder = _at_once(replace(card, files=dict.fromkeys(first, "")))
    files = dict.fromkeys(own_files(info, present), "")
    return LocatedBundle(info, folder, Source(repo, commit, info.licence, files))


def _at_once(small: Source) -> Path:
    """The folder of a small source that is read before anything else: checked, fetched where it is not here."""
    folder = cached(small)
    if folder is None:
        plan(small)  # says plainly what is wrong with the repository
        folder = take(small)
    check_files(small, folder)
    return folder


def commit_of(repo: str, revision: str) -> tuple[str, str]:
    """The commit that `revision` stands for, and what should be said about it."""
    if COMMIT.fullmatch(revision):
        return revision, ""
    wanted = Source(repo, revision, "", {})
    try:
        HfApi().model_info(repo, revision=revision, timeout=FIRST_ANSWER)
    except (OfflineModeIsEnabled, httpx.ConnectError, httpx.TimeoutException) as fault:
        try:
            commit = resolve_revision(repo, revision=revision, local_files_only=True).resolved
        except RevisionResolutionError:
            raise plainly(fault, wanted) from fault
        return commit, f"The Hub cannot be asked; using the commit {commit} of {repo} that is on this machine."
    except (OSError, httpx.HTTPError, ValueError) as fault:
        raise plainly(fault, wanted) from fault
    commit = asked(wanted, lambda: resolve_revision(repo, revision=revision)).resolved
    return commit, f"Using {repo} at its commit {commit}; write {repo}@{commit} to stay with it."


def _present(card: Source) -> set[str]:
    """The paths of all files of a repository on the Hub."""
    try:
        tree = get_cached_repo_tree(card.repo, revision=card.revision)
    except CachedRepoTreeNotFoundError:
        take(card)
        tree = get_cached_repo_tree(card.repo, revision=card.revision)
    return {entry.path for entry in tree}


@dataclass(frozen=True)
class Planned:
    """A bundle, and what of it has to be fetched, by the names of sources; OWN are the bundle's own files.

    Of the optional guidances it has those alone of which the Hub has all files.
    """

    located: LocatedBundle
    orders: Mapping[str, Plan]


def plan_weights(located: LocatedBundle, refine: bool = True, beside: bool = True) -> Generator[Event, None, Planned]:
    """Ask the Hub about everything that `located` still lacks, before any of it is fetched.

    refine, beside: also what only the refinement, and what only further guidances need. Where the Hub has not got that,
    a Notice says so, and the bundle has no such guidance. Where everything is here, nothing is asked. Raises UserError.
    """
    info = without_optional(located.info, refine, beside)
    orders = {} if located.origin is None else {OWN: _order(located.origin)}
    for name in needed(info, refine=False, beside=False):
        orders[name] = _order(info.sources[name])
    for name in needed(info):
        if name in orders or name not in needed(info):  # the latter where what takes it was given up meanwhile
            continue
        try:
            orders[name] = _order(info.sources[name])
        except NotThere as missing:
            before, info = info, without(info, name)
            yield Notice(f"{missing.what} {given_up(before, info)}")
    wanted = (OWN, *needed(info))
    return Planned(replace(located, info=info), {name: orders[name] for name in wanted if orders.get(name)})


def _order(source: Source) -> Plan | None:
    return plan(source) if cached(source) is None else None


def fetch_weights(located: LocatedBundle, refine: bool = True, beside: bool = True) -> Generator[Event, None, Weights]:
    """Plan, see `plan_weights`, and fetch what `located` still lacks, see `fetch_planned`. Raises UserError."""
    return (yield from fetch_planned((yield from plan_weights(located, refine, beside))))


def fetch_planned(planned: Planned) -> Generator[Event, None, Weights]:
    """Fetch what was planned, saying its size and licence before and its progress meanwhile.

    An optional guidance that the Hub refuses after all is given up with a Notice. Raises UserError.
    """
    located, orders = planned.located, planned.orders
    info, origin = located.info, located.origin
    if len(orders) > 1:
        yield Notice(in_all(orders.values()))
    folder = located.folder if origin is None else (yield from fetch(origin, orders.get(OWN)))
    must = needed(info, refine=False, beside=False)
    sources = {}
    for name in sorted(needed(info), key=lambda name: name not in must):
        if name not in needed(info):
            continue
        try:
            sources[name] = yield from fetch(info.sources[name], orders.get(name))
        except NotThere as missing:
            if name in must:
                raise
            before, info = info, without(info, name)
            yield Notice(f"{missing.what} {given_up(before, info)}")
    return Weights(info, folder, {name: sources[name] for name in needed(info)}, located.title())


def fetch(source: Source, order: Plan | None = None) -> Generator[Event, None, Path]:
    """The folder of `source`, checked and ready to load; fetched where it is not on this machine. Raises UserError.

    order: what it would take, where that was asked before.
    """
    folder = cached(source)
    if folder is None:
        order = order or plan(source)
        yield Notice(order.sentence())
        folder = yield from download(order)
    check_files(source, folder)
    return ready(source, folder)
