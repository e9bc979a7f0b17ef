"""Whom a restricted community admits: verifications of what people are, and their evidence."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, one_of, reference, text


class VerificationStatus(StrEnum):
    """How far a verification has come. That one lapses is the calendar's doing, and not stored."""

    REQUESTED = "requested"
    AWAITING_SECOND = "awaiting_second"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


class VerificationOutcome(StrEnum):
    """What a verifier can decide."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"


_OPEN = "status IN ('requested', 'awaiting_second')"


class EligibilityVerification(SQLModel, table=True):
    """That somebody is what a restricted community asks for: who confirmed it, how, until when.

    It is about an address, and so can come before the account; `person_id` is known once there is
    one. Where the community asks for two, two different people confirm it, never its subject.
    """

    __tablename__ = "eligibility_verification"
    __table_args__ = (
        sa.CheckConstraint("first_by <> second_by", name="two_people"),
        sa.CheckConstraint("first_by <> person_id", name="not_by_oneself"),
        sa.CheckConstraint("second_by <> person_id", name="nor_seconded_by_oneself"),
        sa.Index("ix_eligibility_verification_person", "person_id", "community_id"),
        sa.Index("ix_eligibility_verification_list", "community_id", "id"),
        sa.Index(
            "uq_eligibility_verification_open",
            "community_id",
            "email_key",
            unique=True,
            postgresql_where=sa.text(_OPEN),
            sqlite_where=sa.text(_OPEN),
        ),
    )

    id: UUID = identity()
    community_id: UUID = reference("community.id")
    person_id: UUID | None = reference("person.id", nullable=True)
    join_request_id: UUID | None = reference("join_request.id", nullable=True, ondelete="SET NULL")
    name: str = Field(max_length=200)
    email_key: str = Field(max_length=254, index=True)
    occupation_code: str = reference("occupation.code", max_length=60)
    statement: str | None = text(default=None)
    status: VerificationStatus = one_of(VerificationStatus, "eligibility_verification_status")
    requested_by: UUID = reference("person.id")
    requested_at: datetime = instant()
    first_by: UUID | None = reference("person.id", nullable=True)
    first_at: datetime | None = instant(nullable=True)
    first_basis: str | None = text(default=None)
    second_by: UUID | None = reference("person.id", nullable=True)
    second_at: datetime | None = instant(nullable=True)
    second_basis: str | None = text(default=None)
    confirmed_on: date | None = None
    until_on: date | None = None
    reason: str | None = text(default=None)
    decided_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)
    revoked_by: UUID | None = reference("person.id", nullable=True)
    evidence_destroyed_at: datetime | None = instant(nullable=True)
    updated_at: datetime = instant()
    version: int = 1


class EligibilityEvidence(SQLModel, table=True):
    """What was uploaded for a verification; destroyed in the transaction that decides it."""

    __tablename__ = "eligibility_evidence"

    verification_id: UUID = reference(
        "eligibility_verification.id", primary_key=True, ondelete="CASCADE"
    )
    media_type: str = Field(max_length=100)
    content: bytes = Field(sa_type=sa.LargeBinary, nullable=False)
    uploaded_by: UUID = reference("person.id")
    uploaded_at: datetime = instant()
