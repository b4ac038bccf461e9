"""The skin's texture as something to paint on: its texels, and soft masks over them by region."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree
from skimage.measure import points_in_poly

from idto3d.evidence.projection import ramp
from idto3d.head.features.eyes import NAMES as EYE_NAMES
from idto3d.head.features.face_masks import skin_masks
from idto3d.head.features.regions import TemplateRegions, regions_of
from idto3d.head.paint.atlas import Texels, texels_of
from idto3d.head.paint.bytes import bytes_of, linear_of
from idto3d.head.paint.usual_skin import beard_place, plain_skin
from idto3d.head.parts import Head
from idto3d.head.template import EYE_SOCKETS, LANDMARKS, MOUTH_SOCKET
from idto3d.head.template_model import Template
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.parted import kind_of

HAIR_NEAR_M = (0.009, 0.004)  # metres from the hair between which skin off the scalp may show it, and does
ABOVE_BROWS_M = (0.006, 0.010)  # metres from the brows' line between which hair may show
BROW_M = (0.0105, 0.0065)  # metres from it up to which brows grow
LIP_EDGE_M, LIPS_ABOUT_M = (-0.0004, 0.0006), 0.004  # metres inside their outline from which lips begin and are whole
BEARD_EDGE_M = 0.004  # metres over which what is painted for a beard may reach beyond it
EYES_M = (0.016, 0.010)  # metres from an eyeball, on the mean head, up to which the skin about it is the eye's


@dataclass(frozen=True, eq=False)
class Place:
    """Texels of the skin's texture, and of its V vertices: mean [V, 3] metres of the mean head; masks [V] 0..1 by name.

    outer: [N] bool, the texels that are neither the mouth's nor the eyes' sockets.
    """

    texels: Texels
    mean: np.ndarray
    masks: dict[str, np.ndarray]
    outer: np.ndarray

    def at(self, mask: np.ndarray | str) -> np.ndarray:
        """[N] float32 a mask of the vertices, [V] or the name of one, at the outer texels; 0 at the inner ones."""
        values = self.masks[mask] if isinstance(mask, str) else mask
        return self.texels.read(values[:, None].astype(np.float32))[:, 0] * self.outer


@lru_cache(maxsize=2)
def place_of(template: Template, size: int) -> Place:
    """The skin's texture of `size` pixels. Kept for the template that was asked about last: every step asks."""
    part = template.part("skin")
    texels = texels_of(part.faces.cpu().numpy(), part.uvs.cpu().numpy(), size)
    mean = template.neutral[part.vertices].cpu().double().numpy()
    inner = (texels.corners >= MOUTH_SOCKET.start) & (texels.corners < EYE_SOCKETS.stop)
    return Place(texels, mean, _masks(template, mean), ~inner.all(1))


def _masks(template: Template, mean: np.ndarray) -> dict[str, np.ndarray]:
    regions, own, gap = regions_of(template), template.part("skin").vertices, skin_masks(mean)["brow_gap"]
    masks = {name: getattr(regions, name)[own].cpu().numpy() for name in TemplateRegions.__dataclass_fields__}
    masks |= {"plain": plain_skin(mean), "brow_zone": ramp(-gap, -BROW_M[0], -BROW_M[1])}
    masks["lips_about"] = (cKDTree(mean[masks["lips"] > 0]).query(mean)[0] < LIPS_ABOUT_M) * masks["face"]
    masks["above_brows"] = ramp(gap, *ABOVE_BROWS_M)
    masks["beard_zone"] = _widened(beard_place(mean, "beard"), mean)
    balls = [template.neutral[template.part(name).vertices].cpu().numpy() for name in EYE_NAMES]
    gap, _ = cKDTree(np.concatenate(balls)).query(mean)
    masks["eye_zone"] = ramp(-gap, -EYES_M[0], -EYES_M[1])
    masks["lined"] = masks["face"] * (1 - masks["lips"]) * (1 - masks["sockets"]) * (1 - masks["mouth"])
    masks["lined"] = np.maximum(masks["lined"], masks["neck"] * ramp(mean[:, 2], 0.0, 0.03))
    return {name: mask.astype(np.float32) for name, mask in masks.items()}


def _widened(mask: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """`mask` [V] with a soft border of BEARD_EDGE_M around it."""
    gap, _ = cKDTree(mean[mask > 0.2]).query(mean)
    return np.maximum(mask, ramp(-gap, -BEARD_EDGE_M, 0.0))


def lips_at(place: Place) -> np.ndarray:
    """[N] 0..1 the lips, whose outline is a smooth curve through their landmarks, with a border of LIP_EDGE_M."""
    marks = place.mean[list(LANDMARKS[48:60]), :2]
    turn = np.arange(13) / 12
    outline = CubicSpline(turn, np.concatenate([marks, marks[:1]]), bc_type="periodic")(np.linspace(0, 1, 400))
    rows = np.flatnonzero(place.at("lips_about") > 0)
    points = np.einsum("nk,nkc->nc", place.texels.weights[rows], place.mean[place.texels.corners[rows], :2])
    gap, _ = cKDTree(outline).query(points)
    inside = np.where(points_in_poly(points, outline), gap, -gap)
    lips = np.zeros(len(place.outer), np.float32)
    lips[rows] = ramp(inside, *LIP_EDGE_M) * place.outer[rows]
    return lips


def scalp_zone(head: Head, place: Place) -> np.ndarray:
    """[N] 0..1 how much of the hair's colour the skin may show at its texels: on the scalp, and close to the hair.

    Not on brows, and not where a beard grows.
    """
    hair = [part for part in head.parts if kind_of(part.material) == "hair"]
    if not hair:
        return np.zeros(len(place.outer), np.float32)
    points = np.concatenate([part.vertices.cpu().numpy() for part in hair])
    gap, _ = cKDTree(points).query(head.parts[0].vertices.cpu().numpy())
    near = ramp(-gap, -HAIR_NEAR_M[0], -HAIR_NEAR_M[1])
    bare = place.masks["above_brows"] * (1 - place.masks["beard_zone"]) * (1 - place.masks["neck"])
    bare = bare * (1 - place.masks["eye_zone"])
    high = ramp(place.mean[:, 1], -0.055, -0.035)
    return place.at(np.maximum(near, place.masks["scalp"]) * bare * high)


def skin_linear(material: PaintedMaterial, place: Place) -> np.ndarray:
    """[N, 3] linear albedo at the texels."""
    return linear_of(material.albedo[..., :3])[place.texels.covered]


def with_skin(material: PaintedMaterial, place: Place, linear: np.ndarray, changed: np.ndarray) -> PaintedMaterial:
    """The material with linear albedo `linear` [N, 3] at the texels that are `changed` [N] bool; others keep theirs."""
    whole = changed[place.texels.nearest]
    albedo = material.albedo.copy()
    albedo[whole, :3] = bytes_of(linear)[place.texels.nearest[whole]]
    return replace(material, albedo=albedo)


def with_roughness(material: PaintedMaterial, place: Place, share: np.ndarray, rough: float) -> PaintedMaterial:
    """The material whose `share` [N] 0..1 at the texels gets the roughness `rough`, 0..1."""
    spread = share[place.texels.nearest]
    mixed = np.round(material.roughness * (1 - spread) + 255 * rough * spread).astype(np.uint8)
    return replace(material, roughness=np.where(spread > 0, mixed, material.roughness))
