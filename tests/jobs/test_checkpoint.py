import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError

from idto3d.errors import UserError
from idto3d.jobs.checkpoint import Checkpointer


def save(checkpointer, step, stage="shape"):
    checkpointer.save(stage, step, {"sdf": torch.full((4,), step)}, {"rate": 0.1})


def test_the_newest_checkpoint_comes_back_whole(tmp_path):
    checkpointer = Checkpointer(tmp_path / "checkpoints", 30.0)
    assert checkpointer.latest("shape") is None
    for step in (10, 20, 100):
        save(checkpointer, step)
    latest = Checkpointer(tmp_path / "checkpoints", 30.0).latest("shape")
    assert (latest.stage, latest.step, latest.state) == ("shape", 100, {"rate": 0.1})
    assert torch.equal(latest.tensors["sdf"], torch.full((4,), 100))
    assert len(list((tmp_path / "checkpoints").iterdir())) == 4


def test_a_finished_stage_keeps_its_result_while_the_next_one_works(tmp_path):
    checkpointer = Checkpointer(tmp_path, 0.0)
    save(checkpointer, 100)
    for step in range(1, 6):
        save(checkpointer, step, "material")
    assert checkpointer.latest("shape").step == 100 and checkpointer.latest("material").step == 5
    assert checkpointer.latest("asset") is None and checkpointer.latest("mat") is None
    assert len(list(tmp_path.glob("*.json"))) == 3


def test_one_is_due_when_the_last_is_old_enough_and_is_saved_when_asked_for(tmp_path):
    now = [0.0]
    checkpointer = Checkpointer(tmp_path, 30.0, clock=lambda: now[0])
    assert not checkpointer.due()
    now[0] = 30.0
    assert checkpointer.due()
    save(checkpointer, 1)
    now[0] = 59.0
    assert not checkpointer.due()
    checkpointer.save("shape", 2, {"sdf": torch.zeros(4)})
    assert (checkpointer.latest("shape").step, checkpointer.latest("shape").state) == (2, {})
    now[0] = 88.0
    assert not checkpointer.due()


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
    latest = checkpointer.latest("shape")
    assert latest.step == expected
    save(checkpointer, 3)
    assert checkpointer.latest("shape").step == 3


def test_a_full_disk_is_said_plainly_and_the_last_checkpoint_stays(tmp_path, monkeypatch):
    checkpointer = Checkpointer(tmp_path, 0.0)
    save(checkpointer, 1)

    def full(*_):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(UserError, match="too full"):
        save(checkpointer, 2)
    assert checkpointer.latest("shape").step == 1


def test_tensors_that_share_memory_are_saved_apart(tmp_path):
    whole = torch.arange(6.0)
    checkpointer = Checkpointer(tmp_path, 0.0)
    checkpointer.save("shape", 1, {"all": whole, "tail": whole[3:], "turned": whole.reshape(2, 3).T})
    tensors = checkpointer.latest("shape").tensors
    assert tensors["tail"].tolist() == [3, 4, 5] and tensors["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_clear_removes_all_and_what_a_torn_save_left(tmp_path):
    checkpointer = Checkpointer(tmp_path / "checkpoints", 0.0)
    save(checkpointer, 1)
    (tmp_path / "checkpoints" / "000002_shape_2.safetensors").write_bytes(b"torn")
    checkpointer.clear()
    assert checkpointer.latest("shape") is None and not list(tmp_path.iterdir())
    checkpointer.clear()
    save(checkpointer, 1)
    assert checkpointer.latest("shape").step == 1
