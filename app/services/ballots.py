"""Casting a ballot: one for each voter, and nothing that says whose it is.

That somebody votes is a mark on the roll and a record in the log. What they vote goes into the
urns: one row a contest, holding how many ballots say what, sorted, without a name, an instant or an
order. The two meet in this module's arguments alone, and nothing here puts them anywhere else:
not in a log, not in a refusal, not in the answer. docs/elections.md says what that promises.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, election_errors, errors
from app.db import Database, Work
from app.models import Election, ElectionMethod, ElectionPhase, Nomination, Urn, Voter
from app.policy import Standing
from app.services import contests, elections, rolls
from app.services.contests import STOOD, State, on_ballot
from app.services.elections import ELECTIONS


async def cast(
    work: Work, standing: Standing, election_id: UUID, choices: list[dict[str, Any]]
) -> dict[str, Any]:
    """Puts one ballot into the urns. Raises WrongPhase, NotOnRoll, BallotAlreadyCast, and Invalid
    for a ballot that cannot be read as a choice for each contest."""
    standing.require_active()
    election, state = await contests.locked(work, election_id, ElectionPhase.VOTING)
    await rolls.freeze(work, election)
    await _mark(work, standing, election)
    for contest_id, names in await _read(work, election, state, choices):
        await _put(work, contest_id, names)
    activity.record(work, "ballot.cast", standing, election.id, community_id=election.community_id)
    await work.flush()
    return {"election_id": election.id, "voted": True}


async def write_roll(database: Database, election_id: UUID) -> None:
    """Writes down the roll of an election whose voting has begun. Raises WrongPhase before, and
    where nothing is voted on.

    In a unit of work of its own: whoever reads the roll next finds it.
    """
    row = await database.reader.one(ELECTIONS.where(col(Election.id) == election_id))
    if row.roll_size is not None:
        return
    state = await contests.state(database.reader, row)
    if not elections.voting_began(row, state):
        raise contests.wrong_phase(state.phase)
    async with database.work() as work:
        await rolls.freeze(work, await work.locked(Election, election_id))


async def _mark(work: Work, standing: Standing, election: Election) -> None:
    """Notes that the caller has voted, if they have not: of many at once, one gets through."""
    mine = (col(Voter.election_id) == election.id, col(Voter.person_id) == standing.me.id)
    marked = await work.written(
        sa.update(Voter)
        .where(*mine, col(Voter.voted).is_(False))
        .values(voted=True)
        .execution_options(synchronize_session=False)
    )
    if not marked:
        on_roll = await work.first(sa.select(Voter.voted).where(*mine))
        raise election_errors.BallotAlreadyCast if on_roll else election_errors.NotOnRoll


async def _read(
    work: Work, election: Election, state: State, choices: list[dict[str, Any]]
) -> list[tuple[UUID, list[str]]]:
    """What each contest's urn is given, in the contests' order: the names of a paper, as they
    count. Raises Invalid, which says where it is wrong and not what."""
    open_ones = {one.id: one for one in state.contests if on_ballot(one, election.acclamation)}
    rows = await work.rows(
        sa.select(Nomination.id, Nomination.contest_id).where(
            col(Nomination.election_id) == election.id, STOOD
        )
    )
    stood = {(row.contest_id, row.id) for row in rows}
    chosen: dict[UUID, list[str]] = {}
    wrong = []
    for place, choice in enumerate(choices):
        contest, names = open_ones.get(choice["contest_id"]), choice["nominations"]
        at = f"/choices/{place}"
        if contest is None:
            wrong.append(errors.field(f"{at}/contest_id", "not_known"))
        elif contest.id in chosen:
            wrong.append(errors.field(f"{at}/contest_id", "duplicate"))
        elif any((contest.id, name) not in stood for name in names):
            wrong.append(errors.field(f"{at}/nominations", "not_known"))
        elif len(set(names)) < len(names):
            wrong.append(errors.field(f"{at}/nominations", "duplicate"))
        elif contest.method == ElectionMethod.PLURALITY and len(names) > 1:
            wrong.append(errors.field(f"{at}/nominations", "one_only"))
        else:
            chosen[contest.id] = _paper(contest, names)
    if not wrong and len(chosen) < len(open_ones):
        wrong.append(errors.field("/choices", "choice_missing"))
    if wrong:
        raise errors.Invalid(errors=wrong)
    return [(contest_id, chosen[contest_id]) for contest_id in open_ones]


def _paper(contest: Any, names: list[UUID]) -> list[str]:
    """A paper as it counts: only a ranking keeps the order in which it was filled in."""
    written = [str(name) for name in names]
    ranked = contest.method == ElectionMethod.SINGLE_TRANSFERABLE_VOTE
    return written if ranked else sorted(written)


async def _put(work: Work, contest_id: UUID, names: list[str]) -> None:
    """Adds one paper to an urn, whose row is rewritten whole and sorted."""
    urn = await work.locked(Urn, contest_id)
    papers = {tuple(known): number for known, number in urn.ballots}
    papers[tuple(names)] = papers.get(tuple(names), 0) + 1
    urn.ballots = [[list(known), number] for known, number in sorted(papers.items())]
