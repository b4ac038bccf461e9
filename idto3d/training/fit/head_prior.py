"""Fit the head prior to ICT-FaceKit heads: `python -m idto3d.training.fit.head_prior --ict MODEL --out FILE`.

The canonical head has its lips parted and its eyes wide open. Its surface is made a solid: the mouth socket is drawn
together into a shallow wall between the lips, the eye sockets into the eyeballs, the neck is capped.
"""

import argparse
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.errors import run_command
from idto3d.head.prior import BOX, CODE, FACE_BOX, HeadPrior, PriorSize, lattice
from idto3d.head.prior_file import load_prior, read_description, save_prior
from idto3d.head.template import FACE
from idto3d.training.arguments import add_dataset, add_ict, add_out
from idto3d.training.fit.prior_regression import fit_regression, read_faces
from idto3d.training.fit.prior_samples import Samples, sample_surface, vertex_weight
from idto3d.training.fit.prior_solid import (
    Solid,
    build_solid,
    inside,
    rounded,
    tensor_of,
    unit,
)
from idto3d.training.people.ict import read_ict
from idto3d.training.people.person import draw_coefficients, second_moments, word_codes

log = logging.getLogger(__name__)
FIT_SEED, UNSEEN_SEED = 8_000_000, 8_100_000  # of the people that are fitted to, and of those measured on


@dataclass(frozen=True)
class FitOptions:
    """How much is sampled and how long each network learns (Adam steps)."""

    points: int = 160_000
    heads: int = 250
    head_points: int = 1200
    motion_steps: int = 2200
    colour_steps: int = 1500
    batch: int = 2048
    seed: int = 0


@dataclass(frozen=True)
class Targets:
    """What the networks should say at N points, float32 tensors; metres and linear albedo."""

    points: Tensor  # [N, 3]
    sdf: Tensor  # [N] of the mean head
    flow: Tensor  # [N, K, 3] movement of the surface per unit of z
    motion: Tensor  # [N, 13, 3]
    albedo: Tensor  # [N, 3]


@dataclass(frozen=True)
class HeadPoints:
    """Points on and near the surfaces of random heads."""

    points: Tensor  # [N, 3]
    origin: Tensor  # [N, 3] the same place on the mean head
    head: Tensor  # [N] int64 row of `z`
    z: Tensor  # [heads, K]


def shape_modes(solid: Solid, spread: np.ndarray, count: int) -> np.ndarray:
    """[C, K] map from identity coefficients to z: principal directions of the movement along the normal.

    z is about unit normal over people whose coefficients have the second moments `spread` [C, C]; z = 0 is the neutral
    adult. Vertices weigh as their area does, those of the face three times.
    """
    normals, weight = solid.normals(solid.base), vertex_weight(solid)
    along = np.einsum("kvc,vc->vk", solid.identity, normals) * np.sqrt(weight)[:, None]
    values, axes = np.linalg.eigh(spread)
    deviation = np.sqrt(np.maximum(values, 1e-9))
    _, vectors = np.linalg.eigh((along @ (axes * deviation)).T @ (along @ (axes * deviation)))
    return ((axes / deviation) @ vectors[:, ::-1][:, :count]).astype(np.float32)


def make_targets(solid: Solid, expected: np.ndarray, options: FitOptions) -> Targets:
    """Distance, flow, motion and albedo of the mean head at points dense near its surface.

    expected: [C, K], identity coefficients `expected @ z` go with z.
    """
    random = np.random.default_rng(options.seed)
    cloud = sample_surface(solid, 2 * options.points, random)
    points = _scatter(cloud.read(solid.base), options.points, random)
    sdf, nearest = signed_distance(solid, cloud, points)
    near = Samples(cloud.corners[nearest], cloud.weights[nearest])
    fields = np.tensordot(expected.T, solid.identity, 1).astype(np.float32)
    flow = near.read(fields).transpose(1, 0, 2)
    fade = np.exp(-((sdf / 0.03) ** 2))
    motion = near.read(solid.motion).transpose(1, 0, 2) * fade[:, None, None]
    return Targets(*map(tensor_of, (points, sdf, flow, motion, near.read(solid.albedo))))


