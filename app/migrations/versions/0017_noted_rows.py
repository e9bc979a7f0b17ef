"""How many rows of an import something is said of."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLE = "membership_import"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("noted", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        f"UPDATE {TABLE} SET noted = (SELECT count(*) FROM membership_import_row AS said"
        f" WHERE said.import_id = {TABLE}.id AND CAST(said.findings AS TEXT) <> '[]')"
    )


def downgrade() -> None:
    op.drop_column(TABLE, "noted")
