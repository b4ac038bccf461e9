"""Every option of a run, as frozen dataclasses; presets are instances. Imports no torch.

Lengths are metres, angles degrees (`_deg`), timesteps integers of 1000.
"""

from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path

from idto3d.errors import UserError

AUTO = "auto"
CHOICES = (AUTO, "dlib", "portrait", "insightface")  # of an identity encoder
COMPILE = ("off", "kernels", "graphs")  # of the frozen networks
FREE = ("dlib", "portrait")  # those whose models anybody may use for anything and that come along


def option(default, help: str, **facts):
    """A dataclass field with its help text, and where not all values are allowed, `choices`, or `least` and `most`.

    Where the default is None, `like` is a value as it might be given.
    """
    return field(default=default, metadata={"help": help, **facts})


@dataclass(frozen=True)
class SubjectOptions:
    """How photos become an identity."""

    encoder: str = option(AUTO, "identity encoder; auto: that of the weights", choices=CHOICES)
    max_photos: int = option(20, "most photos of one person", least=1)
    max_megapixels: float = option(50.0, "largest photo that is decoded, megapixels", least=0.1)
    max_megabytes: float = option(30.0, "largest photo file, megabytes", least=0.1)
    min_face_pixels: int = option(48, "smallest face side that is used, pixels", least=1)
    traits: bool = option(True, "let photos say hair, beard and skin tone where the prompt does not")
    hair_style: str = option("", "a word that counts in place of what photos or prompt say of it; empty: as they do")
    hair_colour: str = option("", "likewise")
    beard: str = option("", "likewise")
    skin: str = option("", "likewise")
    keep: bool = option(True, "keep the face embedding in the finished head, so that edits know the face")
    disagreement: float = option(
        0.6, "median embedding distance from the other photos beyond which a photo is doubted", least=0
    )


@dataclass(frozen=True)
class GuidanceOptions:
    """How the frozen diffusion model is asked. A value of None takes the bundle's own default."""

    guidance_scale: float | None = option(
        None, "classifier-free guidance scale s in eps_u + s (eps_c - eps_u)", least=0, like=7.5
    )
    lambda_id: float | None = option(None, "strength of the identity branch", least=0, like=1.0)
    lambda_exp: float | None = option(None, "strength of the expression branch", least=0, like=1.0)
    compile: str = option(
        "off", "compile the networks: takes minutes, then steps are quicker; graphs: as CUDA graphs", choices=COMPILE
    )
    form: str = option("sds", "distillation form", choices=("sds", "csd", "sds_shared"))
    refinement: bool = option(True, "ask the bundle's second guidance, where it has one, in the last texture steps")
    beside: bool = option(True, "ask the bundle's further guidances beside the first, where it has some")


@dataclass(frozen=True)
class HashGridOptions:
    """A multiresolution hash grid; level l has base * growth^l cells along the longest side of the head's box."""

    levels: int = option(8, "resolutions", least=1, most=32)
    features: int = option(2, "features per level", least=1, most=8)
    log2_size: int = option(15, "binary logarithm of the entries per level", least=1, most=24)
    base: int = option(8, "cells of the coarsest level", least=1)
    growth: float = option(1.5, "factor between the cells of two levels", least=1)
    kind: str = option(
        "auto",
        "our own lattice, or that of tiny-cuda-nn; auto takes the one that is faster here",
        choices=("auto", "torch", "tcnn"),
    )


@dataclass(frozen=True)
class ShapeOptions:
    """How the shape is grown. What is None is as the weights say, see `bundle.resolved`."""

    carrier: str = option("template", "head of parts, or one tetrahedral field", choices=("template", "tets"))
    meshes: str = option("shared", "tets: one mesh that expressions move, or one each", choices=("shared", "each"))
    resolution: int = option(80, "cells of the tetrahedral grid along the longest side of its box", least=8, most=512)
    steps: int = option(30, "optimisation steps", least=1)
    views: int = option(2, "cameras per step", least=1)
    image_size: int | None = option(None, "side of a rendered normal map, pixels", least=16, most=2048, like=128)
    learning_rate: float = option(6e-4, "Adam rate of hash grid, networks and codes", least=0)
    latent_rate: float = option(5e-4, "Adam rate of the head prior's shape coefficients", least=0)
    laplacian: float = option(20.0, "weight of the Laplacian smoothing", least=0)
    sds: float = option(1.0, "weight of the distillation loss", least=0)
    early_timesteps: tuple[int, int] | None = option(
        None, "timestep range of the first half", least=0, most=999, like=(200, 700)
    )
    late_timesteps: tuple[int, int] | None = option(
        None, "timestep range the second half is annealed to", least=0, most=999, like=(50, 200)
    )
    refresh: int = option(20, "steps between rebuilds of the narrow band", least=1)
    prior: bool = option(True, "start as face and words let expect; otherwise from the mean head, or as photos show")
    band_cells: float = option(2.0, "half the width of the narrow band, grid cells", least=1)
    residual_scale: float = option(0.005, "metres of signed distance per unit of the shape network's output", least=0)
    warp_scale: float = option(
        0.005, "metres of expression displacement per unit of the expression network's output", least=0
    )
    hash_grid: HashGridOptions = HashGridOptions()
    latent: float = option(0.02, "weight that holds the shape coefficients near their start", least=0)
    anchor: float | None = option(
        None, "weight that holds the surface near its start, per square millimetre", least=0, like=30.0
    )


