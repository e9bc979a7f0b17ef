"""Reports and reviews."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import PostStatus, ReviewAction, ReviewStatus
from app.schemas.base import (
    Answer,
    InstantOut,
    Number,
    Paragraph,
    PersonReference,
    Request,
    Slug,
    Viewer,
)
from app.schemas.discussions import AuthorLine


class ReportCreate(Request):
    """A report of a post under a rule."""

    rule: Slug = Field(description="The code of a rule in force.", examples=["no-attacks"])
    note: Paragraph | None = Field(
        default=None, description="What those who decide should know.", examples=["See line two."]
    )


class Report(Answer):
    """The receipt of a report."""

    id: UUID = Field(description="The report's id.")
    post_id: UUID = Field(description="The post.")
    rule: str = Field(description="The rule's code.")
    rules_version: int = Field(description="The version of the rules in force.")
    note: str | None = Field(description="What was added.")
    reported_at: InstantOut = Field(description="When.")


class ReportShown(Answer):
    """A report as those who decide see it; who reported is not shown."""

    rule: str = Field(description="The rule's code.", examples=["no-attacks"])
    rules_version: int = Field(description="The version that was in force.")
    note: str | None = Field(description="What the person who reported added.")
    reported_at: InstantOut = Field(description="When.")


class ReviewSubject(Answer):
    """What a review is about."""

    kind: str = Field(description="Always post for now.", examples=["post"])
    id: UUID = Field(description="The post's id.")
    discussion_id: UUID = Field(description="Its discussion.")
    number: int = Field(description="Its place in the discussion.")
    author: AuthorLine = Field(description="Who wrote it, as they were then.")
    status: PostStatus = Field(description="What readers find at its place now.")
    excerpt: str = Field(description="The beginning of the reported text, on one line.")
    reported_text: str = Field(description="The whole text as it stood when first reported.")


class ReviewDecisionMade(Answer):
    """What was decided, and by whom."""

    action: ReviewAction = Field(description="keep or hide.")
    rule: str | None = Field(description="The rule that was applied.")
    rules_version: int | None = Field(description="The version of the rules.")
    reason: str = Field(description="Why.")
    decided_at: InstantOut = Field(description="When.")
    decided_by: PersonReference | None = Field(description="By whom.")


class ReviewReversalMade(Answer):
    """Who took a decision back, and why."""

    reason: str = Field(description="Why.")
    reversed_at: InstantOut = Field(description="When.")
    reversed_by: PersonReference | None = Field(description="By whom.")


class Review(Answer):
    """All reports of one post, and what was decided."""

    id: UUID = Field(description="The review's id.")
    status: ReviewStatus = Field(description="open, decided or reversed.")
    version: int = Field(description="Goes into a decision, so that nobody decides unseen.")
    subject: ReviewSubject = Field(description="What it is about.")
    reports: list[ReportShown] = Field(description="The reports, the earliest first.")
    actions: list[ReviewAction] = Field(
        description="What the caller can decide; none about one's own post or one's own report."
    )
    decision: ReviewDecisionMade | None = Field(description="Null until decided.")
    reversal: ReviewReversalMade | None = Field(description="Null unless taken back.")
    opened_at: InstantOut = Field(description="When it was first reported.")
    viewer: Viewer = Field(description="What the caller may do.")


class ReviewList(Answer):
    """A page of the review queue, the earliest first."""

    items: list[Review] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class ReviewDecision(Request):
    """A decision about a reported post."""

    action: Annotated[ReviewAction, Field(strict=False)] = Field(
        description="keep leaves the post; hide takes its text away.", examples=["hide"]
    )
    rule: Slug | None = Field(
        default=None,
        description="The rule that is applied; required to hide.",
        examples=["no-attacks"],
    )
    reason: Paragraph = Field(
        description="Why; a hidden post's author is sent it.", examples=["It attacks a colleague."]
    )
    version: Number = Field(description="The review's version as it was read.", examples=[1])


class ReviewReversal(Request):
    """Why a decision is taken back."""

    reason: Paragraph = Field(description="Why; the author is told.")
