"""Positions: what an association calls its offices, how many seats they have, who may hold them.

A position is never deleted, since terms of long ago name it, and its code and scope never change.
Rights are remembered by the version of the permission table, which each change here moves.
"""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work
from app.models import Association, Position, PositionScope
from app.policy import BASE_GRANTEES, Capability, Standing
from app.preconditions import Expected, merge
from app.services import grants, seats

_COLUMNS = tuple(sa.inspect(Position).columns)
_ORDER = {
    PositionScope.COMMUNITY: 0,
    PositionScope.SUBCOMMITTEE: 1,
    PositionScope.ASSOCIATION: 2,
}
# They give one position's rights to the holders of another.
_GIVING = ("acts_for", "held_with")


async def table(source: Source, standing: Standing) -> list[dict[str, Any]]:
    """The positions, the communities' first, by rank."""
    found = [_shown(row, standing) for row in await source.rows(sa.select(*_COLUMNS))]
    return sorted(found, key=lambda one: (_ORDER[one["scope"]], one["rank"], one["code"]))


def _shown(row: Any, standing: Standing) -> dict[str, Any]:
    may_update = standing.can(Capability.ASSOCIATION_MANAGE)
    return {**row._asdict(), "viewer": {"can": ["update_position"] if may_update else []}}


async def get(source: Source, standing: Standing, code: str) -> dict[str, Any]:
    """One position."""
    row = await source.one(sa.select(*_COLUMNS).where(col(Position.code) == code))
    return _shown(row, standing)


async def create(work: Work, standing: Standing, values: dict[str, Any]) -> dict[str, Any]:
    """A new position, with its seats, vacant, in the association or in every community.

    Raises Invalid, PositionCodeTaken; PermissionDenied where it gives another position's rights
    and the caller may not give rights.
    """
    association = await work.locked(Association, 1)
    code = values["code"]
    if code in BASE_GRANTEES or await work.get(Position, code) is not None:
        raise errors.PositionCodeTaken
    if any(values[member] is not None for member in _GIVING):
        standing.require(Capability.GRANTS_MANAGE)
    position = Position(**values, updated_at=clock.now())
    await _refuse_unfit(work, position)
    work.add(position)
    await work.flush()
    await seats.settle_everywhere(work, position)
    association.grants_version += 1
    activity.record(work, "position.created", standing, code, scope=position.scope)
    await work.flush()
    return await get(work, standing, code)


async def update(
    work: Work, standing: Standing, code: str, patch: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Changes a position; with the number of its seats, they open or close.

    Raises Invalid, SeatInUse, GrantLastHolder; PermissionDenied where it gives or takes another
    position's rights and the caller may not.
    """
    association = await work.locked(Association, 1)
    # Not locked itself: whoever is just recording a term refers to it. The association's row is.
    position = await work.entity(sa.select(Position).where(col(Position.code) == code))
    expected.check(position.version)
    before = {member: getattr(position, member) for member in _GIVING}
    if any(patch.get(member, was) != was for member, was in before.items()):
        standing.require(Capability.GRANTS_MANAGE)
    changed = merge(position, patch)
    if not changed:
        return await get(work, standing, code)
    await _refuse_unfit(work, position)
    position.updated_at = clock.now()
    await work.flush()
    if {"seats", "held_with"} & set(changed):
        await seats.settle_everywhere(work, position)
    association.grants_version += 1
    activity.record(work, "position.updated", standing, code, members=changed)
    await work.flush()
    if set(_GIVING) & set(changed):
        await grants.refuse_without_holder(work, standing)
    return await get(work, standing, code)


# How positions stand to each other


async def _refuse_unfit(work: Work, position: Position) -> None:
    with work.no_autoflush:
        wrong = misfits(position, await _others(work, position))
    if wrong:
        raise errors.Invalid(errors=wrong)


async def _others(source: Source, position: Position) -> dict[str, Any]:
    """How every other position stands to others, by its code."""
    rows = await source.rows(
        sa.select(Position.code, Position.scope, Position.acts_for, Position.held_with)
    )
    return {row.code: row for row in rows if row.code != position.code}


def misfits(position: Position, known: dict[str, Any]) -> list[dict[str, str]]:
    """What is wrong with what a position says of others, as a validation problem has it.

    Whoever acts for a seat sits in the same body, by one position alone, and with a seat of their
    own; offices of the association alone come with another position, which has terms of its own.
    """
    wrong = []
    if position.acts_for is not None:
        other = known.get(position.acts_for)
        taken = any(one.acts_for == position.acts_for for one in known.values())
        if other is None:
            wrong.append(errors.field("/acts_for", "not_known"))
        elif (
            taken
            or other.scope != position.scope
            or other.held_with is not None
            or position.held_with is not None
            or _leads_back(position, known)
        ):
            wrong.append(errors.field("/acts_for", "position_unfit"))
    if position.held_with is not None:
        other = known.get(position.held_with)
        carried = any(one.held_with == position.code for one in known.values())
        if other is None:
            wrong.append(errors.field("/held_with", "not_known"))
        elif position.scope != PositionScope.ASSOCIATION or other.held_with is not None or carried:
            wrong.append(errors.field("/held_with", "position_unfit"))
        if position.seats is not None:
            wrong.append(errors.field("/seats", "seats_of_another"))
    return wrong


def _leads_back(position: Position, known: dict[str, Any]) -> bool:
    """True if following who acts for whom ends where it began."""
    code, seen = position.acts_for, set()
    while code is not None and code not in seen:
        if code == position.code:
            return True
        seen.add(code)
        code = known[code].acts_for if code in known else None
    return False
