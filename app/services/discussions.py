"""Discussions: starting one, listing them, locking them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, markdown
from app.db import Source, Work
from app.listing import Listing, Page, Ready, hot_page
from app.models import Discussion, DiscussionStatus, Post, new_id
from app.models.base import Instant
from app.policy import Capability, Standing
from app.preconditions import ANY, Expected
from app.reader import Prepared, Reader
from app.services import posts

_COMMUNITY = sa.bindparam("community", type_=sa.Uuid)
DISCUSSIONS = sa.select(
    Discussion.id,
    Discussion.community_id,
    Discussion.title,
    Discussion.title_hidden,
    Discussion.status,
    Discussion.tags,
    Discussion.language,
    Discussion.author,
    Discussion.post_count,
    Discussion.created_at,
    Discussion.last_posted_at,
    Discussion.version,
)
_NAMES = [column.key for column in DISCUSSIONS.selected_columns]
_ONE = Prepared(DISCUSSIONS.where(col(Discussion.id) == sa.bindparam("discussion", type_=sa.Uuid)))


@lru_cache
def listing(status: bool, author: bool, updated_after: bool) -> Listing:
    """The discussions of a community, latest activity first, with the filters that are on."""
    query = DISCUSSIONS.where(col(Discussion.community_id) == _COMMUNITY)
    if status:
        query = query.where(col(Discussion.status) == sa.bindparam("status", type_=sa.String))
    if author:
        query = query.where(col(Discussion.author_id) == sa.bindparam("author", type_=sa.Uuid))
    if updated_after:
        query = query.where(
            col(Discussion.updated_at) > sa.bindparam("updated_after", type_=Instant)
        )
    return Listing(
        query,
        col(Discussion.last_posted_at),
        col(Discussion.id),
        descending=True,
        # A reply moves the count and every other change the version.
        marks=(Discussion.id, Discussion.post_count, Discussion.version),
    )


async def listed(reader: Reader, standing: Standing, asked: Page, filters: dict[str, Any]) -> Ready:
    """One page of the discussions here, encoded."""
    wanted = {name: value for name, value in filters.items() if value is not None}
    found = listing("status" in wanted, "author" in wanted, "updated_after" in wanted)
    said = [_viewers(standing), standing.can(Capability.POSTS_MODERATE)]
    return await hot_page(
        reader,
        found,
        asked,
        said,
        lambda rows: shown_all(rows, standing),
        community=standing.here.id,
        **wanted,
    )


def _viewers(standing: Standing) -> dict[str, Any]:
    return {status.value: {"can": affordances(standing, status)} for status in DiscussionStatus}


def affordances(standing: Standing, status: str) -> list[str]:
    """The operations on a discussion that would be allowed."""
    if standing.here.archived:
        return []
    found = []
    is_open = status == DiscussionStatus.OPEN
    if is_open and standing.can(Capability.POSTS_WRITE):
        found.append("write_post")
    if standing.can(Capability.POSTS_MODERATE):
        found.append("lock_discussion" if is_open else "unlock_discussion")
    return found


def shown_all(rows: Iterable[Sequence[Any]], standing: Standing) -> list[dict[str, Any]]:
    """Discussions as this caller sees them: the columns of DISCUSSIONS, as values or as
    `Reader.wire` gives them. A title is hidden with its opening post, but not to moderators."""
    viewer, moderates = _viewers(standing), standing.can(Capability.POSTS_MODERATE)
    return [
        {
            "id": discussion_id,
            "community_id": community_id,
            "title": None if title_hidden and not moderates else title,
            "status": status,
            "tags": tags,
            "language": language,
            "author": author,
            "post_count": post_count,
            "created_at": created_at,
            "last_posted_at": last_posted_at,
            "viewer": viewer[status],
        }
        for (
            discussion_id,
            community_id,
            title,
            title_hidden,
            status,
            tags,
            language,
            author,
            post_count,
            created_at,
            last_posted_at,
            _version,
        ) in rows
    ]


async def get(source: Source, standing: Standing, discussion_id: UUID) -> dict[str, Any]:
    """A discussion with its opening post."""
    row = await source.one(_ONE, discussion=discussion_id)
    return shown_all([row], standing)[0] | {
        "opening_post": await posts.opening(source, standing, discussion_id),
        "version": row.version,
    }


async def start(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """A new discussion and its opening post. Raises IdentityIncomplete, CommunityArchived."""
    standing.require_active()
    author = posts.author_line(standing)
    html = await markdown.rendered(body["body"])  # before anything is locked
    now = clock.now()
    discussion = Discussion(
        community_id=standing.here.id,
        title=body["title"],
        tags=list(dict.fromkeys(body["tags"])),
        language=body["language"],
        status=DiscussionStatus.OPEN,
        author_id=standing.me.id,
        author=author,
        created_at=now,
        last_posted_at=now,
        updated_at=now,
    )
    post = Post(
        id=new_id(),
        discussion_id=discussion.id,
        community_id=standing.here.id,
        number=1,
        author_id=standing.me.id,
        author=author,
        body=body["body"],
        body_html=html,
        language=body["language"],
        created_at=now,
        updated_at=now,
    )
    work.add(discussion)
    await work.flush()
    work.add(post)
    activity.record(
        work,
        "discussion.started",
        standing,
        discussion.id,
        community_id=standing.here.id,
        post_id=post.id,
    )
    await work.flush()
    row = [getattr(discussion, name) for name in _NAMES]
    return shown_all([row], standing)[0] | {
        "opening_post": posts.shown(post, standing, discussion.status),
        "version": discussion.version,
    }


async def set_locked(
    work: Work, standing: Standing, discussion_id: UUID, locked: bool, expected: Expected = ANY
) -> dict[str, Any]:
    """Locks a discussion, or opens it again; doing it twice changes nothing."""
    standing.require_active()
    discussion = await work.locked(Discussion, discussion_id)
    expected.check(discussion.version)
    status = DiscussionStatus.LOCKED if locked else DiscussionStatus.OPEN
    if discussion.status != status:
        discussion.status = status
        discussion.updated_at = clock.now()
        discussion.version += 1
        activity.record(
            work,
            "discussion.locked" if locked else "discussion.unlocked",
            standing,
            discussion.id,
            community_id=discussion.community_id,
        )
        await work.flush()
    return await get(work, standing, discussion_id)


async def refuse_locked(source: Source, discussion_id: UUID) -> None:
    """Raises DiscussionLocked, or NotFound if there is no such discussion."""
    row = await source.one(_ONE, discussion=discussion_id)
    if row.status != DiscussionStatus.OPEN:
        raise errors.DiscussionLocked
