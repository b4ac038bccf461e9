"""The prompts of `evaluate text`: people described, not named, and what each of them names."""

from dataclasses import dataclass

from idto3d.words.faces.heard import heard_tokens
from idto3d.words.faces.table import FACES, WHO


@dataclass(frozen=True)
class Asked:
    """A prompt, and what it names of a shape, by words of the words room; hair and colours are nobody's shape."""

    prompt: str

    @property
    def face(self) -> tuple[str, ...]:
        """Ways a face can be."""
        return tuple(token for token in heard_tokens(self.prompt) if token in FACES)

    @property
    def who(self) -> tuple[str, ...]:
        """Age, gender and ancestry."""
        return tuple(token for token in heard_tokens(self.prompt) if token in WHO)


TWELVE = (
    Asked("a young african woman with full lips, high cheekbones and an afro"),
    Asked("an old man with a big nose, a heavy brow and a grey beard"),
    Asked("a chubby baby with a round face"),
    Asked("a middle-aged asian man with glasses and a wide nose"),
    Asked("a gaunt old woman with thin lips, sunken eyes and long white hair"),
    Asked("a young caucasian man with a strong jaw, a strong chin and a stubble"),
    Asked("an asian girl with a small nose and a ponytail"),
    Asked("a young woman with red lipstick, big eyes and blonde hair in a bun"),
    Asked("a chubby middle-aged man with small eyes, large ears and a bald head"),
    Asked("an african boy with a narrow jaw and curly black hair"),
    Asked("an elf woman with a narrow nose, pointed chin and long silver hair"),
    Asked("a zombie man with sunken eyes and a gaunt face"),
)
HEADS = (  # of `evaluate text --heads`: all that words say, not shape alone
    "a young woman with long red hair and freckles",
    "an old asian man with a white goatee and glasses",
    "a middle-aged african woman with an afro and red lipstick",
    "a chubby baby with blue eyes",
    "a gaunt old man, bald, with a grey beard",
    "a teenage boy with short curly blonde hair",
    "a heavyset bearded man with a ponytail",
    "a little girl with a ponytail and green eyes",
    "a caucasian woman in her forties with a blonde bob, glasses and blue eyeshadow",
    "a muscular man with dark skin, a buzzcut, a square jaw and stubble",
    "an elf with pointed ears and long silver hair",
    "a zombie with grey-green skin, sunken eyes and hollow cheeks",
)
