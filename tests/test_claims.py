"""Whom a community has written down who has an account elsewhere: nobody finds out, and the owner
of the address claims what is theirs."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock, texts
from app.models import Membership, Person, UnclaimedProfile, metadata
from app.services.unclaimed_profiles import GONE, MOVED
from tests.answers import because, code, leaves, ok, told
from tests.cast import (
    DTC,
    PASSWORD,
    ROUNDTABLE,
    WELLNESS,
    Api,
    Someone,
    day,
    mail_to,
    on,
    text_of,
    token_in,
)
from tests.importing import applied, csv_of, done, outcomes
from tests.machines import script_of
from tests.polling import NOMINATING, VOTING, Poll, contest
from tests.test_eligibility import verified
from tests.test_import_eligibility import owners
from tests.test_import_eligibility import verified as verified_address
from tests.test_import_mailboxes import imported, message, waiting
from tests.test_invitations import accept, link
from tests.test_join_requests import ACCEPTED, decide
from tests.test_mail import assert_in_language
from tests.test_succession import keep, plan, seat_of

WAITING = "/me/unclaimed-memberships"
ROSTER = f"/communities/{DTC}/memberships"
CLAIMED, DECLINED = {"outcome": "claimed"}, {"outcome": "declined"}
SAID = "email,name,communities,occupation,affiliation,external_id"


def row(someone: Someone, name: str = "W. Typed", number: str = "7", place: str = DTC) -> str:
    """What a community's list says of somebody."""
    return f"{someone.email},{name},{place},Typed occupation,Typed Court,{number}"


async def written_down(
    api: Api, someone: Someone, by: Someone | None = None, **fields: Any
) -> tuple[Someone, dict[str, Any], str]:
    """The secretary who imports somebody as a member, the import, and the membership."""
    secretary = by or await api.leader("Sam Secretary", "secretary")
    said = {"source": "club", "community": DTC} | fields
    job = await applied(secretary, csv_of(row(someone), headings=SAID), **said)
    assert await outcomes(secretary, job) == [("created", [])]
    (found,) = await api.read(sa.select(Membership.id).order_by(col(Membership.id).desc()).limit(1))
    return secretary, job, str(found.id)


async def roster(reader: Someone, **asked: Any) -> dict[str, dict[str, Any]]:
    """The roster, by the names in it."""
    listed = ok(await reader.get(ROSTER, params=asked))["items"]
    return {one["person"]["name"]: one for one in listed}


async def everybody(api: Api) -> list[Any]:
    """All people, accounts and profiles, in the order in which they were made."""
    return await api.read(sa.select(Person.id, Person.name).order_by(col(Person.id)))


def created() -> dict[str, Any]:
    """When something is that is there since now."""
    return dict.fromkeys(("created_at", "updated_at"), clock.now())


def claim(someone: Someone, membership: str, body: Any = None) -> Any:
    """What somebody answers to a membership that waits for them."""
    return someone.put(f"/memberships/{membership}/claim", body or CLAIMED)


async def test_what_waits_is_shown_to_the_owner_of_the_address_alone(api: Api) -> None:
    wendy, mia = await api.member("Wendy Wellness", WELLNESS), await api.member("Mia Member")
    secretary, _, membership = await written_down(api, wendy)
    (item,) = ok(await wendy.get(WAITING))["items"]
    assert (item["id"], item["community"]["slug"]) == (membership, DTC)
    assert item["person"]["name"] == "W. Typed" and item["private"]["email"] == wendy.email
    assert item["viewer"]["can"] == ["claim_membership"]
    for other in (mia, secretary, await api.staff()):
        assert ok(await other.get(WAITING))["items"] == []
        anybodys = claim(other, str(mia.memberships[DTC] if other != mia else membership))
        assert told(await claim(other, membership)) == told(await anybodys)
        assert because(await claim(other, membership)) == ["own_only"]
    outside = await api.person("Otto Outside")
    assert code(await claim(outside, membership), 404) == "not_found"
    own = ok(await wendy.get("/me/memberships"))["items"]
    assert [one["community"]["slug"] for one in own] == [WELLNESS]
    assert (await wendy.get(f"/communities/{DTC}/discussions")).status_code == 403


