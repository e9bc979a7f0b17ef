"""Results: counting the urns, hiding numbers that would tell a vote, counting again."""

import hashlib
from fractions import Fraction
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, election_errors
from app.db import Source, Work
from app.models import (
    Election,
    ElectionMethod,
    Membership,
    Nomination,
    Person,
    Recount,
    TieRule,
    Urn,
)
from app.policy import Capability, Standing
from app.services import contests, counting, elections
from app.services.contests import STOOD, State, on_ballot
from app.services.counting import Outcome, Paper
from app.services.elections import COUNTED, ELECTIONS

FEWEST_BALLOTS = 10

# Counting


async def count(source: Source, election: Any, state: State) -> dict[str, Any]:
    """The result as it is kept: ids, and numbers where they tell nobody's vote.

    The same whenever it is done, as long as the same candidates stand.
    """
    papers = await _papers(source, state)
    candidates = await _candidates(source, election)
    order = await _order(source, election, candidates)
    return {
        "contests": [
            _counted(contest, election, papers[contest.id], candidates[contest.id], order)
            for contest in state.contests
        ]
    }


async def _papers(source: Source, state: State) -> dict[UUID, list[Paper]]:
    ids = [contest.id for contest in state.contests]
    rows = await source.rows(
        sa.select(Urn.contest_id, Urn.ballots).where(col(Urn.contest_id).in_(ids))
    )
    return {
        row.contest_id: [(tuple(names), number) for names, number in row.ballots] for row in rows
    }


async def _candidates(source: Source, election: Any) -> dict[UUID, list[Any]]:
    """By contest, those who stood when voting began, and whether they still do."""
    rows = await source.rows(
        sa.select(Nomination.id, Nomination.contest_id, Nomination.person_id, Nomination.struck)
        .where(col(Nomination.election_id) == election.id, STOOD)
        .order_by(col(Nomination.id))
    )
    found: dict[UUID, list[Any]] = {}
    for contest in await source.rows(
        contests.CONTESTS.where(col(contests.Contest.election_id) == election.id)
    ):
        found[contest.id] = [row for row in rows if row.contest_id == contest.id]
    return found


def lot(seed: str, nomination_id: Any) -> str:
    """A candidate's lot: of equals, the one with the lowest comes first. Anybody who has the seed
    can draw it again."""
    return hashlib.sha256(f"{seed}:{nomination_id}".encode()).hexdigest()


async def _order(
    source: Source, election: Any, candidates: dict[UUID, list[Any]]
) -> dict[str, int] | None:
    """The order that decides between equals, by the rule that was settled beforehand; None where
    that is another election. Equally long memberships are decided by lot."""
    if election.tie_rule == TieRule.NEW_ELECTION:
        return None
    everybody = [one for those in candidates.values() for one in those]
    since: dict[UUID, Any] = {}
    if election.tie_rule == TieRule.LONGEST_MEMBERSHIP:
        rows = await source.rows(
            sa.select(Membership.person_id, sa.func.min(Membership.since_on).label("since"))
            .where(
                col(Membership.community_id) == election.community_id,
                col(Membership.person_id).in_([one.person_id for one in everybody]),
                sa.or_(
                    col(Membership.ended_at).is_(None),
                    col(Membership.ended_at) >= clock.start_of(election.voting_from),
                ),
            )
            .group_by(col(Membership.person_id))
        )
        since = {row.person_id: row.since for row in rows}

    def place(one: Any) -> Any:
        return since.get(one.person_id, election.voting_from), lot(election.lot_seed, one.id)

    return {str(one.id): number for number, one in enumerate(sorted(everybody, key=place))}


def _counted(
    contest: Any,
    election: Any,
    papers: list[Paper],
    stood: list[Any],
    order: dict[str, int] | None,
) -> dict[str, Any]:
    standing = [str(one.id) for one in stood if not one.struck]
    found: dict[str, Any] = {
        "contest_id": str(contest.id),
        "position": contest.position_code,
        "by_acclamation": False,
        "ties": [],
        "numbers": None,
        "numbers_hidden": False,
    }
    if on_ballot(contest, election.acclamation):
        ranked = contest.method == ElectionMethod.SINGLE_TRANSFERABLE_VOTE
        method = counting.transferable if ranked else counting.most_votes
        outcome = method(papers, standing, contest.seats, order)
        hidden = counting.reveals(outcome, FEWEST_BALLOTS)
        elected = outcome.elected
        found |= {
            "ties": [{"between": tie.between, "chosen": tie.chosen} for tie in outcome.ties],
            "numbers": None if hidden else _numbers(outcome),
            "numbers_hidden": hidden,
        }
    else:
        elected = standing
        found["by_acclamation"] = bool(standing)
    # In the order of nomination: that of being elected would tell of numbers that may be hidden.
    found["elected"] = sorted(elected)
    found["vacant_seats"] = contest.seats - len(elected)
    return found


def _numbers(outcome: Outcome) -> dict[str, Any]:
    return {
        "valid": outcome.valid,
        "blank": outcome.blank,
        "quota": outcome.quota,
        "stages": [
            {
                "act": stage.act,
                "nomination_id": stage.candidate,
                "votes": [
                    {"nomination_id": candidate, "votes": decimal(votes)}
                    for candidate, votes in sorted(stage.votes.items())
                ],
                "exhausted": decimal(stage.exhausted),
            }
            for stage in outcome.stages
        ],
    }


