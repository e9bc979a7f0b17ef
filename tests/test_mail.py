"""What is mailed: to whom, in which language, how often, and what is never said."""

import re
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, settings, texts
from app.models import (
    Activity,
    Association,
    JoinRequest,
    Mail,
    MailedToken,
    MailStatus,
    Person,
    new_id,
)
from app.services import letters, mails, recipients, unsubscriptions, waiting
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

FORM = {
    "name": "Amara Okafor",
    "email": "amara@example.org",
    "communities": [DTC],
    "occupation": "Nurse",
    "affiliation": "Detox Centre",
    "area_of_interest": "withdrawal",
    "agrees_to_rules_version": 1,
}
ACCEPT = {"outcome": "accepted", "comment": None}
HIDE = {"action": "hide", "rule": "no-attacks", "reason": "It attacks.", "version": 1}
EVERY_KIND = {*letters.TO_ADDRESS, *letters.TO_PERSON}
# Those that are read in both languages beside the tests of what causes them.
ELSEWHERE = {
    "test_import_mails.py": {"imported"},
    "test_leadership_mails.py": {
        "acting_started",
        "term_ending_soon",
        "term_recorded",
        "vacancy_opened",
        "election_cancelled",
        "election_certified",
        "grant_change_proposed",
        "grant_change_refused",
        "grant_changed",
        "nomination_made",
        "succession_answered",
        "succession_proposed",
        "voting_began",
        "voting_closing",
        "voting_ended",
    },
    "test_invitations.py": {"invitation"},
    "test_proposal_mails.py": {
        "confirm_proposal",
        "founding_member",
        "proposal_accepted",
        "proposal_closed",
        "proposal_link",
        "proposal_opened",
    },
    "test_ended_credentials.py": {"access_token_created", "access_token_ending_soon"},
    "test_eligibility.py": {
        "eligibility_confirmed",
        "eligibility_ending_soon",
        "eligibility_lapsed",
        "eligibility_refused",
        "eligibility_revoked",
        "verifications_waiting",
    },
    "test_join_following.py": {
        "information_requested",
        "request_closed",
        "request_expired",
        "request_received",
    },
    "test_membership_life.py": {"membership_begun", "membership_paused", "membership_resumed"},
}


async def ok(answer: Any) -> Any:
    """The body of an answer that succeeded."""
    found = await answer
    assert found.is_success, found.text
    return found.json() if found.content else None


async def test_a_term_without_an_end_is_announced_without_one(api: Api) -> None:
    staff, new = await api.staff(), await api.person("Nadia New")
    term = {"person_id": str(new.id), "position": "staff", "basis": "appointment"}
    await ok(staff.post("/association/terms", term | {"starts_on": day(0), "ends_on": None}))
    (mail,) = reminders(await api.work_off(), new)
    assert "without a last day" in text_of(mail) and mail["Auto-Submitted"] == "auto-generated"


async def kind_of(api: Api, mail: EmailMessage) -> str:
    (row,) = await api.read(sa.select(Mail.kind).where(Mail.id == UUID(mail["X-COP-Mail-Id"])))
    return row.kind


def assert_in_language(kind: str, mail: EmailMessage, language: str) -> None:
    """A mail is in a language from its subject to its signature, with every fact filled in."""
    other = next(one for one in texts.LANGUAGES if one != language)
    assert mail["Content-Language"] == language, kind
    # On one line, as a subject is: a space that does not break is a space there.
    template = " ".join(texts.text("mails", f"{kind}.subject", language).split())
    pattern = ".+".join(re.escape(part) for part in re.split(r"\{\w+\}", template))
    assert re.fullmatch(pattern, mail["Subject"]), kind
    said = text_of(mail)
    assert "{" not in said and said.startswith(
        texts.text("mails", "greeting_unnamed", language).rstrip(",")
    )
    assert texts.text("mails", "signature", other).splitlines()[-1][:20] not in said


async def asked(api: Api, *addresses: str, **form: Any) -> list[UUID]:
    """Requests to join by several people whose addresses are proven."""
    for address in addresses:
        await ok(api.post("/join-requests", FORM | {"email": address} | form))
    sent = await api.work_off()
    for address in addresses:
        proof = {"token": token_in(mail_to(sent, address))}
        await ok(api.post("/auth/email-verifications/confirmation", proof))
    pending = sa.select(JoinRequest.id).where(col(JoinRequest.status) == "pending")
    return [row.id for row in await api.read(pending.order_by(JoinRequest.id))]


def reminders(sent: list[EmailMessage], someone: Someone) -> list[EmailMessage]:
    return [mail for mail in sent if someone.email in mail["To"]]


