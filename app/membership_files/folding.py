"""Forms in which what people write differently is equal: accents, case, dashes, abbreviations."""

import re
import unicodedata
from functools import lru_cache

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OTHER = re.compile(r"[^0-9a-z]+")
_WORD = re.compile(r"\w+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ß": "ss", "ł": "l"})


_SHORT = 300


def folded(text: str) -> str:
    """Words without accents, case and punctuation, parted by single spaces.

    Combining marks vanish within words, so that é is e, whichever way it was composed.
    """
    # What is short comes again and again; what is long is not worth its place.
    return _folded(text) if len(text) <= _SHORT else _fold(text[:1000])


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    if not plain.isascii():
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _OTHER.sub(" ", plain.replace("&", " and ")).strip()


_folded = lru_cache(maxsize=20_000)(_fold)


def heading_key(heading: str) -> str:
    """A heading as it is looked up: FirstName, first_name and 'First name:' are one."""
    return folded(_CAMEL.sub(" ", heading))


def name_key(name: str) -> str:
    """A person's name as it is compared: words in any order, letters of any script."""
    plain = name.casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain.translate(_LIGATURES))
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(sorted(_WORD.findall(plain)))
