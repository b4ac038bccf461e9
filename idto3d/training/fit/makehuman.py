"""MakeHuman's targets carried over to the ICT-FaceKit mesh: shape changes that have words, such as "baby" or "old".

    python -m idto3d.training.fit.makehuman --ict ict_facekit.npz --makehuman makehuman --out ict_words.npz

writes a packed model with these changes as further identity modes; `makehuman` is a checkout of MakeHuman (CC0,
makehumancommunity.org), which is in decimetres, +Y up, the face to +Z. A change is a difference between two characters:
no one's absolute shape is carried, and neither are size and place in the frame.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from idto3d.errors import run_command
from idto3d.head.template import CENTIMETRE
from idto3d.training.arguments import add_ict, add_out
from idto3d.training.fit.follow import complete, relaxed
from idto3d.training.fit.makehuman_files import makehuman_arrays
from idto3d.training.fit.register import SKIN, neighbour_mean, register, similarity
from idto3d.training.people.ict import IctModel, packed_arrays, read_ict
from idto3d.training.people.person import ANCESTRIES, GENDERS

DECIMETRE = 0.1
AXES = ("baby", "child", "old", "female", *ANCESTRIES)  # "female": female minus male, so that -0.5 is a man
# Face words and the sliders that they add up; "*" stands for both sides.
FACE_WORDS = {
    "round face": {"head/head-round": 0.7, "head/head-fat-incr": 0.5, "chin/chin-height-decr": 0.3},
    "long face": {"head/head-scale-vert-incr": 0.7, "chin/chin-height-incr": 0.5, "head/head-scale-horiz-decr": 0.3},
    "square face": {"head/head-square": 0.9, "chin/chin-width-incr": 0.7, "chin/chin-bones-incr": 0.5},
    "wide nose": {"nose/nose-scale-horiz-incr": 1.1, "nose/nose-width3-incr": 0.6},
    "narrow nose": {"nose/nose-scale-horiz-decr": 0.8, "nose/nose-nostrils-width-decr": 0.6},
    "full lips": {
        "mouth/mouth-lowerlip-volume-incr": 1.1,
        "mouth/mouth-upperlip-volume-incr": 1.1,
        "mouth/mouth-lowerlip-height-incr": 0.9,
        "mouth/mouth-upperlip-height-incr": 0.9,
    },
    "large ears": {"ears/*-ear-scale-incr": 0.7, "ears/*-ear-wing-incr": 0.6},
    "heavy brow": {"eyebrows/eyebrows-trans-forward": 0.3, "eyebrows/eyebrows-trans-down": 0.3},
}
BABY_EYES, OLD_HEAD = "eyes/*-eye-scale-incr", "head/head-age-incr"
NECK_HEIGHTS = (-0.19, -0.12)  # height in metres below which nothing moves, and above which everything does
SMOOTHING_ROUNDS = 10  # averages over neighbours of a carried change
BABY_SMOOTHING_ROUNDS = 35  # a baby's deltas are a metre long, and so coarse in half precision
# A baby's short neck would draw the shoulders up: below this line (z, y in metres) its neck only follows its head.
NECK_LINE = ((-0.08, -0.03), (-0.04, -0.04), (0.01, -0.075), (0.045, -0.098))


@dataclass(frozen=True)
class MakeHuman:
    """The base mesh in metres and its targets."""

    vertices: np.ndarray  # [N, 3]
    faces: np.ndarray  # [F, 3] triangles of the head's skin
    targets: dict[str, tuple[np.ndarray, np.ndarray]]  # name -> (indices [n], deltas [n, 3] metres)

    def delta(self, name: str) -> np.ndarray:
        """[N, 3] metres by which a target moves the base; "*" in a name stands for both sides."""
        if "*" in name:
            return self.delta(name.replace("*", "l")) + self.delta(name.replace("*", "r"))
        moved = np.zeros_like(self.vertices)
        indices, deltas = self.targets[name]
        np.add.at(moved, indices, deltas)
        return moved

    @property
    def ears(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertex indices of the left and of the right ear."""
        left, right = (self.targets[f"ears/{side}-ear-scale-incr"][0] for side in "lr")
        return left[self.vertices[left, 0] > 0], right[self.vertices[right, 0] < 0]

    def character(self, age: str, genders=GENDERS, ancestries=ANCESTRIES) -> np.ndarray:
        """[N, 3] metres: the mean of the characters of an age (baby, child, young, old)."""
        named = [f"macrodetails/{ancestry}-{gender}-{age}" for ancestry in ancestries for gender in genders]
        return self.vertices + np.mean([self.delta(name) for name in named], axis=0)


