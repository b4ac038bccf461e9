"""How the head of words alone is chosen among many."""

from dataclasses import dataclass

from idto3d.config.declared import option


@dataclass(frozen=True)
class ChoiceOptions:
    """A head of words is the best of many candidates, by an image-text scorer; photos leave nothing to choose."""

    candidates: int = option(
        20000, "heads that are drawn and scored; 0: the shape that words let expect", least=0, most=1_000_000
    )
    scorer: str = option("auto", "auto: that of the weights; else a CLIP model, as a folder or ORG/REPO[@REV]")
    direct: float = option(0.8, "weight of how well a head matches the words", least=0)
    relative: float = option(
        0.2, "weight of how well what sets it apart from the mean head matches what the words add", least=0
    )
    spread: float = option(0.85, "how far candidates differ from what words let expect, standard deviations", least=0)
    chosen: tuple[float, ...] = option(
        (), "template coefficients of a candidate that was chosen; empty: the best", like=(0.5, -0.25)
    )
