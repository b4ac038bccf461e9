"""A head before and after an edit."""

from dataclasses import dataclass

from idto3d.training.measure.heads.finished import Layout, OneHead


@dataclass(frozen=True, eq=False)
class Pair:
    """The same head before and after."""

    before: OneHead
    after: OneHead
    layout: Layout
