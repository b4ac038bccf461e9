"""Damaged and odd pictures: each ends in pixels or in two sentences, in bounded time and memory.

    python -m benchmarks.gates.images [--count 10000] [--seed 0]

A picture is drawn, written in one of many ways, and in two of three tries damaged: cut, bits flipped, bytes of its
header changed, parts repeated, or given another file's name.
"""

import io
import resource
import time
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from benchmarks.gates.gate import Gate, Outcome, main_of
from idto3d.config import SubjectOptions
from idto3d.errors import UserError
from idto3d.subject.images import load_photo

SLOWEST = 10.0  # seconds of the processor that one try may take
GROWTH = 300e6  # bytes by which the largest memory may grow over all tries
SMALL = SubjectOptions(max_megapixels=4.0)
MODES = ("RGB", "L", "RGBA", "LA", "P", "1", "CMYK", "YCbCr", "I;16", "I", "F", "LAB", "HSV")
WAYS = {  # ending: what Pillow is told when it writes such a file
    ".jpg": ({}, {"progressive": True}, {"quality": 5}, {"subsampling": 0}),
    ".png": ({}, {"compress_level": 0}, {"bits": 4}),
    ".webp": ({}, {"lossless": True}, {"quality": 3}),
    ".bmp": ({},),
    ".tiff": ({}, {"compression": "jpeg"}, {"compression": "tiff_lzw"}, {"compression": "tiff_deflate"}),
    ".avif": ({"speed": 10},),
    ".gif": ({},),
    ".ico": ({},),
    ".ppm": ({},),
}
ENDINGS = (*WAYS, ".heic", ".txt", ".JPG", "")


def picture(random: Random) -> Image.Image:
    """A small picture of a random size and mode."""
    shape = (random.choice((1, 7, 16, 64, 97)), random.choice((1, 8, 33, 64, 120)), 3)
    pixels = np.random.default_rng(random.randrange(2**32)).integers(0, 256, shape, np.uint8)
    image, mode = Image.fromarray(pixels), random.choice(MODES)
    if mode == "LAB":
        return image.convert("RGB")
    if mode == "I;16":
        return Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    return image.convert(mode) if mode != "LA" else image.convert("L").convert("LA")


def written(random: Random) -> bytes:
    """The bytes of a picture in some format, turned by EXIF in one of four, animated in one of eight."""
    image, ending = picture(random), random.choice(tuple(WAYS))
    facts = dict(random.choice(WAYS[ending]))
    if facts.get("compression") == "jpeg":
        image = image.convert("RGB")
    if random.random() < 0.25:
        exif = Image.Exif()
        exif[0x0112] = random.randrange(0, 12)
        facts["exif"] = exif
    if random.random() < 0.125 and ending in (".webp", ".gif", ".png", ".tiff"):
        facts |= {"save_all": True, "append_images": [image, image]}
    buffer = io.BytesIO()
    try:
        image.save(buffer, Image.registered_extensions()[ending], **facts)
    except Exception:  # this mode or size does not go into that format, which writers say in many ways
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def damaged(data: bytes, random: Random) -> bytes:
    """`data` with one kind of damage."""
    kind, content = random.randrange(6), bytearray(data)
    if kind == 0:
        return data[: random.randrange(len(data) + 1)]
    if kind == 1:
        for _ in range(random.randrange(1, 20)):
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    if kind == 2:
        for _ in range(random.randrange(1, 6)):
            content[random.randrange(min(len(content), 64))] = random.randrange(256)
    if kind == 3:
        place = random.randrange(len(content))
        content[place:place] = content[random.randrange(place + 1) : place][:4096]
    if kind == 4:
        content = content[:8] + random.randbytes(random.randrange(1, 200)) + content[8:]
    if kind == 5:
        content += random.randbytes(500)
    return bytes(content)


def attempted(seed: int, folder: Path) -> tuple[str, float]:
    """What is wrong with one try, empty where nothing is, and the seconds it took."""
    random = Random(seed)
    data = written(random)
    path = folder / f"photo{random.choice(ENDINGS)}"
    path.write_bytes(damaged(data, random) if random.random() < 0.67 else data)
    begun = time.process_time()
    try:
        pixels = load_photo(path, SMALL)
        fine = pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size
        wrong = "" if fine else f"pixels of shape {pixels.shape}"
    except UserError as refusal:
        wrong = "" if refusal.what.endswith(".") and refusal.remedy.endswith(".") else f"said: {refusal}"
    except Exception as fault:
        wrong = f"{type(fault).__name__}: {fault}"[:200]
    path.unlink()
    seconds = time.process_time() - begun
    slow = f"took {seconds:.1f} s" if seconds > SLOWEST else ""
    return " and ".join(filter(None, (wrong, slow))), seconds


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` tries; the memory they took is that of the process, which only grows."""
    attempted(seed, folder)  # what is loaded once is no growth
    before = _most_memory()
    tries = {number: attempted(number, folder) for number in range(seed, seed + count)}
    failures = [f"seed {number}: {wrong}" for number, (wrong, _) in tries.items() if wrong]
    grown, slowest = _most_memory() - before, max((seconds for _, seconds in tries.values()), default=0.0)
    if grown > GROWTH:
        failures.append(f"memory grew by {grown / 1e6:.0f} MB")
    return Outcome(count, tuple(failures), (("slowest_seconds", slowest), ("grown_megabytes", grown / 1e6)))


def _most_memory() -> float:
    """Bytes of memory that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


GATE = Gate("images", "Any picture is read or refused in two sentences, in bounded time and memory.", 10_000, run)

if __name__ == "__main__":
    main_of(GATE)
