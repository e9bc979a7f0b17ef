"""How much an import does at once, so that others get on with their work beside it.

On SQLite whoever writes keeps every other writer waiting. So a transaction takes no more rows than
it writes in some milliseconds, and then leaves the file to others for twice as long; but where
nobody has waited for a while it does more at once, and goes on. On PostgreSQL others go on
meanwhile, but their small commits wait for the disk behind large ones: where others write, it does
less at once, and rests for as long as it wrote.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.db import Database, Work

# So many rows in a transaction on PostgreSQL, where nobody else writes and where others do.
MANY, BESIDE = 500, 250
# The same on SQLite: of rows that are planned, and of those that are applied or undone.
ALONE, PLANNED, APPLIED = 240, 60, 11
# After so long without anybody else, an import takes itself to be alone.
CALM_SECONDS = 0.5


class Pace:
    """The pace of one step of an import: `rows` at once, which change as it goes on."""

    def __init__(self, database: Database, few: int) -> None:
        self._few, self._most, self._rest = (
            (few, ALONE, 2) if database.sqlite else (BESIDE, MANY, 1)
        )
        self.rows = self._few
        self._database = database
        self._newest: str | None = None
        self._not_before = 0.0
        self._waited_at = asyncio.get_running_loop().time()

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """One unit of work, when others had twice as much time as the one before took, if they
        wait."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._not_before - clock())
        newest = await self._database.newest_write()
        async with self._database.work() as work:
            await work.connection()  # it begins here, and on SQLite waits until the file is free
            began = clock()
            yield work
            wanted = self._database.wanted()
        self._adapt(wanted or newest != self._newest, began, clock())
        self._newest = await self._database.newest_write()

    def _adapt(self, wanted: bool, began: float, now: float) -> None:
        if wanted:
            self._waited_at = now
        if now - self._waited_at < CALM_SECONDS:
            self.rows, self._not_before = self._few, now + self._rest * (now - began)
        else:
            self.rows, self._not_before = min(2 * self.rows, self._most), now
