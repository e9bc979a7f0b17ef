"""People: one's own profile, and what the association's staff do with accounts."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work
from app.listing import Listing
from app.models import ActorKind, Grant, Person, Position, PositionScope, Term, TermBasis
from app.policy import Standing
from app.preconditions import Expected, merge
from app.schemas.base import address_key
from app.services import access_tokens, association, auth, communities, grants, terms
from app.services.seating import term_runs

PEOPLE = sa.select(
    Person.id,
    Person.name,
    Person.email,
    Person.occupation,
    Person.occupation_code,
    Person.affiliation,
    Person.area_of_interest,
    Person.territory,
    Person.language,
    col(Person.email_key).is_(None).label("unclaimed"),
    Person.deactivated_at,
    Person.created_at,
    Person.updated_at,
    Person.version,
)
LISTING = Listing(PEOPLE, col(Person.id))


async def me(source: Source, standing: Standing) -> dict[str, Any]:
    """The caller's own profile."""
    row = await source.one(PEOPLE.where(col(Person.id) == standing.me.id))
    return {
        **row._asdict(),
        "positions": [term.position for term in standing.terms if not term.in_community],
        "rules_version_agreed": standing.rules_agreed,
        "rules_version_in_force": standing.rules_in_force,
    }


async def update_me(
    work: Work, standing: Standing, patch: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Corrects one's own profile; what was posted keeps the line under which it was sent."""
    person = await work.locked(Person, standing.me.id)
    expected.check(person.version)
    await association.refuse_unknown_codes(
        work, patch.get("occupation_code"), patch.get("territory")
    )
    changed = merge(person, patch)
    if changed:
        person.updated_at = clock.now()
        activity.record(work, "account.updated", standing, person.id, members=changed)
        await work.flush()
    return await me(work, standing)


def shown(row: Any, standing: Standing) -> dict[str, Any]:
    """A person as staff see them; one's own account is for others to switch off."""
    other = standing.person is not None and standing.person.id != row.id
    act = "deactivate_person" if row.deactivated_at is None else "reactivate_person"
    return {**row._asdict(), "viewer": {"can": [act] if other else []}}


async def get(source: Source, standing: Standing, person_id: UUID) -> dict[str, Any]:
    """One person."""
    return shown(await source.one(PEOPLE.where(col(Person.id) == person_id)), standing)


async def set_active(
    work: Work, standing: Standing, person_id: UUID, expected: Expected, *, active: bool
) -> None:
    """Switches an account off or on again; every right of it ends at this instant.

    Raises OwnAccount, GrantLastHolder. Doing it twice changes nothing.
    """
    person = await work.locked(Person, person_id)
    if person.id == standing.me.id:
        raise errors.OwnAccount
    expected.check(person.version)
    if active == (person.deactivated_at is None):
        return
    now = clock.now()
    person.deactivated_at = None if active else now
    person.updated_at = now
    person.version += 1
    if not active:
        await auth.end_all_sessions(work, person.id, standing)
        await access_tokens.revoke_all(work, standing, person.id)
    kind = "account.reactivated" if active else "account.deactivated"
    activity.record(work, kind, standing, person.id)
    await _touch_rosters(work, person.id)
    await work.flush()
    await grants.refuse_without_holder(work, standing)


async def _touch_rosters(work: Work, person_id: UUID) -> None:
    """The catalogue counts seats whose holder's account runs."""
    held = await work.rows(
        sa.select(Term.community_id)
        .where(col(Term.person_id) == person_id, col(Term.community_id).is_not(None))
        .distinct()
        .order_by(col(Term.community_id))
    )
    for row in held:
        await communities.touch_roster(work, row.community_id)


async def widest_position(source: Source) -> str:
    """The position in the association that is given the most: the one for the first account."""
    row = await source.one(
        sa.select(col(Position.code))
        .join(Grant, col(Grant.grantee) == Position.code)
        .where(col(Position.scope) == PositionScope.ASSOCIATION)
        .group_by(col(Position.code))
        .order_by(sa.func.count().desc(), col(Position.code))
        .limit(1)
    )
    return row.code


async def create_staff(
    work: Work,
    *,
    name: str,
    email: str,
    position: str,
    password_hash: str | None,
    until: Any,
) -> UUID:
    """The operator's own act: an account with a running term in an association position.

    Somebody who has an account gets the term, and the password if one is given. Raises Invalid
    for a position that is not the association's.
    """
    found = await work.get(Position, position)
    if found is None or found.scope != PositionScope.ASSOCIATION:
        raise errors.Invalid(errors=[errors.field("/position", "not_known")])
    if until is None and not found.open_ended:
        raise errors.Invalid(errors=[errors.field("/ends_on", "days_required")])
    now = clock.now()
    key = address_key(email)
    existing = await work.execute(sa.select(Person).where(col(Person.email_key) == key))
    person = existing.scalars().first()
    if person is None:
        person = Person(name=name, email=email, email_key=key, created_at=now, updated_at=now)
        work.add(person)
        await work.flush()
        activity.record(work, "account.created", None, person.id, actor=(ActorKind.SYSTEM, None))
    person.email_verified_at = person.email_verified_at or now
    if password_hash is not None:
        person.password_hash = password_hash
    holds = await work.first(
        sa.select(Term.id).where(
            col(Term.person_id) == person.id,
            col(Term.position_code) == position,
            term_runs(clock.today()),
        )
    )
    if holds is None:
        term = Term(
            position_code=position,
            person_id=person.id,
            starts_on=clock.today(),
            ends_on=until,
            basis=TermBasis.APPOINTMENT,
            recorded_at=now,
            updated_at=now,
        )
        await terms.record(work, None, term, found)
    return person.id
