"""Alembic's entry: the connection is handed in by app.migrations, which holds the lock."""

import sqlalchemy as sa
from alembic import context

from app.migrations import ReferenceBroken, ours
from app.models import metadata


def run(connection: sa.Connection) -> None:
    """Runs the migrations in one transaction, on SQLite too."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        include_object=ours,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
        # Tables are rebuilt with foreign keys off, which would delete their children otherwise.
        if connection.dialect.name == "sqlite":
            broken = connection.execute(sa.text("PRAGMA foreign_key_check")).first()
            if broken is not None:
                raise ReferenceBroken(f"A reference would be broken: {tuple(broken)}")


run(context.config.attributes["connection"])
