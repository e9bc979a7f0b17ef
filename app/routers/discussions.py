"""Discussions."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, status

from app import errors
from app.deps import ExpectedDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Discussion, DiscussionStatus
from app.policy import Capability, Standing
from app.routing import api_router, hot
from app.schemas.base import InstantIn
from app.schemas.discussions import DiscussionCreate, DiscussionDetail, DiscussionList
from app.services import discussions

router = api_router(tags=["discussions"])

Moderator = Annotated[
    Standing,
    may(Capability.POSTS_MODERATE, within=Discussion, seen_with=Capability.DISCUSSIONS_READ),
]
_MODERATION = problems(errors.PermissionDenied, errors.CommunityArchived, errors.PreconditionFailed)


@router.get(
    "/communities/{community}/discussions",
    response_model=DiscussionList,
    summary="The discussions of a community",
    openapi_extra=problems(errors.PermissionDenied),
)
@hot
async def list_discussions(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.DISCUSSIONS_READ)],
    page: PageDep,
    status: Annotated[DiscussionStatus | None, Query(description="Only in this state.")] = None,
    author: Annotated[UUID | None, Query(description="Only opened by this person.")] = None,
    updated_after: Annotated[
        InstantIn | None, Query(description="Only what changed after this instant.")
    ] = None,
) -> Any:
    """Latest activity first, without the opening posts."""
    filters = {"status": status, "author": author, "updated_after": updated_after}
    return await discussions.listed(reader, standing, page, filters)


@router.post(
    "/communities/{community}/discussions",
    response_model=DiscussionDetail,
    status_code=status.HTTP_201_CREATED,
    summary="Start a discussion",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.RulesAgreementRequired,
        errors.IdentityIncomplete,
        errors.CommunityArchived,
    ),
)
async def start_discussion(
    community: str,
    body: DiscussionCreate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.DISCUSSIONS_START)],
) -> Any:
    """A discussion and its opening post, under the caller's identity line as it is now."""
    return await discussions.start(work, standing, body.model_dump())


@router.get(
    "/discussions/{discussion_id}",
    response_model=DiscussionDetail,
    summary="One discussion",
)
async def get_discussion(
    discussion_id: UUID,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.DISCUSSIONS_READ, within=Discussion)],
) -> Any:
    """A discussion with its opening post."""
    return await discussions.get(reader, standing, discussion_id)


@router.put(
    "/discussions/{discussion_id}/lock",
    response_model=DiscussionDetail,
    summary="Lock a discussion",
    openapi_extra=_MODERATION,
)
async def lock_discussion(
    discussion_id: UUID, work: SessionDep, standing: Moderator, expected: ExpectedDep
) -> Any:
    """It can be read and takes no more replies; doing it twice changes nothing."""
    return await discussions.set_locked(work, standing, discussion_id, True, expected)


@router.delete(
    "/discussions/{discussion_id}/lock",
    response_model=DiscussionDetail,
    summary="Open a locked discussion again",
    openapi_extra=_MODERATION,
)
async def unlock_discussion(
    discussion_id: UUID, work: SessionDep, standing: Moderator, expected: ExpectedDep
) -> Any:
    """It takes replies again; doing it twice changes nothing."""
    return await discussions.set_locked(work, standing, discussion_id, False, expected)
