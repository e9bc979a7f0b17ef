"""Who belongs to a community, in which category, since when, and until when."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from app.models.base import identity, instant, one_of, reference, text


class MembershipCategory(StrEnum):
    """As what a person belongs."""

    PRACTITIONER = "practitioner"
    ACADEMIC = "academic"
    LIVED_EXPERIENCE = "lived_experience"
    OBSERVER = "observer"
    STAFF = "staff"


class MembershipEnding(StrEnum):
    """How a membership came to its end."""

    LEFT = "left"
    ENDED = "ended"
    LAPSED = "lapsed"


_OPEN = "ended_at IS NULL"


class Membership(SQLModel, table=True):
    """One person's belonging to one community, once at a time.

    It runs from the day `since_on` to the last moment of `until_on`, or to the instant `ended_at`.
    """

    __table_args__ = (
        sa.Index("ix_membership_person_id", "person_id"),
        sa.Index("ix_membership_roster", "community_id", "id"),
        sa.Index("ix_membership_updated", "community_id", "updated_at"),
        sa.Index(
            "uq_membership_open",
            "community_id",
            "person_id",
            unique=True,
            postgresql_where=sa.text(_OPEN),
            sqlite_where=sa.text(_OPEN),
        ),
    )

    id: UUID = identity()
    community_id: UUID = reference("community.id")
    person_id: UUID = reference("person.id")
    category: MembershipCategory = one_of(MembershipCategory, "membership_category")
    since_on: date
    until_on: date | None = None
    ended_at: datetime | None = instant(nullable=True)
    ending: MembershipEnding | None = one_of(
        MembershipEnding, "membership_ending", nullable=True, default=None
    )
    end_reason: str | None = text(default=None)
    created_at: datetime = instant()
    updated_at: datetime = instant()
    version: int = 1

    def runs_on(self, day: date) -> bool:
        """True if the person belongs on that day, first and last day included."""
        return (
            self.ended_at is None
            and self.since_on <= day
            and (self.until_on is None or day <= self.until_on)
        )


_NOT_LIFTED = "lifted_at IS NULL"


class Suspension(SQLModel, table=True):
    """A time in which a membership gives no rights: from an instant to the end of a day."""

    __table_args__ = (
        sa.Index(
            "uq_suspension_open",
            "membership_id",
            unique=True,
            postgresql_where=sa.text(_NOT_LIFTED),
            sqlite_where=sa.text(_NOT_LIFTED),
        ),
    )

    id: UUID = identity()
    membership_id: UUID = reference("membership.id", index=True)
    starts_at: datetime = instant()
    until_on: date
    reason: str = text()
    suspended_by: UUID = reference("person.id")
    lifted_at: datetime | None = instant(nullable=True)
    lifted_by: UUID | None = reference("person.id", nullable=True)


_NOT_ENDED = "ended_at IS NULL"


class MembershipPause(SQLModel, table=True):
    """A time in which a member takes leave: the membership stays, and its rights rest.

    It runs from the day `starts_on` to the last moment of `until_on`, or to the instant `ended_at`.
    """

    __tablename__ = "membership_pause"
    __table_args__ = (
        sa.Index(
            "uq_membership_pause_open",
            "membership_id",
            unique=True,
            postgresql_where=sa.text(_NOT_ENDED),
            sqlite_where=sa.text(_NOT_ENDED),
        ),
    )

    id: UUID = identity()
    membership_id: UUID = reference("membership.id", index=True)
    starts_on: date
    until_on: date | None = None
    reason: str | None = text(default=None)
    declared_by: UUID = reference("person.id")
    declared_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    ended_by: UUID | None = reference("person.id", nullable=True)
