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
from app.services import seating
from app.services.seating import TODAY

# The table


def _row(standing: Standing, capability: Capability) -> dict[str, Any]:
    granted_to = standing.grants.to(capability)
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
    }


def table(standing: Standing) -> list[dict[str, Any]]:
    """The permission table, one row for each capability."""
    return [_row(standing, capability) for capability in Capability]


def get(standing: Standing, capability: Capability) -> dict[str, Any]:
    """One row of the permission table."""
    return _row(standing, capability)


# Who may change it


def _holders(grantees: Any) -> sa.Select[Any]:
    """The people to whom one of these grantees gives something in the association today: by a
    position there, by one that is held with it, or by acting in either."""
    with_it, mine = aliased(Position), aliased(Position)
    giving = sa.select(col(Position.code)).where(
        sa.or_(
            sa.and_(
                col(Position.code).in_(grantees),
                col(Position.scope) == PositionScope.ASSOCIATION,
            ),
            sa.select(col(with_it.code))
            .where(
                col(with_it.code).in_(grantees),
                col(with_it.scope) == PositionScope.ASSOCIATION,
                col(with_it.held_with) == Position.code,
            )
            .correlate(Position)
            .exists(),
        )
    )
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


_MAY_CHANGE = _holders(
    sa.select(col(Grant.grantee)).where(col(Grant.capability) == Capability.GRANTS_MANAGE)
)


async def holders(source: Source) -> set[UUID]:
    """The people who may change the table at this moment."""
    return {row.person_id for row in await source.rows(_MAY_CHANGE, today=clock.today())}


async def refuse_without_holder(
    work: Work, standing: Standing, granted_to: list[str] | None = None
) -> None:
    """Raises GrantLastHolder unless somebody is left who may change the table again.

    Called within the change that could take the last one away, so that it is undone as a whole.
    """
    # One such change at a time: the last two must not take each other away at the same moment.
    await work.locked(Association, 1)
    found = _MAY_CHANGE if granted_to is None else _holders(granted_to)
    if await work.first(found.limit(1), today=standing.today) is None:
        raise errors.GrantLastHolder
