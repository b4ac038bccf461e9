"""MakeHuman's targets carried over to the ICT-FaceKit mesh: shape changes that have words, such as "baby" or "old".

    python -m idto3d.training.makehuman --ict ict_facekit.npz --makehuman makehuman_head.npz --out ict_words.npz

writes a packed model with these changes as further identity modes. MakeHuman (CC0, makehumancommunity.org) is in
decimetres, +Y up, the face to +Z. A change is a difference between two characters: no one's absolute shape is carried,
and neither are size and place in the frame.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import factorized
from scipy.spatial import cKDTree

from idto3d.training.ict import CENTIMETRE, EYE_SOCKETS, EYEBALLS, FACE, LANDMARKS, MOUTH_SOCKET, IctModel, read_ict

DECIMETRE = 0.1
ANCESTRIES, GENDERS = ("african", "asian", "caucasian"), ("female", "male")
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
    "heavy brow": {"eyebrows/eyebrows-trans-forward": 0.4, "eyebrows/eyebrows-trans-down": 0.3},
}
# MakeHuman vertices of the Multi-PIE landmarks 4..12 (chin) and 27..67 (nose, eyes, lips), found once on a render of
# the average young adult by a landmark detector.
CHIN = (748, 5227, 5223, 5167, 5225, 11780, 11901, 11903, 11849)
NOSE_EYES_LIPS = (
    *(133, 131, 201, 5054, 322, 299, 307, 7065, 7124, 4851, 2, 55, 100, 47, 41, 6885, 6839, 6786, 11469, 6825, 6831),
    *(408, 5354, 450, 455, 7214, 7211, 7168, 7239, 7241, 492, 486, 484, 504, 507, 509, 7256, 7253, 7221, 494, 462),
)
MARKED = (*range(4, 13), *range(27, 68))  # which of ict.LANDMARKS they are
SKIN = MOUTH_SOCKET.start  # vertices before this one are the skin of face, head and neck
NECK = (-0.19, -0.12)  # height in metres below which nothing moves, and above which everything does
LID = 0.004  # width of the skin around an eye that keeps its distance from the eyeball, metres
SLACK = 1e-5  # of the thin-plate warp at the landmarks
ROUNDS, SMOOTHING = 14, 10  # of the fit, and of a carried change: averages over neighbours
BABY_SMOOTHING = 45  # a baby's deltas are a metre long, and so coarse in half precision
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

    def character(self, age: str, genders=GENDERS, ancestries=ANCESTRIES) -> np.ndarray:
        """[N, 3] metres: the mean of the characters of an age (baby, child, young, old)."""
        named = [f"macrodetails/{ancestry}-{gender}-{age}" for ancestry in ancestries for gender in genders]
        return self.vertices + np.mean([self.delta(name) for name in named], axis=0)


@dataclass(frozen=True)
class WordShapes:
    """Shape changes with words: `names` [M] and `deltas` [M, V, 3] metres on the vertices of an IctModel."""

    names: tuple[str, ...]
    deltas: np.ndarray


@dataclass(frozen=True)
class Match:
    """Where on MakeHuman's skin each skin vertex of ICT-FaceKit lies: `corners`, `weights` [S, 3]; frame change."""

    corners: np.ndarray
    weights: np.ndarray
    turn: np.ndarray  # [3, 3] scale times rotation from MakeHuman's frame
    offset: np.ndarray  # [3] metres

    def read(self, vertices: np.ndarray) -> np.ndarray:
        """[S, 3] metres in ICT's frame: a MakeHuman shape [N, 3] at every skin vertex of ICT-FaceKit."""
        return (self.place(vertices)[self.corners] * self.weights[..., None]).sum(1)

    def place(self, vertices: np.ndarray) -> np.ndarray:
        """[N, 3] metres in ICT's frame of a MakeHuman shape [N, 3]."""
        return vertices @ self.turn.T + self.offset


