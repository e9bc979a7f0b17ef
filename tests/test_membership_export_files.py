"""Lists of members as files: what is read again is what was written, and nothing piles up."""

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.membership_files.exports import WRITERS, Row
from app.membership_files.reports import harmless
from app.schemas.membership_exports import ExportFormat
from tests.membership_samples import cells, headings_in

COLUMNS = ["name", "email", "area_of_interest"]
SIGNS = st.sampled_from("=+-@|%'\t\r\n \"＝<&_x0041_")
TEXT = st.text(SIGNS | st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
always = settings(
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def file_of(form: ExportFormat, rows: list[Row]) -> bytes:
    writer = WRITERS[form](COLUMNS)
    return writer.begin() + writer.rows(rows) + writer.end()


@pytest.mark.parametrize("form", ExportFormat)
@always
@given(text=TEXT)
def test_what_is_written_is_read_again(tmp_path: Path, form: ExportFormat, text: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(file_of(form, [["Mary", "mary@example.org", text], ["Otto", None, ""]]))
    assert headings_in(path) == COLUMNS
    assert cells(path) == [["Mary", "mary@example.org", text], ["Otto", "", ""]]


@pytest.mark.parametrize("form", ExportFormat)
def test_a_file_without_members_has_its_frame_all_the_same(form: ExportFormat) -> None:
    file = file_of(form, [])
    if form is ExportFormat.XLSX:
        sheet = zipfile.ZipFile(io.BytesIO(file)).read("xl/worksheets/sheet1.xml").decode()
        assert "email" in sheet
    else:
        empty = {"csv": "\ufeffname,email,area_of_interest\r\n", "json": "[\n]\n", "ndjson": ""}
        assert file.decode() == empty[form]


def test_json_has_every_member_and_is_left_as_it_is() -> None:
    row = dict(zip(COLUMNS, ["=1+1", None, "'quoted'"], strict=True))
    rows = [list(row.values())] * 2
    assert json.loads(file_of(ExportFormat.JSON, rows)) == [row, row]
    lines = file_of(ExportFormat.NDJSON, rows).decode().splitlines()
    assert [json.loads(line) for line in lines] == [row, row]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "'=1"])
def test_no_cell_of_a_spreadsheet_becomes_a_formula(text: str) -> None:
    rows: list[Row] = [["Mary", "m@example.org", text]]
    assert harmless(text) in file_of(ExportFormat.CSV, rows).decode()
    book = zipfile.ZipFile(io.BytesIO(file_of(ExportFormat.XLSX, rows)))
    sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    kinds = {cell.get("t") for cell in sheet.iter() if cell.tag.endswith("}c")}
    assert kinds == {"inlineStr"} and not [one for one in sheet.iter() if one.tag.endswith("}f")]
    assert harmless(text) in [one.text for one in sheet.iter() if one.tag.endswith("}t")]


@pytest.mark.parametrize("form", ExportFormat)
def test_a_long_file_leaves_as_it_is_written(form: ExportFormat) -> None:
    writer = WRITERS[form](COLUMNS)
    tracemalloc.start()
    sizes = [len(writer.begin())]
    for number in range(200):
        page = [
            [f"Member {number} {row}", f"m{number}.{row}@x.org", "x" * row] for row in range(100)
        ]
        sizes.append(len(writer.rows(page)))
    writer.end()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000
    assert sum(1 for size in sizes if size) > 10


def test_a_workbook_that_nobody_wants_to_its_end_is_let_go() -> None:
    writer = WRITERS[ExportFormat.XLSX](COLUMNS)
    writer.begin()
    for _ in range(2):
        writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.rows([["Mary", None, None]])
