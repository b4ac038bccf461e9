"""Where a photo shows no skin within a face: between the lids and between the lips."""

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter
from skimage.draw import polygon2mask

# The contours of the landmark mesh, in order, by MediaPipe's numbers: both eyes and the inner lips.
EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
FINE = 4  # pixels of the mask to one of the photo
LASHES, RIM = 0.07, 0.02  # how far beyond the eyes and the lips nothing is trusted, in widths of an eye
MARGIN = 3  # pixels of the photo around the face


def openings(landmarks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """[H, W] float32 0..1, how far a photo of that shape shows eyes or the inside of the mouth; landmarks [478, 2]."""
    whole = np.zeros(shape[:2], np.float32)
    marks = landmarks[[*EYES[0], *EYES[1], *LIPS]]
    low = np.maximum(np.floor(marks.min(0)).astype(int) - MARGIN, 0)
    high = np.minimum(np.ceil(marks.max(0)).astype(int) + MARGIN, [shape[1], shape[0]])
    if (high <= low).any():
        return whole
    width = np.linalg.norm(landmarks[33] - landmarks[133])
    size = tuple(((high - low) * FINE)[::-1])
    fine = np.zeros(size, bool)
    for contour, beyond in ((EYES[0], LASHES), (EYES[1], LASHES), (LIPS, RIM)):
        inside = polygon2mask(size, ((landmarks[list(contour)] - low) * FINE)[:, ::-1])
        reach = max(1, round(beyond * width * FINE))
        fine |= binary_dilation(inside, iterations=reach)
    soft = gaussian_filter(fine.astype(np.float32), FINE / 2)
    rows, columns = (high - low)[::-1]
    whole[low[1] : high[1], low[0] : high[0]] = soft.reshape(rows, FINE, columns, FINE).mean((1, 3))
    return whole
