"""Our own small latent diffusion base, built with random weights in diffusers' and transformers' classes."""

import hashlib
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast

from idto3d.guidance.networks.base import BaseParts
from idto3d.guidance.networks.morphable import MorphableHead, MorphableSize
from idto3d.words.expressions import EXPRESSIONS

PAD, UNKNOWN, START, END = SPECIAL = ("<pad>", "<unknown>", "<start>", "<end>")


@dataclass(frozen=True)
class BaseSpec:
    """Every size of a small base. The VAE shrinks an image by 8 when it has four entries in `vae_channels`."""

    image_size: int
    max_words: int
    text_width: int
    text_layers: int
    text_heads: int
    latent_channels: int
    vae_channels: tuple[int, ...]
    unet_channels: tuple[int, ...]
    unet_layers: int
    unet_heads: int
    norm_groups: int

    @property
    def latent_size(self) -> int:
        """Side of the latents of an image of `image_size`."""
        return self.image_size >> (len(self.vae_channels) - 1)


EMBEDDED_SPEC = BaseSpec(
    image_size=128,
    max_words=32,
    text_width=192,
    text_layers=3,
    text_heads=4,
    latent_channels=16,
    vae_channels=(16, 48, 96, 128),
    unet_channels=(112, 176, 224),
    unet_layers=1,
    unet_heads=4,
    norm_groups=8,
)
TEST_SPEC = BaseSpec(
    image_size=32,
    max_words=16,
    text_width=16,
    text_layers=1,
    text_heads=2,
    latent_channels=4,
    vae_channels=(8, 8, 8, 8),
    unet_channels=(8, 16),
    unet_layers=1,
    unet_heads=2,
    norm_groups=4,
)


def tiny_base(spec: BaseSpec, vocabulary: list[str]) -> BaseParts:
    """A base of `spec`'s sizes with random weights (seed torch first) that knows the lower-case words `vocabulary`."""
    tokenizer = word_tokenizer(vocabulary, spec.max_words)
    return BaseParts(
        tokenizer=tokenizer,
        text_encoder=word_encoder(spec, tokenizer),
        vae=_autoencoder(spec),
        unet=_unet(spec),
        scheduler=noise_scheduler(),
    )


