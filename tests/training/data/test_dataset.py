"""A dataset is read shard by shard."""

import torch
from safetensors.torch import load_file, save_file

from idto3d.training.data.dataset import read_people, read_shards


def test_shards_may_hold_different_numbers_of_portraits(small, tmp_path):
    folder = small.write_dataset(tmp_path / "people", small.made_up_people())
    path = folder / "0001.identity.safetensors"
    second = load_file(path)["embedding"]
    save_file({"embedding": second[:, :2].contiguous()}, path)
    embedding = read_people(folder, pictures=False).embedding
    assert embedding.shape[1] == 3 and torch.equal(embedding[3:, :2], second[:, :2]) and not embedding[3:, 2].any()


def test_shards_are_read_in_the_order_of_the_whole(small, tmp_path):
    folder = small.write_dataset(tmp_path / "people", small.made_up_people())
    whole = read_people(folder, pictures=False)
    pieces = list(read_shards(folder))
    assert whole.normal.shape == (0, 32, 32, 3) and len(pieces) == 2
    assert torch.equal(torch.cat([piece.expression for piece in pieces]), whole.expression)
    assert sum(len(piece.normal) for piece in pieces) == len(whole.person)
