"""Rounding the weights of a bundle: nearest numbers of a short mantissa, all else untouched."""

import shutil

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from idto3d.bundle.find import IDENTITY_FILE
from idto3d.bundle.layout import MORPHABLE, MORPHABLE_FILE
from idto3d.config import EMBEDDED
from idto3d.errors import UserError, run_command
from idto3d.guidance.networks.base import load_morphable
from idto3d.subject.identity.identity_file import load_identity
from idto3d.training.fit.round_weights import KEPT_TENSORS, MANTISSA_BITS, main, shortened


@pytest.mark.parametrize("bits", [1, 6, 9, 10])
def test_numbers_are_the_nearest_of_a_short_mantissa(bits):
    values = (torch.randn(1000, generator=torch.Generator().manual_seed(1)) * 50).half()
    mantissa, exponent = torch.frexp(values.double())
    wanted = torch.ldexp((mantissa.abs() * 2 ** (bits + 1) + 0.5).floor() * mantissa.sign() / 2 ** (bits + 1), exponent)
    found = shortened(values, bits)
    assert torch.equal(found.double(), wanted) and (bits < 10) == (not torch.equal(found, values))
    assert torch.equal(shortened(found, bits), found)


def test_zeros_the_largest_half_what_is_no_number_and_other_types_stay():
    extremes = torch.tensor([0.0, -0.0, 65504.0, -65504.0, float("inf")], dtype=torch.float16)
    assert torch.equal(shortened(extremes, 2), extremes)
    assert shortened(torch.full((2,), -1, dtype=torch.int16).view(torch.float16), 2).isnan().all()
    for other in (torch.rand(3), torch.arange(3)):
        assert shortened(other, 2) is other


@pytest.fixture
def files(tmp_path):
    """A copy of the embedded bundle, its morphable head's file and that of its identity network."""
    bundle = shutil.copytree(EMBEDDED, tmp_path / "bundle")
    return bundle, bundle / "base" / MORPHABLE / MORPHABLE_FILE, bundle / IDENTITY_FILE


def test_the_embedded_bundle_is_rounded_already(files, capsys):
    bundle, *paths = files
    before = [path.read_bytes() for path in paths]
    assert main([str(bundle)]) == 0
    assert [path.read_bytes() for path in paths] == before and capsys.readouterr().out.count("rounded") == 2


def test_a_bundle_is_rounded_in_place_and_can_be_read(files):
    bundle, morphable, identity = files
    known, read = load_file(morphable), load_file(identity)
    assert main([str(bundle), "--bits", str(MANTISSA_BITS - 2)]) == 0
    after = load_file(morphable)
    assert all(torch.equal(after[name], known[name]) for name in KEPT_TENSORS)
    assert torch.equal(after["plain.weight"], shortened(known["plain.weight"], MANTISSA_BITS - 2))
    assert not torch.equal(after["plain.weight"], known["plain.weight"])
    assert not torch.equal(load_file(identity)["head.weight"], read["head.weight"])
    assert torch.equal(load_morphable(morphable.parent).plain.weight, after["plain.weight"].float())
    assert torch.equal(load_identity(identity).head.weight, load_file(identity)["head.weight"].float())


def test_an_identity_network_can_be_rounded_alone(files):
    _, morphable, identity = files
    before = morphable.read_bytes()
    assert main([str(identity), "--bits", "2"]) == 0
    with safe_open(identity, "pt") as file:
        assert "identity" in file.metadata()
        assert torch.equal(file.get_tensor("head.weight"), shortened(file.get_tensor("head.weight"), 2))
    assert morphable.read_bytes() == before


def test_as_a_command_it_says_what_was_wrong_and_exits_with_2(files, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["round_weights", str(files[0]), "--bits", "11"])
    with pytest.raises(SystemExit, match="2"):
        run_command(main)
    assert capsys.readouterr().err == "The mantissa of a half has ten bits.\nGive --bits from 1 to 10.\n"
    monkeypatch.setattr("sys.argv", ["round_weights", str(files[2])])
    with pytest.raises(SystemExit, match="0"):
        run_command(main)


def test_what_cannot_be_rounded_is_refused(files):
    bundle, morphable, identity = files
    with pytest.raises(UserError, match="ten bits"):
        main([str(bundle), "--bits", "11"])
    morphable.unlink()
    identity.unlink()
    with pytest.raises(UserError, match="no morphable head"):
        main([str(bundle)])
