"""From a file on disk to its table: what it is, what its columns are called, and its rows."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
from pydantic import TypeAdapter, ValidationError

from app import import_errors
from app.membership_files import archives, csv_files, json_files, mailboxes, ods, xlsx
from app.membership_files.detection import HEAD, detect
from app.membership_files.reports import is_own_heading, restored
from app.membership_files.rows import (
    LARGEST_FILE,
    LONGEST_CELL,
    LONGEST_HEADING,
    MOST_COLUMNS,
    MOST_ROWS,
    UNKEPT,
    Cell,
    Finding,
    Format,
    SourceRow,
    Table,
    without_unkept,
)
from app.schemas.membership_mappings import Heading

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufe0f]")
_HEADING = TypeAdapter(Heading)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_T = TypeVar("_T")


def open_file(
    path: Path,
    name: str = "",
    declared: str = "",
    *,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Table:
    """The table in a file, whatever its name says; close it, or use it as a context.

    Raises, here or while its rows are walked, the refusals of `import_errors`. A cell or a row that
    is too long, or has what cannot be read, comes as a row with findings.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise import_errors.FileTooLarge
    with path.open("rb") as file:
        kind = detect(file.read(HEAD), name, declared)
    with ExitStack() as stack:
        table = _table(path, kind, delimiter, sheet, stack)
        table.close = stack.pop_all().close
    return table


def _table(
    path: Path, kind: Format, delimiter: str | None, sheet: str | None, stack: ExitStack
) -> Table:
    if kind in (Format.JSON, Format.NDJSON):
        names, found = json_files.records(path, by_line=kind is Format.NDJSON)
        return _with_names(kind, names, _closing(found, stack))
    if kind is Format.MBOX:
        return _with_names(kind, mailboxes.HEADINGS, _closing(mailboxes.records(path), stack))
    if kind is Format.CSV:
        records = csv_files.records(path, csv_files.encoding_of(path), delimiter)
        return _with_headings(kind, _closing(records, stack))
    archive = stack.enter_context(archives.opened(path))
    if archives.has(archive, "xl/workbook.xml"):
        return _with_headings(Format.XLSX, _closing(xlsx.records(archive, sheet), stack))
    if archives.has(archive, ods.CONTENT):
        return _with_headings(Format.ODS, _closing(ods.records(archive, sheet), stack))
    raise import_errors.FormatUnsupported


def _closing(records: Iterator[SourceRow], stack: ExitStack) -> Iterator[SourceRow]:
    """A generator that is not walked to its end holds files open until it is closed."""
    close: Callable[[], None] | None = getattr(records, "close", None)
    if close is not None:
        stack.callback(close)
    return records


def _with_names(kind: Format, names: list[str], records: Iterator[SourceRow]) -> Table:
    first = next(records, None)
    if first is None:
        raise import_errors.NoRows
    headings = _headings(list(names))
    return Table(
        kind, headings, _rows(_again(first, records), [*range(len(names))], headings), _nothing
    )


def _with_headings(kind: Format, records: Iterator[SourceRow]) -> Table:
    """The first row that has anything names the columns; those of a report are left out again."""
    top = next(records, None)
    if top is None:
        raise import_errors.NoRows
    if len(top.cells) > MOST_COLUMNS or top.findings:
        raise import_errors.TooManyColumns
    if any(_ADDRESS.fullmatch(str(cell).strip()) for cell in top.cells):
        raise import_errors.HeadingsMissing
    first = next(records, None)
    if first is None:
        raise import_errors.NoRows
    said = [restored(str(cell)) for cell in top.cells]
    while said and not said[-1].strip():
        said.pop()
    kept = [index for index, heading in enumerate(said) if not is_own_heading(heading)]
    headings = _headings([said[index] for index in kept])
    rows = _rows(_again(first, records), kept, headings, guarded=True, width=len(said))
    return Table(kind, headings, rows, _nothing)


def _nothing() -> None:
    """Is replaced by what closes the file."""


def _again(first: SourceRow, rest: Iterator[SourceRow]) -> Iterator[SourceRow]:
    yield first
    yield from rest