@dataclass(frozen=True)
class MaterialOptions:
    """How the texture is painted: three phases as in the paper (albedo; all; refinement).

    What is None is as the weights say, see `bundle.resolved`.
    """

    steps: int = option(40, "optimisation steps", least=1)
    views: int = option(2, "cameras per step", least=1)
    image_size: int | None = option(None, "side of a rendered image, pixels", least=16, most=2048, like=128)
    learning_rate: float = option(2e-3, "Adam rate", least=0)
    albedo_share: float = option(0.8, "share of the steps that learn albedo alone", least=0, most=1)
    refine_steps: int = option(8, "last steps, small timesteps (and the refinement guidance, if any)", least=0)
    albedo_timesteps: tuple[int, int] | None = option(
        None, "timestep range of the first phase", least=0, most=999, like=(50, 900)
    )
    joint_timesteps: tuple[int, int] | None = option(
        None, "timestep range of the second phase", least=0, most=999, like=(50, 500)
    )
    refine_timesteps: tuple[int, int] | None = option(
        None, "timestep range of the refinement", least=0, most=999, like=(50, 100)
    )
    lit_share: float = option(0.3, "share of first-phase views drawn under a random light", least=0, most=1)
    smoothness: float = option(0.1, "weight of the texture smoothness", least=0)
    anchor: float | None = option(
        None, "weight that holds what a colour is known of near that colour", least=0, like=4000.0
    )
    hash_grid: HashGridOptions = HashGridOptions(log2_size=17, base=16, growth=1.6)


@dataclass(frozen=True)
class ExportOptions:
    """How the asset is written. What is off by default is for `export`, so that `generate` is done sooner."""

    faces: int = option(16000, "triangles of an expression's own mesh (shape.meshes=each)", least=100)
    texture_size: int = option(1024, "side of the skin's textures, pixels; small parts have half", least=16, most=8192)
    turntable_frames: int = option(0, "frames of the turntable, 0 for none", least=0)
    render_size: int = option(384, "side of written renders, pixels", least=16, most=4096)
    only: str = option("all", "neutral: a plain mesh without expressions", choices=("all", "neutral"))
    morphs: str = option("sparse", "dense: for tools that lose sparse morph targets", choices=("sparse", "dense"))
    alpha: str = option("mask", "mask: hair and lashes are cut out; blend: blended", choices=("mask", "blend"))
    formats: tuple[str, ...] = option(("glb",), "formats, beside head.glb", choices=("glb", "obj", "usdz"))
    lods: bool = option(False, "write head_lod1.glb and head_lod2.glb, with 50 and 25 % of the triangles")
    clip: bool = option(False, "write expressions/clip.glb, which plays the expressions")
    expression_files: bool = option(False, "write a plain GLB per expression, in its own colours")


@dataclass(frozen=True)
class HeadOptions:
    """A whole run."""

    preset: str = option("draft", "named set of options", choices=("draft", "standard", "paper"))
    seed: int = option(0, "seed of every random draw", least=0, most=2**63 - 2)
    expressions: tuple[str, ...] = option(("neutral", "mouth stretch", "eyes closed", "brow raised"), "expressions")
    prompt: str = option("", "words about the person")
    negative_prompt: str = option("", "words to keep away from")
    weights: str = option("embedded", "embedded, community, a folder, or ORG/REPO[@REV]")
    device: str = option("auto", "where to compute", choices=("auto", "cpu", "cuda"))
    preview_every: int = option(10, "steps between previews", least=1)
    preview_size: int = option(256, "side of a preview, pixels", least=16, most=1024)
    checkpoint_seconds: float = option(30.0, "seconds between checkpoints", least=0)
    subject: SubjectOptions = SubjectOptions()
    guidance: GuidanceOptions = GuidanceOptions()
    shape: ShapeOptions = ShapeOptions()
    material: MaterialOptions = MaterialOptions()
    export: ExportOptions = ExportOptions()


