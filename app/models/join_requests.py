"""Asking to join: one form for several communities makes one request for each."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, one_of, reference, text


class JoinRequestStatus(StrEnum):
    """How far a request has come; it can be decided while it is pending, or a question is open.

    `expired` is what the clock makes of one (services/join_states.py); it is written down only
    where a newer request takes the place.
    """

    AWAITING_VERIFICATION = "awaiting_verification"
    PENDING = "pending"
    INFORMATION_REQUESTED = "information_requested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class JoinRequestOrigin(StrEnum):
    """How a request came about.

    By the form, whose address has to be confirmed; out of a mailbox that was imported, with an
    address that nobody has proven and whatever answers could be read; or by a proposal of the
    community, from somebody whose eligibility was not verified when it was created.
    """

    FORM = "form"
    MAILBOX = "mailbox"
    PROPOSAL = "proposal"


class JoinOutcome(StrEnum):
    """What those who may decide can decide."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


class JoinWithdrawal(StrEnum):
    """Why a request was withdrawn: by whoever asked, since another one of theirs took its place, or
    since there was nothing to decide."""

    BY_APPLICANT = "by_applicant"
    NEWER_REQUEST = "newer_request"
    ALREADY_MEMBER = "already_member"
    ASKED_TOO_SOON = "asked_too_soon"


_WHOLE = (
    "(occupation IS NOT NULL AND affiliation IS NOT NULL AND area_of_interest IS NOT NULL"
    " AND rules_version IS NOT NULL AND privacy_notice_version IS NOT NULL)"
)
_OPEN = "status IN ('pending', 'information_requested')"
_UNANSWERED = "answered_at IS NULL"


class JoinRequest(SQLModel, table=True):
    """The six answers of one person for one community, and what was decided.

    `submission_id` holds together what was asked on one form; one mail proves the address for all.
    `answer_due_on` is the last day for the answer to the question that is open. Only a request out
    of a mailbox may lack answers and the agreement: `notes` say what could not be read of its
    `message`, and `message_id` tells it from every other.
    """

    __tablename__ = "join_request"
    __table_args__ = (
        sa.CheckConstraint(
            "status <> 'information_requested' OR answer_due_on IS NOT NULL",
            name="answered_until_a_day",
        ),
        sa.CheckConstraint(
            f"{_WHOLE} OR origin = 'mailbox'",
            name="answered_in_full",
        ),
        sa.UniqueConstraint("community_id", "email_key", "message_id"),
        sa.Index("ix_join_request_queue", "community_id", "status", "id"),
        sa.Index(
            "uq_join_request_open",
            "community_id",
            "email_key",
            unique=True,
            postgresql_where=sa.text(_OPEN),
            sqlite_where=sa.text(_OPEN),
        ),
    )

    id: UUID = identity()
    submission_id: UUID = Field(index=True)
    community_id: UUID = reference("community.id")
    status: JoinRequestStatus = one_of(JoinRequestStatus, "join_request_status")
    origin: JoinRequestOrigin = one_of(JoinRequestOrigin, "join_request_origin", default="form")
    name: str = Field(max_length=200)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254, index=True)
    occupation: str | None = Field(default=None, max_length=200)
    occupation_code: str = reference("occupation.code", max_length=60)
    affiliation: str | None = Field(default=None, max_length=200)
    area_of_interest: str | None = text(default=None)
    answers: list[dict[str, Any]] = json(default_factory=list)
    territory: str | None = reference("territory.code", nullable=True, max_length=20)
    language: str = Field(max_length=2)
    rules_version: int | None = reference("rules_version.number", nullable=True)
    privacy_notice_version: int | None = None
    message: str | None = text(default=None)
    message_id: str | None = Field(default=None, max_length=200)
    notes: list[dict[str, Any]] = json(default_factory=list)
    submitted_at: datetime = instant()
    verified_at: datetime | None = instant(nullable=True)
    answer_due_on: date | None = None
    withdrawn_because: JoinWithdrawal | None = one_of(
        JoinWithdrawal, "join_withdrawal", nullable=True, default=None
    )
    decided_at: datetime | None = instant(nullable=True)
    decided_by: UUID | None = reference("person.id", nullable=True)
    comment: str | None = text(default=None)
    membership_id: UUID | None = reference("membership.id", nullable=True)
    updated_at: datetime = instant()
    version: int = 1


class JoinInquiry(SQLModel, table=True):
    """What those who decide want to know of an applicant, and the answer; one is open at a time."""

    __tablename__ = "join_inquiry"
    __table_args__ = (
        sa.Index(
            "uq_join_inquiry_open",
            "join_request_id",
            unique=True,
            postgresql_where=sa.text(_UNANSWERED),
            sqlite_where=sa.text(_UNANSWERED),
        ),
    )

    id: UUID = identity()
    join_request_id: UUID = reference("join_request.id", index=True, ondelete="CASCADE")
    question: str = text()
    asked_at: datetime = instant()
    asked_by: UUID = reference("person.id")
    answer: str | None = text(default=None)
    answered_at: datetime | None = instant(nullable=True)


class JoinRequestLink(SQLModel, table=True):
    """What a mail gave to an applicant, to follow what was asked on one form: a secret, by its
    hash. How long it is good follows from the requests (services/join_requests.py)."""

    __tablename__ = "join_request_link"

    token_hash: str = Field(primary_key=True, max_length=64)
    submission_id: UUID = Field(index=True)
    created_at: datetime = instant()
