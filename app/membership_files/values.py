"""Single values as files have them, in the product's terms; what cannot be read says why."""

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Annotated, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.membership_files.days import NotRead
from app.membership_files.folding import folded
from app.schemas.base import Email, line, prose

_LINE = TypeAdapter(Annotated[str, *line(1, 200)])
_PROSE = TypeAdapter(Annotated[str, *prose(1, 2000)])
_EMAIL = TypeAdapter(Email)
# What is surely as the schemas want it, without asking further.
_PLAIN = re.compile(r"[!-~]+( [!-~]+)*", re.ASCII)
_LOCAL = re.compile(r"[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*", re.ASCII)
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_CACHED = 200
_T = TypeVar("_T")

_CODES = {
    "text_too_short": "required",
    "text_too_long": "text_too_long",
    "text_control_characters": "text_control_characters",
    "text_not_unicode": "text_not_unicode",
    "email_invalid": "email_invalid",
}
_NO_NAME = re.compile(
    r"^[=+@\-]|@|://|\bwww\.|^\d|\d{4}|[<>{}\[\]|\\]|\b(suite|unit|p\.?o\.? box|case postale)\s+\d",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")

_YES = {"yes", "y", "true", "1", "x", "oui", "o", "vrai", "on", "member", "membre"}
_NO = {"no", "n", "false", "0", "non", "faux", "off"}
_MEMBER = {
    "active", "actif", "active member", "actifs", "member", "membre", "current", "en regle", "new",
    "good standing", "in good standing", "paid", "renewed", "grace", "grace period", "en vigueur",
    "pending renewal", "renewal overdue", "ok", "nouveau", "nouvelle", "membre actif", "a jour",
    "membre active", "running", "accepted", "acceptee", "accepte",
}  # fmt: skip
_FORMER = {
    "lapsed", "expired", "suspended", "archived", "cancelled", "canceled", "inactive", "ended",
    "terminated", "resigned", "deceased", "former", "former member", "withdrawn", "dropped", "left",
    "deleted", "blocked", "removed", "not a member", "non member", "echu", "echue", "expire",
    "expiree", "suspendu", "suspendue", "archive", "archivee", "annule", "annulee", "inactif",
    "termine", "terminee", "demissionnaire", "demissionne", "decede", "decedee", "ancien membre",
    "ancienne membre", "retire", "retiree", "supprime", "supprimee", "radie", "radiee", "perime",
}  # fmt: skip
_CATEGORIES = {
    "practitioner": "practitioner|practicing|professional|praticien|praticienne|professionnel"
    "|professionnelle",
    "academic": "academic|academia|researcher|universitaire|chercheur|chercheuse",
    "lived_experience": "lived experience|person with lived experience|peer|experience vecue"
    "|personne ayant une experience vecue|vecu experientiel",
    "observer": "observer|observateur|observatrice",
    "staff": "staff|employee|personnel|employe|employee",
}
_CATEGORY = {word: code for code, words in _CATEGORIES.items() for word in words.split("|")}
_LANGUAGES = {
    **dict.fromkeys(("en", "eng", "english", "anglais", "anglaise", "e", "en ca", "en us"), "en"),
    **dict.fromkeys(
        ("fr", "fra", "fre", "french", "francais", "francaise", "f", "fr ca", "fr fr"), "fr"
    ),
}


def _checked(adapter: TypeAdapter[Any], text: str) -> str:
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        found = error.errors()[0]
        facts = {k: v for k, v in found.get("ctx", {}).items() if k == "maximum"}
        code = _CODES[found["type"]]
        raise NotRead(code, **facts) from None


def remembered(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """The same, faster for short texts that come again: most columns have few different values."""
    again = lru_cache(maxsize=20_000)(parse)

    @wraps(parse)
    def parsed(text: str) -> _T:
        return again(text) if len(text) <= _CACHED else parse(text)

    return parsed


@remembered
def one_line(text: str) -> str:
    """Text on one line, as the schemas take it; lines in a cell are joined. Raises NotRead."""
    return _checked(_LINE, re.sub(r"[\r\n\t]+", " ", text.strip()))


@remembered
def paragraph(text: str) -> str:
    """Text of several lines, as the schemas take it. Raises NotRead."""
    return _checked(_PROSE, text)


@remembered
def name(text: str) -> str:
    """A person's name. Raises NotRead: name_not_a_name for a number, an address, a formula."""
    said = one_line(text)
    if _NO_NAME.search(said) or not _LETTER.search(said):
        raise NotRead("name_not_a_name")
    return said


def code(text: str) -> str:
    """A number or a word by which somebody is known elsewhere: no two rows have the same."""
    return text if len(text) <= _CACHED and _PLAIN.fullmatch(text) else one_line(text)


def email(text: str) -> str:
    """An address as the schemas take it. Raises NotRead.

    A usual local part needs no look of its own, so a domain is looked at once and not each time.
    """
    local, _, domain = text.strip().rpartition("@")
    if len(local) > 64 or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return _checked(_EMAIL, text)
    whole = f"{local}@{_domain(domain)}"
    return whole if len(whole) <= 254 else _checked(_EMAIL, text)


@lru_cache(maxsize=10_000)
def _domain(domain: str) -> str:
    return _checked(_EMAIL, f"a@{domain}").removeprefix("a@")


@remembered
def yes_or_no(text: str) -> bool:
    """Yes, no, oui, non, x, 1. Raises NotRead: yes_no_invalid."""
    key = folded(text)
    if key in _YES or text.strip() in ("✓", "✔", "☑"):
        return True
    if key in _NO or not key:
        return False
    raise NotRead("yes_no_invalid")


@remembered
def is_former(text: str) -> bool:
    """Whether a status says: not a member any more. Raises NotRead for one that is not known, and
    for one that says: not a member yet.
    """
    key = folded(text)
    if key in _FORMER:
        return True
    if key in _MEMBER:
        return False
    if key.startswith(("pending", "en attente")):
        raise NotRead("status_not_yet")
    raise NotRead("status_unknown")


@remembered
def category(text: str) -> str:
    """A category of membership. Raises NotRead: category_unknown."""
    key = folded(text)
    if key not in _CATEGORY:
        raise NotRead("category_unknown")
    return _CATEGORY[key]


@remembered
def language(text: str) -> str:
    """en or fr. Raises NotRead: language_unknown."""
    key = folded(text)
    if key not in _LANGUAGES:
        raise NotRead("language_unknown")
    return _LANGUAGES[key]
