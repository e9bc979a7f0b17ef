"""Leadership: positions in full, subcommittees, acting terms, absences, announcements."""

import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.migrations import seat_rules

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)
# Seats that are there before this revision have been there from the beginning.
BEGINNING = datetime.date(2000, 1, 1).isoformat()
revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Nobody acted in a position before this revision, and each line says so from now on.
_NOT_ACTING = {
    "postgresql": """author || '{"acting": false}'""",
    "sqlite": "json_set(author, '$.acting', json('false'))",
}
ENDINGS = {
    True: ("resigned", "removed", "lapsed", "annulled"),
    False: ("resigned", "removed", "membership_ended"),
}
BASES = {
    True: ("election", "appointment", "acting", "ex_officio"),
    False: ("election", "appointment"),
}
SCOPES = {
    True: ("community", "subcommittee", "association"),
    False: ("community", "association"),
}


def _check(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


def _closed_sets(new: bool) -> None:
    """The enumerations of positions and terms, in their CHECKs."""
    with op.batch_alter_table("position") as batch:
        batch.drop_constraint(op.f("ck_position_position_scope"), type_="check")
        batch.create_check_constraint(
            op.f("ck_position_position_scope"), sa.text(_check("scope", SCOPES[new]))
        )
    with op.batch_alter_table("term") as batch:
        batch.drop_constraint(op.f("ck_term_term_ending"), type_="check")
        batch.drop_constraint(op.f("ck_term_term_basis"), type_="check")
    before, after = ("membership_ended", "lapsed") if new else ("lapsed", "membership_ended")
    op.execute(f"UPDATE term SET ending = '{after}' WHERE ending = '{before}'")
    with op.batch_alter_table("term") as batch:
        batch.create_check_constraint(
            op.f("ck_term_term_ending"), sa.text(_check("ending", ENDINGS[new]))
        )
        batch.create_check_constraint(
            op.f("ck_term_term_basis"), sa.text(_check("basis", BASES[new]))
        )


def upgrade() -> None:
    seat_rules.downgrade()
    _closed_sets(True)
    op.create_table(
        "subcommittee",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("dissolved_on", sa.Date(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_subcommittee_community_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subcommittee")),
    )
    op.create_index(op.f("ix_subcommittee_community_id"), "subcommittee", ["community_id"])

    with op.batch_alter_table("position") as batch:
        for name, kind, default in (
            ("consecutive_terms", sa.Boolean(), sa.false()),
            ("rest_months", sa.Integer(), "12"),
            ("member_for_days", sa.Integer(), "0"),
            ("eligible_categories", JSON, "[]"),
        ):
            batch.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        batch.add_column(sa.Column("stagger_group", sa.String(length=60), nullable=True))
        batch.add_column(sa.Column("acts_for", sa.String(length=60), nullable=True))
        batch.add_column(sa.Column("held_with", sa.String(length=60), nullable=True))
        batch.add_column(sa.Column("updated_at", INSTANT, nullable=True))
        for column in ("acts_for", "held_with"):
            batch.create_foreign_key(op.f(f"fk_position_{column}"), "position", [column], ["code"])

    with op.batch_alter_table("seat") as batch:
        batch.add_column(sa.Column("subcommittee_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("body_id", sa.Uuid(), nullable=True))
        batch.add_column(
            sa.Column("opened_on", sa.Date(), nullable=False, server_default=BEGINNING)
        )
        batch.add_column(sa.Column("closed_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("announced_term_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("announced_acting", sa.String(length=80), nullable=True))
        batch.create_foreign_key(
            op.f("fk_seat_subcommittee_id"), "subcommittee", ["subcommittee_id"], ["id"]
        )
        batch.drop_constraint(op.f("uq_seat_community_id_position_code_number"), type_="unique")
    op.execute("UPDATE seat SET body_id = community_id")
    op.drop_index("uq_seat_association", table_name="seat")
    with op.batch_alter_table("seat") as batch:
        batch.create_unique_constraint(
            op.f("uq_seat_body_id_position_code_number"), ["body_id", "position_code", "number"]
        )
    _seats_of_the_association("body_id")
    op.create_index(op.f("ix_seat_community_id"), "seat", ["community_id"])

    with op.batch_alter_table("term") as batch:
        batch.add_column(sa.Column("subcommittee_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("body_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("handover_from", sa.Date(), nullable=True))
        batch.add_column(sa.Column("exception_reason", sa.Text(), nullable=True))
        batch.add_column(sa.Column("election_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_term_subcommittee_id"), "subcommittee", ["subcommittee_id"], ["id"]
        )
    op.execute("UPDATE term SET body_id = community_id")
    seat_rules.upgrade(2)

    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("declared_at", INSTANT, nullable=False),
        sa.Column("declared_by", sa.Uuid(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "ends_on IS NULL OR starts_on <= ends_on", name=op.f("ck_absence_days_in_order")
        ),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_absence_term_id")),
        sa.ForeignKeyConstraint(
            ["declared_by"], ["person.id"], name=op.f("fk_absence_declared_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(op.f("ix_absence_term_id"), "absence", ["term_id"])
    op.create_index(
        "uq_absence_open",
        "absence",
        ["term_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "announcement",
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("detail", sa.String(length=40), nullable=False),
        sa.Column("announced_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", "detail", name=op.f("pk_announcement")),
    )
    op.add_column("activity", sa.Column("acting", JSON, nullable=True))
    for table in ("discussion", "post"):
        op.execute(f"UPDATE {table} SET author = {_NOT_ACTING[op.get_bind().dialect.name]}")


def _seats_of_the_association(column: str) -> None:
    op.create_index(
        "uq_seat_association",
        "seat",
        ["position_code", "number"],
        unique=True,
        postgresql_where=sa.text(f"{column} IS NULL"),
        sqlite_where=sa.text(f"{column} IS NULL"),
    )


def downgrade() -> None:
    """What only this revision can hold goes: subcommittees, acting terms and annulled ones."""
    op.drop_column("activity", "acting")
    op.drop_table("announcement")
    op.drop_table("absence")
    seat_rules.downgrade()
    op.execute("DELETE FROM term WHERE subcommittee_id IS NOT NULL OR basis = 'acting'")
    op.execute("DELETE FROM term WHERE ending = 'annulled'")
    op.execute("DELETE FROM seat WHERE subcommittee_id IS NOT NULL")
    with op.batch_alter_table("term") as batch:
        batch.drop_constraint(op.f("fk_term_subcommittee_id"), type_="foreignkey")
        for column in (
            "subcommittee_id",
            "body_id",
            "handover_from",
            "exception_reason",
            "election_id",
        ):
            batch.drop_column(column)
    op.drop_index(op.f("ix_seat_community_id"), table_name="seat")
    op.drop_index("uq_seat_association", table_name="seat")
    with op.batch_alter_table("seat") as batch:
        batch.drop_constraint(op.f("uq_seat_body_id_position_code_number"), type_="unique")
        batch.drop_constraint(op.f("fk_seat_subcommittee_id"), type_="foreignkey")
        for column in (
            "subcommittee_id",
            "body_id",
            "opened_on",
            "closed_on",
            "announced_term_id",
            "announced_acting",
        ):
            batch.drop_column(column)
        batch.create_unique_constraint(
            op.f("uq_seat_community_id_position_code_number"),
            ["community_id", "position_code", "number"],
        )
    _seats_of_the_association("community_id")
    op.execute(
        'DELETE FROM "grant" WHERE grantee IN'
        " (SELECT code FROM position WHERE scope = 'subcommittee')"
    )
    op.execute("DELETE FROM position WHERE scope = 'subcommittee'")
    with op.batch_alter_table("position") as batch:
        for column in ("acts_for", "held_with"):
            batch.drop_constraint(op.f(f"fk_position_{column}"), type_="foreignkey")
            batch.drop_column(column)
        for column in (
            "consecutive_terms",
            "rest_months",
            "member_for_days",
            "eligible_categories",
            "stagger_group",
            "updated_at",
        ):
            batch.drop_column(column)
    op.drop_index(op.f("ix_subcommittee_community_id"), table_name="subcommittee")
    op.drop_table("subcommittee")
    _closed_sets(False)
    seat_rules.upgrade()
