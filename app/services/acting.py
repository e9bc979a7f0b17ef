"""Acting holders who are named, and the absences of holders: somebody else sits in a seat.

Nobody has to be named where the table of positions says who acts (services/seating.py); naming
somebody takes precedence over that.
"""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Work, unique_or
from app.models import Absence, Position, Seat, Term, TermBasis, TermEnding, TermStatus
from app.policy import Capability, Standing
from app.preconditions import Expected
from app.services import communities, seating, term_pages, terms, unclaimed_profiles


async def name(
    work: Work, standing: Standing, seat_id: UUID, body: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Names who acts in a vacant seat, or in one whose holder is absent, in place of whoever was
    named before.

    Raises Invalid for days that do not fit, OwnTerm, SeatOccupied, TermNotAMember,
    TermNotEligible, PersonHoldsSeat.
    """
    seat = await work.locked(Seat, seat_id)
    if standing.community is not None:
        standing.require_active()
    starts_on = body["starts_on"] or standing.today
    _refuse_days(standing.today, starts_on, body["ends_on"])
    if await unclaimed_profiles.is_own(work, standing, body["person_id"]):
        raise errors.OwnTerm
    before = await _named(work, seat_id)
    expected.check(before.version if before else 0)
    if await _able(work, seat_id, starts_on):
        raise errors.SeatOccupied
    if before is not None:
        await terms.end(work, standing, before, TermEnding.REMOVED, body["reason"])
    now = clock.now()
    term = Term(
        community_id=seat.community_id,
        subcommittee_id=seat.subcommittee_id,
        position_code=seat.position_code,
        seat_id=seat.id,
        person_id=body["person_id"],
        starts_on=starts_on,
        ends_on=body["ends_on"],
        basis=TermBasis.ACTING,
        recorded_at=now,
        recorded_by=standing.me.id,
        updated_at=now,
    )
    position = await work.get_one(Position, seat.position_code)
    await terms.refuse_unfit(work, standing, term, position)
    return await terms.record(work, standing, term, position)


def _refuse_days(today: date, starts_on: date, ends_on: date | None) -> None:
    if starts_on < today:
        raise errors.Invalid(errors=[errors.field("/starts_on", "day_in_the_past")])
    if ends_on is not None and ends_on < starts_on:
        raise errors.Invalid(errors=[errors.field("/ends_on", "day_before_start")])
    if starts_on > today + terms.LONGEST_TERM:
        raise errors.Invalid(errors=[errors.field("/starts_on", "day_too_far")])
    if ends_on is not None and ends_on > starts_on + terms.LONGEST_TERM:
        raise errors.Invalid(errors=[errors.field("/ends_on", "day_too_far")])


async def _named(work: Work, seat_id: UUID) -> Term | None:
    """Whoever is named to act in a seat, now or from a later day on."""
    found = await work.execute(
        sa.select(Term)
        .where(
            col(Term.seat_id) == seat_id,
            col(Term.basis) == TermBasis.ACTING,
            seating.term_is_not_over(clock.today()),
        )
        .with_for_update()
    )
    return found.scalars().first()


async def _able(work: Work, seat_id: UUID, day: date) -> bool:
    held = sa.select(Term.id).where(
        col(Term.seat_id) == seat_id, seating.own(Term), seating.able(day)
    )
    return await work.first(held) is not None


async def unname(work: Work, standing: Standing, seat_id: UUID, expected: Expected) -> None:
    """Nobody is named to act in the seat any more. Raises NotFound if nobody was."""
    await work.locked(Seat, seat_id)
    before = await _named(work, seat_id)
    if before is None:
        raise errors.NotFound
    expected.check(before.version)
    await terms.end(work, standing, before, TermEnding.REMOVED, None)


# Absences


async def declare_absence(
    work: Work, standing: Standing, term_id: UUID, body: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """The holder is away on these days: the rights of the seat rest, and somebody may act in it.

    It takes the place of an absence that was declared before and is not over. Raises Invalid for
    days in the past, TermEnded.
    """
    term = await _term(work, standing, term_id)
    expected.check(term.version)
    starts_on, ends_on = body["starts_on"], body["ends_on"]
    _refuse_days(standing.today, starts_on, ends_on)
    now = clock.now()
    await _close(work, term)
    async with unique_or(work, {"uq_absence_open": errors.AbsenceDeclared()}):
        work.add(
            Absence(
                term_id=term.id,
                starts_on=starts_on,
                ends_on=ends_on,
                reason=body["reason"],
                declared_at=now,
                declared_by=standing.me.id,
            )
        )
    activity.record(
        work,
        "absence.declared",
        standing,
        term.id,
        community_id=term.community_id,
        **await terms.facts(work, term),
        starts_on=starts_on,
        ends_on=ends_on,
    )
    await _changed(work, term)
    return term_pages.shown(await term_pages.one(work, standing, term.id), standing)


async def end_absence(work: Work, standing: Standing, term_id: UUID, expected: Expected) -> None:
    """The holder is back, at this instant. Raises NotFound if no absence runs or is to come."""
    term = await _term(work, standing, term_id)
    expected.check(term.version)
    if not await _close(work, term):
        raise errors.NotFound
    activity.record(
        work,
        "absence.ended",
        standing,
        term.id,
        community_id=term.community_id,
        **await terms.facts(work, term),
    )
    await _changed(work, term)


async def _term(work: Work, standing: Standing, term_id: UUID) -> Term:
    """The term, locked: one's own, or another's for whoever may appoint."""
    term = await work.locked(Term, term_id)
    if term.person_id != standing.me.id:
        if not standing.can(Capability.LEADERSHIP_READ_HISTORY):
            raise errors.NotFound
        standing.require(Capability.LEADERSHIP_APPOINT)
    current = term.status(standing.today) in (TermStatus.RUNNING, TermStatus.PLANNED)
    if not current or term.basis == TermBasis.ACTING:
        raise errors.TermEnded
    return term


async def _close(work: Work, term: Term) -> bool:
    """Ends the absence that is open; True if it was not over by its last day already."""
    found = await work.execute(
        sa.select(Absence)
        .where(col(Absence.term_id) == term.id, col(Absence.ended_at).is_(None))
        .with_for_update()
    )
    absence = found.scalars().first()
    if absence is None:
        return False
    absence.ended_at = clock.now()
    await work.flush()
    return absence.ends_on is None or absence.ends_on >= clock.today()


async def _changed(work: Work, term: Term) -> None:
    term.version += 1
    term.updated_at = clock.now()
    if term.community_id is not None:
        await communities.touch_roster(work, term.community_id)
    await work.flush()