@dataclass(frozen=True)
class WordShapes:
    """Shape changes with words: `names` [M] and `deltas` [M, V, 3] metres on the vertices of an IctModel."""

    names: tuple[str, ...]
    deltas: np.ndarray


def used_targets() -> list[str]:
    """The names of all targets that words are made of."""
    ages = ("baby", "child", "young", "old")
    characters = [f"{ancestry}-{gender}-{age}" for ancestry in ANCESTRIES for gender in GENDERS for age in ages]
    sliders = [BABY_EYES, OLD_HEAD, *(name for sliders in FACE_WORDS.values() for name in sliders)]
    sides = [name.replace("*", side) for name in sliders for side in ("lr" if "*" in name else "l")]
    return [*(f"macrodetails/{name}" for name in characters), *sides]


def read_makehuman(path: str | Path, targets: Iterable[str] = ()) -> MakeHuman:
    """MakeHuman's base mesh and targets, those of words and `targets`, from a packed .npz or from a checkout's folder.

    Raises UserError.
    """
    data = makehuman_arrays(path, {*used_targets(), *targets})
    vertices = data["vertices"].astype(np.float32) * DECIMETRE
    quads = data["quads"][data["quad_group"] == "body"]
    offsets, indices = data["target_offsets"], data["target_indices"].astype(np.int64)
    deltas = data["target_deltas"].astype(np.float32) * DECIMETRE
    names = [str(name) for name in data["target_names"]]
    parts = [slice(first, last) for first, last in zip(offsets[:-1], offsets[1:], strict=True)]
    targets = {name: (indices[part], deltas[part]) for name, part in zip(names, parts, strict=True)}
    second = quads[:, 3] >= 0
    faces = np.concatenate([quads[:, :3], quads[second][:, [0, 2, 3]]])
    everywhere = np.isin(np.arange(len(vertices)), targets["macrodetails/caucasian-female-young"][0])
    return MakeHuman(vertices, faces[everywhere[faces].all(1)], targets)


def carry_over(model: IctModel, makehuman_path: str | Path) -> WordShapes:
    """MakeHuman's changes on the vertices of `model`, at full strength; takes some seconds."""
    human = read_makehuman(makehuman_path)
    young = human.character("young")
    match, mean = register(model, young, human.faces, human.ears), neighbour_mean(model, SKIN)
    at_rest, deltas = match.read(young), []
    for word, shape in changed_shapes(human, young).items():
        turn, offset = similarity(match.read(shape)[_head(model)], at_rest[_head(model)])
        delta = match.read(shape) @ turn.T + offset - at_rest
        _carry_ears(model, human, match.place(young), match.place(shape) @ turn.T + offset, delta)
        delta = _stiff_neck(model, mean, delta) if word == "baby" else _faded(model.neutral[:SKIN], delta)
        for _ in range(BABY_SMOOTHING_ROUNDS if word == "baby" else SMOOTHING_ROUNDS):
            delta = 0.5 * delta + 0.5 * (mean @ delta)
        deltas.append(complete(model, delta))
    return WordShapes((*AXES, *FACE_WORDS), np.stack(deltas).astype(np.float32))


