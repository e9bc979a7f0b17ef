"""How alike texts are: a measure of shared pieces of words, the same on every database and day.

Words are folded (case, accents and punctuation away) and cut into pieces of three letters, so that
court, courts and courtroom have most of theirs in common. A piece that many of the texts have says
little and weighs little: in a catalogue where everything is a court, "court" makes nothing alike.
Of a long text the first thousand characters count.
"""

from collections import Counter
from functools import lru_cache
from math import fsum, log, sqrt

from app.membership_files.folding import folded


def pieces(text: str) -> frozenset[str]:
    """The pieces of a text's words, with a mark where a word begins and ends."""
    return frozenset(
        f" {word} "[start : start + 3]
        for word in folded(text).split()
        if len(word) > 1
        for start in range(len(word))
    )


class Texts:
    """Some texts, what each piece of theirs is worth, and how alike another text is to each."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = [pieces(text) for text in texts]
        had = Counter(piece for text in self._texts for piece in text)
        self._worth = {piece: log((len(texts) + 1) / times) ** 2 for piece, times in had.items()}
        self._unknown = log(len(texts) + 1) ** 2  # as a piece that only one of them has
        self._weights = [self._weight(text) for text in self._texts]

    def _weight(self, found: frozenset[str]) -> float:
        # fsum: a set has no order, and the sum must not depend on one.
        return fsum(self._worth.get(piece, self._unknown) for piece in found)

    def likeness(self, text: str) -> list[float]:
        """How alike a text is to each of these, from 0 (nothing in common) to 1."""
        asked = pieces(text)
        weight = self._weight(asked)
        return [
            self._weight(asked & known) / sqrt(weight * own) if weight and own else 0.0
            for known, own in zip(self._texts, self._weights, strict=True)
        ]


@lru_cache(maxsize=8)
def among(texts: tuple[str, ...]) -> Texts:
    """The same texts, looked at once for all who ask about them."""
    return Texts(texts)
