"""The permission table, and who may change it."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import ceilings, clock, errors, policy, texts
from app.db import Source, Work
from app.models import (
    Association,
    Grant,
    Position,
    PositionScope,
    Term,
)
from app.policy import Capability, Standing
from app.reader import Prepared
from app.services import seating
from app.services.seating import TODAY

# The table


def _row(standing: Standing, capability: Capability) -> dict[str, Any]:
    granted_to = standing.grants.to(capability)
    manages = standing.can(Capability.GRANTS_MANAGE)
    base = [grantee for grantee in policy.BASE_GRANTEES if grantee in granted_to]
    return {
        "capability": capability,
        "meaning": {
            language: texts.text("capabilities", capability, language)
            for language in texts.LANGUAGES
        },
        "granted_to": base + standing.grants.positions(capability),
        "ceiling": ceilings.of(capability),
        "version": standing.grants.version,
        "viewer": {"can": ["propose_grant_change"] if manages else []},
    }


def table(standing: Standing) -> list[dict[str, Any]]:
    """The permission table, one row for each capability."""
    return [_row(standing, capability) for capability in Capability]


def get(standing: Standing, capability: Capability) -> dict[str, Any]:
    """One row of the permission table."""
    return _row(standing, capability)


# Who may change it


def _giving(grantees: Any) -> sa.Select[Any]:
    """The positions by which one of these grantees gives something in the association: those of the
    association, and those with which one of them is held."""
    office = aliased(Position)
    with_it = (
        sa.select(col(office.code))
        .where(
            col(office.code).in_(grantees),
            col(office.scope) == PositionScope.ASSOCIATION,
            col(office.held_with) == Position.code,
        )
        .correlate(Position)
        .exists()
    )
    of_association = sa.and_(
        col(Position.code).in_(grantees), col(Position.scope) == PositionScope.ASSOCIATION
    )
    return sa.select(col(Position.code)).where(sa.or_(of_association, with_it))


def _holders(grantees: Any) -> sa.Select[Any]:
    """The people to whom one of these grantees gives something in the association today, by what
    they hold or by what they act in."""
    mine, giving = aliased(Position), _giving(grantees)
    return (
        sa.select(col(Term.person_id))
        .join(mine, col(mine.code) == Term.position_code)
        .where(
            sa.or_(
                sa.and_(col(Term.position_code).in_(giving), seating.counts(TODAY)),
                sa.and_(col(mine.acts_for).in_(giving), seating.acting_seat(TODAY).is_not(None)),
            )
        )
        .distinct()
    )


_MANAGERS = sa.select(col(Grant.grantee)).where(col(Grant.capability) == Capability.GRANTS_MANAGE)
_MAY_CHANGE = Prepared(_holders(_MANAGERS))
_GIVEN = Prepared(
    _holders(
        sa.select(col(Grant.grantee)).where(
            col(Grant.capability) == sa.bindparam("capability", type_=sa.String)
        )
    )
)


async def holders(source: Source) -> set[UUID]:
    """The people who may change the table at this moment."""
    return {row.person_id for row in await source.rows(_MAY_CHANGE, today=clock.today())}


async def holders_of(source: Source, capability: Capability) -> set[UUID]:
    """The people to whom what they hold gives a capability in the association at this moment."""
    rows = await source.rows(_GIVEN, capability=capability, today=clock.today())
    return {row.person_id for row in rows}


async def refuse_without_holder(
    work: Work, standing: Standing, granted_to: list[str] | None = None
) -> None:
    """Raises GrantLastHolder unless somebody is left who may change the table again.

    Called within the change that could take the last one away, so that it is undone as a whole.
    """
    # One such change at a time: the last two must not take each other away at the same moment.
    await work.locked(Association, 1)
    found = _MAY_CHANGE if granted_to is None else _holders(granted_to).limit(1)
    if await work.first(found, today=standing.today) is None:
        raise errors.GrantLastHolder


async def refuse_if_last(work: Work, standing: Standing, positions: set[str]) -> None:
    """The same where a holder of these positions loses them, if they give that right at all."""
    giving = _giving(_MANAGERS)
    concerned = sa.select(col(Position.code)).where(
        col(Position.code).in_(positions),
        sa.or_(col(Position.code).in_(giving), col(Position.acts_for).in_(giving)),
    )
    if await work.first(concerned.limit(1)) is not None:
        await refuse_without_holder(work, standing)
