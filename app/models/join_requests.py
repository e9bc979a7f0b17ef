"""Asking to join: one form for several communities makes one request for each."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, one_of, reference, text


class JoinRequestStatus(StrEnum):
    """How far a request has come; only a pending one can be decided."""

    AWAITING_VERIFICATION = "awaiting_verification"
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class JoinOutcome(StrEnum):
    """What those who may decide can decide."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


_ONE_PENDING = "status = 'pending'"


class JoinRequest(SQLModel, table=True):
    """The six answers of one person for one community, and what was decided.

    `submission_id` holds together what was asked on one form; one mail proves the address for all.
    """

    __tablename__ = "join_request"
    __table_args__ = (
        sa.Index("ix_join_request_queue", "community_id", "status", "id"),
        sa.Index(
            "uq_join_request_pending",
            "community_id",
            "email_key",
            unique=True,
            postgresql_where=sa.text(_ONE_PENDING),
            sqlite_where=sa.text(_ONE_PENDING),
        ),
    )

    id: UUID = identity()
    submission_id: UUID = Field(index=True)
    community_id: UUID = reference("community.id")
    status: JoinRequestStatus = one_of(JoinRequestStatus, "join_request_status")
    name: str = Field(max_length=200)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254, index=True)
    occupation: str = Field(max_length=200)
    occupation_code: str = reference("occupation.code", max_length=60)
    affiliation: str = Field(max_length=200)
    area_of_interest: str = text()
    territory: str | None = reference("territory.code", nullable=True, max_length=20)
    language: str = Field(max_length=2)
    rules_version: int = reference("rules_version.number")
    privacy_notice_version: int
    submitted_at: datetime = instant()
    verified_at: datetime | None = instant(nullable=True)
    decided_at: datetime | None = instant(nullable=True)
    decided_by: UUID | None = reference("person.id", nullable=True)
    comment: str | None = text(default=None)
    membership_id: UUID | None = reference("membership.id", nullable=True)
    updated_at: datetime = instant()
    version: int = 1
