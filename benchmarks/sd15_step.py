"""A bundle of Stable Diffusion 1.5's size with random weights: it is written, loaded, and takes distillation steps.

    python -m benchmarks.sd15_step --out step.json [--device auto] [--dtype auto] [--compile off] [--steps 5] [--tiny]

It says how long a step takes and each of its parts, the peak of memory, and on what it ran. It needs about 10 GB of
memory on a CPU. `--tiny` runs the same program on the sizes of the tests, in seconds.
"""

import argparse
import json
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from benchmarks.machine import machine
from idto3d.bundle.info import BundleInfo, EncoderInfo
from idto3d.config import COMPILE
from idto3d.device import CUDA, choose_device
from idto3d.errors import UserError, run_command
from idto3d.guidance.compiling import check_compiling, compile_networks
from idto3d.guidance.distillation import Distillation, Term, distil
from idto3d.guidance.loading import load_bundle, save_bundle
from idto3d.guidance.networks.base import BaseParts
from idto3d.guidance.networks.branches import new_branches
from idto3d.guidance.networks.lora import add_lora
from idto3d.guidance.networks.tiny import TEST_SPEC, noise_scheduler, tiny_base, word_tokenizer
from idto3d.guidance.prediction import Conditions, Guidance
from idto3d.words import prompts
from idto3d.words.captions import caption
from idto3d.words.prompts import DOMAINS

