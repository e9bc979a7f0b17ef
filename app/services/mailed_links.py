"""The links that mails carry: to a page that uses a one-time token, or to a thing.

A token is made when its mail is written and stored as its hash, so that no queue, no log and no
job ever holds one. Its place is the link's fragment, which browsers do not send to servers.
"""

from datetime import timedelta
from uuid import UUID

from app import clock, settings, tokens
from app.db import Work
from app.models import MailedToken, Person, TokenPurpose

LIFETIMES = {
    TokenPurpose.EMAIL_VERIFICATION: timedelta(days=7),
    TokenPurpose.FIRST_PASSWORD: timedelta(days=14),
    TokenPurpose.PASSWORD: timedelta(hours=1),
    TokenPurpose.SIGN_IN: timedelta(hours=1),
}


async def one_time(
    work: Work,
    purpose: TokenPurpose,
    email_key: str,
    *,
    person_id: UUID | None = None,
    submission_id: UUID | None = None,
) -> str:
    """A link that works once, for its purpose's time, for the address to which it is mailed."""
    token, now = tokens.opaque(), clock.now()
    work.add(
        MailedToken(
            token_hash=tokens.hashed(token),
            purpose=purpose,
            person_id=person_id,
            submission_id=submission_id,
            email_key=email_key,
            created_at=now,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    # Not str.format: an operator's template may have braces of its own.
    return _template(purpose).replace("{token}", token)


async def of_account(work: Work, purpose: TokenPurpose, person: Person) -> str:
    """A link that works once, for the owner of an account."""
    if person.email_key is None:
        raise ValueError("a profile that waits to be claimed signs nobody in")
    return await one_time(work, purpose, person.email_key, person_id=person.id)


async def to_sign_in(
    work: Work, person: Person, body: str, facts: dict[str, str]
) -> tuple[str, dict[str, str]]:
    """A body with a link to choose a password with, or the one for those who have one."""
    if person.password_hash is not None:
        return f"{body}_with_account", facts
    link = await of_account(work, TokenPurpose.FIRST_PASSWORD, person)
    return body, facts | {"link": link}


def discussion(discussion_id: UUID) -> str:
    """Where the association's frontend shows a discussion."""
    known = settings.get()
    template = known.link_discussion or f"{known.public_url}/pages/discussion#id={{id}}"
    return template.replace("{id}", str(discussion_id))


def proposal(proposal_id: UUID, token: str) -> str:
    """Where somebody who stands behind a proposal follows it, and withdraws from it."""
    known = settings.get()
    template = known.link_proposal or f"{known.public_url}/pages/proposal?id={{id}}#token={{token}}"
    return template.replace("{id}", str(proposal_id)).replace("{token}", token)


def invitation(token: str) -> str:
    """Where an invitation is accepted or declined."""
    known = settings.get()
    template = known.link_invitation or f"{known.public_url}/pages/invitation#token={{token}}"
    return template.replace("{token}", token)


def join_request(request_id: UUID, token: str) -> str:
    """Where an applicant follows a request to join, answers a question about it, and withdraws."""
    known = settings.get()
    template = (
        known.link_join_request
        or f"{known.public_url}/pages/join-request?id={{id}}#token={{token}}"
    )
    return template.replace("{id}", str(request_id)).replace("{token}", token)


def unsubscription(key: str) -> str:
    """Where reminders are stopped. Mail programs POST to it, so the key is in the query."""
    return f"{settings.get().public_url}/unsubscribe?key={key}"


def _template(purpose: TokenPurpose) -> str:
    known = settings.get()
    pages = f"{known.public_url}/pages"
    if purpose is TokenPurpose.EMAIL_VERIFICATION:
        return known.link_email_verification or f"{pages}/email-verification#token={{token}}"
    if purpose is TokenPurpose.SIGN_IN:
        return known.link_sign_in or f"{pages}/sign-in#token={{token}}"
    return known.link_password or f"{pages}/password#token={{token}}"
