"""Rosters as files: what the roster shows, to whom it shows it, recorded, and read again."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.membership_files import mapping, opening
from app.membership_files.reading import Reader
from app.membership_files.rows import ReadRow
from app.models import Activity, Community, Membership, Person, PersonSource
from app.schemas.membership_exports import ExportFormat
from app.services import membership_exports
from tests.answers import because, code, ok, told
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day, on, unknown_id
from tests.granting import grant
from tests.machines import machine_of, partner_of, script_of
from tests.membership_samples import known
from tests.places import unlisted
from tests.test_statements import counted

EXPORT = f"/communities/{DTC}/memberships/export"
EVERYWHERE = "/memberships/export"
EXPORTER = "memberships:export"
IDENTITY = [name for name, private in membership_exports.COLUMNS.items() if not private]


def table(answer: httpx.Response) -> list[dict[str, str]]:
    """A CSV file by its headings."""
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def listed(by: Someone, path: str = EXPORT, **query: str) -> list[dict[str, Any]]:
    """A file as JSON."""
    answer = await by.get(path, params={"format": "json"} | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def exported(api: Api) -> list[Any]:
    """The records of exports, in their order."""
    found = sa.select(Activity).where(col(Activity.kind).like("memberships.exported%"))
    return [row[0] for row in await api.read(found.order_by(col(Activity.id)))]


async def secretary(api: Api) -> Someone:
    return await api.leader("Sue Secretary", "secretary")


# The file


async def test_a_roster_is_taken_away_as_csv(api: Api) -> None:
    sue, mary = await secretary(api), await api.member("Mary Member")
    about = {"territory": "CA-QC", "occupation_code": "judge", "area_of_interest": "one,\ntwo"}
    await api.change(Person, mary.id, **about, language="fr", affiliation="=HYPERLINK(A1)")
    await api.change(Membership, mary.memberships[DTC], category="academic", until_on=on(30))
    answer = await sue.get(EXPORT)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    name = f"memberships-{DTC}-{day(0)}.csv"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["cache-control"] == "private, no-cache"
    _, row = table(answer)
    assert list(row) == list(membership_exports.COLUMNS)
    assert row == {
        "name": "Mary Member",
        "email": mary.email,
        "community": DTC,
        "category": "academic",
        "since_on": day(-366),
        "until_on": day(30),
        "occupation": "Court coordinator",
        "affiliation": "'=HYPERLINK(A1)",
        "language": "fr",
        "external_id": "",
        "membership_state": "active",
        "membership_id": str(mary.memberships[DTC]),
        "person_id": str(mary.id),
        **about,
    }


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("json", "application/json"),
        ("ndjson", "application/x-ndjson"),
    ],
)
async def test_every_format_says_the_same(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, kind: str
) -> None:
    monkeypatch.setattr(membership_exports, "PAGE", 2)
    sue = await secretary(api)
    for number in range(4):  # with hers, two pages and a half
        await api.member(f"Mary {number}")
    answer = await sue.get(EXPORT, params={"format": form})
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"].endswith(f'.{form}"')
    path = tmp_path / "file"
    path.write_bytes(answer.content)
    with opening.open_file(path) as found:
        assert found.format.value == form
        cells = [list(row.cells) for row in found.rows]
        assert found.headings == list(membership_exports.COLUMNS)
    rows = await listed(sue)
    assert len(rows) == 5
    assert cells == [[value or "" for value in row.values()] for row in rows]


async def test_an_unknown_format_is_refused(api: Api) -> None:
    sue = await secretary(api)
    assert code(await sue.get(EXPORT, params={"format": "pdf"}), 422) == "validation.failed"


async def test_a_roster_that_is_too_long_for_a_file_is_refused_before_it_begins(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    sue, _ = await secretary(api), await api.member("Mary")
    monkeypatch.setattr(membership_exports, "MOST_ROWS", 1)
    assert code(await sue.get(EXPORT), 422) == "export.too_large"
    assert await exported(api) == []
    monkeypatch.setattr(membership_exports, "MOST_ROWS", 2)
    assert len(table(await sue.get(EXPORT))) == 2


# Who may, and what they see


async def test_exporting_is_not_for_everybody_who_reads_the_roster(api: Api) -> None:
    mary, vera = await api.member("Mary"), await api.leader("Vera Vice", "vice_chair")
    sue, _ = await secretary(api), await api.leader("Cy Chair", "chair")  # or Vera would act
    for someone in (mary, vera):
        assert ok(await someone.get(f"/communities/{DTC}/memberships"))["items"]
        assert because(await someone.get(EXPORT)) == ["position_required"]
    assert (await sue.get(EXPORT)).status_code == 200
    assert (await api.get(EXPORT)).status_code == 401
    elsewhere = f"/communities/{WELLNESS}/memberships/export"
    assert because(await sue.get(elsewhere)) == ["position_required"]


async def test_who_may_not_read_what_is_private_takes_the_identity_lines(api: Api) -> None:
    staff, second = await api.staff(), await api.staff("Sam Staff")
    await grant(staff, second, EXPORTER, "member_at_large", "staff")
    lena, mary = await api.leader("Lena Large", "member_at_large"), await api.member("Mary")
    await api.change(Membership, mary.memberships[DTC], until_on=on(3))
    answer = await lena.get(EXPORT)
    assert list(table(answer)[0]) == IDENTITY
    assert mary.email not in answer.text
    assert table(answer)[1]["until_on"] == day(3)
    for row in await listed(lena):
        hidden = {name: row[name] for name in row if name not in IDENTITY}
        assert set(hidden.values()) == {None} and "email" in hidden
    for query in ({"status": "ended"}, {"territory": "CA-ON"}, {"as_of": day(-1)}):
        assert because(await lena.get(EXPORT, params=query)) == ["position_required"]
    assert {row.facts["private"] for row in await exported(api)} == {False}


async def test_a_restricted_community_is_for_those_whom_its_roster_shows(api: Api) -> None:
    path = f"/communities/{ROUNDTABLE}/memberships/export"
    staff, sue = await api.staff(), await secretary(api)
    judge = await api.member("Judge Judy", ROUNDTABLE)
    assert [row["name"] for row in await listed(staff, path)] == ["Judge Judy"]
    unknown = await sue.get(f"/communities/{unknown_id()}/memberships/export")
    assert told(await sue.get(path)) == told(unknown)
    assert told(await judge.get(path)) == told(unknown)  # nobody has verified her yet


async def test_the_association_takes_all_rosters_at_once(api: Api) -> None:
    staff, sue, chair = await api.staff(), await secretary(api), await api.leader("Cy", "chair")
    await unlisted(api, "current-issues")
    where = (DTC, WELLNESS, ROUNDTABLE, "current-issues")
    mary = await api.person("Mary Member")
    for community in where:
        await api.join(mary, community)
    found = [
        row["community"] for row in await listed(staff, EVERYWHERE) if row["name"] == mary.name
    ]
    assert sorted(found) == sorted(where)
    for someone in (sue, chair):
        assert because(await someone.get(EVERYWHERE)) == ["position_required"]
    assert (await api.get(EVERYWHERE)).status_code == 401


async def test_a_partner_takes_the_rosters_that_are_open_to_all(api: Api) -> None:
    staff = await api.staff()
    await unlisted(api, "current-issues")
    mary = await api.person("Mary Member")
    for community in (DTC, WELLNESS, ROUNDTABLE, "current-issues"):
        await api.join(mary, community)
    partner = await machine_of(staff, await partner_of(staff, EXPORTER))
    rows = await listed(partner, EVERYWHERE)
    assert {row["community"] for row in rows} == {DTC, WELLNESS}
    assert {row["email"] for row in rows} == {None}
    here = [str(await api.community_id())]
    confined = await machine_of(staff, await partner_of(staff, EXPORTER, communities=here))
    assert len(await listed(confined)) == 1
    assert because(await confined.get(EVERYWHERE)) == ["token_scope"]


async def test_a_token_for_one_community_takes_away_no_other(api: Api) -> None:
    staff = await api.staff()
    await api.member("Mary")
    here = [str(await api.community_id())]
    script = await script_of(staff, EXPORTER, communities=here)
    assert len(await listed(script)) == 1
    assert because(await script.get(EVERYWHERE)) == ["token_scope"]
    assert len(await listed(await script_of(staff, EXPORTER), EVERYWHERE)) == 1


# The same as the roster


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"category": "observer"},
        {"status": "ended"},
        {"status": "suspended"},
        {"status": "planned"},
        {"territory": "CA-ON"},
        {"occupation_code": "judge"},
        {"joined_after": day(-100)},
        {"joined_before": day(-100)},
        {"q": "olivia"},
        {"q": "ontario.example"},
        {"as_of": day(-200)},
        {"updated_after": "2020-01-01T00:00:00Z"},
    ],
    ids=lambda query: ".".join(query) or "none",
)
async def test_a_file_has_what_the_roster_has_by_the_same_filters(
    api: Api, query: dict[str, str]
) -> None:
    sue = await secretary(api)
    olivia, ended, coming, resting = [
        await api.member(name) for name in ("Olivia", "Ed Ended", "Cora Coming", "Rae Resting")
    ]
    judge = {"territory": "CA-ON", "occupation_code": "judge", "email": "o@ontario.example.org"}
    await api.change(Person, olivia.id, **judge)
    since = {"category": "observer", "since_on": on(-10)}
    await api.change(Membership, olivia.memberships[DTC], **since)
    await api.ended_membership(ended)
    await api.change(Membership, coming.memberships[DTC], since_on=on(5))
    body = {"until_on": day(3), "reason": "After three warnings."}
    staff = await api.staff()
    ok(await staff.put(f"/memberships/{resting.memberships[DTC]}/suspension", body))
    roster = ok(await sue.get(f"/communities/{DTC}/memberships", params=query))["items"]
    rows = await listed(sue, **query)
    assert [row["membership_id"] for row in rows] == [item["id"] for item in roster]
    assert [row["membership_state"] for row in rows] == [item["status"] for item in roster]
    assert 0 < len(roster) <= 5


async def test_an_ended_membership_has_the_day_of_its_end(api: Api) -> None:
    sue, ed = await secretary(api), await api.member("Ed Ended")
    await api.ended_membership(ed)
    (row,) = await listed(sue, status="ended")
    assert (row["until_on"], row["membership_state"]) == (day(0), "ended")
    (before,) = [row for row in await listed(sue, as_of=day(-3)) if row["name"] == "Ed Ended"]
    assert (before["until_on"], before["membership_state"]) == (None, "active")


async def test_the_number_that_another_system_has_for_a_person(api: Api) -> None:
    sue, staff, mary = await secretary(api), await api.staff(), await api.member("Mary")
    here = await api.community_id()
    async with api.database.work() as work:
        for place, source, number in (
            (here, "club_express", "A1"),
            (here, "wild_apricot", "30512"),
            (None, "wild_apricot", "99"),
        ):
            work.add(
                PersonSource(
                    community_id=place, source=source, external_id=number, person_id=mary.id
                )
            )

    async def numbers(by: Someone, path: str, **query: str) -> set[str | None]:
        rows = await listed(by, path, **query)
        return {row["external_id"] for row in rows if row["name"] == "Mary"}

    assert await numbers(sue, EXPORT, source="wild_apricot") == {"30512"}
    assert await numbers(staff, EVERYWHERE, source="wild_apricot") == {"99"}
    assert await numbers(sue, EXPORT) == {None}


# What an import makes of it


def read_again(file: bytes, path: Path) -> list[ReadRow]:
    """A file as an import reads it, with nobody to say what its columns are."""
    path.write_bytes(file)
    communities = known().communities
    with opening.open_file(path) as found:
        suggestion = mapping.suggest(found.format, found.headings, [], communities)
        assert not suggestion.missing and not suggestion.unclear
        assert suggestion.unknown == ["membership_state", "membership_id", "person_id"]
        chosen = mapping.as_mapping(suggestion)
        return list(Reader(found.headings, chosen, known()).rows(found.rows))


@pytest.mark.parametrize("form", ExportFormat)
async def test_an_import_recognises_every_column_and_reads_what_was_there(
    api: Api, tmp_path: Path, form: ExportFormat
) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member", occupation="-> clerk")
    await api.join(mary, WELLNESS)
    about = {"territory": "CA-QC", "occupation_code": "judge", "area_of_interest": "@home\n= it"}
    await api.change(Person, mary.id, **about, language="fr")
    await api.change(Membership, mary.memberships[WELLNESS], category="staff", until_on=on(9))
    answer = await staff.get(EVERYWHERE, params={"format": form.value})
    first, second = read_again(answer.content, tmp_path / "file")
    assert first.findings == second.findings == []
    said = first.values
    assert {name: getattr(said, name) for name in about} == about
    assert (said.name, said.email, said.language) == (mary.name, mary.email, "fr")
    assert (said.occupation, said.affiliation) == ("-> clerk", "Provincial Court")
    assert (said.communities, said.since_on, said.until_on) == ((DTC,), on(-366), None)
    assert second.values.communities == (WELLNESS,) and second.adds_to == first.number
    assert (second.values.category, second.values.until_on) == ("staff", on(9))


# The log


async def test_each_export_is_on_the_log_and_says_nothing_personal(api: Api) -> None:
    sue, staff = await secretary(api), await api.staff()
    query = {
        "format": "ndjson",
        "category": ["observer", "practitioner"],
        "territory": ["CA-ON", "Mary Member"],
        "occupation_code": "judge",
        "as_of": day(-3),
        "q": "Mary Member",
    }
    assert (await sue.get(EXPORT, params=query)).content == b""
    assert (await staff.get(EVERYWHERE, params={"joined_after": day(-9)})).status_code == 200
    one, other = await exported(api)
    here = await api.community_id()
    assert (one.kind, one.actor_id, one.subject_id) == ("memberships.exported", sue.id, str(here))
    assert (one.community_id, one.facts) == (
        here,
        {
            "format": "ndjson",
            "rows": 0,
            "private": True,
            "filters": sorted(
                [
                    "category=observer",
                    "category=practitioner",
                    "territory=?",
                    "territory=CA-ON",
                    "occupation_code=judge",
                    f"as_of={day(-3)}",
                    "q",
                ]
            ),
        },
    )
    assert (other.kind, other.actor_id, other.community_id) == (
        "memberships.exported_everywhere",
        staff.id,
        None,
    )
    assert other.facts["filters"] == [f"joined_after={day(-9)}"]
    assert (other.facts["rows"], other.facts["format"]) == (0, "csv")
    assert "Mary" not in json.dumps([one.facts, other.facts])
    log = ok(await sue.get(f"/communities/{DTC}/audit-log"))["items"]
    assert "memberships.exported" in {item["kind"] for item in log}


# A stream


async def test_a_longer_file_takes_a_statement_for_each_page(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership_exports, "PAGE", 4)
    sue, sent = await secretary(api), list[int]()
    await listed(sue)  # what is remembered of the permission table is read once
    for _ in range(3):
        for number in range(4):
            await api.member(f"Mary {len(sent)} {number}")
        with counted(api.database, monkeypatch) as tally:
            assert len(await listed(sue)) == 1 + 4 * (len(sent) + 1)
        sent.append(len(tally.sent))
    assert sent[1] - sent[0] == sent[2] - sent[1] == 1


async def test_a_client_that_goes_away_leaves_nothing_open(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership_exports, "PAGE", 1)
    sue = await secretary(api)
    for number in range(3):
        await api.member(f"Mary {number}")
    for form in ExportFormat:
        path = f"/api/v1{EXPORT}?format={form.value}"
        assert 0 < await cut_off(api, sue, path, after=2) <= 2
    assert api.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert len(await exported(api)) == len(ExportFormat)
    await api.change(Community, await api.community_id(), place=1)  # nobody holds a lock


@pytest.mark.parametrize("ended", ["position", "private details", None])
async def test_a_file_is_broken_off_when_the_right_to_it_ends(
    api: Api, monkeypatch: pytest.MonkeyPatch, ended: str | None
) -> None:
    monkeypatch.setattr(membership_exports, "PAGE", 1)
    monkeypatch.setattr(membership_exports, "LOOK_SECONDS", 0.0)
    sue, staff = await secretary(api), await api.staff()
    president = await api.staff("Pia President", "president")
    for number in range(3):
        await api.member(f"Mary {number}")

    async def end() -> None:
        if ended == "position":
            path = f"/terms/{sue.terms['secretary']}/removal"
            ok(await staff.post(path, {"reason": "Has left."}), 201)
        elif ended == "private details":
            await grant(staff, president, "memberships:read_private", "staff")

    came = await cut_off(api, sue, f"/api/v1{EXPORT}?format=csv", after=2, then=end)
    # Whole: its beginning, a page for each member, its end, and that it is at its end.
    assert came == (7 if ended is None else 2)


async def cut_off(
    api: Api, by: Someone, path: str, *, after: int, then: Callable[[], Any] | None = None
) -> int:
    """Asks for something and hangs up after so many pieces, or does something `then` and takes the
    rest; how many pieces came."""
    came, asked = 0, False
    where, _, query = path.partition("?")

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal came
        if message["type"] == "http.response.body":
            came += 1
            if came == after:
                if then is None:
                    raise OSError("the client is gone")
                await then()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": where,
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"authorization", f"Bearer {by.token}".encode())],
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80),
    }
    await api.edge(scope, receive, send)
    return came
