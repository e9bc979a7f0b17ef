"""Seats: how many a body has of a position, and how they open and close.

A seat that is closed stays where it was for those who read history; it opens again when there are
to be more. One that is held, or promised by a planned term or an election, is never closed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work
from app.models import (
    Association,
    Community,
    Contest,
    Election,
    Position,
    PositionScope,
    Seat,
    SeatDeviation,
    Subcommittee,
    Term,
)
from app.policy import Capability, Standing
from app.preconditions import Expected
from app.services import seating
from app.services.seating import TODAY


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many seats of a position a body is to have: a community, a subcommittee of one, or (with
    neither) the association."""

    seats: int
    community_id: UUID | None = None
    subcommittee_id: UUID | None = None

    @property
    def body_id(self) -> UUID | None:
        """What the seats belong to."""
        return self.subcommittee_id or self.community_id


def usual(position: Position) -> int:
    """How many seats a position has where nothing else is said; none of its own if any number of
    people may hold it, or if it comes with another."""
    return 0 if position.seats is None or position.held_with is not None else position.seats


async def settle(work: Work, position: Position, wanted: Iterable[Wanted]) -> None:
    """Opens and closes seats until each body has as many as it is to have.

    Raises SeatInUse, which says in how many communities, and leaves everything as it was.
    """
    bodies = {body.body_id: body for body in wanted}
    # Held for this unit of work: an appointment waits, and then finds the seat closed or taken.
    found = await work.execute(
        sa.select(Seat)
        .where(
            col(Seat.position_code) == position.code,
            sa.or_(
                col(Seat.body_id).in_([body_id for body_id in bodies if body_id is not None]),
                sa.and_(col(Seat.body_id).is_(None), sa.literal(None in bodies)),
            ),
        )
        .order_by(col(Seat.body_id), col(Seat.number))
        .with_for_update()
    )
    seats: dict[UUID | None, list[Seat]] = {body_id: [] for body_id in bodies}
    for seat in found.scalars():
        seats[seat.body_id].append(seat)
    in_use, elected = await _in_use(work, position), await _up_for_election(work, position)
    stuck, moved = set(), set()
    for body_id, body in bodies.items():
        needed, named = elected.get(body_id, (0, set()))
        kept = in_use | {seat.id for seat in seats[body_id] if seat.number in named}
        changed = _close_and_open(work, position, body, seats[body_id], kept)
        if changed and body.seats < needed:
            changed = None
        if changed is None:
            stuck.add(body.community_id)
        elif changed:
            moved.add(body.community_id)
    if stuck:
        raise errors.SeatInUse(members={"communities": len(stuck - {None})})
    await work.flush()
    await work.execute(
        sa.update(Community)
        .where(col(Community.id).in_(moved - {None}))
        .values(roster_version=Community.roster_version + 1)
    )


async def _in_use(work: Work, position: Position) -> set[UUID]:
    """The seats of a position that are held or promised."""
    rows = await work.rows(
        sa.select(Term.seat_id).where(
            col(Term.position_code) == position.code,
            col(Term.seat_id).is_not(None),
            seating.term_is_not_over(TODAY),
        ),
        today=clock.today(),
    )
    return {row.seat_id for row in rows}


async def _up_for_election(
    work: Work, position: Position
) -> dict[UUID | None, tuple[int, set[int]]]:
    """For each community, how many seats of a position its elections are to fill, and which of
    them they name: those are promised too."""
    rows = await work.rows(
        sa.select(Election.community_id, Contest.seats, Contest.seat_numbers)
        .join(Contest, col(Contest.election_id) == Election.id)
        .where(
            col(Contest.position_code) == position.code,
            col(Election.cancelled_at).is_(None),
            col(Election.certified_at).is_(None),
        )
    )
    found: dict[UUID | None, tuple[int, set[int]]] = {}
    for row in rows:
        needed, named = found.get(row.community_id, (0, set()))
        found[row.community_id] = (max(needed, row.seats), named.union(row.seat_numbers or ()))
    return found


def _close_and_open(
    work: Work, position: Position, body: Wanted, seats: list[Seat], in_use: set[UUID]
) -> bool | None:
    """True if anything moved; None where too few seats are free to be closed."""
    there = [seat for seat in seats if seat.closed_on is None]
    too_many = len(there) - body.seats
    if too_many > 0:
        free = [seat for seat in reversed(there) if seat.id not in in_use]
        if len(free) < too_many:
            return None
        for seat in free[:too_many]:
            seat.closed_on = clock.today()
    closed = [seat for seat in seats if seat.closed_on is not None] if too_many < 0 else []
    for seat in closed[:-too_many]:
        seat.closed_on = None
    last = max((seat.number for seat in seats), default=0)
    work.add_all(
        Seat(
            community_id=body.community_id,
            subcommittee_id=body.subcommittee_id,
            body_id=body.body_id,
            position_code=position.code,
            number=last + number,
            opened_on=clock.today(),
        )
        for number in range(1, -too_many - len(closed) + 1)
    )
    return too_many != 0


