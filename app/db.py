"""The database: one unit of work for what writes, and a reader for what only reads.

`commit()` stands here and nowhere else.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.util import await_only

from app import errors
from app.bulk import Bulk, Rows
from app.connections import AWAY, Connections
from app.inline import connector
from app.models.base import metadata
from app.reader import PostgresReader, Prepared, Reader, Row, SqliteReader
from app.statements import Select, processed
from app.strokes import SqliteWriter, Stroke, given_by
from app.turns import Turns

Entity = TypeVar("Entity")
Write = sa.Insert | sa.Update | sa.Delete

# PostgreSQL's classes of states in which it is out of reach, full, or just stopping or starting.
AWAY_STATES = ("08", "53", "57P")
SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an acknowledged write survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what was destroyed is not left in the file
)


_NEWEST_WRITE = Prepared(
    sa.select(
        sa.cast(sa.func.pg_snapshot_xmax(sa.func.pg_current_snapshot()), sa.Text).label("newest")
    )
)


class Work(AsyncSession):
    """One unit of work. It reads as a Reader does, but sees what it has itself written."""

    def __init__(self, database: "Database") -> None:
        super().__init__(database.engine, expire_on_commit=False)
        self._database = database
        self.struck = False

    async def undo(self) -> None:
        """Takes everything back. Where the database is gone it has done so by itself."""
        with suppress(DBAPIError):
            await self.rollback()

    async def stroke(self, stroke: Stroke, **parameters: Any) -> Row | None:
        """The row that the stroke updated, or None where there was none to update.

        Alone in its unit of work it goes straight to the driver and is kept when this returns, so
        nothing may be written after it. Where something was written before, it joins that.
        """
        if not self.in_transaction():
            self.struck = True
            return await self._database.struck(stroke, parameters)
        row = await self.first(stroke.update, **parameters)
        if row is not None:
            for insert in stroke.inserts:
                await self.execute(insert.statement, {**parameters, **given_by(row)})
        return row

    async def rows(self, statement: Prepared | Select, **parameters: Any) -> list[Row]:
        """All rows, by the names of their columns; those of a Prepared straight from the driver."""
        if isinstance(statement, Prepared):
            return await (await self._bulk()).rows(statement, parameters)
        return list((await self.execute(statement, parameters or None)).all())

    async def first(self, statement: Prepared | Select, **parameters: Any) -> Row | None:
        """The first row, or None."""
        found = await self.rows(statement, **parameters)
        return found[0] if found else None

    async def one(self, statement: Prepared | Select, **parameters: Any) -> Row:
        """The row, or the refusal that a thing of this id is not there."""
        found = await self.first(statement, **parameters)
        if found is None:
            raise errors.NotFound
        return found

    async def entity(self, statement: sa.Select[Entity]) -> Entity:
        """The one entity of a statement, or NotFound."""
        found = (await self.execute(statement)).scalars().first()
        if found is None:
            raise errors.NotFound
        return found

    async def written(self, statement: Write) -> int:
        """Writes; how many rows it was."""
        return cast(sa.CursorResult[Any], await self.execute(statement)).rowcount

    async def insert_many(self, model: type[Any], rows: Rows, *, ignoring: bool = False) -> int:
        """Inserts rows that name the same columns; how many were, where `ignoring` passes over
        those that are there already.

        On PostgreSQL it waits for an unfinished insert of the same row to be decided.
        """
        return await (await self._bulk()).insert(model, rows, ignoring=ignoring) if rows else 0

    async def update_many(self, model: type[Any], keys: Sequence[str], rows: Rows) -> int:
        """Updates the rows with these keys, each with the other values that it names."""
        return await (await self._bulk()).update(model, keys, rows) if rows else 0

    async def _bulk(self) -> Bulk:
        await self.flush()
        return await Bulk.of(await self.connection())

    async def locked(self, model: type[Entity], thing_id: Any) -> Entity:
        """The entity of this id, held for this unit of work alone, or NotFound.

        On SQLite the unit of work as a whole is alone, so the clause is not needed there.
        """
        found = await self.get(model, thing_id, with_for_update=True, populate_existing=True)
        if found is None:
            raise errors.NotFound
        return found


Source = Reader | Work


class Database:
    """One database: an engine for units of work and a reader.

    `driver` is how asyncpg opens connections beyond what is usual here; `inline` is for a process
    that may wait for each of SQLite's statements (app/inline.py).
    """

    def __init__(
        self, url: str, pool_size: int = 8, *, inline: bool = False, **driver: Any
    ) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        path = url.removeprefix("sqlite:///")
        self._turns = Turns(path)
        self.engine = (
            _sqlite_engine(url, self._turns, inline)
            if self.sqlite
            else _postgres_engine(url, pool_size, driver)
        )
        self.reader: Reader = (
            SqliteReader(path) if self.sqlite else PostgresReader(url, pool_size, **driver)
        )
        self._connections = Connections(url, pool_size, {"lock_timeout": "5000"})
        self._writer = SqliteWriter(path, SQLITE_PRAGMAS, self._stroke_turn)

    async def struck(self, stroke: Stroke, parameters: Mapping[str, Any]) -> Row | None:
        """A stroke as a transaction of its own; on SQLite when it is this writer's turn."""
        if self.sqlite:
            return await self._writer.run(stroke, parameters)
        whole = stroke.whole.compiled(self.reader.dialect)
        found = await self._connections.fetch(whole.sql, whole.bound(parameters))
        return whole.record._make(*processed(found, whole.results)) if found else None

    @asynccontextmanager
    async def _stroke_turn(self) -> AsyncIterator[None]:
        """Strokes take turns with this process's units of work, and with other processes."""
        async with self.engine.connect():  # the turn ends where it is given back
            await self._turns.take()
            yield

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """One unit of work: everything in it is kept together, or nothing is.

        It begins with its first statement; until then it holds no connection and no lock. On
        SQLite the engine has one connection, so writers wait for each other in this process,
        fairly, instead of polling for the file's lock.
        """
        session = Work(self)
        try:
            yield session
            if session.in_transaction():
                if session.struck:
                    raise RuntimeError("written after a stroke, which was kept already")
                await session.commit()
        except DBAPIError as error:
            await session.undo()
            if unavailable(error):
                raise errors.Unavailable from error
            raise
        except (*AWAY, sa.exc.TimeoutError) as error:  # from the driver itself, or none was had
            await session.undo()
            raise errors.Unavailable from error
        except BaseException:
            await session.undo()
            raise
        finally:
            if session.in_transaction():
                await session.close()

    def wanted(self) -> bool:
        """True if another process waits for a unit of work of this one to end; on PostgreSQL units
        of work run beside each other."""
        return self.sqlite and self._turns.wanted()

    async def newest_write(self) -> str | None:
        """On PostgreSQL, what is another after each transaction that wrote, whosesoever it was."""
        return None if self.sqlite else (await self.reader.one(_NEWEST_WRITE)).newest

    async def close(self) -> None:
        """Gives every connection back."""
        await self.reader.close()
        await self._connections.close()
        await self._writer.close()
        await self.engine.dispose()
        self._turns.close()


