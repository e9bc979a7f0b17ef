"""Files of memberships are read row by row, whatever their names say: tables as text, and JSON."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app import import_errors
from app.membership_files import csv_files, opening
from app.membership_files.detection import detect
from app.membership_files.rows import Format
from tests import workbooks
from tests.membership_samples import cells, codes_of_row, headings_in, rows_in, written
from tests.workbooks import row

often = settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


# What a file is


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"Name,Email\n", Format.CSV),
        ("Name;Email\n".encode("utf-16"), Format.CSV),
        (b'[{"name": 1}]', Format.JSON),
        (b"\xef\xbb\xbf [ ]", Format.JSON),
        (b'{"name": 1}\n', Format.NDJSON),
        (b"[Name],[Email]\n", Format.CSV),
        (b"From a@b.ca Mon Oct  5 10:00:00 2026\nFrom: a@b.ca\n\nx", Format.MBOX),
        (b"From,To\n", Format.CSV),
        (b"PK\x03\x04" + b"\x00" * 26 + b"[Content_Types].xml", Format.XLSX),
        (b"PK\x03\x04" + b"\x00" * 26 + b"mimetype" + workbooks.ODS_TYPE.encode(), Format.ODS),
    ],
)
def test_a_file_is_what_its_bytes_say(head: bytes, kind: Format) -> None:
    for name, declared in (("a.csv", "text/csv"), ("a.xlsx", "application/pdf"), ("", "")):
        assert detect(head, name, declared) is kind


@pytest.mark.parametrize(
    "head",
    [
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 500,
        b"\x1f\x8b\x08\x00",
        b"PK\x05\x06" + b"\x00" * 18,
        b"<!DOCTYPE html><html>",
        b"<?xml version='1.0'?><rows/>",
        bytes(range(256)) * 40,
        "Name,Email\n".encode("utf-32"),
    ],
)
def test_what_is_no_list_of_members_is_refused(file: Path, head: bytes) -> None:
    with pytest.raises(import_errors.FormatUnsupported):
        opening.open_file(written(file, head), "members.csv", "text/csv")


def test_a_workbook_that_is_called_csv_is_read_as_a_workbook(file: Path) -> None:
    workbooks.xlsx(file, row("Name"), row("Zoé"))
    assert [found.cells for found in rows_in(file, "members.csv")] == [["Zoé"]]


def test_an_archive_that_is_no_workbook_is_refused(file: Path) -> None:
    workbooks.archive(file, [("word/document.xml", "<document/>")])
    with pytest.raises(import_errors.FormatUnsupported):
        opening.open_file(file, "members.xlsx")


@pytest.mark.parametrize("said", ["", " \r\n\t", "\ufeff", "Name,Email\n", "Name,Email\n,\n\n"])
def test_a_file_without_rows_is_refused(file: Path, said: str) -> None:
    with pytest.raises(import_errors.NoRows):
        opening.open_file(written(file, said))


def test_a_file_without_headings_is_refused(file: Path) -> None:
    with pytest.raises(import_errors.HeadingsMissing):
        opening.open_file(written(file, "Zoé,zoe@example.org\nAnn,ann@example.org\n"))


def test_a_file_of_more_than_200_mb_is_refused_unread(file: Path) -> None:
    with file.open("wb") as large:
        large.truncate(200_000_001)
    with pytest.raises(import_errors.FileTooLarge):
        opening.open_file(file)


# Tables as text


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", ":"])
def test_every_encoding_and_delimiter_is_found_out(
    file: Path, encoding: str, delimiter: str
) -> None:
    said = f'Nom{delimiter}Rôle\r\nZoë{delimiter}"a{delimiter} ""b""\r\nc"\r\n'
    assert cells(written(file, said, encoding)) == [["Zoë", f'a{delimiter} "b"\r\nc']]


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
LATIN = st.text(st.characters(codec="cp1252", exclude_characters="\x00Ã"), max_size=20)


def spread(path: Path, rows: list[list[str]], encoding: str, delimiter: str) -> Path:
    written_out = io.StringIO(newline="")
    csv.writer(written_out, delimiter=delimiter).writerows([["A", "B", "C"], *rows])
    return written(path, written_out.getvalue(), encoding)


def expected(rows: list[list[str]]) -> list[list[str]]:
    """What is there to be read: a report's apostrophe taken away, no rows that are empty."""
    return [[opening.restored(cell) for cell in found] for found in rows if any(found)]


