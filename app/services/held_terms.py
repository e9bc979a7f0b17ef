"""The terms that a caller holds, as a standing has them: what counts, and for whom they act."""

from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.models import Position, Seat, Term, TermBasis
from app.policy import Acting, Grants, TermLine
from app.reader import Prepared, Reader
from app.services import seating
from app.services.seating import DAY_END, TODAY

# A term of another community counts where its position comes with one of the association.
_WITH_OFFICE = sa.select(col(Position.held_with)).where(col(Position.held_with).is_not(None))


def counting(community_id: Any) -> tuple[Any, ...]:
    """The conditions that a term runs and may count in a community."""
    return (
        seating.term_runs(TODAY),
        sa.or_(
            col(Term.community_id).is_(None),
            col(Term.community_id) == community_id,
            col(Term.position_code).in_(_WITH_OFFICE),
        ),
    )


def columns(end: Any = None) -> tuple[Any, ...]:
    """What a standing needs to know of each term of the caller's that runs."""
    acting = seating.acting_seat(TODAY, Term, end)
    return (
        col(Term.id).label("term_id"),
        Term.position_code,
        Term.starts_on,
        Term.ends_on,
        col(Term.community_id).label("term_community_id"),
        Term.seat_id,
        (col(Term.basis) == TermBasis.ACTING).label("named_to_act"),
        seating.counts(TODAY, Term, end).label("counts"),
        seating.absence_on(TODAY, Term, end).label("absence_id"),
        acting.label("acting_seat"),
    )


def lines(row: Any, community_id: UUID | None, table: Grants) -> list[TermLine]:
    """A term as a standing has it, with the seat in which its holder acts by rule, and with the
    offices that come with each of them."""
    held = TermLine(
        row.term_id,
        row.position_code,
        row.starts_on,
        row.ends_on,
        in_community=row.term_community_id is not None,
        here=row.term_community_id in (None, community_id),
        counts=bool(row.counts),
        absent=row.absence_id is not None,
        acting=Acting(row.seat_id) if row.named_to_act else None,
    )
    found = [held]
    if row.acting_seat is not None:
        position = table.acts_for[held.position]
        found.append(replace(held, position=position, acting=Acting(row.acting_seat)))
    return found + [
        replace(line, position=office, in_community=False, here=True, ex_officio=True)
        for line in found
        for office in table.held_with.get(line.position, ())
    ]


@lru_cache
def statement(past: bool) -> Prepared:
    """What a standing needs of the terms of somebody who has one; most people have none."""
    end = DAY_END if past else None
    return Prepared(
        sa.select(*columns(end)).where(
            col(Term.person_id) == sa.bindparam("person_id", type_=sa.Uuid),
            *counting(sa.bindparam("community_id", type_=sa.Uuid)),
        )
    )


_INCUMBENTS = sa.select(
    col(Seat.id), seating.incumbent(TODAY, col(Seat.id), Seat).label("person_id")
)


async def with_incumbents(reader: Reader, terms: list[TermLine], day: date) -> tuple[TermLine, ...]:
    """The terms, and for whom those who act do so: asked only where somebody acts."""
    seats = [term.acting.seat_id for term in terms if term.acting]
    if not seats:
        return tuple(terms)
    rows = await reader.rows(_INCUMBENTS.where(col(Seat.id).in_(seats)), today=day)
    held = {row.id: row.person_id for row in rows}
    return tuple(
        replace(term, acting=Acting(term.acting.seat_id, held.get(term.acting.seat_id)))
        if term.acting
        else term
        for term in terms
    )
