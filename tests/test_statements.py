"""What a list costs does not depend on its length: statements are counted, plans are looked at."""

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app import clock, openapi
from app.db import Database
from app.models import (
    Agreement,
    Community,
    JoinRequest,
    JoinRequestStatus,
    RulesVersion,
    Session,
    Term,
    TermBasis,
    new_id,
)
from tests.cast import DTC, Api, Someone, on

FEW, MANY = 2, 20
# Each list of the contract, as its path; {d} is a discussion with many posts.
PAGED = {
    "list_discussions": f"/communities/{DTC}/discussions",
    "list_posts": "/discussions/{d}/posts",
    "list_communities": "/communities",
    "list_rules_versions": "/rules/versions",
    "list_join_requests": f"/communities/{DTC}/join-requests",
    "list_memberships": f"/communities/{DTC}/memberships",
    "list_my_memberships": "/me/memberships",
    "list_terms": f"/communities/{DTC}/terms",
    "list_association_terms": "/association/terms",
    "list_review_queue": f"/communities/{DTC}/review-queue",
    "list_people": "/people",
    "list_community_audit_log": f"/communities/{DTC}/audit-log",
    "list_audit_log": "/audit-log",
}
GROWING = {"list_my_sessions": "/me/sessions", "list_my_agreements": "/me/agreements"}
# Closed lists, which nothing adds to: each is one statement, whatever is in it.
CLOSED = {
    "list_occupations": "/occupations",
    "list_territories": "/territories",
    "list_positions": "/positions",
    "list_grants": "/grants",
    "get_rules": "/rules",
    "get_rules_version": "/rules/versions/1",
}
# Tables that grow with use: a read that walks through one of them gets slower every day.
GROWS = ("person", "session", "membership", "term", "discussion", "post", "activity", "suspension")


@dataclass
class Tally:
    """The statements that one request has sent."""

    sent: list[tuple[str, Any]] = field(default_factory=list)