@often
@given(
    st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=1, max_size=4),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(",;\t|^~"),
)
@example([["\r", "\n", "\r\n"]], "utf-8", ";")
@example([["\u2028", "\x0b\x1c", "\x85"]], "utf-16", ",")
def test_what_a_table_of_any_text_says_is_read_as_it_was_written(
    tmp_path: Path, rows: list[list[str]], encoding: str, delimiter: str
) -> None:
    path = spread(tmp_path / "file", [["x", "y", "z"], *rows], encoding, delimiter)
    assert cells(path) == expected([["x", "y", "z"], *rows])


@often
@given(st.lists(st.lists(LATIN, min_size=3, max_size=3), min_size=1, max_size=4))
def test_windows_1252_is_read_where_it_is_not_utf_8(tmp_path: Path, rows: list[list[str]]) -> None:
    path = spread(tmp_path / "file", [["Zoë", "y", "z"], *rows], "cp1252", ";")
    assert cells(path) == expected([["Zoë", "y", "z"], *rows])


@often
@given(st.binary(max_size=400))
@example(b'Name,"Email\n')
@example(b"PK\x03\x04")
@example(b'{"a": [')
@example(b"\xff\xfea")
def test_no_bytes_do_anything_but_be_read_or_be_refused(tmp_path: Path, said: bytes) -> None:
    path = written(tmp_path / "file", said)
    try:
        found = rows_in(path)
    except import_errors.Problem as refusal:
        assert refusal.code.startswith("import.")
    else:
        assert all(len(one.cells) == len(headings_in(path)) for one in found)


def test_a_line_that_says_the_separator_is_followed(file: Path) -> None:
    assert cells(written(file, "sep=;\r\nName;Groups\r\nZoé;a,b\r\n")) == [["Zoé", "a,b"]]


def test_a_delimiter_that_is_given_is_used(file: Path) -> None:
    written(file, "Name-Email\nZoé-none, as yet\n")
    with opening.open_file(file, delimiter="-") as table:
        assert [list(found.cells) for found in table.rows] == [["Zoé", "none, as yet"]]


def test_one_column_alone_is_a_table_too(file: Path) -> None:
    assert cells(written(file, "Email\na@example.org\nb@example.org\n")) == [
        ["a@example.org"],
        ["b@example.org"],
    ]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(file: Path) -> None:
    written(file, 'Name,Note\nZoé,"two\nlines"\n\nAnn,one\n')
    assert [found.number for found in rows_in(file)] == [2, 4]


def test_headings_are_on_one_line_never_empty_and_never_twice(file: Path) -> None:
    written(file, '"Full\n name", ,Email,Email,\ufeffE\u200bmail,\u3164\na,b,c,d,e,f\n')
    assert headings_in(file) == ["Full name", "#2", "Email", "Email (2)", "E mail", "#6"]


def test_a_row_of_too_many_cells_is_refused_and_a_short_one_filled_up(file: Path) -> None:
    long, short = rows_in(written(file, "Name,Email\na,b,c\nd\n"))
    assert codes_of_row(long) == [(None, "too_many_cells")]
    assert (short.cells, short.findings) == (["d", ""], ())


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ('Name,Email\nZoé,"zoe\n', 2),
        ('Name,Email\nZoé,a\n"Ann,b\nBob,"c"\n', 3),
        ('Name,Email\nZoé,"a"b\n', 2),
        ('Name,Email\nZoé,"' + "a\n" * 200_000, 2),
    ],
)
def test_a_quotation_mark_that_does_not_close_is_refused_where_it_stands(
    file: Path, said: str, number: int
) -> None:
    with pytest.raises(import_errors.QuotesUnclosed) as refusal:
        rows_in(written(file, said))
    assert refusal.value.members == {"row": number}


