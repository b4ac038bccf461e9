"""Head priors as files: head_prior.safetensors of a bundle, and what a saved head keeps of the prior it began with."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from idto3d.errors import UserError
from idto3d.files import first_line, json_object, read_metadata, read_tensors, write_tensors
from idto3d.head.ellipsoid import EllipsoidPrior
from idto3d.head.prior import BOX, FACE_BOX, HeadPrior, PriorSize, lattice_points
from idto3d.words.expressions import NAMES
from idto3d.words.traits import HAIR_STYLES

VERSION = 1
KEY = "head_prior"
HALVES = ("coarse", "fine")  # stored in half precision
DAMAGE = (SafetensorError, OSError, ValueError, LookupError, TypeError, RuntimeError, AttributeError, ArithmeticError)
LARGEST_SPACING_M = 0.1  # of a lattice


def save_prior(prior: HeadPrior, path: str | Path, provenance: dict) -> None:
    """Write `prior` as safetensors; `provenance` (JSON types) says what it was fitted to."""
    write_tensors(path, prior_tensors(prior), {KEY: json.dumps(description_of(prior) | {"provenance": provenance})})


def load_prior(path: str | Path, device: str | torch.device = "cpu") -> HeadPrior:
    """The prior written by `save_prior`, without gradients. Raises ValueError for a file this code does not read."""
    return prior_from(read_tensors(path), read_description(path), device)


def read_description(path: str | Path) -> dict:
    """The JSON metadata of a prior's file; {} when it has none."""
    return json_object(read_metadata(path).get(KEY, "{}"))


def description_of(prior: HeadPrior | EllipsoidPrior) -> dict:
    """What `prior_tensors` leaves out, as plain JSON; {} for the ellipsoid of heads of before."""
    if isinstance(prior, EllipsoidPrior):
        return {}
    description = {"version": VERSION, "units": "metres", "size": vars(prior.size), "styles": prior.styles}
    return description | {"expressions": NAMES}


def prior_tensors(prior: HeadPrior | EllipsoidPrior) -> dict[str, Tensor]:
    """A prior's tensors, the lattices in half precision, which loses nothing of a prior that was read from a file."""
    tensors = {} if isinstance(prior, EllipsoidPrior) else dict(prior.state_dict())
    return tensors | {name: tensors[name].half() for name in HALVES if name in tensors}


def prior_from(
    tensors: Mapping[str, Tensor], description: Mapping, device: str | torch.device = "cpu"
) -> HeadPrior | EllipsoidPrior:
    """The prior of `prior_tensors` and `description_of`, no gradients. Raises ValueError for one of another version."""
    if not description and not tensors:
        return EllipsoidPrior(device)
    if description.get("version") != VERSION or tuple(description["expressions"]) != NAMES:
        raise ValueError(f"not a head prior of version {VERSION} over our expressions")
    size, styles = description["size"], tuple(description["styles"])
    size = PriorSize(**size | {"words": tuple(size.get("words", ()))})
    tensors = dict(tensors)
    _expect_size(size, styles, tensors)
    prior = HeadPrior(size, styles)
    if "expected_map" not in tensors:  # written before there were words: coefficients were alike and independent
        tensors["expected_map"] = torch.linalg.pinv(tensors["coefficient_map"]).T.contiguous()
        tensors["word_codes"] = prior.word_codes
    prior.load_state_dict(tensors)
    return prior.requires_grad_(False).to(device)


def _expect_size(size: PriorSize, styles: tuple[str, ...], tensors: Mapping[str, Tensor]) -> None:
    """Raises ValueError unless `size` is that of the `tensors` at hand: a prior of it is about to be made."""
    spacings = (size.coarse, size.fine)
    fits = all(type(spacing) is float and 0 < spacing <= LARGEST_SPACING_M for spacing in spacings)
    fits = fits and all(
        tensors[name].numel() == lattice_points(box, spacing)
        for name, box, spacing in zip(HALVES, (BOX, FACE_BOX), spacings, strict=True)
    )
    told = (
        tensors["shape_bias"].shape == (size.modes,),
        tensors["embedding_mean"].shape == (size.embedding,),
        tensors["coefficient_map"].shape == (size.coefficients, size.modes),
        tensors["motion.layers.0.bias"].shape == (size.motion_width,),
        tensors["colour.layers.0.bias"].shape == (size.colour_width,),
        tensors["style_bias"].shape == (len(styles),),
        len(set(styles)) == len(styles) and set(styles) <= set(HAIR_STYLES),
        all(isinstance(word, str) for word in size.words),
    )
    if not (fits and all(told)):
        raise ValueError("its size is not that of its tensors")


def load_start_prior(path: Path, device: torch.device, dimension: int) -> HeadPrior:
    """What a shape starts from: the learned head prior of a file.

    dimension: of the embeddings that it will be given. Raises UserError where the file is damaged or of another
    version, or reads other embeddings.
    """
    try:
        prior = load_prior(path, device)
    except (*DAMAGE, UserError) as fault:
        what = f"The head prior {path} is damaged or of another version of idto3d: {first_line(fault)}."
        raise UserError(what, "Fetch the weights again, or add --set shape.prior=no.") from fault
    if prior.size.embedding != dimension:
        what = f"The head prior reads embeddings of {prior.size.embedding} numbers, the encoder gives {dimension}."
        raise UserError(what, "Refit its regression: python -m idto3d.training.fit.head_prior --refit-regression")
    return prior


def without_regression(prior: HeadPrior, dimension: int, words: bool = True) -> HeadPrior:
    """The same head, of whose shape and hair embeddings of `dimension` numbers say nothing; no more do words unless
    `words`.
    """
    size = replace(prior.size, embedding=dimension, words=prior.size.words if words else ())
    state, modes = prior.state_dict(), size.modes
    none = torch.zeros(0, device=state["shape_bias"].device)
    state |= {"embedding_mean": none.new_zeros(dimension), "shape_map": none.new_zeros(dimension, modes)}
    state |= {"shape_bias": none.new_zeros(modes), "style_map": none.new_zeros(dimension, 0), "style_bias": none}
    state |= {} if words else {"word_codes": none.new_zeros(0, modes)}
    deaf = HeadPrior(size, styles=())
    deaf.load_state_dict(state)
    return deaf.requires_grad_(False).to(none.device)
