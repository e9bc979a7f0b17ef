"""Proposals of communities, who stands behind them, and the links that they are mailed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)
revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATUSES = ("awaiting_verification", "open", "accepted", "declined", "withdrawn")
_OPEN = sa.text("status = 'open'")
_COUNTS = sa.text("verified_at IS NOT NULL AND withdrawn_at IS NULL")


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    _proposals()
    _supporters()
    op.create_table(
        "proposal_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("supporter_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        _key("proposal_link", "supporter_id", "proposal_supporter.id"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_proposal_link")),
    )
    op.create_index(op.f("ix_proposal_link_supporter_id"), "proposal_link", ["supporter_id"])
    op.create_index(op.f("ix_proposal_link_expires_at"), "proposal_link", ["expires_at"])


def _proposals() -> None:
    table = "community_proposal"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                *STATUSES,
                name="community_proposal_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", JSON, nullable=False),
        sa.Column("area", sa.String(length=200), nullable=False),
        sa.Column("specifics", sa.Text(), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("verified_at", INSTANT, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("community_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _key(table, "decided_by", "person.id"),
        _key(table, "community_id", "community.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f("ix_community_proposal_email_key"), table, ["email_key"])
    op.create_index("ix_community_proposal_queue", table, ["status", "id"])
    op.create_index(
        "uq_community_proposal_open",
        table,
        ["email_key"],
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    )


def _supporters() -> None:
    table = "proposal_supporter"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("proposes", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("occupation", sa.String(length=200), nullable=False),
        sa.Column("occupation_code", sa.String(length=60), nullable=False),
        sa.Column("affiliation", sa.String(length=200), nullable=False),
        sa.Column("area_of_interest", sa.Text(), nullable=False),
        sa.Column("territory", sa.String(length=20), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("wishes_to_belong", sa.Boolean(), nullable=False),
        sa.Column("wishes_to_lead", sa.Boolean(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("privacy_notice_version", sa.Integer(), nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("verified_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("membership_id", sa.Uuid(), nullable=True),
        _key(table, "proposal_id", "community_proposal.id"),
        _key(table, "occupation_code", "occupation.code"),
        _key(table, "territory", "territory.code"),
        _key(table, "rules_version", "rules_version.number"),
        _key(table, "membership_id", "membership.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f("ix_proposal_supporter_proposal_id"), table, ["proposal_id"])
    op.create_index(op.f("ix_proposal_supporter_email_key"), table, ["email_key"])
    op.create_index(
        "uq_proposal_supporter_counts",
        table,
        ["proposal_id", "email_key"],
        unique=True,
        postgresql_where=_COUNTS,
        sqlite_where=_COUNTS,
    )


def downgrade() -> None:
    for table in ("proposal_link", "proposal_supporter", "community_proposal"):
        op.drop_table(table)
