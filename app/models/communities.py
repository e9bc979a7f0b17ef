"""Communities of practice and the seats of their Leadership Groups."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, one_of, reference


class CommunityStatus(StrEnum):
    """Whether a community is at work; an archived one can be read and not written to."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class PositionScope(StrEnum):
    """Where a position is held: in a community, or in the association as a whole."""

    COMMUNITY = "community"
    ASSOCIATION = "association"


class Community(SQLModel, table=True):
    """A topic-specific community of practice.

    `roster_version` moves with each change of its memberships and terms, so that a cached
    catalogue knows without counting whether it is still true.
    """

    id: UUID = identity()
    slug: str = Field(max_length=80, unique=True)
    place: int = Field(default=0, index=True)
    name: dict[str, str] = json()
    description: dict[str, str] = json()
    status: CommunityStatus = one_of(CommunityStatus, "community_status", default="active")
    listed: bool = True
    eligible_occupations: list[str] = json(default_factory=list)
    publishes_leadership: bool = False
    roster_version: int = 1
    version: int = 1
    created_at: datetime = instant()
    updated_at: datetime = instant(index=True)


class Position(SQLModel, table=True):
    """An office that gives capabilities to whoever holds it, while they hold it."""

    code: str = Field(primary_key=True, max_length=60)
    scope: PositionScope = one_of(PositionScope, "position_scope")
    rank: int
    seats: int | None = None
    title: dict[str, str] = json()
    term_months: int | None = None
    open_ended: bool = False
    version: int = 1


class Seat(SQLModel, table=True):
    """A place in a Leadership Group that exists while nobody holds it.

    A position without a number of seats (staff) has none: any number of people may hold it.
    """

    __table_args__ = (
        sa.UniqueConstraint("community_id", "position_code", "number"),
        sa.Index(
            "uq_seat_association",
            "position_code",
            "number",
            unique=True,
            postgresql_where=sa.text("community_id IS NULL"),
            sqlite_where=sa.text("community_id IS NULL"),
        ),
    )

    id: UUID = identity()
    community_id: UUID | None = reference("community.id", nullable=True)
    position_code: str = reference("position.code", max_length=60)
    number: int
