"""Nominations: proposing somebody, saying yes, saying no."""

from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock, election_errors, errors
from app.db import Source, Work, unique_or
from app.listing import Listing
from app.models import (
    Contest,
    Election,
    ElectionPhase,
    Nomination,
    NominationStatus,
    Person,
    Position,
    Term,
    TermBasis,
)
from app.models.elections import nomination_status
from app.policy import Capability, Standing
from app.preconditions import ANY, Expected
from app.services import contests, elections, terms

_Proposer = aliased(Person)
NOMINATIONS = (
    sa.select(
        Nomination.id,
        Nomination.election_id,
        Nomination.community_id,
        Nomination.contest_id,
        Nomination.person_id,
        Nomination.nominated_by,
        Nomination.nominated_at,
        Nomination.statement,
        Nomination.language,
        Nomination.accepted_at,
        Nomination.withdrawn_at,
        Nomination.withdrawal_reason,
        Nomination.version,
        col(Contest.position_code).label("position"),
        Election.acceptance_until,
        Election.voting_from,
        Election.cancelled_at,
        Election.certified_at,
        Person.name,
        Person.occupation,
        Person.affiliation,
        col(_Proposer.name).label("proposer"),
    )
    .join(Contest, col(Contest.id) == Nomination.contest_id)
    .join(Election, col(Election.id) == Nomination.election_id)
    .join(Person, col(Person.id) == Nomination.person_id)
    .join(_Proposer, col(_Proposer.id) == Nomination.nominated_by)
)
_STILL_OPEN = (ElectionPhase.NOMINATIONS, ElectionPhase.ACCEPTANCE)


@lru_cache
def listing() -> Listing:
    """The nominations of an election, in the order of making."""
    wanted = col(Nomination.election_id) == sa.bindparam("election", type_=sa.Uuid)
    return Listing(NOMINATIONS.where(wanted), col(Nomination.id))


def shown(row: Any, standing: Standing) -> dict[str, Any]:
    """A nomination as this caller sees it."""
    now = clock.now()
    mine = standing.person is not None and standing.person.id == row.person_id
    acceptance_over = now >= clock.end_of(row.acceptance_until)
    status = nomination_status(row, acceptance_over)
    may_know = mine or standing.can(Capability.ELECTIONS_MANAGE)
    return {
        **row._asdict(),
        "person": {
            "id": row.person_id,
            "name": row.name,
            "occupation": row.occupation,
            "affiliation": row.affiliation,
        },
        "nominated_by": {"id": row.nominated_by, "name": row.proposer},
        "status": status,
        "withdrawal_reason": row.withdrawal_reason if may_know else None,
        "viewer": {"can": _affordances(row, standing, mine, status, acceptance_over)},
    }


def _affordances(
    row: Any, standing: Standing, mine: bool, status: NominationStatus, acceptance_over: bool
) -> list[str]:
    if not mine or row.cancelled_at is not None or row.certified_at is not None:
        return []
    found = []
    if not acceptance_over and standing.can(Capability.LEADERSHIP_READ_HISTORY):
        found.append("accept_nomination")
    if status in (NominationStatus.PROPOSED, NominationStatus.ACCEPTED):
        found.append("withdraw_nomination")
    return found


async def get(source: Source, standing: Standing, nomination_id: UUID) -> dict[str, Any]:
    """One nomination; the nominee sees it without any membership."""
    row = await source.one(NOMINATIONS.where(col(Nomination.id) == nomination_id))
    mine = standing.person is not None and standing.person.id == row.person_id
    if not mine and not standing.can(Capability.LEADERSHIP_READ_HISTORY):
        raise errors.NotFound
    return shown(row, standing)


# Who may stand


async def refuse_unfit(
    work: Work, standing: Standing, election: Election, contest: Any, person_id: UUID
) -> tuple[Term, Position]:
    """The term that somebody would be elected to, and its position.

    Raises TermNotAMember, TermNotEligible, and TermConsecutive unless an exception is recorded.
    """
    position = await work.get_one(Position, contest.position_code)
    now = clock.now()
    term = Term(
        community_id=election.community_id,
        position_code=position.code,
        person_id=person_id,
        starts_on=contest.starts_on,
        ends_on=contest.ends_on,
        basis=TermBasis.ELECTION,
        exception_reason=await elections.exception_for(work, election.id, position, person_id),
        election_id=election.id,
        recorded_at=now,
        recorded_by=standing.me.id,
        updated_at=now,
    )
    term.begin()
    await terms.refuse_unfit(work, standing, term, position)
    return term, position


# What is done


