"""The permission table as it is read: remembered until a change moves its version."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from app.models import Activity, Grant, Position, PositionScope
from app.policy import Grants
from app.reader import Prepared, Reader
from app.services.seating import DAY_END

_GRANTS = Prepared(sa.select(Grant.capability, Grant.grantee))
_POSITIONS = Prepared(
    sa.select(
        Position.code, Position.scope, Position.rank, Position.acts_for, Position.held_with
    ).order_by(col(Position.rank))
)


async def read(reader: Reader, version: int) -> Grants:
    """The permission table of this version, remembered until a change moves the version."""
    known: Grants | None = reader.remembered.get("grants")
    if known is not None and known.version == version:
        return known
    table: dict[str, set[str]] = {}
    for row in await reader.rows(_GRANTS):
        table.setdefault(row.capability, set()).add(row.grantee)
    positions = await reader.rows(_POSITIONS)
    offices: dict[str, tuple[str, ...]] = {}
    for row in positions:
        if row.held_with is not None:
            offices[row.held_with] = (*offices.get(row.held_with, ()), row.code)
    found = Grants(
        version,
        _frozen(table),
        ranks={row.code: (_PLACES[row.scope], row.rank) for row in positions},
        acts_for={row.code: row.acts_for for row in positions if row.acts_for is not None},
        held_with=offices,
    )
    reader.remembered["grants"] = found
    return found


_PLACES = {
    PositionScope.COMMUNITY: 0,
    PositionScope.SUBCOMMITTEE: 1,
    PositionScope.ASSOCIATION: 2,
}

_CHANGES = Prepared(
    sa.select(Activity.subject_id, Activity.facts)
    .where(
        col(Activity.kind) == "grant.changed",
        col(Activity.occurred_at) >= DAY_END,
    )
    .order_by(col(Activity.id).desc())
)


async def as_of(reader: Reader, present: Grants, end: datetime) -> Grants:
    """The permission table as it was at an instant: the present one without what came after."""
    table = {capability: set(held) for capability, held in present.table.items()}
    for row in await reader.rows(_CHANGES, day_end=end):
        held = table.setdefault(row.subject_id, set())
        held.difference_update(row.facts["added"])
        held.update(row.facts["removed"])
    return replace(present, table=_frozen(table))


def _frozen(table: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {capability: frozenset(held) for capability, held in table.items()}
