"""Imports in a process of their own, so that a large one slows no request down.

The worker starts it when an import waits; it takes up one after the other and ends when none is
left. A second one stands by for the first: on SQLite for its lock on a file, on PostgreSQL for one
of the database, both of which end with the process, however that ends. Whoever comes next goes on
where the one before stopped.
"""

import asyncio
import contextlib
import os
import sys
from typing import Any

import structlog

from app import errors, logs, settings
from app.alone import Alone
from app.db import Database
from app.services import import_runs

MODULE = "app.importer"
STAND_BY_SECONDS = 1.0
# Requests come first where the machine is busy.
NICENESS = 10
# PostgreSQL would keep plans that it made while a table was small, though it grows by the import.
# Nobody else waits for this process while a statement runs.
DRIVER: dict[str, Any] = {"statement_cache_size": 0, "inline": True}
# A start that comes to nothing is not repeated at once.
PAUSE_SECONDS = 5.0

log = structlog.get_logger("imports")


class Importer:
    """The process beside the worker, from the worker's side."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._process: asyncio.subprocess.Process | None = None
        self._not_before = 0.0

    async def see_to(self, database: Database) -> None:
        """Starts it if an import waits and it does not run."""
        if self._process is not None and self._process.returncode is None:
            return
        now = asyncio.get_running_loop().time()
        if self._process is not None and self._process.returncode:
            self._not_before, self._process = now + PAUSE_SECONDS, None
        if now < self._not_before or await import_runs.waiting(database.reader) is None:
            return
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", MODULE, stdin=asyncio.subprocess.PIPE
        )
        if self._process.stdin is not None:
            # Neither an argument nor a variable: others on this machine could read those.
            self._process.stdin.write(self._url.encode() + b"\n")
            self._process.stdin.close()

    async def stop(self) -> None:
        """Ends it; what it was at is taken up again by the next one."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def run(url: str) -> None:
    """Takes up every import that waits, alone; stands by while another process does."""
    database, alone = Database(url, 2, **DRIVER), Alone(url, "imports")
    try:
        while not await alone.enter():
            await alone.leave()
            if await import_runs.waiting(database.reader) is None:
                return
            await asyncio.sleep(STAND_BY_SECONDS)
        while alone.still() and await _next(database):
            pass
    finally:
        await alone.leave()
        await database.close()


async def _next(database: Database) -> bool:
    try:
        return await import_runs.run_next(database)
    except errors.Unavailable:
        await asyncio.sleep(STAND_BY_SECONDS)
        return True


def main() -> None:
    """The process: the database's URL is the one line that it reads."""
    current = settings.get()
    logs.configure(current.log_level, current.development)
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    asyncio.run(run(sys.stdin.readline().strip()))


if __name__ == "__main__":
    main()
