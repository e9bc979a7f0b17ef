"""Forms in which what people write differently is equal: accents, case, dashes, abbreviations."""

import re
import unicodedata
from functools import lru_cache

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OTHER = re.compile(r"[^0-9a-z]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ß": "ss", "ł": "l"})


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return _OTHER.sub(" ", plain.replace("&", " and ")).strip()


def folded(text: str) -> str:
    """Words without accents, case and punctuation, parted by single spaces.

    Combining marks vanish within words, so that é is e, whichever way it was composed.
    """
    bare = "".join(
        character
        for character in unicodedata.normalize("NFD", text[:1000])
        if not unicodedata.combining(character)
    )
    return _folded(bare)


def heading_key(heading: str) -> str:
    """A heading as it is looked up: FirstName, first_name and 'First name:' are one."""
    return folded(_CAMEL.sub(" ", heading))


def name_key(name: str) -> str:
    """A person's name as it is compared: words in any order, letters of any script."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LIGATURES))
    words = re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c)))
    return " ".join(sorted(words))
