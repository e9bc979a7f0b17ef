"""Where leadership needs attention: terms that end soon, and the health of every community."""

from typing import Annotated, Any

from fastapi import Query

from app import errors, listing
from app.deps import PageDep, ReaderDep, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import page_of
from app.schemas.leadership_health import BodyHealth, ExpiringTermList, LeadershipHealth
from app.services import expiring_terms, leadership_health

router = api_router(tags=["leadership"])

Overseer = Annotated[Standing, may(Capability.LEADERSHIP_OVERSEE)]
_DENIED = problems(errors.PermissionDenied)


@router.get(
    "/leadership/expiring",
    response_model=ExpiringTermList,
    summary="Terms that end soon, in all communities",
    openapi_extra=_DENIED,
)
async def list_expiring_terms(
    reader: ReaderDep,
    standing: Overseer,
    page: PageDep,
    within_days: Annotated[
        int, Query(ge=1, le=730, description="Terms whose last day is at most so many days away.")
    ] = 90,
) -> Any:
    """The first to end first, the association's own among them, and for each whether somebody is on
    the way to follow: by a recorded term, the succession plan, or an election. Archived communities
    are left out."""
    asked = expiring_terms.asked(standing, within_days)
    listed = await listing.page(reader, expiring_terms.LISTING, page, **asked)
    shown = await expiring_terms.shown_all(reader, standing, listed.rows)
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/leadership/health",
    response_model=LeadershipHealth,
    summary="Which communities are in trouble, and why",
    openapi_extra=_DENIED,
)
async def get_leadership_health(reader: ReaderDep, standing: Overseer) -> Any:
    """All active communities on one page, those in trouble first, with a summary at the head and
    the association's own seats. Each finding has a code that does not change, a sentence in both
    languages, and its facts."""
    return await leadership_health.get(reader, standing)


@router.get(
    "/communities/{community}/leadership-health",
    response_model=BodyHealth,
    summary="What the leadership of a community lacks",
    openapi_extra=_DENIED,
)
async def get_community_leadership_health(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.INSIGHTS_READ)],
) -> Any:
    """The same findings for one community, for its own leaders. Where nobody is from is told only
    where enough people stand behind it, save to those who may read members' territories."""
    return await leadership_health.of_community(reader, standing)
