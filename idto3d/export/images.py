"""Pictures as files, each marked as made by a machine."""

import io
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from idto3d.files import write_atomic

QUALITIES = (92, 88, 84, 80, 75)  # of JPEG
HEADER = 4096  # bytes of a JPEG that do not grow with it
# https://cv.iptc.org/newscodes/digitalsourcetype: "created using generative AI"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>'
)


def png_bytes(image: np.ndarray, notes: Mapping[str, str] | None = None) -> bytes:
    """`image` uint8 [H, W], [H, W, 3] or [H, W, 4] as a PNG whose text chunks and XMP say that it is AI generated.

    They say `notes` as well. Run lengths alone are packed: on grainy textures that takes a tenth of the time of the
    search for repeats, and comes out no larger.
    """
    info = PngInfo()
    for key, text in {"ai_generated": "true", **(notes or {})}.items():
        info.add_itxt(key, text)
    info.add_itxt("XML:com.adobe.xmp", XMP)
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", pnginfo=info, compress_level=1, compress_type=zlib.Z_RLE)
    return stream.getvalue()


def six_bits(image: np.ndarray) -> np.ndarray:
    """`image` uint8 [H, W, 4] with 64 tones a colour and its alpha as it is, which packs a third smaller.

    Among strands of hair nobody sees the steps.
    """
    tones = image[..., :3] & 0xFC
    return np.concatenate([tones | tones >> 6, image[..., 3:]], -1)


def jpeg_bytes(image: np.ndarray, quality: int = 92) -> bytes:
    """`image` uint8 [H, W, 3] as a JPEG with full colour resolution, marked as AI generated."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality, subsampling=0, xmp=XMP.encode())
    return stream.getvalue()


def small_jpeg(image: np.ndarray, share: float) -> bytes:
    """`image` as by `jpeg_bytes`, at the best of QUALITIES at which it takes `share` of a byte a pixel at most.

    The last of them where none is small enough.
    """
    content, most = b"", share * image.shape[0] * image.shape[1]
    for quality in QUALITIES:
        content = jpeg_bytes(image, quality)
        if len(content) <= most + HEADER:
            break
    return content


def write_png(path: Path, image: np.ndarray, notes: Mapping[str, str] | None = None) -> Path:
    """Write `image` uint8 [H, W, 3] to `path` as a marked PNG, whole or not at all."""
    return write_atomic(path, png_bytes(image, notes))


def read_image(content: bytes, alpha: bool = False) -> np.ndarray:
    """The uint8 picture [H, W, 3], or [H, W, 4] with its alpha, in the bytes of a PNG or JPEG file."""
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
        return np.asarray(image.convert("RGBA" if alpha else "RGB"))
