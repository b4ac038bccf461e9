"""Weights that may be chosen, as they stand on a machine. Imports no torch."""

from dataclasses import dataclass

from idto3d.bundle.offer import Offer


@dataclass(frozen=True)
class Offered:
    """An offer, with what is to be said of it here.

    hindrance: what is wrong and what to do where they cannot be used here. warnings: sentences that are to be read
    before they are chosen.
    """

    offer: Offer
    hindrance: tuple[str, str] | None = None
    warnings: tuple[str, ...] = ()


def from_plain(data: dict) -> Offered:
    """The `offered` of an answer."""
    offer = Offer(**{**data["offer"], "licences": tuple(data["offer"]["licences"])})
    hindrance = data["hindrance"]
    return Offered(offer, tuple(hindrance) if hindrance else None, tuple(data["warnings"]))
