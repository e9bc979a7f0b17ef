"""Memberships: beginning, changing, pausing and ending somebody's belonging to a community."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Work, unique_or
from app.models import (
    ActorKind,
    EligibilityVerification,
    Membership,
    MembershipCategory,
    MembershipEnding,
    Person,
    Suspension,
    Term,
    TermEnding,
)
from app.policy import Capability, Standing
from app.preconditions import Expected, merge
from app.services import (
    communities,
    eligibility,
    grants,
    membership_pages,
    rosters,
    unclaimed_profiles,
)
from app.services.seating import term_is_not_over


async def begin(
    work: Work,
    community_id: UUID,
    person_id: UUID,
    category: MembershipCategory = MembershipCategory.PRACTITIONER,
    since_on: date | None = None,
    until_on: date | None = None,
) -> Membership:
    """A membership from today, or from `since_on`, on. Raises MembershipExists while one runs or
    is to come.

    One whose last day is over is closed first: it ended by the calendar, and nobody had to say so.
    Earlier ones stay as they were: they are the person's history here; a suspension that still runs
    goes on. What was verified of an address before it had an account is the person's from now on,
    and so is what the community had written down of it.
    """
    begun = await begin_all(work, community_id, [person_id], category, since_on, until_on)
    return begun[person_id]


async def begin_all(
    work: Work,
    community_id: UUID,
    person_ids: Sequence[UUID],
    category: MembershipCategory = MembershipCategory.PRACTITIONER,
    since_on: date | None = None,
    until_on: date | None = None,
) -> dict[UUID, Membership]:
    """The same for any number of people, by person, in as many statements as for one."""
    await unclaimed_profiles.take_up(work, person_ids, [community_id])
    now = clock.now()
    today = clock.day_of(now)
    await work.execute(
        sa.update(Membership)
        .where(
            col(Membership.community_id) == community_id,
            col(Membership.person_id).in_(person_ids),
            col(Membership.ended_at).is_(None),
            col(Membership.until_on) < today,
        )
        .values(
            ended_at=now,
            ending=MembershipEnding.LAPSED,
            updated_at=now,
            version=Membership.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    begun = {
        person_id: Membership(
            community_id=community_id,
            person_id=person_id,
            category=category,
            since_on=since_on or today,
            until_on=until_on,
            created_at=now,
            updated_at=now,
        )
        for person_id in person_ids
    }
    async with unique_or(work, {"uq_membership_open": errors.MembershipExists()}):
        work.add_all(begun.values())
    await _carry_suspensions(work, community_id, begun)
    await _adopt_verifications(work, community_id, person_ids)
    await communities.touch_roster(work, community_id)
    return begun


async def add(
    work: Work,
    standing: Standing,
    person_id: UUID,
    category: MembershipCategory,
    since_on: date | None,
    until_on: date | None,
) -> dict[str, Any]:
    """Makes somebody a member here: who belonged before, or, for those who manage people, anybody
    with an account. Others are invited, so that nobody finds out who has one.

    Raises OwnMembership, MembershipExists, PersonDeactivated, EligibilityNotVerified,
    CommunityArchived, and Invalid for an unknown person and for days that cannot be.
    """
    standing.require_active()
    if await unclaimed_profiles.is_own(work, standing, person_id):
        raise errors.OwnMembership
    since = since_on or standing.today
    if until_on is not None and until_on < since:
        raise errors.Invalid(errors=[errors.field("/until_on", "day_before_start")])
    if until_on is not None and until_on < standing.today:
        raise errors.Invalid(errors=[errors.field("/until_on", "day_in_the_past")])
    person = await _somebody_known(work, standing, person_id)
    if person.deactivated_at is not None:
        raise errors.PersonDeactivated
    if not await eligibility.is_admitted(work, person.email_key, standing.here.id):
        raise errors.EligibilityNotVerified
    await _refuse_overlap(work, standing.here.id, person_id, since)
    begun = await begin(work, standing.here.id, person_id, category, since, until_on)
    activity.record(
        work,
        "membership.begun",
        standing,
        begun.id,
        community_id=begun.community_id,
        person_id=person_id,
        category=category,
        since_on=since,
        until_on=until_on,
    )
    await work.flush()
    return await membership_pages.get(work, standing, begun.id)


async def _somebody_known(work: Work, standing: Standing, person_id: UUID) -> Any:
    """Somebody of whom the caller may know that they have an account."""
    address = unclaimed_profiles.ADDRESS.label("email_key")
    found = sa.select(Person.deactivated_at, address).where(col(Person.id) == person_id)
    belonged = sa.select(Membership.id).where(
        col(Membership.person_id) == person_id,
        col(Membership.community_id) == standing.here.id,
    )
    account = col(Person.email_key).is_not(None)
    anybody = account if standing.can(Capability.PEOPLE_MANAGE) else sa.false()
    found = found.where(sa.or_(belonged.exists(), anybody))
    person = await work.first(found)
    if person is None:
        raise errors.Invalid(errors=[errors.field("/person_id", "not_known")])
    return person


async def _refuse_overlap(
    work: Work, community_id: UUID, person_id: UUID, since: date, besides: UUID | None = None
) -> None:
    """Nobody belonged twice on one day: a membership begins after the earlier ones here ended."""
    earlier = await work.rows(
        sa.select(Membership.since_on, Membership.until_on, Membership.ended_at).where(
            col(Membership.community_id) == community_id,
            col(Membership.person_id) == person_id,
            col(Membership.id) != besides if besides else sa.true(),
            col(Membership.ended_at).is_not(None),
        )
    )
    for row in earlier:
        last = clock.day_of(row.ended_at) - timedelta(days=1)
        if row.since_on <= last and since <= min(last, row.until_on or last):
            raise errors.Invalid(errors=[errors.field("/since_on", "day_of_earlier_membership")])


async def _carry_suspensions(work: Work, community_id: UUID, begun: dict[UUID, Membership]) -> None:
    """A suspension that runs is not shed by leaving and coming back."""
    running = await work.rows(
        sa.select(*sa.inspect(Suspension).columns, Membership.person_id)
        .join(Membership, col(Membership.id) == Suspension.membership_id)
        .where(
            col(Membership.community_id) == community_id,
            col(Membership.person_id).in_(begun),
            col(Suspension.lifted_at).is_(None),
            col(Suspension.until_on) >= clock.today(),
        )
        .order_by(col(Suspension.id))
    )
    latest = {row.person_id: row for row in running}
    work.add_all(
        Suspension(
            membership_id=begun[person_id].id,
            starts_at=row.starts_at,
            until_on=row.until_on,
            reason=row.reason,
            suspended_by=row.suspended_by,
        )
        for person_id, row in latest.items()
    )


async def _adopt_verifications(work: Work, community_id: UUID, person_ids: Sequence[UUID]) -> None:
    """What was verified of an address is from now on that of whoever stands here for its owner: an
    account (the address is proven, or has to be before anybody signs in), or the profile that
    waits for one."""
    address = unclaimed_profiles.ADDRESS
    owner = sa.select(col(Person.id)).where(
        col(Person.id).in_(person_ids),
        address == EligibilityVerification.email_key,
        sa.or_(col(Person.email_verified_at).is_not(None), col(Person.password_hash).is_(None)),
    )
    account = sa.select(col(Person.id)).where(
        col(Person.email_key) == EligibilityVerification.email_key
    )
    await work.execute(
        sa.update(EligibilityVerification)
        .where(
            col(EligibilityVerification.community_id) == community_id,
            sa.or_(
                col(EligibilityVerification.person_id).is_(None),
                col(EligibilityVerification.person_id).in_(account),
            ),
            owner.exists(),
        )
        .values(person_id=owner.scalar_subquery())
        .execution_options(synchronize_session=False)
    )


async def open_one(work: Work, standing: Standing, membership_id: UUID) -> Membership:
    """The membership, locked, if it exists for the caller and has not ended."""
    membership = await work.locked(Membership, membership_id)
    mine = standing.is_person(membership.person_id)
    if not mine and not standing.can(Capability.MEMBERSHIPS_READ):
        raise errors.NotFound
    refuse_over(membership, standing)
    return membership


def refuse_over(membership: Membership, standing: Standing) -> None:
    """Raises MembershipEnded for one that somebody ended, or whose last day is over."""
    over = membership.until_on is not None and membership.until_on < standing.today
    if membership.ended_at is not None or over:
        raise errors.MembershipEnded


async def update(
    work: Work, standing: Standing, membership_id: UUID, patch: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Changes a membership's category, its first day or its last.

    A day that cuts into a term of the holder's would end that too, so whoever sets, moves or
    clears a seat-holder's last day, or puts off the first, needs the right to end terms.

    Raises OwnMembership, and Invalid for days that cannot be, and for today as the last one: that
    would be an end without a reason.
    """
    membership = await open_one(work, standing, membership_id)
    standing.require(Capability.MEMBERSHIPS_MANAGE)
    if await unclaimed_profiles.is_own(work, standing, membership.person_id):
        raise errors.OwnMembership
    expected.check(membership.version)
    since = patch.get("since_on", membership.since_on)
    until = patch.get("until_on", membership.until_on)
    if until is not None and until < since:
        place = "/until_on" if "until_on" in patch else "/since_on"
        raise errors.Invalid(errors=[errors.field(place, "day_before_start")])
    if until is not None and until < standing.today:
        raise errors.Invalid(errors=[errors.field("/until_on", "day_in_the_past")])
    if until == standing.today and until != membership.until_on:
        raise errors.Invalid(errors=[errors.field("/until_on", "ends_today")])
    if since < membership.since_on:
        here = membership.community_id, membership.person_id
        await _refuse_overlap(work, *here, since, besides=membership.id)
    if until != membership.until_on or since > max(membership.since_on, standing.today):
        await refuse_for_holder(work, standing, membership)
    changed = merge(membership, patch)
    if changed:
        membership.updated_at = clock.now()
        activity.record(
            work,
            "membership.updated",
            standing,
            membership.id,
            community_id=membership.community_id,
            members=changed,
        )
        await communities.touch_roster(work, membership.community_id)
    await work.flush()
    return await membership_pages.get(work, standing, membership_id)


