"""Workbooks say what they show: XLSX and ODS, row by row."""

from pathlib import Path

import pytest

from app import import_errors
from app.membership_files import opening
from tests import workbooks
from tests.membership_samples import cells, codes_of_row, rows_in
from tests.workbooks import row, text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_a_workbook_says_what_it_shows(file: Path) -> None:
    workbooks.xlsx(
        file,
        row("Text", "Shared", "Number", "Day", "Own day", "Money", "Yes", "Formula", "Moment"),
        row(
            "Zoé & co",
            '<c t="s"><v>1</v></c>',
            "<c><v>41000000</v></c>",
            '<c s="1"><v>45353</v></c>',
            '<c s="2"><v>45353</v></c>',
            '<c s="3"><v>12.5</v></c>',
            '<c t="b"><v>1</v></c>',
            '<c t="str"><f>A1&amp;"x"</f><v>Textx</v></c>',
            '<c s="1"><v>45353.5</v></c>',
        ),
        strings=("<t>no</t>", "<r><t>Zo</t></r><r><t>ë</t></r><rPh sb='0' eb='1'><t>x</t></rPh>"),
    )
    noon = "2024-03-02T12:00:00"
    assert cells(file) == [
        ["Zoé & co", "Zoë", "41000000", "2024-03-02", "2024-03-02", "12.5", "true", "Textx", noon]
    ]


def test_a_workbook_that_counts_from_1904_does(file: Path) -> None:
    counted = '<workbookPr date1904="1"/>'
    workbooks.xlsx(file, row("Day"), row('<c s="1"><v>43891</v></c>'), properties=counted)
    assert cells(file) == [["2024-03-02"]]


def test_cells_and_rows_stand_where_they_say(file: Path) -> None:
    workbooks.xlsx(
        file,
        row("A", "B", "C"),
        '<row r="7"><c r="C7" t="inlineStr"><is><t>c</t></is></c></row>',
    )
    (found,) = rows_in(file)
    assert (found.number, found.cells) == (7, ["", "", "c"])


def test_the_first_sheet_that_is_shown_is_read_or_the_one_that_is_named(file: Path) -> None:
    parts = workbooks.book(("Old", "hidden"), ("New", "visible"), ("Other", "visible"))
    for index, name in enumerate(("old", "new", "other"), 1):
        part = workbooks.sheet(row("Name") + row(name))
        parts.append((f"xl/worksheets/sheet{index}.xml", part))
    workbooks.archive(file, parts)
    assert cells(file) == [["new"]]
    with opening.open_file(file, sheet="Other") as table:
        assert [list(found.cells) for found in table.rows] == [["other"]]
    with pytest.raises(import_errors.SheetUnknown):
        opening.open_file(file, sheet="Nothing")


def test_a_formula_without_its_value_or_in_error_is_refused_where_it_stands(file: Path) -> None:
    workbooks.xlsx(
        file,
        row("Name", "Email", "Since"),
        row("Zoé", "<c><f>A1&amp;B1</f></c>", '<c t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
    )
    (found,) = rows_in(file)
    assert codes_of_row(found) == [("Email", "formula_without_value"), ("Since", "formula_error")]


def test_an_open_document_says_what_it_means(file: Path) -> None:
    cell = "<table:table-cell office:value-type="
    workbooks.ods(
        file,
        workbooks.ods_row("Text", "Number", "Day", "Yes", "Lines", "Empty", "Note"),
        workbooks.ods_row(
            "Zoé",
            f'{cell}"float" office:value="41000000"><text:p>41 000 000</text:p></table:table-cell>',
            f'{cell}"date" office:date-value="2024-03-02"><text:p>2 mars</text:p>'
            "</table:table-cell>",
            f'{cell}"boolean" office:boolean-value="true"/>',
            f'{cell}"string"><text:p>a<text:s text:c="2"/>b</text:p>\n <text:p>c</text:p>'
            "</table:table-cell>",
            '<table:table-cell table:number-columns-repeated="1"/>',
            f'{cell}"string"><office:annotation><text:p>no</text:p></office:annotation>'
            "<text:p>yes</text:p></table:table-cell>",
            '<table:table-cell table:number-columns-repeated="16000"/>',
        ),
        workbooks.ods_row("", repeated=1_000_000),
        workbooks.ods_row("Ann", repeated=2),
    )
    read = rows_in(file)
    assert read[0].cells == ["Zoé", "41000000", "2024-03-02", "true", "a  b\nc", "", "yes"]
    assert [(found.number, found.cells[0]) for found in read[1:]] == [
        (1_000_003, "Ann"),
        (1_000_004, "Ann"),
    ]


def test_text_in_a_cell_is_text(file: Path) -> None:
    workbooks.xlsx(file, row("Name", "Note"), row(text("<b>"), "a_x000D_b_x"))
    assert cells(file) == [["<b>", "a\rb_x"]]
