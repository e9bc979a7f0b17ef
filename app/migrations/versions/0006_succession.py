"""Succession plans: candidates with their consent, handover notes, checklists."""

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)
revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))
        for column, target in columns.items()
    ]


def upgrade() -> None:
    op.create_table(
        "succession_plan",
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("overlap_days", sa.Integer(), nullable=True),
        sa.Column("handover_notes", sa.Text(), nullable=True),
        sa.Column("handover_notes_html", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_references(
            "succession_plan",
            seat_id="seat.id",
            community_id="community.id",
            updated_by="person.id",
        ),
        sa.PrimaryKeyConstraint("seat_id", name=op.f("pk_succession_plan")),
    )
    op.create_index(op.f("ix_succession_plan_community_id"), "succession_plan", ["community_id"])
    op.create_table(
        "succession_candidate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column(
            "readiness",
            sa.Enum(
                "ready_now",
                "within_a_year",
                "later",
                name="succession_readiness",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("consented_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *_references(
            "succession_candidate",
            community_id="community.id",
            seat_id="seat.id",
            membership_id="membership.id",
            person_id="person.id",
            proposed_by="person.id",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_succession_candidate")),
        sa.UniqueConstraint(
            "seat_id", "membership_id", name=op.f("uq_succession_candidate_seat_id_membership_id")
        ),
    )
    for column in ("community_id", "person_id"):
        op.create_index(op.f(f"ix_succession_candidate_{column}"), "succession_candidate", [column])
    op.create_table(
        "handover_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *_references(
            "handover_item",
            community_id="community.id",
            seat_id="seat.id",
            done_by="person.id",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_item")),
    )
    for column in ("community_id", "seat_id"):
        op.create_index(op.f(f"ix_handover_item_{column}"), "handover_item", [column])


def downgrade() -> None:
    for table in ("handover_item", "succession_candidate", "succession_plan"):
        op.drop_table(table)
