"""How much of each way a face can be somebody has, measured on the head: truth for captions and for what was chosen.

A measure is a length or a proportion of landmarks (Multi-PIE's 68, on the template), ears, cheeks and neck. It says
how it differs from people of the same age, in their standard deviations.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from idto3d.head.template import LANDMARKS
from idto3d.head.template_model import Template
from idto3d.training.people.person import draw_person
from idto3d.words.faces.table import FACES
from idto3d.words.traits import AGE_GROUPS, SMALL

PEOPLE = 1500  # whose measures tell what is usual
FIRST_SEED = 8_000_000
EAR_BEHIND_M, EAR_HEIGHT_M, EAR_OUT_M = (-0.05, 0.01), (-0.05, 0.06), 0.068  # where ears are on the mean head
NECK_M = (-0.125, -0.105)  # heights between which the neck is measured
CHEEK_M = (-0.055, -0.015)  # heights of the cheeks' skin, between mouth and eyes
USUAL_SIZE_M = 0.12  # of a face between its width and its height
CLEAR, NONE = 1.2, 0.2  # standard deviations from which a face is plainly so, and below which it is not


@dataclass(frozen=True)
class Ruler:
    """What measuring takes: points [P, 3] of the mean head, how coefficients [K] move them, and what is usual.

    places [P]: which vertices of the template the points are. usual: by age group, means and deviations [M] of the
    measures in the order of FACES.
    """

    places: np.ndarray
    points: np.ndarray
    modes: np.ndarray
    parts: Mapping[str, slice]
    usual: Mapping[str, tuple[np.ndarray, np.ndarray]]

    def raw(self, coefficients: np.ndarray) -> np.ndarray:
        """[N, M] measures of heads of `coefficients` [N, K], metres and proportions."""
        return self.raw_of(self.points + (coefficients @ self.modes).reshape(len(coefficients), -1, 3))

    def raw_of(self, moved: np.ndarray) -> np.ndarray:
        """[N, M] measures of heads whose points are `moved` [N, P, 3], metres."""
        return measured({name: moved[:, part] for name, part in self.parts.items()})

    def ways(self, coefficients: np.ndarray, group: str) -> np.ndarray:
        """[N, M] by how many standard deviations heads are more so than people of the age `group`."""
        mean, deviation = self.usual[group]
        return (self.raw(coefficients) - mean) / deviation

    def ways_of(self, vertices: np.ndarray, group: str) -> np.ndarray:
        """[M] the same of a head that is told by all its `vertices` [V, 3], metres."""
        mean, deviation = self.usual[group]
        return (self.raw_of(vertices[None, self.places])[0] - mean) / deviation


def group_of(age: str) -> str:
    """The age whose people somebody is compared with: small ones with their like, all others with each other."""
    return age if age in SMALL else ""


def ruler_of(template: Template) -> Ruler:
    """Measure what is usual among people of the template."""
    place = {int(number): at for at, number in enumerate(template.original.tolist())}
    mean = template.neutral.cpu().double().numpy()
    skin = np.arange(template.part("skin").vertices.stop)
    chosen = {"marks": np.array([place[number] for number in LANDMARKS])}
    x, y, z = np.abs(mean[skin, 0]), mean[skin, 1], mean[skin, 2]
    within = lambda value, limits: (value > limits[0]) & (value < limits[1])  # noqa: E731
    chosen["ears"] = skin[within(z, EAR_BEHIND_M) & within(y, EAR_HEIGHT_M) & (x > EAR_OUT_M)]
    chosen["neck"] = skin[within(y, NECK_M)]
    chosen["cheeks"] = skin[within(y, CHEEK_M) & within(x, (0.03, 0.05)) & (z > 0.04)]
    chosen["forehead"] = skin[within(x, (-1, 0.01)) & (z > 0.04) & (y > 0.05)]
    ends = np.cumsum([0, *(len(one) for one in chosen.values())])
    parts = {name: slice(ends[i], ends[i + 1]) for i, name in enumerate(chosen)}
    every = np.concatenate(list(chosen.values()))
    modes = template.identity[:, every].flatten(1).cpu().double().numpy()
    bare = Ruler(every, mean[every], modes, parts, {})
    return Ruler(every, mean[every], modes, parts, _usual(bare, template.words))


def _usual(ruler: Ruler, words) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    people = [draw_person(seed, words) for seed in range(FIRST_SEED, FIRST_SEED + PEOPLE)]
    values = ruler.raw(np.stack([person.coefficients for person in people]).astype(np.float64))
    groups = np.array([group_of(person.look.age) for person in people])
    found = {name: values[groups == name] for name in {*map(group_of, AGE_GROUPS)}}
    return {name: (rows.mean(0), rows.std(0)) for name, rows in found.items()}


def measured(points: Mapping[str, np.ndarray]) -> np.ndarray:
    """[N, M] the measures, more being more so, of `points` by name [N, P, 3], metres; in the order of FACES."""
    size = np.sqrt(np.ptp(points["marks"][:, (2, 14), 0], 1) * np.ptp(points["marks"][:, (27, 8), 1], 1)) / USUAL_SIZE_M
    points = {name: value / size[:, None, None] for name, value in points.items()}  # a large head has no large nose
    mark, ears, neck = points["marks"], points["ears"], points["neck"]
    at = lambda *which: mark[:, which].mean(1)  # noqa: E731
    wide = lambda a, b: np.abs(mark[:, a, 0] - mark[:, b, 0])  # noqa: E731
    tall = lambda a, b: a[:, 1] - b[:, 1]  # noqa: E731
    upper = (tall(at(50, 51, 52), at(61, 62, 63)) + tall(at(65, 66, 67), at(56, 57, 58))) / 2
    opening = (tall(at(37, 38), at(41, 40)) + tall(at(43, 44), at(47, 46))) / 2
    eyes = (wide(36, 39) + wide(42, 45)) / 2
    high, cheeks, jaw = tall(at(27), at(8)), wide(2, 14), wide(4, 12)
    nose, tip = tall(at(27), at(33)), at(30)[:, 2] - at(31, 35)[:, 2]
    chin = at(8)[:, 2] - at(57)[:, 2]
    deep = at(19, 24)[:, 2] - at(37, 38, 43, 44)[:, 2]
    ear = np.ptp(ears[..., 1], axis=1) + 2 * np.ptp(np.abs(ears[..., 0]), axis=1)
    full = points["cheeks"][..., 2].mean(1) - at(31, 35)[:, 2]
    stout = jaw / high + 0.5 * np.ptp(neck[..., 0], axis=1) / high + 6 * full
    brow = at(19, 24)[:, 2] - at(27)[:, 2]
    forehead = points["forehead"][..., 1].max(1) - at(19, 24)[:, 1]
    values = {
        "round face": cheeks / high + 0.5 * jaw / high,
        "long face": -cheeks / high,
        "square face": wide(5, 11) / cheeks,
        "wide nose": wide(31, 35),
        "long nose": nose,
        "big nose": wide(31, 35) / 0.035 + nose / 0.045 + tip / 0.02,
        "full lips": upper,
        "wide mouth": wide(48, 54),
        "big eyes": eyes / 0.03 + opening / 0.011,
        "wide-set eyes": wide(39, 42),
        "sunken eyes": deep,
        "heavy brow": brow + 0.5 * deep,
        "strong chin": chin + 0.5 * tall(at(57), at(8)),
        "pointed chin": -wide(6, 10) / jaw,
        "strong jaw": jaw / high,
        "high cheekbones": wide(1, 15) / wide(4, 12),
        "large ears": ear,
        "high forehead": forehead,
        "chubby face": stout,
    }
    for name, other in OPPOSITE.items():
        values[name] = -values[other]
    return np.stack([values[name] for name in FACES], 1)


OPPOSITE = {
    **{"narrow nose": "wide nose", "short nose": "long nose", "small nose": "big nose", "thin lips": "full lips"},
    **{"small mouth": "wide mouth", "small eyes": "big eyes", "close-set eyes": "wide-set eyes"},
    **{"weak chin": "strong chin", "narrow jaw": "strong jaw", "small ears": "large ears"},
    **{"low forehead": "high forehead", "gaunt face": "chubby face"},
}


def degrees(ways: np.ndarray) -> np.ndarray:
    """How much a face is so, 0..1, of `ways` in standard deviations."""
    return np.clip((ways - NONE) / (CLEAR - NONE), 0, 1)
