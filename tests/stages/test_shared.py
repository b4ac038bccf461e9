"""Tensors in files that heads share."""

import pytest
import torch

from idto3d.errors import UserError
from idto3d.stages.kept.shared import read_shared, tidy, write_shared


@pytest.fixture
def tensors():
    moved = torch.zeros(4, 5000, 3)
    moved[1, 7], moved[3, 4999, 1] = torch.tensor([1.0, -2.0, 3e-42]), -0.0
    return {
        "head.0.displacements": moved,
        "head.0.vertices": torch.randn(5000, 3),
        "head.1.faces": torch.arange(30000).reshape(-1, 3),
        "painted.hair 2.albedo": torch.full((64, 64, 4), 200, dtype=torch.uint8),
        "field.weight": torch.randn(100, 200),
        "carrier.nothing": torch.zeros(0, 3),
    }


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_is_read_is_what_was_written_to_the_bit(tensors, tmp_path):
    names = write_shared(tmp_path, tensors)
    found = read_shared(tmp_path, names)
    assert found.keys() == tensors.keys()
    for name, value in tensors.items():
        assert found[name].dtype == value.dtype and found[name].shape == value.shape
        assert found[name].numpy().tobytes() == value.numpy().tobytes()
    assert (tmp_path / names[0]).stat().st_size and size(tmp_path) < 500_000  # displacements alone would take 240,000
    assert write_shared(tmp_path, tensors) == names


def test_heads_share_the_files_that_hold_the_same(tensors, tmp_path):
    names = write_shared(tmp_path / "one", tensors)
    tensors["painted.hair 2.albedo"] = tensors["painted.hair 2.albedo"] + 1
    others = write_shared(tmp_path / "two", tensors, tmp_path / "one")
    new = set(others) - set(names)
    assert len(new) == 1 and new.pop().startswith("saved/painted-")
    for name in set(others) & set(names):
        assert (tmp_path / "one" / name).samefile(tmp_path / "two" / name)
    tidy(tmp_path / "one", ())
    assert torch.equal(read_shared(tmp_path / "two", others)["field.weight"], tensors["field.weight"])


def test_a_head_names_no_other_files_than_its_own(tensors, tmp_path):
    names = write_shared(tmp_path, tensors)
    for strange in ("saved/../../etc/passwd", "head.safetensors", f"/{names[0]}"):
        with pytest.raises(ValueError, match="no file of a head"):
            read_shared(tmp_path, [strange])
    (tmp_path / names[0]).unlink()
    with pytest.raises(UserError, match="is missing"):
        read_shared(tmp_path, names)


def test_what_lies_there_of_another_head_is_tidied_away(tensors, tmp_path):
    names = write_shared(tmp_path, tensors)
    later = write_shared(tmp_path, {**tensors, "field.weight": torch.ones(3)})
    tidy(tmp_path, later)
    assert sorted(f"saved/{path.name}" for path in (tmp_path / "saved").iterdir()) == later != names