def decimal(value: Fraction) -> str:
    """An exact number of votes as it is printed: to five places, without idle zeros."""
    scaled = round(value * 100_000)
    return f"{scaled // 100_000}.{scaled % 100_000:05d}".rstrip("0").rstrip(".")


# Showing


async def get(source: Source, standing: Standing, election_id: UUID) -> dict[str, Any]:
    """The result: for everybody who may see leadership once it is certified; before that, when
    voting is over, for those who manage elections and do not stand.

    Raises NotCertified, OwnCandidacy, WrongPhase.
    """
    row = await source.one(ELECTIONS.where(col(Election.id) == election_id))
    state = await contests.state(source, row)
    if row.certified_at is None:
        if not standing.can(Capability.ELECTIONS_MANAGE):
            raise election_errors.NotCertified
        await elections.refuse_candidate(source, standing, election_id)
        if state.phase not in COUNTED:
            raise contests.wrong_phase(state.phase)
    result = row.result or await count(source, row, state)
    return await _shown(source, row, state, result)


async def _shown(source: Source, row: Any, state: State, result: dict[str, Any]) -> dict[str, Any]:
    people = await _people(source, row.id)
    return {
        "election_id": row.id,
        "phase": state.phase,
        "turnout": elections.turnout_shown(row, state) if state.turnout.contested else None,
        "contests": [
            contest
            | {
                "elected": [
                    {"nomination_id": name, "person": people[name]} for name in contest["elected"]
                ]
            }
            for contest in result["contests"]
        ],
        "lot_commitment": elections.commitment(row.lot_seed),
        "lot_seed": row.lot_seed if row.certified_at is not None else None,
        "recounts": await _recounts(source, row.id),
    }


async def _people(source: Source, election_id: UUID) -> dict[str, dict[str, Any]]:
    rows = await source.rows(
        sa.select(
            col(Nomination.id).label("nomination_id"),
            Person.id,
            Person.name,
            Person.occupation,
            Person.affiliation,
        )
        .join(Person, col(Person.id) == Nomination.person_id)
        .where(col(Nomination.election_id) == election_id)
    )
    found = {}
    for row in rows:
        line = row._asdict()
        found[str(line.pop("nomination_id"))] = line
    return found


_RECOUNTS = sa.select(
    Recount.id,
    Recount.reason,
    Recount.agrees,
    Recount.recorded_at,
    Recount.recorded_by,
    Person.name,
).join(Person, col(Person.id) == Recount.recorded_by)


async def _recounts(source: Source, election_id: UUID) -> list[dict[str, Any]]:
    rows = await source.rows(
        _RECOUNTS.where(col(Recount.election_id) == election_id).order_by(col(Recount.id))
    )
    return [_recount_shown(row) for row in rows]


def _recount_shown(row: Any) -> dict[str, Any]:
    return {**row._asdict(), "recorded_by": {"id": row.recorded_by, "name": row.name}}


# Counting again


async def recount(work: Work, standing: Standing, election_id: UUID, reason: str) -> dict[str, Any]:
    """Counts again, and keeps why and whether it came to the same: as many ballots in each urn as
    people who voted, and the result that was certified, or that was counted last among the same
    candidates. Raises WrongPhase, OwnCandidacy."""
    election, state = await contests.locked(work, election_id, *COUNTED)
    await elections.refuse_candidate(work, standing, election_id)
    outcome = await count(work, election, state)
    stands = sorted(
        str(one.id)
        for those in (await _candidates(work, election)).values()
        for one in those
        if not one.struck
    )
    agrees = await _urns_are_whole(work, election, state)
    before = await _counted_before(work, election, stands)
    kept = Recount(
        election_id=election.id,
        reason=reason,
        agrees=agrees and before in (None, outcome),
        outcome={"result": outcome, "stands": stands},
        recorded_at=clock.now(),
        recorded_by=standing.me.id,
    )
    work.add(kept)
    activity.record(
        work,
        "election.recounted",
        standing,
        election.id,
        community_id=election.community_id,
        agrees=kept.agrees,
    )
    await work.flush()
    return _recount_shown(await work.one(_RECOUNTS.where(col(Recount.id) == kept.id)))


async def _counted_before(
    work: Work, election: Election, stands: list[str]
) -> dict[str, Any] | None:
    if election.result is not None:
        return election.result
    rows = await work.rows(
        sa.select(Recount.outcome)
        .where(col(Recount.election_id) == election.id)
        .order_by(col(Recount.id).desc())
    )
    return next((row.outcome["result"] for row in rows if row.outcome["stands"] == stands), None)


async def _urns_are_whole(work: Work, election: Election, state: State) -> bool:
    """True if each urn that was voted into holds one ballot of each person who has voted."""
    papers = await _papers(work, state)
    return all(
        sum(number for _, number in papers[contest.id]) == state.turnout.cast
        for contest in state.contests
        if on_ballot(contest, election.acclamation)
    )
