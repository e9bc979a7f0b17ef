"""Following one's request without an account, asking again, and the way into a restricted one."""

import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import openapi, texts, tokens
from app.models import Activity, ActorKind, JoinRequestLink, JoinRequestStatus
from app.services import retention
from tests.answers import FORM, because, code, leaves, ok, told
from tests.applicants import (
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
from tests.calls import HOW
from tests.cast import (
    DTC,
    PASSWORD,
    ROUNDTABLE,
    WELLNESS,
    Api,
    day,
    mail_to,
    text_of,
    token_in,
)
from tests.moments import INSTANT, at, over
from tests.places import furnished, unlisted
from tests.test_join_requests import ACCEPTED, DECLINED, ask, asked_and_proven, decide, prove
from tests.test_mail import assert_in_language, kind_of

FOLLOWED = 60


async def waiting(api: Api, **form: Any) -> tuple[str, str]:
    """A request that waits for a decision, and the link by which its applicant follows it."""
    request = await asked_and_proven(api, **form)
    return request, await followed(api, form.get("email", SIOBHAN))


# What the link shows


async def test_the_applicant_sees_what_was_decided_and_not_by_whom(api: Api) -> None:
    staff = await api.staff()
    request, link = await waiting(api)
    assert link.startswith(tokens.LINK)
    assert await can(api, request, link) == ["withdraw_join_request"]
    ok(await ask_about(staff, request))
    ok(await answer(api, request, link))
    ok(await decide(staff, request, DECLINED))
    shown = await read(api, request, link)
    seen = ok(shown)
    assert seen["status"] == "declined" and seen["community"]["slug"] == DTC
    assert seen["decision"]["comment"] == DECLINED["comment"]
    assert seen["decision"]["decided_by"] is None and seen["earlier"] is None
    assert [(one["question"], one["asked_by"]) for one in seen["inquiries"]] == [
        (QUESTION["question"], None)
    ]
    assert staff.name not in shown.text and str(staff.id) not in shown.text
    by_staff = ok(await read(staff, request))
    assert by_staff["decision"]["decided_by"]["name"] == staff.name
    assert by_staff["same_form"] is None


async def test_one_link_follows_all_that_was_asked_on_one_form(api: Api) -> None:
    ok(await ask(api, communities=[DTC, WELLNESS]), 202)
    first, second = await prove(api)
    letter = text_of(mail_to(await api.work_off(), SIOBHAN))
    assert "Drug Treatment" in letter and "Wellness" in letter
    link = letter.split("#token=")[1].split()[0]
    assert [one["id"] for one in ok(await read(api, first["id"], link))["same_form"]] == [
        second["id"]
    ]
    ok(await take_back(api, second["id"], link))
    assert ok(await read(api, first["id"], link))["status"] == "pending"


async def test_a_request_is_taken_back_by_the_link_and_the_address_is_told(api: Api) -> None:
    staff = await api.staff()
    request, link = await waiting(api)
    async with leaves(api, ("join_request.withdrawn", ActorKind.APPLICANT)):
        taken = ok(await take_back(api, request, link))
    assert (taken["status"], taken["withdrawn_because"]) == ("withdrawn", "by_applicant")
    assert "taken back" in text_of(mail_to(await api.work_off(), SIOBHAN))
    assert code(await decide(staff, request, ACCEPTED), 409) == "join_request.not_pending"
    again, _ = await waiting(api)
    ok(await decide(staff, again, ACCEPTED))


async def test_somebody_signed_in_does_the_same_with_the_address_of_the_form(api: Api) -> None:
    mary, otto = await api.person("Mary Member"), await api.person("Otto Other")
    sue = await api.leader("Sue Secretary", "secretary")
    request, _ = await waiting(api, email=mary.email)
    assert await can(mary, request) == ["withdraw_join_request"]
    ok(await ask_about(sue, request))
    for act in (read, answer, take_back):
        assert code(await act(otto, request), 404) == "not_found"
    for act in (answer, take_back):
        assert because(await act(sue, request)) == ["own_only"]
    async with leaves(api, ("join_request.information_given", mary)):
        ok(await answer(mary, request))
    await api.work_off()
    async with leaves(api, ("join_request.withdrawn", mary)):
        ok(await take_back(mary, request))
    assert not [mail for mail in await api.work_off() if mary.email in mail["To"]]


async def test_a_request_stays_its_applicants_where_its_community_has_been_hidden(
    api: Api,
) -> None:
    request, link = await waiting(api)
    await unlisted(api, DTC)
    ok(await read(api, request, link))
    ok(await take_back(api, request, link))


# What it is not good for


async def test_a_link_is_for_its_own_form_and_refused_everywhere_else(api: Api) -> None:
    _, foreign = await waiting(api, email="other@example.org")
    request, link = await waiting(api)
    for act in (read, answer, take_back):
        assert code(await act(api, request, foreign), 404) == "not_found"
    place = await furnished(api, WELLNESS)
    values = {name: str(value) for name, value in vars(place).items()}
    values["community_proposal"] = values["proposal"]
    good = {"get_join_request", "give_join_information", "withdraw_join_request"}
    for route in openapi.operations(api.edge.app):
        if route.name in good:
            continue
        path = re.sub(
            r"\{(\w+)\}",
            lambda name: values.get(name[1].removesuffix("_id"), DTC),
            route.path_format,
        )
        (method,) = route.methods
        answered = await api.call(method, path, json=HOW[route.name], **with_link(link))
        assert code(answered, 401) == "auth.token_invalid", route.name
    ok(await read(api, request, link))


async def test_a_link_that_nobody_was_mailed_is_refused(api: Api) -> None:
    request, link = await waiting(api)
    for bad in (link[:-1] + "!", tokens.LINK + "x" * 43, tokens.LINK):
        assert code(await read(api, request, bad), 401) == "auth.token_invalid"
    assert code(await read(api, request), 401)


@pytest.mark.parametrize("end", ["declined", "withdrawn", "expired"])
async def test_a_request_is_followed_until_sixty_days_after_its_end(api: Api, end: str) -> None:
    staff = await api.staff()
    request, link = await waiting(api)
    closed = 0
    if end == "declined":
        ok(await decide(staff, request, DECLINED))
    elif end == "withdrawn":
        ok(await take_back(api, request, link))
    else:
        ok(await ask_about(staff, request))
        closed = 30
    gone = over(closed + FOLLOWED)
    for moment, status, kept in ((gone - INSTANT, 200, 1), (gone, 401, 1)):
        with at(moment):
            async with api.database.work() as work:
                await retention.erase(work)
            assert (await read(api, request, link)).status_code == status
        links = sa.select(JoinRequestLink.token_hash)
        assert len(await api.read(links)) >= kept
    with at(gone + timedelta(days=2)):
        async with api.database.work() as work:
            await retention.erase(work)
    assert await api.read(sa.select(JoinRequestLink.token_hash)) == []


async def test_a_request_that_waits_is_followed_however_long_it_does(api: Api) -> None:
    request, link = await waiting(api)
    with at(over(400)):
        async with api.database.work() as work:
            await retention.erase(work)
        assert ok(await read(api, request, link))["status"] == "pending"


# Asking again


async def asked_again(api: Api) -> str:
    """The status of another form of the same person's, once its address is proven."""
    ok(await ask(api), 202)
    return (await prove(api))[0]["status"]


async def test_by_default_who_was_declined_asks_again_at_once(api: Api) -> None:
    staff = await api.staff()
    request, _ = await waiting(api)
    ok(await decide(staff, request, DECLINED))
    assert await asked_again(api) == "pending"


async def test_a_community_may_ask_for_days_between_a_refusal_and_the_next_request(
    api: Api,
) -> None:
    staff = await api.staff()
    assert ok(await api.get(f"/communities/{DTC}"))["reapplication_days"] == 0
    changed = ok(await staff.patch(f"/communities/{DTC}", {"reapplication_days": 30}))
    assert changed["reapplication_days"] == 30
    request, _ = await waiting(api)
    ok(await decide(staff, request, DECLINED))
    letter = text_of(mail_to(await api.work_off(), SIOBHAN))
    assert day(30) in letter
    from_on = day(30)
    with at(over(29) - INSTANT):
        async with leaves(
            api,
            ("join_request.submitted", ActorKind.APPLICANT),
            ("join_request.withdrawn", ActorKind.SYSTEM),
        ):
            assert await asked_again(api) == "withdrawn"
        assert from_on in text_of(mail_to(await api.work_off(), SIOBHAN))
    with at(over(29)):
        assert await asked_again(api) == "pending"


async def test_the_days_between_are_its_own_rule_and_within_bounds(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    path = f"/communities/{DTC}"
    assert code(await mary.patch(path, {"reapplication_days": 1}), 403) == "permission.denied"
    for days in (-1, 731):
        refused = await staff.patch(path, {"reapplication_days": days})
        assert code(refused, 422) == "validation.failed"
    ok(await staff.patch(path, {"reapplication_days": 730}))
    request, _ = await waiting(api, communities=[WELLNESS])
    ok(await decide(staff, request, DECLINED))
    assert await asked_again(api) == "pending"  # declined elsewhere


async def test_a_stranger_does_not_learn_who_is_a_member_or_was_declined(api: Api) -> None:
    staff = await api.staff()
    ok(await staff.patch(f"/communities/{DTC}", {"reapplication_days": 30}))
    mary = await api.member("Mary Member")
    request, _ = await waiting(api)
    ok(await decide(staff, request, DECLINED))
    await api.work_off()

    async def answered(email: str) -> tuple[Any, ...]:
        status, headers, body = told(await ask(api, email=email))
        for item in body["items"]:
            item.pop("id"), item.pop("submitted_at")
        return status, headers, body

    seen = [await answered(email) for email in (SIOBHAN, mary.email, "nobody@example.org")]
    assert seen[0][0] == 202 and seen[0] == seen[1] == seen[2]
    mails = {mail["To"]: text_of(mail).replace(mail["To"], "") for mail in await api.work_off()}
    said = {re.sub(r"#token=\S+|^.*,$", "", text, flags=re.MULTILINE) for text in mails.values()}
    assert len(mails) == 3 and len(said) == 1


async def test_who_is_a_member_already_is_told_so_at_their_own_address(api: Api) -> None:
    mary = await api.member("Mary Member")
    ok(await ask(api, email=mary.email), 202)
    await prove(api, mary.email)
    assert "member already" in text_of(mail_to(await api.work_off(), mary.email))


# What went before


async def test_who_decides_sees_what_the_same_person_asked_here_before(api: Api) -> None:
    staff = await api.staff()
    first, _ = await waiting(api)
    ok(await decide(staff, first, DECLINED))
    elsewhere, _ = await waiting(api, communities=[WELLNESS])
    ok(await decide(staff, elsewhere, DECLINED))
    await waiting(api, email="other@example.org")
    second, link = await waiting(api)
    ok(await take_back(api, second, link))
    third, link = await waiting(api)
    shown = ok(await read(staff, third))["earlier"]
    assert [(one["id"], one["status"]) for one in shown] == [
        (second, "withdrawn"),
        (first, "declined"),
    ]
    assert shown[1]["decision"]["comment"] == DECLINED["comment"]
    assert shown[0]["withdrawn_because"] == "by_applicant"
    assert ok(await read(staff, first))["earlier"] == []
    assert ok(await read(api, third, link))["earlier"] is None


# Into a restricted community


async def test_an_applicant_without_an_account_comes_into_a_restricted_community_once_verified(
    api: Api,
) -> None:
    staff = await api.staff()
    request, _ = await waiting(api, communities=[ROUNDTABLE], occupation_code="judge")
    assert code(await decide(staff, request, ACCEPTED), 409) == "eligibility.not_verified"
    asked = {"occupation_code": "judge", "join_request_id": request}
    path = f"/communities/{ROUNDTABLE}/eligibility-verifications"
    verification = ok(await staff.post(path, asked), 201)
    assert code(await decide(staff, request, ACCEPTED), 409) == "eligibility.not_verified"
    confirmed = {"outcome": "confirmed", "basis": "Official list", "until_on": day(365)}
    ok(await staff.put(f"/eligibility-verifications/{verification['id']}/decision", confirmed))
    ok(await decide(staff, request, ACCEPTED))
    choice = [mail for mail in await api.work_off() if "/password#" in text_of(mail)]
    chosen = {"token": token_in(mail_to(choice, SIOBHAN)), "password": PASSWORD}
    ok(await api.post("/auth/password-resets/confirmation", chosen), 204)
    sign_in = {"grant_type": "password", "username": SIOBHAN, "password": PASSWORD}
    token = ok(await api.post("/auth/tokens", sign_in))["access_token"]
    inside = await api.get(f"/communities/{ROUNDTABLE}/discussions", **with_link(token))
    assert ok(inside)["items"] == []
    assert code(await api.get(f"/communities/{ROUNDTABLE}/discussions"), 401) == "auth.required"


# In both languages


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_every_mail_to_an_applicant_is_in_their_language(api: Api, language: str) -> None:
    staff, sent = await api.staff(), {}
    ok(await staff.patch(f"/communities/{DTC}", {"reapplication_days": 1}))

    async def noted() -> list[EmailMessage]:
        mails = [mail for mail in await api.work_off() if SIOBHAN in mail["To"]]
        sent.update({await kind_of(api, mail): mail for mail in mails})
        return mails

    request = await asked_and_proven(api, language=language)
    (received,) = await noted()
    ok(await take_back(api, request, token_in(received)))
    await noted()
    request = await asked_and_proven(api, language=language)
    ok(await ask_about(staff, request))
    await noted()
    with at(over(30)):
        await api.announce()
        await noted()
    declined = await asked_and_proven(api, language=language)
    ok(await decide(staff, declined, DECLINED))
    await noted()
    assert set(sent) == {
        "request_received",
        "request_closed",
        "information_requested",
        "request_expired",
        "request_declined",
    }
    for kind, mail in sent.items():
        assert_in_language(kind, mail, language)
        assert text_of(mail).count("token=") == (kind != "request_closed")
    words = texts.text("mails", "request_declined.body_from_a_day_on", language)
    assert words.split("{reason}")[1].split("{day}")[0].strip() in text_of(sent["request_declined"])


# The page to which the link leads


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_the_link_leads_to_a_page_that_offers_what_the_api_does(
    api: Api, language: str
) -> None:
    request = await asked_and_proven(api)
    letter = text_of(mail_to(await api.work_off(), SIOBHAN))
    link = re.findall(r"http://testserver(/\S+)#token=cop_link_", letter)[0]
    assert link == f"/pages/join-request?id={request}"
    page = await api.client.get(link, headers={"Accept-Language": language})
    assert page.status_code == 200 and page.headers["content-language"] == language
    offered = set(re.findall(r'<button name="(\w+)"', page.text))
    assert offered == {"give_join_information", "withdraw_join_request"} & set(HOW)
    # By the very ids under which its script looks for the words.
    assert 'word("status-" + found.status)' in page.text
    for status in set(JoinRequestStatus) - {JoinRequestStatus.AWAITING_VERIFICATION}:
        said = texts.text("pages", f"join_request.{status}", language).split("'")[0]
        assert f'<p id="word-status-{status}" hidden>{said}' in page.text


async def test_the_log_says_nothing_of_what_was_asked_and_answered(api: Api) -> None:
    staff = await api.staff()
    request, link = await waiting(api)
    ok(await ask_about(staff, request))
    ok(await answer(api, request, link))
    facts = await api.read(
        sa.select(Activity.kind, Activity.facts).where(col(Activity.subject_id) == request)
    )
    by_kind = {row.kind: row.facts for row in facts}
    assert by_kind["join_request.information_requested"] == {"answer_due_on": day(30)}
    assert by_kind["join_request.information_given"] == {}
    assert FORM["name"] not in str(by_kind)
