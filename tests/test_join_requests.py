"""Asking to join, proving the address, and the decision."""

from typing import Any

import httpx
import sqlalchemy as sa
import time_machine
from sqlmodel import col

from app import clock
from app.models import ActorKind, Community, CommunityStatus, JoinRequest, Person
from tests.answers import FORM, because, code, leaves, ok, told, wrong
from tests.cast import (
    DTC,
    PASSWORD,
    ROUNDTABLE,
    WELLNESS,
    Api,
    Someone,
    day,
    mail_to,
    text_of,
    token_in,
)

SIOBHAN = FORM["email"]
WAITING = f"/communities/{DTC}/join-requests"
ACCEPTED = {"outcome": "accepted", "comment": None}
DECLINED = {"outcome": "declined", "comment": "Please ask again when you practise in Ontario."}


async def ask(api: Api, **changed: Any) -> httpx.Response:
    return await api.post("/join-requests", FORM | changed)


async def prove(api: Api, email: str = SIOBHAN) -> list[dict[str, Any]]:
    """The address is confirmed by the link that was mailed to it; what waits then."""
    proofs = [mail for mail in await api.work_off() if "/email-verification#" in text_of(mail)]
    token = token_in(mail_to(proofs, email))
    return ok(await api.post("/auth/email-verifications/confirmation", {"token": token}))[
        "join_requests"
    ]


async def asked_and_proven(api: Api, **changed: Any) -> str:
    """The id of a request that waits for a decision."""
    ok(await ask(api, **changed), 202)
    return (await prove(api, changed.get("email", SIOBHAN)))[0]["id"]


async def decide(by: Someone, request: str, body: dict[str, Any], **options: Any) -> httpx.Response:
    return await by.put(f"/join-requests/{request}/decision", body, **options)


# Asking


async def test_one_form_asks_several_communities_and_one_mail_proves_the_address(
    api: Api,
) -> None:
    async with leaves(api, *[("join_request.submitted", ActorKind.APPLICANT)] * 2):
        received = ok(await ask(api, communities=[DTC, WELLNESS]), 202)["items"]
    assert [item["community"]["slug"] for item in received] == [DTC, WELLNESS]
    assert {item["status"] for item in received} == {"awaiting_verification"}
    assert {item["privacy_notice_version"] for item in received} == {1}
    async with leaves(api, *[("join_request.verified", ActorKind.APPLICANT)] * 2):
        proven = await prove(api)
    assert [item["id"] for item in proven] == [item["id"] for item in received]
    assert {item["status"] for item in proven} == {"pending"}


async def test_a_known_address_an_unknown_one_and_a_member_are_answered_the_same(
    api: Api,
) -> None:
    await api.member("Mary Member")

    async def answered(email: str) -> tuple[Any, ...]:
        status, headers, body = told(await ask(api, email=email))
        for item in body["items"]:
            item.pop("id"), item.pop("submitted_at")
        return status, headers, body

    first = await answered("mary.member@example.org")
    assert first[0] == 202
    assert first == await answered("nobody@example.org")


async def test_communities_that_are_unknown_or_named_twice_are_pointed_at(api: Api) -> None:
    community_id = str(await api.community_id())
    answer = await ask(api, communities=[DTC, "no-such-court", community_id])
    assert wrong(answer) == [("/communities/1", "not_known"), ("/communities/2", "duplicate")]
    ok(await ask(api, communities=[community_id, WELLNESS]), 202)


async def test_codes_come_from_the_closed_lists(api: Api) -> None:
    answer = await ask(api, occupation_code="astronaut", territory="CA-XX")
    assert wrong(answer) == [("/occupation_code", "not_known"), ("/territory", "not_known")]


async def test_the_rules_agreed_to_are_those_in_force(api: Api) -> None:
    for version in (2, 99):
        answer = await ask(api, agrees_to_rules_version=version)
        assert code(answer, 409) == "rules.version_outdated"
        assert answer.json()["rules_version"] == 1


async def test_nobodys_letter_box_is_filled_by_forms_in_their_name(api: Api) -> None:
    for _ in range(20):
        ok(await ask(api), 202)
    flood = await ask(api)
    assert code(flood, 429) == "rate_limit.exceeded"
    assert flood.headers["retry-after"] == "3600"
    ok(await ask(api, email="another@example.org"), 202)
    with time_machine.travel(clock.now().timestamp() + 3601, tick=False):
        ok(await ask(api), 202)


