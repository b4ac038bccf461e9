"""Draws the example that the empty page shows, of a finished head: `python -m idto3d.ui.cards.make_example HEAD`.

The head there is now was made and changed by

    python -m idto3d generate --prompt "a young woman with freckles and long wavy auburn hair" --seed 3 --preset draft \
        --out HEAD
    python -m idto3d edit HEAD --prompt "bob hair"
"""

import sys
from pathlib import Path

from PIL import Image

from idto3d.config import RenderOptions
from idto3d.pipeline import render_view
from idto3d.ui.cards.pictures import EXAMPLE, SIDE
from idto3d.ui.heads.thumbs import cut_out

VIEW = RenderOptions(size=SIDE, azimuth_deg=-18.0, expressions=(("smile", 0.5),))
QUALITY = 82


def draw(head: Path) -> None:
    """Write EXAMPLE, a head on clear ground. Raises UserError where `head` is no folder of a finished one."""
    Image.fromarray(cut_out(render_view(head, VIEW))).save(EXAMPLE, "WEBP", quality=QUALITY, method=6)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
