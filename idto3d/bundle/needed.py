"""Which sources loading a bundle takes, and what it is without one that it can do without."""

from dataclasses import replace

from idto3d.bundle.info import BundleInfo


def needed(info: BundleInfo, refine: bool = True, beside: bool = True) -> list[str]:
    """Names of the sources that loading takes, in the order of `info.sources`.

    refine, beside: also what only the refinement, and what only further guidances need.
    """
    info = without_optional(info, refine, beside)
    names = {info.base, *(part for domain in info.domains.values() for part in (domain.unet, domain.adapter))}
    names |= {part for one in info.beside for part in (one.unet, one.adapter)}
    if info.refinement is not None:
        names |= {info.refinement.base, info.refinement.adapter}
    return [name for name in info.sources if name in names]


def without_optional(info: BundleInfo, refine: bool, beside: bool) -> BundleInfo:
    """`info` without its refinement unless `refine`, and without its further guidances unless `beside`."""
    return replace(info, refinement=info.refinement if refine else None, beside=info.beside if beside else ())


def without(info: BundleInfo, source: str) -> BundleInfo:
    """`info` without the optional guidances that take `source`."""
    second = info.refinement
    kept = second is not None and source not in (second.base, second.adapter)
    beside = tuple(one for one in info.beside if source not in (one.unet, one.adapter))
    return replace(info, refinement=second if kept else None, beside=beside)


def given_up(before: BundleInfo, after: BundleInfo) -> str:
    """What a head is made without where `after` is left of `before`, in one sentence."""
    lost = ["its refinement"] if before.refinement != after.refinement else []
    lost += [f"its guidance by {one.picture} maps" for one in before.beside if one not in after.beside]
    return f"The head is made without {' and '.join(lost)}."
