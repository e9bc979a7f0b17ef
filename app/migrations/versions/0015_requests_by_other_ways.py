"""Requests to join that came by other ways than the form: out of mailboxes, by proposals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLE = "join_request"
ORIGINS = ("form", "mailbox", "proposal")
# What a message may lack, and a form may not.
_ANSWERS = {
    "occupation": sa.String(length=200),
    "affiliation": sa.String(length=200),
    "area_of_interest": sa.Text(),
    "rules_version": sa.Integer(),
    "privacy_notice_version": sa.Integer(),
}
_OPEN = sa.text("status IN ('pending', 'information_requested')")


def upgrade() -> None:
    op.drop_index("uq_join_request_open", table_name=TABLE)
    with op.batch_alter_table(TABLE) as batch:
        for name, kind in _ANSWERS.items():
            batch.alter_column(name, existing_type=kind, nullable=True)
        batch.add_column(
            sa.Column("origin", sa.String(40), nullable=False, server_default=ORIGINS[0])
        )
        batch.add_column(sa.Column("message", sa.Text(), nullable=True))
        batch.add_column(sa.Column("message_id", sa.String(200), nullable=True))
        batch.add_column(sa.Column("notes", JSON, nullable=False, server_default="[]"))
        listed = ", ".join(f"'{origin}'" for origin in ORIGINS)
        batch.create_check_constraint(
            op.f("ck_join_request_join_request_origin"), sa.text(f"origin IN ({listed})")
        )
        whole = " AND ".join(f"{name} IS NOT NULL" for name in _ANSWERS)
        batch.create_check_constraint(
            op.f("ck_join_request_answered_in_full"), sa.text(f"({whole}) OR origin = 'mailbox'")
        )
        batch.create_unique_constraint(
            op.f("uq_join_request_community_id_email_key_message_id"),
            ["community_id", "email_key", "message_id"],
        )
    _one_open()
    with op.batch_alter_table("proposal_supporter") as batch:
        batch.add_column(sa.Column("join_request_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_proposal_supporter_join_request_id"),
            TABLE,
            ["join_request_id"],
            ["id"],
            ondelete="SET NULL",
        )


def _one_open() -> None:
    op.create_index(
        "uq_join_request_open",
        TABLE,
        ["community_id", "email_key"],
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    )


def downgrade() -> None:
    with op.batch_alter_table("proposal_supporter") as batch:
        batch.drop_constraint(op.f("fk_proposal_supporter_join_request_id"), type_="foreignkey")
        batch.drop_column("join_request_id")
    op.drop_index("uq_join_request_open", table_name=TABLE)
    _erase_mailboxes()
    with op.batch_alter_table(TABLE) as batch:
        batch.drop_constraint(
            op.f("uq_join_request_community_id_email_key_message_id"), type_="unique"
        )
        batch.drop_constraint(op.f("ck_join_request_answered_in_full"), type_="check")
        batch.drop_constraint(op.f("ck_join_request_join_request_origin"), type_="check")
        for name in ("notes", "message_id", "message", "origin"):
            batch.drop_column(name)
        for name, kind in _ANSWERS.items():
            batch.alter_column(name, existing_type=kind, nullable=False)
    _one_open()


def _erase_mailboxes() -> None:
    """What the table before had no room for; references are off on SQLite."""
    these = "(SELECT id FROM join_request WHERE origin = 'mailbox')"
    op.execute(f"DELETE FROM join_inquiry WHERE join_request_id IN {these}")
    op.execute(
        "UPDATE eligibility_verification SET join_request_id = NULL"
        f" WHERE join_request_id IN {these}"
    )
    op.execute("DELETE FROM join_request WHERE origin = 'mailbox'")
