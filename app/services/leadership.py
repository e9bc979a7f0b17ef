"""The Leadership Group: every seat on a day, held or vacant, and by whom."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.db import Source
from app.models import Community, Position, Seat, Term
from app.policy import Capability, Standing
from app.services import terms
from app.services.standing import TODAY, holds_seat


async def get(source: Source, standing: Standing) -> dict[str, Any]:
    """Every seat of the community (or of the association) today, held or vacant.

    Outsiders of a restricted community see that a seat is held, and a name only where the
    community publishes its leadership.
    """
    community = standing.community
    place = (
        col(Seat.community_id) == community.id
        if community is not None
        else col(Seat.community_id).is_(None)
    )
    seats = await source.rows(
        sa.select(
            Seat.id,
            Seat.position_code,
            col(Seat.number).label("seat"),
            Position.title,
            Position.rank,
        )
        .join(Position, col(Position.code) == Seat.position_code)
        .where(place)
        .order_by(col(Position.rank), col(Seat.number))
    )
    held_here = (
        col(Term.community_id) == community.id
        if community is not None
        else col(Term.community_id).is_(None)
    )
    running = await source.rows(
        terms.TERMS.add_columns(Term.seat_id).where(held_here, holds_seat(TODAY)),
        today=standing.today,
    )
    named = await _names_shown(source, standing)
    holders = {term.seat_id: term for term in running if term.seat_id is not None}
    found = [_seat(seat, holders.get(seat.id), named) for seat in seats]
    if community is None and standing.can(Capability.LEADERSHIP_READ_HISTORY):
        found += await _unnumbered(
            source, [term for term in running if term.seat_id is None], named
        )
    vacant = sum(1 for seat in found if seat["state"] == "vacant")
    return {"as_of": standing.today, "seats": found, "vacant_seats": vacant}


async def _names_shown(source: Source, standing: Standing) -> bool:
    community = standing.community
    if community is None or not community.restricted or standing.belongs:
        return True
    row = await source.one(
        sa.select(Community.publishes_leadership).where(col(Community.id) == community.id)
    )
    return row.publishes_leadership


def _seat(seat: Any, term: Any, named: bool) -> dict[str, Any]:
    return {
        "position": seat.position_code,
        "seat": seat.seat,
        "title": seat.title,
        "state": "vacant" if term is None else "held",
        "holder": _holder(term) if term is not None and named else None,
    }


def _holder(term: Any) -> dict[str, Any]:
    return {
        "person": terms.person_shown(term),
        "term_id": term.id,
        "starts_on": term.starts_on,
        "ends_on": term.ends_on,
        "acting": False,
    }


async def _unnumbered(source: Source, terms: list[Any], named: bool) -> list[dict[str, Any]]:
    """Holders of positions without a number of seats, such as staff: held, never vacant."""
    rows = await source.rows(sa.select(Position.code, Position.title))
    titles = {row.code: row.title for row in rows}
    return [
        {
            "position": term.position_code,
            "seat": None,
            "title": titles[term.position_code],
            "state": "held",
            "holder": _holder(term) if named else None,
        }
        for term in terms
    ]
