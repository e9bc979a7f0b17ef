"""Hostile files of memberships are refused within seconds, cost no memory and leave nothing."""

import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from app import import_errors
from app.membership_files import archives, opening
from tests import workbooks
from tests.membership_samples import cells, codes_of_row, headings_in, rows_in, written
from tests.workbooks import row

TWO = "Name,Email\r\nZoé,zoe@example.org\r\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


# What is too much


def test_500_columns_are_read_and_5000_refused(file: Path) -> None:
    few, many = ([f"column {index}" for index in range(count)] for count in (500, 5_000))
    assert len(headings_in(written(file, ",".join(few) + "\n" + ",".join(few)))) == 500
    refused = (
        written(file.with_name("csv"), ",".join(many) + "\n" + ",".join(many)),
        workbooks.xlsx(file.with_name("xlsx"), row(*many), row(*many)),
        workbooks.ods(file.with_name("ods"), workbooks.ods_row(*many)),
        written(file.with_name("json"), json.dumps([dict.fromkeys(many, 1)])),
        workbooks.xlsx(file.with_name("far"), row("A"), row('<c r="XFD2"><v>1</v></c>')),
    )
    for path in refused:
        with pytest.raises(import_errors.TooManyColumns):
            rows_in(path)


def test_a_million_rows_are_the_most(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_ROWS", 3)
    assert len(rows_in(written(file, "Name\n" + "a\n" * 3))) == 3
    with pytest.raises(import_errors.TooManyRows):
        rows_in(written(file, "Name\n" + "a\n" * 4))


LONG = "x" * 1_000_000


def long_cells(folder: Path) -> dict[str, Path]:
    """A cell of a million characters in every kind of file, and a good row below it."""
    shared = row('<c t="s"><v>0</v></c>', "b")
    return {
        "csv": written(folder / "a", f"A,B\n{LONG},b\nc,d\n"),
        "quoted": written(folder / "b", f'A,B\n"{LONG}\n{LONG},"",",b\nc,d\n'),
        "xlsx": workbooks.xlsx(folder / "c", row("A", "B"), row(LONG, "b"), row("c", "d")),
        "shared": workbooks.xlsx(
            folder / "d", row("A", "B"), shared, row("c", "d"), strings=(f"<t>{LONG}</t>",)
        ),
        "ods": workbooks.ods(
            folder / "e",
            workbooks.ods_row("A", "B"),
            workbooks.ods_row(LONG, "b"),
            workbooks.ods_row("c", "d"),
        ),
        "ndjson": written(folder / "f", f'{{"A": "{LONG}", "B": "b"}}\n{{"A": "c", "B": "d"}}\n'),
    }


@pytest.mark.parametrize("kind", ["csv", "quoted", "xlsx", "shared", "ods", "ndjson"])
def test_a_cell_of_a_million_characters_costs_its_row_and_no_memory(
    tmp_path: Path, kind: str
) -> None:
    path = long_cells(tmp_path)[kind]
    tracemalloc.start()
    read = rows_in(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {code for _, code in codes_of_row(read[0])} <= {"cell_too_long", "row_too_long"}
    assert read[0].findings
    assert (list(read[-1].cells), read[-1].findings) == (["c", "d"], ())
    assert peak < 4_000_000


def test_a_cell_of_32768_characters_is_the_longest(file: Path) -> None:
    good, bad = rows_in(written(file, f"A,B\n{'x' * 32_768},b\n{'x' * 32_769},b\n"))
    assert good.findings == ()
    assert codes_of_row(bad) == [("A", "cell_too_long")]


def test_memory_does_not_grow_with_the_file(file: Path) -> None:
    peaks = []
    for count in (2_000, 20_000):
        strings = [f"<t>text {index}</t>" for index in range(count)]
        rows = [row(f'<c t="s"><v>{index}</v></c>', "b") for index in range(count)]
        workbooks.xlsx(file, row("A", "B"), *rows, strings=strings)
        tracemalloc.start()
        with opening.open_file(file) as table:
            assert sum(1 for _ in table.rows) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000


# Archives that are made to harm


def test_a_bomb_is_refused_by_its_directory_and_nothing_unpacked(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = workbooks.book(("Members", "visible"))
    parts.append(("xl/worksheets/sheet1.xml", b" " * 50_000_000))
    workbooks.archive(file, parts)
    assert file.stat().st_size < 100_000

    def unpacked(*_: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "open", unpacked)
    with pytest.raises(import_errors.ArchiveTooLarge):
        opening.open_file(file)


def test_a_directory_that_understates_a_part_cuts_it_off(file: Path) -> None:
    parts = workbooks.book(("Members", "visible"))
    parts.append(("xl/worksheets/sheet1.xml", workbooks.sheet(row("Name") * 100_000)))
    workbooks.archive(file, parts)
    said = bytearray(file.read_bytes())
    entry = said.rindex(b"PK\x01\x02")
    said[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    with pytest.raises(import_errors.WorkbookUnreadable):
        rows_in(written(file, bytes(said)))


def test_an_archive_of_thousands_of_parts_is_refused_unread(file: Path) -> None:
    workbooks.archive(file, [(f"xl/{index}", "") for index in range(archives.MOST_PARTS + 1)])
    with pytest.raises(import_errors.ArchiveTooLarge):
        opening.open_file(file)


@pytest.mark.parametrize("flag", [0x20, 0x40])
def test_a_part_that_is_packed_in_an_unheard_of_way_is_refused(file: Path, flag: int) -> None:
    workbooks.xlsx(file, row("Name"), row("Zoé"))
    said = bytearray(file.read_bytes())
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        said[said.index(mark) + place] |= flag
    with pytest.raises(import_errors.WorkbookUnreadable):
        rows_in(written(file, bytes(said)))


def test_a_day_beyond_the_calendar_is_refused(file: Path) -> None:
    counted = '<workbookPr date1904="1"/>'
    last = '<c s="1"><v>2958465</v></c>'
    workbooks.xlsx(file, row("Day"), row(last), properties=counted)
    with pytest.raises(import_errors.WorkbookUnreadable):
        rows_in(file)
    assert cells(workbooks.xlsx(file, row("Day"), row(last))) == [["9999-12-31"]]


def test_a_workbook_with_a_password_says_so(file: Path) -> None:
    workbooks.xlsx(file, row("Name"), row("Zoé"))
    said = bytearray(file.read_bytes())
    said[said.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(import_errors.WorkbookEncrypted):
        opening.open_file(written(file, bytes(said)))


ENTITY = '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>'
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("declared", [ENTITY, LAUGHS, "<!DOCTYPE x>"])
def test_no_workbook_declares_entities(file: Path, declared: str) -> None:
    parts = workbooks.book(("Members", "visible"))
    rows = row("Name") + row("<c t='inlineStr'><is><t>&secret;</t></is></c>")
    parts.append(("xl/worksheets/sheet1.xml", workbooks.sheet(rows, before=declared)))
    spreadsheet = workbooks.ods(file.with_name("ods"), workbooks.ods_row("Name"), before=declared)
    for path in (workbooks.archive(file, parts), spreadsheet):
        with pytest.raises(import_errors.DeclarationRefused):
            rows_in(path)


@pytest.mark.parametrize(
    "rows",
    [
        row("Name") + "<row>",
        row("Name") + "&secret;",
        row("Name") + row('<c t="s"><v>99</v></c>'),
        row("Name") + row('<c t="s"><v>-1</v></c>'),
        row("Name") + row('<c r="name"><v>1</v></c>'),
        row("Name") + '<row r="-5"><c><v>1</v></c></row>',
        row("Name") + f'<row r="{"9" * 5_000}"><c><v>1</v></c></row>',
        row("Name") + f"<!--{'x' * 3_000_000}-->" + row("a"),
        row("Name") + f'<row spans="{"x" * 3_000_000}"></row>' + row("a"),
    ],
)
def test_a_sheet_that_is_not_made_as_sheets_are_is_refused(file: Path, rows: str) -> None:
    parts = workbooks.book(("Members", "visible"))
    parts.append(("xl/worksheets/sheet1.xml", workbooks.sheet(rows)))
    with pytest.raises(import_errors.WorkbookUnreadable):
        rows_in(workbooks.archive(file, parts))


def test_a_value_in_the_last_corner_of_a_sheet_reserves_nothing(file: Path) -> None:
    corner = '<row r="1048576"><c r="B1048576" t="inlineStr"><is><t>b</t></is></c></row>'
    workbooks.xlsx(file, row("A", "B"), corner)
    tracemalloc.start()
    (found,) = rows_in(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.number, found.cells) == (1_048_576, ["", "b"])
    assert peak < 2_000_000


def test_a_row_that_is_repeated_without_end_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "MOST_ROWS", 1_000)
    workbooks.ods(file, workbooks.ods_row("Name"), workbooks.ods_row("a", repeated=10**9))
    with pytest.raises(import_errors.TooManyRows):
        rows_in(file)


# Nothing is left behind


def open_files() -> set[str]:
    """What this process holds open."""
    found = (Path("/proc/self/fd") / one for one in os.listdir("/proc/self/fd"))
    return {os.readlink(one) for one in found if one.exists()}


def test_nothing_stays_open_or_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / "left"
    left.mkdir()
    monkeypatch.setenv("TMPDIR", str(left))
    monkeypatch.setattr("tempfile.tempdir", None)
    paths = [
        written(tmp_path / "csv", TWO.replace("zoe@", "zoe at ")),
        written(tmp_path / "json", '[{"a": 1}, {"a": 2}]'),
        workbooks.xlsx(tmp_path / "xlsx", row("A"), row("a"), row("b"), strings=("<t>x</t>",)),
        workbooks.xlsx(tmp_path / "bad", row("A"), row('<c t="s"><v>7</v></c>'), strings=("",)),
    ]
    for path in paths:
        try:
            with opening.open_file(path) as table:
                next(table.rows)
        except import_errors.WorkbookUnreadable:
            assert path.name == "bad"
    assert [one for one in open_files() if str(tmp_path) in one] == []
    assert list(left.iterdir()) == []


async def test_rows_come_in_batches_from_a_thread(file: Path) -> None:
    written(file, "Name\n" + "a\n" * 5)
    with opening.open_file(file) as table:
        sizes = [len(batch) async for batch in opening.batches(table.rows, 2)]
    assert sizes == [2, 2, 1]
