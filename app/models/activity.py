"""The record of what happened, its seal, the answers kept for retries, and mail on its way."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, one_of, reference, text


class ActorKind(StrEnum):
    """Who did it: a person with an account, somebody who asked to join, the software, or a
    partner organisation's machine."""

    PERSON = "person"
    APPLICANT = "applicant"
    SYSTEM = "system"
    PARTNER = "partner"


_UNSEALED = "place IS NULL"


class Activity(SQLModel, table=True):
    """One thing that happened, once, with who did it and to what; no personal text.

    `acting` says as whom it was done by somebody who acts for a vacant seat or an absent holder:
    the position, and that holder, if there is one. `place` and `seal` are given right after the
    commit by one consumer (services/sealing.py): a gap-free order, each row bound to its
    predecessor.
    """

    __table_args__ = (
        sa.Index("ix_activity_community", "community_id", "id"),
        sa.Index("ix_activity_subject", "subject_id"),
        sa.Index(
            "ix_activity_unsealed",
            "id",
            postgresql_where=sa.text(_UNSEALED),
            sqlite_where=sa.text(_UNSEALED),
        ),
    )

    id: UUID = identity()
    kind: str = Field(max_length=80)
    occurred_at: datetime = instant()
    actor_kind: ActorKind = one_of(ActorKind, "activity_actor_kind")
    actor_id: UUID | None = None  # a person's or a partner's, as the kind says
    community_id: UUID | None = reference("community.id", nullable=True)
    subject_kind: str = Field(max_length=40)
    subject_id: str = Field(max_length=80)
    facts: dict[str, Any] = json(default_factory=dict)
    acting: dict[str, Any] | None = json(nullable=True, default=None)
    place: int | None = Field(default=None, unique=True, sa_type=sa.BigInteger)
    seal: str | None = Field(default=None, max_length=64)


class ActivityHead(SQLModel, table=True):
    """The last place that was given, under a seal of its own: a cut tail shows."""

    __tablename__ = "activity_head"

    id: int = Field(default=1, primary_key=True)
    place: int = Field(default=0, sa_type=sa.BigInteger)
    seal: str = Field(max_length=64)
    head_seal: str = Field(max_length=64)


class IdempotencyKey(SQLModel, table=True):
    """The first answer to a request with an Idempotency-Key, kept 24 hours for its retries."""

    __tablename__ = "idempotency_key"

    credential: str = Field(primary_key=True, max_length=80)
    key_hash: str = Field(primary_key=True, max_length=64)
    request_hash: str = Field(max_length=64)
    status: int | None = None
    headers: dict[str, str] | None = json(nullable=True, default=None)
    body: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    created_at: datetime = instant(index=True)


class MailStatus(StrEnum):
    """How far a mail has come."""

    QUEUED = "queued"
    SENT = "sent"
    PARKED = "parked"
    DROPPED = "dropped"


_QUEUED = "status = 'queued'"


class Mail(SQLModel, table=True):
    """A mail to be written and sent: what it is about, never its text, never a token.

    Two queued mails with the same `gathering` are one mail; the words are made when it is sent.
    """

    __table_args__ = (
        sa.Index(
            "uq_mail_gathering",
            "gathering",
            unique=True,
            postgresql_where=sa.text(_QUEUED),
            sqlite_where=sa.text(_QUEUED),
        ),
        sa.Index("ix_mail_due", "status", "send_after"),
        sa.Index("ix_mail_recipient", "recipient_id", "kind"),
    )

    id: UUID = identity()
    kind: str = Field(max_length=60)
    gathering: str = Field(max_length=200)
    recipient_id: UUID | None = reference("person.id", nullable=True)
    address: str | None = Field(default=None, max_length=254)
    subject_id: UUID | None = None
    status: MailStatus = one_of(MailStatus, "mail_status", default="queued")
    attempts: int = 0
    failure: str | None = text(default=None)
    created_at: datetime = instant()
    send_after: datetime = instant()
    handed_on_at: datetime | None = instant(nullable=True)
    sent_at: datetime | None = instant(nullable=True)
