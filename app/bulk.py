"""Many rows at once, straight on the driver, inside the caller's own transaction.

SQLAlchemy looks at each value of each row by itself, which costs more than the database does.
Here a column is made ready as a whole: PostgreSQL takes a list for each column, SQLite the rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.statements import Prepared, loaded, processed

Rows = Sequence[Mapping[str, Any]]
Process = Callable[[Any], Any]


class _Column(NamedTuple):
    """A column as the driver takes it: its name quoted, its type in a list, what makes values
    ready, and what stands where a row names no value."""

    name: str
    kind: str
    ready: Process | None
    default: Any


class _Table(NamedTuple):
    """A table as the driver takes it."""

    name: str
    columns: dict[str, _Column]


# By the model and the dialect's name: every dialect of a name takes the same.
_TABLES: dict[tuple[type[Any], str], _Table] = {}


def _known(model: type[Any], dialect: sa.Dialect) -> _Table:
    found = _TABLES.get((model, dialect.name))
    if found is None:
        table: Any = sa.inspect(model).local_table
        columns = {column.name: _column(column, dialect) for column in table.columns}
        found = _Table(dialect.identifier_preparer.quote(table.name), columns)
        _TABLES[model, dialect.name] = found
    return found


def _column(column: Any, dialect: sa.Dialect) -> _Column:
    return _Column(
        dialect.identifier_preparer.quote(column.name),
        _kind(column.type, dialect),
        _ready(column.type, dialect),
        column.default,
    )


def _kind(kind: Any, dialect: sa.Dialect) -> str:
    """Lists of text have no length: a cast would cut what is too long, and not refuse it."""
    written = kind.compile(dialect)
    return "TEXT" if written.startswith("VARCHAR") else written


def _ready(kind: Any, dialect: sa.Dialect) -> Process | None:
    implementation = kind.dialect_impl(dialect)
    if isinstance(implementation, sa.JSON):
        return _json
    return implementation.bind_processor(dialect)


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value, default=_text).decode()


def _text(value: Any) -> str:
    """An id as PostgreSQL's driver has it is a kind of its own."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError


def _values(column: _Column, name: str, rows: Rows) -> list[Any]:
    """A column's values, made ready; what is the same in every row is made ready once."""
    if name in rows[0]:
        values = [row[name] for row in rows]
    elif column.default is None:
        values = [None] * len(rows)
    elif column.default.is_callable:
        values = [column.default.arg(None) for _ in rows]
    else:
        values = [column.default.arg] * len(rows)
    if column.ready is None:
        return values
    first, ready = values[0], column.ready
    if all(value is first for value in values):
        return [ready(first)] * len(rows)
    return [ready(value) for value in values]


class Bulk:
    """The driver's connection of a transaction that has begun."""

    def __init__(self, connection: AsyncConnection, driver: Any) -> None:
        self._dialect = connection.dialect
        self._driver = driver
        self._postgres = connection.dialect.name == "postgresql"

    @classmethod
    async def of(cls, connection: AsyncConnection) -> "Bulk":
        """Of a connection; a transaction is begun on the driver too, which SQLAlchemy puts off."""
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if connection.dialect.name == "postgresql" and not driver.is_in_transaction():
            await connection.execute(sa.select(sa.literal(1)))
        return cls(connection, driver)

    async def insert(self, model: type[Any], rows: Rows, *, ignoring: bool) -> int:
        """Puts rows in; how many were, where those that are there already are passed over."""
        table = _known(model, self._dialect)
        named = {
            name: column
            for name, column in table.columns.items()
            if name in rows[0] or column.default is not None
        }
        values = [_values(column, name, rows) for name, column in named.items()]
        if self._postgres and not ignoring:
            return await self._copy(model, list(named), values)
        columns = ", ".join(column.name for column in named.values())
        given = (
            f"SELECT * FROM {_lists(named.values())}"
            if self._postgres
            else f"VALUES ({', '.join('?' * len(named))})"
        )
        unless = " ON CONFLICT DO NOTHING" if ignoring else ""
        return await self._run(f"INSERT INTO {table.name} ({columns}) {given}{unless}", values)

    async def _copy(self, model: type[Any], names: list[str], values: list[list[Any]]) -> int:
        """The way by which PostgreSQL takes rows fastest; it knows no conflict but an error."""
        table: Any = sa.inspect(model).local_table
        said: str = await self._driver.copy_records_to_table(
            table.name, columns=names, records=zip(*values, strict=True)
        )
        return int(said.rsplit(" ", 1)[-1])

    async def update(self, model: type[Any], keys: Sequence[str], rows: Rows) -> int:
        """Puts what each row says into the row of the table that has its keys; how many had."""
        table = _known(model, self._dialect)
        put = [name for name in rows[0] if name not in keys]
        named = [table.columns[name] for name in (*put, *keys)]
        values = [
            _values(column, name, rows) for column, name in zip(named, (*put, *keys), strict=True)
        ]
        changed, known = named[: len(put)], named[len(put) :]
        if self._postgres:
            sets = ", ".join(f"{one.name} = given.{one.name}" for one in changed)
            listed = ", ".join(one.name for one in named)
            these = " AND ".join(f"{table.name}.{one.name} = given.{one.name}" for one in known)
            sql = f"{sets} FROM {_lists(named)} AS given ({listed}) WHERE {these}"
        else:
            sets = ", ".join(f"{one.name} = ?" for one in changed)
            sql = f"{sets} WHERE {' AND '.join(f'{one.name} = ?' for one in known)}"
        return await self._run(f"UPDATE {table.name} SET {sql}", values)

    async def rows(self, statement: Prepared, parameters: Mapping[str, Any]) -> list[Any]:
        """The rows of a statement, by the names of their columns."""
        compiled = statement.compiled(self._dialect)
        values = compiled.bound(parameters)
        if not self._postgres:
            found = await self._driver.execute_fetchall(compiled.sql, values)
            return [compiled.record._make(row) for row in processed(found, compiled.results)]
        found = await self._driver.fetch(compiled.sql, *values)
        # SQLAlchemy has told this connection how to read JSON.
        results = tuple((place, made) for place, made in compiled.results if made is not loaded)
        return [compiled.record._make(row) for row in processed(found, results)]

    async def _run(self, sql: str, values: list[list[Any]]) -> int:
        if self._postgres:
            said: str = await self._driver.execute(sql, *values)
            return int(said.rsplit(" ", 1)[-1])
        async with self._driver.executemany(sql, zip(*values, strict=True)) as cursor:
            return cursor.rowcount


def _lists(columns: Iterable[_Column]) -> str:
    """PostgreSQL's rows out of a list for each column."""
    listed = (f"${place}::{column.kind}[]" for place, column in enumerate(columns, 1))
    return f"unnest({', '.join(listed)})"
