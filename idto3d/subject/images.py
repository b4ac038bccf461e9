"""The one place where a photo file is opened; it treats every file as hostile."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from idto3d.config import SubjectOptions
from idto3d.errors import UserError, shown
from idto3d.subject.costs.descriptions import check_descriptions
from idto3d.subject.costs.passes import check_passes

LONG_SIDE = 2048  # at first sight; larger photos are scaled down after decoding
WHOLE = 16e6  # pixels of a photo that is looked at closely, whatever its shape
HEIC = "HEIC"
KINDS = {  # of files that are read, and how their names end
    **{"JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "WEBP": (".webp",), HEIC: (".heic", ".heif")},
    **{"AVIF": (".avif",), "BMP": (".bmp",), "TIFF": (".tif", ".tiff")},
}
ENDINGS = tuple(ending for endings in KINDS.values() for ending in endings)
FORMATS = tuple(kind for kind in KINDS if kind != HEIC)  # HEIF is opened apart
READABLE = f"{', '.join(list(KINDS)[:-1])} or {list(KINDS)[-1]}"
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
CONVERTIBLE = ("1", "P", "YCbCr", "RGBX")  # modes whose plain conversion to RGB loses nothing that matters


def load_photo(path: str | Path, options: SubjectOptions | None = None, whole: bool = False) -> np.ndarray:
    """The photo in file `path` as [H, W, 3] uint8 sRGB, upright, at most 2048 pixels on its long side.

    whole: at most 16 megapixels instead, so that small faces in large photos and panoramas keep their detail.
    The first frame of an animation; transparency on white; colour profiles are followed where they can be read.
    Raises UserError when the file is missing, too large, no photo, or damaged; nothing is decoded before the
    limits of `options` are checked.
    """
    options = options or SubjectOptions()
    path = Path(path)
    name = shown_name(path)
    data = _read_file(path, name, options.max_megabytes)
    return decoded(opened(data, name, options), name, options, whole=whole)


def load_drawing(path: str | Path, options: SubjectOptions | None = None, side: int = LONG_SIDE) -> np.ndarray:
    """The picture in file `path` as [H, W, 4] uint8, sRGB and how opaque it is, at most `side` pixels a side.

    Raises UserError as `load_photo`.
    """
    options, path = options or SubjectOptions(), Path(path)
    name = shown_name(path)
    image = opened(_read_file(path, name, options.max_megabytes), name, options)
    _check_cost(image, name, options)
    with _decoding(name):
        image = _upright(_shrunk(image, name, options, (side, side)))
        alpha = image.getchannel("A") if image.mode == "RGBA" else Image.new("L", image.size, 255)
        colour = Image.merge("RGB", image.split()[:3]) if image.mode == "RGBA" else image
        colour.info = dict(image.info)
        return np.dstack([np.array(_srgb(colour)), np.array(alpha)])


def decoded(
    image: Image.Image,
    name: str,
    options: SubjectOptions,
    upright: bool = True,
    whole: bool = False,
    on_white: bool = True,
) -> np.ndarray:
    """The pixels of an `image` whose header alone was read, as `load_photo` gives them; `name` is for messages.

    upright: turn it as its EXIF tag says; textures of meshes are not turned. on_white: what is transparent is laid on
    white; textures keep their colours below any alpha. Raises UserError as `load_photo`.
    """
    _check_cost(image, name, options)
    with _decoding(name):
        room = _room(image.size) if whole else (LONG_SIDE, LONG_SIDE)
        image = _shrunk(image, name, options, room, on_white)
        return np.array(_srgb(_opaque(_upright(image) if upright else image)))


def _check_cost(image: Image.Image, name: str, options: SubjectOptions) -> None:
    """Raise UserError for an `image`, its header alone read, that is too large to be decoded."""
    _check_size(image, name, options)
    with _decoding(name):
        check_passes(image, name)


def _shrunk(
    image: Image.Image, name: str, options: SubjectOptions, room: tuple[int, int], transparent: bool = True
) -> Image.Image:
    """The decoded `image` of eight bits, made to fit into `room`; without its alpha unless it may be `transparent`."""
    image.draft(None, room)  # JPEG: decode at a smaller scale; others: nothing
    image.load()
    _check_size(image, name, options)  # HEIF may learn its true size only now
    image = _eight_bit(image, name)
    if image.mode == "RGBA" and not transparent:
        image = image.convert("RGB")
    image.thumbnail(room, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return image


def _room(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of an image of `size` when it is made to have at most WHOLE pixels."""
    scale = min(1.0, (WHOLE / max(size[0] * size[1], 1)) ** 0.5)
    return max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)


def shown_name(path: str | Path) -> str:
    """The file name of `path` made safe for a message: printable, at most 60 characters."""
    path = Path(path)
    return shown(path.name or path)


