"""Terms: how they begin and how they end: by appointment, election, resignation and removal."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta
from sqlmodel import col

from app import activity, clock, errors
from app.db import Work, insert_ignoring, unique_or
from app.models import (
    Announcement,
    Membership,
    Person,
    Position,
    PositionScope,
    Seat,
    Subcommittee,
    Term,
    TermBasis,
    TermEnding,
    TermStatus,
)
from app.policy import Capability, Standing
from app.services import communities, grants, seating, staggering, term_pages, unclaimed_profiles

LONGEST_TERM = timedelta(days=3653)


async def begin(
    work: Work,
    standing: Standing,
    body: dict[str, Any],
    subcommittee: Subcommittee | None = None,
) -> dict[str, Any]:
    """Records a term in a community or a subcommittee of it, or in the association where the
    standing is of neither.

    Raises Invalid for days or positions that do not fit, OwnTerm, TermNotAMember, TermNotEligible,
    TermConsecutive, SeatTaken, PersonHoldsSeat. The last two hold under any concurrency, by
    constraints.
    """
    community = standing.community
    if community is not None:
        standing.require_active()
    position = await _position(work, standing, body, subcommittee)
    if await unclaimed_profiles.is_own(work, standing, body["person_id"]):
        raise errors.OwnTerm
    now = clock.now()
    term = Term(
        community_id=community.id if community else None,
        subcommittee_id=subcommittee.id if subcommittee else None,
        position_code=position.code,
        person_id=body["person_id"],
        starts_on=body["starts_on"],
        ends_on=body["ends_on"],
        handover_from=body.get("handover_from"),
        exception_reason=body.get("exception_reason"),
        basis=body["basis"],
        recorded_at=now,
        recorded_by=standing.me.id,
        updated_at=now,
    )
    await refuse_unfit(work, standing, term, position)
    return await record(work, standing, term, position)


async def record(
    work: Work, standing: Standing | None, term: Term, position: Position
) -> dict[str, Any]:
    """Writes a term into its seat, or else a free one of its position, and records who did it
    (nobody: the operator). Raises SeatTaken, PersonHoldsSeat."""
    term.begin()
    if position.seats is not None or term.seat_id is not None:
        term.seat_id = (await _free_seat(work, term)).id
    if term.body_id is not None:
        await _refuse_second_seat(work, term)
    refusals = {"ex_term_seat": errors.SeatTaken(), "ex_term_person": errors.PersonHoldsSeat()}
    async with unique_or(work, refusals):
        work.add(term)
    begins = term.starts_on <= clock.today()
    if begins and term.basis != TermBasis.ACTING:
        await work.execute(insert_ignoring(work, Announcement, started(term.id)))
    activity.record(
        work,
        "term.started" if begins else "term.planned",
        standing,
        term.id,
        community_id=term.community_id,
        **await facts(work, term),
        starts_on=term.starts_on,
        ends_on=term.ends_on,
        basis=term.basis,
    )
    await _touch(work, term)
    if standing is None:
        return {"id": term.id}
    warnings = await staggering.warnings(work, term, position)
    return term_pages.shown(await term_pages.one(work, standing, term.id), standing, warnings)


def started(term_id: UUID) -> dict[str, Any]:
    """The note that the log has said of a term that it began."""
    return {
        "kind": "term.started",
        "subject_id": term_id,
        "detail": "",
        "announced_at": clock.now(),
    }


async def facts(work: Work, term: Term) -> dict[str, Any]:
    """What every record of a term names: the position, which seat of it, and the holder."""
    seat = await work.get(Seat, term.seat_id) if term.seat_id else None
    return {
        "position": term.position_code,
        "seat": seat.number if seat else None,
        "person_id": term.person_id,
    }


async def _touch(work: Work, term: Term) -> None:
    if term.community_id is not None:
        await communities.touch_roster(work, term.community_id)
    await work.flush()


async def _position(
    work: Work, standing: Standing, body: dict[str, Any], subcommittee: Subcommittee | None
) -> Position:
    """The position, if it is one of this place and the days suit it."""
    scope = PositionScope.COMMUNITY if standing.community else PositionScope.ASSOCIATION
    if subcommittee is not None:
        scope = PositionScope.SUBCOMMITTEE
    position = await work.get(Position, body["position"])
    starts_on, ends_on = body["starts_on"], body["ends_on"]
    wrong = []
    if position is None or position.scope != scope or position.held_with is not None:
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
    handover = body.get("handover_from")
    if handover is not None and not starts_on - LONGEST_TERM <= handover < starts_on:
        wrong.append(errors.field("/handover_from", "day_before_start"))
    if body["basis"] not in (TermBasis.ELECTION, TermBasis.APPOINTMENT):
        wrong.append(errors.field("/basis", "not_known"))
    if wrong or position is None:
        raise errors.Invalid(errors=wrong)
    return position


# Who may hold a seat


async def refuse_unfit(work: Work, standing: Standing, term: Term, position: Position) -> None:
    """Raises TermNotAMember, TermNotEligible, and TermConsecutive unless an exception is recorded.

    In a community only its members hold seats; in the association, people with an account. The
    answer is the same for somebody who does not exist, so that ids tell nothing.
    """
    term.begin()
    day = max(standing.today, term.starts_on)
    found = sa.select(Membership.category, Membership.since_on) if term.community_id else None
    person = (
        sa.select(Person.id).where(col(Person.email_key).is_not(None))
        if found is None
        else found.join(Person, col(Person.id) == Membership.person_id)
    ).where(col(Person.id) == term.person_id, col(Person.deactivated_at).is_(None))
    if term.community_id is not None:
        # Held until the term is written: an ending of the membership waits, and then ends both.
        person = person.where(
            col(Membership.community_id) == term.community_id, seating.membership_runs(day)
        ).with_for_update(of=Membership)
    row = await work.first(person)
    if row is None:
        raise errors.TermNotAMember
    if found is not None:
        _refuse_ineligible(row, position, day)
    if term.exception_reason is None:
        await _refuse_consecutive(work, term, position)


def _refuse_ineligible(row: Any, position: Position, day: date) -> None:
    """The position's own conditions: which members, and for how long they have belonged."""
    if position.eligible_categories and row.category not in position.eligible_categories:
        raise errors.TermNotEligible
    if (day - row.since_on).days < position.member_for_days:
        raise errors.TermNotEligible


