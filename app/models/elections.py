"""Elections: what is elected and when, who stands, who may vote, and the urns."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app import clock
from app.models.base import identity, instant, json, one_of, reference, text


class ElectionMethod(StrEnum):
    """How the votes of a contest are counted (services/counting.py)."""

    PLURALITY = "plurality"
    APPROVAL = "approval"
    SINGLE_TRANSFERABLE_VOTE = "single_transferable_vote"


class TieRule(StrEnum):
    """What decides where votes do not; settled when the election is opened."""

    LOT = "lot"
    LONGEST_MEMBERSHIP = "longest_membership"
    NEW_ELECTION = "new_election"


class ElectionPhase(StrEnum):
    """Where an election stands; never stored, always computed."""

    PLANNED = "planned"
    NOMINATIONS = "nominations"
    ACCEPTANCE = "acceptance"
    CAMPAIGN = "campaign"
    VOTING = "voting"
    COUNTING = "counting"
    CERTIFIED = "certified"
    CANCELLED = "cancelled"
    FAILED = "failed"


class NominationStatus(StrEnum):
    """How far a nomination has come; computed."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Turnout:
    """What the phase depends on beside the clock: whether anybody stands, whether there is
    anything to vote on, how many may vote and how many have."""

    candidates: int
    contested: bool
    roll: int = 0
    cast: int = 0


class Election(SQLModel, table=True):
    """An election in a community. Its days are the association's, first and last included.

    `lot_seed` is a secret until the result is published; its SHA-256 is public from the start.
    `roll_size` is null until the roll is frozen. `result` is the result as it was certified.
    """

    __table_args__ = (sa.Index("ix_election_community", "community_id", "id"),)

    id: UUID = identity()
    community_id: UUID = reference("community.id")
    title: str = Field(max_length=200)
    language: str = Field(max_length=35)
    nominations_from: date
    nominations_until: date
    acceptance_until: date
    voting_from: date
    voting_until: date
    quorum: int
    acclamation: bool
    tie_rule: TieRule = one_of(TieRule, "election_tie_rule")
    lot_seed: str = Field(max_length=64)
    roll_size: int | None = None
    opened_at: datetime = instant()
    opened_by: UUID = reference("person.id")
    cancelled_at: datetime | None = instant(nullable=True)
    cancelled_by: UUID | None = reference("person.id", nullable=True)
    cancel_reason: str | None = text(default=None)
    certified_at: datetime | None = instant(nullable=True)
    certified_by: UUID | None = reference("person.id", nullable=True)
    result: dict[str, Any] | None = json(nullable=True, default=None)
    updated_at: datetime = instant()
    version: int = 1


class Contest(SQLModel, table=True):
    """Seats of one position that are filled together. `seats` are named by `seat_numbers`, or are
    any that are free."""

    __table_args__ = (sa.UniqueConstraint("election_id", "number"),)

    id: UUID = identity()
    election_id: UUID = reference("election.id")
    number: int
    position_code: str = reference("position.code", max_length=60)
    seats: int
    seat_numbers: list[int] | None = json(nullable=True, default=None)
    method: ElectionMethod = one_of(ElectionMethod, "contest_method")
    starts_on: date
    ends_on: date


_STANDS = "accepted_at IS NOT NULL AND withdrawn_at IS NULL"


class Nomination(SQLModel, table=True):
    """Somebody who was proposed for a contest, by others or by themselves.

    Who withdraws after voting has begun is `struck`: still on the ballots, out of the count.
    """

    __table_args__ = (
        sa.UniqueConstraint("contest_id", "person_id"),
        sa.Index("ix_nomination_election", "election_id", "id"),
        sa.Index(
            "uq_nomination_stands",
            "election_id",
            "person_id",
            unique=True,
            postgresql_where=sa.text(_STANDS),
            sqlite_where=sa.text(_STANDS),
        ),
    )

    id: UUID = identity()
    community_id: UUID = reference("community.id")
    election_id: UUID = reference("election.id")
    contest_id: UUID = reference("contest.id")
    person_id: UUID = reference("person.id", index=True)
    nominated_by: UUID = reference("person.id")
    nominated_at: datetime = instant()
    statement: str | None = text(default=None)
    language: str | None = Field(default=None, max_length=35)
    accepted_at: datetime | None = instant(nullable=True)
    withdrawn_at: datetime | None = instant(nullable=True)
    withdrawn_by: UUID | None = reference("person.id", nullable=True)
    withdrawal_reason: str | None = text(default=None)
    struck: bool = False
    version: int = 1


class EligibilityException(SQLModel, table=True):
    """Why somebody may stand for a position who otherwise could not."""

    __tablename__ = "election_exception"

    election_id: UUID = Field(foreign_key="election.id", primary_key=True)
    position_code: str = Field(foreign_key="position.code", primary_key=True, max_length=60)
    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    reason: str = text()
    recorded_at: datetime = instant()
    recorded_by: UUID = reference("person.id")


class Voter(SQLModel, table=True):
    """Somebody on the frozen roll, and whether they have voted: no instant, no more."""

    election_id: UUID = Field(foreign_key="election.id", primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    voted: bool = False


class Urn(SQLModel, table=True):
    """All ballots of one contest, in one row: `[[candidates...], how many]`, sorted.

    Nothing in it says who voted, when, or in which order.
    """

    contest_id: UUID = Field(foreign_key="contest.id", primary_key=True)
    ballots: list[Any] = json(default_factory=list)


class Recount(SQLModel, table=True):
    """A count that was done again, why, and whether it came to the same."""

    id: UUID = identity()
    election_id: UUID = reference("election.id", index=True)
    reason: str = text()
    agrees: bool
    outcome: dict[str, Any] = json()
    recorded_at: datetime = instant()
    recorded_by: UUID = reference("person.id")


def phase_on(election: Any, turnout: Turnout, now: datetime) -> ElectionPhase:
    """Where an election (or a row with its columns) stands at an instant.

    A day begins at 00:00 and ends at 24:00 of the association's time zone.
    """
    if election.cancelled_at is not None:
        return ElectionPhase.CANCELLED
    if election.certified_at is not None:
        return ElectionPhase.CERTIFIED
    for phase, until in (
        (ElectionPhase.PLANNED, clock.start_of(election.nominations_from)),
        (ElectionPhase.NOMINATIONS, clock.end_of(election.nominations_until)),
        (ElectionPhase.ACCEPTANCE, clock.end_of(election.acceptance_until)),
        (ElectionPhase.CAMPAIGN, clock.start_of(election.voting_from)),
    ):
        if now < until:
            return phase
    if not turnout.candidates:
        return ElectionPhase.FAILED
    if turnout.contested and now < clock.end_of(election.voting_until):
        return ElectionPhase.VOTING
    if turnout.contested and not quorum_met(election, turnout):
        return ElectionPhase.FAILED
    return ElectionPhase.COUNTING


def quorum_met(election: Any, turnout: Turnout) -> bool:
    """True if enough of the roll have voted, exactly the quorum included."""
    return turnout.cast * 100 >= election.quorum * turnout.roll


def nomination_status(nomination: Any, acceptance_over: bool) -> NominationStatus:
    """How far a nomination (or a row with its columns) has come."""
    if nomination.withdrawn_at is not None:
        return NominationStatus.WITHDRAWN
    if nomination.accepted_at is not None:
        return NominationStatus.ACCEPTED
    return NominationStatus.LAPSED if acceptance_over else NominationStatus.PROPOSED
