"""The database itself refuses what must never be, with no service in front of it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from app import clock
from app.db import violated
from app.models import (
    JoinRequest,
    JoinRequestOrigin,
    JoinRequestStatus,
    Mail,
    MailStatus,
    MembershipImportMapping,
    PersonSource,
    Seat,
    Term,
    TermBasis,
    TermEnding,
    metadata,
    new_id,
)
from tests.cast import DTC, WELLNESS, Api, Someone, day, on
from tests.crowds import Doors
from tests.directories import directory_of
from tests.places import furnished, inquiry_about, request_of

UNIQUE = {
    str(rule.name): table
    for table in metadata.sorted_tables
    for rule in (*table.indexes, *table.constraints)
    if getattr(rule, "unique", False) or isinstance(rule, sa.UniqueConstraint)
}


async def written(api: Api, *rows: Any) -> None:
    """Rows as they are, past every service."""
    async with api.database.work() as work:
        work.add_all(rows)


async def refusal(api: Api, *rows: Any) -> str | None:
    """The name of the rule by which the database refuses these rows."""
    with pytest.raises(IntegrityError) as caught:
        await written(api, *rows)
    return violated(caught.value)


async def seat(api: Api, position: str = "chair", community: str = DTC) -> UUID:
    place = await api.community_id(community)
    (row,) = await api.read(
        sa.select(Seat.id).where(
            col(Seat.community_id) == place, col(Seat.position_code) == position, Seat.number == 1
        )
    )
    return row.id


def term(holder: Someone, community_id: UUID, seat_id: UUID | None, *days: int | None) -> Term:
    """A term of so many days from today, both included; its seat is free on the day after."""
    starts, ends = days
    now = clock.now()
    found = Term(
        community_id=community_id,
        position_code="chair",
        seat_id=seat_id,
        person_id=holder.id,
        starts_on=on(starts or 0),
        ends_on=None if ends is None else on(ends),
        basis=TermBasis.ELECTION,
        recorded_at=now,
        updated_at=now,
    )
    found.begin()
    return found


@pytest.mark.parametrize(
    ("days", "taken"),
    [
        ((0, 10), True),
        ((-5, 0), True),
        ((10, 20), True),
        ((2, 5), True),
        ((-50, 50), True),
        ((-5, None), True),
        ((-5, -1), False),
        ((11, 20), False),
        ((11, None), False),
    ],
)
async def test_a_seat_has_one_holder_on_any_day(
    api: Api, days: tuple[int, int | None], taken: bool
) -> None:
    place, chair = await api.community_id(), await seat(api)
    await written(api, term(await api.member("Ines Incumbent"), place, chair, 0, 10))
    successor = term(await api.member("Sam Successor"), place, chair, *days)
    if taken:
        assert await refusal(api, successor) == "ex_term_seat"
    else:
        await written(api, successor)


async def test_a_person_has_one_seat_in_a_community_on_any_day(api: Api) -> None:
    place = await api.community_id()
    someone = await api.member("Ines Incumbent")
    await written(api, term(someone, place, await seat(api), 0, 10))
    also = term(someone, place, await seat(api, "secretary"), 10, 20)
    assert await refusal(api, also) == "ex_term_person"
    elsewhere = await api.community_id("wellness-courts")
    other = await seat(api, "chair", "wellness-courts")
    await written(api, term(someone, elsewhere, other, 10, 20))


async def test_a_removed_holder_makes_room_on_the_same_day(api: Api) -> None:
    place, chair = await api.community_id(), await seat(api)
    removed = term(await api.member("Ines Incumbent"), place, chair, 0, 10)
    removed.end(TermEnding.REMOVED, "Left.", clock.now(), clock.today())
    await written(api, removed)
    await written(api, term(await api.member("Sam Successor"), place, chair, 0, 10))


async def test_a_term_cannot_be_moved_onto_a_seat_that_is_held(api: Api) -> None:
    place, chair = await api.community_id(), await seat(api)
    later = term(await api.member("Sam Successor"), place, chair, 11, 20)
    await written(api, term(await api.member("Ines Incumbent"), place, chair, 0, 10), later)
    with pytest.raises(IntegrityError) as caught:
        await api.change(Term, later.id, starts_on=on(5))
    assert violated(caught.value) == "ex_term_seat"


async def test_of_sixteen_rows_for_one_seat_written_at_once_one_is_kept(api: Api) -> None:
    place, chair = await api.community_id(), await seat(api)
    members = [await api.member(f"Candidate {number}") for number in range(16)]
    async with Doors.to(api) as doors:
        results = await asyncio.gather(
            *(
                written(doors.apis[number % 2], term(member, place, chair, 0, 10))
                for number, member in enumerate(members)
            ),
            return_exceptions=True,
        )
    refused = [result for result in results if result is not None]
    assert len(refused) == 15
    assert {violated(error) for error in refused} == {"ex_term_seat"}


async def test_only_a_message_may_lack_what_a_form_asks(api: Api) -> None:
    place = await api.community_id()
    request = request_of(place, "wei@example.org")
    request.rules_version = request.affiliation = None
    assert await refusal(api, request) == "ck_join_request_answered_in_full"
    request = request_of(place, "wei@example.org", origin=JoinRequestOrigin.MAILBOX)
    request.rules_version = request.affiliation = None
    await written(api, request)


async def test_a_term_does_not_end_before_it_begins(api: Api) -> None:
    someone = await api.member("Ines Incumbent")
    backwards = term(someone, await api.community_id(), None, 10, 5)
    assert await refusal(api, backwards) == "ck_term_days_in_order"


# A row that is there already breaks each of these together; either may say so.
RIVALS = (
    {"uq_nomination_contest_id_person_id", "uq_nomination_stands"},
    {"uq_provisioned_user_partner_id_user_name_key", "uq_provisioned_user_partner_id_external_id"},
    {"uq_provisioned_group_partner_id_community_id", "uq_provisioned_group_partner_id_external_id"},
    {"uq_provisioned_member_user_id_community_id", "uq_provisioned_member_began"},
)


async def furnish(api: Api) -> None:
    """At least one row for every rule that says that a thing is there once."""
    await furnished(api, WELLNESS)
    chair = await api.leader("Chidi Chair", "chair")
    member, reporter = await api.member("Mia Member"), await api.member("Rita Reporter")
    post = await api.reply(member, await api.discussion(chair))
    await api.report(reporter, post)
    suspension = {"until_on": day(3), "reason": "To cool down."}
    path = f"/memberships/{reporter.memberships[DTC]}/suspension"
    assert (await chair.put(path, suspension)).status_code in (200, 201)
    form = {
        "name": "Amara Okafor",
        "email": "amara@example.org",
        "communities": [DTC],
        "occupation": "Nurse",
        "affiliation": "Detox Centre",
        "area_of_interest": "withdrawal",
        "agrees_to_rules_version": 1,
    }
    assert (await api.post("/join-requests", form)).status_code == 202
    async with api.database.work() as work:
        await work.execute(sa.text("UPDATE join_request SET status = 'pending'"))
        (request,) = await work.rows(sa.select(JoinRequest.id).limit(1))
        work.add(inquiry_about(request.id, chair.id))
    await api.work_off()
    member_id = member.id
    directory = await directory_of(api, DTC)
    user = await directory.user("jane@example.org", externalId="1")
    member = {"members": [{"value": user}], "externalId": "1"}
    put = await directory.patch(await directory.group(), {"op": "add", "value": member})
    assert put.status_code == 204, put.text
    now = clock.now()
    kept = {"source": "crm", "external_id": "1", "person_id": member_id}
    mapping = {"name": "ours", "mapping": {}, "created_at": now, "updated_at": now}
    here = await api.community_id()
    await written(
        api,
        *(PersonSource(community_id=place, **kept) for place in (None, here)),
        *(MembershipImportMapping(community_id=place, **mapping) for place in (None, here)),
    )
    status = MailStatus.QUEUED
    mailed = {"status": JoinRequestStatus.DECLINED, "message_id": "1@mail"}
    await written(api, request_of(here, "wei@example.org", **mailed))
    await written(
        api, Mail(kind="welcome", gathering="g", status=status, created_at=now, send_after=now)
    )


async def test_what_is_there_once_is_not_there_twice(api: Api) -> None:
    await furnish(api)
    for name, table in UNIQUE.items():
        partial = {
            "uq_seat_association": "body_id IS NULL",
            "uq_activity_place": "place IS NOT NULL",
            "uq_mail_gathering": "status = 'queued'",
            "uq_community_proposal_open": "status = 'open'",
            "uq_proposal_supporter_counts": "verified_at IS NOT NULL",
            "uq_join_request_open": "message_id IS NULL",
            "uq_join_request_community_id_email_key_message_id": "message_id IS NOT NULL",
            "uq_join_inquiry_open": "answered_at IS NULL",
            "uq_person_source_association": "community_id IS NULL",
            "uq_person_source_community_id_source_external_id": "community_id IS NOT NULL",
            "uq_membership_import_mapping_association": "community_id IS NULL",
            "uq_membership_import_mapping_community_id_name": "community_id IS NOT NULL",
            "uq_seat_body_id_position_code_number": "body_id IS NOT NULL",
            "uq_person_email_key": "email_key IS NOT NULL",
        }.get(name, "1 = 1")
        async with api.database.work() as work:
            first = sa.select(table).where(sa.text(partial)).limit(1)
            row = dict((await work.execute(first)).mappings().one())
        with pytest.raises(IntegrityError) as caught:
            async with api.database.work() as work:
                key = "id" if "id" in table.c else "person_id"
                await work.execute(sa.insert(table).values(row | {key: new_id()}))
        together = (rules for rules in RIVALS if name in rules)
        assert violated(caught.value) in next(together, {name})
    assert len(UNIQUE) >= 13
