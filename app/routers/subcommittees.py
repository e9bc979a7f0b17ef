"""Subcommittees of a community."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from fastapi import status as http

from app import errors, listing
from app.deps import ExpectedDep, ExpectedRequired, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Subcommittee
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import AsOf, page_of
from app.schemas.subcommittees import Subcommittee as SubcommitteeShown
from app.schemas.subcommittees import (
    SubcommitteeCreate,
    SubcommitteeList,
    SubcommitteeStatus,
    SubcommitteeUpdate,
)
from app.schemas.terms import Leadership, Term, TermCreate
from app.services import leadership, subcommittees

router = api_router(tags=["leadership"])

Seer = Annotated[Standing, may(Capability.MEMBERSHIPS_READ, within=Subcommittee)]
Leader = Annotated[
    Standing,
    may(
        Capability.COMMUNITIES_UPDATE,
        within=Subcommittee,
        seen_with=Capability.MEMBERSHIPS_READ,
    ),
]

Appointer = Annotated[
    Standing,
    may(
        Capability.COMMUNITIES_UPDATE,
        within=Subcommittee,
        seen_with=Capability.MEMBERSHIPS_READ,
        or_with=Capability.LEADERSHIP_APPOINT,
    ),
]


@router.get(
    "/communities/{community}/subcommittees",
    response_model=SubcommitteeList,
    summary="The subcommittees of a community",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_subcommittees(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.MEMBERSHIPS_READ)],
    page: PageDep,
    status: Annotated[
        SubcommitteeStatus | None, Query(description="Only those at work, or those dissolved.")
    ] = None,
) -> Any:
    """In the order of making, those that were dissolved included."""
    listed = await listing.page(
        reader, subcommittees.listing(status), page, community=standing.here.id
    )
    shown = await subcommittees.shown_all(reader, standing, listed.rows)
    return page_of(shown, listed.next_cursor, listed.total)


@router.post(
    "/communities/{community}/subcommittees",
    response_model=SubcommitteeShown,
    status_code=http.HTTP_201_CREATED,
    summary="Make a subcommittee",
    openapi_extra=problems(errors.PermissionDenied, errors.CommunityArchived),
)
async def create_subcommittee(
    community: str,
    body: SubcommitteeCreate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.COMMUNITIES_UPDATE)],
) -> Any:
    """With its seats, vacant: as many as the positions of the scope subcommittee say, or as the
    body does. Members hold them beside a seat in the Leadership Group."""
    return await subcommittees.create(work, standing, body.model_dump())


@router.get(
    "/subcommittees/{subcommittee_id}",
    response_model=SubcommitteeShown,
    summary="One subcommittee",
)
async def get_subcommittee(subcommittee_id: UUID, reader: ReaderDep, standing: Seer) -> Any:
    """What it is for, and its seats."""
    return await subcommittees.get(reader, standing, subcommittee_id)


@router.patch(
    "/subcommittees/{subcommittee_id}",
    response_model=SubcommitteeShown,
    summary="Change a subcommittee",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.SubcommitteeDissolved,
        errors.SeatInUse,
        errors.CommunityArchived,
        *errors.EDITED_BY_SEVERAL,
    ),
)
async def update_subcommittee(
    subcommittee_id: UUID,
    body: SubcommitteeUpdate,
    work: SessionDep,
    standing: Leader,
    expected: ExpectedRequired,
) -> Any:
    """A merge patch. A seat that is held or promised is never closed."""
    return await subcommittees.update(work, standing, subcommittee_id, body.model_dump(), expected)


@router.put(
    "/subcommittees/{subcommittee_id}/dissolution",
    response_model=SubcommitteeShown,
    summary="Dissolve a subcommittee",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.SubcommitteeDissolved,
        errors.CommunityArchived,
        errors.GrantLastHolder,
        errors.PreconditionFailed,
    ),
)
async def dissolve_subcommittee(
    subcommittee_id: UUID, work: SessionDep, standing: Leader, expected: ExpectedDep
) -> Any:
    """Its terms, those that are planned too, end at this instant as lapsed; its history stays."""
    return await subcommittees.dissolve(work, standing, subcommittee_id, expected)


@router.get(
    "/subcommittees/{subcommittee_id}/leadership",
    response_model=Leadership,
    summary="Who holds a subcommittee's seats",
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_subcommittee_leadership(
    subcommittee_id: UUID,
    reader: ReaderDep,
    standing: Seer,
    as_of: Annotated[
        AsOf | None, Query(description="The day that is asked about; today if not given.")
    ] = None,
) -> Any:
    """Every seat of the subcommittee on a day; another day than today is for those who read the
    history of leadership."""
    return await leadership.get(reader, standing, as_of, subcommittee_id)


@router.post(
    "/subcommittees/{subcommittee_id}/terms",
    response_model=Term,
    status_code=http.HTTP_201_CREATED,
    summary="Record a term in a subcommittee",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.SubcommitteeDissolved,
        errors.OwnTerm,
        errors.TermNotAMember,
        errors.TermNotEligible,
        errors.TermConsecutive,
        errors.SeatTaken,
        errors.PersonHoldsSeat,
        errors.CommunityArchived,
    ),
)
async def begin_subcommittee_term(
    subcommittee_id: UUID, body: TermCreate, work: SessionDep, standing: Appointer
) -> Any:
    """The leaders of a community appoint its subcommittees, and so does whoever appoints leaders. A
    member may hold one seat in each, beside one in the Leadership Group."""
    return await subcommittees.begin_term(work, standing, subcommittee_id, body.model_dump())