async def test_an_archived_community_takes_no_requests(api: Api) -> None:
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    assert code(await ask(api, communities=[WELLNESS, DTC]), 409) == "community.archived"
    assert "submit_join_request" not in ok(await api.get(f"/communities/{DTC}"))["viewer"]["can"]
    ok(await ask(api, communities=[WELLNESS]), 202)


# Proof of the address


async def test_until_the_address_is_proven_the_request_is_nobodys(api: Api) -> None:
    staff = await api.staff()
    request = ok(await ask(api), 202)["items"][0]["id"]
    for query in ("", "?status=awaiting_verification", "?include=total"):
        listed = ok(await staff.get(f"{WAITING}{query}"))
        assert listed["items"] == [] and not listed.get("total")
    assert code(await staff.get(f"/join-requests/{request}"), 404) == "not_found"
    for body in (ACCEPTED, DECLINED, {"outcome": "declined"}):
        assert code(await decide(staff, request, body), 404) == "not_found"
    await prove(api)
    assert len(ok(await staff.get(WAITING))["items"]) == 1
    ok(await decide(staff, request, ACCEPTED))


async def test_the_link_can_be_sent_again_and_each_of_them_works_once(api: Api) -> None:
    ok(await ask(api), 202)
    first = token_in(mail_to(await api.work_off(), SIOBHAN))
    await api.post("/auth/email-verifications", {"email": SIOBHAN})
    second = token_in(mail_to(await api.work_off(), SIOBHAN))
    path = "/auth/email-verifications/confirmation"
    assert len(ok(await api.post(path, {"token": second}))["join_requests"]) == 1
    assert code(await api.post(path, {"token": second}), 409) == "mailed_token.invalid"
    assert ok(await api.post(path, {"token": first}))["join_requests"] == []


async def test_a_newer_form_takes_the_place_of_the_one_that_waits(api: Api) -> None:
    staff = await api.staff()
    first = await asked_and_proven(api, affiliation="Old Court")
    ok(await ask(api, affiliation="New Court"), 202)
    async with leaves(
        api,
        ("join_request.verified", ActorKind.APPLICANT),
        ("join_request.withdrawn", ActorKind.SYSTEM),
    ):
        ((second,),) = [await prove(api)]
    waiting = ok(await staff.get(f"{WAITING}?status=pending"))["items"]
    assert [(item["id"], item["affiliation"]) for item in waiting] == [(second["id"], "New Court")]
    assert code(await decide(staff, first, ACCEPTED), 409) == "join_request.not_pending"


async def test_where_one_belongs_already_the_rest_of_the_form_goes_on(api: Api) -> None:
    """One who was a member made a whole batch fail in Discourse."""
    mary = await api.member("Mary Member")
    ok(await ask(api, email=mary.email, communities=[DTC, WELLNESS]), 202)
    proven = await prove(api, mary.email)
    assert [item["status"] for item in proven] == ["withdrawn", "pending"]


