"""Moderation: reports under a rule, the queue of reviews, decisions and their reversal."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work, insert_ignoring, unique_or
from app.listing import Listing
from app.models import (
    Discussion,
    Person,
    Post,
    PostStatus,
    Report,
    Review,
    ReviewAction,
    ReviewStatus,
    new_id,
)
from app.policy import Capability, Standing
from app.services import rules

EXCERPT = 200

_Decider = aliased(Person)
_Reverser = aliased(Person)
REVIEWS = sa.select(
    Review.id,
    Review.status,
    Review.version,
    Review.post_id,
    Review.author_id,
    Review.reported_text,
    Review.opened_at,
    Review.action,
    Review.rule,
    Review.rules_version,
    Review.reason,
    Review.decided_at,
    Review.decided_by,
    Review.reversed_at,
    Review.reversed_by,
    Review.reversal_reason,
    Post.discussion_id,
    Post.number,
    Post.author,
    col(Post.status).label("post_status"),
    col(_Decider.name).label("decider"),
    col(_Reverser.name).label("reverser"),
).select_from(
    sa.join(Review, Post, col(Post.id) == Review.post_id)
    .outerjoin(_Decider, col(_Decider.id) == Review.decided_by)
    .outerjoin(_Reverser, col(_Reverser.id) == Review.reversed_by)
)


@lru_cache
def queue() -> Listing:
    """The reviews of a community in one state, the earliest first."""
    return Listing(
        REVIEWS.where(
            col(Review.community_id) == sa.bindparam("community", type_=sa.Uuid),
            col(Review.status) == sa.bindparam("status", type_=sa.String),
        ),
        col(Review.id),
    )


# Reporting


async def report(
    work: Work, standing: Standing, post_id: UUID, rule: str, note: str | None
) -> dict[str, Any]:
    """Reports a post under a rule in force; all reports of one post make one review.

    Raises Invalid, PostNotVisible, OwnPostReported, PostAlreadyReported.
    """
    standing.require_active()
    await rules.refuse_unknown_rule(work, standing, rule)
    post = await work.locked(Post, post_id)
    if post.author_id == standing.me.id:
        raise errors.OwnPostReported
    if post.status != PostStatus.VISIBLE:
        raise errors.PostNotVisible
    review = await _open_review(work, post)
    made = Report(
        review_id=review.id,
        post_id=post.id,
        reporter_id=standing.me.id,
        rule=rule,
        rules_version=standing.rules_in_force,
        note=note,
        reported_at=clock.now(),
    )
    async with unique_or(work, {"uq_report_review_id_reporter_id": errors.PostAlreadyReported()}):
        work.add(made)
    activity.record(
        work,
        "post.reported",
        standing,
        review.id,
        community_id=post.community_id,
        post_id=post.id,
        rule=rule,
        rules_version=made.rules_version,
    )
    return made.model_dump()


async def _open_review(work: Work, post: Post) -> Review:
    """The open review of a post, one at a time; a further report moves its version."""
    now = clock.now()
    values = {
        "id": new_id(),
        "community_id": post.community_id,
        "post_id": post.id,
        "author_id": post.author_id,
        "status": ReviewStatus.OPEN,
        "reported_text": post.body or "",
        "opened_at": now,
        "updated_at": now,
        "version": 1,
    }
    opened = await work.written(insert_ignoring(work, Review, values))
    review = await work.entity(
        sa.select(Review)
        .where(col(Review.post_id) == post.id, col(Review.status) == ReviewStatus.OPEN)
        .with_for_update()
    )
    if not opened:
        review.version += 1
        review.updated_at = now
    return review


# The queue


async def shown_all(source: Source, standing: Standing, rows: list[Any]) -> list[dict[str, Any]]:
    """Reviews as this caller sees them; the reports of all of them in one statement."""
    reports: dict[UUID, list[Any]] = {}
    if rows:
        found = await source.rows(
            sa.select(
                Report.review_id,
                Report.rule,
                Report.rules_version,
                Report.note,
                Report.reported_at,
                Report.reporter_id,
            )
            .where(col(Report.review_id).in_([row.id for row in rows]))
            .order_by(col(Report.id))
        )
        for item in found:
            reports.setdefault(item.review_id, []).append(item)
    return [_shown(row, standing, reports.get(row.id, [])) for row in rows]


def _shown(row: Any, standing: Standing, reports: list[Any]) -> dict[str, Any]:
    own = _own_case(standing, row.author_id, {item.reporter_id for item in reports})
    moderates = standing.can(Capability.POSTS_MODERATE) and not own and not standing.here.archived
    is_open = row.status == ReviewStatus.OPEN
    can = []
    if moderates and is_open:
        can.append("decide_review")
    if moderates and row.status == ReviewStatus.DECIDED:
        can.append("reverse_review")
    return {
        "id": row.id,
        "status": row.status,
        "version": row.version,
        "subject": {
            "kind": "post",
            "id": row.post_id,
            "discussion_id": row.discussion_id,
            "number": row.number,
            "author": row.author,
            "status": row.post_status,
            "excerpt": " ".join(row.reported_text.split())[:EXCERPT],
            "reported_text": row.reported_text,
        },
        "reports": [
            {
                "rule": item.rule,
                "rules_version": item.rules_version,
                "note": item.note,
                "reported_at": item.reported_at,
            }
            for item in reports
        ],
        "actions": list(ReviewAction) if moderates and is_open else [],
        "decision": _decision(row),
        "reversal": _reversal(row),
        "opened_at": row.opened_at,
        "viewer": {"can": can},
    }


def _decision(row: Any) -> dict[str, Any] | None:
    if row.decided_at is None:
        return None
    return {
        "action": row.action,
        "rule": row.rule,
        "rules_version": row.rules_version,
        "reason": row.reason,
        "decided_at": row.decided_at,
        "decided_by": {"id": row.decided_by, "name": row.decider} if row.decider else None,
    }


def _reversal(row: Any) -> dict[str, Any] | None:
    if row.reversed_at is None:
        return None
    return {
        "reason": row.reversal_reason,
        "reversed_at": row.reversed_at,
        "reversed_by": {"id": row.reversed_by, "name": row.reverser} if row.reverser else None,
    }


def _own_case(standing: Standing, author_id: UUID, reporters: set[UUID]) -> bool:
    return standing.me.id == author_id or standing.me.id in reporters


async def get(source: Source, standing: Standing, review_id: UUID) -> dict[str, Any]:
    """One review."""
    row = await source.one(REVIEWS.where(col(Review.id) == review_id))
    return (await shown_all(source, standing, [row]))[0]


# Deciding


async def decide(
    work: Work, standing: Standing, review_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Decides a review once, by somebody whom it does not concern.

    Raises OwnCase, ReviewChanged (it is not as the caller saw it), ReviewDecided, Invalid.
    """
    standing.require_active()
    hides = body["action"] is ReviewAction.HIDE
    if hides and body["rule"] is None:
        raise errors.Invalid(errors=[errors.field("/rule", "rule_required")])
    if body["rule"] is not None:
        await rules.refuse_unknown_rule(work, standing, body["rule"])
    review = await _case(work, standing, review_id)
    if review.version != body["version"]:
        raise errors.ReviewChanged(members={"version": review.version})
    if review.status != ReviewStatus.OPEN:
        raise errors.ReviewDecided
    now = clock.now()
    review.status = ReviewStatus.DECIDED
    review.action, review.rule, review.reason = body["action"], body["rule"], body["reason"]
    review.rules_version = standing.rules_in_force if body["rule"] else None
    review.decided_at = review.updated_at = now
    review.decided_by = standing.me.id
    review.version += 1
    if hides:
        await _hide(work, review, now)
    activity.record(
        work,
        "review.decided",
        standing,
        review.id,
        community_id=review.community_id,
        post_id=review.post_id,
        action=review.action,
        rule=review.rule,
        rules_version=review.rules_version,
    )
    await work.flush()
    return await get(work, standing, review_id)


