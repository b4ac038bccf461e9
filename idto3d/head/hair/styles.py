"""How each named style is combed and cut: the one place beside hair_volumes where styles of hair are told apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from idto3d.head.hair.comb import Comb, Knot, Parting, Whorl
from idto3d.head.hair.strands import Guides
from idto3d.head.hair.tied import bun_guides, tail_guides
from idto3d.head.hair_volumes import KNOT, TAIL


@dataclass(frozen=True)
class Cut:
    """A style as cards. Lengths in metres.

    length: of a strand on top and at the sides. cards: how many. width: of a card at its middle. levels: shares of the
    thickness that the layers of cards lie at. rise: how far along a strand it has left the skin. past: how far strands
    run over the hairline. wave, pitch: radius and length of a turn of curls, 0 for straight hair. spread: how far tips
    stray to the side, radians. segments: along a card. afloat: whether cards begin in their layer, not on the
    skin. capped: whether a closed surface lies under the cards; hair that is shorter shows the scalp.
    """

    comb: Comb
    length: tuple[float, float]
    cards: int = 640
    width: float = 0.013
    levels: tuple[float, ...] = (0.5, 0.72, 0.92)
    rise: float = 0.012
    past: float = 0.007
    wave: float = 0.0
    pitch: float = 0.03
    spread: float = 0.25
    segments: int = 7
    afloat: bool = False
    capped: bool = True


FINE_CARDS, FINE_LENGTH = 340, 0.040
SHORT = Cut(Whorl(sweep=0.5), (0.062, 0.038), cards=680, width=0.011)
CUTS: Mapping[str, Cut] = {
    "buzzcut": Cut(Whorl(gravity=0.4), (0.0060, 0.0060), cards=1700, width=0.0026, levels=(0.4, 0.7), rise=0.003,
                   past=0.002, segments=2, capped=False),
    "short": SHORT,
    "long": Cut(Parting(), (0.42, 0.36), width=0.020, past=0.004, spread=0.12, segments=16, cards=420),
    "curly": Cut(Parting(behind=-0.06, back=0.1), (0.15, 0.13), width=0.017, wave=0.0055, pitch=0.032, spread=0.5,
                 segments=16, cards=440),
    "side-parted": Cut(Parting(offset=0.038, back=0.45, gravity=0.8), (0.085, 0.045), spread=0.15, past=0.004),
    "afro": Cut(Whorl(gravity=0.0), (0.05, 0.05), width=0.017, wave=0.005, pitch=0.013, spread=1.4, segments=7,
                cards=880, levels=(0.8, 0.92, 1.03), afloat=True),
    "bob": Cut(Parting(offset=0.02), (0.26, 0.22), width=0.018, past=0.004, spread=0.10, segments=12, cards=460),
    "ponytail": Cut(Knot((TAIL[0][0], 0.016)), (0.25, 0.25), width=0.014, levels=(0.5, 1.0), rise=0.012, past=0.0,
                    spread=0.05, segments=9, cards=420),
    "bun": Cut(Knot((KNOT[0], 0.030)), (0.25, 0.25), width=0.014, levels=(0.5, 1.0), rise=0.012, past=0.0, spread=0.05,
               segments=9, cards=420),
}  # fmt: skip
# What is tied of a style: its strands on the mean head.
TIES: Mapping[str, Callable[[np.random.Generator], Guides]] = {"ponytail": tail_guides, "bun": bun_guides}


def fine_cut(cut: Cut) -> Cut:
    """The short, narrow, sparse cards at the hairline of a head cut like `cut`."""
    shorter = tuple(min(length, FINE_LENGTH) for length in cut.length)
    return replace(
        cut, length=shorter, cards=FINE_CARDS, width=0.35 * cut.width, levels=(0.25, 0.6), segments=3, past=0.003
    )


def cut_of(style: str) -> Cut:
    """The cut of a style of the table of traits; one without a row here is cut short."""
    return CUTS.get(style, SHORT)
