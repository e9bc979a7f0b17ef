"""Deciding about a request to join: once, by somebody whom it does not concern."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Work
from app.models import JoinOutcome, JoinRequest, JoinRequestStatus, Person
from app.policy import Standing
from app.preconditions import Expected
from app.services import accounts, join_requests, memberships, rules


async def decide(
    work: Work,
    standing: Standing,
    request_id: UUID,
    outcome: JoinOutcome,
    comment: str | None,
    expected: Expected,
) -> dict[str, Any]:
    """Accepts or declines a request, once; accepting makes the account and the membership.

    Raises OwnRequest, JoinRequestAlreadyDecided, JoinRequestNotPending, EligibilityNotVerified,
    PersonDeactivated, MembershipExists, and Invalid for a refusal without a comment.
    """
    request = await work.locked(JoinRequest, request_id)
    if request.verified_at is None:
        raise errors.NotFound
    me = await work.one(sa.select(Person.email_key).where(col(Person.id) == standing.me.id))
    if me.email_key == request.email_key:
        raise errors.OwnRequest
    if outcome is JoinOutcome.DECLINED and comment is None:
        raise errors.Invalid(errors=[errors.field("/comment", "comment_required")])
    if request.status in (JoinRequestStatus.ACCEPTED, JoinRequestStatus.DECLINED):
        raise errors.JoinRequestAlreadyDecided
    expected.check(request.version)
    if request.status != JoinRequestStatus.PENDING:
        raise errors.JoinRequestNotPending
    if outcome is JoinOutcome.ACCEPTED:
        await _accept(work, standing, request)
    else:
        request.status = JoinRequestStatus.DECLINED
        activity.record(
            work, "join_request.declined", standing, request.id, community_id=request.community_id
        )
    request.comment = comment
    request.decided_at = request.updated_at = clock.now()
    request.decided_by = standing.me.id
    request.version += 1
    await work.flush()
    return join_requests.shown(
        await work.one(join_requests.REQUESTS.where(col(JoinRequest.id) == request_id)), standing
    )


async def _accept(work: Work, standing: Standing, request: JoinRequest) -> None:
    standing.require_active()
    if standing.here.restricted:
        raise errors.EligibilityNotVerified
    person = await accounts.of_applicant(work, standing, request)
    if person.deactivated_at is not None:
        raise errors.PersonDeactivated
    membership = await memberships.begin(work, request.community_id, person.id)
    agreed_at = request.verified_at
    await rules.record_agreement(
        work, None, person.id, request.rules_version, request.language, agreed_at
    )
    request.status = JoinRequestStatus.ACCEPTED
    request.membership_id = membership.id
    activity.record(
        work,
        "join_request.accepted",
        standing,
        request.id,
        community_id=request.community_id,
        membership_id=membership.id,
        person_id=person.id,
    )