async def test_a_claimed_membership_is_ones_own_under_ones_own_line(api: Api) -> None:
    wendy = await api.member("Wendy Wellness", WELLNESS)
    secretary, job, membership = await written_down(api, wendy)
    before = (await roster(secretary))["W. Typed"]
    async with leaves(api, ("membership.claimed", wendy)):
        mine = ok(await claim(wendy, membership))
        assert (mine["id"], mine["person"]["id"]) == (membership, str(wendy.id))
        assert ok(await claim(wendy, membership)) == mine
    assert code(await claim(wendy, membership, DECLINED), 409) == "membership.claimed_already"
    listed = await roster(secretary)
    assert "W. Typed" not in listed
    shown = listed["Wendy Wellness"]
    assert shown["person"]["occupation"] == "Court coordinator"
    kept = ("id", "since_on", "category", "community")
    assert [shown[name] for name in kept] == [before[name] for name in kept]
    assert shown["updated_at"] > before["updated_at"]
    assert ok(await wendy.get(WAITING))["items"] == []
    assert len(ok(await wendy.get("/me/memberships"))["items"]) == 2
    assert (await wendy.get(f"/communities/{DTC}/discussions")).status_code == 200
    assert await api.read(sa.select(UnclaimedProfile.person_id)) == []
    assert await api.read(sa.select(Person.id).where(col(Person.email_key).is_(None))) == []
    again = await applied(
        secretary, csv_of(row(wendy), headings=SAID), source="club", community=DTC, mode="sync"
    )
    assert await outcomes(secretary, again) == [("unchanged", [])]
    job = await done(secretary, job, "reversal")
    assert (await outcomes(secretary, job)) == [("created", ["membership_changed_since"])]
    assert "Wendy Wellness" in await roster(secretary)


async def test_a_declined_membership_ends_without_showing_whose_it_was(api: Api) -> None:
    wendy = await api.member("Wendy Wellness", WELLNESS)
    secretary, _, membership = await written_down(api, wendy)
    (written,) = (one for one in await everybody(api) if one.name == "W. Typed")
    async with leaves(api, ("membership.ended", replace(wendy, id=written.id))):
        assert ok(await claim(wendy, membership, DECLINED))["status"] == "ended"
    assert code(await claim(wendy, membership), 409) == "membership.ended"
    assert ok(await wendy.get(WAITING))["items"] == []
    log = await secretary.get(f"/communities/{DTC}/audit-log")
    assert "Wendy" not in log.text and str(wendy.id) not in log.text
    ended = await roster(secretary, status="ended")
    assert ended["W. Typed"]["ending"] == "left"
    file = csv_of(row(wendy), headings=SAID)
    again = await applied(secretary, file, source="club", community=DTC)
    assert await outcomes(secretary, again) == [("unchanged", ["ended_here_since"])]


async def test_an_address_that_is_not_proven_claims_nothing(api: Api) -> None:
    wendy = await api.member("Wendy Wellness", WELLNESS)
    _, _, membership = await written_down(api, wendy)
    await api.change(Person, wendy.id, email_verified_at=None)
    assert ok(await wendy.get(WAITING))["items"] == []
    assert (await claim(wendy, membership)).status_code == 404
    await api.change(Person, wendy.id, email_verified_at=sa.func.current_timestamp())
    assert (await claim(wendy, membership)).status_code == 200


async def test_a_script_claims_nothing_for_its_owner(api: Api) -> None:
    wendy = await api.member("Wendy Wellness", WELLNESS)
    _, _, membership = await written_down(api, wendy)
    script = await script_of(wendy, "memberships:read")
    assert (await claim(script, membership)).status_code == 403
    assert (await claim(wendy, membership)).status_code == 200


