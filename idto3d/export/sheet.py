"""A picture of all expressions side by side."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def contact_sheet(images: list[np.ndarray], labels: list[str], columns: int | None = None) -> np.ndarray:
    """Images of one size (uint8 [H, W, 3] each) in a grid, each over its label -> uint8 [H', W', 3], white ground."""
    columns = columns or int(np.ceil(np.sqrt(len(images))))
    height, width = images[0].shape[:2]
    strip = max(14, height // 12)
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * width, rows * (height + strip)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=int(strip * 0.7))
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        left, top = number % columns * width, number // columns * (height + strip)
        sheet.paste(Image.fromarray(image), (left, top))
        pen.text((left + width / 2, top + height + strip / 2), label, fill="black", font=font, anchor="mm")
    return np.asarray(sheet)
