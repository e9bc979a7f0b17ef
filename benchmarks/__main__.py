"""`make bench`: everything in one run, so that the ratios hold whatever the machine is doing."""

import argparse
import asyncio
import os
import platform
import random
import re
import secrets
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

import asyncpg
import uvloop

from benchmarks import files, floors, load, measures, places, table
from benchmarks.measures import Measure
from benchmarks.places import Place

MOST_SECONDS = 5
MOST_ROUNDS = 15
LARGE = 1_000_000
FILES = "files: import, export"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--posts", type=int, default=10_000, help="posts in the database")
    parser.add_argument("--large", action="store_true", help=f"also {LARGE:,} posts (minutes)")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of files that are imported")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many")
    parser.add_argument("--seconds", type=int, default=1, help="how long each measure runs")
    parser.add_argument("--only", default="", help="only measures whose name this pattern finds")
    return parser.parse_args()


def _environment(directory: Path) -> dict[str, str]:
    """What every process of the run is told; nothing of the operator's own is used."""
    return {
        "COP_DATA_DIR": str(directory),
        "COP_SECRET_KEY": secrets.token_urlsafe(48),
        "COP_BASE_URL": "http://127.0.0.1",
        "COP_MAIL_URL": f"file://{directory / 'mail'}",
        "COP_LOG_LEVEL": "warning",
        "COP_REQUESTS_PER_MINUTE": "0",
        "COP_ACCESS_TOKEN_SECONDS": "3600",
        "COP_ENVIRONMENT": "development",
        "COP_BENCH_BODIES": str(directory / "bodies"),
        # A start is measured as any but the very first: with modules compiled by an earlier one.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(directory / "bytecode"),
    }


async def _places(
    stack: AsyncExitStack, directory: Path, server: str, sizes: list[int]
) -> list[Place]:
    found = []
    for posts in sizes:
        found.append(await stack.enter_async_context(places.postgres(server, posts)))
        found.append(await stack.enter_async_context(places.sqlite(directory, posts)))
    return found


async def _prepared(
    stack: AsyncExitStack, found: list[Place], pgbench: str | None
) -> list[Measure]:
    """Starts a server for each database and for each floor; what can be measured with them."""

    def started(factory: str, path: str, url: str = "", workers: int = 1) -> places.Server:
        environment = {"COP_DATABASE_URL": url} if url else {}
        return stack.enter_context(
            places.server(places.serving(factory, workers), path, environment)
        )

    product = "benchmarks.served:app"
    postgres, sqlite, *large = found
    chosen: list[Measure] = []
    servers = [started(product, "/health/live", place.url) for place in (postgres, sqlite)]
    for place, server in zip((postgres, sqlite), servers, strict=True):
        chosen += measures.of_product(place, server)
        chosen += measures.of_statements(place, pgbench)
    bodies = measures.bodies(servers[0].port)
    for name, body in bodies.items():
        (Path(os.environ["COP_BENCH_BODIES"]) / name).write_bytes(body)
    chosen += measures.of_floors(
        started("benchmarks.floors:bare", "/empty"),
        started("benchmarks.floors:fastapi", "/empty"),
        bodies,
    )
    chosen += measures.of_workers(started(product, "/health/live", postgres.url, 2))
    for place in large:
        chosen += measures.of_size(place, started(product, "/health/live", place.url))
    return chosen


async def _run(chosen: list[Measure], rounds: int, seconds: int) -> table.Results:
    """Every measure once a round, in another order each time."""
    figures: dict[tuple[str, str], list[load.Load]] = {}
    for number in range(rounds):
        order = list(chosen)
        random.Random(number).shuffle(order)
        for measure in order:
            found = await measure.run(seconds)
            figures.setdefault((measure.name, measure.where), []).append(found)
            await asyncio.sleep(0.05)  # what the last one left open is answered
        print(f"round {number + 1} of {rounds}", flush=True)
    return {key: measures.median(found) for key, found in figures.items()}


async def _files(found: list[Place], directory: Path, rows: int) -> list[table.Line]:
    """Imports and exports, on a server of their own for each database."""
    lines = []
    for place in found:
        arguments = places.serving("benchmarks.served:app")
        with places.server(arguments, "/health/live", {"COP_DATABASE_URL": place.url}) as server:
            lines += await files.measured(place, server, directory, rows)
            print(f"files on {place.kind}", flush=True)
    return lines


def _starts(url: str) -> Iterator[table.Line]:
    """How long `cop serve` takes, worker included, and what it then holds."""
    seconds, memory = [], []
    for _ in range(3):
        command = ["app", "serve", "--worker"]
        with places.server(command, "/health/live", {"COP_DATABASE_URL": url}) as server:
            seconds.append(server.seconds_to_first_answer)
            memory.append(server.memory)
    middle = statistics.median
    yield table.limit("`cop serve` to its first answer", "SQLite", middle(seconds), "s", 2)
    yield table.limit("its memory then, jobs included", "SQLite", middle(memory), "MB", 150)


def _commit() -> str:
    command = ["git", "--no-optional-locks", "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


async def _title(server: str, asked: argparse.Namespace) -> str:
    connection = await asyncpg.connect(server)
    version = re.match(r"PostgreSQL [\d.]+", await connection.fetchval("SELECT version()"))
    await connection.close()
    return (
        f"commit {_commit()}, {date.today().isoformat()}, {os.cpu_count()} cores"  # noqa: DTZ011
        f" {platform.machine()}, Python {platform.python_version()}, {version and version.group()},"
        f" {asked.posts:,} posts, {load.CONNECTIONS} connections of"
        f" {'wrk' if load.WRK else 'our own client'}, medians of {asked.rounds} rounds of"
        f" {asked.seconds} s"
    )


async def _bench(asked: argparse.Namespace, directory: Path) -> None:
    sizes = [asked.posts, *([LARGE] if asked.large else [])]
    with places.postgres_server(directory) as server:
        async with AsyncExitStack() as stack:
            found = await _places(stack, directory, server, sizes)
            pgbench = floors.pgbench_binary()
            if pgbench is not None:
                await floors.prepare_pgbench(found[0].url)
            chosen = await _prepared(stack, found, pgbench)
            chosen = [m for m in chosen if re.search(asked.only, m.name)]
            print(f"{len(chosen)} measures; load {os.getloadavg()[0]:.1f}", flush=True)
            results = await _run(chosen, asked.rounds, asked.seconds)
            claims = table.claims(sizes[1:])
            lines = [line for claim in claims if (line := table.line(claim, results)) is not None]
            if not asked.only:
                lines += await asyncio.to_thread(lambda: list(_starts(found[1].url)))
            if re.search(asked.only, FILES):
                lines += await _files(found[:2], directory, asked.rows)
            table.show(lines, await _title(server, asked))


def main() -> None:
    """Measures, prints the table, and leaves nothing behind."""
    asked = _asked()
    asked.rounds = max(1, min(asked.rounds, MOST_ROUNDS))
    asked.seconds = max(1, min(asked.seconds, MOST_SECONDS))
    began = time.perf_counter()
    with places.room() as name:
        directory = Path(name)
        (directory / "bodies").mkdir()
        os.environ.pop("COP_DATABASE_URL", None)
        os.environ.update(_environment(directory))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_bench(asked, directory))
    print(f"\n{time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
