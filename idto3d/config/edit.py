"""How a finished head is changed."""

from dataclasses import dataclass

from idto3d.config.declared import option

REGIONS = ("eyes", "nose", "mouth", "skin", "hair", "ears")  # that an edit may be kept away from


@dataclass(frozen=True)
class EditOptions:
    """One edit of a finished head by words."""

    prompt: str = option("", 'what is to change, e.g. "green hair"')
    keep: str = option("", "geometry: no vertex moves; texture: no colour changes", choices=("", "geometry", "texture"))
    strength: float = option(
        1.0, "how far it goes, 0: not at all (a sketch: as drawn), 1: as asked for", least=0, most=2
    )
    mask: str = option("", "picture that is white where the head may change; empty: wherever the words mean")
    mask_space: str = option("uv", "what mask and sketch lie on: the skin's texture, or a view", choices=("uv", "view"))
    mask_azimuth_deg: float = option(0.0, "camera of a view, as in render")
    mask_elevation_deg: float = option(0.0, "camera of a view, as in render")
    locks: tuple[str, ...] = option((), "regions that stay as they are", choices=REGIONS)
    steps: int = option(8, "guided steps of each domain that changes, 0 for none", least=0)
    seed: int = option(0, "seed of every random draw", least=0, most=2**63 - 2)
    name: str = option("", "what the new version is called; empty: by the prompt")
    sketch: str = option("", "picture that is drawn on the skin where it is opaque; it lies on what mask_space says")

    @property
    def title(self) -> str:
        """What its version is called."""
        return self.name or self.prompt or "sketch"
