"""The memberships that a directory begins and ends: of any number of people, in a few statements,
since whoever writes keeps others waiting."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, provisioning_errors
from app.db import Work
from app.models import (
    Membership,
    MembershipEnding,
    ProvisionedMember,
    Term,
)
from app.policy import Standing
from app.services import communities, memberships, unclaimed_profiles
from app.services.seating import membership_is_not_over, term_is_not_over


async def give(
    work: Work, standing: Standing, community_id: UUID, members: dict[UUID, ProvisionedMember]
) -> None:
    """Gives members, by person, the memberships that they stand on: those there are, running or to
    come, and for whoever has none one that begins today. Raises MembershipExists in a race."""
    await unclaimed_profiles.take_up(work, list(members), [community_id])
    there = await work.rows(
        sa.select(Membership.id, Membership.person_id).where(
            col(Membership.community_id) == community_id,
            col(Membership.person_id).in_(members),
            membership_is_not_over(standing.today),
        )
    )
    found = {row.person_id: row.id for row in there}
    wanted = sorted(members.keys() - found.keys())
    begun = await memberships.begin_all(work, community_id, wanted) if wanted else {}
    for person_id, member in members.items():
        if person_id not in begun:
            member.membership_id = found[person_id]
            record_placed(work, standing, member)
            continue
        member.membership_id, member.began = begun[person_id].id, True
        activity.record(
            work,
            "membership.provisioned",
            standing,
            begun[person_id].id,
            community_id=community_id,
            person_id=person_id,
            user_id=member.user_id,
        )


def record_placed(work: Work, standing: Standing, member: ProvisionedMember) -> None:
    """Records that a user was put into a group, where no membership begins by it."""
    activity.record(
        work,
        "provisioned_user.placed",
        standing,
        member.user_id,
        community_id=member.community_id,
    )


async def take(work: Work, standing: Standing, members: Sequence[ProvisionedMember]) -> None:
    """Ends the memberships that were begun for these members; others go on. Raises SeatHeld."""
    ending = await _to_end(work, standing, members)
    now = clock.now()
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
        .where(col(Membership.id).in_(began), membership_is_not_over(standing.today))
        .order_by(col(Membership.id))
        .with_for_update()
    )
    found = list((await work.execute(statement)).scalars())
    terms = await work.rows(
        sa.select(Term.person_id, Term.community_id)
        .where(
            col(Term.person_id).in_({membership.person_id for membership in found}),
            col(Term.community_id).in_({membership.community_id for membership in found}),
            term_is_not_over(standing.today),
        )
        .with_for_update()
    )
    held = {(term.person_id, term.community_id) for term in terms}
    if any((membership.person_id, membership.community_id) in held for membership in found):
        raise provisioning_errors.SeatHeld
    return {membership.id: membership for membership in found}
