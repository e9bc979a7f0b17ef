"""What else people write for an entry of a closed list, by which imports recognise it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("occupation", "territory")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(
            table, sa.Column("also_called", JSON, nullable=False, server_default=sa.text("'[]'"))
        )


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "also_called")
