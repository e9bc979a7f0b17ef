"""Proposals of communities: what is proposed, and who stands behind it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, one_of, reference, text


class ProposalStatus(StrEnum):
    """How far a proposal has come; only an open one gathers supporters and can be decided."""

    AWAITING_VERIFICATION = "awaiting_verification"
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ProposalOutcome(StrEnum):
    """What those who may decide can decide."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


_IS_OPEN = "status = 'open'"
_COUNTS = "verified_at IS NOT NULL AND withdrawn_at IS NULL"


class CommunityProposal(SQLModel, table=True):
    """A community that somebody wants, and what was decided about it.

    `email_key` is its proposer's, who has one open proposal at a time. `community_id` is the
    community that it became.
    """

    __tablename__ = "community_proposal"
    __table_args__ = (
        sa.Index("ix_community_proposal_queue", "status", "id"),
        sa.Index(
            "uq_community_proposal_open",
            "email_key",
            unique=True,
            postgresql_where=sa.text(_IS_OPEN),
            sqlite_where=sa.text(_IS_OPEN),
        ),
    )

    id: UUID = identity()
    status: ProposalStatus = one_of(ProposalStatus, "community_proposal_status")
    name: dict[str, str | None] = json()
    area: str = Field(max_length=200)
    specifics: str = text()
    rationale: str = text()
    language: str = Field(max_length=2)
    email_key: str = Field(max_length=254, index=True)
    submitted_at: datetime = instant()
    verified_at: datetime | None = instant(nullable=True)
    decided_at: datetime | None = instant(nullable=True)
    decided_by: UUID | None = reference("person.id", nullable=True)
    reason: str | None = text(default=None)
    community_id: UUID | None = reference("community.id", nullable=True)
    updated_at: datetime = instant()
    version: int = 1


class ProposalSupporter(SQLModel, table=True):
    """Somebody who stands behind a proposal, with their answers: its proposer, or a supporter.

    They count from the moment in which their address was confirmed, once for each address, until
    they withdraw.
    """

    __tablename__ = "proposal_supporter"
    __table_args__ = (
        sa.Index(
            "uq_proposal_supporter_counts",
            "proposal_id",
            "email_key",
            unique=True,
            postgresql_where=sa.text(_COUNTS),
            sqlite_where=sa.text(_COUNTS),
        ),
    )

    id: UUID = identity()
    proposal_id: UUID = reference("community_proposal.id", index=True)
    proposes: bool = False
    name: str = Field(max_length=200)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254, index=True)
    occupation: str = Field(max_length=200)
    occupation_code: str = reference("occupation.code", max_length=60)
    affiliation: str = Field(max_length=200)
    area_of_interest: str = text()
    territory: str | None = reference("territory.code", nullable=True, max_length=20)
    language: str = Field(max_length=2)
    wishes_to_belong: bool
    wishes_to_lead: bool
    rules_version: int = reference("rules_version.number")
    privacy_notice_version: int
    submitted_at: datetime = instant()
    verified_at: datetime | None = instant(nullable=True)
    withdrawn_at: datetime | None = instant(nullable=True)
    membership_id: UUID | None = reference("membership.id", nullable=True)
    join_request_id: UUID | None = reference("join_request.id", nullable=True, ondelete="SET NULL")


class ProposalLink(SQLModel, table=True):
    """What a mail gave to somebody who stands behind a proposal, to follow it and to withdraw:
    a secret, by its hash."""

    __tablename__ = "proposal_link"

    token_hash: str = Field(primary_key=True, max_length=64)
    supporter_id: UUID = reference("proposal_supporter.id", index=True)
    created_at: datetime = instant()
    expires_at: datetime = instant(index=True)
