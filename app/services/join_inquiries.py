"""What those who decide want to know of an applicant before they do, and what they are told."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, joining_errors
from app.db import Work, unique_or
from app.models import JoinInquiry, JoinRequest, JoinRequestStatus, JoinWithdrawal
from app.policy import Standing
from app.preconditions import Expected
from app.services import join_decisions, join_requests, join_states


async def ask(
    work: Work, standing: Standing, request_id: UUID, question: str, expected: Expected
) -> dict[str, Any]:
    """Asks the applicant something; the request waits for them until the last day for the answer.

    Raises OwnRequest, JoinRequestAlreadyDecided, JoinRequestExpired, JoinRequestNotPending,
    InformationRequested, CommunityArchived.
    """
    request = await join_decisions.others_request(work, standing, request_id)
    standing.require_active()
    join_states.refuse_closed(request)
    expected.check(request.version)
    taken = {"uq_join_inquiry_open": joining_errors.InformationRequested()}
    async with unique_or(work, taken):
        work.add(
            JoinInquiry(
                join_request_id=request.id,
                question=question,
                asked_at=clock.now(),
                asked_by=standing.me.id,
            )
        )
    join_states.move(request, JoinRequestStatus.INFORMATION_REQUESTED)
    request.answer_due_on = standing.today + join_states.ANSWERED_WITHIN
    activity.record(
        work,
        "join_request.information_requested",
        standing,
        request.id,
        community_id=request.community_id,
        answer_due_on=request.answer_due_on,
    )
    await work.flush()
    return await join_requests.get(work, standing, request_id)


async def answer(
    work: Work,
    standing: Standing,
    request_id: UUID,
    answer: str,
    link: str | None,
    expected: Expected,
) -> dict[str, Any]:
    """The applicant answers the open question, and the request waits for a decision again.

    Raises NotFound, TokenInvalid, PermissionDenied for anybody else, JoinRequestAlreadyDecided,
    JoinRequestExpired, JoinRequestNotPending, InformationNotRequested.
    """
    who = await join_requests.onlooker(work, standing, link)
    request = await _own(work, who, request_id)
    if request.status != JoinRequestStatus.INFORMATION_REQUESTED:
        raise joining_errors.InformationNotRequested
    expected.check(request.version)
    inquiry = await work.entity(
        sa.select(JoinInquiry).where(
            col(JoinInquiry.join_request_id) == request.id, col(JoinInquiry.answered_at).is_(None)
        )
    )
    inquiry.answer, inquiry.answered_at = answer, clock.now()
    join_states.move(request, JoinRequestStatus.PENDING)
    activity.record(
        work,
        "join_request.information_given",
        standing,
        request.id,
        community_id=request.community_id,
    )
    await work.flush()
    return await join_requests.read(work, who, request_id)


async def withdraw(
    work: Work, standing: Standing, request_id: UUID, link: str | None
) -> dict[str, Any]:
    """The applicant takes back what is not decided yet.

    Raises NotFound, TokenInvalid, PermissionDenied for anybody else, JoinRequestAlreadyDecided,
    JoinRequestExpired, JoinRequestNotPending.
    """
    who = await join_requests.onlooker(work, standing, link)
    request = await _own(work, who, request_id)
    join_states.withdraw(work, request, JoinWithdrawal.BY_APPLICANT, standing)
    await work.flush()
    return await join_requests.read(work, who, request_id)


async def _own(work: Work, who: join_requests.Onlooker, request_id: UUID) -> JoinRequest:
    """The applicant's own open request, for this unit of work alone."""
    await join_requests.find_own(work, who, request_id)
    request = await work.locked(JoinRequest, request_id)
    join_states.refuse_closed(request)
    return request
