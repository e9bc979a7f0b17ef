"""The closed lists that ship, and files read by them."""

import csv
from functools import cache
from pathlib import Path

from app import settings
from app.membership_files import mapping, opening
from app.membership_files.closed_lists import (
    Communities,
    KnownCode,
    KnownCommunity,
    occupations,
    territories,
)
from app.membership_files.reading import Known, Reader
from app.membership_files.rows import Cell, ReadRow, SourceRow
from app.schemas.membership_mappings import MappingSuggestion, MembershipMapping

DATA = Path(__file__).parent / "data"


def also_called(row: dict[str, str]) -> tuple[str, ...]:
    """What else people write for an entry, as the defaults have it."""
    return tuple(name for name in row["also_called"].split("|") if name)


def shipped(name: str) -> list[dict[str, str]]:
    """The rows of a file that ships."""
    with (settings.SHIPPED_DEFAULTS / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def known() -> Known:
    """The communities, occupations and territories that ship."""
    return Known(
        Communities(
            KnownCommunity(row["slug"], row["name_en"], row["name_fr"])
            for row in shipped("communities.csv")
        ),
        occupations(
            KnownCode(row["code"], row["label_en"], row["label_fr"], also_called(row))
            for row in shipped("occupations.csv")
        ),
        territories(
            KnownCode(row["code"], row["name_en"], row["name_fr"], also_called(row))
            for row in shipped("territories.csv")
        ),
    )


def rows_in(path: Path, name: str = "") -> list[SourceRow]:
    """Every row of a file, as it stands there."""
    with opening.open_file(path, name) as table:
        return list(table.rows)


def headings_in(path: Path) -> list[str]:
    """What a file's columns are called."""
    with opening.open_file(path) as table:
        return table.headings


def suggested(path: Path) -> MappingSuggestion:
    """What a file's headings suggest."""
    with opening.open_file(path) as table:
        return mapping.suggest(table.format, table.headings, table.rows, known().communities)


def read(
    path: Path, chosen: MembershipMapping | None = None, community: str | None = None
) -> list[ReadRow]:
    """What every row of a file says, by the mapping that its headings suggest or another."""
    chosen = chosen or mapping.as_mapping(suggested(path))
    with opening.open_file(path) as table:
        reader = Reader(table.headings, chosen, known(), community=community)
        return list(reader.rows(table.rows))


def codes(row: ReadRow) -> list[tuple[str | None, str]]:
    """What is wrong with a row, or noted beside it, and where."""
    return [(finding.column, finding.code) for finding in row.findings]


def codes_of_row(row: SourceRow) -> list[tuple[str | None, str]]:
    """The same of a row that was not yet made sense of."""
    return [(finding.column, finding.code) for finding in row.findings]


def written(path: Path, said: str | bytes, encoding: str = "utf-8") -> Path:
    """A file of these bytes, or of this text."""
    path.write_bytes(said if isinstance(said, bytes) else said.encode(encoding))
    return path


def cells(path: Path) -> list[list[Cell]]:
    """The cells of every row of a file."""
    return [list(found.cells) for found in rows_in(path)]
