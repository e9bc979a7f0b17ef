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
    Grant,
    GrantList,
    GrantReplacement,
    OccupationList,
    PositionList,
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


@router.get("/positions", response_model=PositionList, summary="The list of positions")
@public(3600)
async def list_positions(
    reader: ReaderDep, standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)]
) -> Any:
    """The positions of communities and of the association, by rank, with their seats."""
    return {"items": await association.positions(reader)}


@router.get("/grants", response_model=GrantList, summary="The permission table")
@public(60)
async def list_grants(standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)]) -> Any:
    """Which position gives which capability. Rights follow from this table and from the terms
    that run at the moment of each request."""
    return {"items": association.grants(standing)}


@router.get("/grants/{capability}", response_model=Grant, summary="One row of the table")
@public(60)
async def get_grant(
    capability: Capability, standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)]
) -> Any:
    """Who is given one capability."""
    return association.grant(standing, capability)


@router.put(
    "/grants/{capability}",
    response_model=Grant,
    summary="Change who is given a capability",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.GrantCeiling,
        errors.GrantLastHolder,
        *errors.EDITED_BY_SEVERAL,
    ),
)
async def replace_grant(
    capability: Capability,
    body: GrantReplacement,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.GRANTS_MANAGE)],
    expected: ExpectedRequired,
) -> Any:
    """Replaces the row; effective at the next request of anybody. What is private can never be
    given to `public` or `account`, and somebody must be left who may change the table."""
    return await association.replace_grant(work, standing, capability, body.granted_to, expected)
