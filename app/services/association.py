"""The association's own data: who it is, its closed lists, and its permission table."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity, errors, policy, settings, texts
from app.db import Source, Work
from app.models import (
    Association,
    Grant,
    Occupation,
    Person,
    Position,
    PositionScope,
    Term,
    Territory,
)
from app.policy import Capability, Standing
from app.preconditions import Expected
from app.reader import Prepared
from app.services.standing import rules_in_force, term_runs

_COLUMNS = tuple(col(column) for column in Association.__table__.columns)  # type: ignore[attr-defined]


def _association(day: Any) -> sa.Select[Any]:
    return sa.select(*_COLUMNS, rules_in_force(day).label("rules_version"))


async def get(source: Source, standing: Standing) -> dict[str, Any]:
    """The association."""
    row = await source.one(_association(standing.today))
    notice = dict(row.privacy_notice)
    return {
        **row._asdict(),
        "time_zone": settings.get().zone.key,
        "notices": row.notices,
        "privacy_notice": {"version": notice["version"], "text": notice["text"]},
    }


async def update(work: Work, standing: Standing, patch: dict[str, Any], expected: Expected) -> None:
    """Changes the association's texts; a new privacy notice gets the next version."""
    association = await work.locked(Association, 1)
    expected.check(association.version)
    for member, value in patch.items():
        if member == "privacy_notice":
            version = association.privacy_notice["version"] + 1
            association.privacy_notice = {"version": version, "text": value}
        else:
            setattr(association, member, value)
    if patch:
        association.version += 1
        activity.record(
            work, "association.updated", standing, association.code, members=list(patch)
        )
        await work.flush()


async def occupations(source: Source) -> list[dict[str, Any]]:
    """The closed list of occupations, in the order of forms."""
    return [row._asdict() for row in await source.rows(_OCCUPATIONS)]


async def territories(source: Source) -> list[dict[str, Any]]:
    """The closed list of territories."""
    return [row._asdict() for row in await source.rows(_TERRITORIES)]


async def positions(source: Source) -> list[dict[str, Any]]:
    """The positions, the communities' first, by rank."""
    found = await source.rows(_POSITIONS)
    return [
        row._asdict() for row in sorted(found, key=lambda row: (row.scope != "community", row.rank))
    ]


_OCCUPATIONS = Prepared(
    sa.select(Occupation.code, Occupation.label).order_by(col(Occupation.place))
)
_TERRITORIES = Prepared(sa.select(Territory.code, Territory.name).order_by(col(Territory.place)))
_POSITIONS = Prepared(
    sa.select(
        Position.code,
        Position.scope,
        Position.rank,
        Position.seats,
        Position.title,
        Position.term_months,
        Position.open_ended,
    )
)


async def refuse_unknown_codes(
    source: Source, occupation_code: str | None, territory: str | None
) -> None:
    """Raises Invalid for codes that the closed lists do not have."""
    wrong = []
    if occupation_code is not None and not await source.rows(
        sa.select(Occupation.code).where(col(Occupation.code) == occupation_code)
    ):
        wrong.append(errors.field("/occupation_code", "not_known"))
    if territory is not None and not await source.rows(
        sa.select(Territory.code).where(col(Territory.code) == territory)
    ):
        wrong.append(errors.field("/territory", "not_known"))
    if wrong:
        raise errors.Invalid(errors=wrong)


# The permission table


def _grant(standing: Standing, capability: Capability, granted_to: list[str]) -> dict[str, Any]:
    base = [grantee for grantee in policy.BASE_GRANTEES if grantee in granted_to]
    held = [grantee for grantee in granted_to if grantee not in base]
    held.sort(key=lambda code: (standing.grants.ranks.get(code, (9, 0)), code))
    return {
        "capability": capability,
        "meaning": {
            language: texts.text("capabilities", capability, language)
            for language in texts.LANGUAGES
        },
        "granted_to": base + held,
        "open_to_all": capability in policy.OPEN_TO_ALL,
        "version": standing.grants.version,
    }


def grants(standing: Standing) -> list[dict[str, Any]]:
    """The permission table, one row for each capability."""
    return [_grant(standing, c, list(standing.grants.to(c))) for c in Capability]


def grant(standing: Standing, capability: Capability) -> dict[str, Any]:
    """One row of the permission table."""
    return _grant(standing, capability, list(standing.grants.to(capability)))


async def replace_grant(
    work: Work,
    standing: Standing,
    capability: Capability,
    granted_to: list[str],
    expected: Expected,
) -> dict[str, Any]:
    """Gives a capability to exactly these; effective at the next request of anybody.

    Raises Invalid for unknown grantees, GrantCeiling, GrantLastHolder.
    """
    association = await work.locked(Association, 1)
    expected.check(association.grants_version)
    known = {row.code for row in await work.rows(sa.select(Position.code))}
    known.update(policy.BASE_GRANTEES)
    unknown = [
        errors.field(f"/granted_to/{index}", "not_known")
        for index, grantee in enumerate(granted_to)
        if grantee not in known
    ]
    if unknown:
        raise errors.Invalid(errors=unknown)
    if any(policy.ceiling(capability, grantee) for grantee in granted_to):
        raise errors.GrantCeiling
    if capability is Capability.GRANTS_MANAGE:
        await refuse_without_holder(work, standing, granted_to)
    before = set(standing.grants.to(capability))
    added, removed = set(granted_to) - before, before - set(granted_to)
    if added or removed:
        await work.execute(
            sa.delete(Grant).where(
                col(Grant.capability) == capability, col(Grant.grantee).in_(removed)
            )
        )
        work.add_all(Grant(capability=capability, grantee=grantee) for grantee in added)
        association.grants_version += 1
        activity.record(work, "grant.changed", standing, capability, added=added, removed=removed)
        await work.flush()
    return _grant(standing, capability, list(granted_to)) | {"version": association.grants_version}


async def refuse_without_holder(
    work: Work, standing: Standing, granted_to: list[str] | None = None
) -> None:
    """Raises GrantLastHolder unless somebody is left who may change the table again.

    Called within the change that could take the last one away, so that it is undone as a whole.
    """
    # One such change at a time: the last two must not take each other away at the same moment.
    await work.locked(Association, 1)
    if granted_to is None:
        rows = await work.rows(
            sa.select(Grant.grantee).where(col(Grant.capability) == Capability.GRANTS_MANAGE)
        )
        granted_to = [row.grantee for row in rows]
    left = await work.first(
        sa.select(Term.id)
        .join(Position, col(Position.code) == Term.position_code)
        .join(Person, col(Person.id) == Term.person_id)
        .where(
            col(Term.position_code).in_(granted_to),
            col(Position.scope) == PositionScope.ASSOCIATION,
            col(Person.deactivated_at).is_(None),
            term_runs(standing.today),
        )
        .limit(1)
    )
    if left is None:
        raise errors.GrantLastHolder
