"""Standing: what a person may do in a community at this instant, in one statement.

Terms, membership, suspension, agreement and session are read as they are now; nothing is carried
in a token and no job has to run when one of them ends. Only the permission table is remembered,
by the version that each change of it moves.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col

from app import clock, errors
from app.models import (
    Agreement,
    Association,
    Community,
    Grant,
    Membership,
    Person,
    Position,
    PositionScope,
    RulesVersion,
    Session,
    Suspension,
    Term,
)
from app.models.base import Instant
from app.policy import (
    CommunityLine,
    Grants,
    MembershipLine,
    PersonLine,
    Standing,
    TermLine,
)
from app.reader import Prepared, Reader

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Where(NamedTuple):
    """Which community a request is about: none, by id or slug, or through a thing in it."""

    by: str
    value: Any = None
    through: type[SQLModel] | None = None


NOWHERE = Where("none")


def at(community: str) -> Where:
    """The community of a path: its id or its slug."""
    if "\x00" in community:
        raise errors.NotFound  # PostgreSQL cannot even be asked for it
    return Where("id", UUID(community)) if _UUID.fullmatch(community) else Where("slug", community)


def through(model: type[SQLModel], thing_id: UUID) -> Where:
    """The community of a thing that is known by its id."""
    return Where("through", thing_id, model)


# What runs today, said once; every reader of terms and memberships uses these.


def term_runs(day: Any) -> Any:
    """The condition that a term runs on a day."""
    return sa.and_(col(Term.starts_on) <= day, term_is_not_over(day))


def term_is_not_over(day: Any) -> Any:
    """The condition that a term runs on a day or is still to come."""
    return sa.and_(
        sa.or_(col(Term.ends_on).is_(None), col(Term.ends_on) >= day), col(Term.ended_at).is_(None)
    )


def membership_runs(day: Any, membership: Any = Membership) -> Any:
    """The condition that a membership runs on a day."""
    return sa.and_(
        col(membership.since_on) <= day,
        sa.or_(col(membership.until_on).is_(None), col(membership.until_on) >= day),
        col(membership.ended_at).is_(None),
    )


def suspended_until(day: Any) -> Any:
    """The last day of the suspension of a membership that runs on a day, as a scalar."""
    return (
        sa.select(sa.func.max(Suspension.until_on))
        .where(
            col(Suspension.membership_id) == Membership.id,
            col(Suspension.lifted_at).is_(None),
            col(Suspension.until_on) >= day,
        )
        .scalar_subquery()
    )


# The holder's own rows, apart from those that the statement around may already be about.
_Belonging = aliased(Membership)
_Holder = aliased(Person)


def holds_seat(day: Any) -> Any:
    """The condition that a term gives its holder the seat on a day: membership and account run."""
    belongs = (
        sa.select(_Belonging.id)
        .where(
            col(_Belonging.community_id) == Term.community_id,
            col(_Belonging.person_id) == Term.person_id,
            membership_runs(day, _Belonging),
        )
        .correlate(Term)
        .exists()
    )
    active = (
        sa.select(_Holder.id)
        .where(col(_Holder.id) == Term.person_id, col(_Holder.deactivated_at).is_(None))
        .correlate(Term)
        .exists()
    )
    return sa.and_(term_runs(day), active, sa.or_(col(Term.community_id).is_(None), belongs))


TODAY = sa.bindparam("today", type_=sa.Date)


def rules_in_force(day: Any) -> Any:
    """The number of the version of the rules in force on a day, as a scalar."""
    return (
        sa.select(sa.func.max(RulesVersion.number))
        .where(col(RulesVersion.effective_on) <= day)
        .scalar_subquery()
    )


def _community(by: str, model: type[SQLModel] | None) -> Any:
    if by == "id":
        return col(Community.id) == sa.bindparam("community", type_=sa.Uuid)
    if by == "slug":
        return col(Community.slug) == sa.bindparam("community", type_=sa.String)
    if by == "through" and model is not None:
        thing: Any = model
        found = sa.select(thing.community_id).where(
            thing.id == sa.bindparam("community", type_=sa.Uuid)
        )
        return col(Community.id) == found.scalar_subquery()
    return sa.false()


_COMMUNITY = (
    col(Community.id).label("community_id"),
    col(Community.slug),
    col(Community.status),
    col(Community.listed),
    col(Community.eligible_occupations),
)
_ASSOCIATION = (
    sa.select(Association.grants_version).scalar_subquery().label("grants_version"),
    rules_in_force(TODAY).label("in_force"),
)


def _thing(by: str, model: type[SQLModel] | None) -> Any:
    """The id of the thing through which the community was found: it may belong to none."""
    if by != "through" or model is None:
        return sa.null().label("thing_id")
    thing: Any = model
    found = sa.select(thing.id).where(thing.id == sa.bindparam("community", type_=sa.Uuid))
    return found.scalar_subquery().label("thing_id")


@lru_cache
def _signed_in(by: str, model: type[SQLModel] | None) -> Prepared:
    agreed = (
        sa.select(sa.func.max(Agreement.rules_version))
        .where(col(Agreement.person_id) == Person.id)
        .scalar_subquery()
    )
    found = (
        sa.select(
            col(Person.id).label("person_id"),
            Person.name,
            Person.occupation,
            Person.affiliation,
            Person.language,
            agreed.label("agreed"),
            *_ASSOCIATION,
            *_COMMUNITY,
            _thing(by, model),
            col(Membership.id).label("membership_id"),
            Membership.category,
            Membership.since_on,
            Membership.until_on,
            suspended_until(TODAY).label("suspended_until"),
            col(Term.id).label("term_id"),
            Term.position_code,
            Term.starts_on,
            Term.ends_on,
            col(Term.community_id).label("term_community_id"),
        )
        .select_from(Person)
        .join(Session, col(Session.person_id) == Person.id)
        .outerjoin(Community, _community(by, model))
        .outerjoin(
            Membership,
            sa.and_(
                col(Membership.person_id) == Person.id,
                col(Membership.community_id) == Community.id,
                membership_runs(TODAY),
            ),
        )
        .outerjoin(
            Term,
            sa.and_(
                col(Term.person_id) == Person.id,
                term_runs(TODAY),
                sa.or_(col(Term.community_id).is_(None), col(Term.community_id) == Community.id),
            ),
        )
        .where(
            col(Person.id) == sa.bindparam("person_id", type_=sa.Uuid),
            col(Person.deactivated_at).is_(None),
            col(Session.id) == sa.bindparam("session_id", type_=sa.Uuid),
            col(Session.ended_at).is_(None),
            col(Session.expires_at) > sa.bindparam("now", type_=Instant),
        )
    )
    return Prepared(found)


@lru_cache
def _nobody(by: str, model: type[SQLModel] | None) -> Prepared:
    return Prepared(
        sa.select(*_ASSOCIATION, *_COMMUNITY, _thing(by, model))
        .select_from(Association)
        .outerjoin(Community, _community(by, model))
    )


async def of_person(
    reader: Reader, person_id: UUID, session_id: UUID, where: Where = NOWHERE
) -> Standing:
    """The standing of whoever is signed in by this session.

    Raises TokenInvalid if the session or the account has ended: a right ends at that instant.
    """
    now = clock.now()
    today = clock.day_of(now)
    rows = await reader.rows(
        _signed_in(where.by, where.through),
        person_id=person_id,
        session_id=session_id,
        community=where.value,
        today=today,
        now=now,
    )
    if not rows:
        raise errors.TokenInvalid
    row = rows[0]
    membership = None
    if row.membership_id is not None:
        membership = MembershipLine(row.membership_id, row.category, row.since_on, row.until_on)
    return Standing(
        grants=await grants(reader, row.grants_version),
        now=now,
        today=today,
        rules_in_force=row.in_force,
        person=PersonLine(row.person_id, row.name, row.occupation, row.affiliation, row.language),
        session_id=session_id,
        community=_community_line(row, where),
        membership=membership,
        suspended_until=row.suspended_until,
        terms=tuple(
            TermLine(
                found.term_id,
                found.position_code,
                found.starts_on,
                found.ends_on,
                found.term_community_id is not None,
            )
            for found in rows
            if found.term_id is not None
        ),
        rules_agreed=row.agreed,
    )


async def of_nobody(reader: Reader, where: Where = NOWHERE) -> Standing:
    """The standing of somebody who is not signed in."""
    now = clock.now()
    today = clock.day_of(now)
    row = await reader.shared(
        ("nobody", where, today),
        lambda: reader.first(_nobody(where.by, where.through), community=where.value, today=today),
    )
    if row is None:
        raise errors.Unavailable
    return Standing(
        grants=await grants(reader, row.grants_version),
        now=now,
        today=today,
        rules_in_force=row.in_force,
        community=_community_line(row, where),
    )


def _community_line(row: Any, where: Where) -> CommunityLine | None:
    if row.community_id is None:
        if where.by == "none" or row.thing_id is not None:
            return None  # of the association as a whole
        raise errors.NotFound
    return CommunityLine(
        row.community_id, row.slug, str(row.status), row.listed, bool(row.eligible_occupations)
    )


# The permission table

_GRANTS = Prepared(sa.select(Grant.capability, Grant.grantee))
_RANKS = Prepared(sa.select(Position.code, Position.scope, Position.rank))


async def grants(reader: Reader, version: int) -> Grants:
    """The permission table of this version, remembered until a change moves the version."""
    known: Grants | None = reader.remembered.get("grants")
    if known is not None and known.version == version:
        return known
    table: dict[str, set[str]] = {}
    for row in await reader.rows(_GRANTS):
        table.setdefault(row.capability, set()).add(row.grantee)
    ranks = {
        row.code: (0 if row.scope == PositionScope.COMMUNITY else 1, row.rank)
        for row in await reader.rows(_RANKS)
    }
    found = Grants(version, _frozen(table), ranks)
    reader.remembered["grants"] = found
    return found


def _frozen(table: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {capability: frozenset(held) for capability, held in table.items()}