async def test_a_seat_that_was_given_meanwhile_is_claimed_with_the_membership(api: Api) -> None:
    wendy, staff = (
        await api.member("Wendy Wellness", WELLNESS),
        await api.staff(),
    )
    secretary, _, membership = await written_down(api, wendy)
    person = (await roster(secretary))["W. Typed"]["person"]["id"]
    term = {"position": "member_at_large", "person_id": person, "basis": "appointment"}
    term |= {"starts_on": day(0), "ends_on": day(90)}
    begun = ok(await staff.post(f"/communities/{DTC}/terms", term), 201)
    assert begun["person"]["name"] == "W. Typed"
    standing = f"/communities/{DTC}/standing"
    assert ok(await wendy.get(standing))["positions"] == []
    ok(await claim(wendy, membership))
    held = ok(await wendy.get(standing))["positions"]
    assert [one["position"] for one in held] == ["member_at_large"]
    shown = ok(await staff.get(f"/terms/{begun['id']}"))
    assert shown["person"]["id"] == str(wendy.id)


@pytest.mark.parametrize("frozen", [True, False])
async def test_whatever_was_made_of_a_profile_is_claimed_with_it(api: Api, frozen: bool) -> None:
    """A candidate, a successor, and a voter, whether or not the roll is written down by then."""
    wendy, chair = (
        await api.member("Wendy Wellness", WELLNESS),
        await api.leader("Chidi Chair", "chair", ends=900),
    )
    poll = await Poll.opened(api, contest(position="vice_chair"))
    _, _, membership = await written_down(api, wendy, poll.manager)
    person = (await roster(chair))["W. Typed"]["person"]["id"]
    successor = {"person_id": person, "readiness": "ready_now", "note": None}
    ok(await keep(chair, plan(successor)))
    with poll.on(NOMINATING, chair):
        proposed = ok(await poll.nominate(chair, person_id=person), 201)
    stands = await poll.stands(chair)
    await poll.stands(poll.manager)
    with poll.on(VOTING, chair, wendy):
        if frozen:
            ok(await poll.vote(chair, [stands]), 201)
            voters = ok(await poll.manager.get(f"{poll.path}/roll"))["items"]
            assert "W. Typed" in [voter["person"]["name"] for voter in voters]
        ok(await claim(wendy, membership))
        assert ok(await wendy.get(poll.path))["own_vote"] == {"on_roll": True, "voted": False}
        voters = ok(await poll.manager.get(f"{poll.path}/roll"))["items"]
        names = sorted(voter["person"]["name"] for voter in voters)
        assert names == ["Chidi Chair", "Sonia Secretary", "Wendy Wellness"]
        shown = ok(await wendy.get(f"/nominations/{proposed['id']}"))
        assert shown["person"]["id"] == str(wendy.id)
        ok(await poll.vote(wendy, [stands]), 201)
        (candidate,) = (await seat_of(chair))["candidates"]
        assert candidate["person"]["id"] == str(wendy.id)
        ok(await wendy.put(f"/succession-candidates/{candidate['id']}/consent"))


async def test_nobody_appoints_suspends_or_manages_themselves_under_another_name(api: Api) -> None:
    """Whoever may do it to others: the same act is good about somebody else."""
    staff, other = await api.staff(), await api.staff("Otis Other")
    secretary, _, membership = await written_down(api, staff)
    person = (await roster(secretary))["W. Typed"]["person"]["id"]
    term = {"position": "chair", "person_id": person, "basis": "appointment"}
    term |= {"starts_on": day(0), "ends_on": day(90)}
    path = f"/memberships/{membership}"
    suspension = {"until_on": day(3), "reason": "For the test."}
    changed = {"category": "observer"}
    for by, status in ((staff, 403), (other, 201)):
        assert (await by.post(f"/communities/{DTC}/terms", term)).status_code == status
    for by, status in ((staff, 403), (other, 200)):
        assert (await by.put(f"{path}/suspension", suspension)).status_code == status
        assert (await by.patch(path, changed)).status_code == status
    for by, status in ((staff, 403), (other, 204)):
        assert (await by.delete(f"{path}/suspension")).status_code == status


