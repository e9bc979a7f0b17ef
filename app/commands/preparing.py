"""The database of a command: migrated, with the defaults loaded, whenever a command needs it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic.util import CommandError

from app import migrations, settings
from app.db import Database
from app.services import people, seeding

Result = TypeVar("Result")


def database() -> Database:
    """The database that the settings name."""
    current = settings.get()
    return Database(current.database, current.database_pool_size)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine gives."""
    return asyncio.run(work)


def prepare() -> str:
    """Migrates and loads missing defaults; every command that needs them does.

    Gives the position that the first account should hold.
    """
    current = settings.get()
    current.refuse_unsafe()
    migrate("head")
    try:
        return run(_seed())
    except seeding.DefaultsInvalid as error:
        raise SystemExit(f"The defaults cannot be loaded: {error}.") from error


def migrate(revision: str) -> None:
    """Brings the schema to a revision; says in a line why it cannot."""
    try:
        migrations.migrate(settings.get().database, revision)
    except sa.exc.OperationalError as error:
        said = str(error.orig).splitlines()[0]
        raise SystemExit(f"The database cannot be used: {said}") from error
    except CommandError as error:
        raise SystemExit(f"The schema cannot be brought to {revision}: {error}") from error


async def _seed() -> str:
    found = database()
    try:
        async with found.work() as work:
            await seeding.load(work, settings.get().defaults_dir)
            return await people.widest_position(work)
    finally:
        await found.close()
