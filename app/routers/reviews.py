"""Moderation: reports, the review queue, decisions and reversals."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, status

from app import errors, listing
from app.deps import PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Post, Review, ReviewStatus
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import page_of
from app.schemas.reviews import Report, ReportCreate, ReviewDecision, ReviewList, ReviewReversal
from app.schemas.reviews import Review as ReviewShown
from app.services import reviews

router = api_router(tags=["moderation"])

Moderator = Annotated[Standing, may(Capability.POSTS_MODERATE, within=Review)]


@router.post(
    "/posts/{post_id}/reports",
    response_model=Report,
    status_code=status.HTTP_201_CREATED,
    summary="Report a post under a rule",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.PostNotVisible,
        errors.OwnPostReported,
        errors.PostAlreadyReported,
        errors.CommunityArchived,
    ),
)
async def report_post(
    post_id: UUID,
    body: ReportCreate,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(Capability.POSTS_REPORT, within=Post, seen_with=Capability.DISCUSSIONS_READ),
    ],
) -> Any:
    """Names the rule that the post seems to break. Who reported is shown to nobody."""
    return await reviews.report(work, standing, post_id, body.rule, body.note)


@router.get(
    "/communities/{community}/review-queue",
    response_model=ReviewList,
    summary="What has been reported",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_review_queue(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.POSTS_MODERATE)],
    page: PageDep,
    status: Annotated[
        ReviewStatus, Query(description="The state; what waits for a decision by default.")
    ] = ReviewStatus.OPEN,
) -> Any:
    """One review for each reported post, the earliest first. `actions` is empty where the case
    concerns the caller."""
    listed = await listing.page(
        reader, reviews.queue(), page, community=standing.here.id, status=status
    )
    shown = await reviews.shown_all(reader, standing, listed.rows)
    return page_of(shown, listed.next_cursor, listed.total)


@router.get("/reviews/{review_id}", response_model=ReviewShown, summary="One review")
async def get_review(review_id: UUID, reader: ReaderDep, standing: Moderator) -> Any:
    """A review with its reports."""
    return await reviews.get(reader, standing, review_id)


@router.put(
    "/reviews/{review_id}/decision",
    response_model=ReviewShown,
    summary="Decide about a reported post",
    openapi_extra=problems(
        errors.OwnCase,
        errors.ReviewChanged,
        errors.ReviewDecided,
        errors.CommunityArchived,
    ),
)
async def decide_review(
    review_id: UUID, body: ReviewDecision, work: SessionDep, standing: Moderator
) -> Any:
    """Keeps the post, or hides its text from everybody under the rule that is named. The version
    in the body is the review's as it was read: a further report in between is 409."""
    return await reviews.decide(work, standing, review_id, body.model_dump())


@router.post(
    "/reviews/{review_id}/reversal",
    response_model=ReviewShown,
    status_code=status.HTTP_201_CREATED,
    summary="Take a decision back",
    openapi_extra=problems(errors.OwnCase, errors.ReviewNotDecided, errors.CommunityArchived),
)
async def reverse_review(
    review_id: UUID, body: ReviewReversal, work: SessionDep, standing: Moderator
) -> Any:
    """A hidden post is there again, as it was."""
    return await reviews.reverse(work, standing, review_id, body.reason)
