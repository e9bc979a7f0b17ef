"""Elections: opening them, showing where they stand, changing and calling them off."""

import hashlib
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock, election_errors, errors, tokens
from app.db import Source, Work
from app.listing import Listing
from app.models import (
    Election,
    ElectionPhase,
    EligibilityException,
    Nomination,
    Person,
    Position,
)
from app.models.elections import quorum_met
from app.policy import Capability, Standing
from app.preconditions import ANY, Expected, merge
from app.services import contests, rolls, unclaimed_profiles
from app.services.contests import STOOD, State

LONGEST_TIMETABLE = timedelta(days=731)
TIMETABLE = (
    "nominations_from",
    "nominations_until",
    "acceptance_until",
    "voting_from",
    "voting_until",
)
OVER = (ElectionPhase.CERTIFIED, ElectionPhase.CANCELLED, ElectionPhase.FAILED)
UNDER_WAY = tuple(phase for phase in ElectionPhase if phase not in OVER)
COUNTED = (ElectionPhase.COUNTING, ElectionPhase.FAILED, ElectionPhase.CERTIFIED)

_Opener, _Canceller, _Certifier = (aliased(Person) for _ in range(3))
ELECTIONS = sa.select(
    Election.id,
    Election.community_id,
    Election.title,
    Election.language,
    Election.nominations_from,
    Election.nominations_until,
    Election.acceptance_until,
    Election.voting_from,
    Election.voting_until,
    Election.quorum,
    Election.acclamation,
    Election.tie_rule,
    Election.lot_seed,
    Election.roll_size,
    Election.opened_at,
    Election.opened_by,
    Election.cancelled_at,
    Election.cancelled_by,
    Election.cancel_reason,
    Election.certified_at,
    Election.certified_by,
    Election.result,
    Election.version,
    col(_Opener.name).label("opener"),
    col(_Canceller.name).label("canceller"),
    col(_Certifier.name).label("certifier"),
).select_from(
    sa.join(Election, _Opener, col(_Opener.id) == Election.opened_by)
    .outerjoin(_Canceller, col(_Canceller.id) == Election.cancelled_by)
    .outerjoin(_Certifier, col(_Certifier.id) == Election.certified_by)
)


@lru_cache
def listing() -> Listing:
    """The elections of a community, the latest first."""
    wanted = col(Election.community_id) == sa.bindparam("community", type_=sa.Uuid)
    return Listing(ELECTIONS.where(wanted), col(Election.id), descending=True)


# How they are shown


def commitment(seed: str) -> str:
    """What is published of the seed of a lot before anybody may know it."""
    return hashlib.sha256(seed.encode()).hexdigest()


async def shown_all(source: Source, standing: Standing, rows: list[Any]) -> list[dict[str, Any]]:
    """Elections as this caller sees them."""
    states = await contests.states(source, rows)
    mine = await _candidacies(source, standing, [row.id for row in rows])
    votes: dict[UUID, dict[str, bool]] = {}
    if standing.person is not None:
        voted_on = [row for row in rows if voting_began(row, states[row.id])]
        votes = await rolls.votes_of(source, voted_on, standing.person.id)
    return [
        _shown(standing, row, states[row.id], row.id in mine, votes.get(row.id)) for row in rows
    ]


async def get(source: Source, standing: Standing, election_id: UUID) -> dict[str, Any]:
    """One election."""
    row = await source.one(ELECTIONS.where(col(Election.id) == election_id))
    (found,) = await shown_all(source, standing, [row])
    return found


def voting_began(row: Any, state: State) -> bool:
    """True from the first moment of voting on, where something is voted on."""
    return state.turnout.contested and clock.now() >= clock.start_of(row.voting_from)