def unavailable(error: DBAPIError) -> bool:
    """True for a database that is away or busy, which a client may simply try again."""
    message = str(error.orig).lower()
    state = getattr(error.orig, "sqlstate", None) or ""
    return (
        error.connection_invalidated
        or gave_up_waiting(error)
        or state.startswith(AWAY_STATES)
        or "deadlock detected" in message
        or "connection" in message
    )


def gave_up_waiting(error: DBAPIError) -> bool:
    """True where somebody else held a lock for too long."""
    message = str(error.orig).lower()
    return "database is locked" in message or "lock timeout" in message


def _sqlite_engine(url: str, turns: Turns, inline: bool) -> AsyncEngine:
    path = url.removeprefix("sqlite:///")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url.replace("sqlite://", "sqlite+aiosqlite://", 1),
        pool_size=1,
        max_overflow=0,
        pool_timeout=15,
        **({"async_creator": connector(path)} if inline else {}),
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late
        cursor = connection.cursor()
        for pragma in SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A deferred transaction that reads before it writes loses updates or fails half way.
        await_only(turns.take())
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @sa.event.listens_for(engine.sync_engine, "checkin")
    def give(_connection: Any, _record: Any) -> None:
        turns.give()

    return engine


def _postgres_engine(url: str, pool_size: int, driver: dict[str, Any]) -> AsyncEngine:
    settings = {"timezone": "UTC", "lock_timeout": "5000"}
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=15,
        pool_pre_ping=False,
        json_deserializer=orjson.loads,
        connect_args={"server_settings": settings, **driver},
    )


# Constraints become refusals


def violated(error: IntegrityError) -> str | None:
    """The name of the constraint that a write ran into, the same on both databases."""
    message = str(error.orig)
    named = re.search(r'constraint "([^"]+)"', message)
    if named:
        return named.group(1)
    columns = re.search(r"UNIQUE constraint failed: (.+)", message)
    if columns:
        return _named_by_columns(columns.group(1).strip())
    raised = re.search(r"\b((?:ex|uq|ck|fk)_[a-z_]+)\b", message)
    return raised.group(1) if raised else None


def _named_by_columns(listed: str) -> str | None:
    """SQLite names the columns of a unique constraint; find the constraint that has them."""
    table_name = listed.split(".", 1)[0]
    columns = {part.strip().split(".", 1)[1] for part in listed.split(",")}
    table = metadata.tables.get(table_name)
    if table is None:
        return None
    candidates: list[Any] = [index for index in table.indexes if index.unique]
    candidates += [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    for candidate in candidates:
        if {column.name for column in candidate.columns} == columns:
            return str(candidate.name)
    return None


@asynccontextmanager
async def unique_or(work: Work, refusals: Mapping[str, errors.Problem]) -> AsyncIterator[None]:
    """Writes inside are flushed; a constraint named in `refusals` becomes that refusal.

    The transaction is over after such a refusal, as after any other.
    """
    try:
        yield
        await work.flush()
    except IntegrityError as error:
        refusal = refusals.get(violated(error) or "")
        if refusal is None:
            raise
        raise refusal from error


def insert_ignoring(
    work: Work, model: type[Any], values: dict[str, Any] | None = None
) -> sa.Insert:
    """An insert that writes no row where it exists already; without values, for many rows at once.

    On PostgreSQL it waits for an unfinished insert of the same row to be decided.
    """
    dialect = work.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    into = insert(sa.inspect(model).local_table if values is None else model)
    return (into if values is None else into.values(**values)).on_conflict_do_nothing()
