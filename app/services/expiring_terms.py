"""Terms that end soon, over all communities, and whether anybody is on the way to follow."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.db import Source
from app.listing import Listing
from app.models import (
    Community,
    CommunityStatus,
    Person,
    Position,
    Seat,
    SuccessionCandidate,
    Term,
)
from app.policy import Standing
from app.services import (
    communities,
    open_elections,
    seating,
    succession_candidates,
    successors,
    term_pages,
)
from app.services.open_elections import UnderWay
from app.services.seating import TODAY

_EXPIRING = (
    sa.select(
        Term.id,
        Term.person_id,
        Term.seat_id,
        Term.position_code,
        Term.starts_on,
        Term.ends_on,
        Person.name,
        Person.occupation,
        Person.affiliation,
        Position.title,
        col(Seat.number).label("seat"),
        *communities.REFERENCE,
        Community.eligible_occupations,
    )
    .select_from(Term)
    .join(Person, col(Person.id) == Term.person_id)
    .join(Position, col(Position.code) == Term.position_code)
    .outerjoin(Seat, col(Seat.id) == Term.seat_id)
    .outerjoin(Community, col(Community.id) == Term.community_id)
    .where(
        seating.own(Term),
        seating.holds(TODAY),
        col(Term.ends_on) <= sa.bindparam("until", type_=sa.Date),
        sa.or_(col(Term.community_id).is_(None), col(Community.status) == CommunityStatus.ACTIVE),
    )
)
LISTING = Listing(_EXPIRING, col(Term.ends_on), col(Term.id))


def asked(standing: Standing, within_days: int) -> dict[str, Any]:
    """The parameters of the list."""
    return {"today": standing.today, "until": standing.today + timedelta(days=within_days)}


async def shown_all(source: Source, standing: Standing, rows: list[Any]) -> list[dict[str, Any]]:
    """Terms with what is known of who follows, in as many statements for one as for a page.

    Elections are what is said inside a community: of a restricted one they are not told here.
    """
    seats = {row.seat_id for row in rows if row.seat_id is not None}
    following = await successors.of_seats(source, col(Term.seat_id).in_(seats), standing.today)
    planned = await succession_candidates.seats_with(
        source, col(SuccessionCandidate.seat_id).in_(seats), standing.today
    )
    places = {row.community_id for row in rows if not row.eligible_occupations}
    elections = await open_elections.in_communities(source, places - {None})
    return [
        {
            "term_id": row.id,
            "community": communities.reference(row) if row.community_id else None,
            "position": row.position_code,
            "title": row.title,
            "seat": row.seat,
            "seat_id": row.seat_id,
            "person": term_pages.person_shown(row),
            "starts_on": row.starts_on,
            "ends_on": row.ends_on,
            "days_left": (row.ends_on - standing.today).days,
            "next_term": successors.shown(following.get(row.seat_id)),
            "has_candidate": row.seat_id in planned,
            "election_id": _election_for(row, elections),
        }
        for row in rows
    ]


def _election_for(row: Any, elections: Iterable[UnderWay]) -> UUID | None:
    for one in elections:
        here = one.community_id == row.community_id
        if here and row.seat is not None and one.fills(row.position_code, row.seat):
            return one.id
    return None
