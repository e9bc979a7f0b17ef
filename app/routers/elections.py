"""Elections: opening, following, certifying and publishing them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import status

from app import election_errors, errors, listing
from app.deps import ExpectedDep, ExpectedRequired, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Election
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import page_of
from app.schemas.elections import Election as ElectionShown
from app.schemas.elections import (
    ElectionCancellation,
    ElectionCreate,
    ElectionException,
    ElectionExceptionRecorded,
    ElectionList,
    ElectionRecount,
    ElectionResult,
    ElectionUpdate,
    Recount,
)
from app.services import certifications, elections, results

router = api_router(tags=["elections"])

_HISTORY = Capability.LEADERSHIP_READ_HISTORY
Follower = Annotated[Standing, may(_HISTORY, within=Election, content=True)]
Manager = Annotated[
    Standing, may(Capability.ELECTIONS_MANAGE, within=Election, seen_with=_HISTORY, content=True)
]


@router.get(
    "/communities/{community}/elections",
    response_model=ElectionList,
    summary="The elections of a community",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_elections(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(_HISTORY, content=True)],
    page: PageDep,
) -> Any:
    """The latest first, those that were cancelled included."""
    listed = await listing.page(reader, elections.listing(), page, community=standing.here.id)
    shown = await elections.shown_all(reader, standing, listed.rows)
    return page_of(shown, listed.next_cursor, listed.total)


@router.post(
    "/communities/{community}/elections",
    response_model=ElectionShown,
    status_code=status.HTTP_201_CREATED,
    summary="Open an election",
    openapi_extra=problems(errors.PermissionDenied, errors.SeatTaken, errors.CommunityArchived),
)
async def open_election(
    community: str,
    body: ElectionCreate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.ELECTIONS_MANAGE)],
) -> Any:
    """For seats that are free on the days of the terms. It runs by its timetable from then on; at
    the end somebody who does not stand certifies it, and the terms begin on their days."""
    return await elections.open_one(work, standing, body.model_dump())


@router.get("/elections/{election_id}", response_model=ElectionShown, summary="One election")
async def get_election(election_id: UUID, reader: ReaderDep, standing: Follower) -> Any:
    """Where it stands, and whether the caller is on the roll and has voted."""
    return await elections.get(reader, standing, election_id)


@router.patch(
    "/elections/{election_id}",
    response_model=ElectionShown,
    summary="Change an election before it begins",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.SeatTaken,
        errors.CommunityArchived,
        *errors.EDITED_BY_SEVERAL,
        election_errors.WrongPhase,
    ),
)
async def update_election(
    election_id: UUID,
    body: ElectionUpdate,
    work: SessionDep,
    standing: Manager,
    expected: ExpectedRequired,
) -> Any:
    """A merge patch, until the first day of nominations."""
    patch = body.model_dump(exclude_unset=True)
    return await elections.update(work, standing, election_id, patch, expected)


@router.put(
    "/elections/{election_id}/cancellation",
    response_model=ElectionShown,
    summary="Call an election off",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.CommunityArchived,
        errors.PreconditionFailed,
        election_errors.WrongPhase,
        election_errors.OwnCandidacy,
    ),
)
async def cancel_election(
    election_id: UUID,
    body: ElectionCancellation,
    work: SessionDep,
    standing: Manager,
    expected: ExpectedDep,
) -> Any:
    """At any time before certification, by somebody who does not stand. Nothing is counted."""
    return await elections.cancel(work, standing, election_id, body.reason, expected)


@router.post(
    "/elections/{election_id}/exceptions",
    response_model=ElectionExceptionRecorded,
    status_code=status.HTTP_201_CREATED,
    summary="Let somebody stand who otherwise could not",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.CommunityArchived,
        errors.TermNotAMember,
        election_errors.WrongPhase,
        election_errors.OwnException,
    ),
)
async def record_election_exception(
    election_id: UUID,
    body: ElectionException,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(Capability.LEADERSHIP_APPOINT, within=Election, seen_with=_HISTORY, content=True),
    ],
) -> Any:
    """For a second term in a row, where the position does not allow one. The reason is kept with
    the term; the person is nominated as anybody else."""
    return await elections.make_exception(work, standing, election_id, body.model_dump())


@router.get(
    "/elections/{election_id}/result",
    response_model=ElectionResult,
    summary="The result of an election",
    openapi_extra=problems(
        errors.PermissionDenied,
        election_errors.NotCertified,
        election_errors.OwnCandidacy,
        election_errors.WrongPhase,
    ),
)
async def get_election_result(
    election_id: UUID,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.LEADERSHIP_READ, within=Election, content=True)],
) -> Any:
    """Once it is certified, for everybody who may see the leadership. When voting is over, those
    who manage elections and do not stand see it before. Numbers that would tell how somebody voted
    are hidden from all."""
    return await results.get(reader, standing, election_id)


@router.post(
    "/elections/{election_id}/recount",
    response_model=Recount,
    status_code=status.HTTP_201_CREATED,
    summary="Count again",
    openapi_extra=problems(
        errors.PermissionDenied, election_errors.WrongPhase, election_errors.OwnCandidacy
    ),
)
async def recount_election(
    election_id: UUID, body: ElectionRecount, work: SessionDep, standing: Manager
) -> Any:
    """Counts the urns again and says whether that agrees: with how many have voted, and with the
    count before."""
    return await results.recount(work, standing, election_id, body.reason)


@router.put(
    "/elections/{election_id}/certification",
    response_model=ElectionShown,
    summary="Certify the result",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.SeatTaken,
        errors.CommunityArchived,
        errors.PreconditionFailed,
        election_errors.WrongPhase,
        election_errors.OwnCandidacy,
        election_errors.WinnerUnfit,
    ),
)
async def certify_election(
    election_id: UUID, work: SessionDep, standing: Manager, expected: ExpectedDep
) -> Any:
    """Publishes the result and records the terms of all who are elected, or nothing of it. A
    winner who cannot hold the seat is named (409 `election.winner_unfit`); the next one is elected
    when that person's withdrawal is recorded."""
    return await certifications.certify(work, standing, election_id, expected)
