"""Posts: writing under one's identity line, reading, editing, deleting."""

from collections.abc import Callable, Iterable, Sequence
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
    col(Discussion.status).label("discussion_status"),
).join(Discussion, col(Discussion.id) == Post.discussion_id)
_NAMES = [column.key for column in POSTS.selected_columns][:-1]
_ONE = Prepared(
    POSTS.add_columns(Post.version).where(col(Post.id) == sa.bindparam("post", type_=sa.Uuid))
)
_OPENING = Prepared(
    POSTS.where(
        col(Post.discussion_id) == sa.bindparam("discussion", type_=sa.Uuid),
        col(Post.number) == 1,
    )
)


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


def shown_all(rows: Iterable[Sequence[Any]], standing: Standing) -> list[dict[str, Any]]:
    """Posts as readers see them: the columns of POSTS, as values or as `Reader.wire` gives them.

    What is hidden or deleted keeps its place and loses its text, for everybody: what moderators
    still see, they see with the review.
    """
    can = _affordances(standing)
    return [
        {
            "id": post_id,
            "discussion_id": discussion_id,
            "number": number,
            "author": author,
            "body": body if status == PostStatus.VISIBLE else None,
            "body_html": body_html if status == PostStatus.VISIBLE else None,
            "reply_to_id": reply_to_id,
            "language": language,
            "status": status,
            "hidden": {"rule": rule, "rules_version": rules_version, "at": hidden_at}
            if status == PostStatus.HIDDEN
            else None,
            "created_at": created_at,
            "edited_at": edited_at,
            "viewer": {"can": can(status, author_id, number, discussion_status)},
        }
        for (
            post_id,
            discussion_id,
            number,
            author_id,
            author,
            body,
            body_html,
            reply_to_id,
            language,
            status,
            rule,
            rules_version,
            hidden_at,
            created_at,
            edited_at,
            discussion_status,
        ) in rows
    ]


def shown(post: Post, standing: Standing, discussion_status: str) -> dict[str, Any]:
    """A post that was just written or changed, as its author sees it, with its version."""
    row = [getattr(post, name) for name in _NAMES]
    return shown_all([[*row, discussion_status]], standing)[0] | {"version": post.version}


def _affordances(standing: Standing) -> Callable[[str, Any, int, str], list[str]]:
    """The operations on a post that would be allowed: the author's own, or everybody else's."""
    me = str(standing.person.id) if standing.person else None
    active = not standing.here.archived
    report = ["report_post"] if active and standing.can(Capability.POSTS_REPORT) else []
    writes = active and standing.can(Capability.POSTS_WRITE)

    def can(status: str, author_id: Any, number: int, discussion_status: str) -> list[str]:
        if status != PostStatus.VISIBLE:
            return []
        if str(author_id) != me:
            return report
        if not writes or discussion_status != DiscussionStatus.OPEN:
            return []
        return ["update_post", "delete_post"] if number > 1 else ["update_post"]

    return can


async def get(source: Source, standing: Standing, post_id: UUID) -> dict[str, Any]:
    """One post."""
    row = await source.one(_ONE, post=post_id)
    return shown_all([row[:-1]], standing)[0] | {"version": row.version}


async def opening(source: Source, standing: Standing, discussion_id: UUID) -> dict[str, Any]:
    """Post number 1 of a discussion."""
    row = await source.one(_OPENING, discussion=discussion_id)
    return shown_all([row], standing)[0]


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
