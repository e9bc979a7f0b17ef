"""The association, its closed lists, and the permission table."""

from typing import Annotated, Any

from app import errors
from app.deps import ExpectedRequired, ReaderDep, SessionDep, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router, public
from app.schemas.association import (
    Association,
    AssociationUpdate,
    OccupationList,
    TerritoryList,
)
from app.services import association

router = api_router(tags=["association"])


@router.get("/association", response_model=Association, summary="The association")
@public(60)
async def get_association(
    reader: ReaderDep, standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)]
) -> Any:
    """Who the association is, and the notices that every client has to show: wherever
    communications are read or written, show `notices`; wherever people are asked for something,
    show `privacy_notice`."""
    return await association.get(reader, standing)


@router.patch(
    "/association",
    response_model=Association,
    summary="Change the association's texts",
    openapi_extra=problems(errors.PermissionDenied, *errors.EDITED_BY_SEVERAL),
)
async def update_association(
    body: AssociationUpdate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.ASSOCIATION_MANAGE)],
    expected: ExpectedRequired,
) -> Any:
    """A merge patch. A new privacy notice gets the next version; requests to join record which
    version was shown."""
    await association.update(work, standing, body.model_dump(), expected)
    return await association.get(work, standing)


@router.get("/occupations", response_model=OccupationList, summary="The list of occupations")
@public(3600)
async def list_occupations(
    reader: ReaderDep, standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)]
) -> Any:
    """The closed list that forms offer, in its order."""
    return {"items": await association.occupations(reader)}


@router.get("/territories", response_model=TerritoryList, summary="The list of territories")
@public(3600)
async def list_territories(
    reader: ReaderDep, standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)]
) -> Any:
    """Provinces and territories by ISO 3166-2 code, and places outside the list."""
    return {"items": await association.territories(reader)}
