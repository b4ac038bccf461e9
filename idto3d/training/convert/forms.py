"""Forms of people for heads of words, from MakeHuman's targets (CC0): what its ages, genders and ancestries leave out.

    python -m idto3d.training.convert.forms --ict ict_facekit.npz --makehuman makehuman --out forms.safetensors

The template's modes of words are differences of MakeHuman's average characters. Forms are what sets people apart for
whoever looks at them: lids, brows, lips, chin and neck, by MakeHuman's sliders, and by what an old woman differs from
both an old person and a woman. They are carried over as those modes are.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from idto3d.errors import run_command
from idto3d.files import sha256_of, write_tensors
from idto3d.head.sculpt.forms import FORMS_KEY, FORMS_VERSION
from idto3d.head.template import CENTIMETRE
from idto3d.head.template_file import template_from
from idto3d.training.arguments import add_ict, add_out
from idto3d.training.convert.template import convert, quantised
from idto3d.training.fit.follow import complete
from idto3d.training.fit.makehuman import ANCESTRIES, GENDERS, MakeHuman, read_makehuman
from idto3d.training.fit.register import SKIN, neighbour_mean, register, similarity
from idto3d.training.people.ict import IctModel, packed_arrays, read_ict

SOURCE = "MakeHuman's targets, CC0, on ICT-FaceKit light model, github.com/ICT-VGL/ICT-FaceKit, MIT licence"
SMOOTHING_ROUNDS = 4  # averages over neighbours of a carried change: folds of lids are narrow
# The line (z, y in metres) below which nothing moves, from the back to the chest, and how far above it everything does.
SHOULDERS, FADING_M = ((-0.11, -0.122), (0.06, -0.180)), 0.04
Mix = Mapping[str, float]
# Sliders by form; "*" stands for both sides.
SLIDERS: Mapping[str, Mix] = {
    "womanly": {
        **{"eyes/*-eye-scale-incr": 0.30, "eyes/*-eye-corner2-up": 0.35, "eyes/*-eye-eyefold-up": 0.2},
        **{"eyebrows/eyebrows-trans-up": 0.25, "eyebrows/eyebrows-trans-backward": 0.55},
        **{"chin/chin-width-decr": 0.55, "chin/chin-bones-decr": 0.55, "chin/chin-height-decr": 0.25},
        **{"mouth/mouth-upperlip-height-incr": 0.30, "mouth/mouth-lowerlip-height-incr": 0.25},
        **{"mouth/mouth-upperlip-volume-incr": 0.25, "mouth/mouth-lowerlip-volume-incr": 0.25},
        **{"mouth/mouth-cupidsbow-incr": 0.3, "mouth/mouth-scale-horiz-decr": 0.10},
        **{"nose/nose-scale-horiz-decr": 0.30, "nose/nose-hump-decr": 0.35, "nose/nose-point-up": 0.20},
        **{"cheek/*-cheek-bones-incr": 0.35, "head/head-oval": 0.25, "forehead/forehead-nubian-incr": 0.08},
    },
    "manly": {
        **{"eyebrows/eyebrows-trans-down": 0.20, "eyebrows/eyebrows-trans-forward": 0.30},
        **{"chin/chin-width-incr": 0.40, "chin/chin-bones-incr": 0.40, "chin/chin-prominent-incr": 0.20},
        **{"mouth/mouth-upperlip-height-decr": 0.15, "mouth/mouth-scale-horiz-incr": 0.10},
        **{"head/head-square": 0.20, "neck/neck-scale-horiz-incr": 0.15},
    },
    "babyish": {
        **{"eyes/*-eye-scale-incr": 0.30, "eyes/*-eye-height2-incr": 0.25, "eyes/*-eye-trans-down": 0.15},
        **{"nose/nose-curve-concave": 0.25, "nose/nose-scale-depth-decr": 0.15, "nose/nose-hump-decr": 0.3},
        **{"chin/chin-bones-decr": 0.4, "chin/chin-width-decr": 0.3, "mouth/mouth-scale-horiz-decr": 0.15},
        **{"mouth/mouth-angles-up": 0.2, "mouth/mouth-cupidsbow-incr": 0.4, "mouth/mouth-upperlip-height-incr": 0.2},
        **{"eyebrows/eyebrows-trans-backward": 0.5, "forehead/forehead-nubian-incr": 0.12},
    },
    "childlike": {
        **{"eyes/*-eye-scale-incr": 0.35, "eyes/*-eye-corner2-up": 0.2, "cheek/*-cheek-volume-incr": 0.4},
        **{"nose/nose-curve-concave": 0.3, "nose/nose-point-up": 0.3, "nose/nose-scale-vert-decr": 0.15},
        **{"chin/chin-bones-decr": 0.4, "chin/chin-width-decr": 0.2, "chin/chin-prominent-decr": 0.15},
        **{"mouth/mouth-angles-up": 0.15, "eyebrows/eyebrows-trans-backward": 0.35},
        **{"forehead/forehead-nubian-incr": 0.08},
    },
    "asian face": {
        **{"eyes/*-eye-epicanthus-in": 0.7, "eyes/*-eye-corner2-up": 0.35, "eyes/*-eye-height3-decr": 0.25},
        **{"eyes/*-eye-eyefold-down": 0.4, "eyes/*-eye-eyefold-convex": 0.4, "eyes/*-eye-push1-out": 0.25},
        **{"eyebrows/eyebrows-trans-backward": 0.45, "cheek/*-cheek-bones-incr": 0.6},
        **{"nose/nose-greek-decr": 0.4, "nose/nose-scale-depth-decr": 0.3, "nose/nose-hump-decr": 0.4},
        **{"nose/nose-scale-horiz-incr": 0.25, "head/head-round": 0.15, "mouth/mouth-lowerlip-height-decr": 0.25},
        **{"mouth/mouth-upperlip-height-decr": 0.15, "mouth/mouth-lowerlip-volume-decr": 0.25},
    },
    "african face": {
        **{"mouth/mouth-upperlip-volume-incr": 0.30, "mouth/mouth-lowerlip-volume-incr": 0.25},
        **{"mouth/mouth-upperlip-height-incr": 0.30, "mouth/mouth-lowerlip-height-incr": 0.15},
        **{"mouth/mouth-trans-forward": 0.15, "nose/nose-scale-horiz-incr": 0.35, "nose/nose-flaring-incr": 0.35},
        **{"nose/nose-width3-incr": 0.3, "nose/nose-scale-depth-decr": 0.2, "nose/nose-greek-decr": 0.25},
        **{"forehead/forehead-nubian-incr": 0.1},
    },
    "caucasian face": {
        **{"nose/nose-greek-incr": 0.2, "nose/nose-scale-depth-incr": 0.15, "nose/nose-scale-horiz-decr": 0.2},
    },
    "friendly": {
        **{"eyes/*-eye-corner2-up": 0.35, "eyes/*-eye-eyefold-angle-up": 0.4, "mouth/mouth-angles-up": 0.3},
        **{"eyebrows/eyebrows-angle-up": 0.1, "mouth/mouth-upperlip-ext-up": 0.1},
    },
}
OLD_WOMAN = "old woman"


def macro(age: str, genders=GENDERS, ancestries=ANCESTRIES) -> dict[str, float]:
    """The mean of MakeHuman's characters of an `age` as a mix of targets."""
    names = [f"macrodetails/{ancestry}-{gender}-{age}" for ancestry in ancestries for gender in genders]
    return {name: 1 / len(names) for name in names}


