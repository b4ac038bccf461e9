"""How each named style is combed and cut: the one place beside hair_volumes where styles of hair are told apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from idto3d.head.hair.comb import Back, Comb, Knot, Parting, Whorl
from idto3d.head.hair.strands import Guides
from idto3d.head.hair.tied import bun_guides, tail_guides
from idto3d.head.hair.wisps import BODY, COILS, RINGLET, Wisp
from idto3d.head.hair_volumes import KNOT, TAIL


@dataclass(frozen=True)
class Cut:
    """A style as cards. Lengths in metres.

    length: of a strand on top and at the sides. cards: how many. width: of a card at its middle. levels: shares of the
    thickness that the layers of cards lie at. rise: how far along a strand it has left the skin. past: how far strands
    run over the hairline. wave, pitch: radius and length of a turn of curls, 0 for straight hair. spread: how far tips
    stray to the side, radians. locks: how many there are; gather: how far the tips of a lock's strands meet, 0..1.
    segments: along a card. afloat: whether cards begin in their layer, not on the skin. stands: how many layers further
    out their tips lie. uneven: deviation of the normals that locks are shaded by. wisp: how tiles are painted. shaded:
    how much darker deep cards are, 0..1. fringed: whether hair falls over the hairline in front. capped: whether a
    closed surface lies under the cards; hair that is shorter shows the scalp. falls: whether strands fall out of the
    hair at its hem and end, in place of turning inwards under it.
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
    locks: int = 110
    gather: float = 0.35
    segments: int = 7
    afloat: bool = False
    stands: float = 0.0
    uneven: float = 0.12
    wisp: Wisp = BODY
    shaded: float = 1.0
    fringed: bool = False
    capped: bool = True
    falls: bool = False


FINE_CARDS, FINE_LENGTH, FINE_WIDTH, FINE_SPREAD = 700, 0.024, 0.0020, 0.45
SHORT = Cut(Whorl(sweep=0.5), (0.062, 0.038), cards=680, width=0.011)
CUTS: Mapping[str, Cut] = {
    "buzzcut": Cut(Whorl(gravity=0.4), (0.0060, 0.0060), cards=1700, width=0.0026, levels=(0.4, 0.7), rise=0.003,
                   past=0.002, segments=2, gather=0.0, shaded=0.2, capped=False),
    "short": SHORT,
    "long": Cut(Parting(), (0.42, 0.36), width=0.017, rise=0.028, past=0.004, spread=0.12, segments=15,
                cards=460, gather=0.25),
    "curly": Cut(Parting(behind=-0.06, back=0.1, parted=0.0), (0.15, 0.13), width=0.0085, wave=0.0058, pitch=0.028,
                 spread=0.35, segments=21, cards=440, locks=140, gather=0.75, wisp=RINGLET),
    "side-parted": Cut(Parting(offset=0.038, back=0.45, gravity=0.8), (0.085, 0.045), spread=0.15, past=0.004),
    "afro": Cut(Whorl(gravity=0.0), (0.030, 0.028), width=0.016, spread=1.4, segments=3, cards=1100, locks=260,
                levels=(0.35, 0.55, 0.75), gather=0.0, afloat=True, stands=0.6, uneven=0.3, wisp=COILS),
    "bob": Cut(Parting(offset=0.02), (0.26, 0.22), width=0.016, rise=0.025, past=0.004, spread=0.10, segments=11,
               cards=500, gather=0.2),
    "ponytail": Cut(Knot((TAIL[0][0], 0.016)), (0.25, 0.25), width=0.010, levels=(0.5, 1.0), rise=0.012, past=0.0,
                    spread=0.05, segments=8, cards=620, gather=0.15),
    "bun": Cut(Knot((KNOT[0], 0.030)), (0.25, 0.25), width=0.010, levels=(0.5, 1.0), rise=0.012, past=0.0, spread=0.05,
               segments=8, cards=620, gather=0.15),
    "wavy": Cut(Parting(offset=0.012), (0.40, 0.34), width=0.016, rise=0.028, past=0.004, spread=0.15,
                segments=16, cards=460, gather=0.25, wave=0.0066, pitch=0.085),
    "messy": Cut(Whorl(sweep=0.3, gravity=0.45), (0.070, 0.048), cards=720, width=0.011, spread=0.75, segments=8,
                 wave=0.0030, pitch=0.060),
    "slicked": Cut(Back(), (0.135, 0.085), cards=640, width=0.012, past=0.003, spread=0.07, segments=9),
    "undercut": Cut(Parting(offset=0.040, back=0.5, gravity=0.55), (0.105, 0.008), cards=820, width=0.010, past=0.003,
                    spread=0.18, segments=8),
}  # fmt: skip
# What is tied of a style: its strands on the mean head.
TIES: Mapping[str, Callable[[np.random.Generator], Guides]] = {"ponytail": tail_guides, "bun": bun_guides}


def fine_cut(cut: Cut) -> Cut:
    """The short, narrow cards of single hairs at the hairline of a head cut like `cut`."""
    shorter = tuple(min(length, FINE_LENGTH) for length in cut.length)
    width = min(FINE_WIDTH, cut.width)
    return replace(
        cut,
        length=shorter,
        cards=FINE_CARDS,
        width=width,
        levels=(0.1, 0.35),
        segments=2,
        past=0.008,
        gather=0.0,
        spread=max(cut.spread, FINE_SPREAD),
        wave=0.0,
        stands=0.0,
        afloat=False,
    )


def cut_of(style: str) -> Cut:
    """The cut of a style of the table of traits; one without a row here is cut short."""
    return CUTS.get(style, SHORT)