def read_makehuman(path: str | Path) -> MakeHuman:
    """MakeHuman's base mesh and targets from a packed .npz."""
    with np.load(Path(path).expanduser(), allow_pickle=False) as data:
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
    match, mean = register(model, human, young), neighbour_mean(model, SKIN)
    at_rest, deltas = match.read(young), []
    for word, shape in changed_shapes(human, young).items():
        turn, offset = similarity(match.read(shape)[_head(model)], at_rest[_head(model)])
        delta = match.read(shape) @ turn.T + offset - at_rest
        _carry_ears(model, human, match.place(young), match.place(shape) @ turn.T + offset, delta)
        delta = _stiff_neck(model, mean, delta) if word == "baby" else _faded(model.neutral[:SKIN], delta)
        for _ in range(BABY_SMOOTHING if word == "baby" else SMOOTHING):
            delta = 0.5 * delta + 0.5 * (mean @ delta)
        deltas.append(complete(model, delta))
    return WordShapes((*AXES, *FACE_WORDS), np.stack(deltas).astype(np.float32))


def changed_shapes(human: MakeHuman, young: np.ndarray) -> dict[str, np.ndarray]:
    """MakeHuman shapes [N, 3] metres that differ from the average `young` adult by one word each."""
    shapes = {age: human.character(age) for age in ("baby", "child", "old")}
    shapes["baby"] += 0.6 * human.delta("eyes/*-eye-scale-incr")
    shapes["old"] = young + 1.2 * (shapes["old"] - young) + 0.4 * human.delta("head/head-age-incr")
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
    share = np.clip((neutral[:, 1] - NECK[0]) / (NECK[1] - NECK[0]), 0, 1)
    return delta * (share * share * (3 - 2 * share))[:, None]


def _stiff_neck(model: IctModel, mean: csr_matrix, delta: np.ndarray) -> np.ndarray:
    """`delta` [S, 3] of the head, with a neck that goes smoothly from it to shoulders that stay."""
    neutral = model.neutral[:SKIN]
    ears = (np.abs(neutral[:, 0]) > 0.058) & (neutral[:, 1] > -0.06) & (np.abs(neutral[:, 2]) < 0.05)
    free = np.flatnonzero(~ears & (neutral[:, 1] < np.interp(neutral[:, 2], *zip(*NECK_LINE, strict=True))))
    result = np.where((neutral[:, 1] < NECK[0] + 0.02)[:, None], 0, delta)
    free = free[neutral[free, 1] > NECK[0] + 0.02]
    return _relaxed(result, mean, free, 1e-6)


def _relaxed(field: np.ndarray, mean: csr_matrix, free: np.ndarray, hold: float) -> np.ndarray:
    """`field` [N, C] with the values at `free` indices as smooth as the others allow; `hold` pulls to what was there."""
    result = field.copy()
    if len(free):
        result[free] = 0
        known = mean[free] @ result + hold * field[free]
        solve = factorized((diags(np.full(len(free), 1 + hold)) - mean[free][:, free]).tocsc())
        result[free] = np.stack([solve(column) for column in known.T], 1)
    return result


