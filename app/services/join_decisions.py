"""Deciding about a request to join: once, by somebody whom it does not concern."""

from typing import Any
from uuid import UUID

from app import activity, clock, errors
from app.db import Work
from app.models import JoinOutcome, JoinRequest, JoinRequestStatus
from app.policy import Standing
from app.preconditions import Expected
from app.services import (
    accounts,
    addresses,
    eligibility,
    join_requests,
    join_states,
    memberships,
    rules,
)


async def decide(
    work: Work,
    standing: Standing,
    request_id: UUID,
    outcome: JoinOutcome,
    comment: str | None,
    expected: Expected,
) -> dict[str, Any]:
    """Accepts or declines a request, once; accepting makes the account and the membership.

    A question that is still open stops nobody from deciding. Raises OwnRequest,
    JoinRequestAlreadyDecided, JoinRequestExpired, JoinRequestNotPending, EligibilityNotVerified,
    PersonDeactivated, MembershipExists, and Invalid for a refusal without a comment.
    """
    request = await others_request(work, standing, request_id)
    if outcome is JoinOutcome.DECLINED and comment is None:
        raise errors.Invalid(errors=[errors.field("/comment", "comment_required")])
    join_states.refuse_closed(request)
    expected.check(request.version)
    if outcome is JoinOutcome.ACCEPTED:
        await _accept(work, standing, request)
    else:
        join_states.move(request, JoinRequestStatus.DECLINED)
        activity.record(
            work, "join_request.declined", standing, request.id, community_id=request.community_id
        )
    request.comment = comment
    request.decided_at, request.decided_by = clock.now(), standing.me.id
    await work.flush()
    return await join_requests.get(work, standing, request_id)


async def others_request(work: Work, standing: Standing, request_id: UUID) -> JoinRequest:
    """A request for this unit of work alone, unless it is the caller's own. Raises OwnRequest."""
    request = await work.locked(JoinRequest, request_id)
    if not join_states.is_known(request):
        raise errors.NotFound
    if (await addresses.own(work, standing)).said == request.email_key:
        raise errors.OwnRequest
    return request


async def _accept(work: Work, standing: Standing, request: JoinRequest) -> None:
    standing.require_active()
    if not await eligibility.is_admitted(work, request.email_key, request.community_id):
        raise errors.EligibilityNotVerified
    if request.verified_at is None:
        person = await accounts.of_unproven(work, standing, request, request.community_id)
    else:
        person = await accounts.of_applicant(work, standing, request)
    if person.deactivated_at is not None:
        raise errors.PersonDeactivated
    membership = await memberships.begin(work, request.community_id, person.id)
    if request.rules_version is not None:
        agreed_at = request.verified_at
        await rules.record_agreement(
            work, None, person.id, request.rules_version, request.language, agreed_at
        )
    join_states.move(request, JoinRequestStatus.ACCEPTED)
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