async def test_nobody_holds_an_office_of_the_association_who_has_no_account(api: Api) -> None:
    staff, president = await api.staff(), await api.staff("Petra President", "president")
    wendy = await api.member("Wendy Wellness", WELLNESS)
    secretary, _, _ = await written_down(api, wendy)
    person = (await roster(secretary))["W. Typed"]["person"]["id"]
    term = {"position": "staff", "basis": "appointment", "starts_on": day(0), "ends_on": None}
    path = "/association/terms"
    refused = await president.post(path, term | {"person_id": person})
    assert code(refused, 409) == "term.not_a_member"
    assert (await president.post(path, term | {"person_id": str(wendy.id)})).status_code == 201
    added = {"person_id": person}
    assert (await staff.post(f"/communities/{WELLNESS}/memberships", added)).status_code == 422


async def test_two_devices_claim_one_membership_once(api: Api) -> None:
    wendy = await api.member("Wendy Wellness", WELLNESS)
    _, _, membership = await written_down(api, wendy)
    async with leaves(api, ("membership.claimed", wendy)):
        answers = await asyncio.gather(*(claim(wendy, membership) for _ in range(5)))
    assert [one.status_code for one in answers] == [200] * 5


async def test_a_claim_and_an_import_of_the_same_people_wait_for_each_other(api: Api) -> None:
    secretary = await api.leader("Sam Secretary", "secretary")
    people = [await api.member(f"Wendy {number}", WELLNESS) for number in range(6)]
    rows = [row(one, f"W. Typed {number}", str(number)) for number, one in enumerate(people)]
    said = {"source": "club", "community": DTC, "mode": "update"}
    await applied(secretary, csv_of(*rows, headings=SAID), **said)
    waiting = [ok(await one.get(WAITING))["items"][0]["id"] for one in people]
    dated = [f"{one},{day(-number - 1)}" for number, one in enumerate(rows)]
    file = csv_of(*dated, headings=f"{SAID},since_on")
    claims = [claim(*one) for one in zip(people, waiting, strict=True)]
    job, *answers = await asyncio.gather(applied(secretary, file, **said), *claims)
    assert [one.status_code for one in answers] == [200] * 6
    assert {one for one, _ in await outcomes(secretary, job)} <= {"changed", "refused"}
    listed = await roster(secretary)
    assert {one.name for one in people} <= listed.keys()
    assert not [name for name in listed if "Typed" in name]


# The other ways in


async def test_an_invitation_that_is_accepted_claims_what_waits(api: Api) -> None:
    wendy, chair = (
        await api.member("Wendy Wellness", WELLNESS),
        await api.leader("Cy Chair", "chair"),
    )
    secretary, _, membership = await written_down(api, wendy)
    answer = ok(await accept(api, await link(api, chair, wendy.email), identity=None))
    assert answer["membership"]["id"] == membership
    assert (await roster(secretary))["Wendy Wellness"]["id"] == membership


async def test_who_comes_in_by_another_way_after_the_end_has_the_history_besides(api: Api) -> None:
    wendy, staff = await api.member("Wendy Wellness", WELLNESS), await api.staff()
    secretary, _, membership = await written_down(api, wendy)
    add = {"person_id": str(wendy.id)}
    assert code(await staff.post(ROSTER, add), 409) == "membership.exists"
    assert "W. Typed" in await roster(secretary)
    ok(await secretary.post(f"/memberships/{membership}/end", {"reason": "Moved."}))
    ok(await staff.post(ROSTER, add), 201)
    history = ok(await secretary.get(ROSTER, params={"person_id": str(wendy.id)}))["items"]
    assert [one["status"] for one in history] == ["ended", "active"]
    assert history[0]["id"] == membership
    assert "W. Typed" not in await roster(secretary, status=["ended", "active"])


