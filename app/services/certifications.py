"""Certification: the result becomes the record, and those who were elected get their terms."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, election_errors, errors
from app.db import Work
from app.models import Election, ElectionPhase, Nomination, Seat
from app.policy import Standing
from app.preconditions import ANY, Expected
from app.services import contests, elections, nominations, results, rolls, terms

# What keeps somebody who was elected from the seat, and is theirs to mend or to withdraw over.
UNFIT = (
    errors.TermNotAMember,
    errors.TermNotEligible,
    errors.TermConsecutive,
    errors.PersonHoldsSeat,
)


async def certify(
    work: Work, standing: Standing, election_id: UUID, expected: Expected = ANY
) -> dict[str, Any]:
    """Certifies the result and records the terms of all who are elected, or nothing of it.

    Raises WrongPhase (also for a second certification), OwnCandidacy, SeatTaken, and WinnerUnfit
    with the nomination: the next one is elected when that person's withdrawal is recorded.
    """
    standing.require_active()
    election, state = await contests.locked(work, election_id, ElectionPhase.COUNTING)
    expected.check(election.version)
    await elections.refuse_candidate(work, standing, election_id)
    if state.turnout.contested:
        await rolls.freeze(work, election)
    election.result = await results.count(work, election, state)
    begun = []
    for contest, outcome in zip(state.contests, election.result["contests"], strict=True):
        seats = await _named_seats(work, election, contest)
        for place, nomination_id in enumerate(outcome["elected"]):
            nomination = await work.get_one(Nomination, UUID(nomination_id))
            seat_id = seats[place] if seats else None
            begun.append(await _begin(work, standing, election, contest, nomination, seat_id))
    now = clock.now()
    election.certified_at, election.certified_by = now, standing.me.id
    election.updated_at, election.version = now, election.version + 1
    activity.record(
        work,
        "election.certified",
        standing,
        election.id,
        community_id=election.community_id,
        terms=begun,
    )
    await work.flush()
    return await elections.get(work, standing, election_id)


async def _named_seats(work: Work, election: Election, contest: Any) -> list[UUID]:
    if contest.seat_numbers is None:
        return []
    rows = await work.rows(
        sa.select(Seat.id)
        .where(
            col(Seat.body_id) == election.community_id,
            col(Seat.position_code) == contest.position_code,
            col(Seat.number).in_(contest.seat_numbers),
        )
        .order_by(col(Seat.number))
    )
    return [row.id for row in rows]


async def _begin(
    work: Work,
    standing: Standing,
    election: Election,
    contest: Any,
    nomination: Nomination,
    seat_id: UUID | None,
) -> UUID:
    """The term of one who was elected; its id."""
    try:
        term, position = await nominations.refuse_unfit(
            work, standing, election, contest, nomination.person_id
        )
        term.seat_id = seat_id
        found = await terms.record(work, standing, term, position)
    except UNFIT as refusal:
        raise election_errors.WinnerUnfit(
            members={"nomination_id": str(nomination.id), "reason": refusal.code}
        ) from refusal
    return found["id"]
