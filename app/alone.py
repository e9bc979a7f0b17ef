"""One process at a time: whoever is in keeps the others out, and is out when its process is.

On PostgreSQL it is an advisory lock of the database, on SQLite a lock on a file beside it. Both end
with the process, however it ends, so that nothing has to be cleaned up and no clock decides.
"""

import contextlib
import fcntl
import os
import zlib

import asyncpg

# Beside the migrators' lock, whose number is one alone.
LOCKS = 730_421
TIMEOUT_SECONDS = 5
# A host that vanished without a word is noticed within a minute, not within hours.
_KEEPALIVES = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


class Alone:
    """A place on a database, by its name, in which one process can be at a time."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._inside = False
        self._file: int | None = None
        self._connection: asyncpg.Connection | None = None

    async def enter(self) -> bool:
        """True if this process is in from now on; False if another is, or the database is away."""
        if self._url.startswith("sqlite"):
            self._inside = self._lock_file()
        else:
            try:
                self._inside = await self._lock_database()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self.leave()
        return self._inside

    def still(self) -> bool:
        """True while this process is in. On PostgreSQL that ends with the connection."""
        gone = self._connection is not None and self._connection.is_closed()
        return self._inside and not gone

    async def leave(self) -> None:
        """Lets the next one in."""
        self._inside = False
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._connection is not None:
            with contextlib.suppress(Exception):  # it may be broken already
                await self._connection.close(timeout=TIMEOUT_SECONDS)
            self._connection = None

    def _lock_file(self) -> bool:
        path = f"{self._url.removeprefix('sqlite:///')}.{self._name}"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def _lock_database(self) -> bool:
        if self._connection is None:
            self._connection = await asyncpg.connect(
                self._url, timeout=TIMEOUT_SECONDS, server_settings=_KEEPALIVES
            )
        number = zlib.crc32(self._name.encode()) & 0x7FFF_FFFF
        return await self._connection.fetchval(
            "SELECT pg_try_advisory_lock($1, $2)", LOCKS, number, timeout=TIMEOUT_SECONDS
        )