async def test_who_has_not_proven_the_address_comes_in_without_what_was_said_of_it(
    api: Api,
) -> None:
    wendy, staff = await api.member("Wendy Wellness", WELLNESS), await api.staff()
    secretary, _, membership = await written_down(api, wendy)
    await api.change(Person, wendy.id, email_verified_at=None)
    ok(await staff.post(ROSTER, {"person_id": str(wendy.id)}), 201)
    listed = await roster(secretary)
    assert {"W. Typed", "Wendy Wellness"} <= listed.keys()
    assert listed["W. Typed"]["id"] == membership


async def test_an_own_request_to_join_is_answered_as_for_any_member(api: Api) -> None:
    wendy, secretary = await api.member("Wendy Wellness", WELLNESS), None
    await written_down(api, wendy, secretary)
    form = {
        "name": "Wendy",
        "email": wendy.email,
        "communities": [DTC],
        "occupation": "Coordinator",
        "affiliation": "Court",
        "area_of_interest": "wellness",
        "agrees_to_rules_version": 1,
    }
    assert (await api.post("/join-requests", form)).status_code == 202
    proof = {"token": token_in(mail_to(await api.work_off(), wendy.email))}
    shown = ok(await api.post("/auth/email-verifications/confirmation", proof))
    assert [one["status"] for one in shown["join_requests"]] == ["withdrawn"]


async def test_an_import_of_the_association_finds_the_account_and_adds_nobody_twice(
    api: Api,
) -> None:
    wendy, staff = await api.member("Wendy Wellness", WELLNESS), await api.staff()
    secretary, _, membership = await written_down(api, wendy)
    file = csv_of(f"{wendy.email},Wendy Wellness,{DTC};{WELLNESS}")
    job = await applied(staff, file, mode="update")
    assert await outcomes(staff, job) == [("unchanged", [])]
    assert (await roster(secretary))["W. Typed"]["id"] == membership
    ok(await secretary.post(f"/memberships/{membership}/end", {"reason": "Moved."}))
    dated = csv_of(
        f"{wendy.email},Wendy Wellness,{DTC},{day(9)}", headings="email,name,communities,since_on"
    )
    job = await applied(staff, dated, mode="update")
    assert await outcomes(staff, job) == [("created", [])]
    (shown,) = (await roster(secretary, status="planned")).values()
    assert shown["person"]["name"] == "Wendy Wellness"
    assert await api.read(sa.select(UnclaimedProfile.person_id)) == []


async def test_what_the_association_takes_away_it_takes_back_unchanged(api: Api) -> None:
    wendy, staff = await api.member("Wendy Wellness", WELLNESS), await api.staff()
    secretary, _, _ = await written_down(api, wendy)
    everywhere = ok(await staff.get("/memberships/export", params={"format": "json"}))
    named = [(one["name"], one["person_id"]) for one in everywhere]
    assert named.count(("Wendy Wellness", str(wendy.id))) == 2
    here = await secretary.get(f"{ROSTER}/export", params={"format": "csv", "source": "club"})
    assert "W. Typed" in here.text and "Wendy" not in here.text
    for importer, file, fields in (
        (staff, (await staff.get("/memberships/export", params={"format": "csv"})).text, {}),
        (secretary, here.text, {"community": DTC, "source": "club"}),
    ):
        job = await applied(importer, file, mode="update", **fields)
        assert {told for told, _ in await outcomes(importer, job)} == {"unchanged"}


async def test_a_message_of_a_mailbox_makes_a_profile_of_whoever_has_an_account(api: Api) -> None:
    """The acceptor of what anybody may have written in somebody's name learns nothing of them."""
    wendy, chair = (
        await api.member("Wendy Wellness", WELLNESS),
        await api.leader("Cy Chair", "chair"),
    )
    off, staff = await api.member("Otto Off", WELLNESS), await api.staff()
    assert (await staff.put(f"/people/{off.id}/deactivation")).status_code == 204
    letters = [
        message("DTC", f"Wei Wong <{address}>", id=f"<{address}>")
        for address in (wendy.email, off.email, "new@example.org")
    ]
    await imported(chair, *letters, community=DTC)
    for one in await waiting(chair):
        assert ok(await decide(chair, one["id"], ACCEPTED))["status"] == "accepted"
    listed = ok(await chair.get(ROSTER, params={"q": "Wei Wong"}))["items"]
    assert len(listed) == 3
    (mine,) = ok(await wendy.get(WAITING))["items"]
    sent = await api.work_off()
    assert "token=" not in text_of(mail_to(sent, wendy.email))
    assert not [mail for mail in sent if off.email in mail["To"]]
    ok(await claim(wendy, mine["id"]))


