"""Which identity encoder a bundle is asked with."""

from idto3d.bundle.info import BundleInfo
from idto3d.config import AUTO, FREE
from idto3d.errors import UserError


def encoder_name(info: BundleInfo, asked: str) -> str:
    """The name of the encoder that is `asked` for, or of "auto" the one that the weights were trained with.

    An encoder whose models have terms of their own is never chosen unasked. Nothing is loaded. Raises UserError where
    it is not the weights' own.
    """
    own = info.identity_encoder.name
    name = (own if own in FREE else "dlib") if asked == AUTO else asked
    if name != own:
        raise _another_encoder(info, name)
    return name


def check_encoder(info: BundleInfo, name: str, dimension: int) -> None:
    """Raises UserError unless the identity encoder `name` is the one the bundle was trained with."""
    needed = info.identity_encoder
    if (needed.name, needed.dimension) != (name, dimension):
        raise _another_encoder(info, f"{name} ({dimension} numbers)")


def _another_encoder(info: BundleInfo, used: str) -> UserError:
    needed = info.identity_encoder
    return UserError(
        f"The weights '{info.name}' need the identity encoder {needed.name} ({needed.dimension} numbers), "
        f"but {used} is in use.",
        f"Choose the encoder {needed.name} (--set subject.encoder={needed.name}), or other weights.",
    )
