"""Reads, straight on the driver: asyncpg, or sqlite3 on the loop.

A statement is written once in SQLAlchemy, compiled once where it is `Prepared`, and its rows pass
through the types' own result processors, so that both databases answer alike.
"""

import asyncio
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.dialects.sqlite import pysqlite

from app import errors
from app.models.base import Instant

Row = Any
Process = Callable[[Any], Any]
Processor = Process | None

WAIT_SECONDS = 5


class Compiled(NamedTuple):
    """A statement as the driver takes it."""

    sql: str
    order: tuple[str, ...]
    defaults: dict[str, Any]
    binds: dict[str, Processor]
    results: tuple[tuple[int, Process], ...]
    wire: tuple[tuple[int, Process], ...]
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
    record = namedtuple("Record", [column.key for column in columns])  # type: ignore[misc]
    return Compiled(
        sql,
        order,
        defaults,
        binds,
        _needed(_value_of(column.type, dialect) for column in columns),
        _needed(_wire_of(column.type, dialect) for column in columns),
        record,
    )


def _needed(processors: Iterable[Processor]) -> tuple[tuple[int, Process], ...]:
    return tuple((index, made) for index, made in enumerate(processors) if made is not None)


def _value_of(kind: Any, dialect: sa.Dialect) -> Processor:
    """What makes a driver's cell the value that the type stands for."""
    implementation = kind.dialect_impl(dialect)
    if isinstance(implementation, sa.JSON):
        return _loaded
    return implementation.result_processor(dialect, None)


def _loaded(cell: str | None) -> Any:
    return None if cell is None else orjson.loads(cell)


def _wire_of(kind: Any, dialect: sa.Dialect) -> Processor:
    """What makes a driver's cell ready to be encoded: the same text, by a shorter way."""
    if isinstance(kind.dialect_impl(dialect), sa.JSON):
        return _fragment
    if dialect.name == "postgresql":
        return None
    if isinstance(kind, Instant):
        return _instant
    if isinstance(kind, sa.Uuid):
        return _id
    return None if isinstance(kind, sa.Enum) else _value_of(kind, dialect)


def _fragment(cell: str | None) -> Any:
    return None if cell is None else orjson.Fragment(cell)


def _instant(cell: str | None) -> str | None:
    """From SQLite's text; a fraction of zero is left out, as everywhere."""
    if cell is None:
        return None
    return f"{cell[:10]}T{cell[11:].removesuffix('.000000')}Z"


def _id(cell: str | None) -> str | None:
    if cell is None:
        return None
    return f"{cell[:8]}-{cell[8:12]}-{cell[12:16]}-{cell[16:20]}-{cell[20:]}"


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
        compiled, found = await self._found(statement, parameters)
        return [compiled.record._make(row) for row in _processed(found, compiled.results)]

    async def wire(self, statement: Prepared, **parameters: Any) -> list[Sequence[Any]]:
        """All rows, in the order of the columns, each cell as `encoded` takes it: ids and instants
        may be text, and JSON stays as it is stored."""
        compiled, found = await self._found(statement, parameters)
        return list(_processed(found, compiled.wire))

    async def _found(
        self, statement: Prepared | sa.Select[Any], parameters: dict[str, Any]
    ) -> tuple[Compiled, Sequence[Sequence[Any]]]:
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
        return compiled, await self.fetch(compiled.sql, values)

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


def _processed(
    found: Iterable[Sequence[Any]], processors: tuple[tuple[int, Process], ...]
) -> Iterable[Sequence[Any]]:
    if not processors:
        return found
    made = []
    for row in found:
        cells = list(row)
        for index, processor in processors:
            cells[index] = processor(cells[index])
        made.append(cells)
    return made


AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
)


class PostgresReader(Reader):
    """A few connections of asyncpg's, each lent for one statement.

    They carry no state, so nothing has to be reset; asyncpg's own pool costs three times as much.
    """

    def __init__(self, url: str, size: int) -> None:
        super().__init__()
        self.dialect = asyncpg_dialect.dialect()
        self._url = url
        self._turns = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """One read-only statement. The database being away is a 503, and mends by itself."""
        try:
            if self._turns.locked():
                async with asyncio.timeout(WAIT_SECONDS):
                    await self._turns.acquire()
            else:
                await self._turns.acquire()
            try:
                return await self._lent(sql, values)
            finally:
                self._turns.release()
        except AWAY as error:
            raise errors.Unavailable from error

    async def _lent(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        connection = None
        while self._idle and (connection is None or connection.is_closed()):
            connection = self._idle.pop()
        if connection is None or connection.is_closed():
            connection = await self._open()
        try:
            found = await connection.fetch(sql, *values)
        except asyncpg.PostgresError:
            self._idle.append(connection)  # the statement failed, not the connection
            raise
        except BaseException:
            connection.terminate()  # given up half way: nobody else may get its answer
            raise
        self._idle.append(connection)
        return found

    async def _open(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._url,
            timeout=WAIT_SECONDS,
            server_settings={"default_transaction_read_only": "on", "timezone": "UTC"},
        )

    async def close(self) -> None:
        """Closes what is not lent."""
        while self._idle:
            await self._idle.pop().close()


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
