"""The permission table, and the changes that are proposed to it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, one_of, reference, text


class Grant(SQLModel, table=True):
    """A capability that a position (or public, account, member) gives: one mark of the table."""

    capability: str = Field(primary_key=True, max_length=60)
    grantee: str = Field(primary_key=True, max_length=60)


class GrantChangeStatus(StrEnum):
    """How far a change has come: it waits, it has been made, or it never will be."""

    PENDING = "pending"
    MADE = "made"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class GrantOutcome(StrEnum):
    """What a second person says to a change."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"


class GrantChange(SQLModel, table=True):
    """A change of one row of the table, or of whether changes wait for a second person.

    `based_on` is the version of the table that its author had read, `made_version` the one that it
    made. `replaced` is what the row said before.
    """

    __tablename__ = "grant_change"

    id: UUID = identity()
    capability: str | None = Field(default=None, max_length=60, index=True)
    granted_to: list[str] | None = json(nullable=True, default=None)
    replaced: list[str] | None = json(nullable=True, default=None)
    confirms_grants: bool | None = None
    based_on: int
    reason: str = text()
    status: GrantChangeStatus = one_of(
        GrantChangeStatus, "grant_change_status", default=GrantChangeStatus.PENDING
    )
    proposed_at: datetime = instant()
    proposed_by: UUID = reference("person.id")
    decided_at: datetime | None = instant(nullable=True)
    decided_by: UUID | None = reference("person.id", nullable=True)
    decision_reason: str | None = text(default=None)
    made_version: int | None = None
    updated_at: datetime = instant()
    version: int = 1

    def close(
        self, status: GrantChangeStatus, by: UUID | None, reason: str | None, at: datetime
    ) -> None:
        """It waits no longer. Nobody else decided it where `by` is None."""
        self.status, self.decided_by, self.decision_reason = status, by, reason
        self.decided_at = self.updated_at = at
        self.version += 1
