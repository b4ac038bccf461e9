"""What is drawn on a skin, a visitor's sketch or a pattern of ours: its colours, and how far it hides the skin."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from idto3d.head.paint.bytes import linear_of

SEEN = 1 / 512  # of a texel that is hidden, below which it stays


@dataclass(frozen=True, eq=False)
class Drawing:
    """colour [N, 3] float32 sRGB 0..1 at the texels of the skin, and share [N] 0..1 of each that it hides.

    made_of: what it is when it is laid on, see inks.INKS; "" for its colours alone. missed: shares of what was drawn
    that lie where nothing can be drawn, by what is there.
    """

    colour: np.ndarray
    share: np.ndarray
    made_of: str = ""
    missed: Mapping[str, float] = field(default_factory=dict)

    @property
    def linear(self) -> np.ndarray:
        """[N, 3] its colours, linear."""
        return linear_of(np.round(255 * self.colour).astype(np.uint8))

    @property
    def there(self) -> np.ndarray:
        """[N] bool the texels on which something of it lies."""
        return self.share > SEEN
