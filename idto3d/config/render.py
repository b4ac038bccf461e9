"""How a finished head is shown."""

from dataclasses import dataclass

from idto3d.config.declared import option

MODES = ("relit", "normal", "albedo", "roughness", "clay")


@dataclass(frozen=True)
class RenderOptions:
    """One view of a finished head."""

    mode: str = option("relit", "what to draw", choices=MODES)
    light: str = option("", "name of an environment in assets/hdri, or a .hdr or .exr file; empty for the default")
    light_rotation_deg: float = option(0.0, "turn of the light about the vertical axis, degrees")
    expressions: tuple[tuple[str, float], ...] = option((), "pairs of expression name and weight 0..1")
    azimuth_deg: float = option(0.0, "camera around the head, 0 in front, positive towards the person's left")
    elevation_deg: float = option(0.0, "camera above (positive) or below the head")
    size: int = option(512, "side of the picture, pixels", least=16, most=4096)
    video: str = option("", "MP4 file to write a turntable to; empty for a still")
