"""A bundle of Stable Diffusion 1.5's size with random weights: it is written, loaded, and takes distillation steps.

    python -m benchmarks.sd15_step --out sd15_step.json [--device auto] [--steps 2] [--tiny]

It needs about 10 GB of memory on a CPU. `--tiny` runs the same program on the sizes of the tests, in seconds.
"""

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from idto3d import prompts
from idto3d.guidance.base import BaseParts
from idto3d.guidance.branches import new_branches
from idto3d.guidance.bundle import load_bundle, save_bundle
from idto3d.guidance.device import choose_device
from idto3d.guidance.diffusion import Guidance
from idto3d.guidance.info import BundleInfo, EncoderInfo
from idto3d.guidance.lora import DOMAINS, add_lora
from idto3d.guidance.sds import Distillation, Term, distil
from idto3d.guidance.tiny import TEST_SPEC, noise_scheduler, tiny_base, word_tokenizer

EXPRESSION = "jaw dropped"
WORDS = prompts.words(" ".join((*prompts.VIEWS, prompts.caption("", "geometry"), "albedo", EXPRESSION)))
ID_DIMENSION = 512


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


def write(folder: Path, tiny: bool) -> dict[str, int]:
    """Save a bundle with random weights; returns the number of parameters of each network."""
    torch.manual_seed(0)
    parts = tiny_base(TEST_SPEC, WORDS) if tiny else sd15_parts()
    width = parts.unet.config.cross_attention_dim
    branches = {domain: new_branches(parts.unet, ID_DIMENSION, width) for domain in DOMAINS}
    for domain in DOMAINS:
        add_lora(parts.unet, domain)
    info = BundleInfo(
        name="random",
        licence="CC0-1.0",
        image_size=TEST_SPEC.image_size if tiny else 512,
        identity_encoder=EncoderInfo("insightface", ID_DIMENSION),
        expressions={"mouth stretch": EXPRESSION},
        prompts={domain: prompts.caption("{view}", domain, "{subject}") for domain in DOMAINS},
    )
    save_bundle(folder, info, parts, branches)
    networks = {"unet": parts.unet, "vae": parts.vae, "text_encoder": parts.text_encoder} | branches
    return {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}


def timed(work, device: torch.device) -> tuple[object, float]:
    """What `work` returns, and the seconds it took."""
    start = time.perf_counter()
    result = work()
    if device.type != "cpu":
        torch.accelerator.synchronize()
    return result, round(time.perf_counter() - start, 3)


def step(guidance: Guidance, domain: str, generator: torch.Generator) -> bool:
    """One distillation step on one random picture; whether its gradient is finite and not zero."""
    size = guidance.info.image_size
    image = torch.rand(1, 3, size, size, generator=generator).to(guidance.device).requires_grad_()
    identity = torch.nn.functional.normalize(torch.randn(ID_DIMENSION, generator=generator), dim=0)
    prompt = guidance.info.prompt(domain, "front", "person")
    wanted = guidance.conditions([prompt], "", identity.to(guidance.device), [EXPRESSION])
    timesteps = torch.randint(200, 700, (1,), generator=generator)
    distil([Term(guidance, 1.0, wanted)], domain, image, timesteps, generator, Distillation("sds")).backward()
    return bool(torch.isfinite(image.grad).all() and image.grad.abs().sum() > 0)


def measure(folder: Path, device: torch.device, steps: int) -> dict:
    """Load the bundle and take `steps` steps in each domain."""
    bundle, loading = timed(lambda: load_bundle(folder, device), device)
    guidance, generator = Guidance(bundle), torch.Generator().manual_seed(0)
    found = {"load_seconds": loading, "dtype": str(bundle.dtype)}
    for domain in DOMAINS:
        taken = [timed(lambda domain=domain: step(guidance, domain, generator), device) for _ in range(steps)]
        found[domain] = {"seconds": [seconds for _, seconds in taken], "finite": all(fine for fine, _ in taken)}
    return found


def main() -> None:
    """Write, load, step, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--tiny", action="store_true", help="the sizes of the tests")
    told = parser.parse_args()
    device = choose_device(told.device)
    with tempfile.TemporaryDirectory() as folder:
        parameters = write(Path(folder), told.tiny)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        found = {"parameters": parameters, "bytes": size, **measure(Path(folder), device, told.steps)}
    machine = {"device": str(device), "machine": platform.machine(), "threads": torch.get_num_threads()}
    found |= machine | {"torch": torch.__version__, "tiny": told.tiny}
    told.out.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
