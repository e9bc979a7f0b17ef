"""Migrating the database: one migrator at a time, forward and back, on both databases."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

FOLDER = Path(__file__).parent
LOCK = 7_304_215  # an advisory lock of PostgreSQL's, any number that is ours


class SchemaUnknown(SystemExit):
    """The database is at a version that this program does not know."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def _engine(url: str) -> sa.Engine:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        return sa.create_engine(url)
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))


@contextmanager
def _alone(url: str) -> Iterator[sa.Connection]:
    """A connection, while no other process migrates this database."""
    engine = _engine(url)
    try:
        if url.startswith("sqlite"):
            path = Path(url.removeprefix("sqlite:///"))
            with path.with_suffix(path.suffix + ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                with engine.connect() as connection:
                    yield connection
                path.chmod(0o600)
        else:
            with engine.connect() as connection:
                connection.execute(sa.text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
                connection.commit()
                yield connection
                connection.commit()
    finally:
        engine.dispose()


def migrate(url: str, revision: str = "head") -> None:
    """Brings the schema to a revision, the newest unless another is named."""
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
        if connection.dialect.name == "sqlite":
            broken = connection.execute(sa.text("PRAGMA foreign_key_check")).first()
            if broken is not None:
                raise SchemaUnknown(f"A reference is broken after the migration: {tuple(broken)}")


def at_head(url: str) -> bool:
    """True if the schema is the one that this program needs."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            present = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    return present == ScriptDirectory.from_config(_config()).get_current_head()