async def nominate(
    work: Work, standing: Standing, election_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Proposes a member for a contest; who proposes oneself has accepted.

    Raises WrongPhase, Invalid for a contest that is not one of this election's, NominationExists,
    StandsElsewhere, TermNotAMember, TermNotEligible, TermConsecutive.
    """
    standing.require_active()
    election, state = await contests.locked(work, election_id, ElectionPhase.NOMINATIONS)
    contest = next((one for one in state.contests if one.id == body["contest_id"]), None)
    oneself = body["person_id"] == standing.me.id
    wrong = []
    if contest is None:
        wrong.append(errors.field("/contest_id", "not_known"))
    if body["statement"] is not None and not oneself:
        wrong.append(errors.field("/statement", "own_words_only"))
    if contest is None or wrong:
        raise errors.Invalid(errors=wrong)
    await refuse_unfit(work, standing, election, contest, body["person_id"])
    now = clock.now()
    nomination = Nomination(
        community_id=election.community_id,
        election_id=election.id,
        contest_id=contest.id,
        person_id=body["person_id"],
        nominated_by=standing.me.id,
        nominated_at=now,
        statement=body["statement"],
        language=body["language"],
        accepted_at=now if oneself else None,
    )
    async with unique_or(
        work,
        {
            "uq_nomination_contest_id_person_id": election_errors.NominationExists(),
            "uq_nomination_stands": election_errors.StandsElsewhere(),
        },
    ):
        work.add(nomination)
    _record(work, standing, "made", nomination, contest)
    if oneself:
        _record(work, standing, "accepted", nomination, contest)
    await work.flush()
    return await get(work, standing, nomination.id)


async def accept(
    work: Work,
    standing: Standing,
    nomination_id: UUID,
    body: dict[str, Any],
    expected: Expected = ANY,
) -> dict[str, Any]:
    """The nominee stands, with a statement if one is given; again to change it, or one's mind.

    Raises WrongPhase after the last day of acceptance, StandsElsewhere, and PermissionDenied for
    anybody else.
    """
    found = await work.one(NOMINATIONS.where(col(Nomination.id) == nomination_id))
    if found.person_id != standing.me.id:
        standing.refuse_others()
    standing.require_active()
    election, state = await contests.locked(work, found.election_id, *_STILL_OPEN)
    nomination = await work.locked(Nomination, nomination_id)
    expected.check(nomination.version)
    contest = next(one for one in state.contests if one.id == nomination.contest_id)
    await refuse_unfit(work, standing, election, contest, nomination.person_id)
    stood = nomination.accepted_at is not None and nomination.withdrawn_at is None
    async with unique_or(work, {"uq_nomination_stands": election_errors.StandsElsewhere()}):
        if not stood:
            nomination.accepted_at = clock.now()
            nomination.withdrawn_at = nomination.withdrawn_by = None
            nomination.withdrawal_reason = None
        nomination.statement, nomination.language = body["statement"], body["language"]
        nomination.version += 1
    if not stood:
        _record(work, standing, "accepted", nomination, contest)
    await work.flush()
    return await get(work, standing, nomination_id)


async def withdraw(
    work: Work,
    standing: Standing,
    nomination_id: UUID,
    reason: str | None,
    expected: Expected = ANY,
) -> dict[str, Any]:
    """The nominee does not stand (any more); once voting has begun, ballots pass over the name.

    Whoever manages elections records it, with a reason, for somebody who can no longer hold the
    seat. Raises WrongPhase, NominationWithdrawn, OwnCandidacy, CandidateFit, PermissionDenied.
    """
    found = await work.one(NOMINATIONS.where(col(Nomination.id) == nomination_id))
    mine = found.person_id == standing.me.id
    if not mine:
        if not standing.can(Capability.LEADERSHIP_READ_HISTORY):
            raise errors.NotFound
        standing.require(Capability.ELECTIONS_MANAGE)
    election, state = await contests.locked(work, found.election_id, *elections.UNDER_WAY)
    nomination = await work.locked(Nomination, nomination_id)
    expected.check(nomination.version)
    if nomination.withdrawn_at is not None:
        raise election_errors.NominationWithdrawn
    contest = next(one for one in state.contests if one.id == nomination.contest_id)
    if not mine:
        await elections.refuse_candidate(work, standing, election.id)
        await _refuse_fit(work, standing, election, contest, nomination)
        if reason is None:
            raise errors.Invalid(errors=[errors.field("/reason", "reason_required")])
    began = clock.now() >= clock.start_of(election.voting_from)
    nomination.withdrawn_at, nomination.withdrawn_by = clock.now(), standing.me.id
    nomination.withdrawal_reason = reason
    nomination.struck = began and nomination.accepted_at is not None
    nomination.version += 1
    _record(work, standing, "withdrawn", nomination, contest)
    await work.flush()
    return await get(work, standing, nomination_id)


async def _refuse_fit(
    work: Work, standing: Standing, election: Election, contest: Any, nomination: Nomination
) -> None:
    """Raises CandidateFit for somebody who could take the seat: only they say no themselves."""
    try:
        await refuse_unfit(work, standing, election, contest, nomination.person_id)
    except errors.Problem:
        return
    raise election_errors.CandidateFit


def _record(
    work: Work, standing: Standing, what: str, nomination: Nomination, contest: Any
) -> None:
    activity.record(
        work,
        f"nomination.{what}",
        standing,
        nomination.id,
        community_id=nomination.community_id,
        election_id=nomination.election_id,
        position=contest.position_code,
        person_id=nomination.person_id,
    )