def _headings(said: list[str]) -> list[str]:
    """Headings as they are referred to: on one line, none empty, none twice."""
    found: dict[str, None] = {}
    for number, heading in enumerate(said, 1):
        plain = " ".join(_UNSEEN.sub(" ", unicodedata.normalize("NFC", heading)).split())
        plain = plain[: LONGEST_HEADING - 10].strip()
        if not _can_be_named(plain):
            plain = f"#{number}"
        name, times = plain, 2
        while name in found:
            name, times = f"{plain} ({times})", times + 1
        found[name] = None
    return list(found)


def _can_be_named(heading: str) -> bool:
    """Whether a mapping can refer to it."""
    try:
        return _HEADING.validate_python(heading) == heading
    except ValidationError:
        return False


def _rows(
    records: Iterator[SourceRow],
    kept: list[int],
    headings: list[str],
    *,
    guarded: bool = False,
    width: int | None = None,
) -> Iterator[SourceRow]:
    width = len(kept) if width is None else width
    straight = kept == list(range(width))
    names = dict(zip(kept, headings, strict=True))
    count = 0
    for count, row in enumerate(records, 1):
        if count > MOST_ROWS:
            raise import_errors.TooManyRows
        cells, findings = row.cells, list(row.findings)
        if len(cells) != width:
            if any(cells[width:]):
                findings.append(Finding(None, "too_many_cells"))
            cells = [*cells[:width], *[""] * (width - len(cells))]
        if not straight:
            cells = [cells[index] for index in kept]
        if guarded:
            cells = [_unguarded(cell) if cell[:1] == "'" else cell for cell in cells]
        longest = max(map(len, cells), default=0)
        if longest > LONGEST_CELL or (not guarded and any(map(_too_long, cells))):
            findings += [
                Finding(headings[index], "cell_too_long", {"maximum": LONGEST_CELL})
                for index, cell in enumerate(cells)
                if _too_long(cell)
            ]
            cells = ["" if _too_long(cell) else cell for cell in cells]
        if findings:
            findings = [_named(finding, names) for finding in findings]
        if any(map(_unkept, cells)):
            findings += [
                Finding(heading, code)
                for heading, cell in zip(headings, cells, strict=True)
                if (code := _unkept(cell))
            ]
            cells = [_without_unkept(cell) for cell in cells]
        if findings or any(cells):
            yield SourceRow(row.number, cells, tuple(findings))


def _unguarded(cell: Cell) -> Cell:
    return restored(cell) if isinstance(cell, str) else cell


def _unkept(cell: Cell) -> str | None:
    """Why a cell has characters that no database keeps."""
    text = cell if isinstance(cell, str) else "".join(cell)
    found = None if text.isascii() and "\0" not in text else UNKEPT.search(text)
    if found is None:
        return None
    return "text_control_characters" if found[0] == "\0" else "text_not_unicode"


def _without_unkept(cell: Cell) -> Cell:
    return without_unkept(cell) if isinstance(cell, str) else tuple(map(without_unkept, cell))


def _too_long(cell: Cell) -> bool:
    return len(cell) > LONGEST_CELL or (
        isinstance(cell, tuple) and sum(map(len, cell)) > LONGEST_CELL
    )


def _named(finding: Finding, names: dict[int, str]) -> Finding:
    """Readers know a column by its place; from here on it has its heading."""
    if "index" not in finding.facts:
        return finding
    place = finding.facts["index"]
    return Finding(names.get(place) if isinstance(place, int) else None, finding.code)


_walking = anyio.CapacityLimiter(2)


async def batches(rows: Iterator[_T], size: int) -> AsyncGenerator[list[_T], None]:
    """Rows in lists of `size`, read in a thread, so that only their importer waits for a file.

    The next ones are read while these are worked on: use it within `aclosing`, so that nobody
    reads any more when the file is closed.
    """
    reading = asyncio.create_task(_reading(rows, size))
    try:
        while batch := await reading:
            reading = asyncio.create_task(_reading(rows, size))
            yield batch
    finally:
        await asyncio.gather(reading, return_exceptions=True)


async def _reading(rows: Iterator[_T], size: int) -> list[_T]:
    return await anyio.to_thread.run_sync(_taken, rows, size, limiter=_walking)


def _taken(rows: Iterator[_T], size: int) -> list[_T]:
    return list(islice(rows, size))
