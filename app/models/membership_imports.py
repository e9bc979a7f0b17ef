"""Imports of memberships: the job, the file, the plan row by row, and what came from where."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.activity import ActorKind
from app.models.base import identity, instant, json, one_of, reference


class ImportStatus(StrEnum):
    """How far an import has come."""

    WAITING = "waiting"
    PLANNING = "planning"
    MAPPING_REQUIRED = "mapping_required"
    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    REVERSING = "reversing"
    REVERSED = "reversed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ImportMode(StrEnum):
    """What an import may do to what is there."""

    ADD = "add"
    UPDATE = "update"
    FILL = "fill"
    SYNC = "sync"


class ImportHandling(StrEnum):
    """What a row that is refused means for the others."""

    ALL_OR_NOTHING = "all_or_nothing"
    BEST_EFFORT = "best_effort"


class RowOutcome(StrEnum):
    """What became of a row, or would."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ENDED = "ended"
    REFUSED = "refused"


class RowState(StrEnum):
    """How far a row has come; `kept` is one that a reversal could not undo."""

    PLANNED = "planned"
    APPLIED = "applied"
    REVERSED = "reversed"
    KEPT = "kept"


# What somebody waits for the worker to do.
UNDER_WAY = (
    ImportStatus.WAITING,
    ImportStatus.PLANNING,
    ImportStatus.APPLYING,
    ImportStatus.REVERSING,
)


class MembershipImport(SQLModel, table=True):
    """One file on its way into the association, or into one community.

    `places` are the communities in which whoever asked for it may import, `credential` what they
    came with where it was a machine's; both are looked at again while it runs. Counts are of rows,
    `endings` of memberships, and `source_memberships` how many of those that this source brought
    ran when it was planned.
    """

    __tablename__ = "membership_import"
    __table_args__ = (
        sa.Index("ix_membership_import_status", "status", "id"),
        sa.Index("ix_membership_import_community", "community_id", "id"),
    )

    id: UUID = identity()
    community_id: UUID | None = reference("community.id", nullable=True)
    status: ImportStatus = one_of(ImportStatus, "membership_import_status", default="waiting")
    mode: ImportMode = one_of(ImportMode, "membership_import_mode")
    handling: ImportHandling = one_of(ImportHandling, "membership_import_handling")
    source: str | None = Field(default=None, max_length=60)
    apply: bool = False
    invite: bool = False
    most_ended: int = 10
    exceeds_most_ended: bool = False
    language: str = Field(default="en", max_length=2)
    file_name: str = Field(max_length=200)
    format: str = Field(max_length=10)
    size: int = Field(sa_type=sa.BigInteger)
    delimiter: str | None = Field(default=None, max_length=1)
    sheet: str | None = Field(default=None, max_length=200)
    headings: list[str] = json()
    suggestion: dict[str, Any] = json()
    mapping: dict[str, Any] | None = json(nullable=True, default=None)
    places: list[str] = json()
    credential: dict[str, Any] | None = json(nullable=True, default=None)
    created_by_kind: ActorKind = one_of(ActorKind, "membership_import_created_by")
    created_by: UUID | None = None
    asked_by_kind: ActorKind = one_of(ActorKind, "membership_import_asked_by")
    asked_by: UUID | None = None
    rows_expected: int | None = None
    rows_read: int = 0
    rows_done: int = 0
    rows_to_do: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    ended: int = 0
    refused: int = 0
    kept: int = 0
    noted: int = 0
    endings: int = 0
    source_memberships: int = 0
    endings_withheld: bool = False
    problem: dict[str, Any] | None = json(nullable=True, default=None)
    created_at: datetime = instant()
    step_at: datetime = instant()
    planned_at: datetime | None = instant(nullable=True)
    applied_at: datetime | None = instant(nullable=True)
    reversed_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)
    erased_at: datetime | None = instant(nullable=True)
    updated_at: datetime = instant()
    version: int = 1


class MembershipImportPiece(SQLModel, table=True):
    """A piece of an uploaded file, packed: the worker may be on another host."""

    __tablename__ = "membership_import_piece"

    import_id: UUID = Field(
        primary_key=True, foreign_key="membership_import.id", ondelete="CASCADE"
    )
    number: int = Field(primary_key=True)
    content: bytes = Field(sa_type=sa.LargeBinary)


class MembershipImportRow(SQLModel, table=True):
    """A row of the file: its cells, what is wrong with it, what it would do, and what it did.

    What ends because the file does not have it stands behind the file's rows, without cells.
    """

    __tablename__ = "membership_import_row"
    __table_args__ = (
        sa.Index("ix_membership_import_row_outcome", "import_id", "outcome", "number"),
    )

    import_id: UUID = Field(
        primary_key=True, foreign_key="membership_import.id", ondelete="CASCADE"
    )
    number: int = Field(primary_key=True)
    cells: list[Any] | None = json(nullable=True, default=None)
    findings: list[Any] = json(default_factory=list)
    outcome: RowOutcome = one_of(RowOutcome, "membership_import_row_outcome")
    state: RowState = one_of(RowState, "membership_import_row_state", default="planned")
    plan: dict[str, Any] | None = json(nullable=True, default=None)
    done: dict[str, Any] | None = json(nullable=True, default=None)


class MembershipImportMention(SQLModel, table=True):
    """A membership that a file speaks of, or about which its silence proves nothing."""

    __tablename__ = "membership_import_mention"

    import_id: UUID = Field(
        primary_key=True, foreign_key="membership_import.id", ondelete="CASCADE"
    )
    membership_id: UUID = Field(primary_key=True)


_WHOLE = "community_id IS NULL"


class PersonSource(SQLModel, table=True):
    """As which number a person is known in a system that the association, or one community,
    imports from."""

    __tablename__ = "person_source"
    __table_args__ = (
        sa.UniqueConstraint("community_id", "source", "external_id"),
        sa.Index(
            "uq_person_source_association",
            "source",
            "external_id",
            unique=True,
            postgresql_where=sa.text(_WHOLE),
            sqlite_where=sa.text(_WHOLE),
        ),
    )

    id: UUID = identity()
    community_id: UUID | None = reference("community.id", nullable=True)
    source: str = Field(max_length=60)
    external_id: str = Field(max_length=200)
    person_id: UUID = reference("person.id", index=True)


class MembershipSource(SQLModel, table=True):
    """The import that began a membership, and from which system: that may end it again.

    `ended_by` is the import that did, so that a later one may begin it anew.
    """

    __tablename__ = "membership_source"
    __table_args__ = (sa.Index("ix_membership_source_source", "source", "community_id"),)

    membership_id: UUID = Field(primary_key=True, foreign_key="membership.id")
    community_id: UUID | None = reference("community.id", nullable=True)
    source: str = Field(max_length=60)
    import_id: UUID = Field(index=True)
    ended_by: UUID | None = None


class MembershipImportMapping(SQLModel, table=True):
    """A mapping that was kept by name, for the association or for one community."""

    __tablename__ = "membership_import_mapping"
    __table_args__ = (
        sa.UniqueConstraint("community_id", "name"),
        sa.Index(
            "uq_membership_import_mapping_association",
            "name",
            unique=True,
            postgresql_where=sa.text(_WHOLE),
            sqlite_where=sa.text(_WHOLE),
        ),
    )

    id: UUID = identity()
    community_id: UUID | None = reference("community.id", nullable=True)
    name: str = Field(max_length=80)
    mapping: dict[str, Any] = json()
    created_at: datetime = instant()
    updated_at: datetime = instant()
    version: int = 1
