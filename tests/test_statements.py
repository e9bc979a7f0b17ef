"""What a list costs does not depend on its length: statements are counted, plans are looked at."""

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app import clock, openapi
from app.bulk import Bulk
from app.db import Database
from app.models import (
    Agreement,
    Community,
    Contest,
    Election,
    EligibilityVerification,
    GrantChange,
    JoinForm,
    JoinRequest,
    JoinRequestStatus,
    Membership,
    MembershipImportRow,
    Nomination,
    Partner,
    PartnerCredential,
    ProposalStatus,
    RowOutcome,
    RulesVersion,
    Session,
    Subcommittee,
    Term,
    TermBasis,
    VerificationStatus,
    Voter,
    metadata,
    new_id,
)
from tests.cast import DTC, Api, Someone, day, on
from tests.places import (
    access_token_of,
    import_into,
    invited,
    profile_in,
    proposed,
    supporter_of,
)

FEW, MANY = 2, 20
QUESTION = {
    "code": "leads",
    "kind": "yes_no",
    "label": {"en": "Would you lead?", "fr": "Seriez-vous à la direction?"},
    "help": None,
    "required": False,
    "max_length": None,
    "options": [],
    "max_choices": None,
}
ELECTION = UUID("01983f5e-7c00-7000-8000-0000000000e1")
IMPORT = UUID("01983f5e-7c00-7000-8000-0000000000b7")
PARTNER = UUID("01983f5e-7c00-7000-8000-0000000000a7")
PROPOSAL = UUID("01983f5e-7c00-7000-8000-0000000000c9")
# Each list of the contract, as its path; {d} is a discussion of many posts, {s} the staff who ask.
PAGED = {
    "list_discussions": f"/communities/{DTC}/discussions",
    "list_posts": "/discussions/{d}/posts",
    "list_communities": "/communities",
    "list_rules_versions": "/rules/versions",
    "list_join_requests": f"/communities/{DTC}/join-requests",
    "list_invitations": f"/communities/{DTC}/invitations",
    "list_memberships": f"/communities/{DTC}/memberships",
    "list_my_memberships": "/me/memberships",
    "list_my_unclaimed_memberships": "/me/unclaimed-memberships",
    "list_eligibility_verifications": f"/communities/{DTC}/eligibility-verifications",
    "list_my_eligibility_verifications": "/me/eligibility-verifications",
    "list_terms": f"/communities/{DTC}/terms",
    "list_association_terms": "/association/terms",
    "list_review_queue": f"/communities/{DTC}/review-queue",
    "list_subcommittees": f"/communities/{DTC}/subcommittees",
    "list_grant_changes": "/grant-changes",
    "list_elections": f"/communities/{DTC}/elections",
    "list_nominations": f"/elections/{ELECTION}/nominations",
    "list_voters": f"/elections/{ELECTION}/roll",
    "list_expiring_terms": "/leadership/expiring",
    "list_community_proposals": "/community-proposals",
    "list_my_community_proposals": "/me/community-proposals",
    "list_proposal_supporters": f"/community-proposals/{PROPOSAL}/supporters",
    "list_people": "/people",
    "list_partners": "/partners",
    "list_membership_imports": "/membership-imports",
    "list_membership_import_rows": f"/membership-imports/{IMPORT}/rows",
    "list_community_audit_log": f"/communities/{DTC}/audit-log",
    "list_audit_log": "/audit-log",
}
GROWING = {"list_my_sessions": "/me/sessions", "list_my_agreements": "/me/agreements"}
# Closed lists, and those that never get long: each is one statement, whatever is in it.
CLOSED = {
    "list_occupations": "/occupations",
    "list_territories": "/territories",
    "list_positions": "/positions",
    "list_grants": "/grants",
    "list_community_seats": f"/communities/{DTC}/seats",
    "list_vacancies": f"/communities/{DTC}/vacancies",
    "get_join_questions": f"/communities/{DTC}/join-questions",
    "list_my_access_tokens": "/me/access-tokens",
    "list_access_tokens": "/people/{s}/access-tokens",
    "list_membership_import_mappings": "/membership-import-mappings",
    "list_credentials": f"/partners/{PARTNER}/credentials",
    "get_rules": "/rules",
    "get_rules_version": "/rules/versions/1",
}
# Tables that grow with use: a read that walks through one of them gets slower every day.
GROWS = (
    "activity",
    "agreement",
    "discussion",
    "membership",
    "person",
    "post",
    "session",
    "suspension",
    "term",
)


