"""The title of a discussion is hidden with its opening post."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "discussion",
        sa.Column("title_hidden", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.execute(
        "UPDATE discussion SET title_hidden = TRUE WHERE id IN"
        " (SELECT discussion_id FROM post WHERE number = 1 AND status = 'hidden')"
    )


def downgrade() -> None:
    op.drop_column("discussion", "title_hidden")
