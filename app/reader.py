"""Reads, straight on the driver: asyncpg, or sqlite3 on the loop.

The rows of a hot list are not made into Python's values first: `wire` gives them ready to be
encoded. What does not depend on who asks is read once for all who ask at the same time: `shared`.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.dialects.sqlite import pysqlite

from app import errors
from app.connections import Connections
from app.statements import Compiled, Select, compile_statement, processed
from app.statements import Prepared as Prepared

Row = Any
Answer = TypeVar("Answer")

# What is kept of shared reads where a change to the database can be told: so many answers.
SHARED, KEPT_BYTES = 64, 100_000


def _light(_answer: Any) -> int:
    return 0


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

    async def rows(self, statement: Prepared | Select, **parameters: Any) -> list[Row]:
        """All rows, as named tuples."""
        compiled, found = await self._found(statement, parameters)
        return [compiled.record._make(row) for row in processed(found, compiled.results)]

    async def wire(self, statement: Prepared, **parameters: Any) -> list[Sequence[Any]]:
        """All rows, in the order of the columns, each cell as `encoded` takes it: ids and instants
        may be text, and JSON stays as it is stored."""
        compiled, found = await self._found(statement, parameters)
        return list(processed(found, compiled.wire))

    async def _found(
        self, statement: Prepared | Select, parameters: dict[str, Any]
    ) -> tuple[Compiled, Sequence[Sequence[Any]]]:
        compiled = (
            statement.compiled(self.dialect)
            if isinstance(statement, Prepared)
            else compile_statement(statement.params(parameters), self.dialect, whole=True)
        )
        return compiled, await self.fetch(compiled.sql, compiled.bound(parameters))

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

    async def scalar(self, statement: Prepared | Select, **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        found = await self.first(statement, **parameters)
        return None if found is None else found[0]

    async def shared(
        self,
        key: Hashable,
        read: Callable[[], Awaitable[Answer]],
        weight: Callable[[Answer], int] = _light,
    ) -> Answer:
        """What `read` answers, read once for all who ask for this key at the same time.

        Nobody gets an answer that was begun before they asked, so a change that was committed by
        then is in it. What is heavier than KEPT_BYTES is not kept beyond that.
        """
        raise errors.Unavailable


class PostgresReader(Reader):
    """A few connections of asyncpg's, each lent for one statement."""

    def __init__(self, url: str, size: int, **driver: Any) -> None:
        super().__init__()
        self.dialect = asyncpg_dialect.dialect()
        settings = {"default_transaction_read_only": "on"}
        self._connections = Connections(url, size, settings, **driver)
        self._running: dict[Hashable, asyncio.Future[Any]] = {}
        self._next: dict[Hashable, asyncio.Future[Any]] = {}

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """One read-only statement. The database being away is a 503, and mends by itself."""
        return await self._connections.fetch(sql, values)

    async def shared(
        self,
        key: Hashable,
        read: Callable[[], Awaitable[Answer]],
        weight: Callable[[Answer], int] = _light,
    ) -> Answer:
        """The reading under way began too early for a newcomer; the next one is for all of them."""
        waiting = self._next.get(key)
        if waiting is None:
            before = self._running.get(key)
            if before is None:
                return await self._turn(key, read)
            waiting = asyncio.ensure_future(self._after(before, key, read))
            self._next[key] = waiting
        return await asyncio.shield(waiting)

    async def _after(
        self, before: asyncio.Future[None], key: Hashable, read: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        await asyncio.wait([before])
        del self._next[key]
        return await self._turn(key, read)

    async def _turn(self, key: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        over = self._running[key] = asyncio.get_running_loop().create_future()
        try:
            return await read()
        finally:
            del self._running[key]
            over.set_result(None)

    async def close(self) -> None:
        """Closes what is not lent."""
        await self._connections.close()


class SqliteReader(Reader):
    """sqlite3 on the loop: a read takes microseconds, a thread's switch takes more."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.dialect = pysqlite.dialect()
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._shared: dict[Hashable, Any] = {}
        self._written = -1

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """One statement in its own snapshot of the file."""
        try:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            raise errors.Unavailable from error

    async def shared(
        self,
        key: Hashable,
        read: Callable[[], Awaitable[Answer]],
        weight: Callable[[Answer], int] = _light,
    ) -> Answer:
        """Reading takes no time in which others could ask; but as long as nobody has written to
        the file, which it can tell, the answer is the one that was read last."""
        ((written,),) = await self.fetch("PRAGMA data_version", ())
        if written != self._written or len(self._shared) > SHARED:
            self._shared.clear()
            self._written = written
        if key in self._shared:
            return self._shared[key]
        answer = await read()
        if weight(answer) <= KEPT_BYTES:
            self._shared[key] = answer
        return answer

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
