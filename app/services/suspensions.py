"""Suspensions: a time in which a membership gives no rights."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Work, unique_or
from app.models import Suspension
from app.policy import Standing
from app.preconditions import ANY, Expected
from app.services import memberships, unclaimed_profiles

LONGEST_SUSPENSION = timedelta(days=731)


async def suspend(
    work: Work,
    standing: Standing,
    membership_id: UUID,
    until_on: date,
    reason: str,
    expected: Expected = ANY,
) -> dict[str, Any]:
    """Takes the rights of a membership away, from now to the end of a day.

    Raises OwnMembership, MembershipAlreadySuspended, and PermissionDenied for a seat-holder's
    unless the caller may end terms.
    """
    membership = await memberships.open_one(work, standing, membership_id)
    if await unclaimed_profiles.is_own(work, standing, membership.person_id):
        raise errors.OwnMembership
    if until_on < standing.today:
        raise errors.Invalid(errors=[errors.field("/until_on", "day_in_the_past")])
    if until_on > standing.today + LONGEST_SUSPENSION:
        raise errors.Invalid(errors=[errors.field("/until_on", "day_too_far")])
    await memberships.refuse_for_holder(work, standing, membership)
    expected.check(membership.version)
    now = clock.now()
    # One that has run out is closed, so that the constraint sees one open suspension at most.
    await work.execute(
        sa.update(Suspension)
        .where(
            col(Suspension.membership_id) == membership_id,
            col(Suspension.lifted_at).is_(None),
            col(Suspension.until_on) < standing.today,
        )
        .values(lifted_at=now)
    )
    suspension = Suspension(
        membership_id=membership_id,
        starts_at=now,
        until_on=until_on,
        reason=reason,
        suspended_by=standing.me.id,
    )
    async with unique_or(work, {"uq_suspension_open": errors.MembershipAlreadySuspended()}):
        work.add(suspension)
    membership.version += 1
    activity.record(
        work,
        "membership.suspended",
        standing,
        membership_id,
        community_id=membership.community_id,
        person_id=membership.person_id,
        until_on=until_on,
    )
    return suspension.model_dump()


async def lift(
    work: Work, standing: Standing, membership_id: UUID, expected: Expected = ANY
) -> None:
    """Gives the rights back at this instant, a seat-holder's by whoever may suspend them.

    Raises OwnMembership, MembershipNotSuspended if none runs, PermissionDenied.
    """
    membership = await memberships.open_one(work, standing, membership_id)
    if await unclaimed_profiles.is_own(work, standing, membership.person_id):
        raise errors.OwnMembership
    await memberships.refuse_for_holder(work, standing, membership)
    expected.check(membership.version)
    now = clock.now()
    lifted = await work.written(
        sa.update(Suspension)
        .where(
            col(Suspension.membership_id) == membership_id,
            col(Suspension.lifted_at).is_(None),
            col(Suspension.until_on) >= standing.today,
        )
        .values(lifted_at=now, lifted_by=standing.me.id)
    )
    if not lifted:
        raise errors.MembershipNotSuspended
    membership.version += 1
    activity.record(
        work,
        "membership.suspension_lifted",
        standing,
        membership_id,
        community_id=membership.community_id,
        person_id=membership.person_id,
    )
