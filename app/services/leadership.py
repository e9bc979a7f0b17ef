"""The Leadership Group: every seat on a day, held or vacant, by whom, and who acts in it."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.among import among
from app.db import Source
from app.models import (
    Community,
    Membership,
    Person,
    Position,
    Term,
    TermBasis,
    TermStatus,
)
from app.policy import Capability, Standing
from app.reader import Prepared
from app.services import seated, seating, term_pages
from app.services.seated import Seated
from app.services.seating import DAY_END, TODAY


async def get(
    source: Source, standing: Standing, as_of: date | None, subcommittee_id: UUID | None = None
) -> dict[str, Any]:
    """Every seat of the community (of a subcommittee of it, of the association) on a day.

    Outsiders of a restricted community see that a seat is held, and a name only where the
    community publishes its leadership. Another day than today is for those who read the history.
    """
    day = as_of or standing.today
    if day != standing.today:
        standing.require(Capability.LEADERSHIP_READ_HISTORY)
    end = clock.end_of(day) if day < standing.today else None
    community = standing.community
    body = subcommittee_id or (community.id if community else None)
    if body is None:
        found = await seated.on(source, seated.OF_ASSOCIATION, day, end)
    else:
        found = await seated.on(source, seated.OF_BODY, day, end, body=body)
    named = await _names_shown(source, standing)
    shown = [seat_shown(one, named) for one in found]
    if body is None:
        shown += await _ex_officio(source, standing, day, end)
        if standing.can(Capability.LEADERSHIP_READ_HISTORY):
            shown += await _unnumbered(source, day, end)
    vacant = sum(1 for one in found if one.holder is None)
    return {"as_of": day, "seats": shown, "vacant_seats": vacant}


async def _names_shown(source: Source, standing: Standing) -> bool:
    community = standing.community
    if community is None or not community.restricted or standing.belongs:
        return True
    row = await source.one(
        sa.select(Community.publishes_leadership).where(col(Community.id) == community.id)
    )
    return row.publishes_leadership


def seat_shown(one: Seated, named: bool) -> dict[str, Any]:
    """A seat as it goes out, with names or without."""
    return {
        "id": one.seat.id,
        "position": one.seat.position_code,
        "seat": one.seat.seat,
        "title": one.seat.title,
        "state": one.state,
        "holder": _holder(one.holder, False) if one.holder is not None and named else None,
        "acting_holder": _holder(one.acting, True) if one.acting is not None and named else None,
    }


def _holder(term: Any, acting: bool, basis: TermBasis | None = None) -> dict[str, Any]:
    return {
        "person": term_pages.person_shown(term),
        "term_id": term.id,
        "starts_on": term.starts_on,
        "ends_on": term.ends_on,
        "basis": basis or (TermBasis.ACTING if acting else term.basis),
        "acting": acting,
    }


async def _ex_officio(
    source: Source, standing: Standing, day: date, end: datetime | None
) -> list[dict[str, Any]]:
    """The offices that come with another position: one seat for each seat of that one.

    Seats of communities that hide themselves, or withhold names, stay as they are seen there.
    """
    offices = await source.rows(
        sa.select(Position.code, Position.title, Position.held_with, Position.rank)
        .where(col(Position.held_with).is_not(None))
        .order_by(col(Position.rank))
    )
    if not offices:
        return []
    found = await seated.on(source, seated.WITH_OFFICE, day, end)
    rows = await source.rows(
        sa.select(
            Community.id,
            Community.listed,
            Community.eligible_occupations,
            Community.publishes_leadership,
            Community.place,
        )
    )
    places = {row.id: row for row in rows}
    found.sort(key=lambda one: places[one.seat.community_id].place if one.seat.community_id else 0)
    shown = []
    for office in offices:
        for one in found:
            if one.seat.position_code != office.held_with:
                continue
            place = places.get(one.seat.community_id)
            if place is not None and not place.listed and not standing.oversees:
                continue
            withheld = place is not None and place.eligible_occupations
            named = not withheld or place.publishes_leadership or standing.oversees
            shown.append(_office(office, one, bool(named)))
    return shown


def _office(office: Any, one: Seated, named: bool) -> dict[str, Any]:
    """A seat that somebody has because they hold another."""
    shown = seat_shown(one, named)
    for holder in (shown["holder"], shown["acting_holder"]):
        if holder is not None:
            holder["basis"] = TermBasis.EX_OFFICIO
    return shown | {
        "position": office.code,
        "title": office.title,
        "seat": None,
        "held_with": {"position": office.held_with, "community_id": one.seat.community_id},
    }


async def _unnumbered(source: Source, day: date, end: datetime | None) -> list[dict[str, Any]]:
    """Holders of positions without a number of seats, such as staff: held, never vacant."""
    over = DAY_END if end is not None else None
    asked = {"today": day} | ({"day_end": end} if end is not None else {})
    rows = await source.rows(
        term_pages.TERMS.join(Position, col(Position.code) == Term.position_code)
        .add_columns(Position.title)
        .where(
            col(Term.community_id).is_(None),
            col(Term.seat_id).is_(None),
            seating.holds(TODAY, Term, over),
        )
        .order_by(col(Position.rank), col(Term.id)),
        **asked,
    )
    return [
        {
            "id": None,
            "position": row.position_code,
            "seat": None,
            "title": row.title,
            "state": "held",
            "holder": _holder(row, False),
            "acting_holder": None,
            "held_with": None,
        }
        for row in rows
    ]


# Vacancies


# A term with what may have emptied its seat without anybody's ending it.
LAST = term_pages.TERMS.add_columns(
    Term.free_from,
    Person.deactivated_at,
    sa.select(sa.func.max(Membership.until_on))
    .where(
        col(Membership.person_id) == Term.person_id,
        col(Membership.community_id) == Term.community_id,
        col(Membership.until_on) < TODAY,
    )
    .correlate(Term)
    .scalar_subquery()
    .label("member_until"),
)
_LAST_OF = Prepared(
    LAST.where(among(col(Term.seat_id), "seats"), seating.own(Term)).order_by(col(Term.starts_on))
)


async def vacancies(source: Source, standing: Standing) -> list[dict[str, Any]]:
    """The seats of the community that nobody holds today: since when, and who acts meanwhile.

    What emptied a seat, and who comes next, is for those who read the history.
    """
    found = await seated.on(source, seated.OF_BODY, standing.today, body=standing.here.id)
    vacant = [one for one in found if one.holder is None]
    if not vacant:
        return []
    named = await _names_shown(source, standing)
    told = standing.can(Capability.LEADERSHIP_READ_HISTORY)
    rows = await source.rows(_LAST_OF, seats=[one.seat.id for one in vacant], today=standing.today)
    return [_vacancy(one, rows, standing, named=named, told=told) for one in vacant]


def _vacancy(
    one: Seated, rows: list[Any], standing: Standing, *, named: bool, told: bool
) -> dict[str, Any]:
    mine = [row for row in rows if row.seat_id == one.seat.id]
    last = _last_held(mine, standing.today)
    planned = [row for row in mine if term_pages.status_of(row, standing.today) == "planned"]
    shown = seat_shown(one, named)
    return {
        **{name: shown[name] for name in ("id", "position", "seat", "title", "acting_holder")},
        "since_on": emptied_on(last, standing.today) if last else one.seat.opened_on,
        "cause": (term_pages.status_of(last, standing.today) if last else "never_held")
        if told
        else None,
        "last_term_id": last.id if last and told else None,
        "next_term": _holder(planned[0], False) if planned and told else None,
    }


def _last_held(rows: list[Any], day: date) -> Any | None:
    """The latest of a seat's terms that had begun and held it for a day at least."""
    held: list[Any] = [
        row
        for row in rows
        if row.starts_on <= day and (row.free_from is None or row.free_from > row.starts_on)
    ]
    held.sort(key=lambda row: row.starts_on)
    return held[-1] if held else None


def emptied_on(last: Any, day: date) -> date:
    """The first day on which a seat was empty after its last term, a row of LAST.

    Of one that lapsed, and that nobody had to end, it follows from the membership or the account.
    """
    if term_pages.status_of(last, day) is not TermStatus.LAPSED or last.ending is not None:
        return last.free_from or day
    days = [one + timedelta(days=1) for one in (last.member_until,) if one is not None]
    days += [clock.day_of(one) for one in (last.deactivated_at,) if one is not None]
    return min(days, default=day)
