"""`python -m benchmarks.importing`: one import in a process of its own, as the product's runs it.

It reads a line of JSON (the database, the server, the file, who sends it) and answers with one: how
long it took from sending the file to the last row applied, what became of the rows, and the
process's memory before and at most.
"""

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from app import importer
from app.db import Database
from app.services import import_runs


def _most() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _import(server: httpx.AsyncClient, database: Database, path: Path) -> dict[str, Any]:
    asked = {"mode": "update", "source": "bench", "apply": "true"}
    with path.open("rb") as file:
        answer = await server.post("membership-imports", data=asked, files={"file": file})
    job = answer.raise_for_status().json()
    while await import_runs.run_next(database):
        continue
    answer = await server.get(f"membership-imports/{job['id']}")
    return answer.raise_for_status().json()


async def measured(
    url: str, api: str, headers: dict[str, str], path: str, warm_up: str
) -> dict[str, Any]:
    """Runs the import of a few rows, and then that of the file."""
    database = Database(url, 2, **importer.DRIVER)
    async with httpx.AsyncClient(base_url=api, headers=headers, timeout=60) as server:
        await _import(server, database, Path(warm_up))
        idle, started = _most(), time.perf_counter()
        found = await _import(server, database, Path(path))
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
