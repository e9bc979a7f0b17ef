"""Every sentence that the software itself says, in English and in French.

`text("problems", "not_found.title", "fr")` looks it up; the files are texts/<language>/<group>.toml
and a test keeps both languages complete. What the association says of itself is data, not text.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("en", "fr")
FOLDER = Path(__file__).parent / "texts"


@lru_cache
def group(name: str, language: str) -> dict[str, str]:
    """All texts of one group in one language, by flat dotted key."""
    found: dict[str, str] = {}

    def walk(node: dict[str, object], prefix: str) -> None:
        for key, value in node.items():
            if isinstance(value, dict):
                walk(value, f"{prefix}{key}.")
            else:
                found[f"{prefix}{key}"] = str(value)

    walk(tomllib.loads((FOLDER / language / f"{name}.toml").read_text("utf-8")), "")
    return found


def text(name: str, key: str, language: str, **facts: object) -> str:
    """One text with its facts filled in. Raises KeyError for a text that does not exist."""
    return group(name, language)[key].format(**facts) if facts else group(name, language)[key]


def one_line(localized: Mapping[str, str], language: str) -> str:
    """An association's text in one language, on one line, as subjects of mails need it."""
    return " ".join(str(localized.get(language) or localized["en"]).split())


@lru_cache(maxsize=512)
def preferred(accept_language: str | None) -> str:
    """The language, of those there are, that an Accept-Language header likes best."""
    best, best_quality = LANGUAGES[0], 0.0
    for part in (accept_language or "")[:1000].split(","):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        try:
            quality = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and best_quality < quality <= 1:
            best, best_quality = language, quality
    return best
