"""Subcommittees: purpose-driven parts of a community, with seats of their own."""

from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work
from app.listing import Listing
from app.models import Position, PositionScope, Seat, Subcommittee, Term, TermEnding
from app.policy import Capability, Standing
from app.preconditions import Expected, merge
from app.services import communities, seating, seats, terms
from app.services.seating import TODAY
from app.services.seats import Wanted

_COLUMNS = tuple(sa.inspect(Subcommittee).columns)


@lru_cache
def listing(status: str | None) -> Listing:
    """The subcommittees of a community, at work or dissolved, in the order of making."""
    query = sa.select(*_COLUMNS).where(
        col(Subcommittee.community_id) == sa.bindparam("community", type_=sa.Uuid)
    )
    if status is not None:
        day = col(Subcommittee.dissolved_on)
        query = query.where(day.is_(None) if status == "active" else day.is_not(None))
    return Listing(query, col(Subcommittee.id))


async def shown_all(source: Source, standing: Standing, rows: list[Any]) -> list[dict[str, Any]]:
    """Subcommittees with the number of their seats, in one statement for all of them."""
    counted: dict[UUID, list[dict[str, Any]]] = {}
    found = await source.rows(
        sa.select(Seat.body_id, Seat.position_code, sa.func.count().label("seats"))
        .join(Position, col(Position.code) == Seat.position_code)
        .where(col(Seat.body_id).in_([row.id for row in rows]), seating.seat_exists(TODAY))
        .group_by(col(Seat.body_id), col(Seat.position_code), col(Position.rank))
        .order_by(col(Position.rank), col(Seat.position_code)),
        today=standing.today,
    )
    for row in found:
        counted.setdefault(row.body_id, []).append(
            {"position": row.position_code, "seats": row.seats}
        )
    can = _affordances(standing)
    return [
        {
            **row._asdict(),
            "status": "active" if row.dissolved_on is None else "dissolved",
            "seats": counted.get(row.id, []),
            "viewer": {"can": can if row.dissolved_on is None else []},
        }
        for row in rows
    ]


def _affordances(standing: Standing) -> list[str]:
    if standing.here.archived:
        return []
    leads = standing.can(Capability.COMMUNITIES_UPDATE)
    appoints = leads or standing.can(Capability.LEADERSHIP_APPOINT)
    can = ["update_subcommittee", "dissolve_subcommittee"] if leads else []
    return can + (["begin_subcommittee_term"] if appoints else [])


async def get(source: Source, standing: Standing, subcommittee_id: UUID) -> dict[str, Any]:
    """One subcommittee."""
    row = await source.one(sa.select(*_COLUMNS).where(col(Subcommittee.id) == subcommittee_id))
    return (await shown_all(source, standing, [row]))[0]


async def create(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """A new subcommittee of the community, with its seats, vacant. Raises Invalid."""
    standing.require_active()
    now = clock.now()
    made = Subcommittee(
        community_id=standing.here.id,
        name=body["name"],
        purpose=body["purpose"],
        created_at=now,
        updated_at=now,
    )
    known = await _positions(work, body["seats"])
    work.add(made)
    await work.flush()
    said = {one["position"]: one["seats"] for one in body["seats"]}
    for code, position in known.items():
        number = said.get(code, seats.usual(position))
        await seats.settle(work, position, [_wanted(made, number)])
    activity.record(work, "subcommittee.created", standing, made.id, community_id=made.community_id)
    await work.flush()
    return await get(work, standing, made.id)


def _wanted(subcommittee: Subcommittee, number: int) -> Wanted:
    return Wanted(number, subcommittee.community_id, subcommittee.id)


async def _positions(work: Work, said: list[dict[str, Any]]) -> dict[str, Position]:
    """The positions that have seats in subcommittees. Raises Invalid for others, and for one that
    is named twice."""
    found = await seats.numbered(work, PositionScope.SUBCOMMITTEE)
    known = {position.code: position for position in found}
    codes = [one["position"] for one in said]
    wrong = [
        errors.field(
            f"/seats/{index}/position", "duplicate" if code in codes[:index] else "not_known"
        )
        for index, code in enumerate(codes)
        if code not in known or code in codes[:index]
    ]
    if wrong:
        raise errors.Invalid(errors=wrong)
    return known


async def working(work: Work, standing: Standing, subcommittee_id: UUID) -> Subcommittee:
    """The subcommittee, locked. Raises CommunityArchived, SubcommitteeDissolved."""
    standing.require_active()
    found = await work.locked(Subcommittee, subcommittee_id)
    if found.dissolved_on is not None:
        raise errors.SubcommitteeDissolved
    return found


async def update(
    work: Work,
    standing: Standing,
    subcommittee_id: UUID,
    patch: dict[str, Any],
    expected: Expected,
) -> dict[str, Any]:
    """Changes what it is called, what it is for, and how many seats it has of what is named.

    Raises Invalid, SubcommitteeDissolved, SeatInUse.
    """
    found = await working(work, standing, subcommittee_id)
    expected.check(found.version)
    said = patch.pop("seats", [])
    known = await _positions(work, said)
    before = (await get(work, standing, found.id))["seats"]
    for one in said:
        await seats.settle(work, known[one["position"]], [_wanted(found, one["seats"])])
    changed = merge(found, patch)
    if (await get(work, standing, found.id))["seats"] != before:
        found.version += 0 if changed else 1
        changed = [*changed, "seats"]
    if changed:
        found.updated_at = clock.now()
        activity.record(
            work,
            "subcommittee.updated",
            standing,
            found.id,
            community_id=found.community_id,
            members=changed,
        )
        await work.flush()
    return await get(work, standing, found.id)


async def dissolve(
    work: Work, standing: Standing, subcommittee_id: UUID, expected: Expected
) -> dict[str, Any]:
    """Dissolves a subcommittee: its terms, those that are planned too, end at this instant.

    Raises SubcommitteeDissolved.
    """
    found = await working(work, standing, subcommittee_id)
    expected.check(found.version)
    # First the seats, as appointments do: one that is under way is ended here, or finds none.
    await work.execute(
        sa.select(Seat.id).where(col(Seat.body_id) == found.id).order_by(Seat.id).with_for_update()
    )
    ending = await work.execute(
        sa.select(Term)
        .where(col(Term.body_id) == found.id, seating.term_is_not_over(standing.today))
        .order_by(col(Term.id))
        .with_for_update()
    )
    ended = list(ending.scalars())
    for term in ended:
        await terms.end(work, standing, term, TermEnding.LAPSED, None)
    await seats.close_all(work, found)
    found.dissolved_on = standing.today
    found.updated_at = clock.now()
    found.version += 1
    activity.record(
        work,
        "subcommittee.dissolved",
        standing,
        found.id,
        community_id=found.community_id,
        terms=[term.id for term in ended],
    )
    await communities.touch_roster(work, found.community_id)
    await work.flush()
    return await get(work, standing, found.id)


async def begin_term(
    work: Work, standing: Standing, subcommittee_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Records a term in a subcommittee; see terms.begin."""
    found = await working(work, standing, subcommittee_id)
    return await terms.begin(work, standing, body, subcommittee=found)
