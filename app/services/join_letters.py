"""Mails to applicants: the address is to be confirmed, the way back, a question, and what became
of their request.

What a form says is repeated only to addresses that are proven.
"""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, texts, tokens
from app.db import Work
from app.models import (
    Activity,
    Community,
    JoinInquiry,
    JoinRequest,
    JoinRequestLink,
    JoinRequestStatus,
    JoinWithdrawal,
    Person,
    TokenPurpose,
)
from app.services import join_confirmations, mailed_links
from app.services.join_states import KNOWN, OPEN, state_of
from app.services.retention import UNCONFIRMED

# These are about a whole form, the others about one request.
_OF_FORM = ("confirm_address", "request_received")
LETTERS = (
    *_OF_FORM,
    "information_requested",
    "request_closed",
    "request_declined",
    "request_expired",
)
_BODIES = {
    JoinWithdrawal.BY_APPLICANT: "body",
    JoinWithdrawal.ALREADY_MEMBER: "body_already_member",
    JoinWithdrawal.ASKED_TOO_SOON: "body_too_soon",
}


class Reader(NamedTuple):
    """To which address a mail goes, and about which request or form it is."""

    address: str
    about: UUID


async def reader(work: Work, kind: str, activity: Activity) -> Reader | None:
    """Who is mailed; nobody about what they did themselves, signed in with that address.

    One mail speaks for a whole form: its first request causes it.
    """
    request = await work.get(JoinRequest, UUID(activity.subject_id))
    if request is None or request.withdrawn_because == JoinWithdrawal.NEWER_REQUEST:
        return None
    if activity.actor_id is not None and kind != "confirm_address":
        actor = await work.get(Person, activity.actor_id)
        if actor is not None and actor.email_key == request.email_key:
            return None
    if kind not in _OF_FORM:
        return Reader(request.email, request.id)
    proven = KNOWN if kind == "request_received" else sa.true()
    first = await work.one(
        sa.select(JoinRequest.id)
        .where(col(JoinRequest.submission_id) == request.submission_id, proven)
        .order_by(col(JoinRequest.id))
        .limit(1)
    )
    return Reader(request.email, request.submission_id) if first.id == request.id else None


async def awaiting(work: Work, email_key: str) -> JoinRequest | None:
    """The latest request of an address that waits for its confirmation."""
    return await _awaiting(work, col(JoinRequest.email_key) == email_key)


async def _awaiting(work: Work, condition: Any) -> JoinRequest | None:
    found = (
        sa.select(JoinRequest)
        .where(
            condition,
            col(JoinRequest.status) == JoinRequestStatus.AWAITING_VERIFICATION,
            col(JoinRequest.submitted_at) > clock.now() - UNCONFIRMED,
        )
        .order_by(col(JoinRequest.id).desc())
        .limit(1)
    )
    return (await work.execute(found)).scalars().first()


# What they say


class Said(NamedTuple):
    """What one mail says, to whom; it greets by name where the address is proven."""

    request: JoinRequest
    facts: dict[str, str]
    body: str = "body"


async def write(work: Work, kind: str, about: UUID | None) -> Said | None:
    """What a mail says to an applicant; None where it has become untrue."""
    if kind == "confirm_address":
        request = await _awaiting(work, col(JoinRequest.submission_id) == about)
        return None if request is None else await confirmation(work, request)
    if kind == "request_received":
        return await _received(work, about)
    request = await work.get(JoinRequest, about)
    if request is None:
        return None
    community = await work.get_one(Community, request.community_id)
    facts = {"community": texts.one_line(community.name, request.language)}
    if kind == "information_requested":
        return await _asked(work, request, facts)
    if kind == "request_closed":
        return await _closed(work, request, facts)
    if kind == "request_declined":
        return _declined(work, request, community, facts)
    if state_of(request) != JoinRequestStatus.EXPIRED:
        return None
    return Said(request, facts | {"link": following(work, request)})


async def confirmation(work: Work, request: JoinRequest) -> Said:
    """What leads to the proof of an address, for all that was asked with it on one form."""
    link = await mailed_links.one_time(
        work,
        TokenPurpose.EMAIL_VERIFICATION,
        request.email_key,
        submission_id=request.submission_id,
    )
    return Said(request, {"link": link})


async def _received(work: Work, submission_id: UUID | None) -> Said | None:
    found = await work.execute(
        sa.select(JoinRequest, Community)
        .join(Community, col(Community.id) == JoinRequest.community_id)
        .where(col(JoinRequest.submission_id) == submission_id, col(JoinRequest.status).in_(OPEN))
        .order_by(col(JoinRequest.id))
    )
    rows = list(found)
    if not rows:
        return None
    request = rows[0][0]
    named = [f"- {texts.one_line(community.name, request.language)}" for _, community in rows]
    body = "body" if request.verified_at else "body_by_mail"
    return Said(request, {"lines": "\n".join(named), "link": following(work, request)}, body)


async def _asked(work: Work, request: JoinRequest, facts: dict[str, str]) -> Said | None:
    if state_of(request) != JoinRequestStatus.INFORMATION_REQUESTED:
        return None
    inquiry = await work.entity(
        sa.select(JoinInquiry).where(
            col(JoinInquiry.join_request_id) == request.id, col(JoinInquiry.answered_at).is_(None)
        )
    )
    until = str(request.answer_due_on)
    link = following(work, request)
    return Said(request, facts | {"question": inquiry.question, "until": until, "link": link})


async def _closed(work: Work, request: JoinRequest, facts: dict[str, str]) -> Said | None:
    cause = request.withdrawn_because
    if cause is None or cause not in _BODIES:
        return None
    if cause == JoinWithdrawal.ASKED_TOO_SOON:
        place = request.community_id
        facts |= {"day": str(await join_confirmations.may_ask_from(work, request.email_key, place))}
    return Said(request, facts, _BODIES[JoinWithdrawal(cause)])


def _declined(
    work: Work, request: JoinRequest, community: Community, facts: dict[str, str]
) -> Said | None:
    if request.status != JoinRequestStatus.DECLINED or request.decided_at is None:
        return None
    facts |= {"reason": request.comment or "-", "link": following(work, request)}
    if not community.reapplication_days:
        return Said(request, facts)
    day = clock.day_of(request.decided_at) + timedelta(days=community.reapplication_days)
    return Said(request, facts | {"day": str(day)}, "body_from_a_day_on")


def following(work: Work, request: JoinRequest) -> str:
    """The link by which somebody without an account follows what they asked for on one form."""
    token = tokens.LINK + tokens.opaque()
    work.add(
        JoinRequestLink(
            token_hash=tokens.hashed(token),
            submission_id=request.submission_id,
            created_at=clock.now(),
        )
    )
    return mailed_links.join_request(request.id, token)