async def _running_terms(work: Work, membership: Membership) -> list[Term]:
    """The terms of the member here that run or are still to come, locked."""
    found = await work.execute(
        sa.select(Term)
        .where(
            col(Term.person_id) == membership.person_id,
            col(Term.community_id) == membership.community_id,
            term_is_not_over(clock.today()),
        )
        .order_by(col(Term.id))
        .with_for_update()
    )
    return list(found.scalars())


async def refuse_for_holder(work: Work, standing: Standing, membership: Membership) -> list[Term]:
    """Whoever touches the membership of a seat-holder needs the right to end the term."""
    terms = await _running_terms(work, membership)
    if terms and not standing.is_person(membership.person_id):
        standing.require(Capability.LEADERSHIP_APPOINT)
    return terms


async def end(
    work: Work, standing: Standing, membership_id: UUID, reason: str | None
) -> dict[str, Any]:
    """Ends a membership at this instant: one's own by right, somebody else's with a reason.

    The terms that it carried end with it, at the same instant.
    """
    membership = await open_one(work, standing, membership_id)
    mine = standing.is_person(membership.person_id)
    if not mine:
        standing.require(Capability.MEMBERSHIPS_MANAGE)
        if reason is None:
            raise errors.Invalid(errors=[errors.field("/reason", "reason_required")])
    terms = await refuse_for_holder(work, standing, membership)
    return await _conclude(work, standing, membership, terms, reason, mine=mine)


