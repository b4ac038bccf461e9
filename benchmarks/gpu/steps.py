"""A distillation step at Stable Diffusion 1.5's size, in several ways: seconds by part, steps a second, memory."""

from dataclasses import replace

import torch
from diffusers import AutoencoderTiny
from torch import Tensor

from benchmarks.gpu.part import Found, Host, forget_peak, mean_seconds
from benchmarks.sd15_step import (
    EXPRESSION,
    Stopwatch,
    WatchedGuidance,
    peak_bytes,
    pictures,
    step,
    summary,
    wanted,
    write,
)
from idto3d.bundle.info import EncoderInfo, read_info, write_info
from idto3d.config import COMMUNITY
from idto3d.device import CUDA
from idto3d.guidance.compiling import compile_networks
from idto3d.guidance.distillation import Distillation, Term, distil
from idto3d.guidance.loading import Bundle, load_bundle

ENCODER = EncoderInfo("dlib", 128)  # installed wherever we are, and words alone do not ask it
TARGET, SMALL_TARGET = 60.0, 90.0  # steps a second of one view on an H200
DOMAIN = "geometry"
EXPRESSIONS = ("neutral", "mouth stretch")  # that a head is made with


class SmallEncoder(WatchedGuidance):
    """A guidance whose pictures are encoded by a network of TAESD's size, with random weights."""

    def __init__(self, bundle: Bundle, watch: Stopwatch):
        super().__init__(bundle, watch)
        torch.manual_seed(0)
        network = AutoencoderTiny().encoder.to(bundle.device, bundle.dtype, memory_format=torch.channels_last)
        self.small = network.requires_grad_(False).eval()

    def encode(self, images: Tensor) -> Tensor:
        """Latents [B, 4, S / 8, S / 8] of `images` [B, 3, S, S] in 0..1."""
        with self.watch.part("vae_encode"):
            return self.small((images.float() * 2 - 1).to(self.bundle.dtype)).float()


def weights(here: Host) -> Found:
    """Write the bundle with random weights that the parts after this one load, to be asked as `community` is."""
    parameters = write(here.weights(), here.tiny, ENCODER)
    _ask_as_published(here)
    size = sum(path.stat().st_size for path in here.weights().rglob("*") if path.is_file())
    return Found({"parameters": parameters, "bytes": size})


def _ask_as_published(here: Host) -> None:
    """Give the bundle the words, scales, timesteps and background of `community`."""
    theirs, own = read_info(COMMUNITY), read_info(here.weights())
    kept = {name: getattr(theirs, name) for name in ("guidance_scale", "timesteps", "asking", "prompts")}
    expressions = {name: EXPRESSION for name in EXPRESSIONS}
    write_info(replace(own, **kept, expressions=expressions), here.weights())


def plain(here: Host) -> Found:
    """As it is without any option, for one view and for four at once."""
    return measured(here, "off", views=(1, 4))


def rows_first(here: Host) -> Found:
    """Likewise, with the networks' channels in planes, as they were before they lay last."""
    return measured(here, "off", layout=torch.contiguous_format)


def compiled(here: Host) -> Found:
    """With compiled kernels."""
    return measured(here, "kernels")


def graphs(here: Host) -> Found:
    """With compiled kernels in CUDA graphs; without CUDA, kernels alone."""
    return measured(here, _most(here))


def small_encoder(here: Host) -> Found:
    """With an encoder of TAESD's size."""
    return measured(here, "off", kind=SmallEncoder, target=SMALL_TARGET)


def small_encoder_compiled(here: Host) -> Found:
    """With an encoder of TAESD's size, compiled as in `graphs`."""
    return measured(here, _most(here), kind=SmallEncoder, target=SMALL_TARGET)


def _most(here: Host) -> str:
    """The most that can be compiled on the host's device."""
    return "graphs" if here.device.type == CUDA else "kernels"


def measured(
    here: Host,
    how: str,
    views: tuple[int, ...] = (1,),
    layout: torch.memory_format = torch.channels_last,
    kind: type[WatchedGuidance] = WatchedGuidance,
    target: float = TARGET,
) -> Found:
    """A step of the bundle under `guidance.compile` = `how`: by part, and by itself for each number of `views`."""
    watch = Stopwatch(here.device)
    with watch.part("load"):
        bundle = load_bundle(here.weights(), here.device)
    for network in (bundle.parts.vae.encoder, *bundle.unets.values()):
        network.to(memory_format=layout)
    guidance = kind(bundle, watch)
    _compiled(guidance, how)
    figures = {"dtype": str(bundle.dtype).removeprefix("torch."), "load_seconds": round(watch.seconds["load"], 2)}
    generator = torch.Generator().manual_seed(0)
    by_part = summary([step(guidance, DOMAIN, generator) for _ in range(3 if here.tiny else 6)])
    figures |= {"by_part": by_part, "target": target}
    rates = {f"views_{count}": _rate_or_none(guidance, count, here) for count in views}
    figures |= rates | {"reached": rates["views_1"]["steps_per_second"] >= target}
    return Found(figures, {"finite": by_part["finite"] and all(rate.get("finite", True) for rate in rates.values())})


def _compiled(guidance: WatchedGuidance, how: str) -> None:
    compile_networks(guidance.bundle, how)
    if how != "off" and isinstance(guidance, SmallEncoder):
        guidance.small.compile(mode="reduce-overhead" if how == "graphs" else "default", dynamic=False)


def _rate_or_none(guidance: WatchedGuidance, views: int, here: Host) -> dict:
    """The rate; of several views the words that they do not fit, where they do not, since one view is what counts."""
    try:
        return _rate(guidance, views, here)
    except torch.OutOfMemoryError:
        if views == 1:
            raise
        return {"out_of_memory": True}


def _rate(guidance: WatchedGuidance, views: int, here: Host) -> dict:
    """Steps a second on `views` pictures at once, waiting for the device only in the end, and the peak of memory."""
    generator, watched = torch.Generator().manual_seed(1), guidance.watch
    guidance.watch = Stopwatch(torch.device("cpu"))  # which waits for nothing
    conditions, images = wanted(guidance, DOMAIN, views, generator), pictures(guidance, views, generator)
    forget_peak(here.device)

    def once() -> None:
        images.grad = None
        timesteps = torch.randint(200, 700, (views,), generator=generator)
        terms = [Term(guidance, 1.0, conditions)]
        distil(terms, DOMAIN, images, timesteps, generator, Distillation("sds", 50.0)).backward()

    seconds = mean_seconds(here.device, once, 2 if here.tiny else 30)
    guidance.watch = watched
    return {
        "steps_per_second": round(1 / seconds, 2),
        "seconds": round(seconds, 5),
        "peak_bytes": peak_bytes(here.device),
        "finite": bool(torch.isfinite(images.grad).all()),
    }