# In the reader's language


class Life:
    """A reader to whom everything happens that is mailed."""

    def __init__(self, api: Api, language: str) -> None:
        self.api = api
        self.language = language
        self.sent: list[EmailMessage] = []

    async def told(self) -> EmailMessage:
        """The mail that the last act has caused to the reader."""
        found = [mail for mail in await self.api.work_off() if "amara" in mail["To"]]
        self.sent += found
        assert found, self.language
        return found[-1]

    async def as_applicant(self, staff: Someone) -> None:
        form = FORM | {"language": self.language}
        await ok(self.api.post("/join-requests", form | {"communities": [WELLNESS]}))
        await self.told()
        await ok(self.api.post("/auth/email-verifications", {"email": FORM["email"]}))
        await self._confirm(await self.told())
        await self._decide(staff, {"outcome": "declined", "comment": "Not yet."})
        await self.told()
        await ok(self.api.post("/join-requests", form))
        await self._confirm(await self.told())
        await self._decide(staff, ACCEPT)
        chosen = {"token": token_in(await self.told()), "password": PASSWORD}
        await ok(self.api.post("/auth/password-resets/confirmation", chosen))

    async def _confirm(self, mail: EmailMessage) -> None:
        proof = {"token": token_in(mail)}
        await ok(self.api.post("/auth/email-verifications/confirmation", proof))

    async def _decide(self, staff: Someone, decision: dict[str, Any]) -> None:
        (row,) = await self.api.read(
            sa.select(JoinRequest.id).where(col(JoinRequest.status) == "pending")
        )
        await ok(staff.put(f"/join-requests/{row.id}/decision", decision))

    async def as_account(self) -> Someone:
        address = {"email": FORM["email"]}
        await ok(self.api.post("/auth/password-resets", address))
        chosen = {"token": token_in(await self.told()), "password": f"{PASSWORD}, again"}
        await ok(self.api.post("/auth/password-resets/confirmation", chosen))
        await self.told()
        await ok(self.api.post("/auth/sign-in-links", address))
        link = {"token": token_in(await self.told())}
        given = await ok(self.api.post("/auth/sign-in-links/confirmation", link))
        (person,) = await self.api.read(
            sa.select(Person.id).where(col(Person.email) == FORM["email"])
        )
        session = UUID(given["session_id"])
        token = given["access_token"]
        return Someone(self.api, person.id, FORM["name"], FORM["email"], token, session)

    async def as_leader(self, me: Someone, staff: Someone) -> None:
        term = {"person_id": str(me.id), "position": "chair", "basis": "election"}
        days = {"starts_on": day(0), "ends_on": day(700)}
        begun = await ok(staff.post(f"/communities/{DTC}/terms", term | days))
        await self.told()
        await asked(self.api, "waiting@example.org")
        await self.told()
        author, other = await self.api.member("Otto"), await self.api.member("Rita")
        await self.api.report(other, await self.api.reply(author, await self.api.discussion(me)))
        await self.told()
        await ok(staff.post(f"/terms/{begun['id']}/removal", {"reason": "Reorganized."}))
        await self.told()

    async def as_member(self, me: Someone, staff: Someone) -> None:
        rita = await self.api.member("Rhea Reporter")
        post = await self.api.reply(me, await self.api.discussion(me))
        await self.api.report(rita, post)
        queue = await ok(staff.get(f"/communities/{DTC}/review-queue"))
        (review,) = [one for one in queue["items"] if one["subject"]["id"] == post["id"]]
        await ok(staff.put(f"/reviews/{review['id']}/decision", HIDE))
        await self.told()
        await ok(staff.post(f"/reviews/{review['id']}/reversal", {"reason": "In jest."}))
        await self.told()
        (mine,) = (await ok(me.get("/me/memberships")))["items"]
        suspension = f"/memberships/{mine['id']}/suspension"
        await ok(staff.put(suspension, {"until_on": day(5), "reason": "To cool down."}))
        await self.told()
        await ok(staff.delete(suspension))
        await self.told()
        await ok(staff.post(f"/memberships/{mine['id']}/end", {"reason": "Moved away."}))
        await self.told()


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_everything_that_is_mailed_is_in_the_readers_language(
    api: Api, language: str
) -> None:
    staff = await api.staff()
    life = Life(api, language)
    await life.as_applicant(staff)
    me = await life.as_account()
    await life.as_leader(me, staff)
    await life.as_member(me, staff)
    told = {await kind_of(api, mail): mail for mail in life.sent}
    assert set(told) == EVERY_KIND - set().union(*ELSEWHERE.values())
    for kind, mail in told.items():
        assert_in_language(kind, mail, language)


