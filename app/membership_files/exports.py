"""Lists of members as files, written piece by piece: a million rows take the memory of a few.

A writer is given rows of text and gives back bytes, as soon as it has some. Cells of spreadsheets
cannot become formulas (`reports.harmless`), and are what they were when they are read again.

A workbook is an archive, and `zipfile` packs one on its way to a target in which nothing can be
sought. The libraries for workbooks (openpyxl, XlsxWriter) write the sheet to a temporary file and
pack it when the last row is there: the client would wait, and the disk hold everybody's members.
"""

import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from typing import ClassVar

import orjson

from app.membership_files.reports import BYTE_ORDER_MARK, harmless, lines
from app.schemas.membership_exports import ExportFormat

Row = Sequence[str | None]


class Writer(ABC):
    """What all formats have in common; `close` is for a file that nobody wants to its end."""

    media_type: ClassVar[str]
    # In a spreadsheet what one may not see has no column; in JSON it is null, as everywhere.
    spreadsheet: ClassVar[bool]

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        """What stands before the first row."""
        return b""

    @abstractmethod
    def rows(self, rows: Sequence[Row]) -> bytes:
        """So many rows more, each with a cell for each column."""

    def end(self) -> bytes:
        """What stands behind the last row."""
        return b""

    def close(self) -> None:  # noqa: B027 (most formats hold nothing)
        """Lets go of what a file holds that was not written to its end."""


class CsvWriter(Writer):
    """CSV in UTF-8 with a mark, which spreadsheets need to see it."""

    media_type = "text/csv; charset=utf-8"
    spreadsheet = True

    def begin(self) -> bytes:
        """The mark and the headings."""
        return BYTE_ORDER_MARK.encode() + self.rows([self._columns])

    def rows(self, rows: Sequence[Row]) -> bytes:
        """The rows as lines."""
        return lines([harmless(cell) if cell else "" for cell in row] for row in rows)


class NdjsonWriter(Writer):
    """One JSON object on each line."""

    media_type = "application/x-ndjson"
    spreadsheet = False

    def rows(self, rows: Sequence[Row]) -> bytes:
        """The rows as objects, each with all members."""
        return b"".join(
            orjson.dumps(
                dict(zip(self._columns, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE
            )
            for row in rows
        )


class JsonWriter(Writer):
    """One array of JSON objects."""

    media_type = "application/json"
    spreadsheet = False

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(columns)
        self._between = b"\n"

    def begin(self) -> bytes:
        """Opens the array."""
        return b"["

    def rows(self, rows: Sequence[Row]) -> bytes:
        """The rows as objects, each with all members."""
        written = []
        for row in rows:
            found = dict(zip(self._columns, row, strict=True))
            written.append(self._between + orjson.dumps(found))
            self._between = b",\n"
        return b"".join(written)

    def end(self) -> bytes:
        """Closes the array."""
        return b"\n]\n"


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    f'<Default Extension="rels" ContentType="{_TYPE}-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml"'
    f' ContentType="{_TYPE}-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml"'
    f' ContentType="{_TYPE}-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
    f' Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
    '<sheet name="Memberships" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}
# The headings stay in sight, and most columns are as wide as what stands in them.
_SHEET = (
    f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
    '</sheetViews><cols><col min="1" max="{count}" width="22" customWidth="1"/></cols><sheetData>'
)
_UNFIT = re.compile(r"[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _fit(found: re.Match[str]) -> str:
    """What XML cannot have is written as Excel does: _x000D_; and so is what looks like that."""
    return _ENTITIES.get(found[0]) or f"_x{ord(found[0]):04X}_"


def _letter(index: int) -> str:
    return chr(ord("A") + index)


class _Outbox:
    """Where the archive is written to: it goes on from here, and does not come back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """There is nothing behind this."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole


class XlsxWriter(Writer):
    """A workbook of one sheet, in which every cell is text: days as they are written everywhere."""

    media_type = f"{_TYPE}-officedocument.spreadsheetml.sheet"
    spreadsheet = True

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(columns)
        self._outbox = _Outbox()
        self._number = 0
        self._open = ExitStack()
        self._letters = [_letter(index) for index in range(len(columns))]

    def begin(self) -> bytes:
        """The parts that do not depend on the rows, and the headings."""
        target: zipfile.ZipFile = self._open.enter_context(
            zipfile.ZipFile(self._outbox, "w", zipfile.ZIP_DEFLATED)
        )
        for name, text in _PARTS.items():
            target.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
        self._sheet = self._open.enter_context(target.open("xl/worksheets/sheet1.xml", "w"))
        self._sheet.write(_SHEET.format(count=len(self._columns)).encode())
        return self.rows([self._columns])

    def rows(self, rows: Sequence[Row]) -> bytes:
        """The rows, packed as far as they are."""
        written = []
        for row in rows:
            self._number += 1
            written.append(f'<row r="{self._number}">{"".join(self._cells(row))}</row>')
        self._sheet.write("".join(written).encode("utf-8", "replace"))
        return self._outbox.taken()

    def _cells(self, row: Row) -> list[str]:
        return [
            f'<c r="{letter}{self._number}" t="inlineStr"><is><t xml:space="preserve">'
            f"{_UNFIT.sub(_fit, harmless(cell))}</t></is></c>"
            for letter, cell in zip(self._letters, row, strict=True)
            if cell
        ]

    def end(self) -> bytes:
        """The end of the sheet, and the archive's directory."""
        self._sheet.write(b"</sheetData></worksheet>")
        self._open.close()
        return self._outbox.taken()

    def close(self) -> None:
        """Closes the archive, wherever it is."""
        self._open.close()


WRITERS: dict[ExportFormat, type[Writer]] = {
    ExportFormat.CSV: CsvWriter,
    ExportFormat.XLSX: XlsxWriter,
    ExportFormat.JSON: JsonWriter,
    ExportFormat.NDJSON: NdjsonWriter,
}
