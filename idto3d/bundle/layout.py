"""Which files make up a bundle: those that loading it takes, and those that may be there."""

from collections.abc import Collection

from idto3d.bundle.entries import FILE
from idto3d.bundle.info import BundleInfo
from idto3d.config import LANDMARKS_FILE, MATTE_FILE
from idto3d.errors import UserError
from idto3d.words.prompts import DOMAINS

UNET_FILE = "unet/diffusion_pytorch_model.safetensors"
VAE_FILE = "vae/diffusion_pytorch_model.safetensors"
TEXT_FILE = "text_encoder/model.safetensors"
MORPHABLE = "morphable"  # folder of the morphable head, which a base of others lacks
FORMER_MORPHABLE = "rig"  # what that folder was called before
MORPHABLE_FILE = "diffusion_pytorch_model.safetensors"
WEIGHT_FILES = (UNET_FILE, VAE_FILE, TEXT_FILE)
CONFIG_FILES = (
    "unet/config.json",
    "vae/config.json",
    "text_encoder/config.json",
    "scheduler/scheduler_config.json",
    "tokenizer/tokenizer_config.json",
)
PRIOR_FILE, IDENTITY_FILE = "head_prior.safetensors", "identity.safetensors"
TEMPLATE_FILE = "template.safetensors"  # a bundle without it takes the embedded one's
LANDMARK_MODEL_FILE = "landmark_model.safetensors"  # likewise
PERSONAL_FILE = "personal.safetensors"  # likewise, unless it has a template of its own, which that would not fit
MATERIALS_FILE = "materials.safetensors"  # as the landmark model
SCORER_FILE = "scorer.safetensors"  # likewise, where it was taught on the same template
OPTIONAL = (
    PRIOR_FILE,
    LANDMARKS_FILE,
    MATTE_FILE,
    TEMPLATE_FILE,
    LANDMARK_MODEL_FILE,
    PERSONAL_FILE,
    MATERIALS_FILE,
    SCORER_FILE,
)  # loaded where they are there
ATLAS_FOLDER = "texture"  # of the diffusion model of atlases, which fits no base but the bundle's own
ATLAS_UNET_FILE = f"{ATLAS_FOLDER}/{UNET_FILE}"
ATLAS_DOMAINS_FILE = f"{ATLAS_FOLDER}/domains.safetensors"
ATLAS_FILES = (f"{ATLAS_FOLDER}/unet/config.json", ATLAS_UNET_FILE, ATLAS_DOMAINS_FILE)  # all of them or none
DOMAIN_FILES = ("lora.safetensors", "id.safetensors", "expression.safetensors")
MORPHABLE_FILES = (f"{MORPHABLE}/config.json", f"{MORPHABLE}/{MORPHABLE_FILE}")
WHOLE_TOKENIZER, SPLIT_TOKENIZER = ("tokenizer/tokenizer.json",), ("tokenizer/vocab.json", "tokenizer/merges.txt")
BASE_EXTRAS = ("model_index.json", "tokenizer/special_tokens_map.json", "tokenizer/added_tokens.json")


def own_files(info: BundleInfo, present: Collection[str]) -> list[str]:
    """The files of a bundle of which `present` are there: all that loading takes, and of the others those present.

    Paths are relative to the bundle, with slashes. What comes from elsewhere on the Hub, see `sources`, is none of it.
    Raises UserError for a bundle in the layout of before.
    """
    base = [] if info.base in info.sources else [f"{info.base}/{name}" for name in _base_files(info.base, present)]
    domains = [f"{domain}/{name}" for domain in DOMAINS if domain not in info.domains for name in DOMAIN_FILES]
    identity = [IDENTITY_FILE] if info.identity_encoder.has_file() else []
    atlas = ATLAS_FILES if set(ATLAS_FILES) & set(present) else ()
    return [FILE, *identity, *(name for name in OPTIONAL if name in present), *atlas, *base, *domains]


def read_first(info: BundleInfo, present: Collection[str]) -> list[str]:
    """The files of a bundle that photos are read with, before anything large is fetched; `present` as in own_files."""
    identity = [IDENTITY_FILE] if info.identity_encoder.has_file() else []
    return [FILE, *identity, *(name for name in (LANDMARKS_FILE, MATTE_FILE) if name in present)]


def former_layout(folder: object) -> UserError:
    """The refusal of a `folder` whose morphable head has the name of before."""
    what = f"The morphable head in {folder} is in a folder '{FORMER_MORPHABLE}', which was its name before."
    remedy = f"Rename that folder to '{MORPHABLE}', and in its config.json 'HeadRig' to 'MorphableHead'."
    return UserError(what, remedy)


def _base_files(folder: str, present: Collection[str]) -> list[str]:
    former = any(name.startswith(f"{folder}/{FORMER_MORPHABLE}/") for name in present)
    if former and f"{folder}/{MORPHABLE_FILES[0]}" not in present:
        raise former_layout(folder)

    def there(*names: str) -> list[str]:
        return [name for name in names if f"{folder}/{name}" in present]

    morphable = MORPHABLE_FILES if there(*MORPHABLE_FILES) else ()
    tokenizer = [*there(*WHOLE_TOKENIZER), *there(*SPLIT_TOKENIZER)]
    if not set(WHOLE_TOKENIZER) <= set(tokenizer):
        tokenizer = SPLIT_TOKENIZER if tokenizer else WHOLE_TOKENIZER
    return [*WEIGHT_FILES, *CONFIG_FILES, *tokenizer, *morphable, *there(*BASE_EXTRAS)]
