"""Positions: the offices of an association and of its communities."""

from typing import Annotated, Any

from fastapi import status

from app import errors
from app.deps import ExpectedRequired, ReaderDep, SessionDep, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router, public
from app.schemas.positions import Position, PositionCreate, PositionList, PositionUpdate
from app.services import positions

router = api_router(tags=["positions"])

Reader = Annotated[Standing, may(Capability.COMMUNITIES_READ)]
Manager = Annotated[Standing, may(Capability.ASSOCIATION_MANAGE)]


@router.get("/positions", response_model=PositionList, summary="The list of positions")
@public(60)
async def list_positions(reader: ReaderDep, standing: Reader) -> Any:
    """The positions of communities, of their subcommittees and of the association, by rank."""
    return {"items": await positions.table(reader, standing)}


@router.get("/positions/{position}", response_model=Position, summary="One position")
@public(60)
async def get_position(position: str, reader: ReaderDep, standing: Reader) -> Any:
    """A position by its code."""
    return await positions.get(reader, standing, position)


@router.post(
    "/positions",
    response_model=Position,
    status_code=status.HTTP_201_CREATED,
    summary="Create a position",
    openapi_extra=problems(errors.PermissionDenied, errors.PositionCodeTaken),
)
async def create_position(body: PositionCreate, work: SessionDep, standing: Manager) -> Any:
    """A new position, with its seats, vacant, in every community or in the association. It gives
    no capability until the permission table says so; acting for another position, or coming with
    one, gives the rights of that one, and needs grants:manage as well."""
    return await positions.create(work, standing, body.model_dump())


@router.patch(
    "/positions/{position}",
    response_model=Position,
    summary="Change a position",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.SeatInUse,
        errors.GrantLastHolder,
        *errors.EDITED_BY_SEVERAL,
    ),
)
async def update_position(
    position: str,
    body: PositionUpdate,
    work: SessionDep,
    standing: Manager,
    expected: ExpectedRequired,
) -> Any:
    """A merge patch. With `seats`, seats open or close in every community that does not deviate
    (in the association, for a position of it); a seat that is held or promised is never closed, and
    the refusal says in how many communities. Subcommittees keep the seats that they have."""
    return await positions.update(work, standing, position, body.model_dump(), expected)
