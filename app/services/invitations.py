"""Inviting addresses to a community, and looking after the invitations.

Nobody's account or membership is looked at here, so that no answer tells whether an address is
known: what is to be said to a member is said in the mail (invitation_letters.py).
"""

from collections import Counter
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, invitation_errors
from app.db import Source, Work
from app.listing import Listing
from app.models import (
    Community,
    Invitation,
    InvitationEnding,
    InvitationMail,
    JoinPolicy,
    Person,
)
from app.policy import Standing
from app.preconditions import Expected
from app.schemas.base import address_key
from app.schemas.invitations import InvitationOutcome, InvitationState
from app.services import communities
from app.services.seating import TODAY

MOST_OPEN = 500
# Mails that one community asks for to one address.
MAILS_AN_HOUR = 3

INVITATIONS = (
    sa.select(
        Invitation.id,
        Invitation.email,
        Invitation.category,
        Invitation.language,
        Invitation.invited_at,
        Invitation.expires_on,
        Invitation.ended_at,
        Invitation.ending,
        Invitation.membership_id,
        Invitation.updated_at,
        Invitation.version,
        col(Person.id).label("inviter_id"),
        col(Person.name).label("inviter"),
        *communities.REFERENCE,
    )
    .join(Community, col(Community.id) == Invitation.community_id)
    .join(Person, col(Person.id) == Invitation.invited_by)
)


def is_open(day: Any) -> Any:
    """The condition that an invitation can be answered on a day."""
    return sa.and_(col(Invitation.ended_at).is_(None), col(Invitation.expires_on) >= day)


def _in_state(state: InvitationState) -> Any:
    if state is InvitationState.OPEN:
        return is_open(TODAY)
    if state is InvitationState.EXPIRED:
        over = sa.and_(col(Invitation.ended_at).is_(None), col(Invitation.expires_on) < TODAY)
        return sa.or_(over, col(Invitation.ending) == InvitationEnding.LAPSED)
    return col(Invitation.ending) == InvitationEnding(state)


def state_of(row: Any, today: Any) -> InvitationState:
    """How far an invitation has come, by the day."""
    if row.ending is None and row.expires_on >= today:
        return InvitationState.OPEN
    if row.ending is None or row.ending == InvitationEnding.LAPSED:
        return InvitationState.EXPIRED
    return InvitationState(row.ending)


@lru_cache
def listing(states: tuple[InvitationState, ...], address: bool) -> Listing:
    """The invitations of a community in these states (or in any), the latest first."""
    query = INVITATIONS.where(
        col(Invitation.community_id) == sa.bindparam("community", type_=sa.Uuid)
    )
    if states:
        query = query.where(sa.or_(*(_in_state(state) for state in states)))
    if address:
        query = query.where(col(Invitation.email_key) == sa.bindparam("address", type_=sa.String))
    return Listing(query, col(Invitation.id), descending=True)


def asked(
    standing: Standing, states: list[InvitationState] | None, email: str | None
) -> tuple[Listing, dict[str, Any]]:
    """The invitations here as a caller asked for them."""
    found = listing(tuple(sorted(set(states or ()))), email is not None)
    about = {"community": standing.here.id, "today": standing.today}
    return found, about | ({} if email is None else {"address": address_key(email)})


def shown(row: Any, standing: Standing) -> dict[str, Any]:
    """An invitation as those who manage memberships see it."""
    state = state_of(row, standing.today)
    acts = ["revoke_invitation"] if state is InvitationState.OPEN else []
    if acts and not standing.here.archived:
        acts.append("resend_invitation")
    ended = state is not InvitationState.EXPIRED
    return {
        **row._asdict(),
        "community": communities.reference(row),
        "state": state,
        "invited_by": {"id": row.inviter_id, "name": row.inviter},
        "ended_at": row.ended_at if ended else None,
        "viewer": {"can": acts},
    }


