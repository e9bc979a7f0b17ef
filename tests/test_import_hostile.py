"""Files that mean harm, over HTTP: refused clearly, soon, and nothing of them is left."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import texts, uploads
from app.membership_files.rows import LARGEST_FILE
from app.models import MembershipImport, MembershipImportPiece
from tests.cast import DTC, Api
from tests.importing import IMPORTS, applied, csv_of, outcomes, planned, send
from tests.workbooks import archive, book, row, sheet

HOSTILE = {
    "columns": (csv_of(",".join(["x"] * 5_000), headings=",".join(map(str, range(5_000)))), 422),
    "quotes": (csv_of('"anna@example.org,Anna Addo,' + "x" * 1_000), 422),
    "entities": (b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>", 415),
    "picture": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 500, 415),
    "nothing": (b"", 422),
    "headless": ("anna@example.org,Anna Addo\nben@example.org,Ben Bay\n", 422),
    "nul": (b"a\x00\x00b" * 500, 415),
}


@pytest.fixture(autouse=True)
def own_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files that arrive are written where nobody else writes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


async def left(api: Api) -> int:
    """What is left of uploads: rows, pieces, files on the disk."""
    rows = [*await api.read(sa.select(MembershipImport.id))]
    rows += await api.read(sa.select(MembershipImportPiece.number))
    return len(rows) + len(list(Path(tempfile.gettempdir()).glob("cop-upload-*")))


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_table_is_refused_and_nothing_is_left(api: Api, name: str) -> None:
    staff = await api.staff()
    content, status = HOSTILE[name]
    before = await left(api)
    answer = await send(staff, content, name="members.xlsx")
    assert answer.status_code == status, answer.text
    assert answer.json()["code"].startswith("import.")
    assert await left(api) == before


ENTITY = '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b" " * 50_000_000, "import.archive_too_large"),
        (sheet(row("Name") + row("Anna"), before=ENTITY), "import.declaration_refused"),
    ],
)
async def test_a_workbook_that_means_harm_is_refused(
    api: Api, tmp_path: Path, said: str | bytes, code: str
) -> None:
    staff = await api.staff()
    parts = [*book(("Members", "visible")), ("xl/worksheets/sheet1.xml", said)]
    content = archive(tmp_path / "book.xlsx", parts).read_bytes()
    answer = await send(staff, content, name="members.csv")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await left(api) == 0


async def test_a_cell_of_a_million_characters_refuses_its_row_alone(api: Api) -> None:
    staff = await api.staff()
    rows = f"anna@example.org,{'x' * 1_000_000},{DTC}", f"ben@example.org,Ben Bay,{DTC}"
    job = await planned(staff, csv_of(*rows))
    assert [one[0] for one in await outcomes(staff, job)] == ["refused", "created"]


async def test_a_formula_is_text_in_and_text_out(api: Api) -> None:
    staff = await api.staff()
    file = csv_of(
        f"a@example.org,Anna Addo,{DTC},=cmd|' /C calc'!A0",
        headings="email,name,communities,affiliation",
    )
    job = await applied(staff, file)
    report = (await staff.get(f"{IMPORTS}/{job['id']}/report.csv")).text
    assert "'=cmd" in report and ",=cmd" not in report


async def test_what_breaks_off_after_the_first_rows_fails_the_import(api: Api) -> None:
    staff = await api.staff()
    rows = [f"a{number}@example.org,Anna Addo,{DTC}" for number in range(3_000)]
    job = await planned(staff, csv_of(*rows, '"open'), apply="true")
    assert (job["status"], job["problem"]["code"]) == ("failed", "import.quotes_unclosed")
    assert job["problem"]["rows"] and job["counts"]["created"] == 0


async def stream(size: int) -> AsyncIterator[bytes]:
    """A form with a file of so many bytes."""
    yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    piece = b"anna@example.org,Anna Addo\n" * 40_000
    for _ in range(size // len(piece) + 1):
        yield piece
    yield b"\r\n--b--\r\n"


async def test_a_file_that_is_too_large_is_refused_before_it_is_whole(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = await api.staff()
    monkeypatch.setattr(uploads, "LARGEST_FILE", 5_000_000)
    kind = {"Content-Type": FORM}
    answer = await staff.call("POST", IMPORTS, content=stream(20_000_000), headers=kind)
    assert (answer.status_code, answer.json()["code"]) == (413, "import.file_too_large")
    declared = kind | {"Content-Length": str(LARGEST_FILE * 2)}
    answer = await staff.call("POST", IMPORTS, content=b"--b", headers=declared)
    assert (answer.status_code, answer.json()["code"]) == (413, "import.file_too_large")
    assert await left(api) == 0


FORM = "multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nemail\r\n'
NAMELESS = b"--b\r\nContent-Disposition: form-data\r\n\r\nadd\r\n"
NOT_TEXT = b'--b\r\nContent-Disposition: form-data; name="mode"\r\n\r\n\xff\r\n'
END = b"--b--\r\n"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, FILE),
        (FORM, b"--b\r\n"),
        (FORM, FILE.replace(b"--b", b"--c")),
        ("multipart/form-data", FILE + END),
        (f"multipart/form-data; boundary={'b' * 1_000}", FILE + END),
        (FORM, FILE + NAMELESS + END),
        (FORM, FILE + FILE + END),
        (FORM, FILE + NOT_TEXT + END),
        (FORM, b"".join(FILE.replace(b"file", b"f%d" % part) for part in range(50)) + END),
    ],
    ids=[
        "cut off in the file",
        "cut off before it",
        "another boundary",
        "no boundary",
        "endless boundary",
        "nameless part",
        "two files",
        "not UTF-8",
        "fifty parts",
    ],
)
async def test_a_form_that_cannot_be_read_says_so(api: Api, kind: str, body: bytes) -> None:
    staff = await api.staff()
    headers = {"Content-Type": kind, "Accept-Language": "fr"}
    answer = await staff.call("POST", IMPORTS, content=body, headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "import.form_unreadable")
    assert problem["title"] == texts.text("problems", "import.form_unreadable.title", "fr")
    assert await left(api) == 0


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("application/json", b"{}", 415, "media_type.unsupported"),
        (FORM, END, 422, "validation.failed"),
    ],
)
async def test_what_is_no_form_or_has_no_file_is_told_apart(
    api: Api, kind: str, body: bytes, status: int, code: str
) -> None:
    staff = await api.staff()
    answer = await staff.call("POST", IMPORTS, content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("mode", "erase"),
        ("apply", "perhaps"),
        ("most_ended", "101"),
        ("mapping", "{"),
        ("delimiter", ",,"),
        ("colour", "blue"),
    ],
)
async def test_a_field_that_does_not_fit_is_named(api: Api, field: str, said: str) -> None:
    staff = await api.staff()
    answer = await send(staff, csv_of(f"a@example.org,Anna Addo,{DTC}"), **{field: said})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")


async def test_a_stranger_sends_nothing(api: Api) -> None:
    kind = {"Content-Type": FORM}
    answer = await api.call("POST", IMPORTS, content=stream(1_000), headers=kind)
    assert answer.status_code == 401
