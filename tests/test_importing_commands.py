"""`cop import` and `cop export`: here and on a server, as a script and as a person uses them."""

import asyncio
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from rich.console import Console
from sqlmodel import col
from typer.testing import CliRunner

from app import logs
from app.__main__ import cli
from app.commands import preparing, shown
from app.db import Database
from app.models import Activity, ActorKind, Membership, Person
from tests.cast import DTC, Api
from tests.importing import csv_of
from tests.machines import script_of
from tests.processes import Server, ran, serving

MARY = f"mary@example.org,Mary Member,{DTC}"
WRONG = f"nobody,Nobody Known,{DTC}"


def members(tmp_path: Path, *rows: str) -> str:
    """A file with these rows."""
    path = tmp_path / "members.csv"
    path.write_text(csv_of(*rows), "utf-8")
    return str(path)


class Here:
    """`cop` on a database, in a thread of this process: it has a loop of its own there."""

    def __init__(self, url: str, patched: pytest.MonkeyPatch) -> None:
        self.url = url
        self._patched = patched
        patched.setattr(preparing, "prepare", lambda: None)  # the fixture has done it
        patched.setattr(preparing, "database", lambda: Database(url, 2))
        patched.setattr(logs, "configure", lambda *_, **__: None)

    async def cop(self, *arguments: str, typed: str = "", token: str = "") -> tuple[int, str]:
        """The exit code, and all that was said."""
        found = await self._run(arguments, typed, token)
        return found.exit_code, found.output

    async def told(self, *arguments: str, token: str = "") -> tuple[int, Any]:
        """An import with --json: what it is, and its rows."""
        found = await self._run(("import", *arguments, "--json"), "", token)
        return found.exit_code, json.loads(found.stdout)

    async def _run(self, arguments: Sequence[str], typed: str, token: str) -> Result:
        self._patched.setenv("COP_TOKEN", token)
        return await asyncio.to_thread(CliRunner().invoke, cli, arguments, input=typed)


@pytest.fixture
def here(url: str, monkeypatch: pytest.MonkeyPatch) -> Here:
    return Here(url, monkeypatch)


async def people(url: str) -> list[str]:
    async with Api.on(url) as api:
        rows = await api.read(sa.select(Person.name).order_by(col(Person.name)))
        return [row.name for row in rows]


async def running(url: str) -> int:
    """How many memberships run."""
    async with Api.on(url) as api:
        found = sa.select(Membership.id).where(col(Membership.ended_at).is_(None))
        return len(await api.read(found))


# Here


async def test_a_file_is_planned_applied_and_undone_by_the_operator(
    here: Here, tmp_path: Path
) -> None:
    file = members(tmp_path, MARY, f"otto@example.org,Otto Other,{DTC}")
    code, said = await here.told(file, "--plan")
    assert (code, said["import"]["status"], said["import"]["counts"]["created"]) == (
        0,
        "planned",
        2,
    )
    assert said["rows"] == [] and await running(here.url) == 0
    known = said["import"]["id"]
    code, said = await here.told("--id", known, "--apply")
    assert (code, said["import"]["status"]) == (0, "applied")
    assert await people(here.url) == ["Mary Member", "Otto Other"]
    code, said = await here.told(file, "--apply")
    assert (code, said["import"]["counts"]["unchanged"]) == (0, 2)
    code, said = await here.told("--id", known, "--reverse")
    assert (code, said["import"]["status"]) == (0, "reversed")
    assert await people(here.url) == []
    async with Api.on(here.url) as api:
        rows = await api.read(
            sa.select(col(Activity.actor_kind)).where(
                col(Activity.kind).like("membership_import.%")
            )
        )
    assert {row.actor_kind for row in rows} == {ActorKind.SYSTEM}


