"""Discussions and their posts."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, one_of, reference, text


class DiscussionStatus(StrEnum):
    """Whether a discussion takes replies."""

    OPEN = "open"
    LOCKED = "locked"


class PostStatus(StrEnum):
    """What a reader finds at a post's place."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    DELETED = "deleted"


class Discussion(SQLModel, table=True):
    """A discussion of a community; its first post opens it.

    `author` is the opening post's identity line, frozen, and `title_hidden` says that the opening
    post is hidden, so that lists need no join.
    """

    __table_args__ = (
        sa.Index("ix_discussion_latest", "community_id", "last_posted_at", "id"),
        sa.Index("ix_discussion_updated", "community_id", "updated_at", "id"),
    )

    id: UUID = identity()
    community_id: UUID = reference("community.id")
    title: str = Field(max_length=200)
    title_hidden: bool = False
    tags: list[str] = json(default_factory=list)
    language: str = Field(max_length=35)
    status: DiscussionStatus = one_of(DiscussionStatus, "discussion_status", default="open")
    author_id: UUID = reference("person.id", index=True)
    author: dict[str, Any] = json()
    post_count: int = 1
    created_at: datetime = instant()
    last_posted_at: datetime = instant()
    updated_at: datetime = instant()
    version: int = 1


class Post(SQLModel, table=True):
    """One communication in a discussion, under the identity line that its author had then."""

    __table_args__ = (sa.UniqueConstraint("discussion_id", "number"),)

    id: UUID = identity()
    discussion_id: UUID = reference("discussion.id")
    community_id: UUID = reference("community.id", index=True)
    number: int
    author_id: UUID = reference("person.id", index=True)
    author: dict[str, Any] = json()
    body: str | None = text(default=None)
    body_html: str | None = text(default=None)
    reply_to_id: UUID | None = reference("post.id", nullable=True)
    language: str = Field(max_length=35)
    status: PostStatus = one_of(PostStatus, "post_status", default="visible")
    hidden_rule: str | None = Field(default=None, max_length=80)
    hidden_rules_version: int | None = None
    hidden_at: datetime | None = instant(nullable=True)
    created_at: datetime = instant()
    edited_at: datetime | None = instant(nullable=True)
    updated_at: datetime = instant()
    version: int = 1
