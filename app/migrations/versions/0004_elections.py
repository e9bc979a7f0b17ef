"""Elections: contests, nominations, the roll of voters, the urns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)
revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _references(table: str, *columns: tuple[str, str]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))
        for column, target in columns
    ]


def upgrade() -> None:
    op.create_table(
        "election",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("nominations_from", sa.Date(), nullable=False),
        sa.Column("nominations_until", sa.Date(), nullable=False),
        sa.Column("acceptance_until", sa.Date(), nullable=False),
        sa.Column("voting_from", sa.Date(), nullable=False),
        sa.Column("voting_until", sa.Date(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("acclamation", sa.Boolean(), nullable=False),
        sa.Column(
            "tie_rule",
            _one_of("election_tie_rule", "lot", "longest_membership", "new_election"),
            nullable=False,
        ),
        sa.Column("lot_seed", sa.String(length=64), nullable=False),
        sa.Column("roll_size", sa.Integer(), nullable=True),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column("cancelled_by", sa.Uuid(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("certified_at", INSTANT, nullable=True),
        sa.Column("certified_by", sa.Uuid(), nullable=True),
        sa.Column("result", JSON, nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_references(
            "election",
            ("community_id", "community.id"),
            ("opened_by", "person.id"),
            ("cancelled_by", "person.id"),
            ("certified_by", "person.id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_election")),
    )
    op.create_index("ix_election_community", "election", ["community_id", "id"])
    op.create_table(
        "contest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("election_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("position_code", sa.String(length=60), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("seat_numbers", JSON, nullable=True),
        sa.Column(
            "method",
            _one_of("contest_method", "plurality", "approval", "single_transferable_vote"),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        *_references("contest", ("election_id", "election.id"), ("position_code", "position.code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contest")),
        sa.UniqueConstraint("election_id", "number", name=op.f("uq_contest_election_id_number")),
    )
    op.create_table(
        "nomination",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("election_id", sa.Uuid(), nullable=False),
        sa.Column("contest_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("nominated_by", sa.Uuid(), nullable=False),
        sa.Column("nominated_at", INSTANT, nullable=False),
        sa.Column("statement", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("accepted_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=True),
        sa.Column("struck", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_references(
            "nomination",
            ("community_id", "community.id"),
            ("election_id", "election.id"),
            ("contest_id", "contest.id"),
            ("person_id", "person.id"),
            ("nominated_by", "person.id"),
            ("withdrawn_by", "person.id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nomination")),
        sa.UniqueConstraint(
            "contest_id", "person_id", name=op.f("uq_nomination_contest_id_person_id")
        ),
    )
    op.create_index("ix_nomination_election", "nomination", ["election_id", "id"])
    op.create_index(op.f("ix_nomination_person_id"), "nomination", ["person_id"])
    stands = sa.text("accepted_at IS NOT NULL AND withdrawn_at IS NULL")
    op.create_index(
        "uq_nomination_stands",
        "nomination",
        ["election_id", "person_id"],
        unique=True,
        postgresql_where=stands,
        sqlite_where=stands,
    )
    op.create_table(
        "election_exception",
        sa.Column("election_id", sa.Uuid(), nullable=False),
        sa.Column("position_code", sa.String(length=60), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        *_references(
            "election_exception",
            ("election_id", "election.id"),
            ("position_code", "position.code"),
            ("person_id", "person.id"),
            ("recorded_by", "person.id"),
        ),
        sa.PrimaryKeyConstraint(
            "election_id", "position_code", "person_id", name=op.f("pk_election_exception")
        ),
    )
    op.create_table(
        "voter",
        sa.Column("election_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("voted", sa.Boolean(), nullable=False),
        *_references("voter", ("election_id", "election.id"), ("person_id", "person.id")),
        sa.PrimaryKeyConstraint("election_id", "person_id", name=op.f("pk_voter")),
    )
    op.create_table(
        "urn",
        sa.Column("contest_id", sa.Uuid(), nullable=False),
        sa.Column("ballots", JSON, nullable=False),
        *_references("urn", ("contest_id", "contest.id")),
        sa.PrimaryKeyConstraint("contest_id", name=op.f("pk_urn")),
    )
    op.create_table(
        "recount",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("election_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("agrees", sa.Boolean(), nullable=False),
        sa.Column("outcome", JSON, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        *_references("recount", ("election_id", "election.id"), ("recorded_by", "person.id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recount")),
    )
    op.create_index(op.f("ix_recount_election_id"), "recount", ["election_id"])


def downgrade() -> None:
    for table in (
        "recount",
        "urn",
        "voter",
        "election_exception",
        "nomination",
        "contest",
        "election",
    ):
        op.drop_table(table)
