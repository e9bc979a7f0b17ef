"""Nominations: proposing somebody, saying yes, saying no."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, status

from app import election_errors, errors, listing
from app.deps import ExpectedDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Election, Nomination
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import page_of
from app.schemas.nominations import Nomination as NominationShown
from app.schemas.nominations import (
    NominationAcceptance,
    NominationCreate,
    NominationList,
    NominationWithdrawal,
)
from app.services import nominations

router = api_router(tags=["elections"])

_HISTORY = Capability.LEADERSHIP_READ_HISTORY
_UNFIT = (errors.TermNotAMember, errors.TermNotEligible, errors.TermConsecutive)
Own = Annotated[Standing, may(_HISTORY, within=Nomination, own=True, content=True)]


@router.get(
    "/elections/{election_id}/nominations",
    response_model=NominationList,
    summary="Who is nominated",
)
async def list_nominations(
    election_id: UUID,
    reader: ReaderDep,
    standing: Annotated[Standing, may(_HISTORY, within=Election, content=True)],
    page: PageDep,
) -> Any:
    """In the order of making; those who have accepted are the candidates."""
    listed = await listing.page(reader, nominations.listing(), page, election=election_id)
    shown = [nominations.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.post(
    "/elections/{election_id}/nominations",
    response_model=NominationShown,
    status_code=status.HTTP_201_CREATED,
    summary="Nominate somebody",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.RulesAgreementRequired,
        errors.CommunityArchived,
        *_UNFIT,
        election_errors.WrongPhase,
        election_errors.NominationExists,
        election_errors.StandsElsewhere,
    ),
)
async def nominate_person(
    election_id: UUID,
    body: NominationCreate,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(Capability.ELECTIONS_VOTE, within=Election, seen_with=_HISTORY, content=True),
    ],
) -> Any:
    """Another member, who is asked by mail to accept, or oneself, which counts as accepted."""
    return await nominations.nominate(work, standing, election_id, body.model_dump())


@router.get(
    "/nominations/{nomination_id}", response_model=NominationShown, summary="One nomination"
)
async def get_nomination(nomination_id: UUID, reader: ReaderDep, standing: Own) -> Any:
    """A nomination, for those who may see elections, and for the nominee."""
    return await nominations.get(reader, standing, nomination_id)


@router.put(
    "/nominations/{nomination_id}/acceptance",
    response_model=NominationShown,
    summary="Accept a nomination",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.CommunityArchived,
        errors.PreconditionFailed,
        *_UNFIT,
        election_errors.WrongPhase,
        election_errors.StandsElsewhere,
    ),
)
async def accept_nomination(
    nomination_id: UUID,
    body: Annotated[NominationAcceptance, Body(default_factory=NominationAcceptance)],
    work: SessionDep,
    standing: Annotated[Standing, may(_HISTORY, within=Nomination, content=True)],
    expected: ExpectedDep,
) -> Any:
    """The nominee's own act, until the last day of acceptance; again to change the statement, or
    after a withdrawal. A person stands in one contest of an election at most."""
    return await nominations.accept(work, standing, nomination_id, body.model_dump(), expected)


@router.put(
    "/nominations/{nomination_id}/withdrawal",
    response_model=NominationShown,
    summary="Withdraw a nomination",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.PreconditionFailed,
        election_errors.WrongPhase,
        election_errors.NominationWithdrawn,
        election_errors.OwnCandidacy,
        election_errors.CandidateFit,
    ),
)
async def withdraw_nomination(
    nomination_id: UUID,
    body: Annotated[NominationWithdrawal, Body(default_factory=NominationWithdrawal)],
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(
            Capability.ELECTIONS_MANAGE,
            within=Nomination,
            seen_with=_HISTORY,
            own=True,
            content=True,
        ),
    ],
    expected: ExpectedDep,
) -> Any:
    """The nominee's own act, until certification; once voting has begun, ballots pass over the
    name. For somebody who can no longer hold the seat, those who manage elections record it, with
    a reason."""
    return await nominations.withdraw(work, standing, nomination_id, body.reason, expected)
