"""What an import finds: the people of a batch of rows, their memberships, and what protects them.

A constant number of statements, whatever is in the batch. The importer of one community finds its
own people: somebody with an account who never belonged there is like somebody without one, and
becomes a profile that waits to be claimed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.among import among
from app.db import Source, Work
from app.models import (
    ActorKind,
    Community,
    CommunityStatus,
    EligibilityVerification,
    Membership,
    MembershipImport,
    MembershipSource,
    Person,
    PersonSource,
    Suspension,
    Term,
    UnclaimedProfile,
)
from app.models.base import has_item
from app.reader import Prepared
from app.services import seating, unclaimed_profiles

Pair = tuple[UUID, UUID]
_PERSON = (
    Person.id,
    unclaimed_profiles.ADDRESS.label("email_key"),
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


_PLACES = Prepared(
    sa.select(
        Community.id,
        Community.slug,
        Community.name,
        Community.status,
        Community.eligible_occupations,
        Community.listed,
    )
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
    # Addresses of accounts that are none of the importing community's to know of.
    elsewhere: dict[str, UUID] = field(default_factory=dict)
    # Of these people, the profiles that wait for them, each with its account.
    waiting: dict[UUID, UUID] = field(default_factory=dict)
    memberships: dict[Pair, list[Any]] = field(default_factory=dict)
    of_person: dict[UUID, list[Any]] = field(default_factory=dict)
    by_id: dict[UUID, Any] = field(default_factory=dict)
    seated: set[Pair] = field(default_factory=set)
    suspended: set[Pair] = field(default_factory=set)
    verified: set[Pair] = field(default_factory=set)
    # What was verified of an address without an account, by the address and the community.
    verified_addresses: dict[tuple[str, UUID], list[UUID]] = field(default_factory=dict)
    # Whose account it was verified of, where that is one of elsewhere.
    verified_of: dict[UUID, UUID] = field(default_factory=dict)

    def running(self, person_id: UUID, community_id: UUID) -> Any | None:
        """The membership that runs or is to come: nobody has ended it, and its last day is not
        over."""
        rows = self.memberships.get((person_id, community_id), ())
        found = next((row for row in rows if row.ended_at is None), None)
        over = found is None or (found.until_on is not None and found.until_on < self.today)
        return None if over else found

    def places_for(self, job: MembershipImport) -> frozenset[UUID]:
        """Where an import may do something."""
        return open_to(job, self.places)


def open_to(job: MembershipImport, there: Mapping[UUID, Place]) -> frozenset[UUID]:
    """The communities in which an import may do something: those of whoever asked for it. A partner
    that is bound to none loses what has been hidden or restricted since."""
    named = frozenset(UUID(place) for place in job.places)
    if job.asked_by_kind is not ActorKind.PARTNER or job.community_id is not None:
        return named
    return frozenset(one for one in named if there[one].listed and not there[one].restricted)


async def places(source: Source) -> dict[UUID, Place]:
    """Every community, by its id."""
    return {
        row.id: Place(
            row.id,
            row.slug,
            row.name,
            row.status == CommunityStatus.ARCHIVED,
            bool(row.eligible_occupations),
            row.listed,
        )
        for row in await source.rows(_PLACES)
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
    # On SQLite a unit of work is alone with the whole file.
    held = isinstance(source, Work) and source.get_bind().dialect.name == "postgresql"
    asked = _Asked(source, job, held)
    restricted = [place.id for place in world.places.values() if place.restricted]
    addresses = set(addresses)
    named = await _people(asked, world, addresses, set(numbers), set(ids))
    if world.people:
        await _belonging(asked, world)
    if job.community_id is not None:
        _set_aside(world, named)
    if restricted:
        # Whom the file knows by number may have another address here than there.
        addresses |= {row.email_key for row in world.people.values()}
        await _verified(asked, world, addresses, restricted)
    return world


async def _belonging(asked: "_Asked", world: World) -> None:
    """Reads the memberships of the people of a world, and what protects them."""
    whole = asked.job.community_id is None
    if whole:
        world.waiting = await unclaimed_profiles.of_accounts(asked.source, world.people)
    waiting = world.waiting
    here = {"people": [*world.people, *waiting]}
    memberships = _memberships(whole, asked.held)
    for row in await asked.rows(memberships, community=asked.job.community_id, **here):
        person_id = waiting.get(row.person_id, row.person_id)
        world.memberships.setdefault((person_id, row.community_id), []).append(row)
        world.of_person.setdefault(person_id, []).append(row)
        world.by_id[row.id] = row
    for row in await asked.rows(_SEATED, today=world.today, **here):
        world.seated.add((row.person_id, row.community_id))
    for row in await asked.rows(_SUSPENDED, today=world.today, **here):
        world.suspended.add((waiting.get(row.person_id, row.person_id), row.community_id))


def _set_aside(world: World, named: set[UUID]) -> None:
    """Of those who were found by their accounts' addresses, whoever never belonged where the import
    is for is none of its importer's to know of."""
    for known in named - world.of_person.keys():
        world.elsewhere[world.people.pop(known).email_key] = known
    world.by_address = {row.email_key: row.id for row in world.people.values()}


async def _verified(
    asked: "_Asked", world: World, addresses: set[str], restricted: list[UUID]
) -> None:
    """Reads who is verified of these people, and of these addresses."""
    values = {"restricted": restricted, "today": world.today}
    elsewhere = set(world.elsewhere.values())
    for row in await asked.rows(_VERIFIED_ADDRESSES, addresses=addresses, **values):
        if row.person_id is not None:
            if row.person_id not in elsewhere:
                continue
            world.verified_of[row.id] = row.person_id
        known = world.verified_addresses.setdefault((row.email_key, row.community_id), [])
        known.append(row.id)
    if world.people:
        for row in await asked.rows(_VERIFIED, people=list(world.people), **values):
            world.verified.add((row.id, row.community_id))


