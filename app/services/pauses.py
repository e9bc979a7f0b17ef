"""Pauses: a member takes leave for some days; the membership stays, and its rights rest."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, membership_errors
from app.db import Work, unique_or
from app.models import Membership, MembershipPause
from app.policy import Capability, Standing
from app.preconditions import Expected
from app.services import communities, membership_pages, memberships

LONGEST_PAUSE = timedelta(days=731)


async def pause(
    work: Work,
    standing: Standing,
    membership_id: UUID,
    starts_on: date | None,
    until_on: date | None,
    reason: str | None,
    expected: Expected,
) -> dict[str, Any]:
    """Lets the rights of a membership rest from a day on: one's own by right, somebody else's with
    a reason by whoever manages memberships (and, of a seat-holder, may end terms).

    Raises MembershipAlreadyPaused while a pause runs or is to come.
    """
    membership = await memberships.open_one(work, standing, membership_id)
    if not standing.is_person(membership.person_id):
        standing.require(Capability.MEMBERSHIPS_MANAGE)
        if reason is None:
            raise errors.Invalid(errors=[errors.field("/reason", "reason_required")])
    await memberships.refuse_for_holder(work, standing, membership)
    expected.check(membership.version)
    starts_on = starts_on or standing.today
    _refuse_odd_days(standing.today, starts_on, until_on)
    now = clock.now()
    # One that has run out is closed, so that the constraint sees one open pause at most.
    await work.execute(
        sa.update(MembershipPause)
        .where(
            col(MembershipPause.membership_id) == membership_id,
            col(MembershipPause.ended_at).is_(None),
            col(MembershipPause.until_on) < standing.today,
        )
        .values(ended_at=now)
    )
    declared = MembershipPause(
        membership_id=membership_id,
        starts_on=starts_on,
        until_on=until_on,
        reason=reason,
        declared_by=standing.me.id,
        declared_at=now,
    )
    taken = {"uq_membership_pause_open": membership_errors.MembershipAlreadyPaused()}
    async with unique_or(work, taken):
        work.add(declared)
    days = {"starts_on": starts_on, "until_on": until_on}
    await _changed(work, standing, membership, "paused", **days)
    return await membership_pages.get(work, standing, membership_id)


def _refuse_odd_days(today: date, starts_on: date, until_on: date | None) -> None:
    if starts_on < today:
        raise errors.Invalid(errors=[errors.field("/starts_on", "day_in_the_past")])
    if starts_on > today + LONGEST_PAUSE:
        raise errors.Invalid(errors=[errors.field("/starts_on", "day_too_far")])
    if until_on is not None and until_on < starts_on:
        raise errors.Invalid(errors=[errors.field("/until_on", "day_before_start")])
    if until_on is not None and until_on > starts_on + LONGEST_PAUSE:
        raise errors.Invalid(errors=[errors.field("/until_on", "day_too_far")])


async def resume(
    work: Work, standing: Standing, membership_id: UUID, expected: Expected
) -> dict[str, Any]:
    """Ends a pause at this instant, or calls off one that is to come. One's own that somebody else
    declared is for those who manage memberships.

    Raises MembershipNotPaused if there is none.
    """
    membership = await memberships.open_one(work, standing, membership_id)
    found = await work.execute(
        sa.select(MembershipPause)
        .where(
            col(MembershipPause.membership_id) == membership_id,
            col(MembershipPause.ended_at).is_(None),
            sa.or_(
                col(MembershipPause.until_on).is_(None),
                col(MembershipPause.until_on) >= standing.today,
            ),
        )
        .with_for_update()
    )
    declared = found.scalars().first()
    own = standing.is_person(membership.person_id)
    if not own or (declared is not None and declared.declared_by != standing.me.id):
        standing.require(Capability.MEMBERSHIPS_MANAGE)
    await memberships.refuse_for_holder(work, standing, membership)
    if declared is None:
        raise membership_errors.MembershipNotPaused
    expected.check(membership.version)
    declared.ended_at, declared.ended_by = clock.now(), standing.me.id
    await _changed(work, standing, membership, "resumed")
    return await membership_pages.get(work, standing, membership_id)


async def _changed(
    work: Work, standing: Standing, membership: Membership, what: str, **days: Any
) -> None:
    membership.version += 1
    activity.record(
        work,
        f"membership.{what}",
        standing,
        membership.id,
        community_id=membership.community_id,
        person_id=membership.person_id,
        **days,
    )
    await communities.touch_roster(work, membership.community_id)
    await work.flush()