async def test_what_was_verified_of_the_address_is_with_the_membership(api: Api) -> None:
    staff = await api.staff()
    secretary = await api.leader("Sam Secretary", "secretary", ROUNDTABLE)
    await verified(api, secretary)
    wendy = await api.member("Wendy Wellness", WELLNESS)
    await verified_address(api, wendy.email, staff)
    file = csv_of(row(wendy, place=ROUNDTABLE), headings=SAID)
    job = await applied(secretary, file, community=ROUNDTABLE)
    assert await outcomes(secretary, job) == [("created", [])]
    assert (wendy.email, "W. Typed") in await owners(api)
    job = await done(secretary, job, "reversal")
    assert (wendy.email, None) in await owners(api)
    await done(secretary, job, "application")
    (item,) = ok(await wendy.get(WAITING))["items"]
    assert ok(await claim(wendy, item["id"]))["status"] == "active"
    assert (wendy.email, "Wendy Wellness") in await owners(api)
    assert (await wendy.get(f"/communities/{ROUNDTABLE}/discussions")).status_code == 200


async def test_a_verification_that_somebody_asked_for_themselves_counts_too(api: Api) -> None:
    secretary = await api.leader("Sam Secretary", "secretary", ROUNDTABLE)
    await verified(api, secretary)
    wendy = await api.member("Wendy Wellness", WELLNESS)
    await verified(api, wendy)
    before, own = await owners(api), "/me/eligibility-verifications"
    file = csv_of(row(wendy, place=ROUNDTABLE), headings=SAID)
    job = await applied(secretary, file, community=ROUNDTABLE)
    assert await outcomes(secretary, job) == [("created", [])]
    (mine,) = ok(await wendy.get(own))["items"]
    ok(await wendy.get(f"/eligibility-verifications/{mine['id']}"))
    await done(secretary, job, "reversal")
    assert await owners(api) == before


# What it is like for those who wrote somebody down


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("password", [True, False])
async def test_the_owner_is_told_if_that_was_asked_for(
    api: Api, language: str, password: bool
) -> None:
    wendy = await api.member("Wendy Wellness", WELLNESS, language=language)
    if not password:
        await api.change(Person, wendy.id, password_hash=None)
    secretary = await api.leader("Sam Secretary", "secretary")
    await api.work_off()
    alike = wendy.email.upper()
    file = csv_of(row(replace(wendy, email=alike)), headings=SAID)
    await applied(secretary, file, community=DTC, invite="true")
    sent = await api.work_off()
    told = mail_to(sent, wendy.email)  # in the account's language, to its own address
    assert_in_language("imported", told, language)
    assert alike not in told["To"] and "Typed" not in text_of(told)
    if not password:
        body = {"token": token_in(told), "password": PASSWORD}
        assert (await api.post("/auth/password-resets/confirmation", body)).status_code == 204
        (person,) = await api.read(sa.select(Person).where(col(Person.id) == wendy.id))
        assert person[0].password_hash is not None


async def test_a_reversal_leaves_nothing_of_a_profile(api: Api) -> None:
    wendy = await api.member("Wendy Wellness", WELLNESS)
    people = len(await everybody(api))
    secretary, job, _ = await written_down(api, wendy)
    job = await done(secretary, job, "reversal")
    assert await outcomes(secretary, job) == [("created", [])]
    assert job["counts"]["kept"] == 0
    assert await api.read(sa.select(UnclaimedProfile.person_id)) == []
    assert len(await everybody(api)) == people + 1  # the secretary


