"""A batch ends with everybody's head, whatever happens to it on the way."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from waiting import until

from idto3d import cli
from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.jobs.batch import command, run
from idto3d.jobs.batch.command import conduct
from idto3d.jobs.batch.run import MOST_DEATHS, Conductor
from idto3d.jobs.batch.sheet import SIDE, VIEWS
from idto3d.jobs.batch.standing import places
from idto3d.jobs.batch.table import read_table
from idto3d.jobs.engine import LocalEngine
from idto3d.jobs.lock import owner_of
from idto3d.jobs.record import CANCELLED, DONE, EDIT, FAILED, begun, further_job, read_job, write_job
from idto3d.jobs.run_folder import LOCK

ROOT = Path(__file__).parents[3]
SHORT = ["shape.steps=4", "material.steps=4"]


@pytest.fixture(autouse=True)
def signals():
    """As they were, after a batch took them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def crowd(tmp_path):
    """Makes the places of people with these prompts, one row each."""

    def make(*prompts, steps=SHORT):
        table = tmp_path / "people.csv"
        table.write_text("\n".join(["name,prompt", *(f"p{row},{prompt}" for row, prompt in enumerate(prompts))]))
        (tmp_path / "out").mkdir(exist_ok=True)
        return places(read_table(table, "", steps), tmp_path / "out")

    return make


class Counted(LocalEngine):
    """Two workers of the toy pipeline; counts what it begins."""

    def __init__(self):
        super().__init__(2, "fake_pipeline")
        self.begun = []

    def begin(self, folder):
        self.begun.append(folder.name)
        super().begin(folder)