def _read_file(path: Path, name: str, max_megabytes: float) -> bytes:
    """The bytes of an ordinary file of at most `max_megabytes`."""
    limit = int(max_megabytes * 1e6)
    try:
        if path.is_dir():
            raise UserError(f"'{name}' is a folder, not a photo.", "Name the photos in it one by one.")
        if not path.exists():
            raise UserError(f"There is no file '{name}'.", "Check the path and the spelling.")
        if not path.is_file():
            raise UserError(f"'{name}' is not an ordinary file.", "Give the path of a photo file.")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as fault:
        raise UserError(
            f"'{name}' cannot be read.", "Check that the file is there and that you may open it."
        ) from fault
    if not data:
        raise UserError(f"'{name}' is empty.", "Copy or download the photo again.")
    if len(data) > limit:
        raise UserError(
            f"'{name}' is larger than the limit of {max_megabytes:g} MB.",
            f"Save it as a JPEG of about {LONG_SIDE} pixels, or raise subject.max_megabytes.",
        )
    return data


def opened(data: bytes, name: str, options: SubjectOptions) -> Image.Image:
    """The picture in the bytes of a file: its header is read, its pixels are not. Raises UserError as `load_photo`."""
    check_descriptions(data, name)
    if _is_heif(data):
        return _open_heif(data, name)
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as fault:
        raise UserError(f"'{name}' is not a photo that can be read.", f"Use a {READABLE} file.") from fault
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise _too_many_pixels(name, "too many", options) from fault
    except Exception as fault:  # Pillow's readers raise many kinds for a broken header
        raise _damaged(name) from fault


def _is_heif(data: bytes) -> bool:
    """Whether the file-type box of `data` names HEIF and not AVIF, which Pillow reads itself."""
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[i : i + 4] for i in range(16, end, 4))}
    return bool(brands & HEIF_BRANDS) and not brands & AVIF_BRANDS


def _open_heif(data: bytes, name: str) -> Image.Image:
    """Open HEIF without registering a reader with Pillow for the whole process."""
    try:
        from pillow_heif import HeifImageFile
    except ImportError as fault:
        raise UserError(
            f"'{name}' is a HEIC photo and this installation cannot read those.",
            "Run: pip install pillow-heif, or save the photo as JPEG.",
        ) from fault
    with _decoding(name):
        return HeifImageFile(io.BytesIO(data))


def _check_size(image: Image.Image, name: str, options: SubjectOptions) -> None:
    megapixels = image.width * image.height / 1e6
    if megapixels > options.max_megapixels:
        raise _too_many_pixels(name, f"{megapixels:.0f}", options)


def _eight_bit(image: Image.Image, name: str) -> Image.Image:
    """`image` in mode L, RGB, CMYK or RGBA; 16 bits are scaled to 8. Raises UserError for exotic pixels."""
    if image.mode.startswith("I;16"):
        wide = np.asarray(image).astype(np.uint32)
        plain = Image.fromarray(((wide + 128) // 257).astype(np.uint8))
        plain.info = dict(image.info)
        return plain
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    if image.mode in CONVERTIBLE:
        return image.convert("RGB")
    raise UserError(f"'{name}' stores its colours in a way that is not read ({image.mode}).", "Save it as a JPEG.")


def _upright(image: Image.Image) -> Image.Image:
    """`image` turned as its EXIF tag says."""
    image.info.pop("Raw profile type exif", None)  # EXIF in a PNG's packed text, whose cost nobody has checked
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # phones write broken EXIF blocks; the pixels are good, so they are kept as stored
        return image


def _opaque(image: Image.Image) -> Image.Image:
    """`image` composited on white where it has transparency."""
    if image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    flat.info = dict(image.info)
    return flat


def _srgb(image: Image.Image) -> Image.Image:
    """`image` in sRGB: through its ICC profile where that is valid and fits, else as if it were sRGB."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError, ImportError):
            pass  # a broken or foreign profile: most such photos are sRGB in truth
    return image.convert("RGB")


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises on a broken file into one sentence."""
    try:
        yield
    except UserError:
        raise
    except Exception as fault:  # decoders raise many kinds for hostile input: OSError, SyntaxError, struct.error ...
        raise _damaged(name) from fault


def _damaged(name: str) -> UserError:
    return UserError(f"'{name}' is damaged or cut short.", "Copy it again, or save it anew as JPEG.")


def _too_many_pixels(name: str, count: str, options: SubjectOptions) -> UserError:
    return UserError(
        f"'{name}' has {count} megapixels; at most {options.max_megapixels:g} are decoded.",
        f"Save it smaller ({LONG_SIDE} pixels on the long side are plenty), or raise subject.max_megapixels.",
    )
