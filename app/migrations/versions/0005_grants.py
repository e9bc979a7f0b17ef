"""Grants that a second person confirms; communities whose seats deviate from the positions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)
revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "association",
        sa.Column("confirms_grants", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.create_table(
        "grant_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("capability", sa.String(length=60), nullable=True),
        sa.Column("granted_to", JSON, nullable=True),
        sa.Column("replaced", JSON, nullable=True),
        sa.Column("confirms_grants", sa.Boolean(), nullable=True),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "made",
                "refused",
                "withdrawn",
                name="grant_change_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("made_version", sa.Integer(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["person.id"], name=op.f("fk_grant_change_proposed_by")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name=op.f("fk_grant_change_decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_change")),
    )
    op.create_index(op.f("ix_grant_change_capability"), "grant_change", ["capability"])
    op.create_table(
        "seat_deviation",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("position_code", sa.String(length=60), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_seat_deviation_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["position_code"], ["position.code"], name=op.f("fk_seat_deviation_position_code")
        ),
        sa.PrimaryKeyConstraint("community_id", "position_code", name=op.f("pk_seat_deviation")),
    )


def downgrade() -> None:
    op.drop_table("seat_deviation")
    op.drop_index(op.f("ix_grant_change_capability"), table_name="grant_change")
    op.drop_table("grant_change")
    op.drop_column("association", "confirms_grants")