def results(out):
    with open(out / "results.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_head_that_was_being_edited_is_not_made_again(crowd, tmp_path):
    (place,) = wanted = crowd("young")
    conduct(wanted, tmp_path / "out", Counted())
    made = read_job(place.folder)
    write_job(place.folder, begun(further_job(made, EDIT, made.options, (EditOptions(prompt="older"),))))
    again = Counted()
    assert conduct(wanted, tmp_path / "out", again) == 0 and again.begun == []
    assert results(tmp_path / "out")[0]["status"] == DONE


def test_heads_are_made_told_and_not_made_again(crowd, tmp_path, capsys):
    out, wanted = tmp_path / "out", crowd("young", "refuse", "old")
    assert conduct(wanted, out, Counted()) == 2
    first, second, third = results(out)
    assert (first["status"], second["status"], third["status"]) == (DONE, FAILED, DONE)
    assert (first["name"], first["likeness"], first["glb"]) == ("p0", "0.710", "p0/head.glb")
    assert float(first["seconds"]) >= 0 and second["glb"] == "" and second["likeness"] == ""
    assert second["what"].startswith("No face was found") and second["remedy"].startswith("Use a photo")
    printed = capsys.readouterr()
    assert "p1 (failed): No face was found" in printed.err and "2 done, 1 failed" in printed.out
    again, retried = Counted(), Counted()
    assert conduct(wanted, out, again) == 2 and again.begun == []
    assert conduct(wanted, out, retried, retry=True) == 2 and retried.begun == ["p1"]
    mended = Counted()
    assert conduct(crowd("young", "middle-aged", "old"), out, mended) == 0 and mended.begun == ["p1"]


def test_a_row_that_asks_for_something_else_than_lies_there_is_refused(crowd, tmp_path):
    conduct(crowd("young"), tmp_path / "out", Counted())
    with pytest.raises(UserError, match="row 2: .*other photos or options"):
        crowd("old")
    (tmp_path / "out" / "p1").mkdir()
    (tmp_path / "out" / "p1" / "letter.txt").touch()
    with pytest.raises(UserError, match="row 3: .*holds other files"):
        crowd("young", "old")


def test_the_picture_of_all_heads_shows_three_views_of_each_that_is_done(crowd, tmp_path):
    out, wanted = tmp_path / "out", crowd("young", "refuse", "old")
    conduct(wanted, out, Counted())
    assert not (out / "heads.png").exists()
    for place, colour in ((wanted[0], "red"), (wanted[2], "blue")):
        for view in VIEWS:
            Image.new("RGB", (64, 64), colour).save(place.folder / "renders" / f"{view}.png")
    conduct(wanted, out, Counted())
    with Image.open(out / "heads.png") as sheet:
        assert sheet.width == 2 * 3 * SIDE and sheet.info["ai_generated"] == "true"
        assert sheet.getpixel((10, 10)) == (255, 0, 0) and sheet.getpixel((sheet.width - 10, 10)) == (0, 0, 255)


def test_a_batch_goes_on_beside_workers_that_a_killed_one_left(crowd, tmp_path):
    wanted = crowd("slow", "slow", "young", steps=["shape.steps=20", "material.steps=4"])
    left = Counted()
    Conductor(wanted, left).step()
    until(lambda: all(owner_of(place.folder / LOCK) for place in wanted[:2]))
    engine = Counted()
    conductor = Conductor(wanted, engine)
    assert conductor.step() == [] and engine.begun == []  # they take the room
    conductor.go_on(lambda _place: None)
    assert engine.begun == ["p2"] and all(place.job().status == DONE for place in wanted)


def test_a_worker_that_dies_is_followed_by_another_from_the_checkpoint(crowd):
    (place,) = crowd("slow checkpoint", steps=["shape.steps=30", "material.steps=2"])
    engine = Counted()
    conductor = Conductor([place], engine)
    conductor.step()
    until(lambda: len(list((place.folder / "checkpoints").glob("*.json"))) > 1)
    os.kill(owner_of(place.folder / LOCK), signal.SIGKILL)
    conductor.go_on(lambda _place: None)
    assert engine.begun == ["p0", "p0"] and place.job().status == DONE
    assert "Continued after step" in (place.folder / "events.jsonl").read_text()


def test_a_job_whose_workers_always_die_is_given_up(crowd, tmp_path):
    class Deadly(Counted):
        def begin(self, folder):
            self.begun.append(folder.name)

    engine, wanted = Deadly(), crowd("young")
    assert conduct(wanted, tmp_path / "out", engine) == 2
    assert len(engine.begun) == MOST_DEATHS and "ended 8 times" in results(tmp_path / "out")[0]["what"]


def test_a_folder_that_cannot_be_written_stops_nobody_else(crowd, tmp_path, monkeypatch):
    write = run.queue

    def full(place):
        if place.person.name == "p0":
            raise OSError(28, "No space left on device")
        write(place)

    monkeypatch.setattr(run, "queue", full)
    assert conduct(crowd("young", "old"), tmp_path / "out", Counted()) == 2
    first, second = results(tmp_path / "out")
    assert (first["status"], second["status"]) == ("not begun", DONE) and "No space left" in first["what"]


DRIVER = """
import sys
from pathlib import Path
from idto3d.jobs.batch import command
from idto3d.jobs.engine import LocalEngine
from idto3d import cli
from idto3d.config import EditOptions
command._processes = lambda workers: LocalEngine(workers, "fake_pipeline")
sys.exit(cli.main(["batch", *sys.argv[1:], "--workers", "2"]))
"""


def test_one_signal_stops_all_within_two_seconds_and_the_rest_is_made_later(crowd, tmp_path):
    wanted = crowd("slow", "stall", "young", steps=["shape.steps=60", "material.steps=4"])
    words = [str(tmp_path / "people.csv"), "--out", str(tmp_path / "out"), "--set", "shape.steps=60"]
    words += ["--set", "material.steps=4"]
    path = os.pathsep.join((str(ROOT), os.environ["PYTHONPATH"]))
    start = [sys.executable, "-c", DRIVER, *words]
    batch = subprocess.Popen(start, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, text=True)
    until(lambda: (wanted[1].folder / "checkpoints" / "stood").exists() and owner_of(wanted[0].folder / LOCK))
    asked = time.monotonic()
    batch.send_signal(signal.SIGTERM)
    assert batch.wait(10) == 130
    assert time.monotonic() - asked < 4.0  # two, and the end of the process itself on a busy machine
    assert [row["status"] for row in results(tmp_path / "out")] == [CANCELLED, CANCELLED, "not begun"]
    assert not any(owner_of(place.folder / LOCK) for place in wanted)
    assert batch.stderr.read().rstrip().endswith("cancelled")
    assert conduct(wanted, tmp_path / "out", Counted()) == 0


def test_the_verb_checks_the_table_before_anything_is_begun(crowd, tmp_path, capsys, monkeypatch):
    crowd("young")
    table, out = tmp_path / "people.csv", tmp_path / "new"
    assert cli.main(["batch", str(table), "--out", str(out), "--check"]) == 0
    assert "1 people, no fault" in capsys.readouterr().out and not out.exists()
    assert cli.main(["batch", str(table), "--out", str(out), "--set", "shape.steps=0"]) == 2
    table.write_text("name,prompt,seed\nAnna,young,x\nBo,,\n")
    assert cli.main(["batch", str(table), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert "row 2 (Anna)" in told and "row 3 (Bo)" in told and not out.exists()
    table.write_text("name,prompt\nAnna,young\n")
    monkeypatch.setattr(command, "try_lock", lambda path: None)
    assert cli.main(["batch", str(table), "--out", str(out)]) == 2 and "Another batch" in capsys.readouterr().err


def test_workers_share_the_cores_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for name in command.THREADS:
        monkeypatch.delenv(name, raising=False)
    engine = command._processes(None)
    assert engine.most == 4 and engine.environment["OMP_NUM_THREADS"] == "2"
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    engine = command._processes(8)
    assert (engine.environment["OMP_NUM_THREADS"], engine.environment["NUMBA_NUM_THREADS"]) == ("5", "1")
