"""Staggering: no more than half of a group's seats should change in one year.

It never refuses: it is said in the answer to whoever records a term, and in the report on the
health of leadership.
"""

from typing import Any

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta
from sqlmodel import col

from app import texts
from app.db import Work
from app.models import Position, Seat, Term, TermBasis
from app.services import seating


async def warnings(work: Work, term: Term, position: Position) -> list[dict[str, Any]]:
    """What is allowed for a term and yet worth a second look."""
    found = []
    usual = position.term_months
    if usual and term.ends_on and term.starts_on + relativedelta(months=usual) <= term.ends_on:
        found.append(_warning("term_longer_than_usual", months=usual))
    if term.ends_on is not None and await _ends_together(work, term, position):
        found.append(_warning("terms_end_together", year=term.ends_on.year))
    return found


def _warning(code: str, **facts: Any) -> dict[str, Any]:
    said = {
        language: texts.text("problems", f"warning.{code}", language, **facts)
        for language in texts.LANGUAGES
    }
    return {"code": code, "detail": said}


def too_many(ending: int, seats: int) -> bool:
    """True if so many of a group's seats are more than half of them, an odd one left aside."""
    return ending * 2 > seats + 1


async def _ends_together(work: Work, term: Term, position: Position) -> bool:
    """True if with this term too many of the group's seats would end in the same year."""
    if position.stagger_group is None or term.ends_on is None:
        return False
    group = sa.select(Position.code).where(col(Position.stagger_group) == position.stagger_group)
    seats = await work.one(
        sa.select(sa.func.count().label("seats")).where(
            col(Seat.body_id).is_not_distinct_from(term.body_id),
            col(Seat.position_code).in_(group),
            seating.seat_exists(term.starts_on),
        )
    )
    ending = await work.one(
        sa.select(sa.func.count(sa.distinct(col(Term.seat_id))).label("seats")).where(
            col(Term.body_id).is_not_distinct_from(term.body_id),
            col(Term.position_code).in_(group),
            col(Term.basis) != TermBasis.ACTING,
            col(Term.ending).is_(None),
            sa.extract("year", col(Term.ends_on)) == term.ends_on.year,
        )
    )
    return too_many(ending.seats, seats.seats)
