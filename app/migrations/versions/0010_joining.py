"""Requests to join: questions to the applicant, links to follow them, why one was withdrawn."""

from typing import Any

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)
revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATUSES = (
    "awaiting_verification",
    "pending",
    "information_requested",
    "accepted",
    "declined",
    "withdrawn",
    "expired",
)
CAUSES = ("by_applicant", "newer_request", "already_member", "asked_too_soon")
_BEFORE = tuple(status for status in STATUSES if status != "information_requested")
_UNANSWERED = sa.text("answered_at IS NULL")


def _one_of(column: str, values: tuple[str, ...]) -> sa.TextClause:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.text(f"{column} IN ({listed})")


def _key(table: str, column: str, target: str, **options: Any) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [target], name=name, **options)


def upgrade() -> None:
    with op.batch_alter_table("community") as batch:
        batch.add_column(
            sa.Column("reapplication_days", sa.Integer(), nullable=False, server_default="0")
        )
        batch.create_check_constraint(
            op.f("ck_community_reapplication_days"),
            sa.text("reapplication_days BETWEEN 0 AND 730"),
        )
    _one_at_a_time("uq_join_request_pending", "uq_join_request_open", STATUSES)
    _inquiries()
    op.create_table(
        "join_request_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_join_request_link")),
    )
    op.create_index(
        op.f("ix_join_request_link_submission_id"), "join_request_link", ["submission_id"]
    )


def _one_at_a_time(before: str, after: str, statuses: tuple[str, ...]) -> None:
    """The states of a request; of those in which it is open, a person has one in a community."""
    table, asking = "join_request", "information_requested" in statuses
    op.drop_index(before, table_name=table)
    with op.batch_alter_table(table) as batch:
        if asking:
            batch.add_column(sa.Column("answer_due_on", sa.Date(), nullable=True))
            batch.add_column(sa.Column("withdrawn_because", sa.String(length=40), nullable=True))
            batch.create_check_constraint(
                op.f(f"ck_{table}_join_withdrawal"), _one_of("withdrawn_because", CAUSES)
            )
            batch.create_check_constraint(
                op.f(f"ck_{table}_answered_until_a_day"),
                sa.text("status <> 'information_requested' OR answer_due_on IS NOT NULL"),
            )
        else:
            batch.drop_constraint(op.f(f"ck_{table}_answered_until_a_day"), type_="check")
            batch.drop_constraint(op.f(f"ck_{table}_join_withdrawal"), type_="check")
            batch.drop_column("withdrawn_because")
            batch.drop_column("answer_due_on")
        batch.drop_constraint(op.f(f"ck_{table}_join_request_status"), type_="check")
        batch.create_check_constraint(
            op.f(f"ck_{table}_join_request_status"), _one_of("status", statuses)
        )
    is_open = sa.text(
        "status IN ('pending', 'information_requested')" if asking else "status = 'pending'"
    )
    op.create_index(
        after,
        table,
        ["community_id", "email_key"],
        unique=True,
        postgresql_where=is_open,
        sqlite_where=is_open,
    )


def _inquiries() -> None:
    table = "join_inquiry"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("join_request_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        _key(table, "join_request_id", "join_request.id", ondelete="CASCADE"),
        _key(table, "asked_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_join_request_id"), table, ["join_request_id"])
    op.create_index(
        f"uq_{table}_open",
        table,
        ["join_request_id"],
        unique=True,
        postgresql_where=_UNANSWERED,
        sqlite_where=_UNANSWERED,
    )


def downgrade() -> None:
    op.drop_table("join_request_link")
    op.drop_table("join_inquiry")
    op.execute("UPDATE join_request SET status = 'pending' WHERE status = 'information_requested'")
    _one_at_a_time("uq_join_request_open", "uq_join_request_pending", _BEFORE)
    with op.batch_alter_table("community") as batch:
        batch.drop_constraint(op.f("ck_community_reapplication_days"), type_="check")
        batch.drop_column("reapplication_days")
