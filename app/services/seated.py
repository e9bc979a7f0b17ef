"""Seats on a day, each with who holds it and who acts in it, by the conditions of seating.py."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.db import Source
from app.models import Position, Seat, Term, TermBasis
from app.reader import Prepared
from app.services import seating, term_pages
from app.services.seating import DAY_END, TODAY


@dataclass(frozen=True, slots=True)
class Seated:
    """One seat on a day: who holds it, and who acts in it while nobody who holds it is able."""

    seat: Any
    holder: Any | None
    acting: Any | None

    @property
    def exercised(self) -> bool:
        """True if its holder is able, or somebody acts in their place."""
        return self.acting is not None or (self.holder is not None and bool(self.holder.counts))

    @property
    def state(self) -> str:
        """held, acting (somebody acts, whether or not the seat is held), or vacant."""
        if self.acting is not None:
            return "acting"
        return "vacant" if self.holder is None else "held"


_SEATS = sa.select(
    Seat.id,
    Seat.community_id,
    Seat.body_id,
    Seat.position_code,
    Seat.opened_on,
    Seat.announced_term_id,
    Seat.announced_acting,
    col(Seat.number).label("seat"),
    Position.title,
    Position.rank,
    Position.stagger_group,
).join(Position, col(Position.code) == Seat.position_code)


@dataclass(frozen=True, eq=False)
class Which:
    """Which seats are asked for, and among which terms their holders are.

    Its statements are prepared once where it is `kept`: conditions that take what differs from
    call to call as parameters.
    """

    seats: Any
    terms: Any
    kept: bool = False


_BODY = sa.bindparam("body", type_=sa.Uuid)
_HELD = aliased(Position)
_WITH_OFFICE = sa.select(_HELD.held_with).where(col(_HELD.held_with).is_not(None))
_ACTING_FOR_THEM = sa.select(_HELD.code).where(col(_HELD.acts_for).in_(_WITH_OFFICE))

# Those of one community or subcommittee; of the association; all; those that bring an office.
OF_BODY = Which(
    col(Seat.body_id) == _BODY,
    sa.and_(col(Term.body_id) == _BODY, col(Term.seat_id).is_not(None)),
    kept=True,
)
OF_ASSOCIATION = Which(
    col(Seat.body_id).is_(None),
    sa.and_(col(Term.body_id).is_(None), col(Term.seat_id).is_not(None)),
    kept=True,
)
EVERYWHERE = Which(sa.true(), col(Term.seat_id).is_not(None), kept=True)
WITH_OFFICE = Which(
    col(Seat.position_code).in_(_WITH_OFFICE),
    sa.or_(
        col(Term.position_code).in_(_WITH_OFFICE), col(Term.position_code).in_(_ACTING_FOR_THEM)
    ),
    kept=True,
)


def _statements(which: Which, past: bool) -> tuple[Prepared, Prepared]:
    end = DAY_END if past else None
    seats = _SEATS.where(which.seats, seating.seat_exists(TODAY)).order_by(
        col(Seat.body_id), col(Position.rank), col(Seat.number)
    )
    held = term_pages.TERMS.add_columns(
        seating.holds(TODAY, Term, end).label("held"),
        seating.counts(TODAY, Term, end).label("counts"),
        seating.acting_seat(TODAY, Term, end).label("acting_seat"),
    ).where(which.terms, seating.term_runs(TODAY))
    return Prepared(seats), Prepared(held)


_kept = lru_cache(_statements)


async def on(
    source: Source, which: Which, day: date, end: datetime | None = None, **parameters: Any
) -> list[Seated]:
    """The seats as they are on a day, by rank: two statements for all of them.

    `end` is the instant at which a past day was over; without it the present counts.
    """
    prepare = _kept if which.kept else _statements
    seats_wanted, terms_wanted = prepare(which, end is not None)
    asked = {"today": day, **parameters}
    seats = await source.rows(seats_wanted, **asked)
    if end is not None:
        asked["day_end"] = end
    rows = await source.rows(terms_wanted, **asked)
    holders, named, by_rule = {}, {}, {}
    for row in rows:
        if row.basis == TermBasis.ACTING:
            if row.counts:
                named[row.seat_id] = row
        elif row.held:
            holders[row.seat_id] = row
            if row.acting_seat is not None:
                by_rule[row.acting_seat] = row
    return [
        Seated(seat, holders.get(seat.id), named.get(seat.id) or by_rule.get(seat.id))
        for seat in seats
    ]
