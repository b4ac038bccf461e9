"""How a guidance is asked about pictures of one domain, with nothing left open."""

from dataclasses import replace

from idto3d.bundle.asking import Asking
from idto3d.bundle.info import BundleInfo


def settled(info: BundleInfo, domain: str, lambda_id: float | None = None) -> Asking:
    """What `info` says for `domain`, and for all its domains where it says nothing for this one.

    A `lambda_id` that is given takes the place of the bundle's.
    """
    own = info.asking.get(domain, Asking())
    return replace(
        own,
        guidance_scale=_first(own.guidance_scale, info.guidance_scale),
        lambda_id=_first(lambda_id, own.lambda_id, info.lambda_id),
    )


def likeness_at(asking: Asking, azimuth_deg: float) -> float:
    """The share 0..1 of the identity branch's strength for a camera `azimuth_deg` around the head."""
    if asking.identity_fades_deg is None:
        return 1.0
    begin, end = asking.identity_fades_deg
    turned = abs((azimuth_deg + 180.0) % 360.0 - 180.0)
    if turned <= begin:
        return 1.0
    return 0.0 if turned >= end else (end - turned) / (end - begin)


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)
