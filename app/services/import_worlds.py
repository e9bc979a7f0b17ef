"""What an import finds: the people of a batch of rows, their memberships, and what protects them.

A constant number of statements, whatever is in the batch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.db import Source, Work
from app.models import (
    Community,
    CommunityStatus,
    Membership,
    MembershipImport,
    MembershipSource,
    Person,
    PersonSource,
    Term,
)
from app.services import seating

Pair = tuple[UUID, UUID]
_PERSON = (
    Person.id,
    Person.email_key,
    Person.name,
    Person.occupation,
    Person.occupation_code,
    Person.affiliation,
    Person.area_of_interest,
    Person.territory,
    Person.language,
    Person.deactivated_at,
    Person.version,
)
_MEMBERSHIP = (
    Membership.id,
    Membership.person_id,
    Membership.community_id,
    Membership.category,
    Membership.since_on,
    Membership.until_on,
    Membership.ended_at,
    Membership.ending,
    Membership.version,
    MembershipSource.source,
    col(MembershipSource.community_id).label("realm_id"),
    MembershipSource.ended_by,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A community as an import needs to know it."""

    id: UUID
    slug: str
    name: dict[str, str]
    archived: bool
    restricted: bool
    listed: bool


@dataclass(slots=True)
class World:
    """The state in which a batch of rows finds things."""

    today: date
    places: dict[UUID, Place]
    people: dict[UUID, Any] = field(default_factory=dict)
    by_address: dict[str, UUID] = field(default_factory=dict)
    by_number: dict[str, UUID] = field(default_factory=dict)
    memberships: dict[Pair, list[Any]] = field(default_factory=dict)
    of_person: dict[UUID, list[Any]] = field(default_factory=dict)
    seated: set[Pair] = field(default_factory=set)
    verified: set[Pair] = field(default_factory=set)

    def open_one(self, person_id: UUID, community_id: UUID) -> Any | None:
        """The membership that nobody has ended, though its last day may be over."""
        rows = self.memberships.get((person_id, community_id), ())
        return next((row for row in rows if row.ended_at is None), None)

    def over(self, row: Any) -> bool:
        """True if the last day of a membership is over."""
        return row.until_on is not None and row.until_on < self.today


async def places(source: Source) -> dict[UUID, Place]:
    """Every community, by its id."""
    rows = await source.rows(
        sa.select(
            Community.id,
            Community.slug,
            Community.name,
            Community.status,
            Community.eligible_occupations,
            Community.listed,
        )
    )
    return {
        row.id: Place(
            row.id,
            row.slug,
            row.name,
            row.status == CommunityStatus.ARCHIVED,
            bool(row.eligible_occupations),
            row.listed,
        )
        for row in rows
    }


def realm(model: Any, job: MembershipImport) -> Any:
    """The condition that a source is one of those whom the import is for."""
    return col(model.community_id).is_not_distinct_from(job.community_id)


async def read(
    source: Source,
    job: MembershipImport,
    addresses: Iterable[str],
    numbers: Iterable[str],
    ids: Iterable[UUID] = (),
) -> World:
    """The world as a batch finds it, people by address, number or id; within a unit of work, held
    for it."""
    world = World(clock.today(), await places(source))
    rows = await _people(source, job, world, set(addresses), set(numbers), set(ids))
    world.people = {row.id: row for row in rows}
    world.by_address = {row.email_key: row.id for row in rows}
    if not rows:
        return world
    await _memberships(source, job, world)
    here = list(world.people)
    for row in await source.rows(
        sa.select(Term.person_id, Term.community_id)
        .where(
            col(Term.person_id).in_(here),
            col(Term.community_id).is_not(None),
            seating.term_is_not_over(world.today),
        )
        .distinct()
    ):
        world.seated.add((row.person_id, row.community_id))
    restricted = [place.id for place in world.places.values() if place.restricted]
    for row in await source.rows(
        sa.select(col(Person.id), col(Community.id).label("community_id"))
        .join(Community, col(Community.id).in_(restricted))
        .where(
            col(Person.id).in_(here),
            seating.verified(world.today, Person.id, Community.id),
        )
    ):
        world.verified.add((row.id, row.community_id))
    return world


def _held(source: Source, query: Any, what: Any) -> Any:
    return query.with_for_update(of=what) if isinstance(source, Work) else query


async def _people(
    source: Source,
    job: MembershipImport,
    world: World,
    addresses: set[str],
    numbers: set[str],
    ids: set[UUID],
) -> list[Any]:
    people: dict[UUID, Any] = {}
    if numbers and job.source is not None:
        known = sa.select(*_PERSON, PersonSource.external_id).join(
            PersonSource, col(PersonSource.person_id) == Person.id
        )
        found = known.where(
            realm(PersonSource, job),
            col(PersonSource.source) == job.source,
            col(PersonSource.external_id).in_(numbers),
        )
        for row in await source.rows(_held(source, found.order_by(col(Person.id)), Person)):
            world.by_number[row.external_id] = row.id
            people[row.id] = row
    for column, values in ((Person.email_key, addresses), (Person.id, ids)):
        if values:
            found = sa.select(*_PERSON).where(col(column).in_(values)).order_by(col(Person.id))
            for row in await source.rows(_held(source, found, Person)):
                people.setdefault(row.id, row)
    return list(people.values())


async def _memberships(source: Source, job: MembershipImport, world: World) -> None:
    found = (
        sa.select(*_MEMBERSHIP)
        .outerjoin(MembershipSource, col(MembershipSource.membership_id) == Membership.id)
        .where(col(Membership.person_id).in_(world.people))
        .order_by(col(Membership.id))
    )
    if job.community_id is not None:
        found = found.where(col(Membership.community_id) == job.community_id)
    for row in await source.rows(_held(source, found, Membership)):
        world.memberships.setdefault((row.person_id, row.community_id), []).append(row)
        world.of_person.setdefault(row.person_id, []).append(row)


def is_seated(membership: Any) -> Any:
    """The condition that a member holds a seat where the membership is, or is to hold one."""
    return (
        sa.select(Term.id)
        .where(
            col(Term.person_id) == membership.person_id,
            col(Term.community_id) == membership.community_id,
            seating.term_is_not_over(seating.TODAY),
        )
        .correlate(membership)
        .exists()
    )
