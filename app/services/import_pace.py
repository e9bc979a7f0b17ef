"""How much an import does at once, so that others get on with their work beside it.

On SQLite whoever writes keeps every other writer waiting. So a transaction takes no more rows than
it writes in some milliseconds, and then leaves the file to others for as long. On PostgreSQL others
go on meanwhile, but their small commits wait for the disk behind large ones.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.db import Database, Work

# So many rows in a transaction: on PostgreSQL; on SQLite of those that are planned, and of those
# that are applied or undone.
MANY, PLANNED, APPLIED = 500, 100, 30


class Pace:
    """The pace of one step of an import: `rows` at once, on SQLite no more than `few`."""

    def __init__(self, database: Database, few: int) -> None:
        self.rows = few if database.sqlite else MANY
        self._database = database
        self._not_before = 0.0

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """One unit of work, when others had as much time as the one before took."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._not_before - clock())
        async with self._database.work() as work:
            await work.connection()  # it begins here, and waits until the file is free
            began = clock()
            yield work
        if self._database.sqlite:
            self._not_before = 2 * clock() - began
