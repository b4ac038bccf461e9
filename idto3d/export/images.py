"""Pictures as files, each marked as made by a machine."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from idto3d.files import write_atomic

# https://cv.iptc.org/newscodes/digitalsourcetype: "created using generative AI"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>'
)


def png_bytes(image: np.ndarray, notes: Mapping[str, str] | None = None) -> bytes:
    """`image` uint8 [H, W, 3] as a PNG that says in text chunks (and XMP) that it is AI generated, plus `notes`."""
    info = PngInfo()
    for key, text in {"ai_generated": "true", **(notes or {})}.items():
        info.add_itxt(key, text)
    info.add_itxt("XML:com.adobe.xmp", XMP)
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def jpeg_bytes(image: np.ndarray, quality: int = 92) -> bytes:
    """`image` uint8 [H, W, 3] as a JPEG with full colour resolution, marked as AI generated."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality, subsampling=0, xmp=XMP.encode())
    return stream.getvalue()


def write_png(path: Path, image: np.ndarray, notes: Mapping[str, str] | None = None) -> Path:
    """Write `image` uint8 [H, W, 3] to `path` as a marked PNG, whole or not at all."""
    return write_atomic(path, png_bytes(image, notes))


def read_image(content: bytes) -> np.ndarray:
    """The uint8 [H, W, 3] picture in the bytes of a PNG or JPEG file."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))
