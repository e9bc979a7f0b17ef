"""Who belongs to a restricted community: verified by others, until a day, and nothing before it."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import col

from app import clock
from app.models import Activity, EligibilityEvidence, EligibilityVerification
from app.services import eligibility, retention
from tests.cast import ROUNDTABLE, Api, Someone, day, mail_to, text_of, unknown_id
from tests.crowds import Doors
from tests.moments import INSTANT, at, over

HERE = f"/communities/{ROUNDTABLE}"
ASKED = f"{HERE}/eligibility-verifications"
PDF = b"%PDF-1.7 the certificate of appointment"
YES = {"outcome": "confirmed", "basis": "The court's public list.", "until_on": day(365)}
NO = {"outcome": "refused", "reason": "Retired in 2019."}


async def asked_for(person: Someone, **body: Any) -> dict[str, Any]:
    """A verification that somebody asks for, for themselves unless the body says otherwise."""
    answer = await person.post(ASKED, {"occupation_code": "judge"} | body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def decided(verifier: Someone, verification: dict[str, Any], **decision: Any) -> Any:
    path = f"/eligibility-verifications/{verification['id']}/decision"
    return await verifier.put(path, decision)


async def verified(api: Api, person: Someone, until: int = 365) -> dict[str, Any]:
    """Somebody of whom staff confirm what the roundtable asks for."""
    staff = await api.staff(f"Verifier of {person.name} until {day(until)}")
    answer = await decided(staff, await asked_for(person), **YES | {"until_on": day(until)})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def judge(api: Api, name: str = "Judith Judge", until: int = 365) -> Someone:
    """A member of the roundtable whose eligibility is verified."""
    someone = await api.member(name, ROUNDTABLE)
    await verified(api, someone, until)
    return someone


async def test_a_member_sees_nothing_of_it_until_verified_and_then_all(api: Api) -> None:
    member = await api.member("Judith Judge", ROUNDTABLE)
    for path in ("/discussions", "/memberships", "/standing"):
        assert (await member.get(HERE + path)).status_code == 404
    unknown = await member.get("/communities/no-such-community/discussions")
    assert (await member.get(f"{HERE}/discussions")).json()["code"] == unknown.json()["code"]
    await verified(api, member)
    assert (await member.get(f"{HERE}/discussions")).status_code == 200
    assert (await member.get(f"{HERE}/memberships")).json()["items"][0]["status"] == "active"
    discussion = await api.discussion(member, ROUNDTABLE)
    outsider = await api.member("Omar Outsider")
    assert (await outsider.get(f"/discussions/{discussion['id']}")).status_code == 404


async def test_a_verified_person_who_is_no_member_sees_no_more_than_anybody(api: Api) -> None:
    someone = await api.person("Nina Nonmember")
    await verified(api, someone)
    assert (await someone.get(f"{HERE}/discussions")).status_code == 404
    staff = await api.staff("Vera Verified")
    await verified(api, staff)
    assert (await staff.get(f"{HERE}/discussions")).status_code == 404


async def test_it_counts_on_its_last_day_lapses_after_it_and_comes_back_when_renewed(
    api: Api,
) -> None:
    member = await judge(api, until=10)
    path = f"/memberships/{member.memberships[ROUNDTABLE]}"
    last = over(10)
    with at(last - INSTANT, member):
        assert (await member.get(f"{HERE}/discussions")).status_code == 200
    with at(last, member):
        assert (await member.get(f"{HERE}/discussions")).status_code == 404
        resting = (await member.get(path)).json()
        assert resting["status"] == "paused"
        assert resting["pause"] == {"cause": "not_verified", "starts_on": None, "until_on": None}
        await verified(api, member)
        assert (await member.get(f"{HERE}/discussions")).status_code == 200
        assert (await member.get(path)).json()["status"] == "active"


async def test_a_chair_whose_verification_lapses_holds_the_seat_and_cannot_exercise_it(
    api: Api,
) -> None:
    chair = await api.leader("Jo Justice", "chair", ROUNDTABLE)
    vice = await api.leader("Vic Vice", "vice_chair", ROUNDTABLE)
    await verified(api, chair, 5)
    await verified(api, vice)
    queue = f"{HERE}/review-queue"
    assert (await chair.get(queue)).status_code == 200
    with at(over(5), chair, vice):
        assert (await chair.get(queue)).status_code == 404
        group = (await vice.get(f"{HERE}/leadership")).json()["seats"]
        (seat,) = [one for one in group if one["position"] == "chair"]
        assert seat["holder"]["person"]["id"] == str(chair.id)
        assert seat["acting_holder"]["person"]["id"] == str(vice.id)


async def test_nobody_decides_about_themselves_and_another_verifier_may(api: Api) -> None:
    staff, other = await api.staff("Stella Staff"), await api.staff("Sven Staff")
    mine = await asked_for(staff)
    refused = await decided(staff, mine, **YES)
    assert refused.status_code == 403
    assert refused.json()["code"] == "eligibility.own"
    assert "decide_eligibility_verification" not in mine["viewer"]["can"]
    assert (await decided(other, mine, **YES)).status_code == 200
    revocation = f"/eligibility-verifications/{mine['id']}/revocation"
    reason = {"reason": "A mistake."}
    assert (await staff.post(revocation, reason)).json()["code"] == "eligibility.own"
    assert (await other.post(revocation, reason)).status_code == 200


async def test_only_verifiers_see_or_decide_the_verifications_of_others(api: Api) -> None:
    member, staff = await api.member("Judith Judge", ROUNDTABLE), await api.staff()
    secretary = await api.leader("Sam Secretary", "secretary", ROUNDTABLE)
    await verified(api, secretary)
    asked = await asked_for(member)
    path = f"/eligibility-verifications/{asked['id']}"
    assert (await secretary.get(ASKED)).status_code == 403
    assert (await secretary.get(path)).status_code == 404
    assert (await decided(secretary, asked, **YES)).status_code == 404
    assert (await (await api.staff("P", "president")).get(path)).status_code == 404
    assert (await api.get(path)).status_code == 401
    assert (await staff.get(path)).json()["name"] == "Judith Judge"
    own = (await member.get(path)).json()
    assert own["confirmations"] == [] and own["status"] == "requested"
    assert (await staff.get(f"/eligibility-verifications/{unknown_id()}")).status_code == 404
    assert (
        await member.post(ASKED, {"occupation_code": "judge", "person_id": str(staff.id)})
    ).status_code == 404


async def test_where_two_people_must_agree_one_does_not_suffice(api: Api) -> None:
    staff, other = await api.staff("Stella Staff"), await api.staff("Sven Staff")
    two = {"eligibility_confirmations": 2}
    assert (await staff.patch(HERE, two)).status_code == 200
    member = await api.member("Judith Judge", ROUNDTABLE)
    asked = await asked_for(member)
    first = (await decided(staff, asked, **YES)).json()
    assert first["status"] == "awaiting_second" and not first["valid"]
    assert (await member.get(f"{HERE}/discussions")).status_code == 404
    again = await decided(staff, asked, **YES)
    assert again.json()["code"] == "eligibility.second_person_needed"
    second = await decided(other, asked, outcome="confirmed", basis="Called the registry.")
    assert second.json()["status"] == "confirmed" and second.json()["valid"]
    assert [one["by"]["name"] for one in second.json()["confirmations"]] == [
        "Stella Staff",
        "Sven Staff",
    ]
    assert second.json()["until_on"] == day(365)
    assert (await member.get(f"{HERE}/discussions")).status_code == 200
    late = await decided(other, asked, **NO)
    assert late.json()["code"] == "eligibility.already_decided"


async def test_of_two_decisions_at_once_one_counts(api: Api) -> None:
    member = await api.member("Judith Judge", ROUNDTABLE)
    staff = [await api.staff(f"Staff {number}") for number in range(4)]
    asked = await asked_for(member)
    answers = await asyncio.gather(
        *(decided(one, asked, **(YES if i % 2 else NO)) for i, one in enumerate(staff))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    kinds = ("eligibility.confirmed", "eligibility.refused")
    rows = await api.read(sa.select(Activity.id).where(col(Activity.kind).in_(kinds)))
    assert len(rows) == 1


async def test_one_verification_of_a_person_is_open_at_a_time(api: Api) -> None:
    member = await api.member("Judith Judge", ROUNDTABLE)
    async with Doors.to(api):
        answers = await asyncio.gather(
            *(member.post(ASKED, {"occupation_code": "judge"}) for _ in range(4))
        )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    (made,) = [answer.json() for answer in answers if answer.status_code == 201]
    taken_back = await member.post(f"/eligibility-verifications/{made['id']}/withdrawal")
    assert taken_back.json()["status"] == "withdrawn"
    await asked_for(member)


async def test_what_was_uploaded_is_for_verifiers_and_destroyed_with_the_decision(
    api: Api,
) -> None:
    member, staff = await api.member("Judith Judge", ROUNDTABLE), await api.staff()
    asked = await asked_for(member)
    path = f"/eligibility-verifications/{asked['id']}/evidence"
    kept = await member.put(path, content=PDF, headers={"Content-Type": "application/pdf"})
    assert kept.status_code == 200 and kept.json()["has_evidence"]
    lying = await member.put(path, content=b"<html>", headers={"Content-Type": "application/pdf"})
    assert lying.json()["code"] == "eligibility.evidence_unsupported"
    assert (await member.get(path)).status_code == 404
    seen = await staff.get(path)
    assert seen.content == PDF
    assert seen.headers["content-disposition"] == "attachment"
    assert seen.headers["cache-control"] == "no-store"
    done = (await decided(staff, asked, **YES)).json()
    assert not done["has_evidence"] and done["evidence_destroyed_at"] is not None
    assert (await staff.get(path)).status_code == 404
    assert await api.read(sa.select(EligibilityEvidence.verification_id)) == []


async def test_evidence_that_nobody_decides_about_is_destroyed_all_the_same(api: Api) -> None:
    member = await api.member("Judith Judge", ROUNDTABLE)
    asked = await asked_for(member)
    path = f"/eligibility-verifications/{asked['id']}/evidence"
    await member.put(path, content=PDF, headers={"Content-Type": "application/pdf"})
    for days, left in ((89, 1), (91, 0)):
        with time_machine.travel(clock.now(), tick=False) as travel:
            travel.shift(days * 86_400)
            async with api.database.work() as work:
                await retention.erase(work)
        assert len(await api.read(sa.select(EligibilityEvidence.verification_id))) == left
    (row,) = await api.read(sa.select(EligibilityVerification.evidence_destroyed_at))
    assert row.evidence_destroyed_at is not None


@pytest.mark.parametrize(
    ("decision", "pointer"),
    [
        ({"outcome": "confirmed", "until_on": day(9)}, "/basis"),
        (YES | {"reason": "Well known."}, "/reason"),
        (NO | {"until_on": day(9)}, "/until_on"),
        ({"outcome": "confirmed", "basis": "The list."}, "/until_on"),
        (YES | {"until_on": day(-1)}, "/until_on"),
        (YES | {"until_on": day(5 * 366 + 1)}, "/until_on"),
        ({"outcome": "refused"}, "/reason"),
    ],
)
async def test_a_decision_says_how_until_when_or_why_not(
    api: Api, decision: dict[str, Any], pointer: str
) -> None:
    member, staff = await api.member("Judith Judge", ROUNDTABLE), await api.staff()
    answer = await decided(staff, await asked_for(member), **decision)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_only_what_the_community_asks_for_is_verified_and_only_where_it_asks(
    api: Api,
) -> None:
    member = await api.member("Judith Judge", ROUNDTABLE)
    other = await member.post(ASKED, {"occupation_code": "defence_counsel"})
    assert other.json()["errors"][0]["pointer"] == "/occupation_code"
    elsewhere = "/communities/drug-treatment-court/eligibility-verifications"
    open_to_all = await member.post(elsewhere, {"occupation_code": "judge"})
    assert open_to_all.json()["code"] == "eligibility.not_asked_for"


async def test_what_was_verified_ends_when_it_is_revoked_or_no_longer_asked_for(api: Api) -> None:
    staff = await api.staff()
    revoked, other = await judge(api, "Rae Revoked"), await judge(api, "Olga Other")
    (mine,) = (await revoked.get("/me/eligibility-verifications")).json()["items"]
    path = f"/eligibility-verifications/{mine['id']}/revocation"
    assert (await revoked.post(path, {"reason": "No."})).status_code == 404
    assert (await staff.post(path, {"reason": "Retired."})).json()["status"] == "revoked"
    assert (await revoked.get(f"{HERE}/discussions")).status_code == 404
    assert (await other.get(f"{HERE}/discussions")).status_code == 200
    changed = await staff.patch(HERE, {"eligible_occupations": ["justice_of_the_peace"]})
    assert changed.status_code == 200, changed.text
    assert (await other.get(f"{HERE}/discussions")).status_code == 404


@pytest.mark.parametrize(
    ("language", "subjects"),
    [
        ("en", ("confirmed", "ends soon", "lapsed")),
        ("fr", ("confirmée", "prend bientôt", "a pris fin")),
    ],
)
async def test_the_person_is_told_what_was_decided_when_it_ends_and_that_it_has(
    api: Api, language: str, subjects: tuple[str, ...]
) -> None:
    staff = await api.staff(language=language)
    member = await api.member("Judith Judge", ROUNDTABLE, language=language)
    await api.work_off()
    asked = await asked_for(member)
    mails = [mail["Subject"] for mail in await api.work_off()]
    assert mails in (["Verifications wait for you"], ["Des vérifications vous attendent"])
    await decided(staff, asked, **YES | {"until_on": day(40)})
    told = [mail_to(await api.work_off(), member.email)]
    for moment in (over(10), over(40)):
        with at(moment):
            await api.announce()
            await api.announce()
            told.append(mail_to(await api.work_off(), member.email))
    assert all(word in mail["Subject"] for word, mail in zip(subjects, told, strict=True))
    assert all(day(40) in text_of(mail) for mail in told)
    found = sa.select(Activity.kind).where(col(Activity.kind).like("eligibility.%"))
    assert [row.kind for row in await api.read(found.order_by(col(Activity.id)))] == [
        "eligibility.requested",
        "eligibility.confirmed",
        "eligibility.ending_soon",
        "eligibility.lapsed",
    ]


async def test_a_refusal_or_a_revocation_tells_its_reason_in_both_languages(api: Api) -> None:
    staff = await api.staff()
    for language, words in (("en", ("not confirmed", "no longer")), ("fr", ("pas", "plus"))):
        member = await api.member(f"Judge {language}", ROUNDTABLE, language=language)
        await decided(staff, await asked_for(member), **NO)
        refused = mail_to(await api.work_off(), member.email)
        assert words[0] in refused["Subject"] and NO["reason"] in text_of(refused)
        done = (await decided(staff, await asked_for(member), **YES)).json()
        await api.work_off()
        path = f"/eligibility-verifications/{done['id']}/revocation"
        await staff.post(path, {"reason": "Appointed elsewhere."})
        revoked = mail_to(await api.work_off(), member.email)
        assert words[1] in revoked["Subject"] and "Appointed elsewhere." in text_of(revoked)


async def test_an_address_is_verified_before_it_has_an_account(api: Api) -> None:
    judge_known = await judge(api)
    async with api.database.work() as work:
        place = await api.community_id(ROUNDTABLE)
        open_place = await api.community_id()
        known = await eligibility.is_admitted(work, judge_known.email, place)
        unknown = await eligibility.is_admitted(work, "nobody@example.org", place)
        anybody = await eligibility.is_admitted(work, "nobody@example.org", open_place)
    assert (known, unknown, anybody) == (True, False, True)
