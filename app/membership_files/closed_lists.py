"""What the association has: communities, occupations, territories; found by what people write."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from app.membership_files.days import NotRead
from app.membership_files.folding import folded

_FEW = 5
_LONGEST_NAME = 400
_NOISE = re.compile(
    r"\b(cps?|communities of practice|community of practice|communautes? de pratique)\b"
)
_SMALL_WORDS = {"of", "for", "and", "the", "de", "du", "des", "la", "le", "les", "pour", "et", "d"}
_ASIDE = re.compile(r"\([^()]*\)")
_SHORTEST_PART = 3


@dataclass(frozen=True, slots=True)
class KnownCommunity:
    """A community as it may be named: its slug, and its name in either language."""

    slug: str
    name_en: str
    name_fr: str


@dataclass(frozen=True, slots=True)
class KnownCode:
    """An entry of a closed list: its code, what it is called in either language, and what else
    people write for it, which is the association's data too."""

    code: str
    label_en: str
    label_fr: str
    also_called: tuple[str, ...] = ()


class Communities:
    """The communities that a file may name."""

    def __init__(self, known: Iterable[KnownCommunity]) -> None:
        known = list(known)
        self._slugs = {community.slug: index for index, community in enumerate(known)}
        self._whole: dict[str, set[str]] = {}
        self._initials: dict[str, set[str]] = {}
        self._words: list[tuple[str, list[str]]] = []
        for community in known:
            for said in (community.slug, community.name_en, community.name_fr):
                self._learn(community.slug, said)
        self._find_again = lru_cache(maxsize=10_000)(self._find)
        self._part_again = lru_cache(maxsize=10_000)(self._part)

    def _learn(self, slug: str, said: str) -> None:
        words = _bare(_ASIDE.sub(" ", said)).split()
        for key in (folded(said), _bare(said), " ".join(words)):
            self._whole.setdefault(key, set()).add(slug)
        initials = "".join(word[0] for word in words if word not in _SMALL_WORDS)
        self._initials.setdefault(initials, set()).add(slug)
        self._words.append((slug, words))

    def _find(self, said: str) -> str:
        if self.has(said):
            return said
        bare = _bare(said)
        for key in (folded(said), bare):
            if key and len(self._whole.get(key, ())) == 1:
                return next(iter(self._whole[key]))
        if not bare:
            raise NotRead("community_unknown")
        initials = self._initials.get(bare, set()) if len(bare) > 1 else set()
        like = self._like(bare.split())
        candidates = sorted(self._whole.get(bare, set()) | initials | {slug for slug, _ in like})
        if len(candidates) == 1 and (initials or any(begins for _, begins in like)):
            return candidates[0]
        if candidates:
            raise NotRead("community_ambiguous", candidates=", ".join(candidates[:_FEW]))
        raise NotRead("community_unknown")

    def has(self, slug: str) -> bool:
        """Whether there is a community of this slug."""
        return slug in self._slugs

    def _like(self, asked: list[str]) -> list[tuple[str, bool]]:
        """The communities in whose names the words stand in this order, each begun at least; and
        whether the name begins with them.
        """
        if any(len(word) < _SHORTEST_PART for word in asked):
            return []
        return [
            (slug, words[0].startswith(asked[0]))
            for slug, words in self._words
            if _in_order(asked, words)
        ]

    def find(self, said: str) -> str:
        """The slug of the one community that is meant, by slug, name, or an abbreviation that is of
        no other. Raises NotRead: community_unknown, community_ambiguous with the candidates.
        """
        return self._find_again(said.strip()[:_LONGEST_NAME])

    def index(self, slug: str) -> int:
        """The place of a community among them, from 0."""
        return self._slugs[slug]

    def named(self, heading: str) -> str | None:
        """The slug of the community whose slug or full name a heading is."""
        found = self._whole.get(folded(heading)) or self._whole.get(_bare(heading)) or set()
        return next(iter(found)) if len(found) == 1 else None

    def in_cell(self, said: str, separator: str | None) -> Sequence[str]:
        """The communities that a cell names, as they are written there.

        The whole cell may be one name that has the separator in it; so may neighbouring parts.
        """
        again = len(said) <= _LONGEST_NAME
        return self._part_again(said, separator) if again else self._part(said, separator)

    def _part(self, said: str, separator: str | None) -> Sequence[str]:
        if not separator or self.named(said):
            return [said.strip()] if said.strip() else []
        parts = re.split(f"([{re.escape(separator)}\n])", said)
        names: list[str] = []
        place = 0
        while place < len(parts):
            length = self._longest(parts, place)
            if name := "".join(parts[place : place + length]).strip():
                names.append(name)
            place += length + 1
        return names

    def _longest(self, parts: list[str], place: int) -> int:
        """How many parts from here are one known name; one if none is."""
        for length in range(min(7, len(parts) - place), 1, -1):
            if length % 2 and self.named("".join(parts[place : place + length])):
                return length
        return 1


def _bare(said: str) -> str:
    """A name without 'community of practice', by whatever letters."""
    return " ".join(_NOISE.sub(" ", folded(said)).split())


def _in_order(asked: list[str], words: list[str]) -> bool:
    remaining = iter(words)
    return bool(asked) and all(any(word.startswith(one) for word in remaining) for one in asked)


class Codes:
    """A closed list of codes that may be written in words."""

    def __init__(self, known: Iterable[KnownCode], also: dict[str, str] | None = None) -> None:
        known = list(known)
        self.codes = {entry.code for entry in known}
        keys: dict[str, set[str]] = {}
        for entry in known:
            for said in (entry.code, entry.label_en, entry.label_fr):
                for form in _forms(said):
                    keys.setdefault(form, set()).add(entry.code)
        self._found = {key: next(iter(codes)) for key, codes in keys.items() if len(codes) == 1}
        self._found |= {folded(name): code for name, code in (also or {}).items()}
        for entry in known:
            self._found.update((folded(name), entry.code) for name in entry.also_called)

    def find(self, said: str) -> str | None:
        """The code that is written out, or said in either language; None for what is neither."""
        if said in self.codes:
            return said
        key = folded(said)
        return self._found.get(key) or self._found.get(folded(_ASIDE.sub(" ", said)))


def _forms(label: str) -> set[str]:
    """The ways of saying a label: 'Aîné ou Aînée, gardien ou gardienne du savoir' is four."""
    forms = {folded(label)}
    for part in label.split(","):
        choices = re.split(r"\b(?:or|ou)\b", part)
        forms |= {folded(choice) for choice in choices}
        for one, other in pairwise(choices):
            forms.add(folded(" ".join((one, *other.split()[1:]))))
    return forms


def territories(known: Iterable[KnownCode]) -> Codes:
    """Provinces and territories by code, with the country's or without, by name, as abbreviated."""
    known = list(known)
    short = {entry.code.partition("-")[2]: entry.code for entry in known if "-" in entry.code}
    return Codes(known, short)


def occupations(known: Iterable[KnownCode]) -> Codes:
    """Occupations by code, label, or another usual word."""
    return Codes(known)
