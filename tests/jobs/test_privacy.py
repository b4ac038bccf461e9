"""What is kept of whom is listed and removed, and no clock that jumps deletes a head."""

import pytest

from idto3d import cli
from idto3d.errors import UserError
from idto3d.jobs.privacy import places, report
from idto3d.jobs.privacy.ages import DOUBT, Ages
from idto3d.jobs.privacy.traces import deleted, erase
from idto3d.ui.shelf import Shelf

DAY = 24 * 3600.0


@pytest.fixture
def runs(tmp_path):
    """Runs of one person whose record is nonsense, and of one without a record; a folder of somebody else's."""
    first, second = tmp_path / "runs" / ("a" * 22), tmp_path / "runs" / ("b" * 22)
    files = (first / "photos" / "01" / "anna.png", first / "subject" / "crop_01.png", first / "renders" / "x.png")
    for file in (*files, second / "photos" / "01" / "bert.png", tmp_path / "runs" / "mine" / "letter.txt"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"the face in " + file.name.encode())
    for name in ("000001_shape_1.json", "000001_shape_1.safetensors"):
        (first / "checkpoints").mkdir(exist_ok=True)
        (first / "checkpoints" / name).write_bytes(b"a face in numbers")
    (first / "job.json").write_text("[[[")
    (first / "head.glb").touch()
    upload = tmp_path / "runs-page" / "0123" / "anna.png"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"the face in anna.png")
    return tmp_path / "runs"


def test_what_is_kept_is_listed_without_the_whole_id(runs, capsys):
    assert cli.main(["doctor", "--privacy", "--runs", str(runs)]) == 0
    told = capsys.readouterr().out
    assert "aaaaaa…  no readable record: 1 photo, 1 crop, 1 checkpoint, 1 picture, the head" in told
    assert "bbbbbb…  no readable record: 1 photo;" in told and "mine…  not ours" in told
    assert "uploads: 1 files" in told and "a" * 22 not in told


def test_one_run_goes_with_its_uploads_and_the_others_stay(runs, capsys):
    assert cli.main(["doctor", "--privacy", "--runs", str(runs), "--delete", "aaa", "--yes"]) == 0
    told = capsys.readouterr().out
    assert told == "Deleted: 1 photo, 1 crop, 1 checkpoint, 1 picture, the head; nothing is left.\n"
    left = [path for path in runs.parent.rglob("*") if path.is_file()]
    assert {path.name for path in left} == {"bert.png", "letter.txt"}


def test_what_the_page_handed_out_of_a_run_goes_with_it(runs):
    shelf, job_id, other = Shelf(places.uploads_of(runs)), "a" * 22, "b" * 22
    mine, others = (shelf.glb(each, runs / ("a" * 22) / "head.glb") for each in (job_id, other))
    assert "handed out: 2 files" in "\n".join(report.lines(runs))
    report.delete(runs, "aaa")
    assert not mine.exists() and others.exists()


def test_a_no_deletes_nothing_and_what_is_unclear_is_refused(runs, monkeypatch, capsys):
    monkeypatch.setattr(report.sys.stdin, "readline", lambda: "n\n", raising=False)
    assert cli.main(["doctor", "--privacy", "--runs", str(runs), "--delete", "aaa"]) == 0
    assert "Nothing was deleted." in capsys.readouterr().out and (runs / ("a" * 22)).is_dir()
    with pytest.raises(UserError, match="No runs"):
        report.delete(runs, "zzz")
    with pytest.raises(UserError, match="not a run folder"):
        erase(runs / "mine")
    assert deleted([]) == "There was nothing to delete."


def test_a_clock_that_jumps_ahead_makes_nothing_old_and_what_is_old_goes():
    now = [0.0]
    ages = Ages(lambda: now[0])
    assert not ages.past("head", 60.0, DAY)
    now[0] = 600.0
    assert not ages.past("head", 400 * DAY, DAY)  # ten minutes later the wall says a year
    now[0] = DAY
    assert ages.past("head", 400 * DAY, DAY)
    assert not ages.past("of a server before", 2 * DAY, DAY)
    now[0] += DOUBT
    assert not ages.past("of a server before", 60.0, DAY)  # the clock was put right meanwhile
    assert ages.past("of a server before", 2 * DAY, DAY)


def test_what_a_wrong_clock_dated_ahead_goes_in_its_time():
    now = [0.0]
    ages = Ages(lambda: now[0])
    assert not ages.past("head", -400 * DAY, DAY)
    now[0] = DAY - 1.0
    assert not ages.past("head", -399 * DAY, DAY)
    now[0] = DAY + 1.0
    assert ages.past("head", -399 * DAY, DAY)
