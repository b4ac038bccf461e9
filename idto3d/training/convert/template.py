"""The template head from ICT-FaceKit: what is seen of it, quantised, its charts laid out anew.

    python -m idto3d.training.convert.template --ict ict_words.npz --out weights/embedded/template.safetensors

`--ict` is what training/fit/makehuman.py wrote, ICT-FaceKit's model (MIT licence) with further modes for words.
"""

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from idto3d.errors import UserError, run_command
from idto3d.files import sha256_of, write_tensors
from idto3d.head import template
from idto3d.head.template_file import BLOCK, KEY, MILLIMETRE, MOVE_STEP, VERSION
from idto3d.training.arguments import add_ict, add_out
from idto3d.training.convert import atlas, eyes
from idto3d.training.people.ict import packed_arrays

SOURCE = "ICT-FaceKit light model, github.com/ICT-VGL/ICT-FaceKit, MIT licence; words from MakeHuman, CC0"
STILL_M = 2e-5  # a vertex that a shape moves by less than this stays
HARD_STILL_M = 3e-4  # and so do teeth and gums that no vertex of a shape moves by more
CORNERS = ((0, 1, 2), (0, 2, 3)), ((1, 2, 3), (1, 3, 0))  # the two ways to cut a quad


@dataclass(frozen=True)
class Piece:
    """A part of the template to be: its vertices among ICT-FaceKit's, and the materials of its faces."""

    name: str
    material: str
    vertices: slice
    sources: tuple[str, ...]


EYE = (template.EYEBALLS.stop - template.EYEBALLS.start) // 2
SCLERA = 770  # vertices of an eyeball's outer surface, cornea included; what lies inside it is never seen
PIECES = (
    Piece("skin", "skin", slice(0, template.EYE_SOCKETS.stop), ("M_Face", "M_BackHead")),
    Piece(
        "eye_left",
        "eyes",
        slice(template.EYEBALLS.start, template.EYEBALLS.start + SCLERA),
        ("M_ScleraLeft",),
    ),
    Piece(
        "eye_right",
        "eyes",
        slice(template.EYEBALLS.start + EYE, template.EYEBALLS.start + EYE + SCLERA),
        ("M_ScleraRight",),
    ),
    Piece("teeth", "teeth", template.TEETH, ("M_Teeth",)),
    Piece("gums_tongue", "mouth", template.GUMS_TONGUE, ("M_GumsTongue",)),
    Piece("lashes", "lashes", template.LASHES, ("M_EyeLashes",)),
)
ATLASES = {
    "skin": atlas.skin_atlas,
    "eyes": atlas.eye_atlas,
    "teeth": atlas.teeth_atlas,
    "mouth": atlas.own_atlas,
    "lashes": atlas.own_atlas,
}


def convert(arrays: dict) -> tuple[dict[str, torch.Tensor], dict]:
    """Tensors of the template's file and the JSON beside them, from the packed `arrays` of ICT-FaceKit."""
    original = np.concatenate([np.arange(piece.vertices.start, piece.vertices.stop) for piece in PIECES])
    faces, uvs, counts = _triangles(arrays, original)
    neutral, identity = _shapes(arrays, original)
    places, corners = np.unique(uvs.reshape(-1, 2).astype(np.float32), axis=0, return_inverse=True)
    tensors = {
        "original": original.astype(np.int16),
        "neutral": neutral,
        "faces": faces.astype(np.int16),
        "uv.places": places,
        "uv.faces": corners.reshape(-1, 3).astype(np.int16),
        "lid_rims": _lid_rims(arrays).astype(np.int16),
        **quantised(identity),
        **_moves(arrays, original),
    }
    sizes = [piece.vertices.stop - piece.vertices.start for piece in PIECES]
    entries = [
        {"name": piece.name, "material": piece.material, "vertices": list(span), "faces": list(own)}
        for piece, span, own in zip(PIECES, _spans(sizes), _spans(counts), strict=True)
    ]
    words = [str(word) for word in arrays.get("word_names", ())]
    description = {"version": VERSION, "shapes": list(template.EXPRESSIONS), "words": words, "parts": entries}
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in tensors.items()}, description


