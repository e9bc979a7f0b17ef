"""What mails about a membership say."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import texts
from app.db import Work
from app.models import Community, Membership, MembershipPause, Suspension

LETTERS = (
    "membership_begun",
    "membership_ended",
    "membership_paused",
    "membership_resumed",
    "membership_suspended",
    "suspension_lifted",
)


async def facts(
    work: Work, kind: str, membership_id: UUID | None, language: str
) -> tuple[str, dict[str, str]] | None:
    """The body of the letter and what stands in it; None if there is nothing to say any more."""
    membership = await work.get(Membership, membership_id)
    if membership is None:
        return None
    community = await work.get_one(Community, membership.community_id)
    said = {"community": texts.one_line(community.name, language)}
    if kind == "membership_suspended":
        suspension = await _latest(work, Suspension, membership.id)
        if suspension is None:
            return None
        said |= {"until": suspension.until_on.isoformat(), "reason": suspension.reason}
    if kind == "membership_begun":
        said["since"] = membership.since_on.isoformat()
    if kind == "membership_paused":
        declared = await _latest(work, MembershipPause, membership.id)
        if declared is None or declared.ended_at is not None:
            return None
        said |= {"starts_on": declared.starts_on.isoformat(), "reason": declared.reason or "-"}
        if declared.until_on is None:
            return "open_body", said
        said["until"] = declared.until_on.isoformat()
    return "body", said


async def _latest(work: Work, model: Any, membership_id: UUID) -> Any:
    found = (
        sa.select(model)
        .where(col(model.membership_id) == membership_id)
        .order_by(col(model.id).desc())
        .limit(1)
    )
    return (await work.execute(found)).scalars().first()
