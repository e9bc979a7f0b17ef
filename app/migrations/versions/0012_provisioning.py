"""What partners' directories provision: users, groups, and who was put where."""

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)
revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

USER, GROUP, MEMBER = "provisioned_user", "provisioned_group", "provisioned_member"
_BEGAN = sa.text("began")


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        USER,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("user_name", sa.String(length=254), nullable=False),
        sa.Column("user_name_key", sa.String(length=254), nullable=False),
        sa.Column("external_id", sa.String(length=256), nullable=True),
        sa.Column("display_name", sa.String(length=200), nullable=True),
        sa.Column("formatted_name", sa.String(length=200), nullable=True),
        sa.Column("given_name", sa.String(length=200), nullable=True),
        sa.Column("family_name", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _key(USER, "partner_id", "partner.id"),
        _key(USER, "person_id", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{USER}")),
        sa.UniqueConstraint(
            "partner_id", "user_name_key", name=op.f(f"uq_{USER}_partner_id_user_name_key")
        ),
        sa.UniqueConstraint(
            "partner_id", "external_id", name=op.f(f"uq_{USER}_partner_id_external_id")
        ),
    )
    op.create_index(op.f(f"ix_{USER}_person_id"), USER, ["person_id"])
    op.create_table(
        GROUP,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(length=256), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        _key(GROUP, "partner_id", "partner.id"),
        _key(GROUP, "community_id", "community.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{GROUP}")),
        sa.UniqueConstraint(
            "partner_id", "community_id", name=op.f(f"uq_{GROUP}_partner_id_community_id")
        ),
        sa.UniqueConstraint(
            "partner_id", "external_id", name=op.f(f"uq_{GROUP}_partner_id_external_id")
        ),
    )
    op.create_table(
        MEMBER,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=True),
        sa.Column("began", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "NOT began OR membership_id IS NOT NULL", name=op.f(f"ck_{MEMBER}_began_what")
        ),
        _key(MEMBER, "user_id", f"{USER}.id"),
        _key(MEMBER, "community_id", "community.id"),
        _key(MEMBER, "membership_id", "membership.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{MEMBER}")),
        sa.UniqueConstraint(
            "user_id", "community_id", name=op.f(f"uq_{MEMBER}_user_id_community_id")
        ),
    )
    op.create_index(op.f(f"ix_{MEMBER}_community_id"), MEMBER, ["community_id"])
    op.create_index(
        f"uq_{MEMBER}_began",
        MEMBER,
        ["membership_id"],
        unique=True,
        postgresql_where=_BEGAN,
        sqlite_where=_BEGAN,
    )


def downgrade() -> None:
    for table in (MEMBER, GROUP, USER):
        op.drop_table(table)
