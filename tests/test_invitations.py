"""Inviting people to a community, and what whoever is invited answers."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock, texts
from app.models import (
    ActorKind,
    Agreement,
    Community,
    CommunityStatus,
    Invitation,
    InvitationMail,
    Membership,
    Person,
)
from app.services import invitations, retention
from tests.answers import FORM, because, code, leaves, ok, told, wrong
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day, mail_to, text_of, token_in
from tests.granting import grant
from tests.machines import machine_of, partner_of
from tests.moments import INSTANT, at, over
from tests.places import invited
from tests.test_mail import assert_in_language

AMARA = "amara@example.org"
INVITATIONS = f"/communities/{DTC}/invitations"
IDENTITY = {
    "name": "Amara Okafor",
    "occupation": "Nurse",
    "affiliation": "Detox Centre",
    "area_of_interest": "withdrawal",
}


async def invite(by: Someone, *addresses: str, **body: Any) -> list[dict[str, Any]]:
    """What became of each address."""
    asked = {"addresses": list(addresses or (AMARA,))} | body
    return ok(await by.post(INVITATIONS, asked), 201)["items"]


async def link(api: Api, by: Someone, address: str = AMARA, **body: Any) -> str:
    """The token that an invitation of an address carries."""
    await invite(by, address, **body)
    return token_in(mail_to(await api.work_off(), address))


async def accept(caller: Any, token: str, **body: Any) -> httpx.Response:
    """Accepts, as somebody without an account unless told otherwise."""
    asked = {"token": token, "agrees_to_rules_version": 1, "identity": IDENTITY} | body
    return await caller.post("/invitations/acceptance", asked)


async def inspect(api: Api, token: str) -> dict[str, Any]:
    return ok(await api.post("/invitations/inspection", {"token": token}))


async def state(by: Someone, address: str = AMARA) -> str:
    """The state of the latest invitation of an address."""
    return ok(await by.get(INVITATIONS, params={"email": address}))["items"][0]["state"]


# The join policy


@pytest.mark.parametrize("policy", ["invitation_only", "closed"])
async def test_only_a_community_that_takes_requests_can_be_asked(api: Api, policy: str) -> None:
    secretary = await api.leader("Simone Secretary", "secretary")
    assert "submit_join_request" in ok(await api.get(f"/communities/{DTC}"))["viewer"]["can"]
    ok(await secretary.patch(f"/communities/{DTC}", {"join_policy": policy}))
    shown = ok(await api.get(f"/communities/{DTC}"))
    assert shown["join_policy"] == policy
    assert "submit_join_request" not in shown["viewer"]["can"]
    (listed,) = [one for one in ok(await api.get("/communities"))["items"] if one["slug"] == DTC]
    assert listed["join_policy"] == policy
    answer = await api.post("/join-requests", FORM | {"communities": [WELLNESS, DTC]})
    assert code(answer, 409) == "community.not_taking_requests"
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/communities/1", "not_taking_requests")
    ok(await api.post("/join-requests", FORM | {"communities": [WELLNESS]}), 202)


async def test_only_those_who_may_change_a_community_change_its_policy(api: Api) -> None:
    member = await api.member("Mo Member")
    answer = await member.patch(f"/communities/{DTC}", {"join_policy": "closed"})
    assert because(answer) == ["position_required"]
    assert ok(await member.get(f"/communities/{DTC}"))["join_policy"] == "request"


async def test_a_hidden_community_with_another_policy_is_as_unknown_as_one_that_never_was(
    api: Api,
) -> None:
    hidden = {"listed": False, "join_policy": "closed"}
    await api.change(Community, await api.community_id(DTC), **hidden)
    answers = [
        await api.post("/join-requests", FORM | {"communities": [slug]})
        for slug in (DTC, "never-was")
    ]
    assert told(answers[0]) == told(answers[1])


async def test_a_new_community_may_begin_with_a_policy(api: Api) -> None:
    staff = await api.staff()
    body = {
        "slug": "rural-courts",
        "name": {"en": "Rural", "fr": "Rural"},
        "description": {"en": "Far.", "fr": "Loin."},
        "join_policy": "invitation_only",
    }
    made = ok(await staff.post("/communities", body), 201)
    assert made["join_policy"] == "invitation_only"


# Inviting


async def test_a_newcomer_who_accepts_has_an_account_and_belongs(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    async with leaves(api, ("invitation.sent", chair)):
        (made,) = await invite(chair, category="academic", language="fr")
    assert made["outcome"] == "invited"
    token = token_in(mail_to(await api.work_off(), AMARA))
    inspected = await inspect(api, token)
    assert inspected["valid"] and inspected["needs_identity"]
    assert (inspected["email"], inspected["community"]["slug"]) == (AMARA, DTC)
    assert (inspected["language"], inspected["rules_version"]) == ("fr", 1)
    applicant = ActorKind.APPLICANT
    async with leaves(api, ("account.created", applicant), ("invitation.accepted", applicant)):
        accepted = ok(await accept(api, token))
    assert accepted["membership"]["category"] == "academic"
    assert accepted["password_link_mailed"]
    welcome = mail_to(await api.work_off(), AMARA)
    body = {"token": token_in(welcome), "password": "a quiet court in March"}
    ok(await api.post("/auth/password-resets/confirmation", body), 204)
    roster = ok(await chair.get(f"/communities/{DTC}/memberships"))["items"]
    assert "Amara Okafor" in [item["person"]["name"] for item in roster]
    agreed = await api.read(
        sa.select(Agreement.rules_version).join(Person).where(col(Person.email_key) == AMARA)
    )
    assert [row.rules_version for row in agreed] == [1]
    log = await chair.get(f"/communities/{DTC}/audit-log?kind=invitation.accepted")
    assert ok(log)["items"][0]["facts"]["privacy_notice_version"] == 1
    shown = ok(await chair.get(f"/invitations/{made['invitation_id']}"))
    assert shown["state"] == "accepted"
    assert shown["membership_id"] == accepted["membership"]["id"]


async def test_the_profile_of_somebody_with_an_account_is_theirs(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    known = await api.person("Noor Known", agreed=False)
    token = await link(api, chair, known.email)
    assert not (await inspect(api, token))["needs_identity"]
    async with leaves(api, ("invitation.accepted", known)):
        accepted = ok(await accept(known, token))
    assert accepted["person"] == {"id": str(known.id), "name": "Noor Known"}
    assert not accepted["password_link_mailed"]
    assert ok(await known.get("/me"))["occupation"] == "Court coordinator"
    assert ok(await known.get("/me/agreements"))["items"][0]["version"] == 1
    assert await api.work_off() == []  # they did it themselves


async def test_somebody_with_an_account_need_not_say_who_they_are(api: Api) -> None:
    chair, wendy = (
        await api.leader("Claire Chair", "chair"),
        await api.member("Wendy Wellness", WELLNESS),
    )
    await api.change(Person, wendy.id, email_verified_at=None)
    token = await link(api, chair, wendy.email)
    assert (await inspect(api, token))["needs_identity"] is False
    ok(await accept(api, token, identity=None))
    (person,) = await api.read(sa.select(Person).where(col(Person.id) == wendy.id))
    assert person[0].email_verified_at is not None and person[0].name == "Wendy Wellness"
    assert len(ok(await wendy.get("/me/memberships"))["items"]) == 2


async def test_the_link_says_who_accepts_whoever_is_signed_in(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    other = await api.person("Otto Other")
    token = await link(api, chair)
    async with leaves(
        api, ("account.created", ActorKind.APPLICANT), ("invitation.accepted", ActorKind.APPLICANT)
    ):
        accepted = ok(await accept(other, token))
    assert (accepted["email"], accepted["person"]["name"]) == (AMARA, "Amara Okafor")
    assert ok(await other.get("/me/memberships"))["items"] == []


async def test_only_those_who_manage_memberships_invite_and_look(api: Api) -> None:
    chair, member = await api.leader("Claire Chair", "chair"), await api.member("Mo Member")
    assert because(await member.post(INVITATIONS, {"addresses": [AMARA]})) == ["position_required"]
    assert because(await member.get(INVITATIONS)) == ["position_required"]
    (made,) = await invite(chair)
    there = f"/invitations/{made['invitation_id']}"
    assert code(await member.get(there), 404) == "not_found"
    assert code(await member.post(f"{there}/resending"), 404) == "not_found"
    assert code(await member.put(f"{there}/revocation"), 404) == "not_found"
    assert ok(await chair.get(there))["state"] == "open"


async def test_what_becomes_of_an_address_does_not_tell_whether_it_is_known(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    member, known = await api.member("Mo Member"), await api.person("Noor Known")
    addresses = (AMARA, member.email, known.email)
    made = await invite(chair, *addresses)
    assert [item["outcome"] for item in made] == ["invited"] * 3
    listed = ok(await chair.get(INVITATIONS))["items"]
    assert [item["state"] for item in listed] == ["open"] * 3
    sent = await api.work_off()
    assert "token=" not in text_of(mail_to(sent, member.email))
    assert "already" in text_of(mail_to(sent, member.email))
    assert "token=" in text_of(mail_to(sent, known.email))


async def test_an_address_is_invited_once_at_a_time(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    first, again = await invite(chair, AMARA, AMARA.upper())
    assert (first["outcome"], again["outcome"]) == ("invited", "open_already")
    (later,) = await invite(chair)
    assert later == again | {"email": AMARA}
    assert later["invitation_id"] == first["invitation_id"]
    mail_to(await api.work_off(), AMARA)


async def test_of_invitations_of_one_address_at_the_same_moment_one_is_made(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    secretary = await api.leader("Simone Secretary", "secretary")
    made = await asyncio.gather(*(invite(by) for by in (chair, secretary) * 4))
    outcomes = sorted(items[0]["outcome"] for items in made)
    assert outcomes == ["invited"] + ["open_already"] * 7
    assert len(await api.read(sa.select(Invitation.id))) == 1


async def test_a_community_has_so_many_open_invitations(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MOST_OPEN", 3)
    chair = await api.leader("Claire Chair", "chair")
    async with api.database.work() as work:
        await invited(
            work,
            await api.community_id(),
            chair.id,
            "old@example.org",
            expires_on=clock.today() - timedelta(days=1),
        )
    answers = await asyncio.gather(
        *(chair.post(INVITATIONS, {"addresses": [f"a{n}@example.org"]}) for n in range(5))
    )
    refused = [answer for answer in answers if answer.status_code != 201]
    assert [code(answer, 409) for answer in refused] == ["invitation.too_many"] * 2


async def test_a_list_is_refused_as_a_whole_where_one_is_no_address(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    answer = await chair.post(INVITATIONS, {"addresses": [AMARA, "not an address"]})
    assert wrong(answer) == [("/addresses/1", "email_invalid")]
    assert ok(await chair.get(INVITATIONS))["items"] == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": CommunityStatus.ARCHIVED}, "community.archived"),
        ({"join_policy": "closed"}, "community.closed"),
    ],
)
async def test_where_nobody_is_admitted_nobody_is_invited(
    api: Api, change: dict[str, Any], expected: str
) -> None:
    chair = await api.leader("Claire Chair", "chair")
    token = await link(api, chair)
    await invite(chair, "unsent@example.org")
    community = await api.community_id()
    await api.change(Community, community, **change)
    assert code(await chair.post(INVITATIONS, {"addresses": ["new@example.org"]}), 409) == expected
    assert code(await accept(api, token), 409) == expected
    assert (await inspect(api, token))["valid"] is False
    assert await api.work_off() == []  # a letter that has become untrue is not written
    await api.change(
        Community, community, status=CommunityStatus.ACTIVE, join_policy="invitation_only"
    )
    ok(await accept(api, token))


async def test_lists_show_states_by_the_calendar(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    addresses = [f"{name}@example.org" for name in ("open", "accepted", "declined", "revoked")]
    made = await invite(chair, *addresses)
    sent = await api.work_off()
    ok(await accept(api, token_in(mail_to(sent, addresses[1]))))
    token = token_in(mail_to(sent, addresses[2]))
    assert ok(await api.post("/invitations/decline", {"token": token}))["email"] == addresses[2]
    ok(await chair.put(f"/invitations/{made[3]['invitation_id']}/revocation"))
    for name in ("open", "accepted", "declined", "revoked"):
        (item,) = ok(await chair.get(INVITATIONS, params={"state": name}))["items"]
        assert (item["state"], item["email"]) == (name, f"{name}@example.org")
        acts = ["revoke_invitation", "resend_invitation"] if name == "open" else []
        assert item["viewer"]["can"] == acts
    with at(over(14), chair):
        (item,) = ok(await chair.get(INVITATIONS, params={"state": "expired"}))["items"]
        assert (item["state"], item["viewer"]["can"]) == ("expired", [])
        assert ok(await chair.get(INVITATIONS, params={"state": "open"}))["items"] == []
        # Invited again, it is another invitation, and the first stays expired.
        assert (await invite(chair, "open@example.org"))[0]["outcome"] == "invited"
        listed = ok(await chair.get(INVITATIONS, params={"email": "open@example.org"}))["items"]
        assert [(one["state"], one["ended_at"]) for one in listed] == [
            ("open", None),
            ("expired", None),
        ]


# Answering


async def test_an_invitation_is_good_until_the_end_of_its_last_day(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    token = await link(api, chair, valid_for_days=3)
    late = await link(api, chair, "late@example.org", valid_for_days=3)
    with at(over(3)):
        assert code(await accept(api, late), 409) == "invitation.not_open"
        assert not (await inspect(api, late))["valid"]
    with at(over(3) - INSTANT):
        assert (await inspect(api, token))["expires_on"] == clock.today().isoformat()
        ok(await accept(api, token))


@pytest.mark.parametrize("days", [0, 91])
async def test_an_invitation_lasts_from_one_day_to_ninety(api: Api, days: int) -> None:
    chair = await api.leader("Claire Chair", "chair")
    answer = await chair.post(INVITATIONS, {"addresses": [AMARA], "valid_for_days": days})
    assert [place for place, _ in wrong(answer)] == ["/valid_for_days"]
    ok(await chair.post(INVITATIONS, {"addresses": [AMARA], "valid_for_days": 90}), 201)
    (item,) = ok(await chair.get(INVITATIONS))["items"]
    assert item["expires_on"] == day(90)


async def test_of_answers_at_the_same_moment_one_counts(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    token = await link(api, chair)
    answers = await asyncio.gather(*(accept(api, token) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 4
    assert len(await api.read(sa.select(Person.id).where(col(Person.email_key) == AMARA))) == 1
    decline = await api.post("/invitations/decline", {"token": token})
    assert code(decline, 409) == "invitation.not_open"


async def test_a_newcomer_says_who_they_are(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    token = await link(api, chair)
    assert wrong(await accept(api, token, identity=None)) == [("/identity", "required")]
    unknown = IDENTITY | {"territory": "XX-YY", "occupation_code": "never"}
    assert wrong(await accept(api, token, identity=unknown)) == [
        ("/identity/occupation_code", "not_known"),
        ("/identity/territory", "not_known"),
    ]
    outdated = await accept(api, token, agrees_to_rules_version=7)
    assert code(outdated, 409) == "rules.version_outdated"
    ok(await accept(api, token))


@pytest.mark.parametrize("how", ["term", "membership", "account", "suspension"])
async def test_an_invitation_counts_while_whoever_sent_it_may_invite(api: Api, how: str) -> None:
    staff = await api.staff()
    chair = await api.leader("Claire Chair", "chair", ends=2)
    token = await link(api, chair)
    await invite(chair, "unsent@example.org")
    assert (await inspect(api, token))["valid"]
    if how == "account":
        ok(await staff.put(f"/people/{chair.id}/deactivation"), 204)
    elif how == "suspension":
        path = f"/memberships/{chair.memberships[DTC]}/suspension"
        ok(await staff.put(path, {"until_on": day(30), "reason": "For the test."}))
    elif how == "membership":
        await api.change(Membership, chair.memberships[DTC], ended_at=clock.now(), ending="ended")
    with at(over(2) if how == "term" else clock.now()):
        assert code(await accept(api, token), 409) == "invitation.void"
        assert not (await inspect(api, token))["valid"]
        mailed = [mail["To"] for mail in await api.work_off()]
    assert "unsent@example.org" not in mailed
    assert await api.read(sa.select(Person.id).where(col(Person.email_key) == AMARA)) == []


async def invited_by_a_member(api: Api) -> tuple[Someone, Someone, str]:
    """Staff, a member whom the table lets invite, and the link that they had mailed."""
    staff, president = await api.staff(), await api.staff("Pia President", "president")
    member = await api.member("Mo Member")
    await grant(staff, president, "memberships:manage", "staff", "member")
    await api.work_off()
    token = await link(api, member)
    assert (await inspect(api, token))["valid"]
    return staff, member, token


async def test_where_the_table_lets_members_invite_a_membership_stands_behind_it(api: Api) -> None:
    staff, member, token = await invited_by_a_member(api)
    path = f"/memberships/{member.memberships[DTC]}/suspension"
    ok(await staff.put(path, {"until_on": day(3), "reason": "For the test."}))
    assert code(await accept(api, token), 409) == "invitation.void"
    with at(over(3)):
        ok(await accept(api, token))


@pytest.mark.parametrize("how", ["pause", "verification", "account"])
async def test_a_membership_stands_behind_an_invitation_while_its_rights_count(
    api: Api, how: str
) -> None:
    staff, member, token = await invited_by_a_member(api)
    if how == "pause":
        ok(await member.put(f"/memberships/{member.memberships[DTC]}/pause", {"until_on": day(3)}))
    elif how == "verification":
        ok(await staff.patch(f"/communities/{DTC}", {"eligible_occupations": ["judge"]}))
    else:
        ok(await staff.put(f"/people/{member.id}/deactivation"), 204)
    assert code(await accept(api, token), 409) == "invitation.void"


async def test_a_machine_of_a_partner_invites_nobody(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "memberships:manage", communities=[DTC])
    machine = await machine_of(staff, partner)
    answer = await machine.post(INVITATIONS, {"addresses": [AMARA]})
    assert code(answer, 403) == "person.required"
    assert (await invite(staff))[0]["outcome"] == "invited"


async def test_whoever_sends_it_again_answers_for_it(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair", ends=2)
    secretary = await api.leader("Simone Secretary", "secretary")
    (made,) = await invite(chair)
    first = token_in(mail_to(await api.work_off(), AMARA))
    there = f"/invitations/{made['invitation_id']}"
    async with leaves(api, ("invitation.resent", secretary)):
        again = ok(await secretary.post(f"{there}/resending"), 202)
    assert again["invited_by"]["name"] == "Simone Secretary"
    # At once, and not only when the new link is made.
    assert code(await accept(api, first), 409) == "mailed_token.invalid"
    second = token_in(mail_to(await api.work_off(), AMARA))
    with at(over(2)):
        ok(await accept(api, second))


async def test_sending_again_and_accepting_at_the_same_moment_wait_for_each_other(
    api: Api,
) -> None:
    chair = await api.leader("Claire Chair", "chair")
    (made,) = await invite(chair)
    token = token_in(mail_to(await api.work_off(), AMARA))
    there = f"/invitations/{made['invitation_id']}"
    accepted, *sent = await asyncio.gather(
        accept(api, token), *(chair.post(f"{there}/resending") for _ in range(3)), invite(chair)
    )
    answers = {answer.status_code for answer in sent[:3]}
    assert accepted.status_code in (200, 409)
    assert answers <= {202, 409, 429}
    expected = "accepted" if accepted.status_code == 200 else "open"
    assert ok(await chair.get(there))["state"] == expected


async def test_a_link_is_void_once_the_invitation_is_revoked(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    (made,) = await invite(chair)
    token = token_in(mail_to(await api.work_off(), AMARA))
    there = f"/invitations/{made['invitation_id']}"
    stale = await chair.put(f"{there}/revocation", headers={"If-Match": '"9-x"'})
    assert code(stale, 412) == "precondition.failed"
    async with leaves(api, ("invitation.revoked", chair)):
        assert ok(await chair.put(f"{there}/revocation"))["state"] == "revoked"
    for again in (f"{there}/revocation", f"{there}/resending"):
        answer = await chair.call("PUT" if "rev" in again else "POST", again)
        assert code(answer, 409) == "invitation.not_open"
    assert code(await accept(api, token), 409) == "invitation.not_open"
    assert not (await inspect(api, token))["valid"]


async def test_whoever_belongs_already_is_told_so_and_the_invitation_stays_open(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    known = await api.person("Noor Known")
    token = await link(api, chair, known.email)
    await api.join(known)
    assert code(await accept(known, token), 409) == "membership.exists"
    assert await state(chair, known.email) == "open"


async def test_a_deactivated_account_is_not_brought_back(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Claire Chair", "chair")
    known = await api.person("Noor Known")
    token = await link(api, chair, known.email)
    ok(await staff.put(f"/people/{known.id}/deactivation"), 204)
    assert code(await accept(api, token), 409) == "person.deactivated"
    assert await state(chair, known.email) == "open"


async def test_a_restricted_community_admits_whom_it_has_verified(api: Api) -> None:
    staff = await api.staff()
    made = await staff.post(f"/communities/{ROUNDTABLE}/invitations", {"addresses": [AMARA]})
    ok(made, 201)
    token = token_in(mail_to(await api.work_off(), AMARA))
    assert code(await accept(api, token), 409) == "eligibility.not_verified"
    assert (await inspect(api, token))["valid"]
    community = await api.community_id(ROUNDTABLE)
    await api.change(Community, community, eligible_occupations=[])
    ok(await accept(api, token))


async def test_acceptance_closes_a_request_that_waits(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    ok(await api.post("/join-requests", FORM), 202)
    token = token_in(mail_to(await api.work_off(), FORM["email"]))
    ok(await api.post("/auth/email-verifications/confirmation", {"token": token}))
    await api.work_off()
    invitation = await link(api, chair, FORM["email"])
    system, applicant = ActorKind.SYSTEM, ActorKind.APPLICANT
    async with leaves(
        api,
        ("account.created", applicant),
        ("invitation.accepted", applicant),
        ("join_request.withdrawn", system),
    ):
        ok(await accept(api, invitation))
    (request,) = ok(await chair.get(f"/communities/{DTC}/join-requests"))["items"]
    assert request["status"] == "withdrawn"


# Mails


async def test_an_address_is_mailed_a_few_times_in_an_hour(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    (made,) = await invite(chair)
    there = f"/invitations/{made['invitation_id']}"
    for _ in range(2):
        ok(await chair.post(f"{there}/resending"), 202)
    refused = await chair.post(f"{there}/resending")
    assert code(refused, 429) == "rate_limit.exceeded"
    assert refused.headers["retry-after"] == "3600"
    ok(await chair.put(f"{there}/revocation"))
    assert await invite(chair) == [
        {"email": AMARA, "outcome": "too_many_mails", "invitation_id": None}
    ]
    with at(clock.now() + timedelta(hours=1), chair):
        assert (await invite(chair))[0]["outcome"] == "invited"


async def test_mails_from_many_communities_wait_for_each_other(api: Api) -> None:
    staff = await api.staff()
    slugs = [item["slug"] for item in ok(await staff.get("/communities"))["items"]][:7]
    for slug in slugs:
        ok(await staff.post(f"/communities/{slug}/invitations", {"addresses": [AMARA]}), 201)
    sent = [mail for mail in await api.work_off() if mail["To"] == AMARA]
    assert len(sent) == 5
    with at(clock.now() + timedelta(hours=1)):
        assert len(await api.work_off()) == 2


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_an_invitation_is_in_the_language_asked_for(api: Api, language: str) -> None:
    chair = await api.leader("Claire Chair", "chair")
    member = await api.member("Mo Member", language=language)
    await invite(chair, AMARA, member.email, language=language)
    sent = await api.work_off()
    for address in (AMARA, member.email):
        assert_in_language("invitation", mail_to(sent, address), language)
    mail = mail_to(sent, AMARA)
    assert chair.name not in mail.as_string() + text_of(mail)
    ok(await accept(api, token_in(mail), identity=IDENTITY | {"language": language}))
    assert_in_language("welcome", mail_to(await api.work_off(), AMARA), language)


async def test_no_link_is_kept_but_as_a_hash(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    token = await link(api, chair)
    rows = await api.read(sa.select(InvitationMail.token_hash))
    assert [len(row.token_hash) for row in rows] == [64]
    assert token not in str(rows)


async def test_addresses_of_those_who_did_not_accept_are_erased(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    token = await link(api, chair, "accepted@example.org")
    ok(await accept(api, token))
    await invite(chair, AMARA, valid_for_days=1)
    for days, left in ((90, 2), (91, 1)):
        with at(over(days)):
            async with api.database.work() as work:
                await retention.erase(work)
        rows = await api.read(sa.select(Invitation.email))
        assert len(rows) == left
    assert rows[0].email == "accepted@example.org"


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_the_page_offers_both_answers_in_words(api: Api, language: str) -> None:
    answer = await api.client.get("/pages/invitation", headers={"Accept-Language": language})
    assert answer.status_code == 200
    for word in ("accept", "decline", "agree"):
        assert texts.text("pages", f"invitation.{word}", language) in answer.text.replace(
            "&#x27;", "'"
        )
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
