"""Portraits of synthetic people with the region of every pixel: what the trainer draws, drawn once more as labels."""

from collections.abc import Iterator

import numpy as np
from drawn_head import BACKGROUND, BEARD, HAIR, SKIN

from idto3d.render.backends.kernel import rasterize
from idto3d.training.people import glasses, ict, sculptor, skin, synthetic
from idto3d.training.people.fringe import draw_fringe
from idto3d.training.people.person import draw_person

SIZE, NEAR, FAR = 512, 0.3, 3.0


def labelled_portraits(model_path: str, first_seed: int, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures [S, S, 3] uint8 sRGB and regions [S, S] of `count` people; glasses count as skin."""
    model = ict.read_ict(model_path)
    studio = synthetic.open_studio(model)
    for seed in range(first_seed, first_seed + count):
        person = draw_person(seed, model.words)
        dressed = synthetic.dress(studio, person)
        sculpture = synthetic.sculpt(studio, person, np.zeros(len(model.expression_names)), dressed)
        pixels = synthetic.portrait(sculpture, np.random.default_rng(seed), SIZE)
        yield pixels, _regions(studio, person, dressed, *_seen(sculpture, np.random.default_rng(seed)))


def _seen(sculpture, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Faces [S, S] and barycentrics [S, S, 3] from the camera that `synthetic.portrait` draws first from `random`."""
    c2w = synthetic.camera(random.uniform(-35, 35), random.uniform(-12, 14), np.array([0.0, -0.005, 0.05]))
    focal = 1 / np.tan(np.radians(synthetic.FOV_Y_DEG * random.uniform(0.78, 0.95)) / 2)
    c2w = c2w.astype(np.float32)
    x, y, z = ((sculpture.vertices.astype(np.float32) - c2w[:3, 3]) @ c2w[:3, :3]).T
    depth = (-z * (FAR + NEAR) - 2 * FAR * NEAR) / (FAR - NEAR)
    clip = np.stack([x * focal, y * focal, depth, -z], 1).astype(np.float32)
    return rasterize(clip, sculpture.faces, SIZE, SIZE)[:2]


def _regions(studio, person, dressed, face: np.ndarray, barycentric: np.ndarray) -> np.ndarray:
    model, look = studio.model, person.look
    frame = glasses.wear(look.glasses, dressed.rest)
    regions = np.where(face < 0, BACKGROUND, np.where(face < len(model.faces), SKIN, HAIR))
    if frame:
        regions[face >= len(dressed.faces) - len(frame[1])] = SKIN
    bare = (face >= 0) & (face < len(model.faces))
    stand = np.random.default_rng([person.seed, 2, 2])  # as sculptor.dress draws beard and fringe
    sculptor._beard_offsets(studio, look, sculptor.vertex_normals(dressed.rest, model.faces), stand)
    fringe = draw_fringe(look.hair_style, model.neutral, studio.regions.face, stand)
    grown = {HAIR: fringe[0] if fringe else None, BEARD: skin.regions_of_beard(look.beard, studio.regions)}
    for region, amount in grown.items():
        if amount is not None:
            covered = (amount[model.faces[face[bare]]] * barycentric[bare]).sum(-1) > 0.5
            regions[bare] = np.where(covered, region, regions[bare])
    return regions
