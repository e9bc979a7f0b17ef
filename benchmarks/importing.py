"""`python -m benchmarks.importing`: one import in a process of its own, as the product's runs it.

It reads a line of JSON (the database, the file) and answers with one: how long it took from the
file to the last row applied, what became of the rows, and the process's memory before and at most.
"""

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from app import importer
from app.db import Database
from app.schemas.membership_imports import MembershipImportCreate
from app.services import import_pages, import_runs, membership_imports, operators


def _most() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _import(database: Database, path: Path) -> dict[str, Any]:
    asked = {"file": "", "mode": "update", "source": "bench", "apply": "true"}
    standing = await operators.standing_of(database.reader)
    body = MembershipImportCreate.model_validate(asked)
    opened = await membership_imports.look(database.reader, standing, path, path.name, body)
    async with database.work() as work:
        job = await membership_imports.create(work, standing, opened)
    while await import_runs.run_next(database):
        continue
    return await import_pages.get(database.reader, standing, job["id"])


async def measured(url: str, path: str, warm_up: str) -> dict[str, Any]:
    """Runs the import of a few rows, and then that of the file."""
    database = Database(url, 2, **importer.DRIVER)
    await _import(database, Path(warm_up))
    idle, started = _most(), time.perf_counter()
    found = await _import(database, Path(path))
    seconds = time.perf_counter() - started
    await database.close()
    counts = found["counts"]
    return {"seconds": seconds, "idle": idle, "most": _most(), "counts": counts}


def main() -> None:
    """Answers one line."""
    os.nice(importer.NICENESS)
    asked = json.loads(sys.stdin.readline())
    print(json.dumps(asyncio.run(measured(**asked))), flush=True)


if __name__ == "__main__":
    main()