def word_tokenizer(vocabulary: list[str], max_words: int) -> PreTrainedTokenizerFast:
    """One token per lower-case word; punctuation and digits only separate words; other words become `<unknown>`."""
    words = [*SPECIAL, *dict.fromkeys(word.lower() for word in vocabulary)]
    index = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(index, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(Regex("[^a-z]+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, index[START]), (END, index[END])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNKNOWN,
        bos_token=START,
        eos_token=END,
        model_max_length=max_words,
    )


def noise_scheduler() -> DDIMScheduler:
    """Stable Diffusion's noise levels (scaled linear 0.00085..0.012 over 1000 timesteps), but velocity prediction.

    In the error of the noise what little signal there is at the noisiest timesteps hardly counts, and there the
    conditions decide; a small model that is trained for hours never comes to hear them (docs/training.md).
    """
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="v_prediction",
    )


def word_encoder(spec: BaseSpec, tokenizer: PreTrainedTokenizerFast) -> CLIPTextModel:
    """The text encoder, which no training changes: fixed by `spec` and the words, whatever the seed.

    A word's vector is drawn from its letters and the layers are those of an encoder without words, so that a base that
    learns further words goes on hearing the old ones as before.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        layers = CLIPTextModel(_text_config(spec, tokenizer, len(SPECIAL))).state_dict()
        encoder = CLIPTextModel(_text_config(spec, tokenizer, len(tokenizer)))
    kept = {name: value for name, value in layers.items() if "token_embedding" not in name}
    encoder.load_state_dict(kept, strict=False)
    return _spread_words(encoder, tokenizer)


def _text_config(spec: BaseSpec, tokenizer: PreTrainedTokenizerFast, vocabulary: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=spec.text_width,
        intermediate_size=4 * spec.text_width,
        projection_dim=spec.text_width,
        num_hidden_layers=spec.text_layers,
        num_attention_heads=spec.text_heads,
        max_position_embeddings=spec.max_words,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


@torch.no_grad()
def _spread_words(encoder: CLIPTextModel, tokenizer: PreTrainedTokenizerFast) -> CLIPTextModel:
    """Words of unit size and silent ends and pads, so that different texts have different states.

    At the stock size of 0.02 what all texts share drowns the words, and a small model never learns to hear them.
    """
    words, places = encoder.embeddings.token_embedding.weight, encoder.embeddings.position_embedding.weight
    for word, index in tokenizer.get_vocab().items():
        words[index] = torch.randn(words.shape[1], generator=_generator(word))
    words[[tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id]] = 0
    places.copy_(0.1 * torch.randn(places.shape, generator=_generator("")))
    return encoder


def _generator(word: str) -> torch.Generator:
    digest = hashlib.sha256(word.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def _autoencoder(spec: BaseSpec) -> AutoencoderKL:
    depth = len(spec.vae_channels)
    return AutoencoderKL(
        sample_size=spec.image_size,
        latent_channels=spec.latent_channels,
        block_out_channels=spec.vae_channels,
        down_block_types=("DownEncoderBlock2D",) * depth,
        up_block_types=("UpDecoderBlock2D",) * depth,
        layers_per_block=1,
        norm_num_groups=spec.norm_groups,
        scaling_factor=1.0,
        force_upcast=False,
    )


def _unet(spec: BaseSpec) -> UNet2DConditionModel:
    # The words also reach every block through the time embedding: attention alone learns them far too slowly here.
    depth = len(spec.unet_channels)
    return UNet2DConditionModel(
        sample_size=spec.latent_size,
        in_channels=spec.latent_channels,
        out_channels=spec.latent_channels,
        block_out_channels=spec.unet_channels,
        down_block_types=("CrossAttnDownBlock2D",) * depth,
        up_block_types=("CrossAttnUpBlock2D",) * depth,
        layers_per_block=spec.unet_layers,
        cross_attention_dim=spec.text_width,
        attention_head_dim=spec.unet_heads,  # diffusers reads this as the number of heads
        norm_num_groups=spec.norm_groups,
        addition_embed_type="text",
        addition_embed_type_num_heads=spec.unet_heads,
    )


def tiny_morphable(spec: BaseSpec, id_dim: int) -> MorphableHead:
    """A morphable head for a base of `spec`'s sizes with random readings (seed torch first).

    An octahedron that may wear a cap and a beard, and each of whose corners follows itself.
    """
    counts = {"vertices": 6, "handles": 6, "faces": 8, "modes": 4, "moves": len(EXPRESSIONS), "words": 5}
    size = MorphableSize(**counts, hair=((0, 0), (5, 4)), beards=2, hidden=8)
    head = MorphableHead(spec.text_width, id_dim, spec.image_size, {**vars(size)}).requires_grad_(False)
    axes, sides = torch.eye(3), torch.tensor([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4]])
    corners = 0.09 * torch.stack([axes[0], -axes[0], axes[2], -axes[2], axes[1], -axes[1]])
    head.mean.copy_(corners)
    head.faces.copy_(torch.cat([sides, sides.flip(1) + (sides.flip(1) == 4)]))
    head.near[:, 0].copy_(torch.arange(6))
    head.pull[:, 0].fill_(1)
    head.beard_way.copy_(corners)
    head.beard_depth[1], head.beard_cover[1] = 0.2, 0.5
    head.hair_roots.copy_(torch.arange(5))
    head.hair_faces.copy_(sides)
    head.hair_offsets.copy_(0.3 * corners[:5])
    head.hair_shade.fill_(1)
    for values, deviation in ((head.modes, 0.01), (head.moves, 0.01), (head.paint, 0.5), (head.bent.weight, 0.5)):
        values.normal_(std=deviation)
    return head