async def test_rows_that_are_refused_show_in_a_table_and_in_the_exit_code(
    here: Here, tmp_path: Path
) -> None:
    file, report = members(tmp_path, MARY, WRONG), tmp_path / "report.csv"
    code, said = await here.cop("import", file, "--apply", "--report", str(report))
    assert code == 3, said
    for part in ("1 created", "1 refused", "applied", "email_invalid", "nobody"):
        assert (part in said) == (part != "nobody"), said
    with report.open(encoding="utf-8-sig", newline="") as lines:
        found = list(csv.reader(lines))
    assert [row[:2] for row in found[1:]] == [MARY.split(",")[:2], WRONG.split(",")[:2]]
    assert report.stat().st_mode & 0o777 == 0o600
    report.write_text(report.read_text("utf-8").replace("nobody,", "nell@example.org,"), "utf-8")
    code, said = await here.told(str(report), "--apply")
    assert (code, said["import"]["counts"]) == (
        0,
        {
            "created": 1,
            "changed": 0,
            "unchanged": 1,
            "ended": 0,
            "refused": 0,
            "kept": 0,
            "noted": 0,
        },
    )


async def test_what_waits_for_somebody_to_look_at_it_has_a_code_of_its_own(
    here: Here, tmp_path: Path
) -> None:
    file = members(tmp_path, MARY, WRONG)
    code, said = await here.told(file, "--apply", "--handling", "all_or_nothing")
    assert (code, said["import"]["status"]) == (4, "planned")
    assert said["import"]["problem"]["code"] == "import.rows_refused"
    odd = tmp_path / "odd.csv"
    odd.write_text("Wer,Wo\nMary,Here\n", "utf-8")
    code, text = await here.cop("import", str(odd))
    assert code == 4 and "No column was recognised as: email" in text and "Wer, Wo" in text
    mapping = tmp_path / "mapping.json"
    columns = {"Wer": "name", "Wo": "email"}
    mapping.write_text(json.dumps({"columns": columns}), "utf-8")
    code, said = await here.told(str(odd), "--community", DTC, "--mapping", str(mapping))
    assert (code, said["rows"][0]["findings"][0]["code"]) == (3, "email_invalid")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Name a file"),
        (["missing.csv"], 2, "There is no file"),
        (["{file}", "--plan", "--apply"], 2, "exclude each other"),
        (["{file}", "--reverse"], 2, "exclude each other"),
        (["{file}", "--server", "https://example.org"], 2, "COP_TOKEN"),
        (["{file}", "--community", "no-such"], 1, "[not_found]"),
        (["{file}", "--mode", "sync"], 1, "[import.source_required]"),
        (["{file}", "--language", "de"], 1, "language"),
        (["--id", "7"], 1, "is a UUID"),
        (["{picture}"], 1, "[import.format_unsupported]"),
        (["{unclosed}"], 1, "(row: 2)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
async def test_what_cannot_be_done_is_said_in_a_line(
    here: Here, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    picture = tmp_path / "members.xlsx"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    file, unclosed = members(tmp_path, MARY), tmp_path / "unclosed.csv"
    unclosed.write_text('Name,E-mail,Communities\n"Mary Member,mary@example.org\n', "utf-8")
    given = [one.format(file=file, picture=picture, unclosed=unclosed) for one in arguments]
    ended, text = await here.cop("import", *given)
    assert (ended, said in text) == (code, True), text
    assert "Traceback" not in text


async def test_a_roster_is_written_to_a_file_and_reads_as_unchanged(
    here: Here, tmp_path: Path
) -> None:
    await here.cop("import", members(tmp_path, MARY), "--apply")
    out = tmp_path / "roster.xlsx"
    code, said = await here.cop("export", "--format", "xlsx", "--out", str(out))
    assert (code, said) == (0, "")
    code, told = await here.told(str(out), "--apply", "--mode", "update")
    assert (code, told["import"]["counts"]["unchanged"], told["rows"]) == (0, 1, [])
    code, said = await here.cop("export", "--community", DTC, "--category", "observer")
    assert (code, said.count("\n")) == (0, 1)
    code, said = await here.cop("export", "--as-of", "2999-01-01", "--out", str(out))
    assert (code, "as_of" in said, out.is_file()) == (1, True, True)
    assert not list(tmp_path.glob("*.part"))


async def test_it_is_a_command_of_its_own(url: str, tmp_path: Path) -> None:
    file, log = members(tmp_path, MARY), tmp_path / "cop.log"
    code, said = await ran(url, log, "import", file, "--apply", data_dir=tmp_path)
    assert (code, "is applied: 1 created" in said) == (0, True), said
    assert await people(url) == ["Mary Member"]


# On a server


async def token_of_staff(url: str) -> str:
    async with Api.on(url) as api:
        staff = await api.staff()
        script = await script_of(staff, "memberships:import", "memberships:export")
        return script.token


async def test_the_same_on_a_server_with_a_token(here: Here, url: str, tmp_path: Path) -> None:
    token = await token_of_staff(url)
    file = members(tmp_path, MARY, WRONG)
    async with serving(url, tmp_path / "serve.log", "--worker", data_dir=tmp_path) as server:
        where = ("--server", server.url)
        code, said = await here.told(file, "--apply", *where, token=token)
        assert (code, said["import"]["status"]) == (3, "applied")
        assert [row["findings"][0]["code"] for row in said["rows"]] == ["email_invalid"]
        assert said["import"]["created_by"]["kind"] == "person"
        known = said["import"]["id"]
        code, text = await here.cop(
            "export", "--token-stdin", *where, "--community", DTC, typed=f"{token}\n"
        )
        assert (code, "Mary Member" in text) == (0, True)
        code, said = await here.told("--id", known, "--reverse", *where, token=token)
        assert (code, said["import"]["status"]) == (0, "reversed")
        await refusals(here, server, file, token)
    assert token not in (tmp_path / "serve.log").read_text("utf-8")


async def refusals(here: Here, server: Server, file: str, token: str) -> None:
    """What a server says no to, and what never gets there."""
    where = ("--server", server.url)
    code, said = await here.cop("import", file, *where, token="cop_pat_nonsense")
    assert (code, "auth." in said) == (1, True), said
    code, said = await here.cop("export", "--community", "no-such", *where, token=token)
    assert (code, "[not_found]" in said) == (1, True), said
    unclosed = Path(file).with_name("unclosed.csv")
    unclosed.write_text('Name,E-mail,Communities\n"Mary Member,mary@example.org\n', "utf-8")
    code, said = await here.cop("import", str(unclosed), *where, token=token)
    assert (code, "(row: 2)" in said) == (1, True), said
    code, said = await here.cop("import", file, "--server", "http://127.0.0.1:9", token=token)
    assert (code, "cannot be reached" in said) == (1, True), said
    code, said = await here.cop("import", file, "--server", "http://example.org", token=token)
    assert (code, "https://" in said) == (1, True), said


# What is shown


async def test_a_long_list_of_problems_is_cut_short_and_says_so() -> None:
    detail = {"en": "It is [bold]no[/bold] address.", "fr": "Ce n'est pas une adresse."}
    one = {"column": "E-mail", "code": "email_invalid", "refuses": True, "detail": detail}

    async def rows() -> Any:
        for number in range(60):
            yield {"number": number, "outcome": "refused", "findings": [one]}

    console = Console(record=True, width=120, file=io.StringIO())
    assert len(await shown.problems(console, rows())) == 60
    said = console.export_text()
    assert "[bold]no[/bold]" in said and "And 10 more" in said
    assert said.count("email_invalid") == shown.MOST_PROBLEMS


async def test_a_bar_shows_how_far_it_is() -> None:
    console = Console(force_terminal=True, width=100, file=io.StringIO())
    with shown.bar(console) as bar:
        for status, read, done in (("waiting", 0, 0), ("planning", 5, 0), ("applying", 10, 4)):
            about = {"rows_read": read, "rows_done": done, "rows_expected": 10, "rows_to_do": 20}
            bar.show({"status": status, "progress": about})
    said = console.file.getvalue()
    assert "Planning" in said and "5/10" in said
    assert "Applying" in said and "4/20" in said