def _shown(
    standing: Standing, row: Any, state: State, stands: bool, own_vote: dict[str, bool] | None
) -> dict[str, Any]:
    return {
        **row._asdict(),
        "phase": state.phase,
        "lot_commitment": commitment(row.lot_seed),
        "contests": [
            {
                **contest._asdict(),
                "position": contest.position_code,
                "ballot": contests.on_ballot(contest, row.acclamation)
                if clock.now() >= clock.start_of(row.voting_from)
                else None,
            }
            for contest in state.contests
        ],
        "turnout": turnout_shown(row, state) if voting_began(row, state) else None,
        "own_vote": own_vote,
        "opened_by": {"id": row.opened_by, "name": row.opener},
        "cancelled": row.cancelled_at
        and {
            "at": row.cancelled_at,
            "by": {"id": row.cancelled_by, "name": row.canceller},
            "reason": row.cancel_reason,
        },
        "certified": row.certified_at
        and {"at": row.certified_at, "by": {"id": row.certified_by, "name": row.certifier}},
        "viewer": {"can": _affordances(standing, state, stands, own_vote)},
    }


def turnout_shown(election: Any, state: State) -> dict[str, Any]:
    """How many may vote, and how many have."""
    return {
        "roll": state.turnout.roll,
        "cast": state.turnout.cast,
        "quorum_met": quorum_met(election, state.turnout),
    }


def _affordances(
    standing: Standing, state: State, stands: bool, own_vote: dict[str, bool] | None
) -> list[str]:
    phase, found = state.phase, []
    manages = standing.can(Capability.ELECTIONS_MANAGE)
    votes = standing.can(Capability.ELECTIONS_VOTE)
    may_vote = own_vote is not None and own_vote["on_roll"] and not own_vote["voted"]
    counts = manages and not stands
    for operation, offered in (
        ("update_election", phase is ElectionPhase.PLANNED and manages),
        ("nominate_person", phase is ElectionPhase.NOMINATIONS and votes),
        (
            "record_election_exception",
            phase in UNDER_WAY and standing.can(Capability.LEADERSHIP_APPOINT),
        ),
        ("cast_ballot", phase is ElectionPhase.VOTING and votes and may_vote),
        ("list_voters", manages and own_vote is not None),
        (
            "get_election_result",
            phase is ElectionPhase.CERTIFIED or (phase in COUNTED and counts),
        ),
        ("recount_election", phase in COUNTED and counts),
        ("certify_election", phase is ElectionPhase.COUNTING and counts),
        ("cancel_election", phase in UNDER_WAY and counts),
    ):
        if offered and (operation in READS or not standing.here.archived):
            found.append(operation)
    return found


READS = ("list_voters", "get_election_result")


async def _candidacies(source: Source, standing: Standing, ids: list[UUID]) -> set[UUID]:
    """In which of these elections the caller stands, or stood when voting began."""
    if standing.person is None:
        return set()
    rows = await source.rows(
        sa.select(Nomination.election_id).where(
            col(Nomination.election_id).in_(ids),
            col(Nomination.person_id) == standing.person.id,
            STOOD,
        )
    )
    return {row.election_id for row in rows}


async def refuse_candidate(source: Source, standing: Standing, election_id: UUID) -> None:
    """Raises OwnCandidacy for whoever stands in the election."""
    if await _candidacies(source, standing, [election_id]):
        raise election_errors.OwnCandidacy


# Opening, changing, calling off


