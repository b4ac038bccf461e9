"""People of words: forms of age, gender and ancestry, necks, and nothing of it on heads of photos."""

import pytest
import torch

from idto3d.config import EMBEDDED, HeadOptions
from idto3d.geometry.mesh import vertex_normals
from idto3d.head.prior_file import load_prior
from idto3d.head.sculpt.features import formed
from idto3d.head.sculpt.forms import form_of
from idto3d.head.sculpt.necks import NECKS
from idto3d.head.sculpt.persons import FORMS, MEASURED, forms_had, forms_of
from idto3d.head.start import start_of
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET
from idto3d.stages.choice.choose import shape_of_words

SKIN_STOP = 11248  # of face, head and neck


@pytest.fixture(scope="module")
def prior():
    return load_prior(EMBEDDED / "head_prior.safetensors")


@pytest.fixture(scope="module")
def shaped(ict, prior):
    """shaped(who): [V, 3] metres, the head that words let expect."""

    def of(who):
        start = start_of(None, HeadOptions(prompt=who), prior)
        expected = prior.expected_coefficients(start.coefficients)
        return shape_of_words(ict, expected, start.words(), who, False).double()

    return of


def neck_share(ict, head):
    """The neck's width by the face's, both at one height of the mean head."""
    x, y, z = ict.neutral[:SKIN_STOP].T
    neck = (y > -0.118) & (y < -0.112) & (z < 0.05)
    face = (y > -0.005) & (y < 0.005) & (z > 0.03)
    return float(head[:SKIN_STOP][neck][:, 0].abs().max() / head[:SKIN_STOP][face][:, 0].abs().max())


def marks(head):
    return head[list(LANDMARKS)]


def lips(head):
    """The height of both lips by the width of the mouth."""
    at = marks(head)
    return float((at[51, 1] - at[62, 1] + at[66, 1] - at[57, 1]) / (at[54, 0] - at[48, 0]))


def eyes(head):
    """The opening of the eyes by the width of the face at their height."""
    at = marks(head)
    height = (at[37:39, 1].mean() - at[40:42, 1].mean() + at[43:45, 1].mean() - at[46:48, 1].mean()) / 2
    return float(height / (at[16, 0] - at[0, 0]))


def brow_over_eye(head):
    """How far brows stand out over the eyes' inner corners, metres."""
    at = marks(head)
    return float(at[[19, 24], 2].mean() - at[[39, 42], 2].mean())


@pytest.mark.parametrize("name", MEASURED)
def test_a_form_moves_the_face_alike_on_both_sides_and_hardly_the_shoulders(ict, name):
    moved = form_of(name, ict)
    far = moved.norm(dim=1)
    assert 0.0008 < far.max() < 0.02 and far[ict.base].max() < 0.002
    left, right = (float(far[ict.neutral[:, 0] * side > 0.005].sum()) for side in (1, -1))
    assert left == pytest.approx(right, rel=0.06)


@pytest.mark.parametrize("age", ["young", "old"])
@pytest.mark.parametrize("ancestry", ["african", "asian", "caucasian"])
def test_a_woman_has_a_slimmer_neck_fuller_lips_and_a_flatter_brow_than_a_man(ict, shaped, age, ancestry):
    woman, man = (shaped(f"a {age} {ancestry} {who}") for who in ("woman", "man"))
    assert neck_share(ict, woman) < 0.88 * neck_share(ict, man)
    assert lips(woman) > 1.08 * lips(man)
    assert brow_over_eye(woman) < brow_over_eye(man) - 0.0015


