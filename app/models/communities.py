"""Communities of practice and the seats of their Leadership Groups."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, one_of, reference, text


class CommunityStatus(StrEnum):
    """Whether a community is at work; an archived one can be read and not written to."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class JoinPolicy(StrEnum):
    """How one comes to belong: by asking, only by an invitation, or for now not at all."""

    REQUEST = "request"
    INVITATION_ONLY = "invitation_only"
    CLOSED = "closed"


class PositionScope(StrEnum):
    """Where a position is held: in a community, in a subcommittee of one, or in the association."""

    COMMUNITY = "community"
    SUBCOMMITTEE = "subcommittee"
    ASSOCIATION = "association"


class Community(SQLModel, table=True):
    """A topic-specific community of practice.

    `roster_version` moves with each change of its memberships and terms, so that a cached
    catalogue knows without counting whether it is still true. Whoever was declined may ask again
    `reapplication_days` later.
    """

    __table_args__ = (
        sa.CheckConstraint("eligibility_confirmations IN (1, 2)", name="eligibility_confirmations"),
        sa.CheckConstraint("reapplication_days BETWEEN 0 AND 730", name="reapplication_days"),
    )

    id: UUID = identity()
    slug: str = Field(max_length=80, unique=True)
    place: int = Field(default=0, index=True)
    name: dict[str, str] = json()
    description: dict[str, str] = json()
    status: CommunityStatus = one_of(CommunityStatus, "community_status", default="active")
    listed: bool = True
    join_policy: JoinPolicy = one_of(JoinPolicy, "community_join_policy", default="request")
    eligible_occupations: list[str] = json(default_factory=list)
    eligibility_confirmations: int = 1
    reapplication_days: int = 0
    publishes_leadership: bool = False
    roster_version: int = 1
    version: int = 1
    created_at: datetime = instant()
    updated_at: datetime = instant(index=True)


class Position(SQLModel, table=True):
    """An office that gives capabilities to whoever holds it, while they hold it.

    `acts_for` names the position whose seat its holder fills while that is vacant or its holder
    absent. `held_with` names the position whose holders hold this one ex officio: such a position
    has no terms of its own. Positions of one `stagger_group` should not all change in one year.
    """

    code: str = Field(primary_key=True, max_length=60)
    scope: PositionScope = one_of(PositionScope, "position_scope")
    rank: int
    seats: int | None = None
    title: dict[str, str] = json()
    term_months: int | None = None
    open_ended: bool = False
    consecutive_terms: bool = False
    rest_months: int = 12
    stagger_group: str | None = Field(default=None, max_length=60)
    acts_for: str | None = reference("position.code", nullable=True, max_length=60)
    held_with: str | None = reference("position.code", nullable=True, max_length=60)
    eligible_categories: list[str] = json(default_factory=list)
    member_for_days: int = 0
    version: int = 1
    updated_at: datetime | None = instant(nullable=True)


class Subcommittee(SQLModel, table=True):
    """A purpose-driven part of a community, with seats of its own."""

    id: UUID = identity()
    community_id: UUID = reference("community.id", index=True)
    name: str = Field(max_length=200)
    purpose: str = text()
    created_at: datetime = instant()
    dissolved_on: date | None = None
    updated_at: datetime = instant()
    version: int = 1


class SeatDeviation(SQLModel, table=True):
    """How many seats of a position a community has, where that is not what the position says."""

    __tablename__ = "seat_deviation"

    community_id: UUID = reference("community.id", primary_key=True)
    position_code: str = reference("position.code", max_length=60, primary_key=True)
    seats: int


class Seat(SQLModel, table=True):
    """A place in a Leadership Group or a subcommittee that exists while nobody holds it.

    A position without a number of seats (staff) has none: any number of people may hold it. A seat
    exists from the day `opened_on` until the day before `closed_on`. The `announced_*` columns say
    what the activity log last said about it (services/announcements.py).
    """

    __table_args__ = (
        sa.UniqueConstraint("body_id", "position_code", "number"),
        sa.Index(
            "uq_seat_association",
            "position_code",
            "number",
            unique=True,
            postgresql_where=sa.text("body_id IS NULL"),
            sqlite_where=sa.text("body_id IS NULL"),
        ),
    )

    id: UUID = identity()
    community_id: UUID | None = reference("community.id", nullable=True, index=True)
    subcommittee_id: UUID | None = reference("subcommittee.id", nullable=True)
    body_id: UUID | None = None
    position_code: str = reference("position.code", max_length=60)
    number: int
    opened_on: date
    closed_on: date | None = None
    announced_term_id: UUID | None = None
    announced_acting: str | None = Field(default=None, max_length=80)
