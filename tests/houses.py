"""The whole product as it runs: its processes, a database of its own, and a mail server."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from app.models import new_id
from tests.cast import Api
from tests.processes import Process, Server, eventually, running, serving
from tests.sinks import Sink

# What a worker logs once it works; one that stands by has not said it yet.
RUNNING = '"state":"running"'


@contextmanager
def empty_database(kind: str, postgres: str, folder: Path) -> Iterator[str]:
    """The URL of a database that has nothing in it yet."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'cop.sqlite3'}"
        return
    name = f"cop_house_{new_id().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    address, _, query = postgres.partition("?")
    yield f"{address.rsplit('/', 1)[0]}/{name}?{query}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@dataclass
class House:
    """A server and its worker: one process on SQLite, two on PostgreSQL."""

    url: str
    server: Server
    worker: Process
    sink: Sink
    api: Api
    folder: Path

    def logs(self) -> str:
        """Everything that the processes have said."""
        return "".join(path.read_text("utf-8") for path in sorted(self.folder.glob("*.log")))


def worker_beside(url: str) -> bool:
    """True where the worker runs in the server's process."""
    return url.startswith("sqlite")


@asynccontextmanager
async def house(url: str, sink: Sink, folder: Path, **settings: Any) -> AsyncIterator[House]:
    """The product on a database; the cast that it gives calls the server over HTTP."""
    settings = {"mail_url": sink.url, "data_dir": folder / "data"} | settings
    async with AsyncExitStack() as stack:
        options = () if worker_beside(url) else ("--no-worker",)
        server = await stack.enter_async_context(
            serving(url, folder / "server.log", *options, **settings)
        )
        worker = server.process
        if not worker_beside(url):
            worker = await stack.enter_async_context(
                running(url, folder / "worker.log", "worker", **settings)
            )
        await eventually(lambda: RUNNING in worker.said())
        inside = await stack.enter_async_context(Api.on(url))
        api = Api(inside.database, server.client, inside.edge)
        yield House(url, server, worker, sink, api, folder)
