"""How many seats a community has of each position."""

from typing import Annotated, Any

from app import errors
from app.deps import ExpectedRequired, ReaderDep, SessionDep, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.seats import CommunitySeats, CommunitySeatsUpdate
from app.services import seats

router = api_router(tags=["leadership"])


@router.get(
    "/communities/{community}/seats",
    response_model=CommunitySeats,
    summary="How many seats a community has",
)
async def list_community_seats(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.LEADERSHIP_READ)],
) -> Any:
    """The seats of each position of the Leadership Group, counted, and where the community has
    more or fewer than the position says. Who holds them is in its leadership."""
    return await seats.of_community(reader, standing)


@router.put(
    "/communities/{community}/seats/{position}",
    response_model=CommunitySeats,
    summary="Give a community more or fewer seats",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.SeatInUse,
        errors.CommunityArchived,
        *errors.EDITED_BY_SEVERAL,
    ),
)
async def update_community_seats(
    community: str,
    position: str,
    body: CommunitySeatsUpdate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.COMMUNITIES_MANAGE)],
    expected: ExpectedRequired,
) -> Any:
    """From then on the community does not follow when the position's number of seats changes, until
    `seats` is null again. A seat that is held or promised is never closed."""
    return await seats.deviate(work, standing, position, body.seats, expected)
