"""How far a request to join has come: what the row says, and what the clock makes of it.

A question that nobody answers until its last day makes the request `expired` by itself; nothing has
to run for that, and nothing is written down, except where a newer request takes the place.
"""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, joining_errors
from app.db import Work
from app.models import (
    ActorKind,
    JoinRequest,
    JoinRequestOrigin,
    JoinRequestStatus,
    JoinWithdrawal,
)
from app.policy import Standing
from app.services.seating import TODAY

# How long an applicant has for the answer to a question: until the end of the last of these days.
ANSWERED_WITHIN = timedelta(days=30)
# In these somebody may still act on a request, and a person has one of them in a community.
OPEN = (JoinRequestStatus.PENDING, JoinRequestStatus.INFORMATION_REQUESTED)
DECIDED = (JoinRequestStatus.ACCEPTED, JoinRequestStatus.DECLINED)

# A request by a form whose address nobody has confirmed is nobody's yet; one out of a mailbox is
# there from the start, and nobody has proven its address.
KNOWN = sa.or_(
    col(JoinRequest.verified_at).is_not(None), col(JoinRequest.origin) == JoinRequestOrigin.MAILBOX
)
_written: Any = col(JoinRequest.status)
_OVERDUE = sa.and_(
    _written == JoinRequestStatus.INFORMATION_REQUESTED, col(JoinRequest.answer_due_on) < TODAY
)
# The status of a request today.
STATE = sa.case(
    (_OVERDUE, sa.literal(JoinRequestStatus.EXPIRED, _written.type)), else_=_written
).label("status")


def in_state(status: JoinRequestStatus) -> Any:
    """The condition that a request has this status today."""
    if status is JoinRequestStatus.EXPIRED:
        return sa.or_(_written == status, _OVERDUE)
    if status is JoinRequestStatus.INFORMATION_REQUESTED:
        return sa.and_(_written == status, col(JoinRequest.answer_due_on) >= TODAY)
    return _written == status


def state_of(request: JoinRequest) -> JoinRequestStatus:
    """The status of a request today, of a row that was read as a whole."""
    asking = request.status == JoinRequestStatus.INFORMATION_REQUESTED
    due = request.answer_due_on
    overdue = asking and due is not None and due < clock.today()
    return JoinRequestStatus.EXPIRED if overdue else JoinRequestStatus(request.status)


def is_known(request: JoinRequest) -> bool:
    """The same as KNOWN, of a row that was read as a whole."""
    return request.verified_at is not None or request.origin == JoinRequestOrigin.MAILBOX


def closed_on(row: Any) -> date | None:
    """The day on which a request, as it is shown, came to its end; None while it is open."""
    if row.status in OPEN:
        return None
    if row.status == JoinRequestStatus.EXPIRED:
        return row.answer_due_on
    return clock.day_of(row.decided_at or row.updated_at)


def refuse_closed(request: JoinRequest) -> None:
    """Raises the refusal that says why nobody can act on a request any more, if that is so:
    JoinRequestAlreadyDecided, JoinRequestExpired, JoinRequestNotPending."""
    state = state_of(request)
    if state in DECIDED:
        raise errors.JoinRequestAlreadyDecided
    if state == JoinRequestStatus.EXPIRED:
        raise joining_errors.JoinRequestExpired
    if state not in OPEN:
        raise errors.JoinRequestNotPending


def move(request: JoinRequest, status: JoinRequestStatus) -> None:
    """Gives a request another status, and with it its next version."""
    if status is not JoinRequestStatus.EXPIRED:
        request.answer_due_on = None
    request.status = status
    request.updated_at = clock.now()
    request.version += 1


def withdraw(
    work: Work, request: JoinRequest, cause: JoinWithdrawal, by: Standing | None = None
) -> None:
    """Closes a request without a decision: by its applicant, or since there is none to make."""
    move(request, JoinRequestStatus.WITHDRAWN)
    request.withdrawn_because = cause
    activity.record(
        work,
        "join_request.withdrawn",
        by,
        request.id,
        community_id=request.community_id,
        actor=None if by else (ActorKind.SYSTEM, None),
        cause=cause,
    )
