"""Imports of memberships: jobs, their files and rows, and what came from which source."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)
revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ACTORS = ("person", "applicant", "system", "partner")
TABLES = (
    "membership_source",
    "person_source",
    "membership_import_mapping",
    "membership_import_mention",
    "membership_import_row",
    "membership_import_piece",
    "membership_import",
)
_WHOLE = sa.text("community_id IS NULL")


def _one_of(members: tuple[str, ...], name: str) -> Any:
    return sa.Enum(*members, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        "membership_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            _one_of(
                (
                    "waiting",
                    "planning",
                    "mapping_required",
                    "planned",
                    "applying",
                    "applied",
                    "reversing",
                    "reversed",
                    "cancelled",
                    "failed",
                ),
                "membership_import_status",
            ),
            nullable=False,
        ),
        sa.Column(
            "mode",
            _one_of(("add", "update", "fill", "sync"), "membership_import_mode"),
            nullable=False,
        ),
        sa.Column(
            "handling",
            _one_of(("all_or_nothing", "best_effort"), "membership_import_handling"),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=60), nullable=True),
        sa.Column("apply", sa.Boolean(), nullable=False),
        sa.Column("invite", sa.Boolean(), nullable=False),
        sa.Column("most_ended", sa.Integer(), nullable=False),
        sa.Column("exceeds_most_ended", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("delimiter", sa.String(length=1), nullable=True),
        sa.Column("sheet", sa.String(length=200), nullable=True),
        sa.Column("headings", JSON, nullable=False),
        sa.Column("suggestion", JSON, nullable=False),
        sa.Column("mapping", JSON, nullable=True),
        sa.Column("places", JSON, nullable=False),
        sa.Column("credential", JSON, nullable=True),
        sa.Column(
            "created_by_kind", _one_of(ACTORS, "membership_import_created_by"), nullable=False
        ),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("asked_by_kind", _one_of(ACTORS, "membership_import_asked_by"), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("rows_expected", sa.Integer(), nullable=True),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_to_do", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("endings", sa.Integer(), nullable=False),
        sa.Column("source_memberships", sa.Integer(), nullable=False),
        sa.Column("endings_withheld", sa.Boolean(), nullable=False),
        sa.Column("problem", JSON, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("step_at", INSTANT, nullable=False),
        sa.Column("planned_at", INSTANT, nullable=True),
        sa.Column("applied_at", INSTANT, nullable=True),
        sa.Column("reversed_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("erased_at", INSTANT, nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_membership_import_community_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_import")),
    )
    op.create_index("ix_membership_import_community", "membership_import", ["community_id", "id"])
    op.create_index("ix_membership_import_status", "membership_import", ["status", "id"])
    op.create_table(
        "membership_import_mapping",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("mapping", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_membership_import_mapping_community_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_import_mapping")),
        sa.UniqueConstraint(
            "community_id", "name", name=op.f("uq_membership_import_mapping_community_id_name")
        ),
    )
    op.create_index(
        "uq_membership_import_mapping_association",
        "membership_import_mapping",
        ["name"],
        unique=True,
        postgresql_where=_WHOLE,
        sqlite_where=_WHOLE,
    )
    op.create_table(
        "membership_import_mention",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["membership_import.id"],
            name=op.f("fk_membership_import_mention_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "import_id", "membership_id", name=op.f("pk_membership_import_mention")
        ),
    )
    op.create_table(
        "membership_import_piece",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["membership_import.id"],
            name=op.f("fk_membership_import_piece_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_membership_import_piece")),
    )
    op.create_table(
        "membership_import_row",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cells", JSON, nullable=True),
        sa.Column("findings", JSON, nullable=False),
        sa.Column(
            "outcome",
            _one_of(
                ("created", "changed", "unchanged", "ended", "refused"),
                "membership_import_row_outcome",
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            _one_of(("planned", "applied", "reversed", "kept"), "membership_import_row_state"),
            nullable=False,
        ),
        sa.Column("plan", JSON, nullable=True),
        sa.Column("done", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["membership_import.id"],
            name=op.f("fk_membership_import_row_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_membership_import_row")),
    )
    op.create_index(
        "ix_membership_import_row_outcome",
        "membership_import_row",
        ["import_id", "outcome", "number"],
    )
    op.create_table(
        "person_source",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_person_source_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_person_source_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_source")),
        sa.UniqueConstraint(
            "community_id",
            "source",
            "external_id",
            name=op.f("uq_person_source_community_id_source_external_id"),
        ),
    )
    op.create_index(op.f("ix_person_source_person_id"), "person_source", ["person_id"])
    op.create_index(
        "uq_person_source_association",
        "person_source",
        ["source", "external_id"],
        unique=True,
        postgresql_where=_WHOLE,
        sqlite_where=_WHOLE,
    )
    op.create_table(
        "membership_source",
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_membership_source_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_membership_source_membership_id")
        ),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_membership_source")),
    )
    op.create_index(op.f("ix_membership_source_import_id"), "membership_source", ["import_id"])
    op.create_index("ix_membership_source_source", "membership_source", ["source", "community_id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
