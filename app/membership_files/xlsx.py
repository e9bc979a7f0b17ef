"""XLSX, row by row: a workbook of a million rows takes no more memory than one of ten.

Libraries that read it whole reserve a cell for every place of the sheet; a file of 1.5 kB with a
value in its last corner makes them ask for half a terabyte, and the process is gone.
"""

import mmap
import posixpath
import re
import tempfile
import zipfile
from array import array
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from app import import_errors
from app.membership_files.archives import Gathered, Markup, has
from app.membership_files.rows import MOST_COLUMNS, MOST_ROWS, Finding, SourceRow

_LETTERS = re.compile(r"[A-Z]{1,3}", re.ASCII)
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_DIGITS = "0123456789"
_MOST_STRINGS = 5_000_000
_MOST_STYLES = 70_000
# Number formats that are built in and show a day.
_DAYS = {*range(14, 18), 22, *range(27, 32), 34, 35, 36, *range(50, 59)}
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 (a wall clock)
_LAST_DAY = 2_958_465
_MOST_DAYS = 10_000


class Strings:
    """The workbook's table of texts, in a file without a name that vanishes with the process."""

    def __init__(self, archive: zipfile.ZipFile, part: str | None) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
        self._ends = array("Q", [0])
        self._text = Gathered()
        self._wanted = self._phonetic = False
        if part is not None:
            markup = Markup(self._begin, self._end, self._take)
            markup.read(archive, part, lambda: len(self._ends))
        self._file.flush()
        length = self._ends[-1]
        self._bytes = mmap.mmap(self._file.fileno(), length) if length else b""

    def _begin(self, name: str, _: dict[str, str]) -> None:
        if name == "rPh":
            self._phonetic = True
        self._wanted = name == "t" and not self._phonetic

    def _take(self, text: str) -> None:
        if self._wanted:
            self._text.take(text)

    def _end(self, name: str) -> None:
        self._wanted = False
        if name == "rPh":
            self._phonetic = False
        elif name == "si":
            if len(self._ends) > _MOST_STRINGS:
                raise import_errors.ArchiveTooLarge
            said = self._text.give().encode("utf-8", "replace")
            self._file.write(said)
            self._ends.append(self._ends[-1] + len(said))

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self._ends) - 1:
            raise import_errors.WorkbookUnreadable
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode("utf-8")

    def close(self) -> None:
        """Gives the space back."""
        if isinstance(self._bytes, mmap.mmap):
            self._bytes.close()
        self._file.close()


class Styles:
    """Which of the workbook's styles show a number as a day."""

    def __init__(self, archive: zipfile.ZipFile, part: str) -> None:
        self._formats: dict[int, str] = {}
        self._count = 0
        self._shown: set[str] = set()
        self._within = False
        if has(archive, part):
            Markup(self._begin, self._end, lambda _: None).read(archive, part)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            code = attributes.get("formatCode", "")[:200]
            self._formats[int(attributes.get("numFmtId", "0"))] = code
        elif name == "cellXfs":
            self._within = True
        elif name == "xf" and self._within:
            if self._shows_day(int(attributes.get("numFmtId", "0"))):
                self._shown.add(str(self._count))
            self._count += 1
        if max(len(self._formats), self._count) > _MOST_STYLES:
            raise import_errors.ArchiveTooLarge

    def _end(self, name: str) -> None:
        if name == "cellXfs":
            self._within = False

    def shows_day(self, style: str) -> bool:
        """Whether a cell of this style shows a day."""
        return style in self._shown

    def _shows_day(self, number: int) -> bool:
        code = self._formats.get(number)
        if code is None:
            return number in _DAYS
        return bool(re.search("[dyDY]", _QUOTED.sub("", code.partition(";")[0])))


class Book:
    """Where the workbook keeps which sheet, and how it counts days."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._sheets: list[tuple[str, str, bool]] = []
        self._targets: dict[str, tuple[str, str]] = {}
        self.epoch = _EPOCH
        for part, begin in (
            ("xl/workbook.xml", self._book),
            ("xl/_rels/workbook.xml.rels", self._relation),
        ):
            Markup(begin, lambda _: None, lambda _: None).read(archive, part)

    def _book(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr" and attributes.get("date1904") in ("1", "true", "on"):
            self.epoch = _EPOCH_1904
        elif name == "sheet":
            key = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            shown = attributes.get("state", "visible") == "visible"
            self._sheets.append((attributes.get("name", ""), key, shown))

    def _relation(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "")))
            kind = attributes.get("Type", "").rpartition("/")[2]
            self._targets[attributes.get("Id", "")] = (kind, target.lstrip("/"))

    def sheet(self, name: str | None) -> str:
        """The part of a sheet: by its name, or the first that is shown. Raises SheetUnknown."""
        for said, key, shown in self._sheets:
            kind, target = self._targets.get(key, ("", ""))
            if kind == "worksheet" and (said == name if name else shown):
                return target
        raise import_errors.SheetUnknown if name else import_errors.WorkbookUnreadable

    def strings(self, archive: zipfile.ZipFile) -> str | None:
        """The part with the texts, if there is one."""
        found = [part for kind, part in self._targets.values() if kind == "sharedStrings"]
        return found[0] if found and has(archive, found[0]) else None


@lru_cache(maxsize=20_000)
def column_of(letters: str) -> int:
    """The index of a column: A is 0, Z 25, AA 26."""
    if not _LETTERS.fullmatch(letters):
        raise import_errors.WorkbookUnreadable
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def number_text(text: str) -> str:
    """A number as people write it: without the .0 that a spreadsheet adds."""
    if text.isdigit() and text.isascii() and len(text) <= 15:
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _unescaped(text: str) -> str:
    """Text without the way in which Excel writes what XML cannot have: _x000D_."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


