"""Strokes: hot writes that are a whole unit of work by themselves, straight on the driver.

A stroke is one update and the inserts that follow from its row. PostgreSQL takes it as a single
statement, which is its own transaction: one way there and back. SQLite takes it as one transaction
in one visit to a thread. Nothing of it is kept where any part of it fails.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from app import errors
from app.models.base import Json
from app.statements import Prepared, processed


class json_of(FunctionElement[Any]):  # it reads as the function of SQL's that it is
    """A JSON object of names and values that the database itself puts together."""

    type = Json
    inherit_cache = True

    def __init__(self, members: Mapping[str, Any]) -> None:
        pairs = [part for name, value in members.items() for part in (sa.literal(name), value)]
        super().__init__(*pairs)


@compiles(json_of, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"jsonb_build_object({compiler.process(element.clauses, **options)})"


@compiles(json_of, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_object({compiler.process(element.clauses, **options)})"


class Following(NamedTuple):
    """An insert that follows: its table, and its columns' values, some from the updated row."""

    model: Any
    values: Callable[[Any], Mapping[str, Any]]


class _Given:
    """The updated row's columns as parameters."""

    def __init__(self, update: Any) -> None:
        for column in update.exported_columns:
            setattr(self, column.key, sa.bindparam(f"made_{column.key}", type_=column.type))


class Stroke:
    """An update of at most one row, RETURNING what follows from it, and the inserts that follow.

    Parameters have names that no column has. Where the update finds no row nothing is written.
    """

    def __init__(self, update: Any, *following: Following) -> None:
        self.update = Prepared(update)
        given = _Given(update)
        self.inserts = [
            Prepared(sa.insert(model).values(dict(values(given)))) for model, values in following
        ]
        made = update.cte("made")
        parts = [
            sa.insert(model)
            .from_select(
                list(found := values(made.c)), sa.select(*found.values()).select_from(made)
            )
            .cte(f"following_{place}")
            for place, (model, values) in enumerate(following)
        ]
        self.whole = Prepared(sa.select(*made.c).add_cte(*parts))


def given_by(row: Any) -> dict[str, Any]:
    """The updated row as the parameters of what follows."""
    return {f"made_{name}": value for name, value in row._asdict().items()}


class SqliteWriter:
    """A connection on a thread of its own. Whoever uses it has the writer's turn already."""

    def __init__(self, path: str, pragmas: tuple[str, ...]) -> None:
        self._path = path
        self._pragmas = pragmas
        self._dialect = pysqlite.dialect()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stroke")
        self._connection: sqlite3.Connection | None = None

    async def run(self, stroke: Stroke, parameters: Mapping[str, Any]) -> Any | None:
        """The updated row, or None. Raises Unavailable where another process holds the file."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._run, stroke, parameters)
        except sqlite3.OperationalError as error:
            raise errors.Unavailable from error

    def _run(self, stroke: Stroke, parameters: Mapping[str, Any]) -> Any | None:
        if self._connection is None:
            self._connection = self._open()
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            row = self._written(connection, stroke, parameters)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return row

    def _written(
        self, connection: sqlite3.Connection, stroke: Stroke, parameters: Mapping[str, Any]
    ) -> Any | None:
        update = stroke.update.compiled(self._dialect)
        found = connection.execute(update.sql, update.bound(parameters)).fetchall()
        if not found:
            return None
        row = update.record._make(*processed(found, update.results))
        known = {**parameters, **given_by(row)}
        for prepared in stroke.inserts:
            insert = prepared.compiled(self._dialect)
            connection.execute(insert.sql, insert.bound(known))
        return row

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in self._pragmas:
            connection.execute(pragma)
        return connection

    async def close(self) -> None:
        """Closes the connection and ends the thread."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._thread.shutdown(wait=False)
