"""Posts: writing under one's identity line, reading, editing, deleting."""

from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, markdown
from app.db import Source, Work
from app.listing import Listing
from app.models import Discussion, DiscussionStatus, Post, PostStatus
from app.models.base import Instant
from app.policy import Capability, Standing
from app.reader import Prepared

POSTS = sa.select(
    Post.id,
    Post.discussion_id,
    Post.number,
    Post.author_id,
    Post.author,
    Post.body,
    Post.body_html,
    Post.reply_to_id,
    Post.language,
    Post.status,
    Post.hidden_rule,
    Post.hidden_rules_version,
    Post.hidden_at,
    Post.created_at,
    Post.edited_at,
    Post.version,
    col(Discussion.status).label("discussion_status"),
).join(Discussion, col(Discussion.id) == Post.discussion_id)
_ONE = Prepared(POSTS.where(col(Post.id) == sa.bindparam("post", type_=sa.Uuid)))


@lru_cache
def listing(updated_after: bool) -> Listing:
    """The posts of a discussion, the oldest first."""
    query = POSTS.where(col(Post.discussion_id) == sa.bindparam("discussion", type_=sa.Uuid))
    if updated_after:
        query = query.where(col(Post.updated_at) > sa.bindparam("updated_after", type_=Instant))
    return Listing(query, col(Post.number))


def asked(discussion_id: UUID, updated_after: Any) -> tuple[Listing, dict[str, Any]]:
    """The posts of a discussion as a caller asked for them."""
    found = listing(updated_after is not None)
    return found, {"discussion": discussion_id, "updated_after": updated_after}


def author_line(standing: Standing) -> dict[str, Any]:
    """The line under which the caller speaks now; it is kept with what they write.

    Raises IdentityIncomplete where there is neither an occupation nor an affiliation: each
    communication has to show one of them.
    """
    person = standing.me
    if person.occupation is None and person.affiliation is None:
        raise errors.IdentityIncomplete
    held = [term.position for term in standing.positions if term.in_community]
    return {
        "person_id": str(person.id),
        "name": person.name,
        "occupation": person.occupation,
        "affiliation": person.affiliation,
        "position": held[0] if held else None,
    }


def shown(row: Any, standing: Standing, discussion_status: str) -> dict[str, Any]:
    """A post as readers see it. What is hidden or deleted keeps its place and loses its text,
    for everybody: what moderators still see, they see with the review."""
    visible = row.status == PostStatus.VISIBLE
    hidden = row.status == PostStatus.HIDDEN
    return {
        "id": row.id,
        "discussion_id": row.discussion_id,
        "number": row.number,
        "author": row.author,
        "body": row.body if visible else None,
        "body_html": row.body_html if visible else None,
        "reply_to_id": row.reply_to_id,
        "language": row.language,
        "status": row.status,
        "hidden": {
            "rule": row.hidden_rule,
            "rules_version": row.hidden_rules_version,
            "at": row.hidden_at,
        }
        if hidden
        else None,
        "created_at": row.created_at,
        "edited_at": row.edited_at,
        "version": row.version,
        "viewer": {"can": affordances(row, standing, discussion_status)},
    }


def affordances(row: Any, standing: Standing, discussion_status: str) -> list[str]:
    """The operations on a post that would be allowed: the author's own, or everybody else's."""
    if row.status != PostStatus.VISIBLE or standing.here.archived:
        return []
    if standing.person is None or standing.person.id != row.author_id:
        return ["report_post"] if standing.can(Capability.POSTS_REPORT) else []
    if discussion_status != DiscussionStatus.OPEN or not standing.can(Capability.POSTS_WRITE):
        return []
    return ["update_post", "delete_post"] if row.number > 1 else ["update_post"]


async def get(source: Source, standing: Standing, post_id: UUID) -> dict[str, Any]:
    """One post."""
    row = await source.one(_ONE, post=post_id)
    return shown(row, standing, row.discussion_status)


async def opening(
    source: Source, standing: Standing, discussion_id: UUID, status: str
) -> dict[str, Any]:
    """Post number 1 of a discussion."""
    row = await source.one(
        POSTS.where(col(Post.discussion_id) == discussion_id, col(Post.number) == 1)
    )
    return shown(row, standing, status)


