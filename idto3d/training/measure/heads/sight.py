"""One head of words in the sight of who measures it: what its prompt says, and where its vertices are. Metres."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from idto3d.head.prior import HeadPrior
from idto3d.head.sculpt.features import sculpted
from idto3d.head.template import LANDMARKS
from idto3d.stages.edit.who import coefficients_of
from idto3d.training.measure.heads.finished import Layout, OneHead
from idto3d.training.scorer.measures import Ruler
from idto3d.words.asked import read_edit
from idto3d.words.edits import EditRequest
from idto3d.words.figures.table import MODES
from idto3d.words.reading import said_traits

WHO = ("age", "gender", "ancestry")
CHIN = 8  # of the landmarks


@dataclass(frozen=True, eq=False)
class Sight:
    """A head that was made of a `prompt`, with what measuring takes."""

    prompt: str
    head: OneHead
    layout: Layout
    ruler: Ruler

    @cached_property
    def traits(self) -> dict[str, str]:
        """The traits that the prompt names, by attribute."""
        return said_traits(self.prompt)

    @cached_property
    def asked(self) -> EditRequest:
        """What else it names."""
        return read_edit(self.prompt)

    @property
    def age(self) -> str:
        """The word for the age that the prompt names, "" for none."""
        return self.traits.get("age", "")

    @cached_property
    def vertices(self) -> np.ndarray:
        """[V, 3] the vertices of the template's parts."""
        parts = self.head.saved.head.parts[: len(self.layout.template.parts)]
        return torch.cat([part.vertices for part in parts]).cpu().double().numpy()

    @cached_property
    def coefficients(self) -> np.ndarray:
        """[K] the template's coefficients of the head."""
        saved = self.head.saved
        if not isinstance(saved.prior, HeadPrior):  # of weights without one
            return np.zeros(len(self.layout.template.identity), np.float32)
        return coefficients_of(saved, saved.prior).cpu().numpy()

    @cached_property
    def own(self) -> np.ndarray:
        """[V, 3] the head of its coefficients alone, without what is sculpted over it."""
        coefficients = torch.from_numpy(self.coefficients).to(self.layout.template.neutral)
        return self.layout.template.shape(coefficients).double().numpy()

    @cached_property
    def usual(self) -> np.ndarray:
        """[V, 3] who words for age, gender and ancestry alone let expect."""
        prior, template = self.head.saved.prior, self.layout.template
        if not isinstance(prior, HeadPrior):
            return template.neutral.double().numpy()
        said = tuple(word for name in WHO if (word := self.traits.get(name)) in prior.phrases)
        return template.shape(prior.expected_coefficients(prior.word_shift(said))).double().numpy()

    @property
    def chin(self) -> np.ndarray:
        """[3] the tip of the chin."""
        return self.vertices[LANDMARKS[CHIN]]

    def amount(self, features: dict[str, float], than: np.ndarray) -> float:
        """How much of `features` the head has more `than` another, [V, 3]: 1 is what sculpting them would add."""
        template, skin = self.layout.template, self.layout.template.part("skin").vertices
        wanted = sculpted(template, features, self.age).double().numpy()
        for name in (name for name in features if name in MODES and name in template.words):
            mode = template.identity[len(template.identity) - len(template.words) + template.words.index(name)]
            wanted = wanted + features[name] * mode.double().numpy()
        change = _laid_on(self.vertices[skin], than[skin]) - than[skin]
        along = wanted[skin]
        return float((change * along).sum() / max((along**2).sum(), 1e-12))


def _laid_on(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`points` [V, 3] moved and scaled so that they lie as near to `others` [V, 3] as they can."""
    middle, to = points.mean(0), others.mean(0)
    off = points - middle
    return to + (off * (others - to)).sum() / (off**2).sum() * off