@dataclass
class Tally:
    """The statements that one request has sent."""

    sent: list[tuple[str, Any]] = field(default_factory=list)


@contextmanager
def counted(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tally]:
    """Counts what goes to the database, straight on the driver and through SQLAlchemy."""
    tally = Tally()
    fetch = database.reader.fetch
    bulk = {name: getattr(Bulk, name) for name in ("rows", "insert", "update")}

    async def fetched(sql: str, values: Any) -> Any:
        tally.sent.append((sql, values))
        return await fetch(sql, values)

    def executed(_c: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        tally.sent.append((sql, values))

    def straight(name: str) -> Any:
        async def sent(self: Bulk, what: Any, *values: Any, **options: Any) -> Any:
            tally.sent.append((f"{name} {what}", values))
            return await bulk[name](self, what, *values, **options)

        return sent

    engine = database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", executed)
    with monkeypatch.context() as patched:
        patched.setattr(database.reader, "fetch", fetched)
        for name in bulk:
            patched.setattr(Bulk, name, straight(name))
        yield tally
    sa.event.remove(engine, "before_cursor_execute", executed)


class World:
    """Twenty of everything that a list can show, and somebody of the staff who may see it all."""

    def __init__(self, api: Api, staff: Someone, discussion: str) -> None:
        self.api = api
        self.staff = staff
        self.discussion = discussion

    async def get(self, path: str, **parameters: Any) -> list[Any]:
        path = path.replace("{d}", self.discussion).replace("{s}", str(self.staff.id))
        answer = await self.staff.get(path, params=parameters)
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
        await api.hold(staff, "member_at_large", slug, ends=60)
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
    rows += [
        GrantChange(
            capability="rules:publish",
            granted_to=["staff"],
            based_on=1,
            reason="For the test.",
            proposed_at=now,
            proposed_by=member.id,
            updated_at=now,
        )
        for member in members
    ]
    rows += [
        Subcommittee(
            community_id=place,
            name=f"Forum {number}",
            purpose="To prepare the forum.",
            created_at=now,
            updated_at=now,
        )
        for number in range(MANY)
    ]
    rows += [
        EligibilityVerification(
            community_id=place,
            person_id=staff.id,
            name=staff.name,
            email_key=staff.email,
            occupation_code="judge",
            status=VerificationStatus.WITHDRAWN,
            requested_by=staff.id,
            requested_at=now,
            updated_at=now,
        )
        for _ in range(MANY)
    ]
    async with api.database.work() as work:
        work.add_all(rows)
    await written_down(api, staff)
    await elections(api, place, members)
    await machines(api, staff)
    await proposals(api, staff)
    await imports(api, staff)
    async with api.database.work() as work:
        for number in range(MANY):
            await invited(work, place, staff.id, f"invited{number}@example.org")
        work.add(JoinForm(community_id=place, questions=[QUESTION], updated_at=now))


async def written_down(api: Api, staff: Someone) -> None:
    """What twenty communities have written down of the staff."""
    async with api.database.work() as work:
        for place in await work.rows(sa.select(Community.id)):
            profile = await profile_in(work, place.id, staff.email)
            waits = {"community_id": place.id, "person_id": profile.person_id}
            times = {"since_on": on(0), "created_at": clock.now(), "updated_at": clock.now()}
            work.add(Membership(**waits, **times, category="observer"))


async def proposals(api: Api, staff: Someone) -> None:
    """Proposals that the staff made and took back, and one with many supporters."""
    async with api.database.work() as work:
        for number in range(MANY):
            status = ProposalStatus.WITHDRAWN if number else ProposalStatus.OPEN
            proposal_id = new_id() if number else PROPOSAL
            await proposed(work, staff.email, id=proposal_id, status=status)
        work.add_all(
            supporter_of(PROPOSAL, f"supporter{number}@example.org") for number in range(MANY)
        )


async def imports(api: Api, staff: Someone) -> None:
    """Twenty imports, and twenty rows of one of them."""
    jobs = [import_into(None, staff.id) for _ in range(MANY)]
    jobs[0].id = IMPORT
    rows = [
        MembershipImportRow(
            import_id=IMPORT, number=number, cells=["Anna"], outcome=RowOutcome.CREATED
        )
        for number in range(MANY)
    ]
    async with api.database.work() as work:
        for several in (jobs, rows):
            work.add_all(several)
            await work.flush()
    saved = await staff.put("/membership-import-mappings/Club", {"columns": {"E-mail": "email"}})
    assert saved.status_code == 200, saved.text


async def machines(api: Api, staff: Someone) -> None:
    """Twenty partners, a credential of one of them, and a token of the staff's."""
    now, later = clock.now(), clock.now() + timedelta(days=9)
    partners = [
        Partner(
            id=PARTNER if number == 0 else new_id(),
            name=f"Partner {number}",
            contact_email="it@example.org",
            created_at=now,
            updated_at=now,
        )
        for number in range(MANY)
    ]
    credential = PartnerCredential(
        partner_id=PARTNER,
        name="Platform",
        secret_hash="0" * 64,
        created_at=now,
        created_by=staff.id,
        expires_at=later,
    )
    async with api.database.work() as work:
        for rows in (partners, [credential, access_token_of(staff.id)]):
            work.add_all(rows)
            await work.flush()


async def elections(api: Api, place: UUID, members: list[Someone]) -> None:
    """Twenty elections, and one more in which all stand and all may vote."""
    now = clock.now()
    held = [
        Election(
            id=ELECTION if number == MANY else new_id(),
            community_id=place,
            title=f"Election {number}",
            language="en",
            nominations_from=on(-9),
            nominations_until=on(-8),
            acceptance_until=on(-7),
            voting_from=on(-1),
            voting_until=on(1),
            quorum=0,
            acclamation=True,
            tie_rule="lot",
            lot_seed="seed",
            roll_size=MANY,
            opened_at=now,
            opened_by=members[0].id,
            updated_at=now,
        )
        for number in range(MANY + 1)
    ]
    contest = Contest(
        election_id=ELECTION,
        number=1,
        position_code="chair",
        seats=1,
        method="plurality",
        starts_on=on(9),
        ends_on=on(99),
    )
    stands = [
        Nomination(
            community_id=place,
            election_id=ELECTION,
            contest_id=contest.id,
            person_id=member.id,
            nominated_by=member.id,
            nominated_at=now,
            accepted_at=now,
        )
        for member in members
    ]
    voters = [Voter(election_id=ELECTION, person_id=member.id) for member in members]
    async with api.database.work() as work:
        for rows in (held, [contest], stands, voters):
            work.add_all(rows)
            await work.flush()


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
        assert len(tally.sent) <= 5, name


# Plans, in a database that has grown

PEOPLE, TERMS, DISCUSSIONS, POSTS_EACH = 10_000, 2_000, 2_000, 10


def copying(table: str, source: str, **changed: str) -> str:
    """SQL that copies the first row of a table once for each row of a source, with changes."""
    columns = [column.name for column in metadata.tables[table].columns]
    values = ", ".join(changed.get(name, f"one.{name}") for name in columns)
    template = f"(SELECT * FROM {table} LIMIT 1) AS one"
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {template}, {source}"


def series(database: Database, length: int) -> str:
    """A source of so many rows, n from 1."""
    if not database.sqlite:
        return f"generate_series(1, {length}) AS n"
    counting = f"SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < {length}"
    return f"(WITH RECURSIVE s AS ({counting}) SELECT n FROM s)"


def long_ago(database: Database, days: int) -> str:
    """A day of the term of the n-th person: those of one seat follow upon each other."""
    after = f"p.n / 119 * 100 + {days}"
    if database.sqlite:
        return f"date('2001-01-01', '+' || ({after}) || ' days')"
    return f"DATE '2001-01-01' + ({after})::int"


def new_to(table: str) -> str:
    """The condition that a person has no row in a table yet."""
    return f"p.id NOT IN (SELECT person_id FROM {table})"


async def grown(api: Api) -> tuple[Someone, str]:
    """A member, a discussion, and a database in which many others have been at work for years."""
    member, other = await api.leader("Mia Member", "chair"), await api.member("Olaf Other")
    path = f"/memberships/{other.memberships[DTC]}/suspension"
    await member.put(path, {"until_on": day(3), "reason": "To cool down."})
    discussion = await api.discussion(member)
    await api.reply(member, discussion)
    new = "lower(hex(randomblob(16)))" if api.database.sqlite else "gen_random_uuid()"
    places = "(SELECT id, row_number() OVER (ORDER BY id) - 1 AS k FROM community) AS place"
    people = "(SELECT id, row_number() OVER (ORDER BY id) AS n FROM person) AS p"
    spread = f"{people} JOIN {places} ON place.k = p.n % 17 WHERE"
    seats = (
        "(SELECT id, community_id, row_number() OVER (ORDER BY id) - 1 AS k FROM seat"
        " WHERE community_id IS NOT NULL) AS s"
    )
    address = "'p' || n || '@example.org'"
    count = series(api.database, PEOPLE)
    statements = [
        copying("person", count, id=new, email=address, email_key=address),
        copying("session", f"{people} WHERE {new_to('session')}", id=new, person_id="p.id"),
        copying("agreement", f"{people} WHERE {new_to('agreement')}", person_id="p.id"),
        copying(
            "membership",
            f"{spread} {new_to('membership')}",
            id=new,
            person_id="p.id",
            community_id="place.id",
        ),
        copying(
            "term",
            f"{people} JOIN {seats} ON s.k = p.n % 119 WHERE p.n < {TERMS} AND {new_to('term')}",
            id=new,
            person_id="p.id",
            community_id="s.community_id",
            seat_id="s.id",
            body_id="s.community_id",
            starts_on=long_ago(api.database, 0),
            ends_on=long_ago(api.database, 50),
            free_from=long_ago(api.database, 51),
        ),
        copying(
            "suspension",
            "(SELECT id AS m FROM membership) AS belonging WHERE m != one.membership_id",
            id=new,
            membership_id="m",
            lifted_at="'2002-01-01'",
        ),
        copying(
            "discussion",
            f"{series(api.database, DISCUSSIONS)} JOIN {places} ON place.k = n % 17",
            id=new,
            community_id="place.id",
        ),
        copying(
            "post",
            f"discussion AS d, {series(api.database, POSTS_EACH)} WHERE d.id != one.discussion_id",
            id=new,
            discussion_id="d.id",
            community_id="d.community_id",
            number="n",
        ),
        "ANALYZE",
    ]
    async with api.database.work() as work:
        for statement in statements:
            await work.execute(sa.text(statement))
    return member, discussion["id"]


async def plan(database: Database, sql: str, values: Any) -> str:
    """How the database goes about a statement."""
    explain = "EXPLAIN QUERY PLAN" if database.sqlite else "EXPLAIN"
    rows = await database.reader.fetch(f"{explain} {sql}", values)
    return "\n".join(row[3] if database.sqlite else row[0] for row in rows)


SCAN = re.compile(r"(?:SCAN|Scan(?: Backward)?(?: using \w+)? on) \"?([a-z_]+?)(?:_\d+)?\"?(?: |$)")


def walks(explained: str) -> set[str]:
    """The growing tables that a plan reads from one end to the other, by an index or without."""
    found = set()
    for line, following in itertools.pairwise([*explained.splitlines(), ""]):
        scanned = SCAN.search(line)
        # PostgreSQL says below an index, or a bitmap of one, what is looked up in it.
        if scanned and not re.search("Index Cond|Recheck Cond", following):
            found.add(scanned.group(1))
    return found & set(GROWS)


HOT = {
    "the list of discussions": f"/communities/{DTC}/discussions?limit=5",
    "posts of a discussion": "/discussions/{d}/posts?limit=5",
    "the catalogue": "/communities?limit=5",
    "a standing": f"/communities/{DTC}/standing",
}


# Their pages come out of an index as they are, so that the thousandth costs what the first does.
IN_ORDER = ("the list of discussions", "posts of a discussion")


async def test_hot_reads_walk_through_no_table_that_grows(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    member, discussion = await grown(api)
    for name, path in HOT.items():
        address = path.replace("{d}", discussion)
        with counted(api.database, monkeypatch) as tally:
            first = await member.get(address)
            following = first.json().get("next_cursor")
            if following:
                await member.get(f"{address}&cursor={following}")
        reads = [one for one in tally.sent if one[0].startswith("SELECT")]
        assert first.status_code == 200 and reads, name
        for sql, values in reads:
            explained = await plan(api.database, sql, values)
            assert walks(explained) == set(), f"{name}\n{sql}\n{explained}"
            if name in IN_ORDER and sql.count("LIMIT") == 1:  # the page's own
                assert not re.search("TEMP B-TREE|Sort", explained), explained
    by_text = await plan(api.database, "SELECT id FROM post WHERE body = 'x'", ())
    assert walks(by_text) == {"post"}  # such a walk would be recognized