async def _case(work: Work, standing: Standing, review_id: UUID) -> Review:
    """The review, locked, if it does not concern the caller.

    Its discussion is locked first, as a reply does, and its post next, as a further report does:
    in one order, nobody waits in a circle.
    """
    about = await work.one(
        sa.select(Review.post_id, Post.discussion_id, Post.number)
        .join(Post, col(Post.id) == Review.post_id)
        .where(col(Review.id) == review_id)
    )
    if about.number == 1:
        await work.locked(Discussion, about.discussion_id)
    await work.locked(Post, about.post_id)
    review = await work.locked(Review, review_id)
    reporters = await work.rows(
        sa.select(Report.reporter_id).where(col(Report.review_id) == review_id)
    )
    if _own_case(standing, review.author_id, {row.reporter_id for row in reporters}):
        raise errors.OwnCase
    return review


async def _hide(work: Work, review: Review, now: datetime) -> None:
    """Takes the text away from readers; a post that its author deleted stays deleted."""
    post = await work.locked(Post, review.post_id)
    if post.status != PostStatus.VISIBLE:
        return
    post.status = PostStatus.HIDDEN
    post.hidden_rule, post.hidden_rules_version = review.rule, review.rules_version
    post.hidden_at = post.updated_at = now
    post.version += 1
    await _title_follows(work, post)


async def _title_follows(work: Work, post: Post) -> None:
    """The title of a discussion was written with its opening post: hidden, and back, with it."""
    if post.number != 1:
        return
    discussion = await work.locked(Discussion, post.discussion_id)
    discussion.title_hidden = post.status == PostStatus.HIDDEN
    discussion.updated_at = post.updated_at
    discussion.version += 1


async def reverse(work: Work, standing: Standing, review_id: UUID, reason: str) -> dict[str, Any]:
    """Takes a decision back; a hidden post is there again. Raises OwnCase, ReviewNotDecided."""
    standing.require_active()
    review = await _case(work, standing, review_id)
    if review.status != ReviewStatus.DECIDED:
        raise errors.ReviewNotDecided
    now = clock.now()
    review.status = ReviewStatus.REVERSED
    review.reversed_at = review.updated_at = now
    review.reversed_by = standing.me.id
    review.reversal_reason = reason
    review.version += 1
    post = await work.locked(Post, review.post_id)
    if review.action == ReviewAction.HIDE and post.status == PostStatus.HIDDEN:
        post.status = PostStatus.VISIBLE
        post.hidden_rule = post.hidden_rules_version = post.hidden_at = None
        post.updated_at = now
        post.version += 1
        await _title_follows(work, post)
    activity.record(
        work,
        "review.reversed",
        standing,
        review.id,
        community_id=review.community_id,
        post_id=review.post_id,
    )
    await work.flush()
    return await get(work, standing, review_id)
