import torch

from idto3d.config import EMBEDDED
from idto3d.geometry.mesh import vertex_normals
from idto3d.head.features.eased import eased, features_of, soft_cheeks
from idto3d.head.features.regions import regions_of
from idto3d.head.prior_file import load_start_prior
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET
from idto3d.head.template_file import load_template


def bends(vertices, faces):
    """Radians between the normals at the ends of each edge [3 F], and those ends."""
    normals = vertex_normals(vertices[None], faces)[0]
    ends = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return (normals[ends[:, 0]] * normals[ends[:, 1]]).sum(1).clamp(-1, 1).acos(), ends


def test_a_baby_keeps_its_features_and_has_a_soft_jaw():
    template = load_template(EMBEDDED / "template.safetensors", "cpu")
    prior = load_start_prior(EMBEDDED / "head_prior.safetensors", torch.device("cpu"), 192)
    change = template.shape(prior.expected_coefficients(prior.word_shift(["baby"]))) - template.neutral
    soft = eased(template, change)
    masks, skin = regions_of(template), template.part("skin")
    features = features_of(masks)[skin.vertices]
    gap = (soft - change).norm(dim=1)[skin.vertices]
    assert gap[features > 0.99].max() < 0.0015 and gap.max() > 0.005
    x, y, z = template.neutral[skin.vertices].T
    jaw = (y < -0.03) & (y > -0.10) & (z > 0.0) & (z < 0.08) & (x.abs() > 0.03)
    worst = []
    for one in (change, soft):
        angles, ends = bends((template.neutral + one)[skin.vertices], skin.faces)
        worst.append(angles[jaw[ends].all(1)].quantile(0.95))
    assert worst[1] < 0.6 * worst[0]
    assert torch.equal(soft[skin.vertices.stop :], change[skin.vertices.stop :])


def test_soft_cheeks_move_the_skin_beside_the_mouth_alone_and_little():
    template = load_template(EMBEDDED / "template.safetensors", "cpu")
    corner = template.neutral[LANDMARKS[54]]
    moved = (soft_cheeks(template, template.neutral) - template.neutral).norm(dim=1)
    far = (template.neutral[:, 0].abs() > 0.070) | ((template.neutral[:, 1] - corner[1]).abs() > 0.03)
    assert 0.0001 < moved.max() < 0.003 and not moved[far].any() and not moved[MOUTH_SOCKET.start :].any()
