"""Invitations to belong to a community, each bound to one address."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, one_of, reference
from app.models.memberships import MembershipCategory


class InvitationEnding(StrEnum):
    """How an invitation came to its end; lapsed: a newer one took its place after its last day."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    LAPSED = "lapsed"


_NOT_ENDED = "ended_at IS NULL"


class Invitation(SQLModel, table=True):
    """An address is asked to belong: once at a time in a community, and accepted once.

    It is open until it ends or its last day, `expires_on`, is over. `invited_by` answers for it:
    it is good while they may manage memberships there.
    """

    __table_args__ = (
        sa.Index("ix_invitation_list", "community_id", "id"),
        sa.Index(
            "uq_invitation_open",
            "community_id",
            "email_key",
            unique=True,
            postgresql_where=sa.text(_NOT_ENDED),
            sqlite_where=sa.text(_NOT_ENDED),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name="ended_somehow"),
    )

    id: UUID = identity()
    community_id: UUID = reference("community.id")
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254, index=True)
    category: MembershipCategory = one_of(MembershipCategory, "invitation_category")
    language: str = Field(max_length=2)
    invited_by: UUID = reference("person.id")
    invited_at: datetime = instant()
    expires_on: date
    ended_at: datetime | None = instant(nullable=True)
    ending: InvitationEnding | None = one_of(
        InvitationEnding, "invitation_ending", nullable=True, default=None
    )
    membership_id: UUID | None = reference("membership.id", nullable=True)
    updated_at: datetime = instant()
    version: int = 1


class InvitationMail(SQLModel, table=True):
    """One mail of an invitation: when it was asked for, and the link that it carried, by its hash.

    `send_after` is there once it is queued: an address gets few such mails in an hour, from
    wherever it is invited. The hash is there once the mail is written, and goes when a newer one
    is asked for.
    """

    __tablename__ = "invitation_mail"

    id: UUID = identity()
    invitation_id: UUID = reference("invitation.id", index=True, ondelete="CASCADE")
    asked_at: datetime = instant()
    send_after: datetime | None = instant(nullable=True)
    token_hash: str | None = Field(default=None, max_length=64, unique=True)
