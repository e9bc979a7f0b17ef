"""The database: one unit of work for writes, one port on the driver for reads, keyset pages.

`commit()` stands here and nowhere else. Reads run straight on the driver (asyncpg; sqlite3 on the
loop): the statement is written once in SQLAlchemy, compiled once where it is `prepared`, and its
rows pass through the types' own result processors, so that both databases answer alike.
"""

import re
import sqlite3
from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app import cursors, errors
from app.models.base import metadata

Row = Any
Entity = TypeVar("Entity")
Processor = Callable[[Any], Any] | None

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an acknowledged write survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
)


class Compiled(NamedTuple):
    """A statement as the driver takes it."""

    sql: str
    order: tuple[str, ...]
    defaults: dict[str, Any]
    binds: dict[str, Processor]
    results: tuple[tuple[int, Callable[[Any], Any]], ...]
    record: type[Any]


class Prepared:
    """A statement with named parameters that is compiled once for each database."""

    def __init__(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
        self.statement = statement
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: sa.Dialect) -> Compiled:
        """The compiled form for this dialect, made at the first call."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = compile_statement(self.statement, dialect)
        return found


def compile_statement(statement: Any, dialect: sa.Dialect, *, whole: bool = False) -> Compiled:
    """Compiles with the types' own bind and result processors, as a Result would use them.

    `whole` says that all values are known, so that lists of them (IN) can be written out.
    """
    compiled = statement.compile(dialect=dialect)
    sql, order = compiled.string, tuple(compiled.positiontup or ())
    defaults = compiled.construct_params(_check=False)
    binds = {
        name: parameter.type.dialect_impl(dialect).bind_processor(dialect)
        for name, parameter in compiled.binds.items()
    }
    if whole:
        state = compiled.construct_expanded_state()
        sql, order = state.statement, tuple(state.positiontup or ())
        defaults = dict(state.parameters)
        for name, names in state.parameter_expansion.items():
            binds.update(dict.fromkeys(names, binds.get(name)))
    columns = list(statement.selected_columns)
    results = []
    for index, column in enumerate(columns):
        processor = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if processor is not None:
            results.append((index, processor))
    record = namedtuple("Record", [column.key for column in columns])  # type: ignore[misc]
    return Compiled(sql, order, defaults, binds, tuple(results), record)


class Reader:
    """Runs reads on the driver itself, each in its own snapshot, never writing."""

    dialect: sa.Dialect

    def __init__(self) -> None:
        # What a version in the database guards, such as the permission table.
        self.remembered: dict[str, Any] = {}

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The driver's rows."""
        raise errors.Unavailable

    async def close(self) -> None:
        """Gives the connections back."""

    async def rows(self, statement: Prepared | sa.Select[Any], **parameters: Any) -> list[Row]:
        """All rows, as named tuples."""
        compiled = (
            statement.compiled(self.dialect)
            if isinstance(statement, Prepared)
            else compile_statement(statement.params(parameters), self.dialect, whole=True)
        )
        values = []
        for name in compiled.order:
            value = parameters[name] if name in parameters else compiled.defaults[name]
            processor = compiled.binds.get(name)
            values.append(value if processor is None else processor(value))
        found = await self.fetch(compiled.sql, values)
        if not compiled.results:
            return [compiled.record._make(row) for row in found]
        made = []
        for row in found:
            cells = list(row)
            for index, processor in compiled.results:
                cells[index] = processor(cells[index])
            made.append(compiled.record._make(cells))
        return made

    async def first(self, statement: Prepared | sa.Select[Any], **parameters: Any) -> Row | None:
        """The first row, or None."""
        found = await self.rows(statement, **parameters)
        return found[0] if found else None

    async def one(self, statement: Prepared | sa.Select[Any], **parameters: Any) -> Row:
        """The row, or the refusal that a thing of this id is not there."""
        found = await self.first(statement, **parameters)
        if found is None:
            raise errors.NotFound
        return found

    async def scalar(self, statement: Prepared | sa.Select[Any], **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        found = await self.first(statement, **parameters)
        return None if found is None else found[0]


class PostgresReader(Reader):
    """asyncpg's own pool. Connections carry no state, so none is reset between requests."""

    def __init__(self, url: str, size: int) -> None:
        super().__init__()
        self.dialect = asyncpg_dialect.dialect()
        self._url = url
        self._size = size
        self._pool: asyncpg.Pool | None = None

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """One read-only statement. The database being away is a 503, and mends by itself."""
        try:
            if self._pool is None:
                self._pool = await self._open()
            async with self._pool.acquire(timeout=5) as connection:
                return await connection.fetch(sql, *values)
        except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
            raise errors.Unavailable from error
        except asyncpg.PostgresConnectionError as error:
            raise errors.Unavailable from error
        except (asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError) as error:
            raise errors.Unavailable from error

    async def _open(self) -> asyncpg.Pool:
        async def prepare(connection: asyncpg.Connection) -> None:
            for kind in ("json", "jsonb"):
                await connection.set_type_codec(
                    kind, schema="pg_catalog", encoder=str, decoder=orjson.loads
                )

        async def no_reset(_connection: Any) -> None:
            """A reset costs a round trip; autocommitted reads leave nothing behind."""

        return await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=self._size,
            init=prepare,
            reset=no_reset,
            server_settings={"default_transaction_read_only": "on", "timezone": "UTC"},
        )

    async def close(self) -> None:
        """Closes the pool."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None


class SqliteReader(Reader):
    """sqlite3 on the loop: a read takes microseconds, a thread's switch takes more."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.dialect = pysqlite.dialect()
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """One statement in its own snapshot of the file."""
        try:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            raise errors.Unavailable from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(self._path)}?mode=ro", uri=True, isolation_level=None
        )
        connection.execute("PRAGMA busy_timeout=5000")
        connection.execute("PRAGMA query_only=ON")
        return connection

    async def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Work(AsyncSession):
    """One unit of work. It reads as a Reader does, but sees what it has itself written."""

    async def rows(self, statement: Prepared | sa.Select[Any], **parameters: Any) -> list[Row]:
        """All rows, by the names of their columns."""
        plain = statement.statement if isinstance(statement, Prepared) else statement
        return list((await self.execute(plain, parameters or None)).all())

    async def first(self, statement: Prepared | sa.Select[Any], **parameters: Any) -> Row | None:
        """The first row, or None."""
        found = await self.rows(statement, **parameters)
        return found[0] if found else None

    async def one(self, statement: Prepared | sa.Select[Any], **parameters: Any) -> Row:
        """The row, or the refusal that a thing of this id is not there."""
        found = await self.first(statement, **parameters)
        if found is None:
            raise errors.NotFound
        return found

    async def entity(self, statement: sa.Select[tuple[Entity]]) -> Entity:
        """The one entity of a statement, or NotFound."""
        found = (await self.execute(statement)).scalars().first()
        if found is None:
            raise errors.NotFound
        return found

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
    """One database: an engine for units of work and a reader."""

    def __init__(self, url: str, pool_size: int = 8) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self.engine = _sqlite_engine(url) if self.sqlite else _postgres_engine(url, pool_size)
        self.reader: Reader = (
            SqliteReader(url.removeprefix("sqlite:///"))
            if self.sqlite
            else PostgresReader(url, pool_size)
        )

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """One unit of work: everything in it is kept together, or nothing is.

        It begins with its first statement; until then it holds no connection and no lock. On
        SQLite the engine has one connection, so writers wait for each other in this process,
        fairly, instead of polling for the file's lock.
        """
        session = Work(self.engine, expire_on_commit=False)
        try:
            yield session
            await session.commit()
        except DBAPIError as error:
            await session.rollback()
            if unavailable(error):
                raise errors.Unavailable from error
            raise
        except (OSError, sa.exc.TimeoutError) as error:
            await session.rollback()
            raise errors.Unavailable from error
        except BaseException:
            await session.rollback()
            raise
        finally:
            await session.close()

    async def close(self) -> None:
        """Gives every connection back."""
        await self.reader.close()
        await self.engine.dispose()


