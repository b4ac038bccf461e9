"""`doctor --privacy`: what exists of whom on this machine, and the removal of it."""

import sys
from pathlib import Path

from idto3d.errors import UserError
from idto3d.files import remove, sha256_of
from idto3d.jobs.lock import is_locked, owner_of
from idto3d.jobs.privacy.places import HEADS, default_root, handed_out, lock_of, uploads_of
from idto3d.jobs.privacy.traces import Traces, deleted, digests, erase, is_run, traces
from idto3d.jobs.record import readable_job
from idto3d.jobs.run_folder import standing

ALL = "all"
SHORT = 6  # letters of an id that are shown; the whole id is the right to a job


def tell(runs: Path | None, prompts: bool, wanted: str | None, sure: bool) -> None:
    """Print what is kept in `runs` (the page's own when None), or remove what is `wanted` of it, after asking.

    Raises UserError as `delete`.
    """
    runs = runs or default_root()
    if wanted is None or not sure:
        print("\n".join(lines(runs, prompts)))
    if wanted is None:
        return
    if not sure:
        print(f"Delete {wanted} of these, which nobody can undo? [y/N] ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print("Nothing was deleted.")
            return
    print(delete(runs, wanted))


def lines(runs: Path, prompts: bool = False) -> list[str]:
    """One line for each run below `runs`, and one each for uploads and for files handed out."""
    told = [_line(folder, prompts) for folder in _folders(runs)]
    for name, files in _page(runs).items():
        size = sum(path.stat().st_size for path in files if path.is_file())
        told.append(f"{name}: {len(files)} files, {size / 1e6:.1f} MB")
    return told or [f"Nothing of anybody is kept in '{runs}'."]


def _line(folder: Path, prompts: bool) -> str:
    held, job = traces(folder), readable_job(folder)
    status = standing(folder, job) if job else "no readable record" if is_run(folder) else "not ours"
    text = f"{folder.name[:SHORT]}…  {status}: {_sum(held)}"
    return f"{text}, asked for {job.options.prompt!r}" if prompts and job and job.options.prompt else text


def _sum(held: Traces) -> str:
    return f"{held.sentence()}; {held.bytes / 1e6:.1f} MB, {held.age_seconds / 3600:.1f} h old"


def delete(runs: Path, wanted: str) -> str:
    """Remove the runs whose ids begin with `wanted`, or everything for `all`; returns what was, in a sentence.

    Uploads and files handed out of the photos and heads of these runs go as well. Raises UserError where none is
    meant, where several are, or where a process still works.
    """
    runs_of_ours = [folder for folder in _folders(runs) if is_run(folder)]
    chosen = [folder for folder in runs_of_ours if wanted == ALL or folder.name.startswith(wanted)]
    if wanted != ALL and len(chosen) != 1:
        what = f"{len(chosen) or 'No'} runs in '{runs}' have an id that begins with '{wanted}'."
        raise UserError(what, "Give more letters of the id, or 'all'.")
    page = lock_of(uploads_of(runs))
    if wanted == ALL and is_locked(page):
        raise UserError(f"A page (process {owner_of(page)}) serves these runs.", "Stop it first.")
    photos = set().union(*(digests(folder) for folder in chosen))
    held = [erase(folder) for folder in chosen]
    names = {handed_out(folder.name) for folder in chosen}
    for path in [path for files in _page(runs).values() for path in files]:
        if wanted == ALL or names & set(path.parts) or (path.is_file() and sha256_of(path) in photos):
            remove(path)
    return deleted(held)


def _folders(runs: Path) -> list[Path]:
    return sorted(path for path in runs.iterdir() if path.is_dir()) if runs.is_dir() else []


def _page(runs: Path) -> dict[str, list[Path]]:
    """The files below the page's folder: those handed out, and uploads."""
    page = uploads_of(runs)
    files = [path for path in page.rglob("*") if path.is_file()] if page.is_dir() else []
    handed = [path for path in files if HEADS in path.relative_to(page).parts[:1]]
    kinds = {"uploads": [path for path in files if path not in handed], "handed out": handed}
    return {name: found for name, found in kinds.items() if found}