class _Asked(NamedTuple):
    """Whom a world is asked of, for which import, and whether what is found is held."""

    source: Source
    job: MembershipImport
    held: bool

    async def rows(self, statement: Prepared, **parameters: Any) -> list[Any]:
        """The rows, straight from the driver."""
        return await self.source.rows(statement, **parameters)


def _prepared(query: Any, what: Any, held: bool) -> Prepared:
    """What is held is held in one order by everybody. Elsewhere no order is asked for: SQLite would
    walk the whole table in it."""
    return Prepared(query.order_by(what.id).with_for_update(of=what) if held else query)


@cache
def _known(whole: bool, held: bool) -> Prepared:
    """People by their numbers in a source."""
    realm_id = col(PersonSource.community_id)
    query = (
        sa.select(*_PERSON, PersonSource.external_id)
        .join(PersonSource, col(PersonSource.person_id) == Person.id)
        .where(
            realm_id.is_(None) if whole else realm_id == sa.bindparam("community", type_=sa.Uuid),
            col(PersonSource.source) == sa.bindparam("origin", type_=sa.String),
            among(col(PersonSource.external_id), "numbers"),
        )
    )
    return _prepared(query, Person, held)


@cache
def _by(column: str, held: bool) -> Prepared:
    """People by their addresses or ids."""
    query = sa.select(*_PERSON).where(among(col(getattr(Person, column)), "values"))
    return _prepared(query, Person, held)


@cache
def _written_down(held: bool) -> Prepared:
    """People as a community has written them down, by their addresses."""
    query = (
        sa.select(*_PERSON)
        .join(UnclaimedProfile, col(UnclaimedProfile.person_id) == Person.id)
        .where(
            col(UnclaimedProfile.community_id) == sa.bindparam("community", type_=sa.Uuid),
            among(col(UnclaimedProfile.email_key), "values"),
        )
    )
    return _prepared(query, Person, held)


@cache
def _memberships(whole: bool, held: bool) -> Prepared:
    query = (
        sa.select(*_MEMBERSHIP)
        .outerjoin(MembershipSource, col(MembershipSource.membership_id) == Membership.id)
        .where(among(col(Membership.person_id), "people"))
    )
    if not whole:
        here = sa.bindparam("community", type_=sa.Uuid)
        query = query.where(col(Membership.community_id) == here)
    return _prepared(query, Membership, held)


_SEATED = Prepared(
    sa.select(Term.person_id, Term.community_id)
    .where(
        among(col(Term.person_id), "people"),
        col(Term.community_id).is_not(None),
        seating.term_is_not_over(seating.TODAY),
    )
    .distinct()
)
# Also by a suspension of an earlier membership there.
_SUSPENDED = Prepared(
    sa.select(Membership.person_id, Membership.community_id)
    .join(Suspension, col(Suspension.membership_id) == Membership.id)
    .where(
        among(col(Membership.person_id), "people"),
        col(Suspension.lifted_at).is_(None),
        col(Suspension.until_on) >= seating.TODAY,
    )
    .distinct()
)
_VERIFIED = Prepared(
    sa.select(col(Person.id), col(Community.id).label("community_id"))
    .join(Community, among(col(Community.id), "restricted"))
    .where(
        among(col(Person.id), "people"),
        seating.verified(seating.TODAY, Person.id, Community.id),
    )
)
# What was verified of an address before it had an account. Where somebody signs in with it, it
# counts when they have proven that it is theirs; nobody is admitted by what they verified.
_NOT_THEIRS = (
    sa.select(Person.id)
    .where(
        col(Person.email_key) == EligibilityVerification.email_key,
        sa.or_(
            sa.and_(
                col(Person.email_verified_at).is_(None), col(Person.password_hash).is_not(None)
            ),
            col(Person.id) == EligibilityVerification.first_by,
            col(Person.id) == EligibilityVerification.second_by,
        ),
    )
    .exists()
)
_VERIFIED_ADDRESSES = Prepared(
    sa.select(
        EligibilityVerification.id,
        EligibilityVerification.email_key,
        EligibilityVerification.community_id,
        EligibilityVerification.person_id,
    )
    .join(Community, col(Community.id) == EligibilityVerification.community_id)
    .where(
        among(col(EligibilityVerification.email_key), "addresses"),
        among(col(EligibilityVerification.community_id), "restricted"),
        seating.confirmed(seating.TODAY),
        has_item(Community.eligible_occupations, EligibilityVerification.occupation_code),
        ~_NOT_THEIRS,
    )
)


async def _people(
    asked: _Asked, world: World, addresses: set[str], numbers: set[str], ids: set[UUID]
) -> set[UUID]:
    """Reads people; the ids of those who were found by their accounts' addresses alone."""
    job = asked.job
    held = asked.held
    if numbers and job.source is not None:
        known = _known(job.community_id is None, held)
        values = {"community": job.community_id, "origin": job.source, "numbers": numbers}
        for row in await asked.rows(known, **values):
            world.by_number[row.external_id] = row.id
            world.people[row.id] = row
    if addresses and job.community_id is not None:
        written = _written_down(held)
        for row in await asked.rows(written, community=job.community_id, values=addresses):
            world.people.setdefault(row.id, row)
    if wanted := ids - world.people.keys():
        for row in await asked.rows(_by("id", held), values=wanted):
            world.people[row.id] = row
    known_already = set(world.people)
    if addresses:
        for row in await asked.rows(_by("email_key", held), values=addresses):
            world.people.setdefault(row.id, row)
    world.by_address = {row.email_key: row.id for row in world.people.values()}
    return world.people.keys() - known_already


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
