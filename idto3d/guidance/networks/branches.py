"""The identity and the expression branch: two decoupled cross-attentions beside the text, and LoRA adapters.

`Att(Q, text) + lambda_id Att(Q, id) + lambda_exp Att(Q, exp)` with one shared query (IP-Adapter, Ye et al. 2023;
ID-to-3D, section 3). diffusers' own two-branch processor computes exactly this, so the attention is not ours.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor2_0, IPAdapterAttnProcessor2_0
from diffusers.models.embeddings import IPAdapterFaceIDImageProjection, MultiIPAdapterImageProjection
from torch import Tensor, nn

from idto3d.files import expect_shapes, read_shapes, read_tensors, unfit
from idto3d.guidance.networks.base import save_tensors

BRANCHES = ("identity", "expression")
FACEID_LORA = re.compile(r"ip_adapter\.(?P<place>\d+)\.(?P<module>to_(?:q|k|v|out))_lora\.(?P<side>down|up)\.weight")
PROJECTION_NAMES = {  # name in the file: name in diffusers' projection
    "proj.0.weight": "ff.net.0.proj.weight",
    "proj.0.bias": "ff.net.0.proj.bias",
    "proj.2.weight": "ff.net.2.weight",
    "proj.2.bias": "ff.net.2.bias",
    "norm.weight": "norm.weight",
    "norm.bias": "norm.bias",
}


class Branches(nn.Module):
    """Holder of both branches' parameters: `projection` (embedding to tokens) and `attention` (keys and values).

    `attention[k]` belongs to the UNet's k-th cross-attention in the order of `unet.attn_processors`; each has
    `to_k_ip[b]` and `to_v_ip[b]` for branch b (0 identity, 1 expression; a published adapter has only the first).
    """

    def __init__(self, projection: MultiIPAdapterImageProjection, attention: list[IPAdapterAttnProcessor2_0]):
        super().__init__()
        self.projection = projection
        self.attention = nn.ModuleList(attention)

    def names(self) -> tuple[str, ...]:
        """The branches that are there, in order."""
        return BRANCHES[: len(self.projection.image_projection_layers)]

    def branch_parameters(self, branch: str) -> list[nn.Parameter]:
        """All parameters of `branch` (identity or expression)."""
        index = BRANCHES.index(branch)
        kept = list(self.projection.image_projection_layers[index].parameters())
        for attention in self.attention:
            kept += [attention.to_k_ip[index].weight, attention.to_v_ip[index].weight]
        return kept


def cross_attentions(unet: UNet2DConditionModel) -> list[str]:
    """Names of the UNet's cross-attention processors, in the order that branch files count them."""
    return [name for name in unet.attn_processors if name.endswith("attn2.processor")]


def new_branches(
    unet: UNet2DConditionModel, id_dim: int, exp_dim: int, tokens: tuple[int, int] = (4, 4), mult: int = 2
) -> Branches:
    """Fresh branches for embeddings of `id_dim` and `exp_dim` numbers, `tokens` context tokens each.

    Keys start as the text's own, values at zero: an attached fresh branch does not change the prediction. `mult` is
    the hidden width of the 2-layer MLP over its input width (an integer, which the stock loader needs).
    """
    width = unet.config.cross_attention_dim
    projection = MultiIPAdapterImageProjection(
        [
            IPAdapterFaceIDImageProjection(
                image_embed_dim=dimension, cross_attention_dim=width, mult=mult, num_tokens=count
            )
            for dimension, count in zip((id_dim, exp_dim), tokens, strict=True)
        ]
    )
    attention = [_fresh_attention(_text_keys(unet, name), tokens) for name in cross_attentions(unet)]
    return Branches(projection, attention).to(unet.device)


def _text_keys(unet: UNet2DConditionModel, name: str) -> Tensor:
    to_k = unet.get_submodule(name.removesuffix(".processor")).to_k
    return getattr(to_k, "base_layer", to_k).weight


@torch.no_grad()
def _fresh_attention(text_keys: Tensor, tokens: tuple[int, ...]) -> IPAdapterAttnProcessor2_0:
    hidden, width = text_keys.shape
    attention = IPAdapterAttnProcessor2_0(hidden_size=hidden, cross_attention_dim=width, num_tokens=tokens)
    for to_k, to_v in zip(attention.to_k_ip, attention.to_v_ip, strict=True):
        to_k.weight.copy_(text_keys)
        to_v.weight.zero_()
    return attention


def attach(unet: UNet2DConditionModel, branches: Branches) -> None:
    """Put `branches` on `unet`, in place of any others. Its calls then need `image_embeds`, one [B, n, D] per branch.

    The branches become part of `unet.parameters()`; they stay the same objects, so trained values are kept.
    """
    remaining = list(branches.attention)
    processors = {
        name: remaining.pop(0) if name.endswith("attn2.processor") else AttnProcessor2_0()
        for name in unet.attn_processors
    }
    unet.set_attn_processor(processors)
    unet.encoder_hid_proj = branches.projection
    unet.config.encoder_hid_dim_type = "ip_image_proj"


def detach(unet: UNet2DConditionModel) -> None:
    """Take any branches off `unet`: it is the plain base again."""
    unet.set_attn_processor({name: AttnProcessor2_0() for name in unet.attn_processors})
    unet.encoder_hid_proj = None
    unet.config.encoder_hid_dim_type = None