# To an address that nobody has proven


async def test_a_mail_to_an_unproven_address_repeats_nothing_that_was_typed(api: Api) -> None:
    typed = {"name": "Buy-Gold Now", "occupation": "spam.example", "affiliation": "Visit us"}
    await ok(api.post("/join-requests", FORM | typed | {"area_of_interest": "cheap watches"}))
    (mail,) = await api.work_off()
    whole = mail.as_string() + text_of(mail)
    assert not [word for word in (*typed.values(), "cheap watches") if word in whole]
    assert mail["To"] == FORM["email"]


@pytest.mark.parametrize("path", ["password-resets", "sign-in-links", "email-verifications"])
async def test_who_is_not_known_gets_no_mail_and_leaves_no_address(api: Api, path: str) -> None:
    await ok(api.post(f"/auth/{path}", {"email": "nobody@example.org"}))
    assert await api.work_off() == []
    (row,) = await api.read(sa.select(Mail.status, Mail.address))
    assert tuple(row) == (MailStatus.DROPPED, None)


async def test_an_address_is_not_kept_once_its_mail_is_sent(api: Api) -> None:
    await ok(api.post("/join-requests", FORM))
    assert len(await api.work_off()) == 1
    (row,) = await api.read(sa.select(Mail.status, Mail.address))
    assert tuple(row) == (MailStatus.SENT, None)


async def test_a_mail_carries_one_token_in_the_fragment_of_its_link(api: Api) -> None:
    await ok(api.post("/join-requests", FORM))
    (mail,) = await api.work_off()
    assert f"/pages/email-verification#token={token_in(mail)}" in text_of(mail)
    assert token_in(mail) not in str(mail.items())
    stored = await api.read(sa.select(MailedToken.token_hash))
    assert len(stored) == 1 and token_in(mail) not in stored[0].token_hash


# Gathered


async def test_three_requests_make_one_reminder_that_counts_them(api: Api) -> None:
    chair = await api.leader("Chidi Chair", "chair")
    await asked(api, "a@example.org", "b@example.org", "c@example.org")
    (mail,) = reminders(await api.work_off(), chair)
    assert "Drug Treatment Court CP: 3" in text_of(mail)
    assert "@example.org" not in text_of(mail).replace(chair.email, "")


async def test_a_further_request_reminds_again_only_after_some_time(api: Api) -> None:
    chair = await api.leader("Chidi Chair", "chair")
    await asked(api, "a@example.org")
    assert len(reminders(await api.work_off(), chair)) == 1
    await asked(api, "b@example.org")
    assert reminders(await api.work_off(), chair) == []
    await later(api, timedelta(minutes=61))
    (again,) = reminders(await api.work_off(), chair)
    assert "Drug Treatment Court CP: 2" in text_of(again)


async def test_a_reminder_is_not_sent_when_everything_is_decided_by_then(api: Api) -> None:
    chair = await api.leader("Chidi Chair", "chair")
    await asked(api, "a@example.org")
    await api.work_off()
    (_, second) = await asked(api, "b@example.org")
    (first,) = [one for one in await asked(api) if one != second]
    for request in (first, second):
        await ok(chair.put(f"/join-requests/{request}/decision", ACCEPT))
    await later(api, timedelta(minutes=61))
    assert reminders(await api.work_off(), chair) == []


async def later(api: Api, time: timedelta) -> None:
    """As if so much time had passed for what waits in the queue."""
    async with api.database.work() as work:
        waiting = sa.select(Mail).where(col(Mail.status) == MailStatus.QUEUED)
        for mail in (await work.execute(waiting)).scalars():
            mail.send_after -= time


async def test_only_who_may_decide_today_is_reminded(api: Api) -> None:
    chair = await api.leader("Chidi Chair", "chair")
    former = await api.leader("Fiona Former", "secretary", starts=-700, ends=-1)
    coming = await api.leader("Cleo Coming", "secretary", starts=1)
    elsewhere = await api.leader("Elsa Elsewhere", "chair", WELLNESS)
    suspended = await api.leader("Sue Suspended", "member_at_large")
    staff = await api.staff()
    path = f"/memberships/{suspended.memberships[DTC]}/suspension"
    await ok(staff.put(path, {"until_on": day(2), "reason": "To cool down."}))
    await api.work_off()
    await asked(api, "a@example.org")
    told = {mail["To"] for mail in await api.work_off()} - {"a@example.org"}  # it has arrived
    assert told == {chair.email, staff.email}
    assert not told & {former.email, coming.email, elsewhere.email, suspended.email}