def _shapes(arrays: dict, original: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean head [V, 3] and the identity modes [K, V, 3] of the kept vertices, metres; corneas flattened."""
    scale = np.float32(template.CENTIMETRE)
    neutral, identity = arrays["neutral"][original] * scale, arrays["identity"][:, original].astype(np.float32) * scale
    for piece, span in zip(PIECES, _spans([p.vertices.stop - p.vertices.start for p in PIECES]), strict=True):
        if piece.material == "eyes":
            ball, modes = eyes.flattened(neutral[slice(*span)].astype(np.float64), identity[:, slice(*span)])
            neutral[slice(*span)], identity[:, slice(*span)] = ball, modes
    return neutral, identity


def _lid_rims(arrays: dict) -> np.ndarray:
    """[2, N] the edges of the left and the right eye's lids, vertices of the skin."""
    quads, sockets = arrays["quads"][arrays["face_material"] == "M_Face"], template.EYE_SOCKETS
    behind = arrays["quads"][(arrays["quads"].max(1) >= sockets.start) & (arrays["quads"].max(1) < sockets.stop)]
    border = np.intersect1d(quads, behind)
    left = arrays["neutral"][border, 0] > 0
    return np.stack([eyes.lid_rim(quads, border[side]) for side in (left, ~left)])


def _spans(sizes: list[int]) -> list[tuple[int, int]]:
    return list(pairwise(np.concatenate([[0], np.cumsum(sizes)]).tolist()))


def _triangles(arrays: dict, original: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Faces [F, 3] over the kept vertices, uvs [F, 3, 2] of their corners, and how many each piece has."""
    renumbered = np.full(template.VERTICES, -1)
    renumbered[original] = np.arange(len(original))
    placed = {piece.material: _placed(arrays, piece.material) for piece in PIECES}
    faces, uvs = [], []
    for piece in PIECES:
        corners, places = placed[piece.material]
        own = np.isin(corners.material, piece.sources)
        cut = triangulated(renumbered[corners.quads[own]], places[own])
        faces.append(cut[0])
        uvs.append(cut[1])
    return np.concatenate(faces), np.concatenate(uvs), [len(part) for part in faces]


def _placed(arrays: dict, material: str) -> tuple[atlas.Corners, np.ndarray]:
    """The quads of all pieces of a `material`, and their coordinates [Q, 4, 2] in its square."""
    sources = [source for piece in PIECES if piece.material == material for source in piece.sources]
    kept = np.isin(arrays["face_material"], sources)
    quads, places = (
        np.where(part < 0, part[:, :1], part) for part in (arrays["quads"][kept], arrays["quads_uv"][kept])
    )
    uvs = arrays["uv"][places].astype(np.float64)
    corners = atlas.Corners(quads, places, uvs, arrays["face_material"][kept])
    return corners, ATLASES[material](corners)


def triangulated(quads: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles [F, 3] and their coordinates [F, 3, 2] from `quads` [Q, 4] and `places` [Q, 4, 2].

    A quad is cut from its first to its third corner, or the other way where only that leaves no triangle turned over in
    the square. A quad that repeats its first corner is one triangle.
    """
    first, second = (np.array(way) for way in CORNERS)
    areas = [np.stack([atlas.signed_areas(places[:, way]) for way in ways], 1).min(1) for ways in CORNERS]
    single = quads[:, 3] == quads[:, 0]
    other = ~single & (areas[0] <= 0) & (areas[1] > areas[0])
    chosen = np.where(other[:, None, None], second, first).reshape(len(quads), 6)
    rows = np.arange(len(quads))[:, None]
    faces, uvs = quads[rows, chosen].reshape(-1, 3), places[rows, chosen].reshape(-1, 3, 2)
    kept = np.stack([np.ones(len(quads), bool), ~single], 1).ravel()
    return faces[kept], uvs[kept]


def quantised(modes: np.ndarray) -> dict[str, np.ndarray]:
    """Identity modes [K, V, 3] metres in eight bits, see template_file.dequantised."""
    count = modes.shape[1]
    padded = np.pad(modes, ((0, 0), (0, -count % BLOCK), (0, 0)), mode="edge").reshape(len(modes), -1, BLOCK, 3)
    low, high = padded.min(2) / MILLIMETRE, padded.max(2) / MILLIMETRE
    middle, scale = ((low + high) / 2).astype(np.float16), np.maximum((high - low) / 252, 1e-4).astype(np.float16)
    offset = padded / MILLIMETRE - middle.astype(np.float32)[:, :, None]
    steps = np.round(offset / scale.astype(np.float32)[:, :, None]).clip(-127, 127)
    steps = steps.reshape(len(modes), -1, 3)[:, :count].astype(np.int8)
    return {"identity.steps": steps, "identity.scale": scale, "identity.middle": middle}


def _moves(arrays: dict, original: np.ndarray) -> dict[str, np.ndarray]:
    """The expression shapes: per shape the vertices that move, and by how many steps of MOVE_STEP."""
    names = [str(name) for name in arrays["expression_names"]]
    order = [names.index(name) for name in template.EXPRESSIONS]
    moved = arrays["expression"][order][:, original].astype(np.float32) * np.float32(template.CENTIMETRE)
    reach = np.linalg.norm(moved, axis=-1)
    for hard in (template.TEETH, template.GUMS_TONGUE):
        own = (original >= hard.start) & (original < hard.stop)
        idle = reach[:, own].max(1) < HARD_STILL_M
        reach[np.ix_(idle, own)] = 0
    shape, vertex = np.nonzero(reach > STILL_M)
    steps = np.round(moved[shape, vertex] / MOVE_STEP)
    if np.abs(steps).max() > np.iinfo(np.int16).max:
        raise UserError("An expression moves a vertex by more than 6 cm.", "Use ICT-FaceKit's own model, unscaled.")
    starts = np.concatenate([[0], np.cumsum(np.bincount(shape, minlength=len(order)))])
    return {
        "moves.starts": starts.astype(np.int32),
        "moves.vertex": vertex.astype(np.int16),
        "moves.steps": steps.astype(np.int16),
    }


def main(argv: list[str]) -> int:
    """The command line; see --help."""
    parser = argparse.ArgumentParser(prog="idto3d.training.convert.template", description=__doc__.split("\n")[0])
    add_ict(parser)
    parser.add_argument(
        "--uv-from", type=Path, help="another of ICT-FaceKit with texture coordinates, if --ict has none"
    )
    add_out(parser, "where to write the template (.safetensors)")
    options = parser.parse_args(argv)
    arrays = packed_arrays(options.ict)
    others = packed_arrays(options.uv_from) if options.uv_from else arrays
    missing = {"uv", "quads_uv"} - set(others)
    if missing or len(arrays["neutral"]) != template.VERTICES:
        raise UserError("That ICT-FaceKit model lacks texture coordinates, or vertices.", "Give others by --uv-from.")
    tensors, description = convert(arrays | {name: others[name] for name in ("uv", "quads_uv")})
    digest = sha256_of(options.ict) if options.ict.is_file() else ""
    description["provenance"] = {"source": SOURCE, "file": options.ict.name, "sha256": digest}
    write_tensors(options.out, tensors, {KEY: json.dumps(description)})
    return 0


if __name__ == "__main__":
    run_command(main)