async def _refuse_consecutive(work: Work, term: Term, position: Position) -> None:
    """Nobody holds a position twice in a row unless it allows that: between two terms there must be
    the months that it names, whichever of them is recorded first."""
    if position.consecutive_terms or term.basis == TermBasis.ACTING:
        return
    rest = relativedelta(months=position.rest_months)
    next_day = term.ends_on or term.starts_on + LONGEST_TERM
    near = await work.first(
        sa.select(Term.id)
        .where(
            col(Term.person_id) == term.person_id,
            col(Term.position_code) == term.position_code,
            col(Term.body_id).is_not_distinct_from(term.subcommittee_id or term.community_id),
            col(Term.basis) != TermBasis.ACTING,
            sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > term.starts_on - rest),
            col(Term.starts_on) <= next_day + rest,
            # One that was annulled, or taken back before it began, was never held.
            sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > col(Term.starts_on)),
            ~_overlaps(term),
        )
        .limit(1)
    )
    if near is not None:
        raise errors.TermConsecutive(facts={"months": position.rest_months})


# Seats


def _overlaps(term: Term) -> Any:
    """The condition that another term occupies days of this one: [starts_on, free_from)."""
    begins_before = sa.true() if term.free_from is None else col(Term.starts_on) < term.free_from
    return sa.and_(
        begins_before,
        sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > term.starts_on),
        # A term that ended on its first day occupies no day at all.
        sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > col(Term.starts_on)),
    )


def _alike(term: Term) -> Any:
    """The condition that another term competes with this one: acting ones do among themselves."""
    acting = col(Term.basis) == TermBasis.ACTING
    return acting if term.basis == TermBasis.ACTING else ~acting


