"""Whether photos of one person in different light give one skin: the difference of the albedos made from each alone.

    python -m benchmarks.albedo people [--relit] [--set NAME=VALUE ...]

`people` holds a folder for each person with two photos or more, of which the first two by name count. From each photo
the fit stage alone makes a skin. Prints JSON: over the skin that both photos know, without brows, lips and lashes, the
mean Delta E 2000 of the two albedos, for each person and for all; of colours as they are, of colours that are averaged
over some millimetres (`broad`), so that pores need not lie on each other, and of those once more with both skins'
median colour made the same (`pattern`): what is left are shadows, shine and folds.

--relit: the second photo is the first, made darker to one side, warmer and smaller. One photo of each person is
enough.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from skimage.color import deltaE_ciede2000, rgb2lab

from benchmarks.likeness import altered_photo, tell
from benchmarks.machine import machine
from idto3d.bundle.find import find_bundle
from idto3d.checks import checked
from idto3d.config import HeadOptions, preset
from idto3d.device import choose_device
from idto3d.errors import UserError, run_command
from idto3d.events import exhausted
from idto3d.evidence.skin import SkinColour, SkinMap
from idto3d.head.start import start_of
from idto3d.options import with_option
from idto3d.pipeline import meet
from idto3d.render.color import srgb_from_linear
from idto3d.stages.fit import fit_head
from idto3d.stages.models import Models, load_models

KNOWN, PLAIN = 0.6, 0.5  # how far a texel must be vouched for by both photos, and be plain skin
BROAD = 8.0  # texels of a texture of 1024 over which colours are averaged


@dataclass(frozen=True)
class Difference:
    """Mean Delta E 2000 of two albedos on the skin that both know, see above; texels: how many those are."""

    as_they_are: float
    broad: float
    pattern: float
    texels: int


def difference(first: SkinColour, second: SkinColour, skin: SkinMap) -> Difference:
    """How far two skins of one person are apart. Raises UserError where no photo pair shows the same skin."""
    plain = skin.texels.read(skin.plain[:, None])[:, 0] > PLAIN
    common = plain & (np.minimum(first.known, second.known) > KNOWN)
    if not common.any():
        raise UserError("Two photos show no common skin.", "Give photos from nearer sides.")
    one, other = (_averaged(colour.albedo, common, skin) for colour in (first, second))
    even = other * np.exp(np.median(np.log(one / other), 0))
    return Difference(
        _mean_apart(first.albedo[common], second.albedo[common]),
        _mean_apart(one, other),
        _mean_apart(one, even),
        int(common.sum()),
    )


def _averaged(albedo: np.ndarray, common: np.ndarray, skin: SkinMap) -> np.ndarray:
    """[N of common, 3] means over neighbours that are common, too."""
    width, covered = BROAD * len(skin.texels.covered) / 1024, skin.texels.covered
    picture = np.zeros((*covered.shape, 4))
    picture[covered] = np.concatenate([albedo, np.ones((len(albedo), 1))], 1) * common[:, None]
    smooth = gaussian_filter(picture, (width, width, 0))[covered][common]
    return np.maximum(smooth[:, :3] / smooth[:, 3:], 1e-4)


def _mean_apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(deltaE_ciede2000(_lab(one), _lab(other)).mean())


def _lab(linear: np.ndarray) -> np.ndarray:
    return rgb2lab(srgb_from_linear(torch.from_numpy(np.clip(linear, 0, 1))).numpy())


def skin_alone(photo: Path, options: HeadOptions, loaded: list[Models]) -> tuple[SkinColour, SkinMap]:
    """The skin that the fit stage makes from one photo; `loaded` keeps the models from one photo to the next."""
    weights = exhausted(find_bundle(options.weights))
    subject, encoder = exhausted(meet([photo], options, weights))
    if not loaded:
        loaded.append(exhausted(load_models(options, encoder, weights)))
    fitted = exhausted(fit_head(subject, start_of(subject, options, loaded[0].prior), loaded[0], options))
    return fitted.colour, fitted.skin


def pair_of(home: Path, scratch: Path | None) -> tuple[Path, Path]:
    """The first two photos of a person's folder, or with `scratch` the first and itself relit. Raises UserError."""
    photos = sorted(path for path in home.iterdir() if path.is_file() and not path.name.startswith("."))
    if len(photos) < (1 if scratch else 2):
        raise UserError(f"'{home}' holds {len(photos)} photos.", "Give two or more, or one and --relit.")
    return photos[0], altered_photo(photos[0], scratch / f"{home.name}.png") if scratch else photos[1]


def summary(found: dict[str, Difference]) -> dict:
    """Means over people, and each person's own."""
    names = ("as_they_are", "broad", "pattern")
    means = {name: float(np.mean([getattr(one, name) for one in found.values()])) for name in names}
    return means | {"people": {name: asdict(one) for name, one in found.items()}}


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=Path, help="a folder with a folder of photos for each person")
    parser.add_argument("--relit", action="store_true", help="compare the first photo with itself in other light")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an option of the heads made")
    return parser


def main(argv: list[str]) -> int:
    """The command."""
    asked, loaded, found = make_parser().parse_args(argv), [], {}
    options = checked(reduce(lambda o, one: with_option(o, *one.split("=", 1)), asked.set, preset("draft")))
    if not asked.people.is_dir():
        raise UserError(f"There is no folder '{asked.people}'.", "Give one with a folder of photos for each person.")
    with tempfile.TemporaryDirectory() as folder:
        for home in sorted(path for path in asked.people.iterdir() if path.is_dir()):
            pair = pair_of(home, Path(folder) if asked.relit else None)
            (first, skin), (second, _) = (skin_alone(photo, options, loaded) for photo in pair)
            found[home.name] = difference(first, second, skin)
            tell(f"{home.name}: {found[home.name]}")
    if not found:
        raise UserError(f"There are no people in '{asked.people}'.", "Make a folder of photos for each person.")
    print(json.dumps({"relit": asked.relit} | summary(found) | machine(choose_device(options.device)), indent=1))
    return 0


if __name__ == "__main__":
    run_command(main)
