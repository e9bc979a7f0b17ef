"""What is mailed to an address that nobody has proven: nothing that somebody typed beside it.

Anybody may type anybody's address into a form. Whatever else they type must not travel to it
under the association's name.
"""

from email.message import EmailMessage
from typing import Any

import pytest

from app import texts
from tests.answers import FORM, ok
from tests.applicants import ask_about
from tests.cast import ROUNDTABLE, Api, mail_to, text_of
from tests.test_community_proposals import FORM as PROPOSAL
from tests.test_community_proposals import PERSON, PROPOSALS, SUPPORT, opened
from tests.test_eligibility import NO, YES, asked_for, decided
from tests.test_import_mailboxes import imported, message, waiting
from tests.test_mail import kind_of

AD = "Buy now at evil.example"
STRANGER = "stranger@example.org"
ANSWERS = {"name": AD, "occupation": AD, "affiliation": AD, "area_of_interest": AD}
pytestmark = pytest.mark.parametrize("language", texts.LANGUAGES)


async def unsaid(api: Api, kind: str, language: str) -> EmailMessage:
    """The one mail that goes to the stranger now, in their language and without what was typed."""
    mail = mail_to(await api.work_off(), STRANGER)
    assert await kind_of(api, mail) == kind
    assert mail["Content-Language"] == language
    assert "evil.example" not in mail.as_string() + text_of(mail)
    greeting = texts.text("mails", "greeting_unnamed", language)
    assert text_of(mail).splitlines()[0] == greeting
    return mail


async def asked_again(api: Api, language: str) -> None:
    """The link is asked for once more, by whoever typed the address."""
    ok(await api.post("/auth/email-verifications", {"email": STRANGER}), 202)
    mail = await unsaid(api, "email_verification", language)
    assert text_of(mail).count("#token=") == 1


async def test_a_form_to_join(api: Api, language: str) -> None:
    ok(await api.post("/join-requests", FORM | ANSWERS | typed(language)), 202)
    await unsaid(api, "confirm_address", language)
    await asked_again(api, language)


async def test_a_proposal(api: Api, language: str) -> None:
    idea = {"name": {"en": AD, "fr": AD}, "area": AD, "specifics": AD, "rationale": AD}
    proposer = PERSON | ANSWERS | {"email": STRANGER}
    body = PROPOSAL | idea | {"proposer": proposer, "language": language}
    ok(await api.post(PROPOSALS, body), 202)
    await unsaid(api, "confirm_proposal", language)
    await asked_again(api, language)


async def test_the_support_of_a_proposal(api: Api, language: str) -> None:
    proposal = await opened(api, name={"en": AD, "fr": AD})
    await api.work_off()
    path = f"{PROPOSALS}/{proposal}/support"
    ok(await api.post(path, SUPPORT | ANSWERS | typed(language)), 202)
    await unsaid(api, "confirm_proposal", language)
    await asked_again(api, language)


async def test_a_message_of_a_mailbox(api: Api, language: str) -> None:
    staff, other = await api.staff(), await api.staff("Otis Other")
    said = {"Your_name": AD, "Occupation": AD, "Affiliation": AD, "Area_of_interest": AD}
    letter = message("Judicial Roundtable", f"{AD} <{STRANGER}>", Your_language=language, **said)
    await imported(staff, letter, invite="true")
    received = await unsaid(api, "request_received", language)
    proven = texts.text("mails", "request_received.body", language).strip().splitlines()[0]
    assert proven.split(".")[0] not in text_of(received)
    (request,) = await waiting(staff, ROUNDTABLE)
    for kind, decision in (("eligibility_refused", NO), ("eligibility_confirmed", YES)):
        asked = await asked_for(staff, join_request_id=request["id"])
        ok(await decided(other, asked, **decision))
        await unsaid(api, kind, language)
    ok(await ask_about(staff, request["id"]))
    await unsaid(api, "information_requested", language)


def typed(language: str) -> dict[str, Any]:
    """What a form says besides the answers."""
    return {"email": STRANGER, "language": language}