async def test_a_member_who_asks_from_the_own_address_waits_for_no_mail(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    form = FORM | {"email": mary.email, "communities": [WELLNESS]}
    async with leaves(api, ("join_request.submitted", mary), ("join_request.verified", mary)):
        (request,) = ok(await mary.post("/join-requests", form), 202)["items"]
    assert request["status"] == "pending"
    assert await api.work_off() == []
    in_anothers_name = form | {"email": mary.email.replace("mary", "fran")}
    (request,) = ok(await otto.post("/join-requests", in_anothers_name), 202)["items"]
    assert request["status"] == "awaiting_verification"


async def test_the_form_is_an_agreement_to_the_rules_that_counts_from_the_proof(
    api: Api,
) -> None:
    mary = await api.member("Mary Member", agreed=False)
    talk = {"title": "Hello", "body": "From me.", "tags": [], "language": "en"}
    path = f"/communities/{DTC}/discussions"
    ok(await ask(api, email=mary.email, communities=[WELLNESS]), 202)
    assert code(await mary.post(path, talk), 403) == "rules.agreement_required"
    await prove(api, mary.email)
    ok(await mary.post(path, talk), 201)


async def test_those_who_may_decide_are_told_and_nobody_else(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    sue, large = (
        await api.leader("Sue Secretary", "secretary"),
        await api.leader("Lena Large", "member_at_large"),
    )
    await asked_and_proven(api)
    mails = {mail["To"]: text_of(mail) for mail in await api.work_off()}
    assert "/pages/join-request?" in mails.pop(SIOBHAN)
    assert set(mails) == {staff.email, sue.email}
    assert not {mary.email, large.email} & set(mails)
    assert all("Siobhan" not in text for text in mails.values())


# Deciding


async def test_leaders_decide_and_members_at_large_and_the_president_do_not(api: Api) -> None:
    request = await asked_and_proven(api)
    large, mary = await api.leader("Lena Large", "member_at_large"), await api.member("Mary")
    president, stranger = await api.staff("Petra", "president"), await api.person("Nobody Here")
    for someone in (large, mary, president, stranger):
        assert because(await someone.get(WAITING)) == ["position_required"]
        assert code(await decide(someone, request, ACCEPTED), 404) == "not_found"
    sue = await api.leader("Sue Secretary", "secretary")
    async with leaves(api, ("join_request.accepted", sue), ("account.created", sue)):
        decided = ok(await decide(sue, request, ACCEPTED))
    assert decided["decision"]["decided_by"] == {"id": str(sue.id), "name": "Sue Secretary"}


async def test_the_chair_of_another_community_decides_nothing_here(api: Api) -> None:
    request = await asked_and_proven(api)
    carla = await api.leader("Carla Chair", "chair", WELLNESS)
    assert code(await decide(carla, request, ACCEPTED), 404) == "not_found"
    assert because(await carla.get(WAITING)) == ["position_required"]


async def test_a_request_is_decided_once(api: Api) -> None:
    staff, request = await api.staff(), await asked_and_proven(api)
    ok(await decide(staff, request, ACCEPTED))
    for body in (ACCEPTED, DECLINED):
        assert code(await decide(staff, request, body), 409) == "join_request.already_decided"
    assert ok(await staff.get(f"/join-requests/{request}"))["status"] == "accepted"


async def test_nobody_decides_ones_own_request(api: Api) -> None:
    staff, other = await api.staff(), await api.staff("Sonia Staff")
    request = await asked_and_proven(api, email=staff.email.replace("stella", "STELLA"))
    assert code(await decide(staff, request, ACCEPTED), 403) == "join_request.own"
    ok(await decide(other, request, ACCEPTED))


async def test_a_refusal_says_why_in_the_applicants_language(api: Api) -> None:
    staff, request = await api.staff(), await asked_and_proven(api, language="fr")
    await api.work_off()
    assert wrong(await decide(staff, request, {"outcome": "declined"})) == [
        ("/comment", "comment_required")
    ]
    async with leaves(api, ("join_request.declined", staff)):
        ok(await decide(staff, request, DECLINED))
    letter = mail_to(await api.work_off(), SIOBHAN)
    assert letter["Content-Language"] == "fr"
    assert DECLINED["comment"] in text_of(letter)
    assert await api.read(sa.select(Person.id).where(col(Person.email_key) == SIOBHAN)) == []


async def test_who_was_declined_may_ask_again(api: Api) -> None:
    staff, request = await api.staff(), await asked_and_proven(api)
    ok(await decide(staff, request, DECLINED))
    await api.work_off()
    again = await asked_and_proven(api)
    ok(await decide(staff, again, ACCEPTED))
    listed = ok(await staff.get(f"{WAITING}?status=declined&status=accepted"))["items"]
    assert [item["status"] for item in listed] == ["declined", "accepted"]


async def test_a_stale_decision_is_told_so(api: Api) -> None:
    staff, request = await api.staff(), await asked_and_proven(api)
    stale = await decide(staff, request, ACCEPTED, headers={"If-Match": '"1-aaaa"'})
    assert code(stale, 412) == "precondition.failed"
    etag = (await staff.get(f"/join-requests/{request}")).headers["etag"]
    ok(await decide(staff, request, ACCEPTED, headers={"If-Match": etag}))


async def test_a_restricted_community_accepts_nobody_who_is_not_verified(api: Api) -> None:
    staff = await api.staff()
    request = await asked_and_proven(api, communities=[ROUNDTABLE])
    async with leaves(api):
        assert code(await decide(staff, request, ACCEPTED), 409) == "eligibility.not_verified"
    ok(await decide(staff, request, DECLINED))


async def test_an_archived_community_can_still_decline(api: Api) -> None:
    staff, request = await api.staff(), await asked_and_proven(api)
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    assert code(await decide(staff, request, ACCEPTED), 409) == "community.archived"
    ok(await decide(staff, request, DECLINED))


async def test_an_account_that_was_switched_off_is_not_let_in_by_a_form(api: Api) -> None:
    staff, gone = await api.staff(), await api.person("Gus Gone")
    ok(await staff.put(f"/people/{gone.id}/deactivation"), 204)
    request = await asked_and_proven(api, email=gone.email)
    assert code(await decide(staff, request, ACCEPTED), 409) == "person.deactivated"
    ok(await staff.delete(f"/people/{gone.id}/deactivation"), 204)
    ok(await decide(staff, request, ACCEPTED))


async def test_who_joined_meanwhile_is_not_a_member_twice(api: Api) -> None:
    staff, mary = await api.staff(), await api.person("Mary Member")
    request = await asked_and_proven(api, email=mary.email)
    await api.join(mary)
    async with leaves(api):
        assert code(await decide(staff, request, ACCEPTED), 409) == "membership.exists"


# What acceptance makes


async def test_a_newcomer_has_the_account_that_the_form_describes(api: Api) -> None:
    staff, request = await api.staff(), await asked_and_proven(api)
    decided = ok(await decide(staff, request, ACCEPTED))
    membership = ok(await staff.get(f"/memberships/{decided['membership_id']}"))
    assert (membership["status"], membership["since_on"]) == ("active", day(0))
    assert membership["person"]["affiliation"] == FORM["affiliation"]
    assert membership["private"]["area_of_interest"] == FORM["area_of_interest"]


async def test_the_profile_of_somebody_known_is_theirs_and_a_form_changes_nothing_in_it(
    api: Api,
) -> None:
    staff, mary = await api.staff(), await api.person("Mary Member")
    before = ok(await mary.get("/me"))
    request = await asked_and_proven(api, email=mary.email, name="M. Impostor")
    async with leaves(api, ("join_request.accepted", staff)):
        ok(await decide(staff, request, ACCEPTED))
    assert ok(await mary.get("/me")) == before
    welcome = mail_to(await api.work_off(), mary.email)
    assert "token=" not in text_of(welcome)
    ok(await mary.get(f"/communities/{DTC}/discussions"))


async def test_any_first_password_link_works_until_a_password_is_chosen_and_then_none(
    api: Api,
) -> None:
    staff = await api.staff()
    ok(await ask(api, communities=[DTC, WELLNESS]), 202)
    first, second = await prove(api)
    await api.work_off()
    ok(await decide(staff, first["id"], ACCEPTED))
    ok(await decide(staff, second["id"], ACCEPTED))
    links = [token_in(mail) for mail in await api.work_off()]
    await api.post("/auth/password-resets", {"email": SIOBHAN})
    links.append(token_in(mail_to(await api.work_off(), SIOBHAN)))
    assert len(set(links)) == 3
    path = "/auth/password-resets/confirmation"
    ok(await api.post(path, {"token": links[1], "password": PASSWORD}), 204)
    for link in links:
        used = await api.post(path, {"token": link, "password": "another fine password"})
        assert code(used, 409) == "mailed_token.invalid"
    (rows,) = [await api.read(sa.select(Person.id).where(col(Person.email_key) == SIOBHAN))]
    assert len(rows) == 1


async def test_the_answers_of_the_form_are_for_those_who_decide(api: Api) -> None:
    sue, mary = await api.leader("Sue Secretary", "secretary"), await api.member("Mary Member")
    request = await asked_and_proven(api)
    seen = ok(await sue.get(f"/join-requests/{request}"))
    assert {name: seen[name] for name in ("name", "email", "area_of_interest")} == {
        name: FORM[name] for name in ("name", "email", "area_of_interest")
    }
    assert seen["viewer"] == {"can": ["decide_join_request", "request_join_information"]}
    assert code(await mary.get(f"/join-requests/{request}"), 404) == "not_found"
    ok(await decide(sue, request, ACCEPTED))
    assert ok(await sue.get(f"/join-requests/{request}"))["viewer"] == {"can": []}


async def test_the_consent_is_to_the_notice_that_was_shown(api: Api) -> None:
    staff = await api.staff()
    notice = {"privacy_notice": {"en": "We keep less.", "fr": "Nous gardons moins."}}
    await asked_and_proven(api)
    ok(await staff.patch("/association", notice))
    ok(await ask(api, email="later@example.org"), 202)
    rows = await api.read(
        sa.select(col(JoinRequest.privacy_notice_version)).order_by(col(JoinRequest.id))
    )
    assert [row.privacy_notice_version for row in rows] == [1, 2]