async def test_an_account_stays_while_a_profile_waits_for_it(api: Api) -> None:
    """Reversing what made the account leaves it, and tells that to the association alone."""
    staff, secretary = await api.staff(), await api.leader("Sam Secretary", "secretary")
    other = await api.leader("Walt Secretary", "secretary", WELLNESS)
    for importer, place, codes in ((staff, None, ["account_in_use"]), (other, WELLNESS, [])):
        address = f"{importer.id}@example.org"
        file = csv_of(f"{address},Nadia New,{WELLNESS}")
        first = await applied(importer, file, community=place)
        await applied(secretary, csv_of(f"{address},N. Typed,{DTC}"), community=DTC)
        first = await done(importer, first, "reversal")
        assert await outcomes(importer, first) == [("created", codes)]
        accounts = sa.select(Person.id).where(col(Person.email_key) == address)
        assert len(await api.read(accounts)) == 1


async def test_who_belongs_already_claims_nothing_and_may_decline(api: Api) -> None:
    """It cannot come about by the API; a database that was put together by hand is no fault."""
    wendy = await api.member("Wendy Wellness", WELLNESS)
    _, _, membership = await written_down(api, wendy)
    async with api.database.work() as work:
        values = {"person_id": wendy.id, "community_id": await api.community_id()}
        work.add(Membership(**values, category="observer", since_on=on(0), **created()))
    assert code(await claim(wendy, membership), 409) == "membership.exists"
    ok(await claim(wendy, membership, DECLINED))


async def test_nobody_brings_themselves_in_as_somebody_else(api: Api) -> None:
    staff = await api.staff()
    file = csv_of(f"{staff.email},Somebody Else,{DTC}")
    job = await applied(staff, file, community=DTC)
    assert await outcomes(staff, job) == [("unchanged", ["own_membership"])]
    assert ok(await staff.get(WAITING))["items"] == []


async def test_staff_see_which_profiles_are_no_accounts(api: Api) -> None:
    wendy, staff = await api.member("Wendy Wellness", WELLNESS), await api.staff()
    await written_down(api, wendy)
    people = ok(await staff.get("/people", params={"limit": 100}))["items"]
    assert [one["name"] for one in people if one["unclaimed"]] == ["W. Typed"]


async def test_a_profile_that_staff_have_switched_off_waits_for_nobody(api: Api) -> None:
    wendy, staff = await api.member("Wendy Wellness", WELLNESS), await api.staff()
    secretary, _, membership = await written_down(api, wendy)
    person = (await roster(secretary))["W. Typed"]["person"]["id"]
    assert (await staff.put(f"/people/{person}/deactivation")).status_code == 204
    assert ok(await wendy.get(WAITING))["items"] == []
    assert (await claim(wendy, membership)).status_code == 404


async def test_a_membership_on_a_day_to_come_waits_too_and_one_that_is_over_does_not(
    api: Api,
) -> None:
    wendy = await api.member("Wendy Wellness", WELLNESS)
    _, _, membership = await written_down(api, wendy)
    here = UUID(membership)
    for since, until, waits in (
        (on(5), None, True),
        (on(-5), on(0), True),
        (on(-5), on(-1), False),
    ):
        await api.change(Membership, here, since_on=since, until_on=until)
        assert bool(ok(await wendy.get(WAITING))["items"]) is waits
    assert code(await claim(wendy, membership), 409) == "membership.ended"


def test_of_everything_that_may_refer_to_a_person_it_is_said_what_becomes_of_it() -> None:
    """Whatever is not here is done or written by who is signed in, or is an account's."""
    acts = {"by", "author_id", "reporter_id"}
    accounts = {"access_token", "agreement", "provisioned_user", "session"}
    decided = {(sa.inspect(model).local_table.name, column) for model, column in (*MOVED, *GONE)}
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column.table.name != "person" or table.name in accounts:
                continue
            column = key.parent.name
            act = column in acts or column.rsplit("_", 1)[-1] in acts
            assert act or (table.name, column) in decided, (table.name, column)
