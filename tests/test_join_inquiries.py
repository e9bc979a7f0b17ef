"""What applicants are asked, what they answer, and what becomes of a request that they leave."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import col

from app import clock
from app.models import ActorKind, Community, CommunityStatus, JoinInquiry, JoinRequest
from app.services import retention
from tests.answers import FORM, code, leaves, ok, wrong
from tests.applicants import (
    ANSWER,
    QUESTION,
    SIOBHAN,
    answer,
    ask_about,
    can,
    followed,
    read,
    take_back,
    with_link,
)
from tests.cast import DTC, WELLNESS, Api, Someone, day, mail_to, text_of, token_in
from tests.crowds import Doors, at_once, outcomes
from tests.moments import INSTANT, at, over
from tests.test_join_requests import (
    ACCEPTED,
    DECLINED,
    WAITING,
    ask,
    asked_and_proven,
    decide,
    prove,
)

ANSWERED_WITHIN = 30


async def inquired(api: Api, staff: Someone, **form: Any) -> tuple[str, str]:
    """A request about which the applicant was asked something, and the link that they have."""
    request = await asked_and_proven(api, **form)
    await api.work_off()
    ok(await ask_about(staff, request))
    return request, await followed(api)


async def staff_then(api: Api) -> Someone:
    """Staff who sign in on the last day for an answer; earlier sign-ins are over by then."""
    with at(over(ANSWERED_WITHIN - 1)):
        return await api.staff("Lily Later")


async def statuses(staff: Someone, query: str = "") -> list[str]:
    return [item["status"] for item in ok(await staff.get(f"{WAITING}{query}"))["items"]]


async def test_an_applicant_is_asked_answers_by_the_link_and_is_accepted(api: Api) -> None:
    staff = await api.staff()
    request = await asked_and_proven(api)
    await api.work_off()
    async with leaves(api, ("join_request.information_requested", staff)):
        asked = ok(await ask_about(staff, request))
    assert (asked["status"], asked["answer_due_on"]) == ("information_requested", day(30))
    assert asked["viewer"] == {"can": ["decide_join_request"]}
    letter = text_of(mail_to(sent := await api.work_off(), SIOBHAN))
    assert QUESTION["question"] in letter and day(30) in letter and len(sent) == 1
    link = letter.split("#token=")[1].split()[0]
    assert await can(api, request, link) == ["give_join_information", "withdraw_join_request"]
    async with leaves(api, ("join_request.information_given", ActorKind.APPLICANT)):
        answered = ok(await answer(api, request, link))
    assert (answered["status"], answered["answer_due_on"]) == ("pending", None)
    (inquiry,) = ok(await read(staff, request))["inquiries"]
    assert inquiry["asked_by"]["name"] == staff.name
    assert (inquiry["question"], inquiry["answer"]) == (QUESTION["question"], ANSWER["answer"])
    ok(await decide(staff, request, ACCEPTED))


async def test_one_may_be_asked_again_after_the_answer_and_nothing_is_lost(api: Api) -> None:
    staff = await api.staff()
    request, link = await inquired(api, staff)
    ok(await answer(api, request, link))
    ok(await ask_about(staff, request))
    ok(await answer(api, request, link))
    shown = ok(await read(staff, request))["inquiries"]
    assert [one["answer"] for one in shown] == [ANSWER["answer"]] * 2


async def test_who_decides_asks_and_nobody_else(api: Api) -> None:
    request = await asked_and_proven(api)
    sue = await api.leader("Sue Secretary", "secretary")
    for other in (
        await api.leader("Lena Large", "member_at_large"),
        await api.leader("Carla Chair", "chair", WELLNESS),
        await api.member("Mary Member"),
        await api.person("Nobody Here"),
    ):
        assert code(await ask_about(other, request), 404) == "not_found"
    path = f"/join-requests/{request}/information-request"
    assert code(await api.call("PUT", path, json=QUESTION), 401) == "auth.required"
    ok(await ask_about(sue, request))


async def test_nobody_asks_themselves(api: Api) -> None:
    staff = await api.staff()
    request = await asked_and_proven(api, email=staff.email)
    assert code(await ask_about(staff, request), 403) == "join_request.own"
    assert await can(staff, request) == ["withdraw_join_request"]


async def test_a_question_has_words_and_so_has_an_answer(api: Api) -> None:
    staff = await api.staff()
    request = await asked_and_proven(api)
    path = f"/join-requests/{request}/information"
    empty = await staff.put(f"{path}-request", {"question": " "})
    assert wrong(empty) == [("/question", "too_short")]
    await api.work_off()
    ok(await ask_about(staff, request))
    link = await followed(api)
    answered = await api.call("PUT", path, json={"answer": "x" * 2001}, **with_link(link))
    assert wrong(answered) == [("/answer", "too_long")]


async def test_one_question_is_open_at_a_time_and_it_is_answered_once(api: Api) -> None:
    staff, sue = await api.staff(), await api.leader("Sue Secretary", "secretary")
    request = await asked_and_proven(api)
    link = await followed(api)
    async with Doors.to(api) as doors:
        asked = await at_once(
            ask_about(doors.at(someone, number), request)
            for number, someone in enumerate((staff, sue, staff, sue))
        )
        answered = await at_once(
            answer(doors.apis[number % 2], request, link) for number in range(4)
        )
    assert outcomes(asked) == {200: 1, (409, "join_request.information_requested"): 3}
    assert outcomes(answered) == {200: 1, (409, "join_request.information_not_requested"): 3}
    assert len(await api.read(sa.select(JoinInquiry.id))) == 1


@pytest.mark.parametrize("asking", [False, True])
async def test_of_a_decision_and_a_withdrawal_at_once_one_happens(api: Api, asking: bool) -> None:
    staff = await api.staff()
    request = await asked_and_proven(api)
    link = await followed(api)
    if asking:
        ok(await ask_about(staff, request))
    async with Doors.to(api) as doors:
        answers = await at_once(
            (
                decide(doors.at(staff, 0), request, ACCEPTED),
                take_back(doors.apis[1], request, link),
            )
        )
    status = ok(await read(staff, request))["status"]
    refusal = {
        "accepted": "join_request.already_decided",
        "withdrawn": "join_request.not_pending",
    }[status]
    assert outcomes(answers) == {200: 1, (409, refusal): 1}


async def test_one_can_decide_without_the_answer(api: Api) -> None:
    staff = await api.staff()
    request, link = await inquired(api, staff)
    declined = ok(await decide(staff, request, DECLINED))
    assert declined["answer_due_on"] is None
    assert code(await answer(api, request, link), 409) == "join_request.already_decided"


async def test_an_archived_community_asks_nothing(api: Api) -> None:
    staff = await api.staff()
    request = await asked_and_proven(api)
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    assert code(await ask_about(staff, request), 409) == "community.archived"
    assert await can(staff, request) == ["decide_join_request"]


async def test_a_stale_question_or_answer_is_told_so(api: Api) -> None:
    staff = await api.staff()
    request = await asked_and_proven(api)
    link = await followed(api)
    stale = {"If-Match": '"1-aaaa"'}
    assert code(await ask_about(staff, request, headers=stale), 412) == "precondition.failed"
    etag = {"If-Match": (await read(staff, request)).headers["etag"]}
    ok(await ask_about(staff, request, headers=etag))
    headers = with_link(link)["headers"] | stale
    path = f"/join-requests/{request}/information"
    late = await api.call("PUT", path, json=ANSWER, headers=headers)
    assert code(late, 412) == "precondition.failed"


async def test_every_end_is_the_end(api: Api) -> None:
    """What was decided, withdrawn or has expired cannot be decided, asked, answered, withdrawn."""
    staff, ended = await api.staff(), {}
    for name, end in (
        ("accepted", lambda request, _: decide(staff, request, ACCEPTED)),
        ("declined", lambda request, _: decide(staff, request, DECLINED)),
        ("withdrawn", lambda request, link: take_back(api, request, link)),
    ):
        request = await asked_and_proven(api, communities=[WELLNESS])
        link = await followed(api)
        ok(await end(request, link))
        ended[name] = (request, link)
        if name == "accepted":
            membership = ok(await read(staff, request))["membership_id"]
            ok(await staff.post(f"/memberships/{membership}/end", {"reason": "For the test."}))
        await api.work_off()
    decided = "join_request.already_decided"
    refusals = {"accepted": decided, "declined": decided, "withdrawn": "join_request.not_pending"}
    for name, (request, link) in ended.items():
        assert await can(staff, request) == [] == await can(api, request, link)
        for act in (
            await decide(staff, request, ACCEPTED),
            await decide(staff, request, DECLINED),
            await ask_about(staff, request),
            await answer(api, request, link),
            await take_back(api, request, link),
        ):
            assert code(act, 409) == refusals[name]


# The clock


async def test_an_answer_is_in_time_until_its_last_day_is_over(api: Api) -> None:
    request, link = await inquired(api, await api.staff())
    end, staff = over(ANSWERED_WITHIN), await staff_then(api)
    with at(end, staff):
        assert await statuses(staff) == ["expired"]
        assert await statuses(staff, "?status=expired") == ["expired"]
        assert await statuses(staff, "?status=information_requested&status=pending") == []
        assert await can(staff, request) == [] == await can(api, request, link)
        for act in (
            await decide(staff, request, ACCEPTED),
            await ask_about(staff, request),
            await answer(api, request, link),
            await take_back(api, request, link),
        ):
            assert code(act, 409) == "join_request.expired"
    with at(end - INSTANT, staff):
        assert await statuses(staff, "?status=information_requested") == ["information_requested"]
        assert await statuses(staff, "?status=expired") == []
        assert ok(await answer(api, request, link))["status"] == "pending"
    with at(end, staff):
        ok(await decide(staff, request, ACCEPTED))


async def test_that_it_expired_is_said_once_and_mailed_with_a_link(api: Api) -> None:
    staff = await api.staff()
    request, _ = await inquired(api, staff)
    with at(over(ANSWERED_WITHIN) - INSTANT):
        async with leaves(api):
            await api.announce()
    with at(over(ANSWERED_WITHIN)):
        async with leaves(api, ("join_request.expired", ActorKind.SYSTEM)):
            await api.announce()
            await api.announce()
        link = await followed(api)
        assert ok(await read(api, request, link))["status"] == "expired"


async def test_a_newer_request_takes_the_place_of_an_expired_one_which_stays_so(
    api: Api,
) -> None:
    old, _ = await inquired(api, await api.staff())
    staff = await staff_then(api)
    with at(over(ANSWERED_WITHIN), staff):
        new = await asked_and_proven(api)
        assert await statuses(staff) == ["expired", "pending"]
        assert await statuses(staff, "?status=expired") == ["expired"]
        assert code(await decide(staff, old, ACCEPTED), 409) == "join_request.expired"
        async with leaves(api, ("join_request.expired", ActorKind.SYSTEM)):
            await api.announce()
        ok(await decide(staff, new, ACCEPTED))


async def test_a_newer_request_takes_the_place_of_one_that_was_asked_about(api: Api) -> None:
    staff = await api.staff()
    old, link = await inquired(api, staff)
    new = await asked_and_proven(api)
    assert await statuses(staff) == ["withdrawn", "pending"]
    shown = ok(await read(api, old, link))
    assert shown["withdrawn_because"] == "newer_request"
    assert code(await answer(api, old, link), 409) == "join_request.not_pending"
    ok(await decide(staff, new, ACCEPTED))


async def test_a_form_is_confirmed_within_seven_days_and_not_after(api: Api) -> None:
    ok(await ask(api), 202)
    await api.work_off()
    (row,) = await api.read(sa.select(JoinRequest.submitted_at))
    end = row.submitted_at + timedelta(days=7)
    with at(end - INSTANT):
        await api.post("/auth/email-verifications", {"email": SIOBHAN})
        proof = {"token": token_in(mail_to(await api.work_off(), SIOBHAN))}
    confirmation = "/auth/email-verifications/confirmation"
    with at(end):
        await api.post("/auth/email-verifications", {"email": SIOBHAN})
        assert await api.work_off() == []  # no link leads to what is over
        async with leaves(api):
            assert ok(await api.post(confirmation, proof))["join_requests"] == []


async def test_leaders_are_reminded_of_what_waits_for_them_and_not_for_the_applicant(
    api: Api,
) -> None:
    staff = await api.staff()
    request = await asked_and_proven(api)
    link = await followed(api)
    ok(await ask_about(staff, request))
    other = await asked_and_proven(api, email="other@example.org")
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        (reminder,) = [mail for mail in await api.work_off() if staff.email in mail["To"]]
        assert re.findall(r": (\d+)\s", text_of(reminder)) == ["1"]
    ok(await decide(staff, other, ACCEPTED))
    with time_machine.travel(clock.now() + timedelta(hours=4), tick=False):
        ok(await answer(api, request, link))
    with time_machine.travel(clock.now() + timedelta(hours=8), tick=False):
        sent = await api.work_off()
        assert [mail["To"] for mail in sent if staff.email in mail["To"]] == [staff.email]


async def test_what_expired_is_erased_with_its_questions_when_its_time_has_come(api: Api) -> None:
    staff = await api.staff()
    await inquired(api, staff)
    kept = clock.now() + retention.NOT_ACCEPTED
    for moment, left in ((kept - timedelta(minutes=1), 1), (kept + timedelta(minutes=1), 0)):
        with time_machine.travel(moment, tick=False):
            async with api.database.work() as work:
                await retention.erase(work)
        for model in (JoinRequest, JoinInquiry):
            assert len(await api.read(sa.select(col(model.id)))) == left


async def test_a_proof_concerns_its_own_form_alone(api: Api) -> None:
    staff = await api.staff()
    first, link = await inquired(api, staff, communities=[DTC])
    ok(await ask(api, communities=[WELLNESS], name=FORM["name"]), 202)
    (second,) = await prove(api)
    assert code(await read(api, second["id"], link), 404) == "not_found"
    assert ok(await read(api, first, link))["same_form"] == []
