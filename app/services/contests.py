"""The contests of elections: who stands in each, and what that makes of the election's phase."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, election_errors, errors
from app.db import Source, Work
from app.models import (
    Contest,
    Election,
    ElectionMethod,
    ElectionPhase,
    Nomination,
    Position,
    PositionScope,
    Seat,
    Term,
    TermBasis,
    Turnout,
    Urn,
    Voter,
)
from app.models.elections import phase_on
from app.policy import Standing
from app.services import rolls
from app.services.terms import LONGEST_TERM

# Who was a candidate when voting began, and who still is.
STOOD = sa.and_(
    col(Nomination.accepted_at).is_not(None),
    sa.or_(col(Nomination.withdrawn_at).is_(None), col(Nomination.struck)),
)
STANDS = sa.and_(col(Nomination.accepted_at).is_not(None), col(Nomination.withdrawn_at).is_(None))


def _counted(condition: Any) -> Any:
    return (
        sa.select(sa.func.count())
        .select_from(Nomination)
        .where(col(Nomination.contest_id) == Contest.id, condition)
        .correlate(Contest)
        .scalar_subquery()
    )


_CAST = (
    sa.select(sa.func.count())
    .select_from(Voter)
    .where(col(Voter.election_id) == Contest.election_id, col(Voter.voted))
    .correlate(Contest)
    .scalar_subquery()
)
CONTESTS = sa.select(
    Contest.id,
    Contest.election_id,
    Contest.number,
    Contest.position_code,
    Contest.seats,
    Contest.seat_numbers,
    Contest.method,
    Contest.starts_on,
    Contest.ends_on,
    _counted(STOOD).label("stood"),
    _counted(STANDS).label("candidates"),
    _CAST.label("cast"),
).order_by(col(Contest.election_id), col(Contest.number))


class State(NamedTuple):
    """Where an election stands, and what that was worked out from."""

    phase: ElectionPhase
    turnout: Turnout
    contests: list[Any]


def on_ballot(contest: Any, acclamation: bool) -> bool:
    """True if a contest is voted on: somebody stands, and (where that suffices) not just enough."""
    return contest.stood > (contest.seats if acclamation else 0)


async def states(source: Source, elections: Sequence[Any]) -> dict[UUID, State]:
    """The states of elections, in a number of statements that does not depend on how many they
    are, save for those whose roll is not written down yet."""
    now = clock.now()
    ids = [election.id for election in elections]
    of: dict[UUID, list[Any]] = {election_id: [] for election_id in ids}
    for contest in await source.rows(CONTESTS.where(col(Contest.election_id).in_(ids))):
        of[contest.election_id].append(contest)
    found = {}
    for election in elections:
        contests = of[election.id]
        contested = any(on_ballot(contest, election.acclamation) for contest in contests)
        began = contested and now >= clock.start_of(election.voting_from)
        turnout = Turnout(
            candidates=sum(contest.stood for contest in contests),
            contested=contested,
            roll=await rolls.size(source, election) if began else 0,
            cast=max((contest.cast for contest in contests), default=0),
        )
        found[election.id] = State(phase_on(election, turnout, now), turnout, contests)
    return found


async def state(source: Source, election: Any) -> State:
    """The state of one election."""
    return (await states(source, [election]))[election.id]


async def locked(work: Work, election_id: UUID, *phases: ElectionPhase) -> tuple[Election, State]:
    """An election, held for this unit of work alone, in one of these phases, or WrongPhase.

    Votes, withdrawals and certifications take turns at it, so none slips past another.
    """
    election = await work.locked(Election, election_id)
    found = await state(work, election)
    if found.phase not in phases:
        raise wrong_phase(found.phase)
    return election, found


def wrong_phase(phase: ElectionPhase) -> errors.Problem:
    """The refusal for an act that belongs to another phase."""
    return election_errors.WrongPhase(members={"phase": phase.value})


# Opening


async def replace(work: Work, standing: Standing, election: Election, wanted: Any) -> None:
    """Gives an election its contests, each with an empty urn, in place of those it had."""
    await _refuse_impossible(work, standing, election, wanted)
    had = sa.select(col(Contest.id)).where(col(Contest.election_id) == election.id)
    await work.execute(sa.delete(Urn).where(col(Urn.contest_id).in_(had)))
    await work.execute(sa.delete(Contest).where(col(Contest.election_id) == election.id))
    made = [
        Contest(
            election_id=election.id,
            number=number,
            position_code=contest["position"],
            **{name: value for name, value in contest.items() if name != "position"},
        )
        for number, contest in enumerate(wanted, 1)
    ]
    work.add_all(made)
    await work.flush()
    work.add_all(Urn(contest_id=contest.id, ballots=[]) for contest in made)


async def _refuse_impossible(
    work: Work, standing: Standing, election: Election, wanted: list[dict[str, Any]]
) -> None:
    """Raises Invalid for positions, seats or days that do not fit, and SeatTaken where too few of
    the seats are free on the days of the terms."""
    wrong: list[dict[str, Any]] = []
    for place, contest in enumerate(wanted):
        position = await work.get(Position, contest["position"])
        at = f"/contests/{place}"
        known = position is not None and position.scope == PositionScope.COMMUNITY
        if not known or position is None or position.held_with is not None:
            wrong.append(errors.field(f"{at}/position", "not_known"))
            continue
        wrong += _wrong_seats(at, contest)
        if contest["starts_on"] <= election.voting_until:
            wrong.append(errors.field(f"{at}/starts_on", "day_out_of_order"))
        if contest["ends_on"] < contest["starts_on"]:
            wrong.append(errors.field(f"{at}/ends_on", "day_before_start"))
        elif contest["ends_on"] > contest["starts_on"] + LONGEST_TERM:
            wrong.append(errors.field(f"{at}/ends_on", "day_too_far"))
    if wrong:
        raise errors.Invalid(errors=wrong)
    claimed: set[Any] = set()
    for contest in wanted:
        free = await _free_seats(work, standing.here.id, contest)
        named = contest["seat_numbers"]
        chosen = {seat for seat in free if named is None or seat.number in named} - claimed
        if len(chosen) < contest["seats"]:
            raise errors.SeatTaken
        claimed.update(sorted(chosen, key=lambda seat: seat.number)[: contest["seats"]])


def _wrong_seats(at: str, contest: dict[str, Any]) -> list[dict[str, Any]]:
    named = contest["seat_numbers"]
    if contest["method"] == ElectionMethod.PLURALITY and contest["seats"] > 1:
        return [errors.field(f"{at}/method", "one_seat_only")]
    if named is not None and len(set(named)) != len(named):
        return [errors.field(f"{at}/seat_numbers", "duplicate")]
    if named is not None and len(named) != contest["seats"]:
        return [errors.field(f"{at}/seat_numbers", "seats_differ")]
    return []


async def _free_seats(work: Work, community_id: UUID, contest: dict[str, Any]) -> list[Any]:
    """The seats of the position here that nobody is to hold on the days of the terms."""
    taken = sa.select(Term.id).where(
        col(Term.seat_id) == Seat.id,
        col(Term.basis) != TermBasis.ACTING,
        col(Term.starts_on) <= contest["ends_on"],
        sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > contest["starts_on"]),
        sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > col(Term.starts_on)),
    )
    return await work.rows(
        sa.select(Seat.id, Seat.number)
        .where(
            col(Seat.body_id) == community_id,
            col(Seat.position_code) == contest["position"],
            sa.or_(col(Seat.closed_on).is_(None), col(Seat.closed_on) > contest["starts_on"]),
            ~taken.exists(),
        )
        .order_by(col(Seat.number))
    )
