"""Succession plans, candidates and their consent, handover."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response, status

from app import errors
from app.deps import ExpectedDep, ExpectedRequired, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import HandoverItem, Seat, SuccessionCandidate
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.succession import CommunitySuccession, SeatSuccession, SeatSuccessionReplacement
from app.schemas.succession import HandoverItem as ItemShown
from app.schemas.succession import SuccessionCandidate as CandidateShown
from app.services import handovers, succession, succession_candidates

router = api_router(tags=["leadership"])

_READ, _KEEP = Capability.LEADERSHIP_READ_HISTORY, Capability.SUCCESSION_MANAGE
_CHANGE = problems(errors.PermissionDenied, errors.CommunityArchived, errors.PreconditionFailed)
Candidate = Annotated[Standing, may(_READ, within=SuccessionCandidate, own=True)]
HandingOver = Annotated[Standing, may(_KEEP, within=HandoverItem, seen_with=_READ, own=True)]


@router.get(
    "/communities/{community}/succession-plan",
    response_model=CommunitySuccession,
    summary="Who could follow in each seat",
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_succession_plan(
    community: str, reader: ReaderDep, standing: Annotated[Standing, may(_READ)]
) -> Any:
    """The plans of every seat, by rank. A candidate who has not agreed is shown to nobody but those
    who keep the plan and the candidate; one who leaves the community is in it no longer."""
    return await succession.get(reader, standing)


@router.get(
    "/seats/{seat_id}/succession-plan",
    response_model=SeatSuccession,
    summary="Who could follow in one seat",
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_seat_succession_plan(
    seat_id: UUID, reader: ReaderDep, standing: Annotated[Standing, may(_READ, within=Seat)]
) -> Any:
    """The plan of a seat, with the ETag that a change of it needs."""
    return await succession.get_seat(reader, standing, seat_id)


@router.put(
    "/seats/{seat_id}/succession-plan",
    response_model=SeatSuccession,
    summary="Plan who could follow in a seat",
    openapi_extra=problems(
        errors.PermissionDenied, errors.CommunityArchived, *errors.EDITED_BY_SEVERAL
    ),
)
async def replace_seat_succession_plan(
    seat_id: UUID,
    body: SeatSuccessionReplacement,
    work: SessionDep,
    standing: Annotated[Standing, may(_KEEP, within=Seat, seen_with=_READ)],
    expected: ExpectedRequired,
) -> Any:
    """The plan as a whole; If-Match is required, since several people keep it. Whoever is a
    candidate already keeps their consent, whoever is new is asked for it by mail: only they can
    give it. An item of the checklist that is named by its id keeps whether it is done."""
    return await succession.replace(work, standing, seat_id, body.model_dump(), expected)


@router.get(
    "/succession-candidates/{succession_candidate_id}",
    response_model=CandidateShown,
    summary="One candidate of a succession plan",
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_succession_candidate(
    succession_candidate_id: UUID, reader: ReaderDep, standing: Candidate
) -> Any:
    """For the candidate, for those who keep the plan, and, once the candidate has agreed, for all
    who read the history of leadership."""
    return await succession_candidates.get(reader, standing, succession_candidate_id)


@router.put(
    "/succession-candidates/{succession_candidate_id}/consent",
    response_model=CandidateShown,
    summary="Agree to be a candidate",
    openapi_extra=_CHANGE,
)
async def give_succession_consent(
    succession_candidate_id: UUID, work: SessionDep, standing: Candidate, expected: ExpectedDep
) -> Any:
    """The candidate's own act. It is no promise, and no term: others now see who could follow."""
    return await succession_candidates.give_consent(
        work, standing, succession_candidate_id, expected
    )


@router.delete(
    "/succession-candidates/{succession_candidate_id}/consent",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Decline to be a candidate, or take one's consent back",
    openapi_extra=_CHANGE,
)
async def withdraw_succession_consent(
    succession_candidate_id: UUID, work: SessionDep, standing: Candidate, expected: ExpectedDep
) -> Response:
    """The candidate's own act, at any time and without a reason. Others see nothing of it any
    more; those who keep the plan see that it was withdrawn."""
    await succession_candidates.withdraw_consent(work, standing, succession_candidate_id, expected)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.put(
    "/handover-items/{handover_item_id}/completion",
    response_model=ItemShown,
    summary="Note that something was handed over",
    openapi_extra=_CHANGE,
)
async def complete_handover_item(
    handover_item_id: UUID, work: SessionDep, standing: HandingOver, expected: ExpectedDep
) -> Any:
    """For those who keep the plan, whoever holds the seat, and whoever is to follow in it."""
    return await handovers.complete(work, standing, handover_item_id, expected)


@router.delete(
    "/handover-items/{handover_item_id}/completion",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Note that something was not handed over after all",
    openapi_extra=_CHANGE,
)
async def reopen_handover_item(
    handover_item_id: UUID, work: SessionDep, standing: HandingOver, expected: ExpectedDep
) -> Response:
    """By the same people."""
    await handovers.reopen(work, standing, handover_item_id, expected)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
