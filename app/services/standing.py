"""Standing: what a person may do in a community at this instant, in one statement; a second one
reads the terms of whoever has one.

Terms, membership, suspension, agreement and session are read as they are now; nothing is carried
in a token and no job has to run when one of them ends. Only the permission table is remembered,
by the version that each change of it moves.
"""

import re
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel, col

from app import clock, errors
from app.models import (
    AccessToken,
    Agreement,
    Association,
    Community,
    Membership,
    Person,
    RulesVersion,
    Session,
    Term,
)
from app.models.base import Instant
from app.policy import (
    Bounds,
    CommunityLine,
    MembershipLine,
    PersonLine,
    Standing,
    TermLine,
)
from app.reader import Prepared, Reader
from app.services import held_terms, permission_table
from app.services.seating import (
    DAY_END,
    TODAY,
    membership_runs,
    paused_until,
    suspended_until,
    verified,
)

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Where(NamedTuple):
    """Which community a request is about: none, by id or slug, or through a thing in it."""

    by: str
    value: Any = None
    through: type[SQLModel] | None = None


NOWHERE = Where("none")
# How often the use of a credential is written down.
NOTED = timedelta(minutes=1)


def at(community: str) -> Where:
    """The community of a path: its id or its slug."""
    if "\x00" in community:
        raise errors.NotFound  # PostgreSQL cannot even be asked for it
    return Where("id", UUID(community)) if _UUID.fullmatch(community) else Where("slug", community)


def through(model: type[SQLModel], thing_id: UUID) -> Where:
    """The community of a thing that is known by its id."""
    return Where("through", thing_id, model)


def rules_in_force(day: Any) -> Any:
    """The number of the version of the rules in force on a day, as a scalar."""
    return (
        sa.select(sa.func.max(RulesVersion.number))
        .where(col(RulesVersion.effective_on) <= day)
        .scalar_subquery()
    )


def community_of(by: str, model: type[SQLModel] | None) -> Any:
    """The condition that a community is the one to which a path leads."""
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


def about(by: str, model: type[SQLModel] | None) -> tuple[Any, ...]:
    """What any standing needs of the association, and of the community to which a path leads."""
    return (*_ASSOCIATION, *_COMMUNITY, _thing(by, model))


_NOW = sa.bindparam("now", type_=Instant)
# What a caller came with, and when it is good: read in the same statement as whose it is.
_SESSION: tuple[Any, ...] = (
    col(Person.id) == sa.bindparam("person_id", type_=sa.Uuid),
    col(Session.id) == sa.bindparam("session_id", type_=sa.Uuid),
    col(Session.ended_at).is_(None),
    col(Session.expires_at) > _NOW,
)
_TOKEN: tuple[Any, ...] = (
    col(AccessToken.token_hash) == sa.bindparam("token_hash", type_=sa.String),
    col(AccessToken.revoked_at).is_(None),
    col(AccessToken.expires_at) > _NOW,
)
_OF_TOKEN = (
    col(AccessToken.id).label("token_id"),
    AccessToken.scopes,
    AccessToken.communities,
    AccessToken.last_used_at,
)


@lru_cache
def _signed_in(by: str, model: type[SQLModel] | None, past: bool, token: bool) -> Prepared:
    credential: Any = AccessToken if token else Session
    end = DAY_END if past else None
    agreed = (
        sa.select(sa.func.max(Agreement.rules_version))
        .where(
            col(Agreement.person_id) == Person.id,
            *((col(Agreement.agreed_at) < end,) if past else ()),
        )
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
            *about(by, model),
            col(Membership.id).label("membership_id"),
            Membership.category,
            Membership.since_on,
            Membership.until_on,
            suspended_until(TODAY, end=end).label("suspended_until"),
            paused_until(TODAY, end=end).label("paused_until"),
            verified(TODAY, Person.id, Community.id, end).label("eligible"),
            sa.select(Term.id)
            .where(col(Term.person_id) == Person.id, *held_terms.counting(Community.id))
            .correlate(Person, Community)
            .exists()
            .label("has_terms"),
            *(_OF_TOKEN if token else ()),
        )
        .select_from(Person)
        .join(credential, col(credential.person_id) == Person.id)
        .outerjoin(Community, community_of(by, model))
        .outerjoin(
            Membership,
            sa.and_(
                col(Membership.person_id) == Person.id,
                col(Membership.community_id) == Community.id,
                membership_runs(TODAY, end=end),
            ),
        )
        .where(col(Person.deactivated_at).is_(None), *(_TOKEN if token else _SESSION))
    )
    return Prepared(found)


