"""Migrating the database: one migrator at a time, forward and back, on both databases."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.models import metadata

FOLDER = Path(__file__).parent
LOCK = 7_304_215  # an advisory lock of PostgreSQL's, any number that is ours


class SchemaUnknown(SystemExit):
    """The database is at a version that this program does not know."""


class ReferenceBroken(SystemExit):
    """A migration would have left a row that refers to nothing; nothing was changed."""


def ours(_object: Any, name: str | None, kind: str, _reflected: bool, compared: Any) -> bool:
    """Leaves the job engine's tables alone; they are not ours to migrate."""
    return not (kind == "table" and compared is None and name not in metadata.tables)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    engine = sa.create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: Any, _record: Any) -> None:
        # By itself the driver begins none before DDL: a crash would leave half a schema.
        connection.isolation_level = None
        # From the first moment on: later it would have to wait until nobody else is there.
        connection.execute("PRAGMA journal_mode=WAL")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _private_file(url: str) -> Path:
    """The file of a SQLite database, for its owner alone from its first moment on."""
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return path


@contextmanager
def _alone(url: str) -> Iterator[sa.Connection]:
    """A connection, while no other process migrates this database."""
    engine = _engine(url)
    try:
        if url.startswith("sqlite"):
            path = _private_file(url)
            with path.with_suffix(path.suffix + ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                with engine.connect() as connection:
                    yield connection
        else:
            with engine.connect() as connection:
                connection.execute(sa.text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
                connection.rollback()  # the lock is the session's and stays
                yield connection
    finally:
        engine.dispose()


def migrate(url: str, revision: str = "head") -> None:
    """Brings the schema to a revision, the newest unless another is named; all of it or nothing.

    Raises SchemaUnknown, ReferenceBroken.
    """
    config = _config()
    with _alone(url) as connection:
        config.attributes["connection"] = connection
        present = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if present is not None and present not in known:
            raise SchemaUnknown(f"The database is at {present}, which this version does not know.")
        connection.rollback()
        if revision == "base" or revision.startswith("-"):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)
