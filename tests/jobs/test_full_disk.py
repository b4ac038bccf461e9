"""A disk that fills up while a run works, a folder that is shut or gone, and records that were damaged."""

import errno
import os
import shutil
from dataclasses import replace

import pytest

from idto3d import files
from idto3d.errors import UserError
from idto3d.events import Notice, StageStarted, StepDone
from idto3d.jobs import run_folder
from idto3d.jobs.event_log import read_progress
from idto3d.jobs.record import read_job, write_job
from idto3d.jobs.run_folder import begin, finished, perform, resumable, take_up


def test_a_disk_that_fills_up_is_no_fault_of_ours(tmp_path, photo, options):
    def work(folder, job, checkpoints):
        checkpoints.save("shape", 1, {})
        yield Notice("so far so good")
        raise OSError(errno.ENOSPC, "No space left on device")

    lock, job = begin(tmp_path / "run", [photo], options("young"))
    with lock, pytest.raises(UserError, match="too full to go on"):
        list(perform(tmp_path / "run", job, work))
    job = read_job(tmp_path / "run")
    assert job.refused and job.error.remedy.endswith("resume.") and resumable(tmp_path / "run")


def broken(tmp_path, photo, options, harm, steps=2):
    """What a run says that was harmed after its checkpoints, and its folder."""
    folder = tmp_path / "run"

    def work(folder, job, checkpoints):
        yield StageStarted("shape", 9)
        for step in range(1, steps + 1):
            checkpoints.save("shape", step, {}, {"step": step})
            yield StepDone("shape", step, 9)
        harm(folder)
        yield Notice("on it goes")

    lock, job = begin(folder, [photo], options("young"))
    with lock, pytest.raises(UserError) as told:
        list(perform(folder, job, work))
    return str(told.value), folder


def resumed(folder, steps=9):
    """The events of the resumed run."""

    def work(folder, job, checkpoints):
        saved = checkpoints.latest("shape")
        yield StageStarted("shape", steps)
        for step in range((saved.step if saved else 0) + 1, steps + 1):
            yield StepDone("shape", step, steps)

    lock, job = take_up(folder)
    with lock:
        return list(perform(folder, job, work, resume=True))


def notices(events):
    return [event.text for event in events if isinstance(event, Notice)]


@pytest.mark.parametrize(
    "number, words", [(errno.EROFS, "Read-only"), (errno.EDQUOT, "too full"), (errno.EACCES, "Permission")]
)
def test_a_system_that_refuses_is_told_and_the_run_goes_on_later(tmp_path, photo, options, number, words):
    def harm(_folder):
        raise OSError(number, "no")

    told, folder = broken(tmp_path, photo, options, harm)
    job = read_job(folder)
    assert words in told and "resume." in told and job.refused and job.error.what in told
    steps = [event.step for event in resumed(folder) if isinstance(event, StepDone)]
    assert steps[0] == 3 and read_job(folder).status == "done"


def test_a_folder_that_was_removed_is_told_and_does_not_come_back(tmp_path, photo, options):
    told, folder = broken(tmp_path, photo, options, shutil.rmtree)
    assert "was removed while the run worked" in told and not folder.exists()


def test_job_json_tells_how_it_ended_although_nothing_more_fits_on_the_disk(tmp_path, photo, options, monkeypatch):
    def harm(folder):
        synced, most = os.fsync, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

        def full(handle):
            if sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) > most:
                raise OSError(errno.ENOSPC, "No space left on device")
            return synced(handle)

        monkeypatch.setattr(files.os, "fsync", full)
        files.write_atomic(folder / "big", bytes(100_000))

    told, folder = broken(tmp_path, photo, options, harm)
    assert "too full" in told and read_job(folder).status == "failed" and not (folder / "big").exists()


def test_a_run_whose_end_could_not_be_written_is_not_called_running(tmp_path, photo, options, monkeypatch):
    def harm(folder):
        def shut(*_):
            raise OSError(errno.EROFS, "Read-only file system")

        monkeypatch.setattr(run_folder, "write_job", shut)
        shut()

    told, folder = broken(tmp_path, photo, options, harm)
    assert "Read-only" in told
    with pytest.raises(UserError, match="stopped before it was done"):
        begin(folder, [photo], options())
    with pytest.raises(UserError, match="stopped before it was done"):
        finished(folder)


def test_work_that_is_done_again_is_told(tmp_path, photo, options):
    def harm(folder):
        newest = max((folder / "checkpoints").glob("*.json"))
        newest.write_text(newest.read_text().replace('"step": 2', '"step": 4'))  # plausible, and not what was saved
        raise OSError(errno.ENOSPC, "No space left on device")

    _, folder = broken(tmp_path, photo, options, harm)
    events = resumed(folder)
    damaged, again = notices(events)
    assert damaged == "The checkpoint of 'shape' at step 2 is damaged and is left out."
    assert again == "1 step is done again, as it was not saved."
    write_job(folder, replace(read_job(folder), status="failed"))  # and the checkpoints are gone
    assert notices(resumed(folder)) == ["9 steps are done again, as they were not saved."]


def test_a_run_refused_before_it_begins_has_a_sentence(tmp_path, photo, options, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_folder, "write_job", full)
    with pytest.raises(UserError, match="too full"):
        begin(tmp_path / "run", [photo], options())


@pytest.mark.parametrize("nonsense", ["[]", "7", '{"event": []}', '{"event": "StepDone"}', "[" * 9999])
def test_nonsense_in_records_is_no_fault(tmp_path, nonsense):
    (tmp_path / "events.jsonl").write_text(nonsense + "\n")
    (tmp_path / "job.json").write_text(nonsense)
    assert read_progress(tmp_path).step == 0
    with pytest.raises(UserError):
        read_job(tmp_path)


def test_halves_of_files_that_a_killed_run_wrote_go_when_it_is_taken_up(tmp_path, photo, options):
    folder = tmp_path / "run"
    begin(folder, [photo], options())[0].release()
    half = folder / "renders" / ".preview_normal.png.1.2.part"
    half.parent.mkdir()
    half.write_bytes(b"half a face")
    (folder / ".job.json.1.2.part").touch()
    take_up(folder)[0].release()
    assert not half.exists() and not list(folder.glob("*.part"))


def test_a_run_that_was_killed_before_its_record_was_whole_can_be_begun(tmp_path, photo, options):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".job.json.1.2.part").touch()
    begin(tmp_path / "run", [photo], options())[0].release()