def signed_distance(solid: Solid, cloud: Samples, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(signed distance [N] metres of the mean head, nearest sample [N] of its `cloud`) at `points` [N, 3]."""
    surface, normal = cloud.read(solid.base), unit(cloud.read(solid.normals(solid.base)))
    distance, nearest = cKDTree(surface).query(points)
    height = np.abs(((points - surface[nearest]) * normal[nearest]).sum(1))
    beside = np.sqrt(np.maximum(distance**2 - height**2, 0))
    distance = np.where(
        beside < 0.0012, height, distance
    )  # almost overhead the sample's plane is better than the sample
    return np.where(inside(solid, points), -distance, distance), nearest


def _fill_lattices(prior: HeadPrior, solid: Solid, options: FitOptions) -> None:
    cloud = sample_surface(solid, 2 * options.points, np.random.default_rng(options.seed))
    for values, box, spacing in ((prior.coarse, BOX, prior.size.coarse), (prior.fine, FACE_BOX, prior.size.fine)):
        points = lattice(box, spacing).view(-1, 3).numpy()
        distances = signed_distance(solid, cloud, points)[0].reshape(values.shape)
        values.copy_(tensor_of(rounded(distances, points.reshape(*values.shape, 3), spacing)))


def _scatter(surface: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """[count, 3]: surface points with small, middle and large jitter, and some anywhere in the box."""
    anywhere = random.uniform(BOX[0], BOX[1], (count // 7, 3))
    chosen = surface[random.choice(len(surface), count - len(anywhere))]
    jitter = random.choice((0.0005, 0.002, 0.005, 0.015), len(chosen), p=(0.35, 0.3, 0.2, 0.15))
    return np.concatenate([chosen + jitter[:, None] * random.standard_normal(chosen.shape), anywhere])


def make_head_points(solid: Solid, coefficient_map: np.ndarray, options: FitOptions) -> HeadPoints:
    """Surface points of random heads, half of them moved up to 3 mm along the normal."""
    random = np.random.default_rng(options.seed + 1)
    points, origins = [], []
    coefficients = draw_coefficients(options.heads, solid.words, FIT_SEED + options.seed)
    for row in coefficients:
        vertices = solid.base + np.tensordot(row.astype(np.float32), solid.identity, 1)
        samples = sample_surface(solid, options.head_points, random)
        shift = random.uniform(-0.003, 0.003, (options.head_points, 1)) * random.integers(
            0, 2, (options.head_points, 1)
        )
        points.append(samples.read(vertices) + shift * unit(samples.read(solid.normals(vertices))))
        origins.append(samples.read(solid.base) + shift * unit(samples.read(solid.normals(solid.base))))
    head = torch.arange(options.heads).repeat_interleave(options.head_points)
    stacked = (tensor_of(np.concatenate(part)) for part in (points, origins))
    return HeadPoints(*stacked, head, tensor_of(coefficients @ coefficient_map))


def fit(solid: Solid, size: PriorSize, options: FitOptions) -> HeadPrior:
    """A prior fitted to `solid`; its regression from embeddings is left at zero."""
    spread = second_moments(solid.words, FIT_SEED)
    coefficient_map = shape_modes(solid, spread, size.modes)
    expected = (spread @ coefficient_map).astype(np.float32)
    codes = word_codes(solid.words, coefficient_map)
    prior = HeadPrior(replace(size, coefficients=len(coefficient_map), words=tuple(codes)))
    for buffer, values in ((prior.coefficient_map, coefficient_map), (prior.expected_map, expected)):
        buffer.copy_(torch.from_numpy(values))
    for row, code in zip(prior.word_codes, codes.values(), strict=True):
        row.copy_(torch.from_numpy(code))
    targets, heads = make_targets(solid, expected, options), make_head_points(solid, coefficient_map, options)
    log.info("sampled %d points and %d heads", len(targets.points), options.heads)
    _fill_lattices(prior, solid, options)
    motion = (*prior.motion.parameters(), prior.codes)
    _descend(motion, options.motion_steps, options, lambda g: _motion_loss(prior, targets, heads, options, g))
    _descend(
        prior.colour.parameters(), options.colour_steps, options, lambda g: _colour_loss(prior, targets, options, g)
    )
    return prior.requires_grad_(False)


def _descend(parameters, steps: int, options: FitOptions, loss_of: Callable[[torch.Generator], Tensor]) -> None:
    generator = torch.Generator().manual_seed(options.seed)
    optimizer = torch.optim.Adam(parameters, 3e-3, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps + 1, pct_start=0.05)
    for step in range(steps):
        loss = loss_of(generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 8, 1) == 0 or step == steps - 1:
            log.info("step %d of %d, loss %.5f", step + 1, steps, loss.item())


def _motion_loss(prior, targets: Targets, heads: HeadPoints, options: FitOptions, generator: torch.Generator) -> Tensor:
    """Squared error in centimetres^2 of the thirteen displacements and of the flow, per mode and over random heads."""
    pick = torch.randint(len(targets.points), (options.batch,), generator=generator)
    nearness = 0.004 / (targets.sdf[pick].abs() + 0.004)
    modes, flow = _split(prior.motion(targets.points[pick]))
    motion = torch.einsum("nkc,ek->nec", modes, prior.codes) / CODE**0.5
    error = 2.0 * (motion - targets.motion[pick] * 100.0).square().sum((1, 2))
    error = error + (flow - targets.flow[pick] * 100.0).square().sum((1, 2))
    pick = torch.randint(len(heads.points), (options.batch // 2,), generator=generator)
    _, flow = _split(prior.motion(heads.points[pick]))
    moved = torch.einsum("nkc,nk->nc", flow, heads.z[heads.head[pick]])
    wanted = (heads.points[pick] - heads.origin[pick]) * 100.0
    return (error * nearness).mean() + (moved - wanted).square().sum(1).mean()


def _split(values: Tensor) -> tuple[Tensor, Tensor]:
    """(expression modes [N, 32, 3], flow [N, K, 3]) in centimetres from the motion network's output."""
    return values[:, : 3 * CODE].unflatten(1, (-1, 3)), values[:, 3 * CODE :].unflatten(1, (-1, 3))


def _colour_loss(prior, targets: Targets, options: FitOptions, generator: torch.Generator) -> Tensor:
    pick = torch.randint(len(targets.points), (options.batch,), generator=generator)
    nearness = 0.002 / (targets.sdf[pick].abs() + 0.002)
    predicted = torch.sigmoid(prior.colour(targets.points[pick]))
    return ((predicted.sqrt() - targets.albedo[pick].sqrt()).square().sum(1) * nearness).mean() * 10.0


def surface_error(prior: HeadPrior, solid: Solid, heads: int, seed: int = 1000) -> dict[str, float]:
    """Mean distance in metres of `heads` unseen faces from the zero level: linear at true z, carried, at z = 0."""
    errors = []
    face = np.flatnonzero((solid.base[FACE, 2] > 0.04) & (solid.base[FACE, 1] > -0.09))
    for coefficients in draw_coefficients(heads, solid.words, UNSEEN_SEED + seed):
        points = tensor_of(solid.base[face] + np.tensordot(coefficients, solid.identity[:, face], 1))
        z, basis = torch.from_numpy(coefficients) @ prior.coefficient_map, prior.basis(points)
        distances = (basis.mean + basis.modes @ z, prior.distance(points, z), basis.mean)
        errors.append([float(distance.abs().mean()) for distance in distances])
    return dict(zip(("linear", "carried", "mean_head"), np.mean(errors, axis=0).tolist(), strict=True))


def main(argv: list[str]) -> int:
    """The command line; see --help."""
    parser = argparse.ArgumentParser(description="Fit the head prior to ICT-FaceKit heads.")
    add_ict(parser, required=False)
    add_out(parser, "where to write the prior (.safetensors)")
    add_dataset(parser, "--people", "dataset written by synthesize, for the regression from faces")
    parser.add_argument("--refit-regression", type=Path, metavar="PRIOR", help="only refit the regression of PRIOR")
    chosen = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    prior, provenance = _fitted(parser, chosen)
    if chosen.people:
        faces = read_faces(chosen.people)
        shares = fit_regression(prior, faces)
        provenance |= {"regression_heads": len(faces.hair), "explained_variance": shares}
        log.info("the regression explains %.3f of z and %.3f of hair styles", shares["shape"], shares["style"])
    save_prior(prior, chosen.out, provenance)
    return 0


def _fitted(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> tuple[HeadPrior, dict]:
    if chosen.refit_regression:
        if not chosen.people:
            parser.error("--refit-regression needs --people")
        return load_prior(chosen.refit_regression), read_description(chosen.refit_regression)["provenance"]
    if not chosen.ict:
        parser.error("give --ict, or --refit-regression with a fitted prior")
    solid, options = build_solid(read_ict(chosen.ict)), FitOptions()
    prior = fit(solid, PriorSize(modes=48 if solid.words else 40), options)
    errors = surface_error(prior, solid, heads=20)
    log.info("mean face distance of 20 unseen heads, metres: %s", errors)
    source = "ICT-FaceKit identities and expressions (MIT licence, github.com/ICT-VGL/ICT-FaceKit)"
    return prior, {"source": source, "fit": asdict(options), "face_error_metres": errors}


if __name__ == "__main__":
    run_command(main)
