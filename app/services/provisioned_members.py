"""Whom a partner's directory has put into which group, and the memberships that this begins.

A directory that says once more what it said before changes nothing: whoever left, or whose
membership the association ended, is not brought back by a nightly run, but only by being taken out
and put in again. What a directory did not begin, it does not end.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, provisioning_errors
from app.db import Work, insert_ignoring
from app.models import (
    Community,
    CommunityStatus,
    Membership,
    MembershipEnding,
    Person,
    ProvisionedMember,
    ProvisionedUser,
    Term,
    new_id,
)
from app.policy import CommunityLine, Standing
from app.services import communities, eligibility, memberships
from app.services.provisioning import is_open, within_reach
from app.services.seating import term_is_not_over


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
    if community.restricted:
        for user in active:
            if not await _admitted(work, user, community.id):
                raise errors.EligibilityNotVerified
    await _find_people(work, standing, active)
    running = await _open_memberships(work, standing, community.id, active)
    for user in users:
        member = ProvisionedMember(user_id=user.id, community_id=community.id)
        await _stand(work, standing, user, member, running)
        work.add(member)
    await work.flush()


async def _stand(
    work: Work,
    standing: Standing,
    user: ProvisionedUser,
    member: ProvisionedMember,
    running: dict[UUID, UUID],
) -> None:
    """Gives a member the membership that it stands on: the one there is, or one that begins now."""
    if user.active and user.person_id is not None:
        member.membership_id = running.get(user.person_id)
        if member.membership_id is None:
            begun = await memberships.begin(work, member.community_id, user.person_id)
            member.membership_id = running[user.person_id] = begun.id
            member.began = True
            activity.record(
                work,
                "membership.provisioned",
                standing,
                begun.id,
                community_id=member.community_id,
                person_id=user.person_id,
                user_id=user.id,
            )
            return
    activity.record(
        work, "provisioned_user.placed", standing, user.id, community_id=member.community_id
    )


async def _admitted(work: Work, user: ProvisionedUser, community_id: UUID) -> bool:
    key = user.user_name_key
    if user.person_id is not None:  # whoever was put somewhere stays who they are
        key = (await work.get_one(Person, user.person_id)).email_key
    return await eligibility.is_verified_address(work, key, community_id)


async def _find_people(work: Work, standing: Standing, users: Sequence[ProvisionedUser]) -> None:
    """Finds the account of each user's address, or makes one, unproven and without a password.

    An account that is there stays as it is: its profile and its sign-in are its owner's.
    """
    now = clock.now()
    made = {}
    for user in users:
        if user.person_id is None:
            made[user.user_name_key] = new_id()
            values = {
                "id": made[user.user_name_key],
                "name": user.known_as,
                "email": user.user_name,
                "email_key": user.user_name_key,
                "occupation_code": "other",
                "language": "en",
                "created_at": now,
                "updated_at": now,
                "version": 1,
            }
            await work.execute(insert_ignoring(work, Person, values))
    if not made:
        return
    found = await work.rows(
        sa.select(Person.id, Person.email_key).where(col(Person.email_key).in_(made))
    )
    owners = {row.email_key: row.id for row in found}
    for user in users:
        if user.person_id is None:
            user.person_id = owners[user.user_name_key]
            if user.person_id == made[user.user_name_key]:
                activity.record(work, "account.created", standing, user.person_id)


async def _open_memberships(
    work: Work, standing: Standing, community_id: UUID, users: Sequence[ProvisionedUser]
) -> dict[UUID, UUID]:
    """The memberships here, running or to come, of whoever has one: by person."""
    people = {user.person_id for user in users}
    rows = await work.rows(
        sa.select(Membership.id, Membership.person_id).where(
            col(Membership.community_id) == community_id,
            col(Membership.person_id).in_(people),
            is_open(standing.today),
        )
    )
    return {row.person_id: row.id for row in rows}


async def lift(work: Work, standing: Standing, members: Sequence[ProvisionedMember]) -> None:
    """Takes users out of groups, and ends the memberships that this directory began for them.

    Raises SeatHeld where one of these is a seat-holder's.
    """
    await _end(work, standing, members)
    for member in members:
        await work.delete(member)
    await work.flush()


async def _end(work: Work, standing: Standing, members: Sequence[ProvisionedMember]) -> None:
    """Ends what was begun for these members, each with its record."""
    now, ending = clock.now(), await _to_end(work, standing, members)
    for member in members:
        membership = ending.get(member.membership_id) if member.began else None
        if membership is None:
            activity.record(
                work,
                "provisioned_user.lifted",
                standing,
                member.user_id,
                community_id=member.community_id,
            )
            continue
        membership.ended_at = membership.updated_at = now
        membership.ending = MembershipEnding.ENDED
        membership.version += 1
        activity.record(
            work,
            "membership.deprovisioned",
            standing,
            membership.id,
            community_id=membership.community_id,
            person_id=membership.person_id,
            user_id=member.user_id,
        )
    for community_id in sorted({membership.community_id for membership in ending.values()}):
        await communities.touch_roster(work, community_id)


async def _to_end(
    work: Work, standing: Standing, members: Sequence[ProvisionedMember]
) -> dict[UUID | None, Membership]:
    """The memberships that were begun for these members and are not over, locked."""
    began = [member.membership_id for member in members if member.began]
    if not began:
        return {}
    statement = (
        sa.select(Membership)
        .where(col(Membership.id).in_(began), is_open(standing.today))
        .order_by(col(Membership.id))
        .with_for_update()
    )
    found = list((await work.execute(statement)).scalars())
    people = {membership.person_id for membership in found}
    places = {membership.community_id for membership in found}
    terms = await work.rows(
        sa.select(Term.person_id, Term.community_id)
        .where(
            col(Term.person_id).in_(people),
            col(Term.community_id).in_(places),
            term_is_not_over(standing.today),
        )
        .with_for_update()
    )
    held = {(term.person_id, term.community_id) for term in terms}
    if any((membership.person_id, membership.community_id) in held for membership in found):
        raise provisioning_errors.SeatHeld
    return {membership.id: membership for membership in found}


async def of_user(
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
    there = {member.membership_id: member for member, _ in await of_user(work, standing, user)}
    rows = await work.rows(
        sa.select(Membership.id).where(col(Membership.id).in_(there), is_open(standing.today))
    )
    found = [there[row.id] for row in rows]
    await _end(work, standing, found)
    for member in found:
        member.membership_id, member.began = None, False
    await work.flush()


async def wake(work: Work, standing: Standing, user: ProvisionedUser) -> None:
    """Begins the memberships of a user who is active again, but for archived communities and those
    that admit only the verified."""
    for member, community in await of_user(work, standing, user):
        barred = community.status == CommunityStatus.ARCHIVED
        if member.membership_id or barred or not await _admitted(work, user, community.id):
            continue
        await _find_people(work, standing, [user])
        running = await _open_memberships(work, standing, community.id, [user])
        await _stand(work, standing, user, member, running)
    await work.flush()


async def forget(work: Work, standing: Standing, user: ProvisionedUser) -> None:
    """Takes a user out of every group; what was begun where the partner may not provision any more
    goes on. Raises SeatHeld."""
    await lift(work, standing, [member for member, _ in await of_user(work, standing, user)])
    elsewhere: Any = sa.delete(ProvisionedMember).where(col(ProvisionedMember.user_id) == user.id)
    await work.execute(elsewhere)