def register(model: IctModel, human: MakeHuman, young: np.ndarray) -> Match:
    """Lay the skin of `model` onto MakeHuman's average adult `young` [N, 3] metres.

    A similarity and a thin-plate warp by landmarks, then steps towards the closest points, smoothed less each time.
    """
    own = model.neutral[:SKIN].astype(np.float64)
    marks, wanted = _landmarks(model, human, young)
    mirror = np.array([-1, 1, 1])  # both heads are symmetric, the landmarks not quite
    known, wanted = np.concatenate([own[marks], own[marks] * mirror]), np.concatenate([wanted, wanted * mirror])
    turn, offset = similarity(wanted, known)
    surface = _dense(young @ turn.T + offset, human.faces)
    warp = RBFInterpolator(known * 10, wanted @ turn.T + offset - known, smoothing=SLACK)
    fitted, mean = own + warp(own * 10), neighbour_mean(model, SKIN)
    for step in range(ROUNDS):
        move = surface.points[_closest(surface, fitted, model)] - fitted
        for _ in range(60 // (1 + step)):
            move = mean @ move
        fitted = fitted + move
    found = _closest(surface, fitted, model)
    return Match(surface.corners[found], surface.weights[found], turn, offset)


def _landmarks(model: IctModel, human: MakeHuman, young: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Skin vertices [L] of `model` and the places [L, 3] on `young` that correspond: landmarks, ears and skull."""
    own = model.neutral[:SKIN]
    marks = [LANDMARKS[i] for i in MARKED]
    places = [young[i] for i in (*CHIN, *NOSE_EYES_LIPS)]
    for side, letter in ((1, "l"), (-1, "r")):
        ear = (own[:, 0] * side > 0.072) & (np.abs(own[:, 1] - 0.005) < 0.05) & (np.abs(own[:, 2]) < 0.045)
        marks += list(_extremes(own, np.flatnonzero(ear), side))
        indices = human.targets[f"ears/{letter}-ear-scale-incr"][0]
        places += list(young[_extremes(young, indices[young[indices, 0] * side > 0], side)])
    skin = np.unique(human.faces)
    marks += [int(own[:, 1].argmax()), int(np.where(own[:, 1] > 0.03, own[:, 2], 1).argmin())]
    above = young[:, 1] > np.mean(young[list(NOSE_EYES_LIPS[9:21]), 1])
    places += [young[skin[young[skin, 1].argmax()]], young[skin[np.where(above, young[:, 2], 9)[skin].argmin()]]]
    return np.array(marks), np.array(places, np.float64)


def _extremes(points: np.ndarray, among: np.ndarray, side: int) -> np.ndarray:
    """The highest, lowest, rearmost and outermost vertex `among` indices."""
    x, y, z = points[among].T
    return among[[y.argmax(), y.argmin(), z.argmin(), (x * side).argmax()]]


@dataclass(frozen=True)
class Surface:
    """Points [P, 3] strewn over a mesh, their unit normals, and each one's corners and weights [P, 3]."""

    points: np.ndarray
    normals: np.ndarray
    corners: np.ndarray
    weights: np.ndarray


def _dense(vertices: np.ndarray, faces: np.ndarray, levels: int = 5) -> Surface:
    steps = [(i, j, levels - i - j) for i in range(levels + 1) for j in range(levels + 1 - i)]
    weights = np.tile(np.array(steps) / levels, (len(faces), 1))
    corners = np.repeat(faces, len(steps), 0)
    normals = vertex_normals(vertices, faces)
    points, directions = ((field[corners] * weights[..., None]).sum(1) for field in (vertices, normals))
    return Surface(points, directions, corners, weights)


def _closest(surface: Surface, fitted: np.ndarray, model: IctModel) -> np.ndarray:
    """[S] the nearest surface point that faces as the fitted vertex does; the nearest one where none does."""
    faces = model.faces[(model.faces < SKIN).all(1)]
    normals = vertex_normals(fitted, faces)
    _, near = cKDTree(surface.points).query(fitted, k=40)
    alike = (surface.normals[near] * normals[:, None]).sum(-1) > 0.3
    return near[np.arange(len(near)), alike.argmax(1)]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[V, 3] unit normals of a mesh, zero at vertices without a face."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    crossed, normals = np.cross(b - a, c - a), np.zeros((len(vertices), 3))
    for i in range(3):
        np.add.at(normals, faces[:, i], crossed)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def similarity(source: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(scale times rotation [3, 3], offset [3]) that lays `source` [L, 3] onto `wanted` [L, 3] (Umeyama 1991)."""
    a, b = source - source.mean(0), wanted - wanted.mean(0)
    u, sizes, v = np.linalg.svd(b.T @ a)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ v))])
    turn = (u * signs) @ v * ((sizes * signs).sum() / (a**2).sum())
    return turn, wanted.mean(0) - turn @ source.mean(0)


def _carry_ears(model: IctModel, human: MakeHuman, young: np.ndarray, shape: np.ndarray, delta: np.ndarray) -> None:
    """Let the ears in `delta` [S, 3] turn, grow and move as MakeHuman's do from `young` to `shape` [N, 3]."""
    own = model.neutral[:SKIN]
    x, y, z = own.T
    for side, letter in ((1, "l"), (-1, "r")):
        indices = human.targets[f"ears/{letter}-ear-scale-incr"][0]
        indices = indices[young[indices, 0] * side > 0]
        tip = indices[young[indices, 0] * side > np.quantile(young[indices, 0] * side, 0.5)]
        turn, offset = similarity(young[tip], shape[tip])
        share = _ramp(x * side, 0.064, 0.073) * _ramp(0.055 - np.abs(y - 0.005), 0, 0.01)
        share = (share * _ramp(0.055 - np.abs(z), 0, 0.01))[:, None]
        ear = share[:, 0] > 0.9
        placed = own - own[ear].mean(0) + young[tip].mean(0)
        delta += share * (placed @ turn.T + offset - placed - delta)


def _ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((x - low) / (high - low), 0, 1)


def neighbour_mean(model: IctModel, count: int) -> csr_matrix:
    """[count, count] averages over the neighbours among the first `count` vertices; alone a vertex keeps its value."""
    faces = model.faces[(model.faces < count).all(1)]
    a, b = np.concatenate([faces, faces[:, [1, 2, 0]]]).ravel(), np.concatenate([faces[:, [1, 2, 0]], faces]).ravel()
    joined = csr_matrix((np.ones(len(a)), (a, b)), shape=(count, count))
    joined.data[:] = 1
    joined = joined + diags((np.asarray(joined.sum(1)).ravel() == 0).astype(float))
    return csr_matrix(diags(1 / np.asarray(joined.sum(1)).ravel()) @ joined)


def complete(model: IctModel, delta: np.ndarray) -> np.ndarray:
    """[V, 3] metres: a change of the skin `delta` [S, 3] with eyes, teeth, gums and sockets that follow it."""
    neutral, full = model.neutral.astype(np.float64), np.zeros_like(model.neutral, np.float64)
    full[:SKIN] = delta
    lips = np.array(LANDMARKS[48:60])
    full[SKIN:] = _followed(neutral[SKIN:], neutral[lips], delta[lips])
    for side in (1, -1):
        _carry_eye(model, full, side)
    _fill_sockets(model, full)
    return full


def _followed(points: np.ndarray, around: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """[N, 3] movement of `points` that move and grow as the points `around` [R, 3] do, which move by `moved`."""
    centred = around - around.mean(0)
    growth = np.clip((centred * moved).sum() / (centred**2).sum(), -0.3, 0.3)
    return moved.mean(0) + growth * (points - around.mean(0))


def _carry_eye(model: IctModel, full: np.ndarray, side: int) -> None:
    """Move an eyeball, and all that is nearer to it than to the mouth, with its lids; keep the lids on the eyeball."""
    neutral = model.neutral.astype(np.float64)
    ball = np.arange(EYEBALLS.start, EYEBALLS.stop)
    ball = ball[neutral[ball, 0] * side > 0]
    centre = (neutral[ball].min(0) + neutral[ball].max(0)) / 2
    own = np.r_[EYE_SOCKETS.start : EYE_SOCKETS.stop, ball, EYEBALLS.stop : len(neutral)]
    own = own[neutral[own, 0] * side > 0]
    lids = np.array(LANDMARKS[42:48] if side > 0 else LANDMARKS[36:42])
    full[own] = _followed(neutral[own], neutral[lids], full[lids])
    offset = neutral[FACE] - centre
    reach = np.linalg.norm(offset, axis=1)
    near = np.exp(-((np.maximum(reach - np.linalg.norm(neutral[lids] - centre, axis=1).max(), 0) / LID) ** 2))
    outward = offset / reach[:, None]
    wanted = ((_followed(neutral[FACE], neutral[lids], full[lids]) - full[FACE]) * outward).sum(1)
    full[FACE] += (near * wanted)[:, None] * outward


def _fill_sockets(model: IctModel, full: np.ndarray) -> None:
    """Mouth and eye sockets hang smoothly between the skin and what does not touch it."""
    free = np.arange(MOUTH_SOCKET.start, EYE_SOCKETS.stop)
    free = free[np.isin(free, model.faces)]
    count = EYE_SOCKETS.stop
    full[:count] = _relaxed(full[:count], neighbour_mean(model, count), free, 1e-3)


def main(arguments: list[str] | None = None) -> None:
    """The command line; see --help."""
    parser = argparse.ArgumentParser(description="Add identity modes that have words to a packed ICT-FaceKit model.")
    parser.add_argument("--ict", type=Path, required=True, help="packed ICT-FaceKit .npz")
    parser.add_argument("--makehuman", type=Path, required=True, help="packed MakeHuman .npz")
    parser.add_argument("--out", type=Path, required=True, help="where to write the packed model with words (.npz)")
    told = parser.parse_args(arguments)
    shapes = carry_over(read_ict(told.ict), told.makehuman)
    with np.load(told.ict.expanduser(), allow_pickle=False) as data:
        packed = {name: data[name] for name in data.files}
    added = (shapes.deltas / CENTIMETRE).astype(packed["identity"].dtype)
    packed["identity"] = np.concatenate([packed["identity"][:100], added])
    np.savez_compressed(told.out, **packed, word_names=np.array(shapes.names))


if __name__ == "__main__":
    main()
