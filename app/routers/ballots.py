"""Ballots, and the roll of those who may cast one."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import status

from app import election_errors, errors, listing
from app.deps import DatabaseDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Election
from app.policy import Capability, Standing
from app.routing import api_router, secret_body
from app.schemas.ballots import BallotCast, BallotCreate, Roll
from app.schemas.base import page_of
from app.services import ballots, rolls

router = api_router(tags=["elections"])

_HISTORY = Capability.LEADERSHIP_READ_HISTORY


@router.post(
    "/elections/{election_id}/ballots",
    response_model=BallotCast,
    status_code=status.HTTP_201_CREATED,
    summary="Vote",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.RulesAgreementRequired,
        errors.CommunityArchived,
        election_errors.WrongPhase,
        election_errors.NotOnRoll,
        election_errors.BallotAlreadyCast,
    ),
)
@secret_body
async def cast_ballot(
    election_id: UUID,
    body: BallotCreate,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(Capability.ELECTIONS_VOTE, within=Election, seen_with=_HISTORY, content=True),
    ],
) -> Any:
    """One secret ballot for each voter on the roll, with a choice (or none) in every contest that
    is voted on. That one has voted is known, what is not, so it cannot be changed. A retry with the
    same Idempotency-Key is answered as the first time, whatever its body: nothing of a ballot is
    kept to compare it with."""
    return await ballots.cast(work, standing, election_id, body.model_dump()["choices"])


@router.get(
    "/elections/{election_id}/roll",
    response_model=Roll,
    summary="The roll of voters",
    openapi_extra=problems(errors.PermissionDenied, election_errors.WrongPhase),
)
async def list_voters(
    election_id: UUID,
    database: DatabaseDep,
    reader: ReaderDep,
    standing: Annotated[
        Standing,
        may(Capability.ELECTIONS_MANAGE, within=Election, seen_with=_HISTORY, content=True),
    ],
    page: PageDep,
) -> Any:
    """Who could vote at the first moment of voting, and whether they have; never what."""
    await ballots.write_roll(database, election_id)
    listed = await listing.page(reader, rolls.VOTERS, page, election=election_id)
    shown = [rolls.shown(row) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)
