"""A few connections to PostgreSQL, each lent for one statement.

They carry no state from one to the next, so nothing has to be reset; the driver's own pool would
cost three times as much as the statement's way there and back.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from app import errors

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 15
# Connections that broke or were not had in time, a server that stops, starts or is full, and
# locks that were not given in time.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)


class Connections:
    """At most so many connections, opened when they are wanted, with these settings of the
    server's; `driver` is how asyncpg opens them beyond that."""

    def __init__(self, url: str, size: int, server_settings: dict[str, str], **driver: Any) -> None:
        self._url = url
        self._settings = {"timezone": "UTC", **server_settings}
        self._driver = driver
        self._turns = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """The rows of one statement, which is a transaction of its own.

        Raises Unavailable where the database is away or busy; it mends by itself.
        """
        try:
            async with self._turns:  # never for long: each statement has its limit
                return await self._lent(sql, values)
        except AWAY as error:
            raise errors.Unavailable from error

    async def _lent(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        connection = None
        while self._idle and (connection is None or connection.is_closed()):
            connection = self._idle.pop()
        if connection is None or connection.is_closed():
            connection = await self._open()
        try:
            found = await connection.fetch(sql, *values, timeout=STATEMENT_SECONDS)
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
            self._url, timeout=CONNECT_SECONDS, server_settings=self._settings, **self._driver
        )

    async def close(self) -> None:
        """Closes what is not lent."""
        while self._idle:
            await self._idle.pop().close()
