"""Posts."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response, status

from app import errors
from app.deps import ExpectedDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Discussion, Post
from app.policy import Capability, Standing
from app.routing import api_router, hot
from app.schemas.base import InstantIn
from app.schemas.discussions import Post as PostShown
from app.schemas.discussions import PostCreate, PostList, PostUpdate
from app.services import posts

router = api_router(tags=["discussions"])

_OWN = (
    errors.PermissionDenied,
    errors.RulesAgreementRequired,
    errors.PostNotVisible,
    errors.DiscussionLocked,
    errors.CommunityArchived,
)
Author = Annotated[
    Standing, may(Capability.POSTS_WRITE, within=Post, seen_with=Capability.DISCUSSIONS_READ)
]


@router.get(
    "/discussions/{discussion_id}/posts",
    response_model=PostList,
    summary="The posts of a discussion",
)
@hot
async def list_posts(
    discussion_id: UUID,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.DISCUSSIONS_READ, within=Discussion)],
    page: PageDep,
    updated_after: Annotated[
        InstantIn | None, Query(description="Only what changed after this instant.")
    ] = None,
) -> Any:
    """The oldest first; the opening post is number 1. Hidden and deleted posts keep their place,
    without their text."""
    return await posts.listed(reader, standing, discussion_id, page, updated_after)


@router.post(
    "/discussions/{discussion_id}/posts",
    response_model=PostShown,
    status_code=status.HTTP_201_CREATED,
    summary="Reply",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.RulesAgreementRequired,
        errors.IdentityIncomplete,
        errors.DiscussionLocked,
        errors.CommunityArchived,
    ),
)
@hot
async def write_post(
    discussion_id: UUID,
    body: PostCreate,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(Capability.POSTS_WRITE, within=Discussion, seen_with=Capability.DISCUSSIONS_READ),
    ],
) -> Any:
    """A post under the caller's identity line as it is now. Send an Idempotency-Key, and a retry
    after a lost answer never posts twice."""
    return await posts.write(work, standing, discussion_id, body.model_dump())


@router.get("/posts/{post_id}", response_model=PostShown, summary="One post")
async def get_post(
    post_id: UUID,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.DISCUSSIONS_READ, within=Post)],
) -> Any:
    """A post by its id."""
    return await posts.get(reader, standing, post_id)


@router.patch(
    "/posts/{post_id}",
    response_model=PostShown,
    summary="Edit my post",
    openapi_extra=problems(*_OWN, errors.PreconditionFailed),
)
async def update_post(
    post_id: UUID, body: PostUpdate, work: SessionDep, standing: Author, expected: ExpectedDep
) -> Any:
    """A merge patch of one's own post; `edited_at` shows that it was edited."""
    return await posts.update(work, standing, post_id, body.model_dump(), expected)


@router.delete(
    "/posts/{post_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete my post",
    openapi_extra=problems(*_OWN, errors.PostOpensDiscussion, errors.PreconditionFailed),
)
async def delete_post(
    post_id: UUID, work: SessionDep, standing: Author, expected: ExpectedDep
) -> Response:
    """Its place stays and its text is gone. The opening post stays with its discussion."""
    await posts.delete(work, standing, post_id, expected)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
