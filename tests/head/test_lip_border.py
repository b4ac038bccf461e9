"""The red of lips ends along their line, not from vertex to vertex."""

import numpy as np
import pytest

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.head.features.face_masks import skin_masks
from idto3d.head.paint.usual_skin import lip_share
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET
from idto3d.head.template_file import load_template


@pytest.fixture(scope="module")
def mean():
    template = load_template(EMBEDDED / TEMPLATE_FILE, "cpu")
    return template.neutral[template.part("skin").vertices].double().numpy()


def test_lips_are_red_inside_half_on_their_line_and_not_beyond(mean):
    share, inside = lip_share(mean), skin_masks(mean)["lips"] > 0
    assert 0.35 < share[list(LANDMARKS[48:60])].mean() < 0.65
    middle = list(LANDMARKS[61:64])
    assert (share[middle] > 0.9).all() and not share[LANDMARKS[33]] and not share[LANDMARKS[8]]
    assert not share[MOUTH_SOCKET.start :].any()
    beside = (share > 0.1) & (share < 0.9)
    assert beside[~inside].sum() > 20 and beside[inside].sum() > 20  # the border lies between vertices on both sides
    assert np.abs(share - inside).max() <= 0.51
