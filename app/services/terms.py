"""Terms: who holds which seat, from which day to which day, and how that begins and ends."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work, unique_or
from app.listing import Listing
from app.models import (
    Membership,
    Person,
    Position,
    PositionScope,
    Seat,
    Term,
    TermEnding,
    TermStatus,
)
from app.models.terms import status_on
from app.policy import Capability, Standing
from app.services import association, communities

LONGEST_TERM = timedelta(days=3653)

_Recorder = aliased(Person)
TERMS = sa.select(
    Term.id,
    Term.community_id,
    Term.position_code,
    Term.starts_on,
    Term.ends_on,
    Term.ended_at,
    Term.ending,
    Term.end_reason,
    Term.basis,
    Term.recorded_at,
    Term.recorded_by,
    Term.version,
    Term.person_id,
    col(Seat.number).label("seat"),
    Person.name,
    Person.occupation,
    Person.affiliation,
    col(_Recorder.name).label("recorder"),
).select_from(
    sa.join(Term, Person, col(Person.id) == Term.person_id)
    .outerjoin(Seat, col(Seat.id) == Term.seat_id)
    .outerjoin(_Recorder, col(_Recorder.id) == Term.recorded_by)
)


@lru_cache
def listing(of_community: bool) -> Listing:
    """All terms of a community, or of the association, in the order of recording."""
    if of_community:
        wanted = col(Term.community_id) == sa.bindparam("community", type_=sa.Uuid)
    else:
        wanted = col(Term.community_id).is_(None)
    return Listing(TERMS.where(wanted), col(Term.id))


def person_shown(row: Any) -> dict[str, Any]:
    """The identity line of a holder, as it is today."""
    return {
        "id": row.person_id,
        "name": row.name,
        "occupation": row.occupation,
        "affiliation": row.affiliation,
    }


def shown(row: Any, standing: Standing) -> dict[str, Any]:
    """A term as this caller sees it; why it ended early is between the holder and leaders."""
    mine = standing.person is not None and standing.person.id == row.person_id
    status = status_on(standing.today, row.starts_on, row.ends_on, row.ending)
    may_know = mine or standing.can(Capability.MEMBERSHIPS_READ_PRIVATE)
    return {
        **row._asdict(),
        "position": row.position_code,
        "person": person_shown(row),
        "status": status,
        "end_reason": row.end_reason if may_know else None,
        "recorded_by": {"id": row.recorded_by, "name": row.recorder} if row.recorder else None,
        "viewer": {"can": _affordances(standing, mine, status)},
    }


def _affordances(standing: Standing, mine: bool, status: TermStatus) -> list[str]:
    if status is TermStatus.RUNNING and mine:
        return ["resign_term"]
    can_end = status in (TermStatus.RUNNING, TermStatus.PLANNED)
    if can_end and not mine and standing.can(Capability.LEADERSHIP_APPOINT):
        return ["remove_term"]
    return []


async def get(source: Source, standing: Standing, term_id: UUID) -> dict[str, Any]:
    """One term; its holder sees it without any position."""
    row = await source.one(TERMS.where(col(Term.id) == term_id))
    mine = standing.person is not None and row.person_id == standing.person.id
    if not mine and not standing.can(Capability.LEADERSHIP_READ_HISTORY):
        raise errors.NotFound
    return shown(row, standing)


async def begin(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """Records a term in a community, or in the association where the standing is of neither.

    Raises Invalid for days or positions that do not fit, OwnTerm, TermNotAMember, SeatTaken,
    PersonHoldsSeat. The last two hold under any concurrency, by constraints.
    """
    community = standing.community
    if community is not None:
        standing.require_active()
    position = await _position(work, standing, body)
    if body["person_id"] == standing.me.id:
        raise errors.OwnTerm
    await _refuse_stranger(
        work, standing, body["person_id"], max(standing.today, body["starts_on"])
    )
    now = clock.now()
    term = Term(
        community_id=community.id if community else None,
        position_code=position.code,
        person_id=body["person_id"],
        starts_on=body["starts_on"],
        ends_on=body["ends_on"],
        basis=body["basis"],
        recorded_at=now,
        recorded_by=standing.me.id,
        updated_at=now,
    )
    return await record(work, standing, term, position.seats)


async def record(
    work: Work, standing: Standing | None, term: Term, seats: int | None
) -> dict[str, Any]:
    """Writes a term into a free seat and records who did it (nobody: the operator)."""
    term.begin()
    seat = await _free_seat(work, term) if seats is not None else None
    if term.community_id is not None:
        await _refuse_second_seat(work, term)
    term.seat_id = seat.id if seat else None
    refusals = {"ex_term_seat": errors.SeatTaken(), "ex_term_person": errors.PersonHoldsSeat()}
    async with unique_or(work, refusals):
        work.add(term)
    begins = term.starts_on <= clock.today()
    activity.record(
        work,
        "term.started" if begins else "term.planned",
        standing,
        term.id,
        community_id=term.community_id,
        position=term.position_code,
        seat=seat.number if seat else None,
        person_id=term.person_id,
        starts_on=term.starts_on,
        ends_on=term.ends_on,
        basis=term.basis,
    )
    if term.community_id is not None:
        await communities.touch_roster(work, term.community_id)
    await work.flush()
    if standing is None:
        return {"id": term.id}
    return shown(await work.one(TERMS.where(col(Term.id) == term.id)), standing)


async def _position(work: Work, standing: Standing, body: dict[str, Any]) -> Any:
    """The position, if it is one of this place and the days suit it."""
    scope = PositionScope.COMMUNITY if standing.community else PositionScope.ASSOCIATION
    position = await work.get(Position, body["position"])
    starts_on, ends_on = body["starts_on"], body["ends_on"]
    wrong = []
    if position is None or position.scope != scope:
        wrong.append(errors.field("/position", "not_known"))
    elif ends_on is None and not position.open_ended:
        wrong.append(errors.field("/ends_on", "days_required"))
    if ends_on is not None and ends_on < starts_on:
        wrong.append(errors.field("/ends_on", "day_before_start"))
    elif ends_on is not None and ends_on < standing.today:
        wrong.append(errors.field("/ends_on", "day_in_the_past"))
    elif ends_on is not None and ends_on > starts_on + LONGEST_TERM:
        wrong.append(errors.field("/ends_on", "day_too_far"))
    if abs((starts_on - standing.today).days) > LONGEST_TERM.days:
        wrong.append(errors.field("/starts_on", "day_too_far"))
    if wrong:
        raise errors.Invalid(errors=wrong)
    return position


async def _refuse_stranger(work: Work, standing: Standing, person_id: UUID, day: date) -> None:
    """In a community only its members hold seats; in the association, people with an account.

    The answer is the same for somebody who does not exist, so that ids tell nothing.
    """
    person = sa.select(Person.id).where(
        col(Person.id) == person_id, col(Person.deactivated_at).is_(None)
    )
    if standing.community is not None:
        person = person.join(Membership, col(Membership.person_id) == Person.id).where(
            col(Membership.community_id) == standing.community.id,
            col(Membership.since_on) <= day,
            sa.or_(col(Membership.until_on).is_(None), col(Membership.until_on) >= day),
            col(Membership.ended_at).is_(None),
        )
        # Held until the term is written: an ending of the membership waits, and then ends both.
        person = person.with_for_update(of=Membership)
    if await work.first(person) is None:
        raise errors.TermNotAMember


def _overlaps(term: Term) -> Any:
    """The condition that another term occupies days of this one: [starts_on, free_from)."""
    begins_before = sa.true() if term.free_from is None else col(Term.starts_on) < term.free_from
    return sa.and_(
        begins_before,
        sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > term.starts_on),
        # A term that ended on its first day occupies no day at all.
        sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > col(Term.starts_on)),
    )


async def _free_seat(work: Work, term: Term) -> Seat:
    """The first seat of the position that is free on all days of the term.

    The seats are locked for this unit of work, so appointments to one position take turns and
    fill its seats exactly; the constraint stands behind that.
    """
    place = (
        col(Seat.community_id).is_(None)
        if term.community_id is None
        else col(Seat.community_id) == term.community_id
    )
    seats = await work.execute(
        sa.select(Seat)
        .where(place, col(Seat.position_code) == term.position_code)
        .order_by(col(Seat.number))
        .with_for_update()
    )
    candidates = list(seats.scalars())
    taken = await work.rows(
        sa.select(Term.seat_id).where(
            col(Term.seat_id).in_([seat.id for seat in candidates]), _overlaps(term)
        )
    )
    occupied = {row.seat_id for row in taken}
    for seat in candidates:
        if seat.id not in occupied:
            return seat
    raise errors.SeatTaken


async def _refuse_second_seat(work: Work, term: Term) -> None:
    held = await work.first(
        sa.select(Term.id)
        .where(
            col(Term.community_id) == term.community_id,
            col(Term.person_id) == term.person_id,
            _overlaps(term),
        )
        .limit(1)
    )
    if held is not None:
        raise errors.PersonHoldsSeat


async def remove(work: Work, standing: Standing, term_id: UUID, reason: str) -> dict[str, Any]:
    """Ends somebody's term at this instant; a planned one never begins.

    Raises OwnTerm, TermEnded, GrantLastHolder.
    """
    term = await work.locked(Term, term_id)
    if term.person_id == standing.me.id:
        raise errors.OwnTerm
    if term.status(standing.today) not in (TermStatus.RUNNING, TermStatus.PLANNED):
        raise errors.TermEnded
    return await _end(work, standing, term, TermEnding.REMOVED, reason)


async def resign(
    work: Work, standing: Standing, term_id: UUID, reason: str | None
) -> dict[str, Any]:
    """Ends one's own term at this instant. Raises TermNotBegun, TermEnded."""
    term = await work.locked(Term, term_id)
    if term.person_id != standing.me.id:
        if not standing.can(Capability.LEADERSHIP_READ_HISTORY):
            raise errors.NotFound
        standing.refuse_others()
    status = term.status(standing.today)
    if status is TermStatus.PLANNED:
        raise errors.TermNotBegun
    if status is not TermStatus.RUNNING:
        raise errors.TermEnded
    return await _end(work, standing, term, TermEnding.RESIGNED, reason)


async def _end(
    work: Work, standing: Standing, term: Term, how: TermEnding, reason: str | None
) -> dict[str, Any]:
    term.end(how, reason, clock.now(), standing.today)
    row = await work.one(TERMS.where(col(Term.id) == term.id))
    activity.record(
        work,
        f"term.{how}",
        standing,
        term.id,
        community_id=term.community_id,
        position=term.position_code,
        seat=row.seat,
        person_id=term.person_id,
    )
    if term.community_id is not None:
        await communities.touch_roster(work, term.community_id)
    await work.flush()
    if term.community_id is None:
        await association.refuse_without_holder(work, standing)
    return shown(await work.one(TERMS.where(col(Term.id) == term.id)), standing)