@contextmanager
def counted(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tally]:
    """Counts what goes to the database, straight on the driver and through SQLAlchemy."""
    tally = Tally()
    fetch = database.reader.fetch

    async def fetched(sql: str, values: Any) -> Any:
        tally.sent.append((sql, values))
        return await fetch(sql, values)

    def executed(_c: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        tally.sent.append((sql, values))

    engine = database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", executed)
    with monkeypatch.context() as patched:
        patched.setattr(database.reader, "fetch", fetched)
        yield tally
    sa.event.remove(engine, "before_cursor_execute", executed)


class World:
    """Twenty of everything that a list can show, and somebody of the staff who may see it all."""

    def __init__(self, api: Api, staff: Someone, discussion: str) -> None:
        self.api = api
        self.staff = staff
        self.discussion = discussion

    async def get(self, path: str, **parameters: Any) -> list[Any]:
        answer = await self.staff.get(path.replace("{d}", self.discussion), params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


@pytest.fixture
async def world(api: Api) -> AsyncIterator[World]:
    staff = await api.staff()
    members = [await api.member(f"Member {number}") for number in range(MANY)]
    discussions = [await api.discussion(member) for member in members]
    for member in members[1:]:
        post = await api.reply(member, discussions[0])
        await api.report(members[0], post)
    await api.report(members[0], await api.reply(members[1], discussions[0]))
    for number in range(MANY):
        await api.staff(f"Staff {number}")
    for number in range(3):
        name = {"en": f"Court {number}", "fr": f"Tribunal {number}"}
        body = {"slug": f"court-{number}", "name": name, "description": name}
        assert (await staff.post("/communities", body)).status_code == 201
    await by_hand(api, staff, members)
    yield World(api, staff, discussions[0]["id"])


async def by_hand(api: Api, staff: Someone, members: list[Someone]) -> None:
    """What no single request would make twenty of: requests, past terms, versions of rules."""
    now, place = clock.now(), await api.community_id()
    slugs = [row.slug for row in await api.read(sa.select(Community.slug))]
    for slug in slugs:
        await api.join(staff, slug)
    rows: list[Any] = [
        JoinRequest(
            submission_id=new_id(),
            community_id=place,
            status=JoinRequestStatus.PENDING,
            name=f"Applicant {number}",
            email=f"applicant{number}@example.org",
            email_key=f"applicant{number}@example.org",
            occupation="Nurse",
            occupation_code="other",
            affiliation="Clinic",
            area_of_interest="health",
            language="en",
            rules_version=1,
            privacy_notice_version=1,
            submitted_at=now,
            verified_at=now,
            updated_at=now,
        )
        for number in range(MANY)
    ]
    rows += [
        Term(
            community_id=place,
            position_code="chair",
            person_id=member.id,
            starts_on=on(-100 * number - 100),
            ends_on=on(-100 * number - 50),
            free_from=on(-100 * number - 49),
            basis=TermBasis.ELECTION,
            recorded_at=now,
            updated_at=now,
        )
        for number, member in enumerate(members)
    ]
    rows += [
        RulesVersion(number=number, effective_on=on(number), published_at=now)
        for number in range(2, MANY + 1)
    ]
    async with api.database.work() as work:
        work.add_all(rows)


def test_every_list_of_the_contract_is_looked_at(sqlite_api: Api) -> None:
    document = openapi.document(sqlite_api.edge.app)
    schemas = document["components"]["schemas"]
    lists = set()
    for operations in document["paths"].values():
        content = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        name = content.get("application/json", {}).get("schema", {}).get("$ref", "").split("/")[-1]
        if "items" in schemas.get(name, {}).get("properties", {}):
            lists.add(operations["get"]["operationId"])
    assert lists == {*PAGED, *GROWING, *CLOSED}


async def test_a_page_of_twenty_costs_as_many_statements_as_a_page_of_two(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, path in PAGED.items():
        await world.get(path)  # compiled, and the grants remembered
        costs = {}
        for length in (FEW, MANY):
            with counted(world.api.database, monkeypatch) as tally:
                assert len(await world.get(path, limit=length)) == length, name
            costs[length] = len(tally.sent)
        assert costs[FEW] == costs[MANY] <= 6, (name, costs)


async def test_lists_without_pages_cost_the_same_when_they_have_grown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    for name, path in GROWING.items():
        with counted(world.api.database, monkeypatch) as before:
            few = len(await world.get(path))
        mine = world.staff.id
        lasts = {"created_at": now, "last_used_at": now, "expires_at": now + timedelta(days=9)}
        async with world.api.database.work() as work:
            for number in range(2, MANY + 1):
                if name == "list_my_sessions":
                    work.add(Session(person_id=mine, client="test", **lasts))
                else:
                    version = {"rules_version": number, "agreed_at": now, "language": "en"}
                    work.add(Agreement(person_id=mine, **version))
        with counted(world.api.database, monkeypatch) as after:
            assert len(await world.get(path)) == few + MANY - 1
        assert len(before.sent) == len(after.sent), name


async def test_a_closed_list_costs_a_handful_of_statements(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, path in CLOSED.items():
        with counted(world.api.database, monkeypatch) as tally:
            assert await world.get(path)
        assert len(tally.sent) <= 4, name


async def plan(database: Database, sql: str, values: Any) -> str:
    """How the database goes about a statement where its tables are too large to be walked."""
    reader = database.reader
    if database.sqlite:
        rows = await reader.fetch(f"EXPLAIN QUERY PLAN {sql}", values)
        return "\n".join(row[3] for row in rows)
    async with database.work() as work:
        connection = await (await work.connection()).get_raw_connection()
        driver = connection.driver_connection
        await driver.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        try:
            rows = await driver.fetch(f"EXPLAIN {sql}", *values)
        finally:
            await driver.execute("RESET enable_seqscan; RESET enable_bitmapscan")
    return "\n".join(row[0] for row in rows)


SCAN = re.compile(r"(?:SCAN|Scan(?: Backward)?(?: using \w+)? on) \"?([a-z_]+?)(?:_\d+)?\"?(?: |$)")


def walks(explained: str) -> set[str]:
    """The growing tables that a plan reads from one end to the other, by an index or without."""
    lines = [*explained.splitlines(), ""]
    found = set()
    for line, following in itertools.pairwise(lines):
        scanned = SCAN.search(line)
        # PostgreSQL says below an index what is looked up in it.
        if scanned and "Index Cond" not in following:
            found.add(scanned.group(1))
    return found & set(GROWS)


async def test_a_plan_that_walks_through_a_table_is_recognized(world: World) -> None:
    for sql in ("SELECT body FROM post WHERE body = 'x'", "SELECT 1 FROM post AS post_1"):
        explained = await plan(world.api.database, sql, ())
        assert walks(explained) == {"post"}, explained


HOT = {
    "the list of discussions": f"/communities/{DTC}/discussions?limit=5",
    "posts of a discussion": "/discussions/{d}/posts?limit=5",
    "the catalogue": "/communities?limit=5",
    "a standing": f"/communities/{DTC}/standing",
}


async def test_hot_reads_walk_through_no_table_that_grows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = world.api.database
    for name, path in HOT.items():
        address = path.replace("{d}", world.discussion)
        with counted(database, monkeypatch) as tally:
            first = await world.staff.get(address)
            following = first.json().get("next_cursor")
            if following:
                await world.staff.get(f"{address}&cursor={following}")
        assert first.status_code == 200 and tally.sent, name
        for sql, values in tally.sent:
            if sql.startswith("SELECT"):
                explained = await plan(database, sql, values)
                assert walks(explained) == set(), f"{name}\n{sql}\n{explained}"


async def test_the_pages_of_discussions_and_posts_come_out_of_their_index_in_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = world.api.database
    for path in (HOT["the list of discussions"], HOT["posts of a discussion"]):
        with counted(database, monkeypatch) as tally:
            await world.staff.get(path.replace("{d}", world.discussion))
        (listing,) = [one for one in tally.sent if "LIMIT" in one[0]]
        explained = await plan(database, *listing)
        assert "TEMP B-TREE" not in explained and "Sort" not in explained, explained
        assert re.search("ix_discussion_latest|uq_post_discussion|sqlite_autoindex_post", explained)
