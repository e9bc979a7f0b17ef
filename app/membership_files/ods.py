"""ODS, row by row."""

import zipfile
from collections.abc import Iterator

from app import import_errors
from app.membership_files.archives import Gathered, Markup
from app.membership_files.rows import MOST_COLUMNS, MOST_ROWS, Finding, SourceRow
from app.membership_files.xlsx import number_text

CONTENT = "content.xml"
# Of what a cell's attributes say, by the type that they name.
_STATED = {"date": "date-value", "boolean": "boolean-value", "time": "time-value"}
_NUMBERS = ("float", "percentage", "currency")
_MOST_SPACES = 1_000


class Sheet:
    """The rows of one sheet: that of a name, or the first that has any."""

    def __init__(self, sheet: str | None) -> None:
        self._sheet = sheet
        self.found = False
        self._tables = self._depth = self._notes = self._paragraphs = 0
        self._text = Gathered()
        self._done: list[tuple[SourceRow, int]] = []
        self._number = self._count = 0
        self._row_repeats = self._cell_repeats = 1
        self._cells: list[str] = []
        self._blanks = 0
        self._findings: list[Finding] = []
        self._stated: str | None = None
        self._formula = self._within = False

    def rows(self, archive: zipfile.ZipFile) -> Iterator[SourceRow]:
        """Every row that has something in it; those that the file repeats, as often."""
        markup = Markup(self._begin, self._end, self._take)
        for _ in markup.walk(archive, CONTENT, lambda: self._count):
            for row, times in self._done:
                for number in range(row.number, row.number + times):
                    yield SourceRow(number, row.cells, row.findings)
            self._done.clear()

    @property
    def _reading(self) -> bool:
        return self._depth == 1 and self.found and self._tables == 1

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table":
            self._begin_table(attributes)
        elif not self._reading:
            return
        elif name in ("table-cell", "covered-table-cell"):
            self._begin_cell({key.rpartition(":")[2]: said for key, said in attributes.items()})
        elif name == "table-row":
            self._row_repeats = _times(attributes, "number-rows-repeated")
            self._number += 1
        elif name == "annotation":
            self._notes += 1
        elif name == "p" and not self._notes:
            self._paragraphs += 1
            self._within = True
            if self._paragraphs > 1:
                self._text.take("\n")
        elif name in ("s", "tab", "line-break") and self._within and not self._notes:
            signs = {"s": " " * min(_times(attributes, "c"), _MOST_SPACES), "tab": "\t"}
            self._text.take(signs.get(name, "\n"))

    def _begin_table(self, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            named = {key.rpartition(":")[2]: said for key, said in attributes.items()}.get("name")
            wanted = self._sheet in (None, named) and not self.found
            self._tables = 1 if wanted else 0
            self.found |= wanted
            self._number = 0

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._cell_repeats = int(attributes.get("number-columns-repeated", "1"))
        kind = attributes.get("value-type", "")
        if kind in _NUMBERS:
            self._stated = number_text(attributes.get("value", ""))
        else:
            self._stated = attributes.get(_STATED.get(kind, "string-value"))
        self._formula = "formula" in attributes
        self._paragraphs = 0

    def _take(self, text: str) -> None:
        if self._within and not self._notes and self._reading:
            self._text.take(text)

    def _end(self, name: str) -> None:
        if name == "table":
            self._depth -= 1
        elif not self._reading:
            return
        elif name in ("table-cell", "covered-table-cell"):
            self._end_cell(self._text.give())
        elif name == "annotation":
            self._notes -= 1
        elif name == "p" and not self._notes:
            self._within = False
        elif name == "table-row":
            self._end_row()

    def _end_cell(self, shown: str) -> None:
        text = shown if self._stated is None else self._stated
        self._paragraphs = 0
        if text == "":
            if self._formula:
                index = len(self._cells) + self._blanks
                self._findings.append(Finding(None, "formula_without_value", {"index": index}))
            self._blanks += max(self._cell_repeats, 1)
            return
        if len(self._cells) + self._blanks + self._cell_repeats > MOST_COLUMNS:
            raise import_errors.TooManyColumns
        self._cells += [""] * self._blanks + [text] * self._cell_repeats
        self._blanks = 0
        if self._formula and text.startswith(("#", "Err:")):
            place = {"index": len(self._cells) - 1}
            self._findings.append(Finding(None, "formula_error", place))

    def _end_row(self) -> None:
        if self._cells or self._findings:
            row = SourceRow(self._number, [*self._cells], tuple(self._findings[:MOST_COLUMNS]))
            self._done.append((row, self._row_repeats))
            self._count += 1
        self._number += self._row_repeats - 1
        self._cells.clear()
        self._findings.clear()
        self._blanks = 0


def _times(attributes: dict[str, str], local: str) -> int:
    said = next((v for k, v in attributes.items() if k.rpartition(":")[2] == local), "1")
    return min(max(int(said), 1), 2 * MOST_ROWS)


def records(archive: zipfile.ZipFile, sheet: str | None) -> Iterator[SourceRow]:
    """Every row of a sheet that has something in it, numbered as the spreadsheet numbers them.

    Raises SheetUnknown, TooManyColumns, WorkbookUnreadable, DeclarationRefused.
    """
    walked = Sheet(sheet)
    yield from walked.rows(archive)
    if not walked.found:
        raise import_errors.SheetUnknown if sheet else import_errors.WorkbookUnreadable