async def write(
    work: Work, standing: Standing, discussion_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """A reply. Raises IdentityIncomplete, CommunityArchived, DiscussionLocked, Invalid."""
    standing.require_active()
    author = author_line(standing)
    html = await markdown.rendered(body["body"])  # before anything is locked
    if body["reply_to_id"] is not None:
        await _refuse_foreign_reply(work, discussion_id, body["reply_to_id"])
    now = clock.now()
    number = await _next_number(work, discussion_id, now)
    post = Post(
        discussion_id=discussion_id,
        community_id=standing.here.id,
        number=number,
        author_id=standing.me.id,
        author=author,
        body=body["body"],
        body_html=html,
        reply_to_id=body["reply_to_id"],
        language=body["language"],
        created_at=now,
        updated_at=now,
    )
    work.add(post)
    activity.record(
        work,
        "post.written",
        standing,
        post.id,
        community_id=standing.here.id,
        discussion_id=discussion_id,
        number=number,
    )
    await work.flush()
    return shown(post, standing, DiscussionStatus.OPEN)


async def _next_number(work: Work, discussion_id: UUID, now: Any) -> int:
    """The next number of an open discussion: the row's own lock makes writers take turns."""
    moved = await work.execute(
        sa.update(Discussion)
        .where(col(Discussion.id) == discussion_id, col(Discussion.status) == DiscussionStatus.OPEN)
        .values(post_count=Discussion.post_count + 1, last_posted_at=now, updated_at=now)
        .returning(Discussion.post_count)
        .execution_options(synchronize_session=False)
    )
    number = moved.scalar()
    if number is None:
        raise errors.DiscussionLocked
    return number


async def _refuse_foreign_reply(work: Work, discussion_id: UUID, reply_to_id: UUID) -> None:
    found = await work.first(
        sa.select(Post.id).where(
            col(Post.id) == reply_to_id, col(Post.discussion_id) == discussion_id
        )
    )
    if found is None:
        raise errors.Invalid(errors=[errors.field("/reply_to_id", "not_known")])


async def _own(work: Work, standing: Standing, post_id: UUID) -> Post:
    """The caller's own post, locked, while it can still be changed."""
    standing.require_active()
    post = await work.locked(Post, post_id)
    if post.author_id != standing.me.id:
        standing.refuse_others(Capability.POSTS_WRITE)
    if post.status != PostStatus.VISIBLE:
        raise errors.PostNotVisible
    discussion = await work.one(
        sa.select(Discussion.status).where(col(Discussion.id) == post.discussion_id)
    )
    if discussion.status != DiscussionStatus.OPEN:
        raise errors.DiscussionLocked
    return post


async def update(
    work: Work, standing: Standing, post_id: UUID, patch: dict[str, Any], expected: Any
) -> dict[str, Any]:
    """Edits one's own post. Raises PostNotVisible, DiscussionLocked, PermissionDenied."""
    html = await markdown.rendered(patch["body"]) if "body" in patch else None
    post = await _own(work, standing, post_id)
    expected.check(post.version)
    if patch:
        post.body = patch.get("body", post.body)
        post.body_html = html if html is not None else post.body_html
        post.language = patch.get("language", post.language)
        post.edited_at = post.updated_at = clock.now()
        post.version += 1
        activity.record(
            work,
            "post.edited",
            standing,
            post.id,
            community_id=post.community_id,
            discussion_id=post.discussion_id,
        )
        await work.flush()
    return shown(post, standing, DiscussionStatus.OPEN)


async def delete(work: Work, standing: Standing, post_id: UUID) -> None:
    """Deletes one's own reply: its place stays, its text is gone from everywhere but an open
    review of it. The opening post stays with its discussion (PostOpensDiscussion)."""
    post = await _own(work, standing, post_id)
    if post.number == 1:
        raise errors.PostOpensDiscussion
    post.status = PostStatus.DELETED
    post.body = post.body_html = None
    post.updated_at = clock.now()
    post.version += 1
    activity.record(
        work,
        "post.deleted",
        standing,
        post.id,
        community_id=post.community_id,
        discussion_id=post.discussion_id,
    )
