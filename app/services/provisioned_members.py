"""Whom a partner's directory has put into which group.

A directory that says once more what it said before changes nothing: whoever left, or whose
membership the association ended, is not brought back by a nightly run, but only by being taken out
and put in again. What a directory did not begin, it does not end.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import errors
from app.db import Work
from app.models import (
    Community,
    CommunityStatus,
    Membership,
    ProvisionedMember,
    ProvisionedUser,
)
from app.policy import CommunityLine, Standing
from app.services import provisioned_accounts, provisioned_memberships
from app.services.provisioning import within_reach
from app.services.seating import membership_is_not_over


async def place(
    work: Work, standing: Standing, community: CommunityLine, users: Sequence[ProvisionedUser]
) -> None:
    """Puts users, locked by the caller, into a group in which this directory has none of them.

    A membership begins for whoever is active and has none; the others' is left as it is. Raises
    CommunityArchived, EligibilityNotVerified: the same for people with and without an account.
    """
    if community.archived:
        raise errors.CommunityArchived
    active = [user for user in users if user.active]
    if community.restricted and not await provisioned_accounts.are_admitted(
        work, active, community.id
    ):
        raise errors.EligibilityNotVerified
    owners = await provisioned_accounts.find(work, standing, active)
    members = {
        user.id: ProvisionedMember(user_id=user.id, community_id=community.id) for user in users
    }
    first: dict[UUID, ProvisionedMember] = {}  # of each person, if two users are one
    for user_id, person_id in owners.items():
        first.setdefault(person_id, members[user_id])
    await provisioned_memberships.give(work, standing, community.id, first)
    for user_id, member in members.items():
        theirs = first[owners[user_id]] if user_id in owners else None
        if member is not theirs:
            member.membership_id = theirs.membership_id if theirs else None
            provisioned_memberships.record_placed(work, standing, member)
    work.add_all(members.values())
    await work.flush()


async def lift(work: Work, standing: Standing, members: Sequence[ProvisionedMember]) -> None:
    """Takes users out of groups, and ends the memberships that this directory began for them.

    Raises SeatHeld where one of these is a seat-holder's.
    """
    await provisioned_memberships.take(work, standing, members)
    for member in members:
        await work.delete(member)
    await work.flush()


async def _groups_of(
    work: Work, standing: Standing, user: ProvisionedUser
) -> list[tuple[ProvisionedMember, Community]]:
    """In which groups a user is, of those in which the partner may still provision."""
    rows = await work.execute(
        sa.select(ProvisionedMember, Community)
        .join(Community, col(Community.id) == ProvisionedMember.community_id)
        .where(col(ProvisionedMember.user_id) == user.id, within_reach(standing))
        .order_by(col(Community.id))
    )
    return [(member, community) for member, community in rows]


async def rest(work: Work, standing: Standing, user: ProvisionedUser) -> None:
    """Ends what was begun for a user who is not active any more. The user stays in the groups, and
    with `wake` it begins again, save what was over before. Raises SeatHeld."""
    groups = await _groups_of(work, standing, user)
    there = {member.membership_id: member for member, _ in groups if member.membership_id}
    rows = await work.rows(
        sa.select(Membership.id).where(
            col(Membership.id).in_(there), membership_is_not_over(standing.today)
        )
    )
    found = [there[row.id] for row in rows]
    await provisioned_memberships.take(work, standing, found)
    for member in found:
        member.membership_id, member.began = None, False
    await work.flush()


async def wake(work: Work, standing: Standing, user: ProvisionedUser) -> None:
    """Begins the memberships of a user who is active again, but for archived communities and those
    that do not admit them."""
    for member, community in await _groups_of(work, standing, user):
        if member.membership_id is not None or community.status == CommunityStatus.ARCHIVED:
            continue
        if not await provisioned_accounts.are_admitted(work, [user], community.id):
            continue
        owners = await provisioned_accounts.find(work, standing, [user])
        them = {owners[user.id]: member}
        await provisioned_memberships.give(work, standing, community.id, them)
    await work.flush()


async def forget(work: Work, standing: Standing, user: ProvisionedUser) -> None:
    """Takes a user out of every group; what was begun where the partner may not provision any more
    goes on. Raises SeatHeld."""
    await lift(work, standing, [member for member, _ in await _groups_of(work, standing, user)])
    elsewhere: Any = sa.delete(ProvisionedMember).where(col(ProvisionedMember.user_id) == user.id)
    await work.execute(elsewhere)
