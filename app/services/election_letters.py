"""Mails about elections: who gets them, and what they say; never what somebody voted."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import texts
from app.db import Work
from app.models import (
    Community,
    Election,
    ElectionPhase,
    Nomination,
    NominationStatus,
    Person,
    Position,
    Voter,
)
from app.models.elections import nomination_status
from app.policy import Capability
from app.services import contests, waiting
from app.services.contests import STOOD

# The phases in which a mail about an election is true.
_TRUE_IN: dict[str, tuple[ElectionPhase, ...]] = {
    "election_cancelled": (ElectionPhase.CANCELLED,),
    "election_certified": (ElectionPhase.CERTIFIED,),
    "nomination_made": (ElectionPhase.NOMINATIONS, ElectionPhase.ACCEPTANCE),
    "voting_began": (ElectionPhase.VOTING,),
    "voting_closing": (ElectionPhase.VOTING,),
    "voting_ended": (ElectionPhase.COUNTING, ElectionPhase.FAILED),
}
LETTERS = tuple(_TRUE_IN)


async def readers(work: Work, kind: str, subject_id: UUID) -> set[UUID]:
    """Who is told: the nominee, the roll (towards the end those who have not voted), or the
    candidates, with those who manage elections where it concerns them."""
    if kind == "nomination_made":
        nomination = await work.get_one(Nomination, subject_id)
        return {nomination.person_id} if nomination.accepted_at is None else set()
    election = await work.get_one(Election, subject_id)
    if kind in ("voting_began", "voting_closing"):
        rows = await work.rows(
            sa.select(Voter.person_id).where(
                col(Voter.election_id) == election.id, col(Voter.voted).is_(False)
            )
        )
        return {row.person_id for row in rows}
    managers = await waiting.holders(work, Capability.ELECTIONS_MANAGE, election.community_id)
    rows = await work.rows(
        sa.select(Nomination.person_id).where(col(Nomination.election_id) == election.id, STOOD)
    )
    return managers | {row.person_id for row in rows}


async def facts(
    work: Work, kind: str, subject_id: UUID | None, person: Person, language: str
) -> tuple[str, dict[str, str]] | None:
    """Which body one mail has, and its facts; None where it has become untrue."""
    more: dict[str, str] = {}
    election_id = subject_id
    if kind == "nomination_made":
        nomination = await work.get_one(Nomination, subject_id)
        if nomination_status(nomination, False) != NominationStatus.PROPOSED:
            return None
        more = await _nomination(work, nomination, language)
        election_id = nomination.election_id
    election = await work.get_one(Election, election_id)
    state = await contests.state(work, election)
    if state.phase not in _TRUE_IN[kind]:
        return None
    if kind in ("voting_began", "voting_closing") and await _has_voted(work, election, person):
        return None
    community = await work.get_one(Community, election.community_id)
    known = {
        "community": texts.one_line(community.name, language),
        "election": election.title,
        "until": election.voting_until.isoformat(),
        "acceptance_until": election.acceptance_until.isoformat(),
        "cancel_reason": election.cancel_reason or "-",
    }
    body = "body"
    if kind == "voting_ended" and state.phase is ElectionPhase.FAILED:
        body = "body_failed"
    elif kind == "voting_ended" and not state.turnout.contested:
        body = "body_unopposed"
    return body, known | more


async def _nomination(work: Work, nomination: Nomination, language: str) -> dict[str, str]:
    row: Any = await work.one(
        sa.select(Position.title, Person.name)
        .select_from(contests.Contest)
        .join(Position, col(Position.code) == contests.Contest.position_code)
        .join(Person, col(Person.id) == nomination.nominated_by)
        .where(col(contests.Contest.id) == nomination.contest_id)
    )
    return {"position": texts.one_line(row.title, language), "proposer": row.name}


async def _has_voted(work: Work, election: Election, person: Person) -> bool:
    voter = await work.get(Voter, (election.id, person.id))
    return voter is None or voter.voted
