"""A CLIP model of others as a scorer: any words, and pictures as large as it takes them.

Radford et al. 2021; read from a folder in transformers' layout, weights as safetensors only. Its files are checked
before memory is taken, as those of a base are.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize
from transformers import CLIPConfig, CLIPModel

from idto3d.files import damaged, fill, read_json, refusing
from idto3d.guidance.networks.tokenizing import load_tokenizer

WEIGHTS, CONFIG = "model.safetensors", "config.json"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
FILES = (CONFIG, WEIGHTS, *TOKENIZER)
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of CLIP's own pictures
MOST_LAYERS, MOST_WIDTH, MOST_SIDE = 64, 4096, 1024
AT_ONCE = 32
NUMBERS = {  # what a tower's configuration says, and the most that is believed
    "text_config": {"hidden_size": MOST_WIDTH, "num_hidden_layers": MOST_LAYERS, "intermediate_size": 4 * MOST_WIDTH},
    "vision_config": {
        **{"hidden_size": MOST_WIDTH, "num_hidden_layers": MOST_LAYERS, "intermediate_size": 4 * MOST_WIDTH},
        **{"image_size": MOST_SIDE, "patch_size": MOST_SIDE},
    },
}


class ClipScorer:
    """CLIP's two towers behind the interface `Scorer`."""

    def __init__(self, model: CLIPModel, tokenizer, title: str, device: torch.device):
        self.model, self.tokenizer, self.title, self.device = model.to(device), tokenizer, title, device

    @torch.no_grad()
    def text(self, prompts: Sequence[str], colours: bool = True) -> Tensor:
        """As in Scorer; `colours` makes no difference."""
        asked = self.tokenizer(list(prompts), padding=True, truncation=True, return_tensors="pt").to(self.device)
        hidden = self.model.text_model(input_ids=asked.input_ids, attention_mask=asked.attention_mask).pooler_output
        return normalize(self.model.text_projection(hidden).float(), dim=1).cpu()

    @torch.no_grad()
    def pictures(self, pictures: np.ndarray) -> Tensor:
        """As in Scorer; they are made as large as the model takes them."""
        side = self.model.config.vision_config.image_size
        values = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
        if values.shape[-1] != side:
            values = interpolate(values, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
        values = (values - values.new_tensor(MEAN).view(3, 1, 1)) / values.new_tensor(DEVIATION).view(3, 1, 1)
        return torch.cat([self._seen(part.to(self.device)) for part in values.split(AT_ONCE)])

    def _seen(self, pixels: Tensor) -> Tensor:
        hidden = self.model.vision_model(pixel_values=pixels).pooler_output
        return normalize(self.model.visual_projection(hidden).float(), dim=1).cpu()

    def heads(self, coefficients: np.ndarray) -> None:
        """As in Scorer: only drawing them tells."""

    def hears(self, prompt: str) -> bool:
        """As in Scorer: whatever is said."""
        return bool(prompt.strip())


def load_clip(folder: Path, title: str, device: torch.device) -> ClipScorer:
    """The model in `folder`, frozen, in full precision. Raises UserError where a file is missing or damaged."""
    path = folder / CONFIG
    said = _checked(path)
    with refusing(path), torch.device("meta"):
        model = CLIPModel(CLIPConfig(**said))
    fill(model, folder / WEIGHTS, torch.float32, _plain_name)
    _place_numbers(model)
    text = model.config.text_config
    tokenizer = load_tokenizer(folder, text.vocab_size, text.max_position_embeddings)
    return ClipScorer(model.requires_grad_(False).eval(), tokenizer, title, device)


def _checked(path: Path) -> dict:
    said = read_json(path)
    if said.get("model_type") != "clip":
        raise damaged(path, "'model_type' should be clip")
    for tower, numbers in NUMBERS.items():
        own = said.get(tower)
        if not isinstance(own, dict):
            raise damaged(path, f"'{tower}' should be an object")
        for name, most in numbers.items():
            if name in own and (type(own[name]) is not int or not 0 < own[name] <= most):
                raise damaged(path, f"'{tower}.{name}' should be a whole number of at most {most}")
    kept = ("projection_dim", "logit_scale_init_value", *NUMBERS)
    return {name: said[name] for name in kept if name in said}


def _plain_name(name: str) -> str:
    """Published files also have plain numbers of places as tensors, which are no weights."""
    return "" if name.endswith("position_ids") else name


def _place_numbers(model: CLIPModel) -> None:
    """The numbers of places, which no file has, where they were left without memory."""
    for embeddings, name in (
        (model.text_model.embeddings, "num_embeddings"),
        (model.vision_model.embeddings, "num_embeddings"),
    ):
        count = getattr(embeddings.position_embedding, name)
        embeddings.register_buffer("position_ids", torch.arange(count)[None], persistent=False)
