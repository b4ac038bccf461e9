"""What a fit says of the photos themselves: which show no such head, and how the person's face is at rest."""

from collections.abc import Sequence

import numpy as np

from idto3d.evidence.fit import Fit
from idto3d.evidence.landmark_model import LandmarkModel
from idto3d.head.template_model import shape_numbers

LIDS = ("eyeBlink", "eyeSquint", "eyeWide")  # shapes whose usual strength belongs to a face at rest
SHUT = 0.5  # a blink from which on a photo shows closed eyes and says nothing of open ones
MOST = 0.3  # largest weight of a lid that a face at rest has
SMILE, SMILE_KEPT = "mouthSmile", 0.2  # what stays of a usual smile: without a trace of it a face looks dour
DOUBT = 1.0  # photos without any such weight that are thought to have been seen before the first


def misfits(fit: Fit, model: LandmarkModel) -> tuple[int, ...]:
    """Which photos of a `fit` have landmarks that no head explains, as of profiles, drawings and covered faces."""
    limit = float(model.fit_error[0])
    return tuple(number for number, photo in enumerate(fit.photos) if photo.error > limit)


def resting(fit: Fit, shapes: Sequence[str]) -> np.ndarray:
    """[E] weights 0..0.3 of the template's `shapes` that belong into the person's face at rest: of lids, and a smile.

    Of the lids the median over photos with open eyes, the less trusted the fewer there are; of the smile a share of its
    median. The same on both sides.
    """
    weights = np.stack([photo.expression for photo in fit.photos])
    open_eyed = weights[weights[:, shape_numbers(LIDS[0], shapes)].mean(1) < SHUT]
    found = np.zeros(len(shapes))
    if len(open_eyed):
        trust = len(open_eyed) / (len(open_eyed) + DOUBT)
        for name in LIDS:
            both = shape_numbers(name, shapes)
            found[both] = min(trust * float(np.median(open_eyed[:, both].mean(1))), MOST)
    smile = shape_numbers(SMILE, shapes)
    found[smile] = SMILE_KEPT * float(np.median(weights[:, smile].mean(1)))
    return found
