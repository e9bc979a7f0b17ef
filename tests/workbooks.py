"""Workbooks as tests need them: made by hand, so that they can be wrong in every way."""

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
ODF = "urn:oasis:names:tc:opendocument:xmlns:"
ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"

# Style 0 is plain, 1 a built-in day, 2 a day of the workbook's own, 3 a number with a red 'd'.
STYLES = (
    f'<styleSheet xmlns="{SHEETS}"><numFmts count="2"><numFmt numFmtId="164" formatCode="d mmm'
    ' yyyy"/><numFmt numFmtId="165" formatCode="[Red]0&quot; days&quot;"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>'
    '<xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'
)


def text(said: str) -> str:
    """A cell with text in it."""
    return f'<c t="inlineStr"><is><t>{escape(said)}</t></is></c>'


def row(*cells: str) -> str:
    """A row of cells, each as it stands in the file; plain words become text."""
    return f"<row>{''.join(c if c.startswith('<') else text(c) for c in cells)}</row>"


def archive(path: Path, parts: Iterable[tuple[str, str | bytes]]) -> Path:
    """A file of these parts, in this order, packed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, said in parts:
            file.writestr(name, said)
    return path


def book(*sheets: tuple[str, str], properties: str = "") -> list[tuple[str, str | bytes]]:
    """The parts that name the sheets: each a name and a state."""
    named = "".join(
        f'<sheet name="{name}" sheetId="{index}" state="{state}" r:id="rId{index}"/>'
        for index, (name, state) in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{index}" Type="{OFFICE}/worksheet"'
        f' Target="worksheets/sheet{index}.xml"/>'
        for index in range(1, len(sheets) + 1)
    )
    return [
        (
            "xl/workbook.xml",
            f'<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}">{properties}<sheets>{named}</sheets>'
            "</workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{RELATIONS}">{related}<Relationship Id="rIdS"'
            f' Type="{OFFICE}/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>',
        ),
        ("xl/styles.xml", STYLES),
    ]


def sheet(rows: str, before: str = "") -> str:
    """A sheet's part."""
    return f'{before}<worksheet xmlns="{SHEETS}"><sheetData>{rows}</sheetData></worksheet>'


def xlsx(path: Path, *rows: str, strings: Sequence[str] = (), properties: str = "") -> Path:
    """A workbook of one sheet; `strings` are the items of its table of texts."""
    table = f'<sst xmlns="{SHEETS}">{"".join(f"<si>{said}</si>" for said in strings)}</sst>'
    parts = book(("Members", "visible"), properties=properties)
    parts += [("xl/sharedStrings.xml", table), ("xl/worksheets/sheet1.xml", sheet("".join(rows)))]
    return archive(path, parts)


def ods(path: Path, *rows: str, before: str = "") -> Path:
    """An OpenDocument spreadsheet of one sheet."""
    names = " ".join(f'xmlns:{name}="{ODF}{name}:1.0"' for name in ("office", "table", "text"))
    content = (
        f"{before}<office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="Members">{"".join(rows)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", ODS_TYPE, zipfile.ZIP_STORED)
        file.writestr("content.xml", content)
    return path


def ods_row(*cells: str, repeated: int = 1) -> str:
    """A row of cells, each as it stands in the file; plain words become text."""
    made = (
        cell
        if cell.startswith("<")
        else f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p>'
        "</table:table-cell>"
        for cell in cells
    )
    return (
        f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(made)}'
        "</table:table-row>"
    )
