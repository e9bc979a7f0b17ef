"""Who is told that a verification ends or was revoked: those alone for whom something ends."""

from datetime import datetime
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import texts
from app.models import Activity
from tests.answers import ok
from tests.applicants import SIOBHAN, ask_about, followed, take_back
from tests.cast import ROUNDTABLE, Api, Someone, mail_to, text_of
from tests.moments import at, over
from tests.test_eligibility import HERE, YES, asked_for, day, decided, judge, verified
from tests.test_join_requests import ACCEPTED, DECLINED, asked_and_proven, decide
from tests.test_mail import kind_of

UNTIL = 40
# The first lies thirty days before the last day, the second after it.
ENDING = (("eligibility_ending_soon", over(UNTIL - 30)), ("eligibility_lapsed", over(UNTIL)))
AT_THE_END = ("eligibility.ending_soon", "eligibility.lapsed")


async def told_at_the_end(api: Api, address: str) -> list[EmailMessage]:
    """What addresses like this are mailed when a verification is near its end, and after it."""
    await api.work_off()
    told: list[EmailMessage] = []
    for _, moment in ENDING:
        with at(moment):
            await api.announce()
            told += [mail for mail in await api.work_off() if address in mail["To"]]
    return told


async def applicant(api: Api, email: str = SIOBHAN, until: int = UNTIL, **form: Any) -> str:
    """A request of somebody without an account, of whom what it needs is confirmed."""
    staff = await api.staff(f"Verifier of {email} until {day(until)}")
    wanted = {"communities": [ROUNDTABLE], "occupation_code": "judge", "email": email}
    request = await asked_and_proven(api, **wanted | form)
    await verify(staff, request, until)
    return request


async def verify(staff: Someone, request: str, until: int) -> None:
    asked = await asked_for(staff, join_request_id=request)
    ok(await decided(staff, asked, **YES | {"until_on": day(until)}))


def says(mail: EmailMessage, key: str, language: str = "en") -> bool:
    """True if a mail says what stands last in a text, which is what differs between bodies."""
    last = texts.text("mails", key, language).strip().splitlines()[-1]
    return last in text_of(mail)


# Members


async def test_a_member_is_told_of_the_end_and_whoever_has_left_is_not(api: Api) -> None:
    stays, left = await judge(api, "Sol Stays", UNTIL), await judge(api, "Leo Left", UNTIL)
    ok(await left.post(f"/memberships/{left.memberships[ROUNDTABLE]}/end", {}))
    never = await api.person("Nina Never")
    await verified(api, never, UNTIL)
    told = await told_at_the_end(api, "@")
    kinds = [kind for kind, _ in ENDING]
    assert [(mail["To"], await kind_of(api, mail)) for mail in told] == [
        (stays.email, kind) for kind in kinds
    ]


async def test_nobody_is_told_of_the_end_by_an_account_that_was_switched_off(api: Api) -> None:
    staff, member = await api.staff(), await judge(api, until=UNTIL)
    reason = {"reason": "It was somebody else's."}
    assert (await staff.put(f"/people/{member.id}/deactivation", reason)).is_success
    assert await told_at_the_end(api, member.email) == []


@pytest.mark.parametrize("now_asked_for", [[], ["justice_of_the_peace"]])
async def test_nothing_ends_where_a_community_no_longer_asks_for_it(
    api: Api, now_asked_for: list[str]
) -> None:
    staff, member = await api.staff(), await judge(api, until=UNTIL)
    ok(await staff.patch(HERE, {"eligible_occupations": now_asked_for}))
    assert await told_at_the_end(api, member.email) == []


@pytest.mark.parametrize("moment", [over(2), over(15)], ids=["ending", "lapsed"])
async def test_nothing_ends_for_whom_something_else_is_confirmed_in_between(
    api: Api, moment: datetime
) -> None:
    staff, member = await api.staff(), await judge(api, until=15)
    both = {"eligible_occupations": ["judge", "justice_of_the_peace"]}
    ok(await staff.patch(HERE, both))
    await api.work_off()
    with at(moment, staff, member):
        await api.announce()
        other = await asked_for(member, occupation_code="justice_of_the_peace")
        ok(await decided(staff, other, **YES))
        told = [mail for mail in await api.work_off() if member.email in mail["To"]]
        assert [await kind_of(api, mail) for mail in told] == ["eligibility_confirmed"]


async def test_a_reminder_that_comes_too_late_is_not_sent(api: Api) -> None:
    member = await judge(api, until=UNTIL)
    await api.work_off()
    with at(ENDING[0][1]):
        await api.announce()
    with at(ENDING[1][1]):
        await api.announce()
        (mail,) = [one for one in await api.work_off() if member.email in one["To"]]
        assert await kind_of(api, mail) == "eligibility_lapsed"


# Applicants


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_an_applicant_is_told_what_the_end_means_for_the_request(
    api: Api, language: str
) -> None:
    await applicant(api, language=language)
    # Somebody else's verification, which lasts longer, is none of theirs.
    await applicant(api, "other@example.org", until=300)
    told = await told_at_the_end(api, SIOBHAN)
    kinds = [kind for kind, _ in ENDING]
    assert [await kind_of(api, mail) for mail in told] == kinds
    for kind, mail in zip(kinds, told, strict=True):
        assert mail["Content-Language"] == language
        assert says(mail, f"{kind}.body_applicant", language)
        assert not says(mail, f"{kind}.body", language)


async def test_an_applicant_whose_verification_was_renewed_is_told_of_no_end(api: Api) -> None:
    request = await applicant(api)
    await verify(await api.staff("Renewing Staff"), request, 300)
    assert await told_at_the_end(api, SIOBHAN) == []
    ends = sa.select(Activity.id).where(col(Activity.kind).in_(AT_THE_END))
    assert await api.read(ends) == []  # nor does the log say that one was over


@pytest.mark.parametrize("end", ["declined", "withdrawn"])
async def test_an_applicant_whose_request_is_closed_is_told_of_no_end(api: Api, end: str) -> None:
    staff, request = await api.staff(), await applicant(api)
    if end == "declined":
        ok(await decide(staff, request, DECLINED))
    else:
        await api.work_off()
        ok(await ask_about(staff, request))
        ok(await take_back(api, request, await followed(api)))
    assert await told_at_the_end(api, SIOBHAN) == []


async def test_an_applicant_who_was_accepted_is_told_as_a_member(api: Api) -> None:
    ok(await decide(await api.staff(), await applicant(api), ACCEPTED))
    told = await told_at_the_end(api, SIOBHAN)
    assert [await kind_of(api, mail) for mail in told] == [kind for kind, _ in ENDING]
    assert all(says(mail, f"{kind}.body") for (kind, _), mail in zip(ENDING, told, strict=True))


# Revoked


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_a_revocation_says_that_a_membership_rests_only_where_one_does(
    api: Api, language: str
) -> None:
    staff = await api.staff()
    member = await api.member("Judith Judge", ROUNDTABLE, language=language)
    outsider = await api.person("Nina Nonmember", language=language)
    stays = texts.text("mails", "eligibility_revoked.body", language).split("{occupation}")[1]
    for person, rests in ((member, True), (outsider, False)):
        done = await verified(api, person)
        await api.work_off()
        path = f"/eligibility-verifications/{done['id']}/revocation"
        ok(await staff.post(path, {"reason": "Appointed elsewhere."}))
        mail = mail_to(await api.work_off(), person.email)
        assert (stays.splitlines()[0] in text_of(mail)) is rests
        assert "Appointed elsewhere." in text_of(mail)
