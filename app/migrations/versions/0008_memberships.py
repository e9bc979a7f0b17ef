"""Pauses of memberships, and verifications of who may belong to a restricted community."""

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)
revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATUSES = ("requested", "awaiting_second", "confirmed", "refused", "withdrawn", "revoked")
_NOT_ENDED = sa.text("ended_at IS NULL")
_OPEN = sa.text("status IN ('requested', 'awaiting_second')")


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    with op.batch_alter_table("community") as batch:
        batch.add_column(
            sa.Column("eligibility_confirmations", sa.Integer(), nullable=False, server_default="1")
        )
        batch.create_check_constraint(
            op.f("ck_community_eligibility_confirmations"),
            sa.text("eligibility_confirmations IN (1, 2)"),
        )
    _pauses()
    _verifications()
    op.create_table(
        "eligibility_evidence",
        sa.Column("verification_id", sa.Uuid(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["verification_id"],
            ["eligibility_verification.id"],
            name=op.f("fk_eligibility_evidence_verification_id"),
            ondelete="CASCADE",
        ),
        _key("eligibility_evidence", "uploaded_by", "person.id"),
        sa.PrimaryKeyConstraint("verification_id", name=op.f("pk_eligibility_evidence")),
    )


def _pauses() -> None:
    op.create_table(
        "membership_pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("declared_by", sa.Uuid(), nullable=False),
        sa.Column("declared_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        _key("membership_pause", "membership_id", "membership.id"),
        _key("membership_pause", "declared_by", "person.id"),
        _key("membership_pause", "ended_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_pause")),
    )
    op.create_index("ix_membership_pause_membership_id", "membership_pause", ["membership_id"])
    op.create_index(
        "uq_membership_pause_open",
        "membership_pause",
        ["membership_id"],
        unique=True,
        postgresql_where=_NOT_ENDED,
        sqlite_where=_NOT_ENDED,
    )


def _verifications() -> None:
    listed = ", ".join(f"'{status}'" for status in STATUSES)
    table = "eligibility_verification"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("join_request_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("occupation_code", sa.String(length=60), nullable=False),
        sa.Column("statement", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("first_by", sa.Uuid(), nullable=True),
        sa.Column("first_at", INSTANT, nullable=True),
        sa.Column("first_basis", sa.Text(), nullable=True),
        sa.Column("second_by", sa.Uuid(), nullable=True),
        sa.Column("second_at", INSTANT, nullable=True),
        sa.Column("second_basis", sa.Text(), nullable=True),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("evidence_destroyed_at", INSTANT, nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            f"status IN ({listed})",
            name=op.f("ck_eligibility_verification_eligibility_verification_status"),
        ),
        sa.CheckConstraint("first_by <> second_by", name=op.f(f"ck_{table}_two_people")),
        sa.CheckConstraint("first_by <> person_id", name=op.f(f"ck_{table}_not_by_oneself")),
        sa.CheckConstraint(
            "second_by <> person_id", name=op.f(f"ck_{table}_nor_seconded_by_oneself")
        ),
        _key(table, "community_id", "community.id"),
        _key(table, "person_id", "person.id"),
        sa.ForeignKeyConstraint(
            ["join_request_id"],
            ["join_request.id"],
            name=op.f(f"fk_{table}_join_request_id"),
            ondelete="SET NULL",
        ),
        _key(table, "occupation_code", "occupation.code"),
        _key(table, "requested_by", "person.id"),
        _key(table, "first_by", "person.id"),
        _key(table, "second_by", "person.id"),
        _key(table, "revoked_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_email_key", table, ["email_key"])
    op.create_index(f"ix_{table}_person", table, ["person_id", "community_id"])
    op.create_index(f"ix_{table}_list", table, ["community_id", "id"])
    op.create_index(
        f"uq_{table}_open",
        table,
        ["community_id", "email_key"],
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_table("eligibility_evidence")
    op.drop_table("eligibility_verification")
    op.drop_table("membership_pause")
    with op.batch_alter_table("community") as batch:
        batch.drop_constraint(op.f("ck_community_eligibility_confirmations"), type_="check")
        batch.drop_column("eligibility_confirmations")
