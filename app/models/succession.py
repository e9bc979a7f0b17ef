"""Succession plans: who could follow in a seat, whether they agree, and what is handed over."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, one_of, reference, text


class Readiness(StrEnum):
    """How soon somebody could take a seat on."""

    READY_NOW = "ready_now"
    WITHIN_A_YEAR = "within_a_year"
    LATER = "later"


class ConsentState(StrEnum):
    """What a candidate has said; computed."""

    ASKED = "asked"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class SuccessionPlan(SQLModel, table=True):
    """What is planned for one seat. A seat without a row has an empty plan of version 1."""

    __tablename__ = "succession_plan"

    seat_id: UUID = Field(foreign_key="seat.id", primary_key=True)
    community_id: UUID = reference("community.id", index=True)
    overlap_days: int | None = None
    handover_notes: str | None = text(default=None)
    handover_notes_html: str | None = text(default=None)
    language: str | None = Field(default=None, max_length=35)
    updated_at: datetime = instant()
    updated_by: UUID = reference("person.id")
    version: int = 1


class SuccessionCandidate(SQLModel, table=True):
    """Somebody who could follow in a seat, in their place of the order.

    It hangs on the membership, not on the person: who leaves is out of the plan for good, and who
    comes back is asked again. Only the candidate writes the `consented_at` and `withdrawn_at`.
    """

    __tablename__ = "succession_candidate"
    __table_args__ = (sa.UniqueConstraint("seat_id", "membership_id"),)

    id: UUID = identity()
    community_id: UUID = reference("community.id", index=True)
    seat_id: UUID = reference("seat.id")
    membership_id: UUID = reference("membership.id")
    person_id: UUID = reference("person.id", index=True)
    place: int
    readiness: Readiness = one_of(Readiness, "succession_readiness")
    note: str | None = text(default=None)
    proposed_at: datetime = instant()
    proposed_by: UUID = reference("person.id")
    consented_at: datetime | None = instant(nullable=True)
    withdrawn_at: datetime | None = instant(nullable=True)
    version: int = 1

    def answer(self, consents: bool, at: datetime) -> bool:
        """Gives or takes back the consent; False if it stands like this already."""
        known = self.consented_at if consents else self.withdrawn_at
        if known is not None:
            return False
        self.consented_at, self.withdrawn_at = (at, None) if consents else (None, at)
        self.version += 1
        return True


class HandoverItem(SQLModel, table=True):
    """One thing that is to be handed over with a seat, and who did it when."""

    __tablename__ = "handover_item"

    id: UUID = identity()
    community_id: UUID = reference("community.id", index=True)
    seat_id: UUID = reference("seat.id", index=True)
    place: int
    text: str = Field(max_length=200)
    done_at: datetime | None = instant(nullable=True)
    done_by: UUID | None = reference("person.id", nullable=True)
    version: int = 1


def consent_of(candidate: SuccessionCandidate) -> ConsentState:
    """What a candidate (or a row with its columns) has said."""
    if candidate.consented_at is not None:
        return ConsentState.GIVEN
    return ConsentState.ASKED if candidate.withdrawn_at is None else ConsentState.WITHDRAWN
