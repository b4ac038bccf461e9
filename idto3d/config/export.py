"""How the asset is written."""

from dataclasses import dataclass

from idto3d.config.declared import option

PAINTED = 1024  # pixels that a texture which is to be enlarged has at least


@dataclass(frozen=True)
class ExportOptions:
    """How the asset is written. What is off by default is for `export`, so that `generate` is done sooner."""

    faces: int = option(16000, "triangles of an expression's own mesh (shape.meshes=each)", least=100)
    texture_size: int = option(1024, "side of the skin's textures, pixels; small parts have half", least=16, most=8192)
    upscaler: str = option(
        "", "network that enlarges the skin's texture to texture_size, a .safetensors file; empty: painted at that size"
    )
    turntable_frames: int = option(0, "frames of the turntable, 0 for none", least=0)
    render_size: int = option(384, "side of written renders, pixels", least=16, most=4096)
    only: str = option("all", "neutral: a plain mesh without expressions", choices=("all", "neutral"))
    morphs: str = option("sparse", "dense: for tools that lose sparse morph targets", choices=("sparse", "dense"))
    alpha: str = option("mask", "mask: hair and lashes are cut out; blend: blended", choices=("mask", "blend"))
    formats: tuple[str, ...] = option(("glb",), "formats, beside head.glb", choices=("glb", "obj", "usdz"))
    lods: bool = option(False, "write head_lod1.glb and head_lod2.glb, with 50 and 25 % of the triangles")
    clip: bool = option(False, "write expressions/clip.glb, which plays the expressions")
    expression_files: bool = option(False, "write a plain GLB per expression, in its own colours")

    @property
    def painted_size(self) -> int:
        """Side of the skin's textures as they are painted, pixels: a network enlarges them up to four times."""
        return max(min(self.texture_size, PAINTED), self.texture_size // 4) if self.upscaler else self.texture_size
