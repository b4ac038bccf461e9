from benchmarks.gates import deletions
from idto3d.ui.shelf import Shelf


def test_deleted_jobs_leave_nothing(tmp_path):
    outcome = deletions.run(6, 0, tmp_path)
    assert outcome.tries == 6 and not outcome.failures


def test_the_gate_sees_uploads_that_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(Shelf, "forget", lambda self, job_id, digests: None)
    assert any("left runs-page" in failure for failure in deletions.run(3, 0, tmp_path).failures)
