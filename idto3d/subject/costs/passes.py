"""What drawing a picture's pixels may cost beyond their number: some files draw them many times over."""

from PIL import Image

from idto3d.errors import UserError

MOST_PASSES = 100  # over the pixels of a progressive JPEG; cameras and programs make about ten
MOST_WORK = 2000.0  # passes times megapixels, each of which takes some 3 ms
MOST_COPIES = 4  # times the file's own size that the parts of a TIFF may have together
START = b"\xff\xda"  # of each pass of a JPEG; coded pixels never hold it
PARTS = ((273, 279), (324, 325))  # tags that list where strips or tiles lie and how long they are
JPEG_TIFF = ("jpeg", "tiff_jpeg")


def check_passes(image: Image.Image, name: str) -> None:
    """Raise UserError for an `image`, its header alone read, that draws its pixels often enough to take minutes."""
    data = _content(image)
    passes = _tiff_passes(image, data, name) if image.format == "TIFF" else float(data.count(START))
    if passes > MOST_PASSES or passes * image.width * image.height / 1e6 > MOST_WORK:
        raise UserError(f"'{name}' draws its pixels {passes:.0f} times over.", "Save it anew as an ordinary JPEG.")


def _content(image: Image.Image) -> bytes:
    """The whole file of a JPEG or TIFF; of others, and of what is decoded already, nothing."""
    file = getattr(image, "fp", None)
    if file is None or image.format not in ("JPEG", "MPO", "TIFF"):
        return b""
    place = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(place)
    return data


def _tiff_passes(image: Image.Image, data: bytes, name: str) -> float:
    """The most passes that a part of a TIFF takes. Raises UserError where its parts are the same bytes many times."""
    parts = [part for tags in PARTS for part in zip(*(image.tag_v2.get(tag, ()) for tag in tags), strict=False)]
    if sum(length for _, length in parts) > MOST_COPIES * len(data):
        raise UserError(f"'{name}' shows the same pixels many times over.", "Save it anew as an ordinary JPEG.")
    if image.info.get("compression") not in JPEG_TIFF:
        return 1.0
    passes = [data.count(START, place, place + length) for place, length in set(parts)]
    return float(max(passes, default=data.count(START)))