# They say how long and how fine; how weights are asked, and how large their pictures are, is for these to say.
PRESETS = {
    "draft": HeadOptions(),
    "standard": HeadOptions(
        preset="standard",
        shape=ShapeOptions(resolution=112, steps=200, views=4),
        material=MaterialOptions(steps=240, refine_steps=20, views=4),
        export=ExportOptions(faces=40000, texture_size=2048),
    ),
    "paper": HeadOptions(
        preset="paper",
        shape=ShapeOptions(
            carrier="tets",
            resolution=256,
            steps=6000,
            learning_rate=1e-4,
            latent_rate=1e-3,
            laplacian=0.3,  # the paper's 5000 on edges of 2 / 256 of its box, in our measure free of units
            sds=10.0,
            hash_grid=HashGridOptions(16, 2, 19, 16, 1.3819),
        ),
        material=MaterialOptions(
            steps=2000,
            refine_steps=20,
            learning_rate=1e-2,
            hash_grid=HashGridOptions(16, 2, 19, 16, 1.4473),
        ),
        export=ExportOptions(faces=80000, texture_size=2048),
    ),
}


def preset(name: str) -> HeadOptions:
    """The preset called `name`. Raises UserError when there is none."""
    if name not in PRESETS:
        raise UserError(f"There is no preset named '{name}'.", f"Choose from: {', '.join(PRESETS)}.")
    return PRESETS[name]


def as_json(options) -> dict:
    """`options` as plain JSON types, nested like the dataclasses."""
    return {
        f.name: as_json(value) if is_dataclass(value) else list(value) if isinstance(value, tuple) else value
        for f in fields(options)
        for value in (getattr(options, f.name),)
    }


def from_json(kind: type, data: dict):
    """The inverse of `as_json`. Raises ValueError for an unknown option."""
    known = {f.name: f for f in fields(kind)}
    if unknown := set(data) - set(known):
        raise ValueError(f"{kind.__name__} has no option {sorted(unknown)}; it has {sorted(known)}")
    values = {}
    for name, value in data.items():
        default = known[name].default
        if is_dataclass(default):
            value = from_json(type(default), value)
        elif isinstance(value, list):
            value = tuple(value)
        values[name] = value
    return replace(kind(), **values)


ROOT = Path(__file__).resolve().parent.parent
EMBEDDED = ROOT / "weights" / "embedded"
COMMUNITY = ROOT / "weights" / "community"
NAMED = {"embedded": EMBEDDED, "community": COMMUNITY}  # folders of the weights that are called by a name
HDRI = ROOT / "assets" / "hdri"
LANDMARKS_FILE, MATTE_FILE = "landmarks.safetensors", "matte.safetensors"  # in a bundle; else the embedded one's

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


REGIONS = ("eyes", "nose", "mouth", "skin", "hair", "ears")  # that an edit may be kept away from


@dataclass(frozen=True)
class EditOptions:
    """One edit of a finished head by words."""

    prompt: str = option("", 'what is to change, e.g. "green hair"')
    keep: str = option("", "geometry: no vertex moves; texture: no colour changes", choices=("", "geometry", "texture"))
    strength: float = option(1.0, "how far the change goes, 0: not at all, 1: as it is asked for", least=0, most=2)
    mask: str = option("", "picture that is white where the head may change; empty: wherever the words mean")
    mask_space: str = option("uv", "what the mask lies on: the skin's texture, or a view", choices=("uv", "view"))
    mask_azimuth_deg: float = option(0.0, "camera of a mask in a view, as in render")
    mask_elevation_deg: float = option(0.0, "camera of a mask in a view, as in render")
    locks: tuple[str, ...] = option((), "regions that stay as they are", choices=REGIONS)
    steps: int = option(8, "guided steps of each domain that changes, 0 for none", least=0)
    seed: int = option(0, "seed of every random draw", least=0, most=2**63 - 2)
    name: str = option("", "what the new version is called; empty: by the prompt")
