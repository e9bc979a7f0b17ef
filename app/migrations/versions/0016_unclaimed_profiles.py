"""Profiles that a community's lists make of people who have an account elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLE = "unclaimed_profile"


def upgrade() -> None:
    with op.batch_alter_table("person") as batch:
        batch.alter_column("email_key", existing_type=sa.String(254), nullable=True)
    op.create_table(
        TABLE,
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("email_key", sa.String(254), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_unclaimed_profile_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_unclaimed_profile_community_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_unclaimed_profile")),
        sa.UniqueConstraint(
            "community_id", "email_key", name=op.f("uq_unclaimed_profile_community_id_email_key")
        ),
    )
    op.create_index("ix_unclaimed_profile_email_key", TABLE, ["email_key"])


def downgrade() -> None:
    # Their memberships cannot be anybody's before: an address that is none keeps them apart.
    op.execute(
        f"UPDATE person SET email_key = CAST(id AS VARCHAR(254)) WHERE id IN (SELECT person_id FROM {TABLE})"
    )
    op.drop_index("ix_unclaimed_profile_email_key", table_name=TABLE)
    op.drop_table(TABLE)
    with op.batch_alter_table("person") as batch:
        batch.alter_column("email_key", existing_type=sa.String(254), nullable=False)
