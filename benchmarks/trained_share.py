"""What share of a Stable Diffusion 1.5 UNet is trained, by choice of the modules that LoRA adapts.

Counted on the meta device: no weights are fetched or allocated. Identity embeddings of 512 numbers (ArcFace),
expression embeddings of 768 (the base's own text encoder), four tokens each; one domain. Prints a table, or JSON.

    python -m benchmarks.trained_share [--json]
"""

import argparse
import json

import torch
from diffusers import UNet2DConditionModel

from idto3d.guidance.networks.branches import BRANCHES, new_branches
from idto3d.guidance.networks.lora import TARGETS, add_lora

FEED_FORWARD = ("ff.net.0.proj", "ff.net.2")
CONVOLUTIONS = ("conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv")
CHOICES = {
    "attention q, k, v, out": TARGETS,
    "attention q, k, v": ("to_q", "to_k", "to_v"),
    "attention k, v": ("to_k", "to_v"),
    "attention q, v": ("to_q", "to_v"),
    "+ feed-forward": (*TARGETS, *FEED_FORWARD),
    "+ convolutions": (*TARGETS, *FEED_FORWARD, *CONVOLUTIONS),
}
RANKS = ((8, 16), (16, 32), (32, 64))
ID_DIM, TEXT_DIM = 512, 768


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    rows = [row(name, ranks) for name in CHOICES for ranks in RANKS]
    print(json.dumps(rows, indent=2) if parser.parse_args().json else table(rows))


def row(choice: str, ranks: tuple[int, int]) -> dict:
    """Counts for one choice of modules and ranks (self-attention and the rest, cross-attention)."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=TEXT_DIM)  # the rest are SD1.5's sizes
        base = count(unet.parameters())
        branches = new_branches(unet, ID_DIM, TEXT_DIM)
        lora = count(add_lora(unet, "geometry", *ranks, CHOICES[choice]))
    identity, expression = (count(branches.branch_parameters(branch)) for branch in BRANCHES)
    return {
        "modules": choice,
        "rank_self": ranks[0],
        "rank_cross": ranks[1],
        "base": base,
        "lora": lora,
        "identity": identity,
        "expression": expression,
        "lora_share": lora / base,
        "stage_1_share": (lora + identity) / base,
        "stage_2_share": expression / base,
    }


def count(parameters) -> int:
    """How many numbers there are in `parameters`."""
    return sum(parameter.numel() for parameter in parameters)


def table(rows: list[dict]) -> str:
    """The rows as a Markdown table, counts in millions."""
    head = ("LoRA in", "ranks", "LoRA", "identity", "expression", "LoRA alone", "stage 1 trains", "stage 2 trains")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for one in rows:
        millions = [f"{one[name] / 1e6:.2f} M" for name in ("lora", "identity", "expression")]
        shares = [f"{one['lora_share']:.3%}", *(f"{one[name]:.2%}" for name in ("stage_1_share", "stage_2_share"))]
        cells = [one["modules"], f"{one['rank_self']}/{one['rank_cross']}", *millions, *shares]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + f"\n\nBase UNet: {rows[0]['base'] / 1e6:.1f} million parameters."


if __name__ == "__main__":
    main()
