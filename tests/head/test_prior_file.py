"""A head prior that cannot be read is refused in words."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from idto3d.errors import UserError
from idto3d.head.prior import HeadPrior, PriorSize
from idto3d.head.prior_file import load_start_prior, read_description, save_prior


@pytest.mark.parametrize("harm", ["cut", "text", "version", "sizes", "gone"])
def test_a_damaged_head_prior_is_refused_in_words(tmp_path, harm):
    path = tmp_path / "head_prior.safetensors"
    prior = HeadPrior(PriorSize(modes=2, coarse=0.03, fine=0.02, motion_width=8, colour_width=8))
    save_prior(prior, path, {})
    tensors, description = load_file(path), read_description(path)
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif harm == "text":
        path.write_text("version https://git-lfs.github.com/spec/v1\n")
    elif harm == "gone":
        path.unlink()
    else:
        description |= {"version": 99} if harm == "version" else {"size": description["size"] | {"modes": 3}}
        save_file(tensors, path, metadata={"head_prior": json.dumps(description)})
    with pytest.raises(UserError, match="damaged or of another version") as refused:
        load_start_prior(path, torch.device("cpu"), 128)
    assert refused.value.remedy.endswith(".")