def set_scales(unet: UNet2DConditionModel, lambda_id: float, lambda_exp: float) -> None:
    """Strengths of the attached branches. A branch at 0 is not computed at all; of one that is absent nothing is.

    All attentions have the same, so that one look at the first spares a walk through the UNet at every prediction.
    """
    scales = [float(lambda_id), float(lambda_exp)]
    first = next((module for module in unet.modules() if isinstance(module, IPAdapterAttnProcessor2_0)), None)
    if first is None or first.scale == scales[: len(first.scale)]:
        return
    for processor in unet.attn_processors.values():
        if isinstance(processor, IPAdapterAttnProcessor2_0):
            processor.scale = scales[: len(processor.scale)]


def save_branch(branches: Branches, branch: str, path: str | Path, dtype: torch.dtype = torch.float16) -> None:
    """Write one branch (identity or expression) in the IP-Adapter-FaceID layout: `image_proj.*`, `ip_adapter.*`."""
    index = BRANCHES.index(branch)
    projection = branches.projection.image_projection_layers[index].state_dict()
    state = {f"image_proj.{theirs}": projection[ours] for theirs, ours in PROJECTION_NAMES.items()}
    for k, attention in enumerate(branches.attention):
        state[f"ip_adapter.{2 * k + 1}.to_k_ip.weight"] = attention.to_k_ip[index].weight
        state[f"ip_adapter.{2 * k + 1}.to_v_ip.weight"] = attention.to_v_ip[index].weight
    save_tensors(state, Path(path), dtype)


def load_branches(
    unet: UNet2DConditionModel, id_path: str | Path, exp_path: str | Path | None, dtype: torch.dtype = torch.float32
) -> Branches:
    """The branches of one domain from their files, for `unet` but not attached; without `exp_path` identity alone.

    Raises UserError where a file is missing, damaged, not safetensors, or made for another UNet.
    """
    paths = tuple(Path(path) for path in (id_path, exp_path) if path is not None)
    states = [_branch_state(unet, path, alone=exp_path is None) for path in paths]
    projections = [_projection(state) for state in states]
    tokens = tuple(layer.num_tokens for layer in projections)
    attention = []
    for k, name in enumerate(cross_attentions(unet)):
        fresh = _fresh_attention(_text_keys(unet, name).float(), tokens)
        for index, state in enumerate(states):
            _fill(fresh.to_k_ip[index].weight, state[f"ip_adapter.{2 * k + 1}.to_k_ip.weight"])
            _fill(fresh.to_v_ip[index].weight, state[f"ip_adapter.{2 * k + 1}.to_v_ip.weight"])
        attention.append(fresh)
    return Branches(MultiIPAdapterImageProjection(projections), attention).to(unet.device, dtype)


def _branch_state(unet: UNet2DConditionModel, path: Path, alone: bool) -> dict[str, Tensor]:
    """The tensors of one branch of which the header shows that they fit `unet`; `alone`: a LoRA may lie beside them."""
    shapes = read_shapes(path)
    own = {name: shape for name, shape in shapes.items() if not (alone and FACEID_LORA.fullmatch(name))}
    hidden, dimension = _matrix(own, "image_proj.proj.0.weight", path)
    width = unet.config.cross_attention_dim
    tokens = _matrix(own, "image_proj.proj.2.weight", path)[0] // width
    if hidden % dimension or tokens < 1:
        raise unfit(path, f"its projection takes {dimension} numbers by {hidden} to {tokens} tokens")
    expected = {"proj.0.weight": (hidden, dimension), "proj.0.bias": (hidden,), "norm.weight": (width,)}
    expected |= {"proj.2.weight": (tokens * width, hidden), "proj.2.bias": (tokens * width,), "norm.bias": (width,)}
    expected = {f"image_proj.{name}": shape for name, shape in expected.items()}
    for k, name in enumerate(cross_attentions(unet)):
        shape = tuple(_text_keys(unet, name).shape)
        expected |= {f"ip_adapter.{2 * k + 1}.to_{one}_ip.weight": shape for one in "kv"}
    expect_shapes(path, expected, own, unfit)
    return read_tensors(path)


def _matrix(shapes: Mapping[str, tuple[int, ...]], name: str, path: Path) -> tuple[int, int]:
    shape = shapes.get(name, ())
    if len(shape) != 2 or min(shape) < 1:
        raise unfit(path, f"it has no image projection: {name} is {list(shape) or 'missing'}")
    return shape


def _projection(state: Mapping[str, Tensor]) -> IPAdapterFaceIDImageProjection:
    hidden, dimension = state["image_proj.proj.0.weight"].shape
    width = len(state["image_proj.norm.weight"])
    tokens = len(state["image_proj.proj.2.weight"]) // width
    layer = IPAdapterFaceIDImageProjection(
        image_embed_dim=dimension, cross_attention_dim=width, mult=hidden // dimension, num_tokens=tokens
    )
    parameters = dict(layer.named_parameters())
    for theirs, ours in PROJECTION_NAMES.items():
        _fill(parameters[ours], state[f"image_proj.{theirs}"])
    return layer


@torch.no_grad()
def _fill(parameter: nn.Parameter, value: Tensor) -> None:
    parameter.copy_(value)
