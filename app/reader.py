"""Reads, straight on the driver: asyncpg, or sqlite3 on the loop.

A statement is written once in SQLAlchemy, compiled once where it is `Prepared`, and its rows pass
through the types' own result processors, so that both databases answer alike.
"""

import asyncio
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.dialects.sqlite import pysqlite

from app import errors

Row = Any
Processor = Callable[[Any], Any] | None


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


# Connections that broke or were not had in time, a server that stops, starts or is full.
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)


class PostgresReader(Reader):
    """asyncpg's own pool. Connections carry no state, so none is reset between requests."""

    def __init__(self, url: str, size: int) -> None:
        super().__init__()
        self.dialect = asyncpg_dialect.dialect()
        self._url = url
        self._size = size
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """One read-only statement. The database being away is a 503, and mends by itself."""
        try:
            pool = self._pool or await self._open_once()
            async with pool.acquire(timeout=5) as connection:
                return await connection.fetch(sql, *values)
        except _AWAY as error:
            raise errors.Unavailable from error

    async def _open_once(self) -> asyncpg.Pool:
        """The pool; of the first requests that come at once, one opens it for all."""
        async with self._opening:
            if self._pool is None:
                self._pool = await self._open()
            return self._pool

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


def encoded(value: Any) -> bytes:
    """Rows as JSON bytes: instants with Z, ids as text."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z, default=str)
