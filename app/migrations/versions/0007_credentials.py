"""Credentials of machines: personal access tokens, partners, and partners as actors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)
revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UNSEALED = sa.text("place IS NULL")
ACTORS = {
    True: ("person", "applicant", "system", "partner"),
    False: ("person", "applicant", "system"),
}


def _actors(new: bool) -> None:
    """Who can have done something. A partner is no person, so the actor's id refers to either."""
    listed = ", ".join(f"'{kind}'" for kind in ACTORS[new])
    # Made again by hand: SQLite copies the table, and would forget the condition.
    op.drop_index("ix_activity_unsealed", table_name="activity")
    with op.batch_alter_table("activity") as batch:
        batch.drop_constraint(op.f("ck_activity_activity_actor_kind"), type_="check")
        batch.create_check_constraint(
            op.f("ck_activity_activity_actor_kind"), sa.text(f"actor_kind IN ({listed})")
        )
        if new:
            batch.drop_constraint(op.f("fk_activity_actor_id"), type_="foreignkey")
        else:
            batch.create_foreign_key(op.f("fk_activity_actor_id"), "person", ["actor_id"], ["id"])
    op.create_index(
        "ix_activity_unsealed",
        "activity",
        ["id"],
        postgresql_where=_UNSEALED,
        sqlite_where=_UNSEALED,
    )


def upgrade() -> None:
    _actors(True)
    op.create_table(
        "access_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("communities", JSON, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_access_token_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_access_token_token_hash")),
    )
    op.create_index(op.f("ix_access_token_person_id"), "access_token", ["person_id"])
    op.create_table(
        "partner",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("capabilities", JSON, nullable=False),
        sa.Column("communities", JSON, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner")),
    )
    op.create_table(
        "partner_credential",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_partner_credential_partner_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_partner_credential_created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_credential")),
    )
    op.create_index(op.f("ix_partner_credential_partner_id"), "partner_credential", ["partner_id"])


def downgrade() -> None:
    for table in ("partner_credential", "partner", "access_token"):
        op.drop_table(table)
    # The older schema knows no such actor. `cop verify-audit` names these rows from then on.
    op.execute(
        "UPDATE activity SET actor_kind = 'system', actor_id = NULL WHERE actor_kind = 'partner'"
    )
    _actors(False)
