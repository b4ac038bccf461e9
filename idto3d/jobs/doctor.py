"""What is installed and what is missing. Asks torch in a process of its own, so that a broken one is only reported."""

import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from idto3d.bundle.info import read_info
from idto3d.config import COMMUNITY, EMBEDDED, HDRI
from idto3d.errors import UserError

NEEDED = (
    *("torch", "diffusers", "transformers", "peft", "accelerate", "huggingface_hub", "safetensors", "tokenizers"),
    *("numpy", "scipy", "scikit-image", "numba", "pillow", "dlib-bin", "face_recognition_models"),
    *("xatlas", "fast-simplification", "pygltflib", "imageio-ffmpeg", "gradio", "tqdm", "OpenEXR", "psutil"),
)
OPTIONAL = {
    "insightface": "stronger identity encoder, its models for non-commercial research",
    "pillow-heif": "HEIC photos",
    "nvdiffrast": "faster rendering on a GPU",
    "tinycudann": "faster hash grid on a GPU",
    "usd-core": "the head as USDZ",
    "trimesh": "training on scans",
    "spandrel": "networks that enlarge textures",
    "ray": "heads on many machines",
    "spaces": "the GPU of a Space on ZeroGPU",
    "scikit-image": "training on synthetic heads",
}
SAME = {"dlib-bin": "dlib"}  # built by the user's own compiler
ASK_DEVICE = (
    "import torch; g = torch.cuda.is_available(); "
    "v = torch.version; made = f'CUDA {v.cuda}' if v.cuda else f'ROCm {v.hip}' if v.hip else 'the CPU alone'; "
    "where = torch.cuda.get_device_name() if g else f'CPU, {torch.get_num_threads()} threads'; "
    "print(f'{where}; this torch is built for {made}')"
)


@dataclass(frozen=True)
class Finding:
    """One line of the doctor. `fine` is false when something needed is missing."""

    name: str
    text: str
    fine: bool = True
    mark: str = "OK"

    def line(self) -> str:
        """The finding as a line to print."""
        return f"{self.mark if self.fine else 'FAIL':<5}{self.name:<24}{self.text}"


def examine() -> list[Finding]:
    """Everything worth knowing before the first run."""
    needed = [_package(name, "needed: pip install it") for name in NEEDED]
    optional = [_package(name, f"not installed ({use})", needed=False) for name, use in OPTIONAL.items()]
    weights = [bundle(EMBEDDED), community(COMMUNITY)]
    return [Finding("python", sys.version.split()[0]), *needed, device(), *optional, *weights, lights()]


def _package(name: str, absent: str, needed: bool = True) -> Finding:
    for candidate in (name, SAME.get(name, name)):
        try:
            return Finding(candidate, metadata.version(candidate))
        except metadata.PackageNotFoundError:
            continue
    return Finding(name, absent, fine=not needed, mark="--")


def device() -> Finding:
    """Where torch computes and what it is built for, by asking it."""
    try:
        answer = subprocess.run([sys.executable, "-c", ASK_DEVICE], capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return Finding("device", "torch did not answer within two minutes", fine=False)
    if answer.returncode:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        return Finding("device", f"torch does not start: {last}", fine=False)
    return Finding("device", answer.stdout.strip())


def bundle(folder: Path) -> Finding:
    """Whether the embedded bundle is there and readable."""
    try:
        info = read_info(folder)
    except UserError as error:
        return Finding("embedded bundle", str(error), fine=False)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Finding("embedded bundle", f"{info.name}, {size / 1e6:.0f} MB")


def community(folder: Path) -> Finding:
    """How much of what the community weights refer to was fetched before; nobody is asked."""
    from huggingface_hub import try_to_load_from_cache

    try:
        info = read_info(folder)
    except UserError as error:
        return Finding("community", str(error), mark="--")
    sources = [source for name, source in info.sources.items() if name != info.scorer]
    asked = [(source.repo, name, source.revision) for source in sources for name in source.files]
    here = sum(isinstance(try_to_load_from_cache(r, name, revision=v), str) for r, name, v in asked)
    rest = "" if here == len(asked) else "; the rest comes from the Hub with --weights community"
    return Finding(
        "community", f"{here} of {len(asked)} files are on this machine{rest}", mark="OK" if not rest else "--"
    )


def lights(folder: Path = HDRI) -> Finding:
    """How many environment maps there are."""
    count = len(list(folder.glob("*.hdr")))
    return Finding("lights", f"{count} in {folder}", fine=count > 0)
