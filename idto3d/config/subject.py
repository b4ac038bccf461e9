"""How photos are read."""

from dataclasses import dataclass

from idto3d.config.declared import option

AUTO = "auto"
CHOICES = (AUTO, "dlib", "portrait", "insightface")  # of an identity encoder
FREE = ("dlib", "portrait")  # those whose models anybody may use for anything and that come along


@dataclass(frozen=True)
class SubjectOptions:
    """How photos become an identity."""

    encoder: str = option(AUTO, "identity encoder; auto: that of the weights", choices=CHOICES)
    max_photos: int = option(20, "most photos of one person", least=1)
    max_megapixels: float = option(50.0, "largest photo that is decoded, megapixels", least=0.1)
    max_megabytes: float = option(30.0, "largest photo file, megabytes", least=0.1)
    min_face_pixels: int = option(48, "smallest face side that is used, pixels", least=1)
    traits: bool = option(True, "let photos say hair, beard and skin tone where the prompt does not")
    hair_style: str = option("", "a word that counts in place of what photos or prompt say of it; empty: as they do")
    hair_colour: str = option("", "likewise")
    beard: str = option("", "likewise")
    skin: str = option("", "likewise")
    keep: bool = option(True, "keep the face embedding in the finished head, so that edits know the face")
    disagreement: float = option(
        0.6, "median embedding distance from the other photos beyond which a photo is doubted", least=0
    )
