"""Memberships: beginning, changing, pausing and ending somebody's belonging to a community."""

from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work, unique_or
from app.listing import Listing
from app.models import (
    Community,
    Membership,
    MembershipCategory,
    MembershipEnding,
    Person,
    Suspension,
    Term,
    TermEnding,
)
from app.models.base import Instant
from app.policy import Capability, Standing
from app.preconditions import Expected, merge
from app.services import communities, grants
from app.services.seating import (
    DAY_END,
    TODAY,
    membership_runs,
    own,
    suspended_until,
    term_is_not_over,
)

# A suspension is between the member and those who may know of it, and so is that it changed
# something: it leaves `updated_at` as it was and has an instant of its own.
_SUSPENSION_CHANGED = (
    sa.select(sa.func.max(sa.func.coalesce(Suspension.lifted_at, Suspension.starts_at)))
    .where(col(Suspension.membership_id) == Membership.id)
    .scalar_subquery()
)


def _roster(end: Any = None) -> Any:
    """The columns of a roster, as of now, or (with `end`) of a day that is over."""
    return sa.select(
        Membership.id,
        Membership.person_id,
        Membership.category,
        Membership.since_on,
        Membership.until_on,
        Membership.ended_at,
        Membership.ending,
        Membership.updated_at,
        Membership.version,
        Person.name,
        Person.occupation,
        Person.affiliation,
        Person.email,
        Person.occupation_code,
        Person.area_of_interest,
        Person.territory,
        *communities.REFERENCE,
        suspended_until(TODAY, end=end).label("suspended_until"),
        _SUSPENSION_CHANGED.label("suspension_changed_at"),
    ).select_from(
        sa.join(Membership, Person, col(Person.id) == Membership.person_id).join(
            Community, col(Community.id) == Membership.community_id
        )
    )


ROSTER = _roster()


@lru_cache
def roster_as_of(categories: tuple[MembershipCategory, ...]) -> Listing:
    """The roster as it was at the end of a day, or will be if nothing changes."""
    query = _roster(DAY_END).where(
        col(Membership.community_id) == sa.bindparam("community", type_=sa.Uuid),
        membership_runs(TODAY, end=DAY_END),
    )
    if categories:
        query = query.where(sa.or_(*(col(Membership.category) == one for one in categories)))
    return Listing(query, col(Membership.id))


@lru_cache
def roster(
    past: bool,
    categories: tuple[MembershipCategory, ...],
    updated_after: bool,
    suspensions: bool,
) -> Listing:
    """The roster in the order of joining: those who belong today, or all there ever were."""
    query = ROSTER.where(col(Membership.community_id) == sa.bindparam("community", type_=sa.Uuid))
    if not past:
        query = query.where(membership_runs(TODAY))
    if categories:
        query = query.where(sa.or_(*(col(Membership.category) == one for one in categories)))
    if updated_after:
        after = sa.bindparam("updated_after", type_=Instant)
        changed = [col(Membership.updated_at) > after]
        if suspensions:
            changed.append(after < _SUSPENSION_CHANGED)
        query = query.where(sa.or_(*changed))
    return Listing(query, col(Membership.id))


def asked(
    standing: Standing,
    categories: list[MembershipCategory] | None,
    updated_after: Any,
    as_of: date | None,
) -> tuple[Listing, dict[str, Any]]:
    """The roster as a caller asked for it. What has ended shows to a script that synchronises,
    if its owner may read the history; so does another day than today.

    Raises Invalid for a day and an instant together.
    """
    if as_of is not None and as_of != standing.today:
        standing.require(Capability.MEMBERSHIPS_READ_PRIVATE)
        if updated_after is not None:
            raise errors.Invalid(errors=[errors.parameter("as_of", "not_with_updated_after")])
        return roster_as_of(tuple(sorted(set(categories or ())))), {
            "community": standing.here.id,
            "today": as_of,
            "day_end": clock.end_of(as_of),
        }
    after = updated_after is not None
    past = after and standing.can(Capability.MEMBERSHIPS_READ_PRIVATE)
    suspensions = after and _may_know_of_suspensions(standing)
    found = roster(past, tuple(sorted(set(categories or ()))), after, suspensions)
    return found, {
        "community": standing.here.id,
        "today": standing.today,
        "updated_after": updated_after,
    }


OWN = Listing(
    ROSTER.where(col(Membership.person_id) == sa.bindparam("person", type_=sa.Uuid)),
    col(Membership.id),
    descending=True,
)

_TERMS = (
    sa.select(Term.person_id, Term.community_id, Term.position_code, Term.starts_on)
    .where(term_is_not_over(TODAY), own(Term))
    .order_by(col(Term.position_code))
)


async def shown_all(
    source: Source, standing: Standing, rows: list[Any], as_of: date | None = None
) -> list[dict[str, Any]]:
    """The rows of a roster as this caller sees them; terms in one statement for all."""
    day = as_of or standing.today
    people = {row.person_id for row in rows}
    places = {row.community_id for row in rows}
    terms: dict[tuple[UUID, UUID], list[Any]] = {}
    if rows:
        here = (col(Term.person_id).in_(people), col(Term.community_id).in_(places))
        for term in await source.rows(_TERMS.where(*here), today=day):
            terms.setdefault((term.person_id, term.community_id), []).append(term)
    return [
        _shown(row, standing, terms.get((row.person_id, row.community_id), []), day) for row in rows
    ]


def status_on(day: date, row: Any) -> str:
    """Where a membership stands on a day."""
    ended = row.ended_at is not None and row.ended_at < clock.end_of(day)
    if ended or (row.until_on is not None and row.until_on < day):
        return "ended"
    if day < row.since_on:
        return "planned"
    return "suspended" if row.suspended_until is not None else "active"


