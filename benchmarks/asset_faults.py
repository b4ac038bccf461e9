"""What may be wrong with the geometry of a written head: overlapping texture coordinates, flipped triangles, lids."""

from functools import lru_cache

import numpy as np
import torch
from skimage.draw import polygon

from idto3d.export.gltf.load import Asset
from idto3d.export.gltf.mesh import PartMesh, Pose, posed
from idto3d.export.view import seen

SIDE = 2048  # texels of the picture in which overlaps are counted
TUCK = 0.25  # texels by which each triangle is shrunk there: neighbours share their border
SLIVER = 5e-8  # square metres; in the creases at the mouth's corners smaller ones lie folded, and no picture shows them
FOLDED = {"gums_tongue": 8, "teeth": 8}  # triangles that may be: the template folds a few at the hindmost ends of both
LOOKS_DEG = (-40, 0, 40)  # azimuths from which closed eyes are looked at
CLOSED = "eyes closed"


def overlap(part: PartMesh) -> int:
    """How many of SIDE x SIDE texels lie in two triangles of a part."""
    return _overlap(np.ascontiguousarray(part.uvs[part.faces], np.float64).tobytes())


@lru_cache(maxsize=32)
def _overlap(uvs: bytes) -> int:
    """The same of texture coordinates [F, 3, 2] float64; heads of one template have the same ones."""
    corners = np.frombuffer(uvs).reshape(-1, 3, 2) * SIDE - 0.5
    centres = corners.mean(1, keepdims=True)
    reach = np.linalg.norm(corners - centres, axis=2, keepdims=True)
    corners = centres + (corners - centres) * np.maximum(1 - TUCK / np.maximum(reach, 1e-9), 0)
    count = np.zeros((SIDE, SIDE), np.uint8)
    for triangle in corners:
        count[polygon(triangle[:, 1], triangle[:, 0], count.shape)] += 1
    return int((count > 1).sum())


def mirrored(part: PartMesh) -> int:
    """How many triangles of a part lie the wrong way round in its texture, against most of them."""
    a, b, c = np.moveaxis(part.uvs[part.faces].astype(np.float64), 1, 0)
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return int(min((area > 0).sum(), (area < 0).sum()))


def flipped(part: PartMesh, pose: Pose) -> int:
    """How many triangles of a part in a pose turn away from the normals of their corners, slivers aside."""
    a, b, c = np.moveaxis(pose.positions[part.faces].astype(np.float64), 1, 0)
    across = np.cross(b - a, c - a)
    away = (across * pose.normals[part.faces].sum(1)).sum(1) < 0
    return int((away & (np.linalg.norm(across, axis=1) / 2 > SLIVER)).sum())


def eyeball_pixels(asset: Asset, size: int = 512) -> int:
    """How many pixels show an eyeball while the eyes are closed, from LOOKS_DEG together."""
    materials, poses = list(asset.textures), posed(asset.mesh, {CLOSED: 1.0})
    with torch.no_grad():
        views = [seen(asset, poses, azimuth, 0.0, size) for azimuth in LOOKS_DEG]
    return sum(int((view.material == materials.index("eyes")).sum()) for view in views)


def faults(asset: Asset) -> list[str]:
    """What is wrong with a head, in words. Hair and lashes share texels on purpose."""
    found = []
    neutral = posed(asset.mesh, {})
    for part, pose in zip(asset.mesh.parts, neutral, strict=True):
        if not asset.textures[part.material].see_through:
            checks = {"texels overlap": overlap(part), "triangles mirrored": mirrored(part)}
            checks["triangles flipped"] = max(flipped(part, pose) - FOLDED.get(part.name, 0), 0)
            found += [f"{part.name}: {count} {what}" for what, count in checks.items() if count]
    if CLOSED in asset.mesh.names and (shown := eyeball_pixels(asset)):
        found.append(f"closed eyes show {shown} pixels of the eyeballs")
    return found