async def settle_everywhere(work: Work, position: Position) -> None:
    """Gives the association, or every community that does not deviate, the position's seats.

    A subcommittee keeps those with which it was made. Raises SeatInUse.
    """
    await _refuse_unnumbered(work, position)
    if position.scope == PositionScope.ASSOCIATION:
        await settle(work, position, [Wanted(usual(position))])
    elif position.scope == PositionScope.COMMUNITY:
        deviating = await _deviations(work, position)
        rows = await work.rows(sa.select(Community.id).order_by(col(Community.id)))
        if position.seats is None or position.held_with is not None:
            deviating = {}  # there are no seats of which a community could have more or fewer
        number = usual(position)
        await settle(
            work,
            position,
            [Wanted(deviating.get(row.id, number), community_id=row.id) for row in rows],
        )


async def _refuse_unnumbered(work: Work, position: Position) -> None:
    """Raises SeatInUse where people hold a position without seats that is to have some, or to come
    with another."""
    if position.seats is None and position.held_with is None:
        return
    holding = await work.rows(
        sa.select(Term.community_id)
        .where(
            col(Term.position_code) == position.code,
            col(Term.seat_id).is_(None),
            seating.term_is_not_over(TODAY),
        )
        .distinct(),
        today=clock.today(),
    )
    if holding:
        places = {row.community_id for row in holding} - {None}
        raise errors.SeatInUse(members={"communities": len(places)})


async def _deviations(work: Work, position: Position) -> Mapping[UUID, int]:
    rows = await work.rows(
        sa.select(SeatDeviation.community_id, SeatDeviation.seats).where(
            col(SeatDeviation.position_code) == position.code
        )
    )
    return {row.community_id: row.seats for row in rows}


async def numbered(work: Work, scope: PositionScope) -> list[Position]:
    """The positions of a scope that have seats of their own, by rank."""
    found = await work.execute(
        sa.select(Position)
        .where(
            col(Position.scope) == scope,
            col(Position.seats).is_not(None),
            col(Position.held_with).is_(None),
        )
        .order_by(col(Position.rank), col(Position.code))
    )
    return list(found.scalars())


async def make_for_community(work: Work, community_id: UUID) -> None:
    """Makes the seats of a new community's Leadership Group, as the positions say."""
    # A position that is made at the same moment waits, or is waited for.
    await work.locked(Association, 1)
    for position in await numbered(work, PositionScope.COMMUNITY):
        await settle(work, position, [Wanted(usual(position), community_id=community_id)])


# Communities that deviate

_THERE = (
    sa.select(sa.func.count())
    .select_from(Seat)
    .where(
        col(Seat.body_id) == sa.bindparam("community", type_=sa.Uuid),
        col(Seat.position_code) == Position.code,
        seating.seat_exists(TODAY),
    )
    .correlate(Position)
    .scalar_subquery()
)
_OF_COMMUNITY = (
    sa.select(
        col(Position.code).label("position"),
        Position.title,
        col(Position.seats).label("usual_seats"),
        col(SeatDeviation.seats).label("own_seats"),
        _THERE.label("seats"),
    )
    .outerjoin(
        SeatDeviation,
        sa.and_(
            col(SeatDeviation.position_code) == Position.code,
            col(SeatDeviation.community_id) == sa.bindparam("community", type_=sa.Uuid),
        ),
    )
    .where(
        col(Position.scope) == PositionScope.COMMUNITY,
        col(Position.seats).is_not(None),
        col(Position.held_with).is_(None),
    )
    .order_by(col(Position.rank), col(Position.code))
)


async def of_community(source: Source, standing: Standing) -> dict[str, Any]:
    """How many seats the community has of each position, and where it decided so itself."""
    here = standing.here.id
    rows = await source.rows(_OF_COMMUNITY, community=here, today=standing.today)
    community = await source.one(sa.select(Community.version).where(col(Community.id) == here))
    can = ["update_community_seats"] if _may_update(standing) else []
    return {
        "items": [row._asdict() for row in rows],
        "version": community.version,
        "viewer": {"can": can},
    }


def _may_update(standing: Standing) -> bool:
    return standing.can(Capability.COMMUNITIES_MANAGE) and not standing.here.archived


async def deviate(
    work: Work, standing: Standing, code: str, seats: int | None, expected: Expected
) -> dict[str, Any]:
    """Gives the community a number of seats of its own, or (None) as many as the position says.

    Raises NotFound for positions that have no seats in communities, SeatInUse.
    """
    standing.require_active()
    await work.locked(Association, 1)
    known = {position.code: position for position in await numbered(work, PositionScope.COMMUNITY)}
    if code not in known:
        raise errors.NotFound
    here = standing.here.id
    own = await work.get(SeatDeviation, (here, code))
    if (own.seats if own else None) == seats:
        return await of_community(work, standing)
    if own is not None:
        await work.delete(own)
        await work.flush()
    if seats is not None:
        work.add(SeatDeviation(community_id=here, position_code=code, seats=seats))
    number = usual(known[code]) if seats is None else seats
    await settle(work, known[code], [Wanted(number, community_id=here)])
    # After the seats, as appointments do, so that neither waits for the other.
    community = await work.locked(Community, here)
    expected.check(community.version)
    community.version += 1
    community.updated_at = clock.now()
    activity.record(
        work,
        "community.seats_changed",
        standing,
        community.id,
        community_id=community.id,
        position=code,
        seats=seats,
    )
    await work.flush()
    return await of_community(work, standing)


async def close_all(work: Work, subcommittee: Subcommittee) -> None:
    """Closes every seat of a subcommittee; what is to end with them has ended before."""
    await work.execute(
        sa.update(Seat)
        .where(col(Seat.body_id) == subcommittee.id, col(Seat.closed_on).is_(None))
        .values(closed_on=clock.today())
    )
