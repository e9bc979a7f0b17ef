"""Posts: writing under one's identity line, reading, editing, deleting."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, markdown
from app.db import Source, Work
from app.listing import Listing, Page, Ready, hot_page
from app.models import Discussion, DiscussionStatus, Post, PostStatus, new_id
from app.models.base import Instant, Json
from app.policy import Capability, Standing
from app.preconditions import ANY, Expected, merge
from app.reader import Prepared, Reader
from app.strokes import Following, Stroke

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
# As rows have them; for each of many rows, a member of an enumeration is looked up too slowly.
_VISIBLE, _HIDDEN = PostStatus.VISIBLE.value, PostStatus.HIDDEN.value
_NAMES = [column.key for column in POSTS.selected_columns][:-1]
_ONE = Prepared(POSTS.where(col(Post.id) == sa.bindparam("post", type_=sa.Uuid)))
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
    status = POSTS.selected_columns.discussion_status
    return Listing(query, col(Post.number), marks=(Post.id, Post.version, status))


async def listed(
    reader: Reader, standing: Standing, discussion_id: UUID, asked: Page, updated_after: Any
) -> Ready:
    """One page of a discussion, encoded."""
    said = [str(standing.me.id), *_rights(standing)]
    found = listing(updated_after is not None)
    return await hot_page(
        reader,
        found,
        asked,
        said,
        lambda rows: shown_all(rows, standing),
        discussion=discussion_id,
        updated_after=updated_after,
    )


def author_line(standing: Standing) -> dict[str, Any]:
    """The line under which the caller speaks now; it is kept with what they write.

    Raises IdentityIncomplete where there is neither an occupation nor an affiliation: each
    communication has to show one of them.
    """
    person = standing.me
    if person.occupation is None and person.affiliation is None:
        raise errors.IdentityIncomplete
    held = [term for term in standing.positions if term.in_community]
    held.sort(key=lambda term: term.acting is not None)
    return {
        "person_id": str(person.id),
        "name": person.name,
        "occupation": person.occupation,
        "affiliation": person.affiliation,
        "position": held[0].position if held else None,
        "acting": bool(held and held[0].acting),
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
            "body": body if status == _VISIBLE else None,
            "body_html": body_html if status == _VISIBLE else None,
            "reply_to_id": reply_to_id,
            "language": language,
            "status": status,
            "hidden": {"rule": rule, "rules_version": rules_version, "at": hidden_at}
            if status == _HIDDEN
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
            _version,
            discussion_status,
        ) in rows
    ]


def shown(post: Post, standing: Standing, discussion_status: str) -> dict[str, Any]:
    """A post that was just written or changed, as its author sees it, with its version."""
    row = [getattr(post, name) for name in _NAMES]
    return shown_all([[*row, discussion_status]], standing)[0] | {"version": post.version}


def _rights(standing: Standing) -> tuple[bool, bool]:
    """Whether the caller may report others' posts here, and write their own."""
    active = not standing.here.archived
    return (
        active and standing.can(Capability.POSTS_REPORT),
        active and standing.can(Capability.POSTS_WRITE),
    )


def _affordances(standing: Standing) -> Callable[[str, Any, int, str], list[str]]:
    """The operations on a post that would be allowed: the author's own, or everybody else's."""
    me = (standing.person.id, str(standing.person.id)) if standing.person else ()
    reports, writes = _rights(standing)
    others = ["report_post"] if reports else []

    def can(status: str, author_id: Any, number: int, discussion_status: str) -> list[str]:
        if status != _VISIBLE:
            return []
        if author_id not in me:
            return others
        if not writes or discussion_status != DiscussionStatus.OPEN:
            return []
        return ["update_post", "delete_post"] if number > 1 else ["update_post"]

    return can


async def get(source: Source, standing: Standing, post_id: UUID) -> dict[str, Any]:
    """One post."""
    row = await source.one(_ONE, post=post_id)
    return shown_all([row], standing)[0] | {"version": row.version}


async def opening(source: Source, standing: Standing, discussion_id: UUID) -> dict[str, Any]:
    """Post number 1 of a discussion."""
    row = await source.one(_OPENING, discussion=discussion_id)
    return shown_all([row], standing)[0]


