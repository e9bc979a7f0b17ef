"""A report is its input again, harmless in a spreadsheet, and can be sent again as it is."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app import texts
from app.membership_files import opening, reports
from app.membership_files.reports import Outcome
from app.membership_files.rows import Finding
from app.services import import_plans
from tests import test_texts
from tests.membership_samples import DATA, codes, headings_in, read, rows_in

always = settings(
    derandomize=True,
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SIGNS = st.sampled_from("=+-@|%'\t\r\n \"＝")
TEXT = st.text(SIGNS | st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
RUNS = "=+-@\t\r\n"


def report(path: Path, to: Path, language: str = "en") -> Path:
    """The report about a file, in which every row is as it was read."""
    rows = (
        reports.cells_of(
            row.raw, Outcome.REFUSED if row.refused else Outcome.CREATED, row.findings, language
        )
        for row in read(path)
    )
    to.write_bytes(b"".join(reports.document(headings_in(path), rows, language)))
    return to


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", ["wild_apricot_contacts.csv", "form_join_requests.csv"])
def test_a_report_is_sent_again_as_if_it_were_the_input(
    tmp_path: Path, name: str, language: str
) -> None:
    again = report(DATA / name, tmp_path / "report.csv", language)
    assert headings_in(again) == headings_in(DATA / name)
    assert rows_in(again) == rows_in(DATA / name)
    assert [codes(row) for row in read(again)] == [codes(row) for row in read(DATA / name)]


def test_a_report_of_a_report_is_the_report(tmp_path: Path) -> None:
    first = report(DATA / "wild_apricot_contacts.csv", tmp_path / "one")
    assert report(first, tmp_path / "two").read_bytes() == first.read_bytes()


def test_a_report_says_what_became_of_each_row(tmp_path: Path) -> None:
    path = report(DATA / "wild_apricot_contacts.csv", tmp_path / "report.csv", "fr")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        headings, *rows = csv.reader(file)
    assert headings[-2:] == ["Importation : résultat", "Importation : problèmes"]
    assert rows[0][-2:] == ["créé", ""]
    assert rows[13][-2] == "refusé"
    assert rows[13][-1].startswith("Email: ") and rows[13][-1].endswith("[email_invalid]")


def test_no_cell_of_a_report_is_a_formula(tmp_path: Path) -> None:
    path = report(DATA / "wild_apricot_contacts.csv", tmp_path / "report.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert """'=HYPERLINK("http://example.com","x")""" in cells
    assert [cell for cell in cells if cell.lstrip()[:1] in tuple(RUNS)] == []


@always
@given(TEXT)
@example("'=1+1")
@example("''=1+1")
@example(" =1+1")
@example("'")
def test_a_harmless_cell_does_not_run_and_is_read_as_what_it_was(said: str) -> None:
    made = reports.harmless(said)
    assert made.lstrip()[:1] not in tuple(RUNS)
    assert made[:1] not in tuple(RUNS)
    assert reports.restored(made) == said


@always
@given(st.lists(st.lists(TEXT, min_size=2, max_size=2), min_size=1, max_size=4))
@example([["'=1", "=1"]])
@example([["a\r\nb", "\r"]])
def test_any_row_comes_back_from_a_report(tmp_path: Path, rows: list[list[str]]) -> None:
    path = tmp_path / "report"
    given_rows = [["first", "row"], *rows]
    made = (reports.cells_of(row, Outcome.UNCHANGED, [], "en") for row in given_rows)
    path.write_bytes(b"".join(reports.document(["Name", "Note"], made, "en")))
    assert [list(row.cells) for row in rows_in(path)] == [row for row in given_rows if any(row)]


def test_a_heading_cannot_be_a_formula_either(tmp_path: Path) -> None:
    document = b"".join(reports.document(["=A1", "Name"], [], "en")).decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(document)))[0] == "'=A1"


def test_text_that_is_no_unicode_does_not_stop_a_report() -> None:
    rows = [reports.cells_of(["\ud800", ("a", "b")], Outcome.REFUSED, [], "en")]
    assert b"?,a; b,refused," in b"".join(reports.document(["A", "B"], rows, "en"))


def test_a_long_report_comes_in_pieces() -> None:
    rows = (["x" * 1_000] for _ in range(1_000))
    pieces = list(reports.document(["A"], rows, "en"))
    assert len(pieces) > 10
    assert max(map(len, pieces)) < 100_000


# Every code has its sentence

PLANNING = Path(import_plans.__file__).parent


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_sentence_can_be_said_with_its_facts(language: str) -> None:
    facts = {"maximum": 200, "row": 5, "position": 2, "candidates": "a, b", "community": "wellness"}
    facts |= {"name": "Ann Addo", "membership": "01a2"}
    for key in texts.group("imports", language):
        if key.startswith("rows."):
            finding = Finding("Email", key.removeprefix("rows."), facts)
            assert reports.sentence(finding, language).startswith("Email: ")


def test_every_code_that_can_be_found_has_a_sentence_and_every_sentence_a_code() -> None:
    folder = Path(opening.__file__).parent
    raised = set().union(
        *(
            test_texts.given(name, place, folder)
            for name, place in (("NotRead", 0), ("Finding", 1), ("_fault", 0), ("_require", 2))
        )
    )
    raised |= {
        "required",
        "email_invalid",
        "text_too_long",
        "text_control_characters",
        "text_not_unicode",
    }
    told = {
        key.removeprefix("rows.") for key in texts.group("imports", "en") if key.startswith("rows.")
    }
    planned = "".join(path.read_text("utf-8") for path in PLANNING.glob("import_*.py"))
    assert raised <= told
    assert {code for code in told - raised if f'"{code}"' not in planned} == set()
    named = (("Finding", 1), ("_note", 1), ("_refuse", 1), ("keep", 1))
    assert set().union(*(test_texts.given(name, at, PLANNING) for name, at in named)) <= told
