"""An expression that was grown as a mesh of its own has a file of its own."""

import numpy as np
import pytest
import torch

from idto3d.config import ExportOptions
from idto3d.export.asset import write_asset
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.provenance import Provenance
from idto3d.head.parts import Part

OPTIONS = ExportOptions(faces=600, texture_size=64, render_size=32, expression_files=True)


@pytest.fixture
def written(portrait, painted, lumpy, tmp_path):
    """The file of an expression with a mesh of its own, an egg about that of the portrait."""
    vertices, faces = lumpy()
    points = torch.tensor(vertices * 1.01).float()
    own = Part("head", points, torch.tensor(faces), torch.zeros(1, *points.shape), "skin")
    for _ in write_asset(portrait, None, tmp_path, OPTIONS, Provenance(seed=1), painted, {"mouth stretch": own}):
        pass
    return tmp_path / "expressions" / "mouthStretch.glb"


def read(path):
    """The asset in a GLB of any name."""
    folder = path.parent / "read"
    folder.mkdir(exist_ok=True)
    (folder / "head.glb").write_bytes(path.read_bytes())
    return load_asset(folder)


def test_its_file_holds_its_mesh_in_the_colours_of_the_head(written, lumpy, painted, portrait):
    asset = read(written)
    (part,) = asset.mesh.parts
    assert part.name == "head" and len(part.faces) <= 620 and not asset.mesh.names
    reach = np.abs(lumpy()[0] * 1.01).max(0)
    assert np.allclose(np.abs(part.positions).max(0), reach, atol=0.004)
    skin, seen = painted["skin"].albedo[0, 0], asset.textures["skin"].albedo[..., :3].reshape(-1, 3)
    assert np.abs(np.median(seen, 0) - skin).max() < 40
    assert (np.abs(seen - np.array([20.0, 20, 220])).max(1) < 60).any()  # the eye
    assert len(read(written.parent / "neutral.glb").mesh.parts) == len(portrait.parts)


def test_the_khronos_validator_finds_nothing_to_say_about_it(written, issues):
    assert issues(written) == []
