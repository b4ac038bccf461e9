"""The JSON beside a base's networks: every entry that a network is built from is checked before one is built.

What a table below does not name must be as it is by default, and entries that the classes do not know have no effect.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from idto3d.files import damaged, read_json


@dataclass(frozen=True)
class Entry:
    """What an entry may be, and how that is called. `needed` where leaving it out would mean something else."""

    allows: Callable[[object], bool]
    words: str
    needed: bool = True


def _whole(low: int, high: int, needed: bool = True) -> Entry:
    fits = lambda value: type(value) is int and low <= value <= high  # noqa: E731
    return Entry(fits, f"a whole number of {low}..{high}", needed)


def _number(low: float, high: float, needed: bool = True) -> Entry:
    fits = lambda value: type(value) in (int, float) and low <= value <= high  # noqa: E731
    return Entry(fits, f"a number of {low:g}..{high:g}", needed)


def _one_of(*values: object, needed: bool = True) -> Entry:
    fits = lambda value: any(value is one or (type(value) is type(one) and value == one) for one in values)  # noqa: E731
    return Entry(fits, "one of " + ", ".join(map(str, values)), needed)


def _each(entry: Entry, least: int = 1) -> Entry:
    fits = lambda value: type(value) is list and least <= len(value) <= MOST_BLOCKS and all(map(entry.allows, value))  # noqa: E731
    return Entry(fits, f"a list of {least}..{MOST_BLOCKS}, each {entry.words}", entry.needed)


def _or_each(entry: Entry) -> Entry:
    rows = _each(entry)
    return Entry(lambda value: entry.allows(value) or rows.allows(value), f"{entry.words}, or a list", entry.needed)


MOST_BLOCKS, MOST_CHANNELS, LEVELS = 8, 8192, 1000
FLAG, FLAG_UNNEEDED = _one_of(True, False), _one_of(True, False, needed=False)
CHANNELS = _whole(1, MOST_CHANNELS)
SIDE = Entry(lambda value: value is None or _whole(1, 4096).allows(value), "a whole number of 1..4096", False)
EPSILON = _number(1e-12, 0.1)

UNET = {
    "in_channels": CHANNELS,
    "out_channels": CHANNELS,
    "block_out_channels": _each(CHANNELS),
    "down_block_types": _each(_one_of("CrossAttnDownBlock2D", "DownBlock2D")),
    "up_block_types": _each(_one_of("CrossAttnUpBlock2D", "UpBlock2D")),
    "layers_per_block": _whole(1, 16),
    "cross_attention_dim": CHANNELS,
    "attention_head_dim": _or_each(_whole(1, 1024)),
    "norm_num_groups": _whole(1, 1024),
    "norm_eps": EPSILON,
    "act_fn": _one_of("silu", "swish", "mish", "gelu"),
    "center_input_sample": FLAG,
    "flip_sin_to_cos": FLAG,
    "freq_shift": _whole(0, 1),
    "downsample_padding": _whole(0, 1),
    "mid_block_scale_factor": _number(1e-3, 1e3),
    "sample_size": SIDE,
    "addition_embed_type": _one_of(None, "text", needed=False),
    "addition_embed_type_num_heads": _whole(1, 1024, needed=False),
    "use_linear_projection": FLAG_UNNEEDED,
    "upcast_attention": FLAG_UNNEEDED,
    "transformer_layers_per_block": _or_each(_whole(1, 16, needed=False)),
}
VAE = {
    "in_channels": _one_of(3),
    "out_channels": _one_of(3),
    "latent_channels": _whole(1, 256),
    "block_out_channels": _each(CHANNELS),
    "down_block_types": _each(_one_of("DownEncoderBlock2D")),
    "up_block_types": _each(_one_of("UpDecoderBlock2D")),
    "layers_per_block": _whole(1, 16),
    "norm_num_groups": _whole(1, 1024),
    "act_fn": _one_of("silu", "swish", "mish", "gelu"),
    "sample_size": SIDE,
    "scaling_factor": _number(1e-4, 1e4, needed=False),
    "force_upcast": FLAG_UNNEEDED,
}
TEXT = {
    "vocab_size": _whole(1, 1 << 20),
    "hidden_size": CHANNELS,
    "intermediate_size": _whole(1, 8 * MOST_CHANNELS),
    "projection_dim": _whole(1, MOST_CHANNELS, needed=False),
    "num_hidden_layers": _whole(1, 64),
    "num_attention_heads": _whole(1, 1024),
    "max_position_embeddings": _whole(2, 4096),
    "hidden_act": _one_of("quick_gelu", "gelu", "gelu_new", "relu", "silu"),
    "layer_norm_eps": EPSILON,
    "pad_token_id": _whole(0, 1 << 20),
    "bos_token_id": _whole(0, 1 << 20),
    "eos_token_id": _whole(0, 1 << 20),
}
SCHEDULER = {
    "num_train_timesteps": _one_of(LEVELS),
    "beta_start": _number(1e-6, 0.5),
    "beta_end": _number(1e-6, 0.5),
    "beta_schedule": _one_of("linear", "scaled_linear", "squaredcos_cap_v2"),
    "prediction_type": _one_of("epsilon", "v_prediction", needed=False),
    "trained_betas": _one_of(None, needed=False),
    "rescale_betas_zero_snr": FLAG_UNNEEDED,
    "set_alpha_to_one": FLAG_UNNEEDED,
    "clip_sample": FLAG_UNNEEDED,
    "steps_offset": _whole(0, 1, needed=False),
}
MORPHABLE = {
    "text_dim": CHANNELS,
    "id_dim": CHANNELS,
    "image_size": _whole(8, 2048),
    "size": Entry(lambda value: type(value) is dict, "an object"),
}
# Entries of newer configurations: where the second is there, whoever wrote it also wrote the first.
TOGETHER = (
    ("scaling_factor", "force_upcast"),
    ("prediction_type", "timestep_spacing"),
    ("addition_embed_type_num_heads", "addition_embed_type"),
)


def checked_config(path: Path, entries: Mapping[str, Entry], kind: type, others: bool = False) -> dict:
    """The `entries` of a configuration by which a `kind` can be built.

    others: whether further entries that `kind` takes may differ from their defaults, as they are not used. Raises
    UserError.
    """
    said = read_json(path)
    together = {first for first, second in TOGETHER if first in entries and said.get(second) is not None}
    for name, entry in entries.items():
        if name not in said and (entry.needed or name in together):
            raise damaged(path, f"'{name}' is missing")
        if name in said and not entry.allows(said[name]):
            raise damaged(path, f"'{name}' should be {entry.words}")
    for name, usual in _usual(kind).items():
        if not others and name not in entries and said.get(name, usual) not in (usual, None):
            raise damaged(path, f"'{name}' is {str(said[name])[:40]}, where only {usual} is known")
    return {name: said[name] for name in entries if name in said}


def _usual(kind: type) -> dict[str, object]:
    return {name: value.default for name, value in inspect.signature(kind.__init__).parameters.items()}


def expect_blocks(path: Path, config: Mapping, tensors: int) -> None:
    """Raises UserError unless the blocks of a UNet or VAE fit each other, and the number of `tensors` in its file."""
    widths, groups = config["block_out_channels"], config["norm_num_groups"]
    deep = _most(config.get("transformer_layers_per_block", 1))
    heads = config.get("attention_head_dim", 1)
    heads = heads if isinstance(heads, list) else [heads] * len(widths)
    rows = [config["down_block_types"], config["up_block_types"], heads]
    if any(len(row) != len(widths) for row in rows):
        raise damaged(path, "its blocks differ in number")
    if any(width % groups or width % count for width, count in zip(widths, heads, strict=True)):
        raise damaged(path, "the channels of a block do not divide into its groups and heads")
    if len(widths) * config["layers_per_block"] * deep > tensors:
        raise damaged(path, "it has more layers than there are weights for")


def expect_text(path: Path, config: Mapping, tensors: int) -> None:
    """Likewise of a text encoder."""
    if config["hidden_size"] % config["num_attention_heads"]:
        raise damaged(path, "the hidden size does not divide into its heads")
    if config["num_hidden_layers"] > tensors:
        raise damaged(path, "it has more layers than there are weights for")
    if max(config[f"{name}_token_id"] for name in ("pad", "bos", "eos")) >= config["vocab_size"]:
        raise damaged(path, "a special token lies outside its vocabulary")


def _most(counts: int | list[int]) -> int:
    return max(counts) if isinstance(counts, list) else counts
