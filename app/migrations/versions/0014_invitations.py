"""How one comes to belong: join policies, a community's own questions, invitations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)
revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

POLICIES = ("request", "invitation_only", "closed")
CATEGORIES = ("practitioner", "academic", "lived_experience", "observer", "staff")
ENDINGS = ("accepted", "declined", "revoked", "lapsed")
_NOT_ENDED = sa.text("ended_at IS NULL")


def _key(
    table: str, column: str, target: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [target], op.f(f"fk_{table}_{column}"), ondelete=ondelete
    )


def _one_of(members: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*members, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    with op.batch_alter_table("community") as batch:
        batch.add_column(
            sa.Column("join_policy", sa.String(40), nullable=False, server_default="request")
        )
        listed = ", ".join(f"'{policy}'" for policy in POLICIES)
        batch.create_check_constraint(
            op.f("ck_community_community_join_policy"), sa.text(f"join_policy IN ({listed})")
        )
    op.add_column("join_request", sa.Column("answers", JSON, nullable=False, server_default="[]"))
    op.create_table(
        "join_form",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("questions", JSON, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _key("join_form", "community_id", "community.id"),
        sa.PrimaryKeyConstraint("community_id", name=op.f("pk_join_form")),
    )
    _invitations()
    op.create_table(
        "invitation_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("send_after", INSTANT, nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        _key("invitation_mail", "invitation_id", "invitation.id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_mail")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_mail_token_hash")),
    )
    op.create_index(op.f("ix_invitation_mail_invitation_id"), "invitation_mail", ["invitation_id"])


def _invitations() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("category", _one_of(CATEGORIES, "invitation_category"), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("invited_at", INSTANT, nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ending", _one_of(ENDINGS, "invitation_ending"), nullable=True),
        sa.Column("membership_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ending IS NULL)", name=op.f("ck_invitation_ended_somehow")
        ),
        _key("invitation", "community_id", "community.id"),
        _key("invitation", "invited_by", "person.id"),
        _key("invitation", "membership_id", "membership.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_email_key"), "invitation", ["email_key"])
    op.create_index("ix_invitation_list", "invitation", ["community_id", "id"])
    op.create_index(
        "uq_invitation_open",
        "invitation",
        ["community_id", "email_key"],
        unique=True,
        postgresql_where=_NOT_ENDED,
        sqlite_where=_NOT_ENDED,
    )


def downgrade() -> None:
    for table in ("invitation_mail", "invitation", "join_form"):
        op.drop_table(table)
    op.drop_column("join_request", "answers")
    with op.batch_alter_table("community") as batch:
        batch.drop_constraint(op.f("ck_community_community_join_policy"), type_="check")
        batch.drop_column("join_policy")
