"""Names of people as names of folders that every system takes."""

import hashlib
import re
import unicodedata

MOST_BYTES = 120
OTHERS = " -_."
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # Windows opens devices by these names
OURS = ("results.csv", "heads.png")


def folder_name(name: str) -> str:
    """A folder's name for a person's: the same where that can be, otherwise what is left of it and a digest.

    It depends on `name` alone, so that a longer table finds the folders of a shorter one again.
    """
    whole = unicodedata.normalize("NFC", name)
    plain = "".join(letter if _allowed(letter) else "_" for letter in whole).strip(" .")
    plain = plain.encode()[:MOST_BYTES].decode(errors="ignore").strip(" .")
    if plain == whole and not RESERVED.fullmatch(plain) and plain.casefold() not in OURS:
        return plain
    digest = hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{plain or 'person'}_{digest}"


def _allowed(letter: str) -> bool:
    return letter.isalnum() or letter in OTHERS or unicodedata.category(letter).startswith("M")