@lru_cache
def _nobody(by: str, model: type[SQLModel] | None) -> Prepared:
    return Prepared(
        sa.select(*about(by, model))
        .select_from(Association)
        .outerjoin(Community, community_of(by, model))
    )


async def of_person(
    reader: Reader,
    person_id: UUID,
    session_id: UUID,
    where: Where = NOWHERE,
    as_of: date | None = None,
) -> Standing:
    """The standing of whoever is signed in by this session; as it was on a day, if one is given.

    Raises TokenInvalid if the session or the account has ended: a right ends at that instant.
    """
    came_with = {"person_id": person_id, "session_id": session_id}
    return (await _account(reader, came_with, where, as_of))[1]


async def of_token(
    reader: Reader, token_hash: str, where: Where = NOWHERE, as_of: date | None = None
) -> Standing:
    """The standing of whoever a personal access token belongs to, within what the token is for.

    Raises TokenInvalid if the token is revoked or over, or the account has ended.
    """
    row, found = await _account(reader, {"token_hash": token_hash}, where, as_of)
    noted = row.last_used_at is not None and found.now - row.last_used_at < NOTED
    places, scopes = Bounds.places(row.communities), frozenset(row.scopes)
    bounds = Bounds(row.token_id, scopes, places, token_hash, not noted)
    return replace(found, bounds=bounds).confined()


async def _account(
    reader: Reader, came_with: dict[str, Any], where: Where, as_of: date | None
) -> tuple[Any, Standing]:
    """Whose credential it is, and all that they hold where the path leads."""
    now = clock.now()
    today = as_of or clock.day_of(now)
    asked = {"day_end": clock.end_of(today)} if as_of else {}
    rows = await reader.rows(
        _signed_in(where.by, where.through, as_of is not None, "token_hash" in came_with),
        **came_with,
        community=where.value,
        today=today,
        now=now,
        **asked,
    )
    if not rows:
        raise errors.TokenInvalid
    row = rows[0]
    membership = None
    if row.membership_id is not None:
        membership = MembershipLine(
            row.membership_id, row.category, row.since_on, row.until_on, row.paused_until
        )
    table = await permission_table.read(reader, row.grants_version)
    if as_of is not None:
        table = await permission_table.as_of(reader, table, clock.end_of(today))
    terms: list[TermLine] = []
    if row.has_terms:
        about = {"person_id": row.person_id, "community_id": row.community_id, "today": today}
        for found in await reader.rows(held_terms.statement(as_of is not None), **about, **asked):
            terms += held_terms.lines(found, row.community_id, table)
    return row, Standing(
        grants=table,
        now=now,
        today=today,
        rules_in_force=row.in_force or 0,  # as of a day before the first version
        person=PersonLine(row.person_id, row.name, row.occupation, row.affiliation, row.language),
        session_id=came_with.get("session_id"),
        community=community_line(row, where),
        membership=membership,
        suspended_until=row.suspended_until,
        terms=await held_terms.with_incumbents(reader, terms, today),
        rules_agreed=row.agreed,
        eligible=membership is not None and bool(row.eligible),
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
        grants=await permission_table.read(reader, row.grants_version),
        now=now,
        today=today,
        rules_in_force=row.in_force,
        community=community_line(row, where),
    )


def community_line(row: Any, where: Where) -> CommunityLine | None:
    """The community that was asked for. Raises NotFound where there is none."""
    if row.community_id is None:
        if where.by == "none" or row.thing_id is not None:
            return None  # of the association as a whole
        raise errors.NotFound
    return CommunityLine(
        row.community_id, row.slug, str(row.status), row.listed, bool(row.eligible_occupations)
    )