async def decline(work: Work, standing: Standing, membership: Membership) -> dict[str, Any]:
    """Ends at this instant, as left, what waits for the caller to claim it. Who the caller is shows
    to nobody: on the log it is whoever was written down who left."""
    terms = await _running_terms(work, membership)
    left = ActorKind.PERSON, membership.person_id
    return await _conclude(work, standing, membership, terms, None, mine=True, actor=left)


async def _conclude(
    work: Work,
    standing: Standing,
    membership: Membership,
    terms: list[Term],
    reason: str | None,
    *,
    mine: bool,
    actor: tuple[ActorKind, UUID] | None = None,
) -> dict[str, Any]:
    now = clock.now()
    for term in terms:
        term.end(TermEnding.LAPSED, None, now, standing.today)
    membership.ended_at = membership.updated_at = now
    membership.ending = MembershipEnding.LEFT if mine else MembershipEnding.ENDED
    membership.end_reason = reason
    membership.version += 1
    activity.record(
        work,
        "membership.ended",
        standing,
        membership.id,
        community_id=membership.community_id,
        person_id=membership.person_id,
        ending=membership.ending,
        terms=[term.id for term in terms],
        actor=actor,
    )
    await communities.touch_roster(work, membership.community_id)
    await work.flush()
    await grants.refuse_if_last(work, standing, {term.position_code for term in terms})
    found = rosters.ROSTER.where(col(Membership.id) == membership.id)
    row = await work.one(found, today=standing.today)
    return (await membership_pages.shown_all(work, standing, [row], owned=mine))[0]
