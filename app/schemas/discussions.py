"""Discussions and posts."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.models import DiscussionStatus, PostStatus
from app.schemas.base import Answer, IdIn, InstantOut, LanguageTag, Request, Viewer, line, prose

Tag = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=2, max_length=40)]
BODY_LIMIT = 40_000
Body = Annotated[str, *prose(1, BODY_LIMIT)]


class AuthorLine(Answer):
    """Who wrote it, as they were at that moment; it does not change afterwards."""

    person_id: UUID = Field(description="The author's id.")
    name: str = Field(description="The author's name then.")
    occupation: str | None = Field(description="The author's occupation then.")
    affiliation: str | None = Field(description="The author's affiliation then.")
    position: str | None = Field(description="The position held in this community then, if any.")
    acting: bool = Field(description="True if the author only acted in that position.")


class Hidden(Answer):
    """Under which rule a post was hidden, and when; its text is nowhere else."""

    rule: str = Field(description="The rule's code.", examples=["no-attacks"])
    rules_version: int = Field(description="The version of the rules that was applied.")
    at: InstantOut = Field(description="When.")


class Post(Answer):
    """One communication. A hidden or deleted one keeps its place, without its text."""

    id: UUID = Field(description="The post's id.")
    discussion_id: UUID = Field(description="The discussion.")
    number: int = Field(description="Its place in the discussion; the opening post is 1.")
    author: AuthorLine = Field(description="Who wrote it, as they were then.")
    body: str | None = Field(description="The Markdown that was written; null if hidden.")
    body_html: str | None = Field(description="The same as sanitised HTML; null if hidden.")
    reply_to_id: UUID | None = Field(description="The post that it answers, if any.")
    language: str = Field(description="The language it is written in (BCP 47).", examples=["en"])
    status: PostStatus = Field(description="visible, hidden or deleted.")
    hidden: Hidden | None = Field(description="Why it is hidden; null if it is not.")
    created_at: InstantOut = Field(description="When it was sent.")
    edited_at: InstantOut | None = Field(description="When its author last edited it.")
    viewer: Viewer = Field(description="What the caller may do.")


class PostList(Answer):
    """A page of posts, the oldest first."""

    items: list[Post] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class Discussion(Answer):
    """A discussion, as lists show it."""

    id: UUID = Field(description="The discussion's id.")
    community_id: UUID = Field(description="The community.")
    title: str | None = Field(
        description="What it is about. Null while the opening post is hidden, except for those"
        " who may moderate."
    )
    status: DiscussionStatus = Field(description="A locked one takes no replies.")
    tags: list[str] = Field(description="Words to find it by.")
    language: str = Field(description="The language it was opened in.")
    author: AuthorLine = Field(description="Who opened it, as they were then.")
    post_count: int = Field(description="How many posts it has, the opening one included.")
    created_at: InstantOut = Field(description="When it was opened.")
    last_posted_at: InstantOut = Field(description="When something was last posted.")
    viewer: Viewer = Field(description="What the caller may do.")


class DiscussionDetail(Discussion):
    """A discussion with its opening post."""

    opening_post: Post = Field(description="Post number 1.")


class DiscussionList(Answer):
    """A page of discussions, latest activity first."""

    items: list[Discussion] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class DiscussionCreate(Request):
    """A new discussion and its opening post."""

    title: Annotated[str, *line(3, 200)] = Field(
        description="What it is about.", examples=["Incentives that work in the first month"]
    )
    body: Body = Field(
        description="The opening post, in Markdown (CommonMark).",
        examples=["What has worked in **your** court?"],
    )
    tags: list[Tag] = Field(default_factory=list, max_length=10, description="Lower case words.")
    language: LanguageTag = Field(description="What it is written in.", examples=["en"])


class PostCreate(Request):
    """A reply."""

    body: Body = Field(
        description="Markdown (CommonMark); HTML in it is shown as text.",
        examples=["We began with *small* rewards."],
    )
    reply_to_id: IdIn | None = Field(
        default=None, description="A post of the same discussion that this one answers."
    )
    language: LanguageTag = Field(description="What it is written in.", examples=["en"])


class PostUpdate(Request):
    """A merge patch of one's own post."""

    body: Body | MISSING = Field(default=MISSING, description="The new text.")
    language: LanguageTag | MISSING = Field(default=MISSING, description="What it is written in.")
