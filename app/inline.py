"""SQLite's statements in the thread that asks for them, for a process that has nothing else to do.

The driver hands each statement to a thread of its own, so that a server's loop goes on meanwhile.
A transaction of some thirty short ones then waits for sixty switches between threads, and keeps
everybody else who writes waiting for as long; on a busy machine that is half of its time.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import aiosqlite


class Inline(aiosqlite.Connection):
    """A connection whose statements run at once. Only opening and closing it use its thread."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)


def connector(path: str) -> Callable[[], Inline]:
    """What opens such connections to a file."""

    def connect() -> Inline:
        connection = Inline(partial(sqlite3.connect, path, check_same_thread=False), 64)
        connection._thread.daemon = True  # as SQLAlchemy does with its own
        return connection

    return connect