def summed(*parts: tuple[float, Mix]) -> dict[str, float]:
    """The sum of mixes, each by its factor."""
    total: dict[str, float] = {}
    for factor, mix in parts:
        for name, amount in mix.items():
            total[name] = total.get(name, 0.0) + factor * amount
    return total


def mixes() -> dict[str, Mix]:
    """What each form is made of: targets and how much of each."""
    both, woman = (macro("young"), macro("young", ("female",)))
    found = {name: dict(mix) for name, mix in SLIDERS.items()}
    aged = ((1.0, macro("old", ("female",))), (-1.0, woman), (-1.0, macro("old")), (1.0, both))
    return found | {OLD_WOMAN: summed(*aged)}


def used_targets(forms: Mapping[str, Mix]) -> list[str]:
    """The names of all targets that `forms` and the average adult are made of."""
    names = {name for mix in (*forms.values(), macro("young")) for name in mix}
    return sorted({name.replace("*", side) for name in names for side in "lr"})


def carried(model: IctModel, human: MakeHuman, forms: Mapping[str, Mix]) -> np.ndarray:
    """[F, V, 3] metres: the `forms` on the vertices of `model`, at full strength."""
    young, mean, deltas = human.character("young"), neighbour_mean(model, SKIN), []
    match = register(model, young, human.faces, human.ears)
    at_rest, head = match.read(young), _head(model)
    for mix in forms.values():
        shape = match.read(young + sum(amount * human.delta(name) for name, amount in mix.items()))
        turn, offset = similarity(shape[head], at_rest[head])
        delta = (shape @ turn.T + offset - at_rest) * _above_shoulders(model)
        for _ in range(SMOOTHING_ROUNDS):
            delta = 0.5 * delta + 0.5 * (mean @ delta)
        deltas.append(complete(model, delta))
    return np.stack(deltas)


def _head(model: IctModel) -> np.ndarray:
    """[S] bool, which skin vertices fix size and place: the skull, which no form is about."""
    x, y, z = model.neutral[:SKIN].T
    return (y > 0.03) & (np.abs(x) < 0.068) & (z < 0.07)


def _above_shoulders(model: IctModel) -> np.ndarray:
    y, z = model.neutral[:SKIN, 1:].T
    share = np.clip((y - np.interp(z, *zip(*SHOULDERS, strict=True))) / FADING_M, 0, 1)
    return (share * share * (3 - 2 * share))[:, None]


def on_template(arrays: dict, deltas: np.ndarray, names: list[str]) -> Tensor:
    """[F, V, 3] metres: `deltas` [F, 26719, 3] on the vertices of the template, with those that close its bust."""
    changed = arrays | {"identity": deltas / CENTIMETRE, "word_names": np.array(names)}
    return template_from(*convert(changed)).identity


def main(argv: list[str]) -> int:
    """The command line; see --help."""
    parser = argparse.ArgumentParser(prog="idto3d.training.convert.forms", description=__doc__.split("\n")[0])
    add_ict(parser)
    parser.add_argument("--makehuman", type=Path, required=True, help="MakeHuman: a checkout's folder, or packed .npz")
    add_out(parser, "where to write the forms (.safetensors)")
    options = parser.parse_args(argv)
    forms, model = mixes(), read_ict(options.ict)
    human = read_makehuman(options.makehuman, used_targets(forms))
    found = on_template(packed_arrays(options.ict), carried(model, human, forms), list(forms))
    digest = sha256_of(options.ict) if options.ict.is_file() else ""
    said = {"version": FORMS_VERSION, "names": list(forms), "source": SOURCE, "sha256": digest}
    kept = {name.replace("identity", "forms"): torch.from_numpy(one) for name, one in quantised(found.numpy()).items()}
    write_tensors(options.out, kept, {FORMS_KEY: json.dumps(said)})
    return 0


if __name__ == "__main__":
    run_command(main)