async def open_one(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """A new election with its contests; the seed of its lot is drawn and committed to.

    Raises CommunityArchived, Invalid for a timetable or contests that do not fit, SeatTaken.
    """
    standing.require_active()
    now = clock.now()
    wanted = body.pop("contests")
    election = Election(
        community_id=standing.here.id,
        lot_seed=tokens.opaque(),
        opened_at=now,
        opened_by=standing.me.id,
        updated_at=now,
        **body,
    )
    _refuse_disorder(standing, election)
    work.add(election)
    await work.flush()
    await contests.replace(work, standing, election, wanted)
    activity.record(
        work,
        "election.opened",
        standing,
        election.id,
        community_id=election.community_id,
        positions=[contest["position"] for contest in wanted],
        nominations_from=election.nominations_from,
        voting_from=election.voting_from,
        voting_until=election.voting_until,
    )
    await work.flush()
    return await get(work, standing, election.id)


def _refuse_disorder(standing: Standing, election: Election) -> None:
    """Raises Invalid unless the days follow one another, from today on, within two years."""
    wrong = []
    if election.nominations_from < standing.today:
        wrong.append(errors.field("/nominations_from", "day_in_the_past"))
    for earlier, later in pairwise(TIMETABLE):
        before, after = getattr(election, earlier), getattr(election, later)
        # The roll is frozen at the first moment of voting, when it is settled who stands.
        if after < before or (later == "voting_from" and after == before):
            wrong.append(errors.field(f"/{later}", "day_out_of_order"))
    if election.voting_until > standing.today + LONGEST_TIMETABLE:
        wrong.append(errors.field("/voting_until", "day_too_far"))
    if wrong:
        raise errors.Invalid(errors=wrong)


async def update(
    work: Work, standing: Standing, election_id: UUID, patch: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Changes an election until nominations begin. Raises WrongPhase, Invalid, SeatTaken."""
    standing.require_active()
    election, state = await contests.locked(work, election_id, ElectionPhase.PLANNED)
    expected.check(election.version)
    wanted = patch.pop("contests", None)
    changed = merge(election, patch)
    _refuse_disorder(standing, election)
    if wanted is not None or changed:
        had = [_as_wanted(contest) for contest in state.contests]
        await contests.replace(work, standing, election, wanted or had)
        changed += ["contests"] if wanted not in (None, had) else []
        election.updated_at = clock.now()
        activity.record(
            work,
            "election.updated",
            standing,
            election.id,
            community_id=election.community_id,
            members=changed,
        )
        await work.flush()
    return await get(work, standing, election_id)


def _as_wanted(contest: Any) -> dict[str, Any]:
    names = ("seats", "seat_numbers", "method", "starts_on", "ends_on")
    return {"position": contest.position_code} | {name: getattr(contest, name) for name in names}


async def cancel(
    work: Work, standing: Standing, election_id: UUID, reason: str, expected: Expected = ANY
) -> dict[str, Any]:
    """Calls an election off before it is certified. Raises WrongPhase, OwnCandidacy."""
    standing.require_active()
    election, _ = await contests.locked(work, election_id, *UNDER_WAY)
    expected.check(election.version)
    await refuse_candidate(work, standing, election_id)
    now = clock.now()
    election.cancelled_at, election.cancelled_by = now, standing.me.id
    election.cancel_reason = reason
    election.updated_at, election.version = now, election.version + 1
    activity.record(
        work, "election.cancelled", standing, election.id, community_id=election.community_id
    )
    await work.flush()
    return await get(work, standing, election_id)


async def make_exception(
    work: Work, standing: Standing, election_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Lets somebody stand for a position who otherwise could not, for a reason that is kept.

    Raises WrongPhase, OwnException, Invalid for a position that is not elected here.
    """
    standing.require_active()
    election, state = await contests.locked(work, election_id, *UNDER_WAY)
    if await unclaimed_profiles.is_own(work, standing, body["person_id"]):
        raise election_errors.OwnException
    if body["position"] not in {contest.position_code for contest in state.contests}:
        raise errors.Invalid(errors=[errors.field("/position", "not_known")])
    if await work.get(Person, body["person_id"]) is None:
        raise errors.TermNotAMember  # as for anybody who is none: ids tell nothing
    key = (election.id, body["position"], body["person_id"])
    exception = await work.get(EligibilityException, key)
    if exception is None:
        exception = EligibilityException(election_id=key[0], position_code=key[1], person_id=key[2])
    exception.reason, exception.recorded_at = body["reason"], clock.now()
    exception.recorded_by = standing.me.id
    work.add(exception)
    activity.record(
        work,
        "election.exception_made",
        standing,
        election.id,
        community_id=election.community_id,
        position=body["position"],
        person_id=body["person_id"],
    )
    await work.flush()
    return exception.model_dump() | {"position": exception.position_code}


async def exception_for(
    work: Work, election_id: UUID, position: Position, person_id: UUID
) -> str | None:
    """Why somebody may hold a position in spite of its conditions; None without an exception."""
    found = await work.get(EligibilityException, (election_id, position.code, person_id))
    return found.reason if found else None
