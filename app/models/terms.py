"""Terms: who holds which seat from which day to which day."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, one_of, reference, text


class TermBasis(StrEnum):
    """How somebody came to hold a seat."""

    ELECTION = "election"
    APPOINTMENT = "appointment"
    ACTING = "acting"
    EX_OFFICIO = "ex_officio"


class TermEnding(StrEnum):
    """How a term ended before its last day."""

    RESIGNED = "resigned"
    REMOVED = "removed"
    LAPSED = "lapsed"
    ANNULLED = "annulled"


class TermStatus(StrEnum):
    """Where the calendar stands; never stored, always computed."""

    PLANNED = "planned"
    RUNNING = "running"
    COMPLETED = "completed"
    RESIGNED = "resigned"
    REMOVED = "removed"
    LAPSED = "lapsed"
    ANNULLED = "annulled"


class Term(SQLModel, table=True):
    """A person's time in a position, both days inclusive, in the association's time zone.

    `free_from` is the first day on which the seat may be held by somebody else. The constraints
    over [starts_on, free_from) hold under any concurrency: on PostgreSQL two EXCLUDE constraints,
    on SQLite triggers of the same names (migrations/seat_rules.py). Terms of the basis `acting`
    stand beside the seat's own: they count among themselves. `body_id` is the group that has the
    seats: the subcommittee, or else the community, or none for the association.
    """

    __table_args__ = (
        sa.Index("ix_term_person_id", "person_id"),
        sa.Index("ix_term_community_id", "community_id"),
        sa.Index("ix_term_seat_id", "seat_id"),
        sa.CheckConstraint("ends_on IS NULL OR starts_on <= ends_on", name="days_in_order"),
    )

    id: UUID = identity()
    community_id: UUID | None = reference("community.id", nullable=True)
    subcommittee_id: UUID | None = reference("subcommittee.id", nullable=True)
    body_id: UUID | None = None
    position_code: str = reference("position.code", max_length=60)
    seat_id: UUID | None = reference("seat.id", nullable=True)
    person_id: UUID = reference("person.id")
    starts_on: date
    ends_on: date | None = None
    handover_from: date | None = None
    free_from: date | None = None
    ended_at: datetime | None = instant(nullable=True)
    ending: TermEnding | None = one_of(TermEnding, "term_ending", nullable=True, default=None)
    end_reason: str | None = text(default=None)
    basis: TermBasis = one_of(TermBasis, "term_basis")
    exception_reason: str | None = text(default=None)
    election_id: UUID | None = None
    recorded_at: datetime = instant()
    recorded_by: UUID | None = reference("person.id", nullable=True)
    updated_at: datetime = instant()
    version: int = 1

    def begin(self) -> None:
        """Sets the first day on which the seat is free again, from the last day of the term."""
        self.body_id = self.subcommittee_id or self.community_id
        self.free_from = self.ends_on + timedelta(days=1) if self.ends_on else None

    def end(self, how: TermEnding, reason: str | None, at: datetime, day: date) -> None:
        """Ends the term at this instant; a successor may begin on the same day. An annulled one
        never was."""
        self.ending, self.end_reason, self.ended_at = how, reason, at
        self.free_from = self.starts_on if how is TermEnding.ANNULLED else max(self.starts_on, day)
        self.updated_at, self.version = at, self.version + 1

    def status(self, day: date) -> TermStatus:
        """Where the term stands on a day."""
        return status_on(day, self.starts_on, self.ends_on, self.ending)


def status_on(
    day: date, starts_on: date, ends_on: date | None, ending: TermEnding | str | None
) -> TermStatus:
    """Where a term of these days stands on a day: the one place that compares them."""
    if ending is not None:
        return TermStatus(str(ending))
    if day < starts_on:
        return TermStatus.PLANNED
    if ends_on is not None and ends_on < day:
        return TermStatus.COMPLETED
    return TermStatus.RUNNING


_OPEN_ABSENCE = "ended_at IS NULL"


class Absence(SQLModel, table=True):
    """Days on which a holder is away: the seat's rights rest, and somebody may act in it.

    One at a time for each term; it ends with its last day, or at the instant `ended_at`.
    """

    __table_args__ = (
        sa.Index(
            "uq_absence_open",
            "term_id",
            unique=True,
            postgresql_where=sa.text(_OPEN_ABSENCE),
            sqlite_where=sa.text(_OPEN_ABSENCE),
        ),
        sa.CheckConstraint("ends_on IS NULL OR starts_on <= ends_on", name="days_in_order"),
    )

    id: UUID = identity()
    term_id: UUID = reference("term.id", index=True)
    starts_on: date
    ends_on: date | None = None
    reason: str | None = text(default=None)
    declared_at: datetime = instant()
    declared_by: UUID = reference("person.id")
    ended_at: datetime | None = instant(nullable=True)


class Announcement(SQLModel, table=True):
    """Something that the calendar brought about and that the log has said: once, by this key."""

    kind: str = Field(primary_key=True, max_length=60)
    subject_id: UUID = Field(primary_key=True)
    detail: str = Field(primary_key=True, max_length=40, default="")
    announced_at: datetime = instant()
