"""Strokes: hot writes that are a whole unit of work by themselves, straight on the driver.

A stroke is one update and the inserts that follow from its row. PostgreSQL takes it as a single
statement, which is its own transaction: one way there and back. SQLite takes it on a thread, and
those that come while the disk is busy share its next turn. Nothing of a stroke is kept where any
part of it fails.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from app import errors
from app.models.base import Json
from app.statements import Prepared, processed

MOST = 100  # strokes in one transaction


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


class _Waiting(NamedTuple):
    """A stroke, and who waits for it."""

    stroke: Stroke
    parameters: Mapping[str, Any]
    done: asyncio.Future[Any]


Outcome = Any  # the updated row, None, or the exception of one stroke


class SqliteWriter:
    """A connection on a thread of its own, for all strokes of the process.

    Those that wait while the disk is busy are kept together by its next turn: each is whole or
    undone by itself, and all are acknowledged when they are on the disk. `turn` is held meanwhile,
    so that strokes and other units of work take turns.
    """

    def __init__(
        self, path: str, pragmas: tuple[str, ...], turn: Callable[[], AbstractAsyncContextManager]
    ) -> None:
        self._path = path
        self._pragmas = pragmas
        self._turn = turn
        self._dialect = pysqlite.dialect()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stroke")
        self._connection: sqlite3.Connection | None = None
        self._waiting: list[_Waiting] = []
        self._running: asyncio.Task[None] | None = None

    async def run(self, stroke: Stroke, parameters: Mapping[str, Any]) -> Any | None:
        """The updated row, or None. Raises Unavailable where another process holds the file."""
        waiting = _Waiting(stroke, parameters, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._running is None:
            self._running = asyncio.create_task(self._drain(), name="strokes")
        try:
            return await waiting.done
        except (sqlite3.OperationalError, TimeoutError) as error:
            raise errors.Unavailable from error

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch: list[_Waiting] = []
            try:
                async with self._turn():
                    batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                    outcomes = await loop.run_in_executor(self._thread, self._together, batch)
            except Exception as error:
                if not batch:  # no turn was had
                    batch, self._waiting = self._waiting, []
                outcomes = [error] * len(batch)
            for waiting, outcome in zip(batch, outcomes, strict=True):
                _tell(waiting.done, outcome)
        self._running = None

    def _together(self, batch: list[_Waiting]) -> list[Outcome]:
        """One transaction for all of them."""
        if self._connection is None:
            self._connection = self._open()
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._one(connection, waiting) for waiting in batch]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes

    def _one(self, connection: sqlite3.Connection, waiting: _Waiting) -> Outcome:
        connection.execute("SAVEPOINT stroke")
        try:
            row = self._written(connection, waiting.stroke, waiting.parameters)
        except sqlite3.IntegrityError as error:
            connection.execute("ROLLBACK TO stroke")
            return error
        connection.execute("RELEASE stroke")
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
        """Finishes what waits, closes the connection and ends the thread."""
        if self._running is not None:
            await asyncio.wait([self._running])
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._thread.shutdown(wait=False)


def _tell(waiting: asyncio.Future[Any], outcome: Outcome) -> None:
    if waiting.done():  # whoever asked has gone
        return
    if isinstance(outcome, BaseException):
        waiting.set_exception(outcome)
    else:
        waiting.set_result(outcome)