def _may_know_of_suspensions(standing: Standing) -> bool:
    return standing.can(Capability.MEMBERSHIPS_READ_PRIVATE) or standing.can(
        Capability.SANCTIONS_SUSPEND
    )


def _shown(row: Any, standing: Standing, terms: list[Any], day: date) -> dict[str, Any]:
    mine = standing.person is not None and standing.person.id == row.person_id
    private = standing.can(Capability.MEMBERSHIPS_READ_PRIVATE)
    manages = standing.can(Capability.MEMBERSHIPS_MANAGE)
    may_know = mine or _may_know_of_suspensions(standing)
    status = status_on(day, row)
    updated_at = row.updated_at
    if may_know and row.suspension_changed_at is not None:
        updated_at = max(updated_at, row.suspension_changed_at)
    suspended = row.suspended_until if may_know else None
    if status == "suspended" and not may_know:
        status = "active"
    return {
        "id": row.id,
        # For the ETag, which would tell the others that something changed.
        "version": row.version if may_know or manages else None,
        "community": communities.reference(row),
        "person": {
            "id": row.person_id,
            "name": row.name,
            "occupation": row.occupation,
            "affiliation": row.affiliation,
        },
        "private": {
            "email": row.email,
            "occupation_code": row.occupation_code,
            "area_of_interest": row.area_of_interest,
            "territory": row.territory,
        }
        if private or mine
        else None,
        "category": row.category,
        "status": status,
        "since_on": row.since_on,
        "until_on": row.until_on,
        "ending": row.ending if private or mine else None,
        "suspended_until": suspended,
        "positions": [term.position_code for term in terms if term.starts_on <= day]
        if status in ("active", "suspended")
        else [],
        "updated_at": updated_at,
        "viewer": {"can": _affordances(standing, row, mine, bool(terms))},
    }


def _affordances(standing: Standing, row: Any, mine: bool, has_terms: bool) -> list[str]:
    status = status_on(standing.today, row)
    if status == "ended":
        return []
    manages = standing.can(Capability.MEMBERSHIPS_MANAGE)
    appoints = standing.can(Capability.LEADERSHIP_APPOINT) or not has_terms
    found = []
    if mine or (manages and appoints):
        found.append("end_membership")
    if manages:
        found.append("update_membership")
    if standing.can(Capability.SANCTIONS_SUSPEND) and not mine and appoints:
        found.append("lift_suspension" if status == "suspended" else "suspend_membership")
    return found


async def get(source: Source, standing: Standing, membership_id: UUID) -> dict[str, Any]:
    """One membership of the community of the caller's standing, or one's own."""
    row = await source.one(ROSTER.where(col(Membership.id) == membership_id), today=standing.today)
    mine = standing.person is not None and row.person_id == standing.person.id
    if not mine and not standing.can(Capability.MEMBERSHIPS_READ):
        raise errors.NotFound
    runs = status_on(standing.today, row) in ("active", "suspended")
    if not (runs or mine or standing.can(Capability.MEMBERSHIPS_READ_PRIVATE)):
        raise errors.NotFound
    return (await shown_all(source, standing, [row]))[0]


async def begin(
    work: Work,
    community_id: UUID,
    person_id: UUID,
    category: MembershipCategory = MembershipCategory.PRACTITIONER,
) -> Membership:
    """A membership from today on, without an end. Raises MembershipExists while one runs.

    One whose last day is over is closed first: it ended by the calendar, and nobody had to say so.
    """
    now = clock.now()
    today = clock.day_of(now)
    await work.execute(
        sa.update(Membership)
        .where(
            col(Membership.community_id) == community_id,
            col(Membership.person_id) == person_id,
            col(Membership.ended_at).is_(None),
            col(Membership.until_on) < today,
        )
        .values(ended_at=now, ending=MembershipEnding.LAPSED, updated_at=now)
    )
    membership = Membership(
        community_id=community_id,
        person_id=person_id,
        category=category,
        since_on=today,
        created_at=now,
        updated_at=now,
    )
    async with unique_or(work, {"uq_membership_open": errors.MembershipExists()}):
        work.add(membership)
    await communities.touch_roster(work, community_id)
    return membership


async def open_one(work: Work, standing: Standing, membership_id: UUID) -> Membership:
    """The membership, locked, if it exists for the caller and has not ended."""
    membership = await work.locked(Membership, membership_id)
    mine = standing.is_person(membership.person_id)
    if not mine and not standing.can(Capability.MEMBERSHIPS_READ):
        raise errors.NotFound
    over = membership.until_on is not None and membership.until_on < standing.today
    if membership.ended_at is not None or over:
        raise errors.MembershipEnded
    return membership


async def update(
    work: Work, standing: Standing, membership_id: UUID, patch: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Changes a membership's category or last day.

    A last day that comes before the end of a term of the holder's would end that too, so whoever
    sets, moves or clears a seat-holder's needs the right to end terms.
    """
    membership = await open_one(work, standing, membership_id)
    standing.require(Capability.MEMBERSHIPS_MANAGE)
    expected.check(membership.version)
    until = patch.get("until_on", membership.until_on)
    if until is not None and until < max(standing.today, membership.since_on):
        raise errors.Invalid(errors=[errors.field("/until_on", "day_in_the_past")])
    if until != membership.until_on:
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
    return await get(work, standing, membership_id)


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
    )
    await communities.touch_roster(work, membership.community_id)
    await work.flush()
    await grants.refuse_if_last(work, standing, {term.position_code for term in terms})
    row = await work.one(ROSTER.where(col(Membership.id) == membership_id), today=standing.today)
    return (await shown_all(work, standing, [row]))[0]