async def test_requests_for_a_restricted_community_remind_the_association_alone(api: Api) -> None:
    judge = await api.leader("Judy Judge", "chair", ROUNDTABLE)
    staff = await api.staff()
    await asked(api, "a@example.org", communities=[ROUNDTABLE])
    told = {mail["To"] for mail in await api.work_off()} - {"a@example.org"}  # it has arrived
    assert told == {staff.email} and judge.email not in told


async def test_nobody_is_reminded_of_their_own_case(api: Api) -> None:
    chair = await api.leader("Chidi Chair", "chair")
    vice, reporter = await api.leader("Vera Vice", "vice_chair"), await api.member("Rita")
    await api.report(reporter, await api.reply(chair, await api.discussion(chair)))
    sent = await api.work_off()
    told = [mail["To"] for mail in sent if await kind_of(api, mail) == "reviews_waiting"]
    assert told == [vice.email] and chair.email not in told


# Stopping reminders


async def test_the_key_in_a_reminder_stops_reminders_and_opening_its_page_does_not(
    api: Api,
) -> None:
    chair = await api.leader("Chidi Chair", "chair")
    await asked(api, "a@example.org")
    (mail,) = reminders(await api.work_off(), chair)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].strip("<>")
    assert link in text_of(mail)
    assert (await api.client.get(link)).status_code == 200
    recorded = sa.select(Activity.id).where(col(Activity.kind) == "account.unsubscribed")
    assert await api.read(recorded) == []
    for _ in range(2):
        stopped = await api.client.post(link, data={"List-Unsubscribe": "One-Click"})
        assert stopped.status_code == 200, stopped.text
    assert len(await api.read(recorded)) == 1
    await asked(api, "b@example.org")
    await later(api, timedelta(minutes=61))
    assert reminders(await api.work_off(), chair) == []


async def test_a_key_that_this_server_did_not_make_stops_nothing(api: Api) -> None:
    chair = await api.leader("Chidi Chair", "chair")
    made = unsubscriptions.key(chair.id, "requests_waiting")
    other = unsubscriptions.key(new_id(), "requests_waiting")
    for key in (made[:-2] + "AA", made.split(".")[0], other, "", "é.é"):
        answer = await api.client.post("/unsubscribe", params={"key": key})
        assert (answer.status_code, answer.json()["code"]) == (409, "mailed_token.invalid")


# Nothing untrue


async def test_a_term_that_ended_before_its_mail_was_written_is_not_announced(api: Api) -> None:
    staff, member = await api.staff(), await api.member("Mia Member")
    term = {"person_id": str(member.id), "position": "chair", "basis": "election"}
    days = {"starts_on": day(0), "ends_on": day(700)}
    begun = await ok(staff.post(f"/communities/{DTC}/terms", term | days))
    await ok(staff.post(f"/terms/{begun['id']}/removal", {"reason": "A slip of the pen."}))
    (mail,) = reminders(await api.work_off(), member)
    assert await kind_of(api, mail) == "term_removed"


async def test_a_deactivated_account_gets_no_mail(api: Api) -> None:
    staff, member = await api.staff(), await api.member("Mia Member")
    path = f"/memberships/{member.memberships[DTC]}/end"
    await ok(staff.post(path, {"reason": "Moved away."}))
    await api.change(Person, member.id, deactivated_at=clock.now())
    assert reminders(await api.work_off(), member) == []


async def test_nobody_is_mailed_about_what_they_did_themselves(api: Api) -> None:
    member = await api.member("Mia Member")
    await ok(member.post(f"/memberships/{member.memberships[DTC]}/end", {"reason": None}))
    assert await api.work_off() == []


async def test_no_text_begins_a_header_of_its_own(api: Api) -> None:
    mary = await api.person("Mary Member")
    wrote = "Mary's association\r\nBcc: everybody@example.org"
    await api.change(Association, 1, name={"en": wrote, "fr": wrote})
    await ok(api.post("/auth/password-resets", {"email": mary.email}))
    (mail,) = await api.work_off()
    assert mail["Bcc"] is None
    assert "Mary's association Bcc: everybody@example.org" in mail["From"]


async def test_who_has_a_password_is_welcomed_without_a_link(api: Api) -> None:
    staff, known = await api.staff(), await api.person("Amara Okafor")
    (request,) = await asked(api, known.email)
    await api.work_off()
    await ok(staff.put(f"/join-requests/{request}/decision", ACCEPT))
    (mail,) = reminders(await api.work_off(), known)
    assert "token=" not in text_of(mail) and mail["Subject"].startswith("Welcome to ")


