"""Claiming a membership that a community's list began for somebody who has an account elsewhere."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, errors, listing, membership_errors
from app.db import Work
from app.listing import Listing, Page
from app.models import Membership, Person, UnclaimedProfile
from app.policy import Capability, Standing
from app.preconditions import Expected
from app.reader import Reader
from app.schemas.memberships import ClaimOutcome
from app.services import (
    addresses,
    membership_pages,
    memberships,
    rosters,
    unclaimed_profiles,
)
from app.services.seating import TODAY, membership_is_not_over

_MINE = (
    sa.select(UnclaimedProfile.person_id)
    .where(
        col(UnclaimedProfile.person_id) == Membership.person_id,
        col(UnclaimedProfile.email_key) == sa.bindparam("address", type_=sa.String),
    )
    .correlate(Membership)
    .exists()
)
CLAIMABLE = Listing(
    rosters.ROSTER.where(
        _MINE,
        membership_is_not_over(TODAY),
        col(Person.deactivated_at).is_(None),
    ),
    col(Membership.id),
    descending=True,
)


async def page(reader: Reader, standing: Standing, asked: Page) -> listing.Listed:
    """The memberships that wait for the caller, the latest first: of the address that is proven to
    be theirs, where one runs or is to come."""
    address = (await addresses.own(reader, standing)).proven
    listed = await listing.page(reader, CLAIMABLE, asked, address=address, today=standing.today)
    shown = await membership_pages.shown_all(reader, standing, listed.rows, owned=True)
    return listed._replace(rows=shown)


async def claim(
    work: Work,
    standing: Standing,
    membership_id: UUID,
    outcome: ClaimOutcome,
    expected: Expected,
) -> dict[str, Any]:
    """Makes a membership that waits for the caller their own, with all that hangs on it, or ends it
    as left. Claiming twice changes nothing.

    Raises NotFound or PermissionDenied for anybody else's, whether or not it waits for somebody;
    MembershipClaimed for declining one's own, MembershipEnded, MembershipExists.
    """
    await unclaimed_profiles.hold(work, [standing.me.id])
    membership = await work.locked(Membership, membership_id)
    if standing.is_person(membership.person_id):
        if outcome is ClaimOutcome.DECLINED:
            raise membership_errors.MembershipClaimed
        return await membership_pages.get(work, standing, membership_id)
    address = (await addresses.own(work, standing)).proven
    waits = sa.select(Membership.id).join(Person, col(Person.id) == Membership.person_id)
    waits = waits.where(col(Membership.id) == membership_id, _MINE)
    if await work.first(waits.where(col(Person.deactivated_at).is_(None)), address=address) is None:
        if not standing.can(Capability.MEMBERSHIPS_READ):
            raise errors.NotFound
        standing.refuse_others()
    memberships.refuse_over(membership, standing)
    expected.check(membership.version)
    if outcome is ClaimOutcome.DECLINED:
        return await memberships.decline(work, standing, membership)
    if not await unclaimed_profiles.take_up(work, [standing.me.id], [membership.community_id]):
        raise errors.MembershipExists
    activity.record(
        work,
        "membership.claimed",
        standing,
        membership_id,
        community_id=membership.community_id,
        person_id=standing.me.id,
    )
    await work.flush()
    return await membership_pages.get(work, standing, membership_id)
