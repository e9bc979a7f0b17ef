"""The schema: forward and back with data, whole or not at all, and never apart from the models."""

import asyncio
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from app import migrations
from app.migrations import ReferenceBroken, SchemaUnknown, seat_rules
from app.models import Community, Post, metadata
from tests.cast import Api
from tests.conftest import DATABASES
from tests.houses import empty_database
from tests.processes import ran


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, postgres: str, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, postgres, tmp_path) as url:
        yield url


def ask(url: str, question: Any) -> Any:
    """What a connection of SQLAlchemy's answers to a question about the schema."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        with engine.connect() as connection:
            return question(connection)
    finally:
        engine.dispose()


def tables(url: str) -> set[str]:
    return set(ask(url, lambda connection: sa.inspect(connection).get_table_names()))


def run(url: str, statement: str) -> None:
    """One statement, past everything."""
    ask(url, lambda connection: (connection.execute(sa.text(statement)), connection.commit()))


async def populate(url: str) -> None:
    async with Api.on(url) as api:
        chair, member = await api.leader("Chidi Chair", "chair"), await api.member("Mia Member")
        await api.report(member, await api.reply(chair, await api.discussion(chair)))


# Forward and back


async def test_the_schema_goes_back_and_forth_with_data_in_it(url: str, tmp_path: Path) -> None:
    await populate(url)
    migrations.migrate(url, "base")
    assert tables(url) & set(metadata.tables) == set()
    migrations.migrate(url)
    assert set(metadata.tables) <= tables(url)
    code, said = await ran(url, tmp_path / "seed.log", "seed", data_dir=tmp_path)
    assert code == 0, said
    await populate(url)


async def test_migrating_to_where_the_schema_is_changes_nothing(url: str) -> None:
    await populate(url)
    migrations.migrate(url)
    async with Api.on(url) as api:
        assert len(await api.read(sa.select(Post.id))) == 2
        assert len(await api.read(sa.select(Community.id))) == 17


def test_the_tables_of_the_job_engine_are_left_alone(empty_url: str) -> None:
    migrations.migrate(empty_url)
    run(empty_url, "CREATE TABLE workflow_status (id INTEGER)")
    assert drift(empty_url) == []
    migrations.migrate(empty_url, "base")
    assert "workflow_status" in tables(empty_url)


def test_a_migration_that_fails_half_way_leaves_nothing_behind(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patched:
        patched.setattr(seat_rules, "upgrade", fail)
        with pytest.raises(RuntimeError):
            migrations.migrate(empty_url)
    assert tables(empty_url) <= {"alembic_version"}
    migrations.migrate(empty_url)
    assert set(metadata.tables) <= tables(empty_url)


def test_a_migration_that_would_break_a_reference_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cop.sqlite3'}"
    migrations.migrate(url)
    run(url, "INSERT INTO seat (id, position_code, number) VALUES ('a', 'no such position', 1)")
    with pytest.raises(ReferenceBroken):
        migrations.migrate(url)


async def test_three_that_start_at_once_on_a_new_database_do_not_meet(
    empty_url: str, tmp_path: Path
) -> None:
    starts = [
        ran(empty_url, tmp_path / f"{number}.log", "seed", data_dir=tmp_path) for number in range(3)
    ]
    for code, said in await asyncio.gather(*starts):
        assert code == 0, said
    async with Api.on(empty_url) as api:
        assert len(await api.read(sa.select(Community.id))) == 17


async def test_a_version_from_the_future_is_refused(url: str, tmp_path: Path) -> None:
    run(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaUnknown, match="The database is at 9999"):
        migrations.migrate(url)
    code, said = await ran(url, tmp_path / "serve.log", "serve", data_dir=tmp_path)
    assert code == 1
    assert said.strip() == "The database is at 9999, which this version does not know."


# No drift


def drift(url: str) -> list[Any]:
    """What autogenerate would change to make the schema as the models are."""

    def compared(connection: sa.Connection) -> list[Any]:
        options = {"compare_type": True, "include_object": migrations.ours}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    return ask(url, compared)


def test_the_schema_is_what_the_models_say(url: str) -> None:
    assert drift(url) == []


def test_every_closed_set_of_values_is_checked_by_the_database(url: str) -> None:
    """Autogenerate does not see a new member of an enumeration."""
    found = 0
    for table in metadata.sorted_tables:
        checks = ask(url, lambda c, name=table.name: sa.inspect(c).get_check_constraints(name))
        said = {check["name"]: set(re.findall(r"'([^']*)'", check["sqltext"])) for check in checks}
        for column in table.columns:
            if isinstance(column.type, sa.Enum):
                name = f"ck_{table.name}_{column.type.name}"
                assert said[name] == set(column.type.enums), name
                found += 1
    assert found >= 15


def test_the_rules_over_days_are_there(url: str) -> None:
    if url.startswith("sqlite"):
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        expected = [
            f"ex_term_{what}_{when}" for what in ("person", "seat") for when in ("insert", "update")
        ]
    else:
        names = "SELECT conname FROM pg_constraint WHERE contype = 'x' ORDER BY conname"
        expected = ["ex_term_person", "ex_term_seat"]
    rows = ask(url, lambda connection: connection.execute(sa.text(names)).scalars().all())
    assert list(rows) == expected


# The file


async def test_a_database_file_is_for_its_owner_alone_from_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "new" / "cop.sqlite3"
    before = os.umask(0)
    try:
        migrations.migrate(f"sqlite:///{path}")
        async with Api.on(f"sqlite:///{path}") as api:
            await api.read(sa.text("SELECT 1"))
            modes = {found.suffix: mode(found) for found in path.parent.glob("cop.sqlite3*")}
    finally:
        os.umask(before)
    assert modes.pop(".lock") == 0o666  # it holds nothing
    assert set(modes.values()) == {0o600} and ".sqlite3-wal" in modes


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_database_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "cop.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE something (id)")
    path.chmod(0o644)
    migrations.migrate(f"sqlite:///{path}")
    assert mode(path) == 0o600
