"""Makes jobs of every kind and state out of marked photos, deletes them, and looks for the mark in every byte left.

Jobs are done, stopped, killed in the midst of a write, or have a damaged record or none; pictures are drawn later,
files handed out, and photos uploaded twice. What was there before is there after, and nothing else.
"""

import random
import secrets
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.gates import steps
from benchmarks.gates.gate import Gate, Outcome, main_of
from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.desk import Desk
from idto3d.jobs.privacy.report import delete
from idto3d.jobs.record import photo_record, read_job, write_job
from idto3d.jobs.run_folder import GLB, PHOTOS
from idto3d.ui.actions import Actions
from idto3d.ui.shelf import Shelf

STATES = ("done", "stopped", "killed", "no record", "damaged record")


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` deletions, every third one from the shell."""
    runs, uploads = folder / "runs", folder / "runs-page"
    uploads.mkdir()
    does, chance, failures = Actions(Desk(runs), Shelf(uploads)), random.Random(seed), []
    stranger = uploads / "other" / "another.png"
    stranger.parent.mkdir()
    stranger.write_bytes(b"somebody else")
    for number in range(count):
        before, state = listed(folder), chance.choice(STATES)
        mark = f"face{chance.getrandbits(128):032x}"
        job_id = made(does, uploads, mark, state, chance)
        try:
            told = delete(runs, job_id) if number % 3 == 0 else does.delete_all([job_id])[2]
        except (UserError, OSError) as error:
            told = str(error)
        wrong = left_over(folder, before, mark) or ("" if told.startswith("Deleted: ") else f"it said: {told}")
        failures += [f"{number}: {state}: {wrong}"] if wrong else []
    return Outcome(count, tuple(failures))


def made(does: Actions, uploads: Path, mark: str, state: str, chance: random.Random) -> str:
    """A job in a state, made from photos with a mark in them; returns its id."""
    job_id = secrets.token_urlsafe(16)
    folder, photos = does.desk.root / job_id, []
    until = steps.STEPS + 1 if state == "done" else chance.randint(2, steps.STEPS)

    def each(step: int) -> None:
        if step == 1:
            photos.extend(photographed(folder, uploads, mark, chance.randint(1, 3)))
        if step == until:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        steps.run(folder, steps.options(mark, 0.0), each=each)
    write_job(folder, _with(folder, photos))
    drawn(does, folder, job_id, mark, state)
    return job_id


def _with(folder: Path, photos: list[Path]) -> record.Job:
    job = read_job(folder)
    return replace(job, photos=tuple(photo_record(photo) for photo in photos))


def photographed(folder: Path, uploads: Path, mark: str, count: int) -> list[Path]:
    """Copies, crops and uploads (each twice) of that many photos; returns the uploads."""
    found = []
    for number in range(count):
        data = mark.encode() * 50 + bytes([number])
        places = (folder / PHOTOS / f"{number}", uploads / f"{mark}{number}", uploads / f"{mark}{number}again")
        for place in (*places, folder / "subject"):
            place.mkdir(parents=True, exist_ok=True)
            (place / f"anna{number}.png").write_bytes(data)
        found.append(places[1] / f"anna{number}.png")
    return found


def drawn(does: Actions, folder: Path, job_id: str, mark: str, state: str) -> None:
    """Pictures drawn later, files handed out, and what a kill or a damage leaves."""
    (folder / "renders").mkdir(exist_ok=True)
    (folder / "renders" / "later.png").write_bytes(mark.encode())
    if state == "done":
        does.shelf.glb(job_id, folder / GLB)
        with zipfile.ZipFile(does.shelf.archive(job_id, folder / GLB).with_name(".head.zip.1.part"), "w") as part:
            part.writestr("head.txt", mark)
    if state == "killed":
        (folder / "checkpoints" / ".000099_shape_9.safetensors.1.part").write_bytes(mark.encode())
        (folder / ".job.json.1.2.part").write_text(mark)
        write_job(folder, replace(read_job(folder), status=record.RUNNING, ended=""))
    if state == "damaged record":
        (folder / record.FILE).write_text(mark + "[" * 9)
    if state == "no record":
        (folder / record.FILE).unlink()


def listed(folder: Path) -> set[Path]:
    """All files below `folder`."""
    return {path for path in folder.rglob("*") if path.is_file()}


def left_over(folder: Path, before: set[Path], mark: str) -> str:
    """What a deletion left or took too much of; empty where nothing."""
    after = listed(folder)
    if fresh := sorted(str(path.relative_to(folder)) for path in after - before):
        return f"left {', '.join(fresh)}"
    if gone := before - after:
        return f"took {len(gone)} files of others"
    holding = [path.name for path in after if mark.encode() in path.read_bytes()]
    return f"left the photo's bytes in {holding}" if holding else ""


PROMISE = "A deleted job leaves no file and no byte of its photos, whatever state it was in."
GATE = Gate("deletions", PROMISE, 200, run)

if __name__ == "__main__":
    main_of(GATE)