async def get(source: Source, standing: Standing, invitation_id: UUID) -> dict[str, Any]:
    """One invitation; whether the caller may see it was looked at with its community."""
    return shown(await source.one(INVITATIONS.where(col(Invitation.id) == invitation_id)), standing)


# Inviting


async def invite(work: Work, standing: Standing, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Invites addresses, each once; what became of each, in their order.

    Raises CommunityArchived, CommunityClosed, TooManyInvitations; PersonRequired for a machine of
    a partner's, since somebody has to answer for an invitation.
    """
    me, addresses = standing.me, body["addresses"]
    keys = {address_key(email) for email in addresses}
    await _make_room(work, standing, keys)
    await _admitting(work, standing)
    open_ones = await _standing_open(work, standing, keys)
    mailed = await _mailed(work, standing.here.id, keys)
    room = MOST_OPEN - await _how_many_open(work, standing)
    made = []
    for email in addresses:
        key = address_key(email)
        if key in open_ones:
            made.append(_became(email, InvitationOutcome.OPEN_ALREADY, open_ones[key]))
        elif mailed[key] >= MAILS_AN_HOUR:
            made.append(_became(email, InvitationOutcome.TOO_MANY_MAILS, None))
        else:
            room -= 1
            if room < 0:
                raise invitation_errors.TooManyInvitations
            open_ones[key] = _invite_one(work, standing, me.id, email, body)
            made.append(_became(email, InvitationOutcome.INVITED, open_ones[key]))
    await work.flush()
    return made


async def _admitting(work: Work, standing: Standing) -> None:
    """The community is there for this unit of work alone: what is counted in it stays so.

    An invitation is always held before its community, as acceptance holds them: nobody waits in
    a ring.
    """
    standing.require_active()
    community = await work.locked(Community, standing.here.id)
    if community.join_policy == JoinPolicy.CLOSED:
        raise invitation_errors.CommunityClosed


def _became(email: str, outcome: InvitationOutcome, of: UUID | None) -> dict[str, Any]:
    return {"email": email, "outcome": outcome, "invitation_id": of}


async def _make_room(work: Work, standing: Standing, keys: set[str]) -> None:
    """Ends the invitations of these addresses whose last day is over."""
    found = await work.execute(
        sa.select(Invitation)
        .where(
            col(Invitation.community_id) == standing.here.id,
            col(Invitation.email_key).in_(keys),
            col(Invitation.ended_at).is_(None),
            col(Invitation.expires_on) < standing.today,
        )
        .order_by(col(Invitation.id))
        .with_for_update()
    )
    for invitation in found.scalars():
        end(invitation, InvitationEnding.LAPSED)
    await work.flush()


async def _standing_open(work: Work, standing: Standing, keys: set[str]) -> dict[str, UUID]:
    rows = await work.rows(
        sa.select(Invitation.email_key, Invitation.id).where(
            col(Invitation.community_id) == standing.here.id,
            col(Invitation.email_key).in_(keys),
            col(Invitation.ended_at).is_(None),
        )
    )
    return {row.email_key: row.id for row in rows}


async def _mailed(work: Work, community_id: UUID, keys: set[str]) -> Counter[str]:
    rows = await work.rows(
        sa.select(Invitation.email_key, sa.func.count().label("mails"))
        .join(InvitationMail, col(InvitationMail.invitation_id) == Invitation.id)
        .where(
            col(Invitation.community_id) == community_id,
            col(Invitation.email_key).in_(keys),
            col(InvitationMail.asked_at) > clock.now() - timedelta(hours=1),
        )
        .group_by(col(Invitation.email_key))
    )
    return Counter({row.email_key: row.mails for row in rows})


async def _how_many_open(work: Work, standing: Standing) -> int:
    row = await work.one(
        sa.select(sa.func.count().label("open")).where(
            col(Invitation.community_id) == standing.here.id, is_open(standing.today)
        )
    )
    return row.open


def _invite_one(
    work: Work, standing: Standing, inviter: UUID, email: str, body: dict[str, Any]
) -> UUID:
    now = clock.now()
    invitation = Invitation(
        community_id=standing.here.id,
        email=email,
        email_key=address_key(email),
        category=body["category"],
        language=body["language"],
        invited_by=inviter,
        invited_at=now,
        expires_on=standing.today + timedelta(days=body["valid_for_days"]),
        updated_at=now,
    )
    work.add(invitation)
    activity.record(
        work,
        "invitation.sent",
        standing,
        invitation.id,
        community_id=invitation.community_id,
        category=invitation.category,
        expires_on=invitation.expires_on,
        mail_id=_mail(work, invitation),
    )
    return invitation.id


def _mail(work: Work, invitation: Invitation) -> UUID:
    """Asks for a mail, whose link is made when it is written; the id by which a record names it."""
    mail = InvitationMail(invitation_id=invitation.id, asked_at=clock.now())
    work.add(mail)
    return mail.id


# Afterwards


async def _open_one(
    work: Work, standing: Standing, invitation_id: UUID, expected: Expected
) -> Invitation:
    """The invitation, held for this unit of work alone. Raises InvitationNotOpen."""
    invitation = await work.locked(Invitation, invitation_id)
    expected.check(invitation.version)
    if state_of(invitation, standing.today) is not InvitationState.OPEN:
        raise invitation_errors.InvitationNotOpen
    return invitation


async def resend(
    work: Work, standing: Standing, invitation_id: UUID, expected: Expected
) -> dict[str, Any]:
    """Mails an open invitation again. The earlier link is void, the last day stays as it is, and
    whoever asks for this answers for the invitation from now on.

    Raises InvitationNotOpen, CommunityArchived, CommunityClosed, TooManyRequests.
    """
    me = standing.me
    invitation = await _open_one(work, standing, invitation_id, expected)
    await _admitting(work, standing)
    mailed = await _mailed(work, invitation.community_id, {invitation.email_key})
    if mailed[invitation.email_key] >= MAILS_AN_HOUR:
        raise errors.TooManyRequests(headers={"Retry-After": "3600"})
    await _void_links(work, invitation)
    invitation.invited_by = me.id
    invitation.updated_at = clock.now()
    invitation.version += 1
    activity.record(
        work,
        "invitation.resent",
        standing,
        invitation.id,
        community_id=invitation.community_id,
        mail_id=_mail(work, invitation),
    )
    await work.flush()
    return await get(work, standing, invitation_id)


async def _void_links(work: Work, invitation: Invitation) -> None:
    await work.execute(
        sa.update(InvitationMail)
        .where(col(InvitationMail.invitation_id) == invitation.id)
        .values(token_hash=None)
    )


async def revoke(
    work: Work, standing: Standing, invitation_id: UUID, expected: Expected
) -> dict[str, Any]:
    """Makes an open invitation count no longer, from this instant on. Raises InvitationNotOpen."""
    invitation = await _open_one(work, standing, invitation_id, expected)
    end(invitation, InvitationEnding.REVOKED)
    activity.record(
        work,
        "invitation.revoked",
        standing,
        invitation.id,
        community_id=invitation.community_id,
    )
    await work.flush()
    return await get(work, standing, invitation_id)


def end(invitation: Invitation, ending: InvitationEnding) -> None:
    """Ends an invitation at this instant."""
    invitation.ending = ending
    invitation.ended_at = invitation.updated_at = clock.now()
    invitation.version += 1


def retention(now: datetime, kept: timedelta) -> dict[str, Any]:
    """What erases the addresses of people who did not accept; what was accepted stays."""
    over = sa.or_(
        col(Invitation.ended_at) < now - kept,
        sa.and_(
            col(Invitation.ended_at).is_(None),
            col(Invitation.expires_on) < clock.day_of(now - kept),
        ),
    )
    not_accepted = col(Invitation.membership_id).is_(None)
    return {"invitation": sa.delete(Invitation).where(over, not_accepted)}