def unavailable(error: DBAPIError) -> bool:
    """True for a database that is away or busy, which a client may simply try again."""
    message = str(error.orig).lower()
    return (
        error.connection_invalidated
        or "database is locked" in message
        or "connection" in message
        or "shutting down" in message
        or "starting up" in message
    )


def _sqlite_engine(url: str) -> AsyncEngine:
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url.replace("sqlite://", "sqlite+aiosqlite://", 1),
        pool_size=1,
        max_overflow=0,
        pool_timeout=15,
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
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgres_engine(url: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=15,
        pool_pre_ping=False,
        connect_args={"server_settings": {"timezone": "UTC", "lock_timeout": "5000"}},
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


# Pages


class Page(NamedTuple):
    """What a list was asked for."""

    limit: int
    cursor: str | None
    fingerprint: str
    total: bool


class Listing:
    """A query and the order of its pages, compiled once for the first page and for the next ones.

    All columns of the order run in one direction, so that one comparison of rows continues the
    list where it stopped, on an index, at the same cost for any page.
    """

    def __init__(self, query: sa.Select[Any], *order: Any, descending: bool = False) -> None:
        self.query = query
        self.keys = [column.key for column in order]
        self._types = [column.type.python_type for column in order]
        ordered = query.order_by(*(c.desc() if descending else c.asc() for c in order))
        self.first = Prepared(ordered.limit(sa.bindparam("page_limit", type_=sa.Integer)))
        marks = [
            sa.bindparam(f"after_{index}", type_=column.type) for index, column in enumerate(order)
        ]
        left: Any = order[0] if len(order) == 1 else sa.tuple_(*order)
        right: Any = marks[0] if len(order) == 1 else sa.tuple_(*marks)
        beyond = left < right if descending else left > right
        self.next = Prepared(
            ordered.where(beyond).limit(sa.bindparam("page_limit", type_=sa.Integer))
        )
        self.count = Prepared(
            sa.select(sa.func.count().label("total")).select_from(query.subquery())
        )

    def after(self, page: Page) -> dict[str, Any]:
        """The parameters that continue from the page's cursor; refuses a forged one."""
        if page.cursor is None:
            return {}
        values = cursors.opened(page.cursor, page.fingerprint)
        if len(values) != len(self._types):
            raise errors.CursorInvalid
        try:
            return {
                f"after_{index}": _read_back(value, kind)
                for index, (value, kind) in enumerate(zip(values, self._types, strict=True))
            }
        except (TypeError, ValueError) as error:
            raise errors.CursorInvalid from error

    def cursor(self, row: Row, page: Page) -> str:
        """The cursor that continues after this row."""
        return cursors.sealed([getattr(row, key) for key in self.keys], page.fingerprint)


def _read_back(value: Any, kind: type) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is UUID:
        return UUID(value)
    if kind is date:
        return date.fromisoformat(value)
    if not isinstance(value, kind):
        raise TypeError(kind)
    return value


class Listed(NamedTuple):
    """One page of a list: its rows, the cursor of the next page, the total where asked for."""

    rows: list[Row]
    next_cursor: str | None
    total: int | None


async def page(reader: Reader, listing: Listing, asked: Page, **parameters: Any) -> Listed:
    """One page. One more row than asked for is read, to know whether there is a next page."""
    after = listing.after(asked)
    statement = listing.next if after else listing.first
    rows = await reader.rows(statement, **parameters, **after, page_limit=asked.limit + 1)
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    total = await reader.scalar(listing.count, **parameters) if asked.total else None
    return Listed(rows, listing.cursor(rows[-1], asked) if more else None, total)


def encoded(value: Any) -> bytes:
    """Rows as JSON bytes: instants with Z, ids as text."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z, default=str)


def insert_ignoring(work: Work, model: type[Any], values: dict[str, Any]) -> Any:
    """An insert that does nothing, and says so by its rowcount, where the row exists already.

    On PostgreSQL it waits for an unfinished insert of the same row to be decided.
    """
    dialect = work.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    return insert(model).values(**values).on_conflict_do_nothing()
