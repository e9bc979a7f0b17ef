"""How much an import does at once, so that others get on with their work beside it.

On SQLite whoever writes keeps every other writer waiting. So a transaction takes no more rows than
it writes in some milliseconds, and then leaves the file to others for twice as long; but where
nobody has waited for a while it does more at once, and goes on. On PostgreSQL others go on
meanwhile, but their small commits wait for the disk behind large ones.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.db import Database, Work

# So many rows in a transaction: on PostgreSQL; on SQLite of those that are planned, and of those
# that are applied or undone, where others wait and where nobody does.
MANY, PLANNED, APPLIED, ALONE = 500, 60, 11, 240
# On SQLite, after so long without anybody who waited, an import takes itself to be alone.
CALM_SECONDS = 0.5


class Pace:
    """The pace of one step of an import: `rows` at once, which change as it goes on."""

    def __init__(self, database: Database, few: int) -> None:
        self.rows = few if database.sqlite else MANY
        self._few = few
        self._database = database
        self._not_before = 0.0
        self._waited_at = asyncio.get_running_loop().time()

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """One unit of work, when others had twice as much time as the one before took, if they
        wait."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._not_before - clock())
        async with self._database.work() as work:
            await work.connection()  # it begins here, and waits until the file is free
            began = clock()
            yield work
            wanted = self._database.wanted()
        if self._database.sqlite:
            self._adapt(wanted, began, clock())

    def _adapt(self, wanted: bool, began: float, now: float) -> None:
        if wanted:
            self._waited_at = now
        if now - self._waited_at < CALM_SECONDS:
            self.rows, self._not_before = self._few, 3 * now - 2 * began
        else:
            self.rows, self._not_before = max(self._few, min(2 * self.rows, ALONE)), now