async def test_every_first_password_link_works_until_one_password_is_chosen(api: Api) -> None:
    staff = await api.staff()
    requests = await asked(api, FORM["email"], communities=[DTC, WELLNESS])
    await api.work_off()
    for request in requests:
        await ok(staff.put(f"/join-requests/{request}/decision", ACCEPT))
    first, second = (token_in(mail) for mail in await api.work_off())
    path = "/auth/password-resets/confirmation"
    await ok(api.post(path, {"token": second, "password": PASSWORD}))
    refused = await api.post(path, {"token": first, "password": f"{PASSWORD}!"})
    assert (refused.status_code, refused.json()["code"]) == (409, "mailed_token.invalid")


# On its way


async def test_a_repetition_has_the_same_message_id_and_another_token(api: Api) -> None:
    await ok(api.post("/join-requests", FORM))
    (first,) = await api.work_off()
    mail_id = UUID(first["X-COP-Mail-Id"])
    again = {"status": MailStatus.QUEUED, "address": FORM["email"], "handed_on_at": None}
    await api.change(Mail, mail_id, **again)  # a crash between sending and noting it
    await mails.deliver(api.database, mail_id)
    (row,) = await api.read(sa.select(Mail.status, Mail.attempts))
    assert tuple(row) == (MailStatus.SENT, 2)
    assert len(await api.read(sa.select(MailedToken.token_hash))) == 2
    assert first["Message-ID"] == f"<{mail_id}@testserver>"


async def test_pauses_grow_from_a_second_to_an_hour_and_then_the_mail_is_parked(api: Api) -> None:
    await ok(api.post("/auth/password-resets", {"email": "nobody@example.org"}))
    (mail,) = await api.read(sa.select(Mail.id))
    pauses = []
    for _ in range(mails.MOST_ATTEMPTS - 1):
        before = clock.now()
        await mails.fail(api.database, mail.id, "smtp 451", permanent=False)
        (row,) = await api.read(sa.select(Mail.status, Mail.send_after, Mail.failure))
        assert (row.status, row.failure) == (MailStatus.QUEUED, "smtp 451")
        pauses.append(round((row.send_after - before).total_seconds()))
    assert pauses[:5] == [1, 3, 9, 27, 81] and pauses[-1] == 3600
    assert timedelta(hours=20) < timedelta(seconds=sum(pauses)) < timedelta(days=2)
    assert pauses == sorted(pauses)
    await mails.fail(api.database, mail.id, "smtp 451", permanent=False)
    (row,) = await api.read(sa.select(Mail.status))
    assert row.status == MailStatus.PARKED
    parked = sa.select(Activity.id).where(col(Activity.kind) == "mail.parked")
    assert len(await api.read(parked)) == 1


async def test_a_job_that_was_lost_is_handed_on_again_and_no_other(api: Api) -> None:
    await ok(api.post("/auth/password-resets", {"email": "nobody@example.org"}))
    (mail,) = await api.read(sa.select(Mail.id))
    await api.change(Mail, mail.id, handed_on_at=clock.now() - timedelta(minutes=1))
    assert await mails.due(api.database.reader) == []
    await api.change(Mail, mail.id, handed_on_at=clock.now() - mails.LEASE - timedelta(seconds=1))
    assert await mails.due(api.database.reader) == [mail.id]
    taken = []
    for _ in range(2):  # two workers saw it
        async with api.database.work() as work:
            taken.append(await mails.hand_on(work, [mail.id]))
    assert taken == [[mail.id], []]


async def test_a_mail_in_the_directory_is_for_its_owner_alone(api: Api) -> None:
    await ok(api.post("/join-requests", FORM))
    (mail,) = await api.work_off()
    folder = Path(settings.get().mail.removeprefix("file://"))
    assert mode(folder) & 0o077 == 0
    assert mode(folder / f"{mail['X-COP-Mail-Id']}.eml") == 0o600


def mode(path: Path) -> int:
    """Who may do what with a file."""
    return path.stat().st_mode & 0o777


# Complete


def test_every_kind_of_mail_that_something_causes_has_recipients_a_letter_and_words() -> None:
    caused = {mail for kind in activity.KINDS.values() for mail in kind.mails}
    assert caused == {*recipients.RECIPIENTS, *waiting.GATHERED}
    assert caused | mails.ASKED == EVERY_KIND
    for language in texts.LANGUAGES:
        words = texts.group("mails", language)
        assert {name.split(".")[0] for name in words if name.endswith(".subject")} == EVERY_KIND
        assert {name.split(".")[0] for name in words if name.endswith(".body")} == EVERY_KIND
