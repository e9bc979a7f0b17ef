"""The catalogue of communities, and one's standing in each."""

from typing import Annotated, Any

from fastapi import Query, Request, status

from app import errors, texts
from app.deps import ExpectedRequired, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import CommunityStatus
from app.policy import Capability, Standing
from app.routing import api_router, hot, public
from app.schemas.base import AsOf, InstantIn
from app.schemas.communities import Community, CommunityCreate, CommunityList, CommunityUpdate
from app.schemas.communities import Standing as StandingShown
from app.services import catalogue, communities, explanations

router = api_router(tags=["communities"])


@router.get("/communities", response_model=CommunityList, summary="The catalogue of communities")
@public(30)
@hot
async def list_communities(
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)],
    page: PageDep,
    status: Annotated[
        CommunityStatus | None, Query(description="Only communities in this state.")
    ] = None,
    updated_after: Annotated[
        InstantIn | None, Query(description="Only what changed after this instant.")
    ] = None,
) -> Any:
    """Every community that the caller may know of, in the association's order. An unlisted one is
    here only for those who belong to it; the counts of a restricted one are null to outsiders."""
    return await catalogue.listed(reader, standing, page, status, updated_after)


@router.post(
    "/communities",
    response_model=Community,
    status_code=status.HTTP_201_CREATED,
    summary="Create a community",
    openapi_extra=problems(errors.PermissionDenied, errors.SlugTaken),
)
async def create_community(
    body: CommunityCreate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.COMMUNITIES_MANAGE)],
) -> Any:
    """A new community, with the seats of its Leadership Group, all vacant."""
    return await communities.create(work, standing, body.model_dump())


@router.get("/communities/{community}", response_model=Community, summary="One community")
@public(30)
async def get_community(
    reader: ReaderDep,
    community: str,
    standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)],
) -> Any:
    """A community by its id or its slug."""
    return await communities.get(reader, standing)


@router.patch(
    "/communities/{community}",
    response_model=Community,
    summary="Change a community",
    openapi_extra=problems(errors.PermissionDenied, *errors.EDITED_BY_SEVERAL),
)
async def update_community(
    community: str,
    body: CommunityUpdate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.COMMUNITIES_UPDATE)],
    expected: ExpectedRequired,
) -> Any:
    """A merge patch. Whether it is listed, restricted or archived needs communities:manage."""
    return await communities.update(work, standing, body.model_dump(), expected)


@router.get(
    "/communities/{community}/standing",
    response_model=StandingShown,
    summary="What I may do here, and why",
)
async def get_standing(
    community: str,
    request: Request,
    reader: ReaderDep,
    standing: Annotated[Standing, may(None, machines=True)],
    as_of: Annotated[
        AsOf | None, Query(description="The day that is asked about; today if not given.")
    ] = None,
) -> Any:
    """The caller's capabilities in this community at this moment, in the words of the permission
    table, and for every other capability the reasons why not. Ask again whenever it matters:
    rights begin and end by the clock. With `as_of`, what they were at the end of a past day, by the
    permission table of that day, or will be on one to come if nothing changes."""
    language = texts.preferred(request.headers.get("accept-language"))
    return await explanations.get(reader, standing, language, as_of)