async def _free_seat(work: Work, term: Term) -> Seat:
    """The term's seat, or the first seat of the position, that is free on all days of the term.

    The seats are locked for this unit of work, so appointments to one position take turns and
    fill its seats exactly; the constraint stands behind that.
    """
    wanted = sa.select(Seat).where(
        col(Seat.body_id).is_not_distinct_from(term.body_id),
        col(Seat.position_code) == term.position_code,
        sa.or_(col(Seat.closed_on).is_(None), col(Seat.closed_on) > term.starts_on),
    )
    if term.seat_id is not None:
        wanted = wanted.where(col(Seat.id) == term.seat_id)
    seats = await work.execute(wanted.order_by(col(Seat.number)).with_for_update())
    candidates = list(seats.scalars())
    ids = [seat.id for seat in candidates]
    await _settle(work, ids)
    taken = await work.rows(
        sa.select(Term.seat_id).where(col(Term.seat_id).in_(ids), _alike(term), _overlaps(term))
    )
    occupied = {row.seat_id for row in taken}
    for seat in candidates:
        if seat.id not in occupied:
            # A term from before the seat was entered here says that it was there already.
            seat.opened_on = min(seat.opened_on, term.starts_on)
            return seat
    raise errors.SeatTaken


async def _settle(work: Work, seat_ids: list[UUID]) -> None:
    """Ends the terms of seats whose holders belong no longer, so that others can follow them.

    They gave no right since their membership or account ended, and nobody had to say so.
    """
    now, today = clock.now(), clock.today()
    lapsed = await work.execute(
        sa.select(Term).where(
            col(Term.seat_id).in_(seat_ids), seating.term_runs(today), ~seating.holds(today)
        )
    )
    for term in lapsed.scalars():
        term.end(TermEnding.LAPSED, None, now, today)
        known = await facts(work, term)
        activity.record(work, "term.lapsed", None, term.id, community_id=term.community_id, **known)
    await work.flush()


async def _refuse_second_seat(work: Work, term: Term) -> None:
    held = await work.first(
        sa.select(Term.id)
        .where(
            col(Term.body_id) == term.body_id,
            col(Term.person_id) == term.person_id,
            _alike(term),
            _overlaps(term),
        )
        .limit(1)
    )
    if held is not None:
        raise errors.PersonHoldsSeat


# Ends


async def remove(work: Work, standing: Standing, term_id: UUID, reason: str) -> dict[str, Any]:
    """Ends somebody's term at this instant; a planned one never begins.

    Raises OwnTerm, TermEnded, GrantLastHolder.
    """
    term = await _of_another(work, standing, term_id)
    if term.status(standing.today) not in (TermStatus.RUNNING, TermStatus.PLANNED):
        raise errors.TermEnded
    return await end(work, standing, term, TermEnding.REMOVED, reason)


async def annul(work: Work, standing: Standing, term_id: UUID, reason: str) -> dict[str, Any]:
    """Corrects the record: a term that should never have been there occupied no day.

    Raises OwnTerm, TermEnded if it was annulled before, GrantLastHolder.
    """
    term = await _of_another(work, standing, term_id)
    if term.ending is TermEnding.ANNULLED:
        raise errors.TermEnded
    return await end(work, standing, term, TermEnding.ANNULLED, reason)


async def _of_another(work: Work, standing: Standing, term_id: UUID) -> Term:
    term = await work.locked(Term, term_id)
    if await unclaimed_profiles.is_own(work, standing, term.person_id):
        raise errors.OwnTerm
    return term


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
    return await end(work, standing, term, TermEnding.RESIGNED, reason)


async def end(
    work: Work, standing: Standing, term: Term, how: TermEnding, reason: str | None
) -> dict[str, Any]:
    """Ends a term at this instant and records how. Raises GrantLastHolder."""
    term.end(how, reason, clock.now(), standing.today)
    activity.record(
        work,
        f"term.{how}",
        standing,
        term.id,
        community_id=term.community_id,
        **await facts(work, term),
    )
    await _touch(work, term)
    await grants.refuse_if_last(work, standing, {term.position_code})
    return term_pages.shown(await term_pages.one(work, standing, term.id), standing)
