"""Reports, and the reviews that gather the reports about one post."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, one_of, reference, text


class ReviewStatus(StrEnum):
    """Whether a review waits for a decision."""

    OPEN = "open"
    DECIDED = "decided"
    REVERSED = "reversed"


class ReviewAction(StrEnum):
    """What a review can decide about a post."""

    KEEP = "keep"
    HIDE = "hide"


_OPEN = "status = 'open'"


class Review(SQLModel, table=True):
    """The case about one post: all reports of it until one decision.

    `reported_text` is the post as it stood when it was first reported; it is shown on the
    moderation path alone, so that an edit afterwards hides nothing from those who decide.
    """

    __table_args__ = (
        sa.Index("ix_review_queue", "community_id", "status", "id"),
        sa.Index(
            "uq_review_open",
            "post_id",
            unique=True,
            postgresql_where=sa.text(_OPEN),
            sqlite_where=sa.text(_OPEN),
        ),
    )

    id: UUID = identity()
    community_id: UUID = reference("community.id")
    post_id: UUID = reference("post.id", index=True)
    author_id: UUID = reference("person.id")
    status: ReviewStatus = one_of(ReviewStatus, "review_status", default="open")
    reported_text: str = text()
    opened_at: datetime = instant()
    action: ReviewAction | None = one_of(ReviewAction, "review_action", nullable=True, default=None)
    rule: str | None = Field(default=None, max_length=80)
    rules_version: int | None = None
    reason: str | None = text(default=None)
    decided_at: datetime | None = instant(nullable=True)
    decided_by: UUID | None = reference("person.id", nullable=True)
    reversed_at: datetime | None = instant(nullable=True)
    reversed_by: UUID | None = reference("person.id", nullable=True)
    reversal_reason: str | None = text(default=None)
    updated_at: datetime = instant()
    version: int = 1


class Report(SQLModel, table=True):
    """One person's report of a post under one rule of one version of the rules."""

    __table_args__ = (sa.UniqueConstraint("review_id", "reporter_id"),)

    id: UUID = identity()
    review_id: UUID = reference("review.id")
    post_id: UUID = reference("post.id", index=True)
    reporter_id: UUID = reference("person.id", index=True)
    rule: str = Field(max_length=80)
    rules_version: int = reference("rules_version.number")
    note: str | None = text(default=None)
    reported_at: datetime = instant()
