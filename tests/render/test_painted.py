import numpy as np
import pytest

from idto3d.render.painted import PaintedMaterial, painted_from, painted_tensors


def image(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_painted_materials_are_saved_and_read_back():
    painted = {
        "skin": PaintedMaterial(image(8, 8, 3), image(8, 8), image(8, 8, 3)),
        "gums.tongue": PaintedMaterial(image(4, 4, 4), image(4, 4)),
    }
    again = painted_from(painted_tensors(painted))
    assert list(again) == list(painted) and again["gums.tongue"].normal is None
    for name, material in painted.items():
        np.testing.assert_array_equal(again[name].albedo, material.albedo)
        np.testing.assert_array_equal(again[name].roughness, material.roughness)
    np.testing.assert_array_equal(again["skin"].normal, painted["skin"].normal)
    assert again["skin"].specular is None and again["skin"].known is None and painted_from({}) == {}


def test_how_bright_it_shines_and_what_photos_know_of_it_are_saved_too():
    skin = PaintedMaterial(image(8, 8, 3), image(8, 8), specular=image(8, 8), known=image(8, 8))
    again = painted_from(painted_tensors({"skin": skin}))["skin"]
    assert again.normal is None
    np.testing.assert_array_equal(again.specular, skin.specular)
    np.testing.assert_array_equal(again.known, skin.known)


@pytest.mark.parametrize(
    "maps",
    [
        (image(8, 8, 2), image(8, 8)),
        (image(8, 4, 3), image(8, 8)),
        (image(8, 8, 3).astype(np.float32), image(8, 8)),
        (image(8, 8, 3), image(8, 8, 1)),
        (image(8, 8, 3), image(8, 8), image(8, 8, 4)),
    ],
)
def test_maps_of_another_kind_are_refused(maps):
    with pytest.raises(ValueError, match="of a painted material cannot be"):
        PaintedMaterial(*maps)
