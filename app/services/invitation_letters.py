"""What is mailed about invitations, to the address that is invited and nobody else.

The mail names the community. It repeats nothing that the inviter wrote, not even a name: in the
hands of somebody who took over an inviter's account it would carry their words, under the
association's name, to hundreds of strangers.
"""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, texts, tokens
from app.db import Work
from app.models import Community, Invitation, InvitationMail, Membership, Person
from app.schemas.invitations import InvitationState
from app.services import invitation_answers, invitations, mailed_links
from app.services.mail_queue import queue

# To one address, from whatever communities; what is more waits.
MAILS_AN_HOUR = 5


class Said(NamedTuple):
    """What one mail says, to whom."""

    address: str
    language: str
    name: str | None
    facts: dict[str, str]
    body: str


async def send(work: Work, mail_kind: str, mail_id: UUID) -> None:
    """Queues the mail of an invitation, for a time at which its address gets no more than a few
    in an hour. One worker alone queues mails, so none is left out of the count."""
    mail = await work.get(InvitationMail, mail_id)
    invitation = await work.get(Invitation, mail.invitation_id) if mail else None
    if mail is None or invitation is None:
        return
    earlier = await work.first(
        sa.select(InvitationMail.send_after)
        .join(Invitation, col(Invitation.id) == InvitationMail.invitation_id)
        .where(
            col(Invitation.email_key) == invitation.email_key,
            col(InvitationMail.send_after).is_not(None),
        )
        .order_by(col(InvitationMail.send_after).desc())
        .offset(MAILS_AN_HOUR - 1)
        .limit(1)
    )
    mail.send_after = clock.now()
    if earlier is not None:
        mail.send_after = max(mail.send_after, earlier.send_after + timedelta(hours=1))
    await queue(
        work,
        mail_kind,
        mail.id,
        address=invitation.email,
        subject_id=mail.id,
        send_after=mail.send_after,
    )


async def write(work: Work, mail_id: UUID | None) -> Said | None:
    """What the mail says; None where the invitation does not count, or a newer mail follows."""
    mail = await work.get(InvitationMail, mail_id)
    if mail is None:
        return None
    invitation = await work.locked(Invitation, mail.invitation_id)
    community = await work.get_one(Community, invitation.community_id)
    if (
        invitations.state_of(invitation, clock.today()) is not InvitationState.OPEN
        or not await _latest(work, mail)
        or not await invitation_answers.counts(work, invitation, community)
    ):
        return None
    return await _said(work, mail, invitation, community)


async def _latest(work: Work, mail: InvitationMail) -> bool:
    newer = sa.select(InvitationMail.id).where(
        col(InvitationMail.invitation_id) == mail.invitation_id, col(InvitationMail.id) > mail.id
    )
    return await work.first(newer.limit(1)) is None


async def _said(
    work: Work, mail: InvitationMail, invitation: Invitation, community: Community
) -> Said | None:
    """To somebody with an account in their language, at the address of the account: two addresses
    can look alike to the key and be different people's."""
    found = sa.select(Person).where(col(Person.email_key) == invitation.email_key)
    person = (await work.execute(found)).scalars().first()
    language = person.language if person else invitation.language
    facts = {"community": texts.one_line(community.name, language)}
    if person is not None:
        if person.deactivated_at is not None:
            return None
        name = person.name if person.email_verified_at else None
        if await _belongs(work, person.id, community.id):
            return Said(person.email, language, name, facts, "body_member")
        facts |= _link(mail, invitation)
        return Said(person.email, language, name, facts, "body")
    return Said(invitation.email, language, None, facts | _link(mail, invitation), "body")


async def _belongs(work: Work, person_id: UUID, community_id: UUID) -> bool:
    """True for a member, and for somebody whose membership is still to begin."""
    not_over: Any = sa.or_(
        col(Membership.until_on).is_(None), col(Membership.until_on) >= clock.today()
    )
    found = sa.select(Membership.id).where(
        col(Membership.community_id) == community_id,
        col(Membership.person_id) == person_id,
        col(Membership.ended_at).is_(None),
        not_over,
    )
    return await work.first(found) is not None


def _link(mail: InvitationMail, invitation: Invitation) -> dict[str, str]:
    token = tokens.opaque()
    mail.token_hash = tokens.hashed(token)
    return {
        "link": mailed_links.invitation(token),
        "day": invitation.expires_on.isoformat(),
    }