def test_a_quotation_mark_within_a_word_is_only_that(file: Path) -> None:
    assert cells(written(file, 'Name,Size\nZoé,5" pipe\n')) == [["Zoé", '5" pipe']]


def test_a_file_of_two_encodings_is_refused_and_not_spoilt(file: Path) -> None:
    mixed = "Name\nZoé\n".encode() + "Zoë\n".encode("cp1252")
    with pytest.raises(import_errors.EncodingMixed):
        rows_in(written(file, mixed))


def test_bytes_that_are_no_letters_are_refused(file: Path) -> None:
    with pytest.raises(import_errors.EncodingUnknown):
        rows_in(written(file, b"Name\nZo\x81\n"))


def test_an_accent_after_many_megabytes_decides_the_encoding_too(file: Path) -> None:
    written(file, b"Name\n" + b"Ann\n" * 700_000 + "Zoé\n".encode("cp1252"))
    with opening.open_file(file) as table:
        assert [found.cells for found in table.rows][-1] == ["Zoé"]


def test_delimiters_are_judged_by_all_of_the_first_rows() -> None:
    assert csv_files.delimiter_of("Name;Court, agency\na;b\nc;d, e, f\n") == ";"
    assert csv_files.delimiter_of("Name\nZoé, Ann\n") == ","


# JSON


def test_an_array_of_objects_is_a_table(file: Path) -> None:
    rows = [
        {"name": "Zoé", "communities": ["a", "b"], "person": {"email": "z@x.ca"}},
        {"name": None, "number": 5, "active": True},
    ]
    written(file, json.dumps(rows))
    assert headings_in(file) == ["name", "communities", "person.email", "number", "active"]
    assert cells(file) == [
        ["Zoé", ("a", "b"), "z@x.ca", "", ""],
        ["", "", "", "5", "true"],
    ]


def test_one_object_a_line_is_a_table_and_a_bad_line_one_row(file: Path) -> None:
    written(file, '{"name": "Zoé"}\n\n{"name": NaN}\n[1]\n{"name": "a", "name": "b"}\n')
    read = rows_in(file)
    assert [(found.number, codes_of_row(found)) for found in read] == [
        (1, []),
        (3, [(None, "json_unreadable")]),
        (4, [(None, "not_an_object")]),
        (5, [(None, "json_unreadable")]),
    ]


def test_objects_beyond_one_window_are_read_whole(file: Path) -> None:
    rows = [{"name": f"person {index}", "note": "x" * 200} for index in range(3_000)]
    written(file, json.dumps(rows, indent=1))
    assert [found[0] for found in cells(file)] == [one["name"] for one in rows]


def test_a_member_that_comes_late_is_refused_and_not_lost(file: Path) -> None:
    lines = ['{"name": "a"}'] * 1_000 + ['{"name": "b", "email": "b@example.org"}']
    written(file, "\n".join(lines))
    assert codes_of_row(rows_in(file)[-1]) == [(None, "member_unforeseen")]


@pytest.mark.parametrize(
    "said",
    [
        '[{"a": 1}',
        '[{"a": 1},]',
        '[{"a": 1}] x',
        '[{"a": 1} {"a": 2}]',
        '[{"a": Infinity}]',
        '[{"a": ' + "[" * 100_000,
        '{"a": ' + "[" * 100_000,
        '[{"a": "' + "x" * 1_000_000,
        '[{"a": 1' + "0" * 5_000 + "}]",
    ],
)
def test_json_that_cannot_be_read_is_refused(file: Path, said: str) -> None:
    with pytest.raises(import_errors.JsonUnreadable):
        rows_in(written(file, said))