EXPRESSION = "jaw dropped"
WORDS = prompts.words(" ".join((*prompts.VIEWS, caption("", "geometry"), "albedo", EXPRESSION)))
ENCODER = EncoderInfo("insightface", 512)
DTYPES = {"auto": None, "float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def sd15_parts() -> BaseParts:
    """Networks of the published sizes (859.5, 83.7 and about 85 million parameters) with random weights.

    The words are few, so the text encoder lacks the 38 million parameters of the published word table.
    """
    tokenizer = word_tokenizer(WORDS, 77)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        projection_dim=768,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    vae = AutoencoderKL(
        sample_size=512,
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        scaling_factor=0.18215,
    )
    return BaseParts(tokenizer, CLIPTextModel(text), vae, unet, noise_scheduler())


def write(folder: Path, tiny: bool, encoder: EncoderInfo = ENCODER) -> dict[str, int]:
    """Save a bundle with random weights for an identity `encoder`; returns the number of parameters by network."""
    torch.manual_seed(0)
    parts = tiny_base(TEST_SPEC, WORDS) if tiny else sd15_parts()
    width = parts.unet.config.cross_attention_dim
    branches = {domain: new_branches(parts.unet, encoder.dimension, width) for domain in DOMAINS}
    for domain in DOMAINS:
        add_lora(parts.unet, domain)
    info = BundleInfo(
        name="random",
        licence="CC0-1.0",
        image_size=TEST_SPEC.image_size if tiny else 512,
        identity_encoder=encoder,
        expressions={"mouth stretch": EXPRESSION},
        prompts={domain: prompts.template(domain) for domain in DOMAINS},
    )
    save_bundle(folder, info, parts, branches)
    networks = {"unet": parts.unet, "vae": parts.vae, "text_encoder": parts.text_encoder} | branches
    return {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}


class Stopwatch:
    """Seconds by part of what is done on `device`, which is waited for: CUDA works behind the program's back."""

    def __init__(self, device: torch.device):
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the part `name`."""
        start = self._now()
        yield
        self.seconds[name] += self._now() - start

    def _now(self) -> float:
        if self.device.type == CUDA:
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


class WatchedGuidance(Guidance):
    """A guidance whose time in the VAE's encoder and in the UNet is taken by `watch`."""

    def __init__(self, bundle, watch: Stopwatch):
        super().__init__(bundle)
        self.watch = watch

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """As Guidance has it."""
        with self.watch.part("vae_encode"):
            return super().encode(images)

    def predict(self, *given) -> tuple[torch.Tensor, torch.Tensor]:
        """As Guidance has it."""
        with self.watch.part("unet"):
            return super().predict(*given)


def pictures(guidance: Guidance, count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` pictures [B, 3, S, S] of noise in 0..1, whose gradient is asked for."""
    size = guidance.info.image_size
    return torch.rand(count, 3, size, size, generator=generator).to(guidance.device).requires_grad_()


def wanted(guidance: Guidance, domain: str, count: int, generator: torch.Generator) -> Conditions:
    """What `count` pictures should show: somebody at random from the front."""
    identity = torch.randn(guidance.info.identity_encoder.dimension, generator=generator)
    prompt = guidance.info.prompt(domain, "front", "person", EXPRESSION)
    identity = torch.nn.functional.normalize(identity, dim=0).to(guidance.device)
    return guidance.conditions([prompt] * count, "", identity, [EXPRESSION] * count)


def step(guidance: WatchedGuidance, domain: str, generator: torch.Generator) -> dict:
    """One distillation step on one random picture: its seconds by part, and whether its gradient is finite, not zero.

    "backward" is the way back through the VAE's encoder, "step" all of it.
    """
    guidance.watch.seconds.clear()
    image, conditions = pictures(guidance, 1, generator), wanted(guidance, domain, 1, generator)
    timesteps = torch.randint(200, 700, (1,), generator=generator)
    with guidance.watch.part("step"):
        loss = distil([Term(guidance, 1.0, conditions)], domain, image, timesteps, generator, Distillation("sds"))
        with guidance.watch.part("backward"):
            loss.backward()
    fine = bool(torch.isfinite(image.grad).all() and image.grad.abs().sum() > 0)
    return {"seconds": dict(guidance.watch.seconds), "finite": fine}


def measure(folder: Path, device: torch.device, told: argparse.Namespace) -> dict:
    """Load the bundle and take `told.steps` steps in each domain."""
    watch = Stopwatch(device)
    with watch.part("load"):
        bundle = load_bundle(folder, device, DTYPES[told.dtype])
    found = {"load_seconds": round(watch.seconds["load"], 3), "dtype": str(bundle.dtype).removeprefix("torch.")}
    check_compiling(told.compile, device)
    compile_networks(bundle, told.compile)
    guidance, generator = WatchedGuidance(bundle, watch), torch.Generator().manual_seed(0)
    for domain in DOMAINS:
        found[domain] = summary([step(guidance, domain, generator) for _ in range(told.steps)])
    return found


def summary(steps: list[dict]) -> dict:
    """The first step by itself, since it warms up and may compile, and the mean by part of the others."""
    later = [one["seconds"] for one in steps[1:]] or [steps[0]["seconds"]]
    mean = {name: round(sum(one[name] for one in later) / len(later), 4) for name in later[0]}
    return {
        "first_step_seconds": round(steps[0]["seconds"]["step"], 3),
        "mean_seconds": mean,
        "iterations_per_second": round(len(later) / sum(one["step"] for one in later), 4),
        "finite": all(one["finite"] for one in steps),
    }


def peak_bytes(device: torch.device) -> int:
    """The most memory so far: of CUDA what torch took there, otherwise of the whole process."""
    if device.type == CUDA:
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(argv: list[str]) -> int:
    """Write, load, step, and say what was found."""
    told = parse(argv)
    device = choose_device(told.device)
    with tempfile.TemporaryDirectory() as folder:
        parameters = write(Path(folder), told.tiny)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        found = {"parameters": parameters, "bytes": size, "peak_bytes": {"written": peak_bytes(device)}}
        found |= measure(Path(folder), device, told)
        found["peak_bytes"]["stepped"] = peak_bytes(device)
    found |= machine(device) | {"compiled": told.compile, "steps": told.steps, "tiny": told.tiny}
    told.out.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    return 0


def parse(argv: list[str]) -> argparse.Namespace:
    """The options in `argv`. Raises UserError for no steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", CUDA))
    parser.add_argument("--dtype", default="auto", choices=DTYPES, help="of the UNet and the VAE's encoder")
    parser.add_argument("--compile", default="off", choices=COMPILE, help="the networks, within the first step")
    parser.add_argument("--steps", type=int, default=5, help="steps in each domain")
    parser.add_argument("--tiny", action="store_true", help="the sizes of the tests")
    told = parser.parse_args(argv)
    if told.steps < 1:
        raise UserError(f"--steps {told.steps} measures nothing.", "Give at least 1.")
    return told


if __name__ == "__main__":
    run_command(main)
