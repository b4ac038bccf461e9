"""How a head moves, and how a clip drives it."""

from dataclasses import dataclass

from idto3d.config.declared import option


@dataclass(frozen=True)
class RigOptions:
    """Expressions of this person rather than of everybody."""

    personal: bool = option(True, "let the shape of the head say how its expressions look")


@dataclass(frozen=True)
class AnimateOptions:
    """A film of a face turned into a film of the head."""

    strength: float = option(1.0, "factor on every expression", least=0, most=3)
    smoothing: float = option(0.5, "0: every frame as it is read, 1: very smooth", least=0, most=1)
    turn: float = option(1.0, "factor on how far the head turns, 0: it stays as it is", least=0, most=1)
    fps: float = option(30.0, "most frames a second; a clip that has more is thinned", least=1, most=60)
    size: int = option(256, "side of the preview, pixels; 0 for none", least=0, most=1024)
    max_seconds: float = option(60.0, "longest clip that is read, seconds", least=0.1, most=600)
    max_megabytes: float = option(200.0, "largest clip, megabytes", least=0.1, most=4000)
    max_megapixels: float = option(9.0, "largest picture of a clip that is decoded, megapixels", least=0.01, most=40)