def changed_shapes(human: MakeHuman, young: np.ndarray) -> dict[str, np.ndarray]:
    """MakeHuman shapes [N, 3] metres that differ from the average `young` adult by one word each."""
    shapes = {age: human.character(age) for age in ("baby", "child", "old")}
    shapes["baby"] += 0.6 * human.delta(BABY_EYES)
    shapes["old"] = young + 1.2 * (shapes["old"] - young) + 0.4 * human.delta(OLD_HEAD)
    female, male = (human.character("young", (gender,)) for gender in GENDERS)
    shapes["female"] = young + female - male
    shapes |= {ancestry: human.character("young", ancestries=(ancestry,)) for ancestry in ANCESTRIES}
    for word, sliders in FACE_WORDS.items():
        shapes[word] = young + sum(amount * human.delta(name) for name, amount in sliders.items())
    return shapes


def _head(model: IctModel) -> np.ndarray:
    """[S] which skin vertices fix size and place: the head without ears and neck."""
    x, y, z = model.neutral[:SKIN].T
    return (y > -0.07) & (np.abs(x) < 0.068) & ((y > 0.0) | (z > 0.03))


def _faded(neutral: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """`delta` [S, 3] that fades out down the neck, since shoulders stay where they are."""
    share = np.clip((neutral[:, 1] - NECK_HEIGHTS[0]) / (NECK_HEIGHTS[1] - NECK_HEIGHTS[0]), 0, 1)
    return delta * (share * share * (3 - 2 * share))[:, None]


def _stiff_neck(model: IctModel, mean: csr_matrix, delta: np.ndarray) -> np.ndarray:
    """`delta` [S, 3] of the head, with a neck that goes smoothly from it to shoulders that stay."""
    neutral = model.neutral[:SKIN]
    ears = (np.abs(neutral[:, 0]) > 0.058) & (neutral[:, 1] > -0.06) & (np.abs(neutral[:, 2]) < 0.05)
    free = np.flatnonzero(~ears & (neutral[:, 1] < np.interp(neutral[:, 2], *zip(*NECK_LINE, strict=True))))
    result = np.where((neutral[:, 1] < NECK_HEIGHTS[0] + 0.02)[:, None], 0, delta)
    free = free[neutral[free, 1] > NECK_HEIGHTS[0] + 0.02]
    return relaxed(result, mean, free, 1e-6)


def _carry_ears(model: IctModel, human: MakeHuman, young: np.ndarray, shape: np.ndarray, delta: np.ndarray) -> None:
    """Let the ears in `delta` [S, 3] turn, grow and move as MakeHuman's do from `young` to `shape` [N, 3]."""
    own = model.neutral[:SKIN]
    x, y, z = own.T
    for side, indices in zip((1, -1), human.ears, strict=True):
        tip = indices[young[indices, 0] * side > np.quantile(young[indices, 0] * side, 0.5)]
        turn, offset = similarity(young[tip], shape[tip])
        share = _ramp(x * side, 0.064, 0.073) * _ramp(0.055 - np.abs(y - 0.005), 0, 0.01)
        share = (share * _ramp(0.055 - np.abs(z), 0, 0.01))[:, None]
        ear = share[:, 0] > 0.9
        placed = own - own[ear].mean(0) + young[tip].mean(0)
        delta += share * (placed @ turn.T + offset - placed - delta)


def _ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((x - low) / (high - low), 0, 1)


def main(argv: list[str]) -> int:
    """The command line; see --help."""
    parser = argparse.ArgumentParser(description="Add identity modes that have words to a packed ICT-FaceKit model.")
    add_ict(parser)
    parser.add_argument("--makehuman", type=Path, required=True, help="MakeHuman: a checkout's folder, or packed .npz")
    add_out(parser, "where to write the packed model with words (.npz)")
    options = parser.parse_args(argv)
    options.ict = options.ict.expanduser()
    shapes = carry_over(read_ict(options.ict), options.makehuman)
    packed = packed_arrays(options.ict)
    added = (shapes.deltas / CENTIMETRE).astype(packed["identity"].dtype)
    packed["identity"] = np.concatenate([packed["identity"][:100], added])
    np.savez_compressed(options.out, **packed, word_names=np.array(shapes.names))
    return 0


if __name__ == "__main__":
    run_command(main)
