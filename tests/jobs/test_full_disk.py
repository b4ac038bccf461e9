"""A disk that fills up while a run works."""

import errno

import pytest

from idto3d.errors import UserError
from idto3d.events import Notice
from idto3d.jobs.record import read_job
from idto3d.jobs.run_folder import begin, perform, resumable


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
