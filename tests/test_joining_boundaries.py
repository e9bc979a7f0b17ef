"""What nobody gets by the ways into a community: back in, ahead of others, or to know of others."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app import clock
from app.models import Community, Invitation, Membership, Person
from app.services import retention
from tests import test_community_proposals as proposals
from tests.answers import FORM, because, code, ok, wrong
from tests.applicants import read, take_back, with_link
from tests.cast import DTC, ROUNDTABLE, Api, Someone, day, mail_to, token_in, unknown_id
from tests.machines import script_of
from tests.moments import at, over
from tests.test_eligibility import ASKED, HERE, NO, PDF, YES, asked_for, decided, verified
from tests.test_import_mailboxes import imported, message, waiting
from tests.test_invitations import accept, inspect, link
from tests.test_join_requests import ACCEPTED, DECLINED, asked_and_proven, decide

ROSTER = f"/communities/{DTC}/memberships"
REASON = {"reason": "Harassed others."}


def of(someone: Someone, act: str = "", community: str = DTC) -> str:
    return f"/memberships/{someone.memberships[community]}{act}"


async def can(by: Someone, path: str) -> list[str]:
    return ok(await by.get(path))["viewer"]["can"]


# Invitations of another time


async def come_in(api: Api, secretary: Someone, someone: Someone) -> str:
    """The membership of somebody who asked to join, and was accepted."""
    asked = ok(await someone.post("/join-requests", FORM | {"email": someone.email}), 202)
    request = asked["items"][0]["id"]
    return ok(await decide(secretary, request, ACCEPTED))["membership_id"]


async def test_whoever_was_put_out_does_not_come_back_by_an_older_invitation(api: Api) -> None:
    secretary, mary = await api.leader("Sam Secretary", "secretary"), await api.person("Mary Moe")
    older = await link(api, secretary, mary.email)
    membership = await come_in(api, secretary, mary)
    ok(await secretary.post(f"/memberships/{membership}/end", REASON))
    assert (await inspect(api, older))["valid"] is False
    assert code(await accept(api, older), 409) == "invitation.void"
    (row,) = await api.read(sa.select(Invitation.id))
    await api.work_off()
    ok(await secretary.post(f"/invitations/{row.id}/resending"), 202)
    newer = token_in(mail_to(await api.work_off(), mary.email))
    assert (await inspect(api, newer))["valid"] is True
    ok(await accept(api, newer))


# Whose address has an account


async def test_a_verification_does_not_tell_whether_an_applicant_has_an_account(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Jo Justice", "chair", ROUNDTABLE)
    await verified(api, chair)
    known, back = await api.member("Wei Known"), await api.member("Bea Back", ROUNDTABLE)
    ok(await back.post(of(back, "/end", ROUNDTABLE), {}))
    for address in (known.email, "nobody@example.org", back.email):
        sender = {"sender": f"X <{address}>", "id": f"<{address}>"}
        await imported(staff, message(community="Judicial Roundtable", **sender))
    owners, made = {}, {}
    for asked in await waiting(chair, ROUNDTABLE):
        body = {"occupation_code": "judge", "join_request_id": asked["id"]}
        made[asked["email"]] = one = ok(await chair.post(ASKED, body), 201)
        owners[asked["email"]] = one["person_id"]
    assert owners == {known.email: None, "nobody@example.org": None, back.email: str(back.id)}
    (mine,) = ok(await known.get("/me/eligibility-verifications"))["items"]
    path = f"/eligibility-verifications/{made[known.email]['id']}"
    assert (mine["id"], (await known.get(path)).status_code) == (made[known.email]["id"], 200)
    assert (await back.get(path)).status_code == 404
    # It becomes the account's with the membership.
    ok(await decided(staff, mine, **YES))
    (asked,) = [one for one in await waiting(chair, ROUNDTABLE) if one["email"] == known.email]
    ok(await decide(chair, asked["id"], ACCEPTED))
    assert (await known.get(f"{HERE}/discussions")).status_code == 404
    shown = ok(await chair.get(f"{HERE}/memberships", params={"q": known.email}))["items"]
    assert [one["status"] for one in shown] == ["active"]  # as of somebody without an account
    (waits,) = ok(await known.get("/me/unclaimed-memberships"))["items"]
    ok(await known.put(f"/memberships/{waits['id']}/claim", {"outcome": "claimed"}))
    assert (await known.get(f"{HERE}/discussions")).status_code == 200


async def test_an_invented_link_is_answered_alike_whatever_it_asks_for(api: Api) -> None:
    request = await asked_and_proven(api)
    invented = with_link("cop_link_" + "A" * 43)
    for path in ("/join-requests/{}", "/community-proposals/{}"):
        for one in (request, str(unknown_id())):
            answer = await api.get(path.format(one), **invented)
            assert code(answer, 401) == "auth.token_invalid"


# Forms in somebody's name


async def test_forms_of_strangers_in_ones_name_keep_nobody_from_writing_oneself(api: Api) -> None:
    mary = await api.person("Mary Moe")
    own = {"email": mary.email}
    proposal = await proposals.opened(api)
    for _ in range(5):
        ok(await proposals.support(api, proposal, **own), 202)
    for _ in range(20):
        ok(await api.post("/join-requests", FORM | own), 202)
    assert code(await proposals.support(api, proposal, **own), 429) == "rate_limit.exceeded"
    assert code(await api.post("/join-requests", FORM | own), 429) == "rate_limit.exceeded"
    ok(await proposals.support(mary, proposal, **own), 202)
    ok(await mary.post("/join-requests", FORM | own), 202)


async def test_a_declined_message_that_anybody_may_have_sent_is_held_against_nobody(
    api: Api,
) -> None:
    staff, chair = await api.staff(), await api.leader("Carla Chair", "chair")
    await api.change(Community, await api.community_id(DTC), reapplication_days=365)
    wei = await api.person("Wei W")
    own = FORM | {"email": wei.email}
    await imported(staff, message(sender=f"X <{wei.email}>"))
    states = []
    for _ in range(2):
        (asked,) = await waiting(chair)
        ok(await decide(chair, asked["id"], DECLINED))
        (made,) = ok(await wei.post("/join-requests", own), 202)["items"]
        states.append(made["status"])
    assert states == ["pending", "withdrawn"]


@pytest.mark.parametrize(("minutes", "opens"), [(-1, True), (1, False)])
async def test_a_proposal_whose_address_nobody_confirms_in_time_is_nobodys(
    api: Api, minutes: int, opens: bool
) -> None:
    received = ok(await proposals.propose(api), 202)
    await api.work_off()
    dead = clock.now() + retention.UNCONFIRMED
    with at(dead - timedelta(hours=2)):
        ok(await api.post("/auth/email-verifications", {"email": proposals.NOOR}), 202)
        token = await proposals.mailed(api, proposals.NOOR)
    with at(dead + timedelta(minutes=minutes)):
        proven = ok(await proposals.prove(api, token))["proposal"]
        assert (proven is not None) is opens
        shown = await api.get(f"{proposals.PROPOSALS}/{received['id']}")
        assert shown.status_code == (200 if opens else 404)


# Who does what about whom


async def test_a_leader_who_reads_a_request_is_told_that_it_is_the_applicants(api: Api) -> None:
    request = await asked_and_proven(api)
    stranger = await api.member("Mary Moe")
    for reader in (await api.leader("Carla Chair", "chair"), await api.staff()):
        refused = await take_back(reader, request)
        assert (refused.status_code, because(refused)) == (403, ["own_only"])
    assert (await take_back(stranger, request)).status_code == 404
    applicant = await api.person("Sia Self")
    own = ok(await applicant.post("/join-requests", FORM | {"email": applicant.email}), 202)
    assert (await take_back(applicant, own["items"][0]["id"])).status_code == 200


async def test_what_one_may_decide_is_not_offered_about_ones_own_unproven_address(
    api: Api,
) -> None:
    staff, other = await api.staff(), await api.staff("Olga Other")
    await api.change(Person, other.id, email_verified_at=None)
    await imported(staff, message(sender=f"X <{other.email}>"))
    (asked,) = await waiting(staff)
    assert "decide_join_request" in asked["viewer"]["can"]
    assert ok(await read(other, asked["id"]))["viewer"]["can"] == []
    assert code(await decide(other, asked["id"], ACCEPTED), 403) == "join_request.own"


async def test_a_verifier_refuses_with_a_reason_and_takes_back_only_what_they_began(
    api: Api,
) -> None:
    judith, staff = await api.member("Judith Judge", ROUNDTABLE), await api.staff()
    mine = await asked_for(judith)
    path = f"/eligibility-verifications/{mine['id']}"
    assert "withdraw_eligibility_verification" not in await can(staff, path)
    assert because(await staff.post(f"{path}/withdrawal")) == ["own_only"]
    ok(await decided(staff, mine, **NO))
    theirs = await asked_for(staff, person_id=str(judith.id))
    path = f"/eligibility-verifications/{theirs['id']}"
    assert "withdraw_eligibility_verification" in await can(staff, path)
    ok(await staff.post(f"{path}/withdrawal"))


async def test_both_of_two_verifiers_see_the_same_evidence(api: Api) -> None:
    await api.change(Community, await api.community_id(ROUNDTABLE), eligibility_confirmations=2)
    judith, first = await api.member("Judith Judge", ROUNDTABLE), await api.staff("Ada One")
    second = await api.staff("Bo Two")
    asked = await asked_for(judith)
    path = f"/eligibility-verifications/{asked['id']}"
    sent = {"content": PDF, "headers": {"Content-Type": "application/pdf"}}
    assert "put_eligibility_evidence" in await can(judith, path)
    ok(await judith.call("PUT", f"{path}/evidence", **sent))
    ok(await decided(first, asked, **YES))
    assert "put_eligibility_evidence" not in await can(judith, path)
    refused = await judith.call("PUT", f"{path}/evidence", **sent)
    assert code(refused, 409) == "eligibility.evidence_seen"
    assert (await second.get(f"{path}/evidence")).content == PDF


async def test_the_second_of_two_cannot_confirm_what_the_first_gave_until_a_day_gone_by(
    api: Api,
) -> None:
    await api.change(Community, await api.community_id(ROUNDTABLE), eligibility_confirmations=2)
    judith, first = await api.member("Judith Judge", ROUNDTABLE), await api.staff("Ada One")
    second = await api.staff("Bo Two")
    asked = await asked_for(judith)
    ok(await decided(first, asked, **YES | {"until_on": day(3)}))
    longer = YES | {"until_on": day(300)}
    with at(over(3), second):
        assert wrong(await decided(second, asked, **longer)) == [("/until_on", "day_in_the_past")]
    last = day(3)
    with at(over(2), second):
        assert ok(await decided(second, asked, **longer))["until_on"] == last


# Hidden communities


@pytest.mark.parametrize(("listed", "status"), [(True, 200), (False, 404)])
async def test_that_a_hidden_community_came_of_a_proposal_is_not_told(
    api: Api, listed: bool, status: int
) -> None:
    staff, proposal = await api.staff(), await proposals.opened(api)
    path = f"{proposals.PROPOSALS}/{proposal}"
    assert (await api.get(path)).status_code == 200
    community = proposals.REMOTE | {"listed": listed}
    ok(await proposals.decide(staff, proposal, proposals.ACCEPTED | {"community": community}))
    assert (await api.get(path)).status_code == status
    assert ok(await staff.get(path))["status"] == "accepted"


# Memberships: whose days, and what is offered


async def test_what_is_offered_of_a_pause_is_what_may_be_done(api: Api) -> None:
    mary, secretary = await api.member("Mary Moe"), await api.leader("Sam Secretary", "secretary")
    ok(await secretary.put(of(mary, "/pause"), {"reason": "Asked for by telephone."}))
    assert "resume_membership" not in await can(mary, of(mary))
    assert (await mary.delete(of(mary, "/pause"))).status_code == 403
    assert "resume_membership" in await can(secretary, of(mary))
    ok(await secretary.delete(of(mary, "/pause")))
    coming = ok(await mary.put(of(mary, "/pause"), {"starts_on": day(5), "until_on": day(9)}))
    assert coming["status"] == "active"
    assert coming["pause"] == {"cause": "declared", "starts_on": day(5), "until_on": day(9)}
    assert "resume_membership" in coming["viewer"]["can"]
    assert "pause_membership" not in coming["viewer"]["can"]
    assert ok(await mary.delete(of(mary, "/pause")))["pause"] is None


async def test_a_script_is_offered_what_its_scopes_reach(api: Api) -> None:
    mary = await api.member("Mary Moe")
    reads = await script_of(mary, "memberships:read")
    acts = await script_of(mary, "memberships:read", "memberships:manage")
    assert await can(reads, of(mary)) == []
    assert "pause_membership" in await can(acts, of(mary))
    assert (await reads.put(of(mary, "/pause"), {})).status_code == 403
    assert (await acts.put(of(mary, "/pause"), {})).status_code == 200


async def test_nobody_decides_about_the_days_of_their_own_membership(api: Api) -> None:
    secretary, staff = await api.leader("Sam Secretary", "secretary"), await api.staff()
    until = clock.today() + timedelta(days=3)
    await api.change(Membership, secretary.memberships[DTC], until_on=until)
    longer: dict[str, Any] = {"until_on": None}
    assert "update_membership" not in await can(secretary, of(secretary))
    assert code(await secretary.patch(of(secretary), longer), 403) == "membership.own"
    assert ok(await staff.patch(of(secretary), longer))["until_on"] is None


async def test_a_membership_that_is_to_end_today_is_ended_with_a_reason(api: Api) -> None:
    secretary, mary = await api.leader("Sam Secretary", "secretary"), await api.member("Mary Moe")
    refused = await secretary.patch(of(mary), {"until_on": day(0)})
    assert wrong(refused) == [("/until_on", "ends_today")]
    ok(await secretary.patch(of(mary), {"until_on": day(1)}))
    with at(over(0), secretary):
        ok(await secretary.patch(of(mary), {"category": "observer"}))


async def test_nobody_belongs_twice_on_one_day(api: Api) -> None:
    secretary, mary = await api.leader("Sam Secretary", "secretary"), await api.member("Mary Moe")
    since = clock.today() - timedelta(days=200)
    await api.change(Membership, mary.memberships[DTC], since_on=since)
    ok(await secretary.post(of(mary, "/end"), REASON))
    body = {"person_id": str(mary.id)}
    refused = await secretary.post(ROSTER, body | {"since_on": day(-1)})
    assert wrong(refused) == [("/since_on", "day_of_earlier_membership")]
    before = await secretary.post(ROSTER, body | {"since_on": day(-300)})
    assert wrong(before) == [("/since_on", "day_of_earlier_membership")]
    again = ok(await secretary.post(ROSTER, body | {"since_on": day(0)}), 201)
    back = await secretary.patch(f"/memberships/{again['id']}", {"since_on": day(-1)})
    assert wrong(back) == [("/since_on", "day_of_earlier_membership")]
    listed = ok(await secretary.get(ROSTER, params={"as_of": day(-50)}))["items"]
    assert [one["person"]["name"] for one in listed].count("Mary Moe") == 1
