import errno

import pytest
import torch

from idto3d.errors import UserError
from idto3d.jobs import checkpoint
from idto3d.jobs.checkpoint import Checkpointer


def save(checkpointer, step, force=True):
    return checkpointer.save("shape", step, {"sdf": torch.full((4,), step)}, {"rate": 0.1}, force)


def test_the_newest_checkpoint_comes_back_whole(tmp_path):
    checkpointer = Checkpointer(tmp_path / "checkpoints", 30.0)
    assert checkpointer.latest() is None
    for step in (10, 20, 100):
        save(checkpointer, step)
    latest = Checkpointer(tmp_path / "checkpoints", 30.0).latest()
    assert (latest.stage, latest.step, latest.state) == ("shape", 100, {"rate": 0.1})
    assert torch.equal(latest.tensors["sdf"], torch.full((4,), 100))
    assert len(list((tmp_path / "checkpoints").iterdir())) == 4


def test_it_saves_only_when_it_is_due(tmp_path):
    now = [0.0]
    checkpointer = Checkpointer(tmp_path, 30.0, clock=lambda: now[0])
    assert not save(checkpointer, 1, force=False)
    now[0] = 30.0
    assert save(checkpointer, 2, force=False)
    now[0] = 59.0
    assert not save(checkpointer, 3, force=False)
    assert checkpointer.latest().step == 2


@pytest.mark.parametrize("ending", [".safetensors", ".json"])
@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_checkpoint_is_skipped_for_the_one_before(tmp_path, ending, harm):
    checkpointer = Checkpointer(tmp_path, 0.0)
    save(checkpointer, 1)
    save(checkpointer, 2)
    path = max(tmp_path.glob(f"*{ending}"))
    data = path.read_bytes()
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 2] if harm == "cut" else data[:-9] + b"x" + data[-8:])
    expected = 2 if harm == "flip" and ending == ".json" and b'"rate"' not in path.read_bytes() else 1
    latest = checkpointer.latest()
    assert latest.step == expected
    save(checkpointer, 3)
    assert checkpointer.latest().step == 3


def test_a_full_disk_is_said_plainly_and_the_last_checkpoint_stays(tmp_path, monkeypatch):
    checkpointer = Checkpointer(tmp_path, 0.0)
    save(checkpointer, 1)

    def full(path, data):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(checkpoint, "write_atomic", full)
    with pytest.raises(UserError, match="too full"):
        save(checkpointer, 2)
    assert checkpointer.latest().step == 1


def test_tensors_that_share_memory_are_saved_apart(tmp_path):
    whole = torch.arange(6.0)
    checkpointer = Checkpointer(tmp_path, 0.0)
    checkpointer.save("shape", 1, {"all": whole, "tail": whole[3:], "turned": whole.reshape(2, 3).T}, {}, force=True)
    tensors = checkpointer.latest().tensors
    assert tensors["tail"].tolist() == [3, 4, 5] and tensors["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_clear_removes_all_and_what_a_torn_save_left(tmp_path):
    checkpointer = Checkpointer(tmp_path / "checkpoints", 0.0)
    save(checkpointer, 1)
    (tmp_path / "checkpoints" / "000002_shape_2.safetensors").write_bytes(b"torn")
    checkpointer.clear()
    assert checkpointer.latest() is None and not list(tmp_path.iterdir())
    checkpointer.clear()
    assert save(checkpointer, 1)
