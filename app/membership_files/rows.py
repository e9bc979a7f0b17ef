"""What passes from a file's reader to those who make sense of it, and how much of it may pass."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import TracebackType
from typing import Self

from app.schemas.membership_mappings import LONGEST_HEADING, MOST_COLUMNS

LARGEST_FILE = 200_000_000
MOST_ROWS = 1_000_000
LONGEST_CELL = 32_768
LONGEST_ROW = 128_000
__all__ = ["LONGEST_HEADING", "MOST_COLUMNS"]


# What no database keeps: zero, and halves of characters.
UNKEPT = re.compile("[\0\ud800-\udfff]")


def without_unkept(text: str) -> str:
    """The text with a mark in the place of what cannot be kept."""
    return UNKEPT.sub("\N{REPLACEMENT CHARACTER}", text)


class Format(StrEnum):
    """What kind of file it is."""

    CSV = "csv"
    XLSX = "xlsx"
    ODS = "ods"
    JSON = "json"
    NDJSON = "ndjson"
    MBOX = "mbox"


# Text, or the several texts of a JSON list.
Cell = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a row: in which column, a code of texts/imports, and what its sentence needs.

    One that `refuses` keeps the row out; any other is a note beside what was done.
    """

    column: str | None
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    refuses: bool = True


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row as it stands in the file: its number there, and a cell for each heading."""

    number: int
    cells: Sequence[Cell]
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Table(AbstractContextManager["Table"]):
    """An open file: its headings, and its rows, which can be walked once."""

    format: Format
    headings: list[str]
    rows: Iterator[SourceRow]
    close: Callable[[], None]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(slots=True)
class Values:
    """What a row says, in the product's terms; None where it says nothing.

    `former` is who is not a member any more where the file comes from. `communities` are slugs.
    """

    name: str | None = None
    email: str | None = None
    communities: tuple[str, ...] = ()
    occupation: str | None = None
    occupation_code: str | None = None
    affiliation: str | None = None
    area_of_interest: str | None = None
    territory: str | None = None
    language: str | None = None
    category: str | None = None
    since_on: date | None = None
    until_on: date | None = None
    external_id: str | None = None
    former: bool = False


@dataclass(slots=True)
class ReadRow:
    """A row that was made sense of.

    `adds_to` is the number of an earlier row for the same person: this one brings its communities,
    and nothing else. `whole` is false where a community was named and not recognised, so that the
    absence of a community from the row proves nothing.
    """

    number: int
    values: Values
    findings: list[Finding]
    raw: Sequence[Cell]
    adds_to: int | None = None
    whole: bool = True

    @property
    def refused(self) -> bool:
        """Whether nothing may be done with the row until it is corrected."""
        return any(finding.refuses for finding in self.findings)