def test_a_baby_has_large_low_eyes_and_a_short_neck(ict, shaped):
    baby, woman = (shaped(who) for who in ("a baby", "a young woman"))
    assert eyes(baby) > 1.15 * eyes(woman)

    def low(head):  # of the eyes, by the height of the head over the chin
        at, crown = marks(head), head[:SKIN_STOP, 1].max()
        return float((at[36:48, 1].mean() - at[8, 1]) / (crown - at[8, 1]))

    assert low(baby) < low(woman) - 0.02
    rims = [head[ict.base, 1].max() for head in (baby, woman)]
    chins = [marks(head)[8, 1] for head in (baby, woman)]
    assert chins[0] - rims[0] < chins[1] - rims[1] - 0.015


def test_gender_and_ancestry_show_less_in_children_and_years_part_old_women_from_old_men():
    assert forms_of({"age": "baby", "gender": "female"})["womanly"] < 0.5
    assert "slim neck" not in forms_of({"age": "child", "gender": "female"})
    assert forms_of({"age": "old", "gender": "female"})["old woman"] == 1
    assert forms_of({"age": "old", "gender": "male"})["old woman"] == -1
    assert forms_of({"age": "old"}).keys() == forms_of({}).keys()


def test_whom_photos_show_has_the_neck_that_was_measured():
    traits = {"gender": "female", "age": "young"}
    assert "slim neck" in forms_had(traits, photos=False) and not forms_had(traits, photos=True).keys() & NECKS.keys()


def test_all_forms_are_known_and_their_amounts_add_up(ict):
    some = {name: 0.5 for name in FORMS}
    whole = sum(formed(ict, {name: 1.0}) for name in FORMS)
    torch.testing.assert_close(formed(ict, some), 0.5 * whole, atol=1e-6, rtol=0)


def furrow(ict, head):
    """How far the skin between lid and brow lies behind the brow, metres, by the mean of both eyes."""
    mean = ict.neutral[:SKIN_STOP].double()
    depth = [head[:SKIN_STOP][(mean - torch.tensor(at)).norm(dim=1).argmin()][2] for at in OVER_EYES]
    return float(marks(head)[[19, 24], 2].mean() - torch.stack(depth).mean())


OVER_EYES = ((0.034, 0.0480, 0.097), (-0.034, 0.0480, 0.097))


def root(head):
    """How far the root of the nose stands out before the eyes' inner corners, metres."""
    at = marks(head)
    return float(at[27, 2] - at[[39, 42], 2].mean())


@pytest.mark.parametrize("who", ["young {} woman", "young {} man", "old {} man", "{} girl"])
def test_asian_faces_are_seen_to_be_so_by_lids_and_the_root_of_the_nose(ict, shaped, who):
    asian, caucasian = (shaped(f"a {who.format(ancestry)}") for ancestry in ("asian", "caucasian"))
    assert furrow(ict, asian) < furrow(ict, caucasian) - 0.004
    assert root(asian) < root(caucasian) - 0.0107


def test_lids_of_a_people_are_those_of_its_children_too_and_of_no_other():
    assert forms_of({"ancestry": "asian", "age": "child"})["asian lids"] >= 0.9
    assert not any("asian" in name for name in forms_of({"ancestry": "african"}))


@pytest.mark.parametrize("who", ["a chubby baby", "a baby"])
def test_a_babys_cheeks_go_over_into_the_corners_of_its_mouth_without_a_fold(ict, shaped, who):
    skin, off = ict.part("skin"), ict.neutral - ict.neutral[LANDMARKS[54]]
    beside = (off[:, 0] > 0.005) & (off[:, 0] < 0.020) & (off[:, 1].abs() < 0.004) & (off[:, 2] > -0.03)
    beside[MOUTH_SOCKET.start :] = False
    normals = vertex_normals(shaped(who)[skin.vertices], skin.faces)
    ends = torch.cat([skin.faces[:, [0, 1]], skin.faces[:, [1, 2]]])
    ends = ends[beside[ends].all(1)]
    bends = (normals[ends[:, 0]] * normals[ends[:, 1]]).sum(1).clamp(-1, 1).acos()
    assert float(bends.quantile(0.95)) < 0.12  # radians; 0.19 with the fold