class Sheet:
    """The rows of one sheet."""

    def __init__(self, book: Book, strings: Strings, styles: Styles) -> None:
        self._book, self._strings, self._styles = book, strings, styles
        self._text = Gathered()
        self._done: list[SourceRow] = []
        self._number = self._count = 0
        self._cells: dict[int, str] = {}
        self._findings: list[Finding] = []
        self._days: dict[str, str] = {}
        self._column, self._kind, self._is_day = -1, "n", False
        self._wanted = self._formula = False

    def rows(self, archive: zipfile.ZipFile, part: str) -> Iterator[SourceRow]:
        """Every row that has something in it."""
        markup = Markup(self._begin, self._end, self._take)
        for _ in markup.walk(archive, part, lambda: self._count):
            yield from self._done
            self._done.clear()

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._wanted = True
        elif name == "row":
            self._number = int(attributes.get("r", self._number + 1))
            self._column = -1
            if self._number < 1:
                raise import_errors.WorkbookUnreadable
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._kind = "phonetic"

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        get = attributes.get
        letters = get("r", "").rstrip(_DIGITS)
        self._column = column_of(letters) if letters else self._column + 1
        self._kind = get("t", "n")
        style = get("s", "0")
        self._is_day = self._styles.shows_day(style)
        self._formula = False

    def _take(self, text: str) -> None:
        if self._wanted and self._kind != "phonetic":
            self._text.take(text)

    def _end(self, name: str) -> None:
        if name in ("v", "t"):
            self._wanted = False
        elif name == "c":
            self._end_cell(self._text.give())
        elif name == "rPh":
            self._kind = "inlineStr"
        elif name == "row":
            self._end_row()

    def _end_cell(self, text: str) -> None:
        if text == "":
            if self._formula:
                self._fault("formula_without_value")
            return
        if self._column >= MOST_COLUMNS:
            raise import_errors.TooManyColumns
        if self._kind == "s":
            text = _unescaped(self._strings[int(text)])
        elif self._kind == "n":
            text = self._day(text) if self._is_day else number_text(text)
        elif self._kind == "inlineStr":
            text = _unescaped(text)
        elif self._kind == "b":
            text = "true" if text == "1" else "false"
        elif self._kind == "e":
            self._fault("formula_error")
        self._cells[self._column] = text

    def _fault(self, code: str) -> None:
        if len(self._findings) < MOST_COLUMNS:
            self._findings.append(Finding(None, code, {"index": self._column}))

    def _day(self, text: str) -> str:
        if text not in self._days:
            if len(self._days) > _MOST_DAYS:
                self._days.clear()
            self._days[text] = self._made_day(text)
        return self._days[text]

    def _made_day(self, text: str) -> str:
        days = float(text)
        if not 0 <= days <= _LAST_DAY:
            return number_text(text)
        moment = self._book.epoch + timedelta(seconds=round(days * 86_400))
        whole = days.is_integer() and days >= 1
        return moment.date().isoformat() if whole else moment.isoformat()

    def _end_row(self) -> None:
        if self._cells or self._findings:
            width = max(self._cells, default=-1) + 1
            get = self._cells.get
            cells = [get(index, "") for index in range(width)]
            self._done.append(SourceRow(self._number, cells, tuple(self._findings)))
            self._count += 1
            self._cells.clear()
            self._findings.clear()


def records(archive: zipfile.ZipFile, sheet: str | None) -> Iterator[SourceRow]:
    """Every row of a sheet that has something in it, numbered as the spreadsheet numbers them.

    Raises SheetUnknown, TooManyColumns, WorkbookUnreadable, DeclarationRefused, ArchiveTooLarge.
    """
    book = Book(archive)
    part = book.sheet(sheet)
    styles = Styles(archive, "xl/styles.xml")
    strings = Strings(archive, book.strings(archive))
    try:
        for row in Sheet(book, strings, styles).rows(archive, part):
            if row.number > MOST_ROWS * 2:
                raise import_errors.TooManyRows
            yield row
    finally:
        strings.close()
