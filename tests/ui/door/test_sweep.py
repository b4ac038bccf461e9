import hashlib
import os
from dataclasses import replace

import pytest

from idto3d.jobs.limits import LOCAL
from idto3d.ui.door.refusal import Refusal
from idto3d.ui.door.sweep import MADE_SECONDS, Sweep
from idto3d.ui.door.uploads import LEAST_SIZE, MEGABYTE, Ledger

KEEP = 1000.0


class Kept:
    """An upload folder, its ledger and a clock that is set by hand."""

    def __init__(self, folder):
        self.folder, self.now = folder, 0.0
        limits = replace(LOCAL, upload_keep_seconds=KEEP, visitor_megabytes=1.0, total_megabytes=1.5)
        self.ledger = Ledger(limits)
        self.sweep = Sweep(folder, limits, self.ledger, ("heads",), lambda: self.now)

    def add(self, name, content=b"a photo", visitor="anna"):
        path = self.folder / name / "photo.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        if visitor:
            self.ledger.keep(visitor, path)
        return path

    def after(self, seconds, living=()):
        """Sweep now, and again when `seconds` are over."""
        self.sweep.run(living)
        self.now += seconds
        self.sweep.run(living)


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path)


def test_an_upload_goes_after_its_time_and_its_folder_after_it(kept):
    path = kept.add("1a")
    kept.after(KEEP - 1)
    assert path.is_file()
    kept.after(2)
    assert not path.exists()
    kept.after(100)
    assert list(kept.folder.iterdir()) == []


def test_an_upload_of_a_living_job_stays(kept):
    path, other = kept.add("1a"), kept.add("2b", b"another")
    kept.after(KEEP * 3, {hashlib.sha256(b"a photo").hexdigest()})
    assert path.is_file() and not other.exists()


def test_age_is_when_it_was_first_seen_whatever_its_dates_say(kept):
    old, coming = kept.add("1a"), kept.add("2b", b"x")
    os.utime(old, (0, 0))
    os.utime(coming, (2**40, 2**40))
    kept.after(KEEP - 1)
    assert old.is_file() and coming.is_file()
    kept.after(2)
    assert not old.exists() and not coming.exists()


def test_a_photo_that_is_uploaded_again_is_young_again(kept):
    path = kept.add("1a")
    kept.after(KEEP - 1)
    new = kept.folder / "new"
    new.write_bytes(b"a photo")
    os.replace(new, path)
    kept.after(2)
    assert path.is_file()


def test_odd_entries_stop_nothing(kept, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "kept.txt"
    outside.write_text("not ours")
    (kept.folder / "link").symlink_to(outside.parent)
    (kept.folder / "1a" / "folder.png" / "deep").mkdir(parents=True)
    (kept.folder / "1a" / "dangling").symlink_to(kept.folder / "nothing")
    os.mkfifo(kept.folder / "1a" / "pipe")
    (kept.folder / "locked").mkdir(mode=0)
    (kept.folder / "heads" / "x").mkdir(parents=True)
    last = kept.add("zz")
    for _ in range(6):
        kept.after(KEEP + 1)
    assert not last.exists() and outside.read_text() == "not ours"
    assert [path.name for path in kept.folder.iterdir()] == ["heads"]


def test_half_an_upload_goes_at_once_but_not_under_one_that_comes(kept):
    part = kept.folder / "tmp123"
    part.write_bytes(b"half")
    with kept.ledger.upload():
        kept.after(KEEP * 2)
        assert part.exists()
    kept.sweep.run(())
    assert not part.exists()


def test_what_nobody_uploaded_goes_sooner(kept):
    drawn = kept.add("1a", visitor="")
    kept.after(MADE_SECONDS + 1)
    assert not drawn.exists()


def test_shares_are_of_one_visitor_and_of_all_and_come_back(kept):
    path = kept.add("1a", b"x" * 700_000)
    with pytest.raises(Refusal, match="One visitor") as refused:
        kept.ledger.take("anna", 400_000)
    assert refused.value.status == 413
    kept.ledger.take("ben", 700_000)
    with pytest.raises(Refusal, match="as many photos") as refused:
        kept.ledger.take("cleo", 400_000)
    assert refused.value.status == 507
    kept.ledger.give_back("ben", 700_000)
    path.unlink()
    kept.sweep.run(())
    kept.ledger.take("anna", int(1.0 * MEGABYTE))


def test_a_tiny_file_counts_too(kept):
    for number in range(1_000_000 // LEAST_SIZE):
        kept.add(f"{number}", b"")
    with pytest.raises(Refusal):
        kept.ledger.take("anna", LEAST_SIZE)
