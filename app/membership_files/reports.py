"""A report that is the input again, with what became of each row; corrected, it can be sent again.

A spreadsheet runs a cell that begins like a formula. Such a cell gets an apostrophe in front, and
loses it when it is read: `restored(harmless(text)) == text` for any text.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from itertools import islice

from app import texts
from app.membership_files.folding import heading_key
from app.membership_files.rows import Cell, Finding

_FORMULA = re.compile(r"'*[\s\x00-\x1f]*[=+\-@|%＝＋－＠\t\r\n]")
BYTE_ORDER_MARK = "\ufeff"
_AT_ONCE = 50


class Outcome(StrEnum):
    """What became of a row, or would."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ENDED = "ended"
    REFUSED = "refused"


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def restored(text: str) -> str:
    """What the text was before it was made harmless."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text) else text


@cache
def own_headings(language: str) -> tuple[str, str]:
    """The two columns that a report adds."""
    return (
        texts.text("imports", "report.outcome", language),
        texts.text("imports", "report.problems", language),
    )


def is_own_heading(heading: str) -> bool:
    """Whether a column is one that a report added, in either language."""
    key = heading_key(heading)
    return any(key == heading_key(own) for lang in texts.LANGUAGES for own in own_headings(lang))


def sentence(finding: Finding, language: str) -> str:
    """What is wrong, in words, with its column and the code that scripts look for."""
    said = texts.group("imports", language)[f"rows.{finding.code}"].format(**finding.facts)
    place = f"{finding.column}: " if finding.column else ""
    return f"{place}{said} [{finding.code}]"


def cells_of(
    raw: Sequence[Cell], outcome: Outcome, findings: Iterable[Finding], language: str
) -> list[str]:
    """A row of the report: the input's own cells, what became of it, and why."""
    own = [cell if isinstance(cell, str) else "; ".join(cell) for cell in raw]
    said = "\n".join(sentence(finding, language) for finding in findings)
    told = texts.text("imports", f"outcomes.{outcome}", language)
    return [harmless(text) for text in (*own, told, said)]


def document(headings: list[str], rows: Iterable[list[str]], language: str) -> Iterator[bytes]:
    """The report as CSV, piece by piece: UTF-8 with a mark, which spreadsheets need to see it."""
    titles = [harmless(text) for text in (*headings, *own_headings(language))]
    yield BYTE_ORDER_MARK.encode() + lines([titles])
    remaining = iter(rows)
    while some := list(islice(remaining, _AT_ONCE)):
        yield lines(some)


def lines(rows: Iterable[list[str]]) -> bytes:
    """Rows of a report, as they stand in the document."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode("utf-8", "replace")