_DISCUSSION = sa.bindparam("discussion", type_=sa.Uuid)
_ANSWERED = sa.bindparam("answered", type_=sa.Uuid)
_NOW = sa.bindparam("now", type_=Instant)


def _reply(row: Any) -> dict[str, Any]:
    return {
        "id": sa.bindparam("post", type_=sa.Uuid),
        "discussion_id": _DISCUSSION,
        "community_id": sa.bindparam("community", type_=sa.Uuid),
        "number": row.number,
        "author_id": sa.bindparam("actor", type_=sa.Uuid),
        "author": sa.bindparam("line", type_=Json),
        "body": sa.bindparam("text", type_=sa.Text),
        "body_html": sa.bindparam("html", type_=sa.Text),
        "reply_to_id": _ANSWERED,
        "language": sa.bindparam("tongue", type_=sa.String),
        "status": sa.literal(PostStatus.VISIBLE.value),
        "created_at": _NOW,
        "updated_at": _NOW,
        "version": sa.literal(1),
    }


# The row's own lock makes writers take turns for the next number of an open discussion.
_WRITE = Stroke(
    sa.update(Discussion)
    .where(
        col(Discussion.id) == _DISCUSSION,
        col(Discussion.status) == DiscussionStatus.OPEN,
        sa.or_(
            _ANSWERED.is_(None),
            sa.select(Post.id)
            .where(col(Post.id) == _ANSWERED, col(Post.discussion_id) == _DISCUSSION)
            .exists(),
        ),
    )
    .values(post_count=Discussion.post_count + 1, last_posted_at=_NOW, updated_at=_NOW)
    .returning(col(Discussion.post_count).label("number"))
    .execution_options(synchronize_session=False),
    Following(Post, _reply),
    activity.following(
        "post.written",
        lambda row: {
            "discussion_id": sa.bindparam("told", type_=sa.String),
            "number": row.number,
        },
    ),
)


async def write(
    work: Work, standing: Standing, discussion_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """A reply. Raises IdentityIncomplete, CommunityArchived, DiscussionLocked, Invalid."""
    standing.require_active()
    author = author_line(standing)
    html = await markdown.rendered(body["body"])  # before anything is locked
    post_id, now, answered = new_id(), clock.now(), body["reply_to_id"]
    row = await work.stroke(
        _WRITE,
        discussion=discussion_id,
        post=post_id,
        line=author,
        text=body["body"],
        html=html,
        answered=answered,
        tongue=body["language"],
        now=now,
        told=str(discussion_id),
        **activity.followed(standing, post_id),
    )
    if row is None:
        await _refuse_foreign_reply(work, discussion_id, answered)
        raise errors.DiscussionLocked
    written = {
        "id": post_id,
        "discussion_id": discussion_id,
        "number": row.number,
        "author_id": standing.me.id,
        "author": author,
        "body": body["body"],
        "body_html": html,
        "reply_to_id": answered,
        "language": body["language"],
        "status": PostStatus.VISIBLE,
        "created_at": now,
        "version": 1,
        "discussion_status": DiscussionStatus.OPEN,
    }
    cells = [written.get(name) for name in (*_NAMES, "discussion_status")]
    return shown_all([cells], standing)[0] | {"version": 1}


async def _refuse_foreign_reply(work: Work, discussion_id: UUID, reply_to_id: UUID | None) -> None:
    if reply_to_id is None:
        return
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
    work: Work, standing: Standing, post_id: UUID, patch: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Edits one's own post. Raises PostNotVisible, DiscussionLocked, PermissionDenied."""
    html = await markdown.rendered(patch["body"]) if "body" in patch else None
    post = await _own(work, standing, post_id)
    expected.check(post.version)
    if merge(post, patch):
        post.body_html = html if html is not None else post.body_html
        post.edited_at = post.updated_at = clock.now()
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


async def delete(work: Work, standing: Standing, post_id: UUID, expected: Expected = ANY) -> None:
    """Deletes one's own reply: its place stays, its text is gone from everywhere but an open
    review of it. The opening post stays with its discussion (PostOpensDiscussion)."""
    post = await _own(work, standing, post_id)
    expected.check(post.version)
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
