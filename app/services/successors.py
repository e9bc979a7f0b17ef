"""Who comes next in a seat: the terms that are recorded and have not begun."""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.db import Source
from app.models import Term
from app.services import seating, term_pages
from app.services.seating import TODAY

_PLANNED = term_pages.TERMS.where(
    seating.own(Term),
    col(Term.starts_on) > TODAY,
    # One that was annulled, or taken back before it began, is none.
    sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > col(Term.starts_on)),
).order_by(col(Term.starts_on), col(Term.id))


async def of_seats(source: Source, wanted: Any, day: date) -> dict[UUID, Any]:
    """The next planned term in each of the seats of a condition: one statement for all."""
    found: dict[UUID, Any] = {}
    for row in await source.rows(_PLANNED.where(wanted), today=day):
        found.setdefault(row.seat_id, row)
    return found


def shown(term: Any | None) -> dict[str, Any] | None:
    """A planned holder, as a Leadership Group shows holders."""
    if term is None:
        return None
    return {
        "person": term_pages.person_shown(term),
        "term_id": term.id,
        "starts_on": term.starts_on,
        "ends_on": term.ends_on,
        "basis": term.basis,
        "acting": False,
    }
