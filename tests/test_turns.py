"""Turns at a SQLite file: whoever waits is next, and nobody waits for ever."""

import asyncio
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import errors, importer, turns
from app.db import Database
from app.models import Occupation
from app.services import import_pace
from app.turns import Turns
from tests.answers import code, ok
from tests.cast import Api


async def waiting(one: Turns) -> asyncio.Task[None]:
    """Somebody who has asked, and has looked that it is not their turn."""
    asked = asyncio.create_task(one.take())
    await asyncio.sleep(0.05)
    assert not asked.done()
    return asked


async def test_who_has_just_written_does_not_overtake_who_waits(tmp_path: Path) -> None:
    importer, server = Turns(str(tmp_path / "file")), Turns(str(tmp_path / "file"))
    await importer.take()
    served = await waiting(server)
    importer.give()
    again = asyncio.create_task(importer.take())
    await served
    assert not again.done()
    server.give()
    await again
    importer.close()
    server.close()


async def test_who_goes_away_while_waiting_is_in_nobodys_way(tmp_path: Path) -> None:
    one, gone, other = (Turns(str(tmp_path / "file")) for _ in range(3))
    await one.take()
    (await waiting(gone)).cancel()
    served = await waiting(other)
    one.give()
    await served
    for turn in (one, gone, other):
        turn.close()


async def test_a_turn_ends_with_its_unit_of_work_however_that_ends(sqlite_api: Api) -> None:
    other = Turns(sqlite_api.database.url.removeprefix("sqlite:///"))
    row = {"code": "a_code", "place": 900, "label": {"en": "a", "fr": "a"}}
    async with sqlite_api.database.work() as work:
        await work.insert_many(Occupation, [row])
        served = await waiting(other)
    await served
    other.give()
    with pytest.raises(KeyError):
        async with sqlite_api.database.work() as work:
            await work.insert_many(Occupation, [row | {"code": "b_code"}])
            served = await waiting(other)
            raise KeyError
    await served
    other.close()


async def test_where_another_process_writes_for_too_long_one_is_told_to_come_back(
    sqlite_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    mia = await sqlite_api.member("Mia Member")
    discussion = await sqlite_api.discussion(mia)
    path = f"/discussions/{discussion['id']}/posts"
    body = {"body": "Here.", "reply_to_id": None, "language": "en"}
    other = Turns(sqlite_api.database.url.removeprefix("sqlite:///"))
    await other.take()
    with monkeypatch.context() as now:
        now.setattr(turns, "WAIT_SECONDS", 0.05)
        assert code(await mia.post(path, body), 503) == "service.unavailable"
        with pytest.raises(errors.Unavailable):
            async with sqlite_api.database.work() as work:
                await work.connection()
    other.close()
    ok(await mia.post(path, body), 201)


async def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has waited for longer than it takes to be alone."""
    monkeypatch.setattr(import_pace, "CALM_SECONDS", 0.05)
    await asyncio.sleep(0.1)


async def test_an_import_does_more_at_once_where_nobody_waits_and_little_where_somebody_does(
    sqlite_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_pace, "CALM_SECONDS", 0)
    pace = import_pace.Pace(sqlite_api.database, import_pace.APPLIED)
    sizes = []
    for _ in range(5):
        async with pace.work():
            pass
        sizes.append(pace.rows)
    few, most = import_pace.APPLIED, import_pace.ALONE
    assert sizes == [2 * few, 4 * few, 8 * few, 16 * few, most]
    await calm(monkeypatch)
    other = Turns(sqlite_api.database.url.removeprefix("sqlite:///"))
    async with pace.work():
        served = await waiting(other)
    await served
    other.give()
    assert pace.rows == import_pace.APPLIED
    other.close()


async def test_on_postgresql_it_does_less_at_once_and_rests_where_somebody_writes(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_pace, "CALM_SECONDS", 0.05)
    async with Api.on(postgres_url) as api:
        pace = import_pace.Pace(api.database, import_pace.APPLIED)
        assert pace.rows == import_pace.BESIDE
        end = asyncio.get_running_loop().time() + 20
        # One's own writing is nobody else's; other tests may write on this server at times.
        while pace.rows < import_pace.MANY and asyncio.get_running_loop().time() < end:
            async with pace.work() as work:
                await work.execute(sa.update(Occupation).values(place=Occupation.place + 1))
        assert pace.rows == import_pace.MANY
        await calm(monkeypatch)
        await api.join(await api.person("Mia Member"))
        async with pace.work():
            took = 0.2
            await asyncio.sleep(took)
        assert pace.rows == import_pace.BESIDE
        before = asyncio.get_running_loop().time()
        async with pace.work():
            assert asyncio.get_running_loop().time() - before > took / 2


async def test_a_process_by_itself_waits_for_its_own_statements_and_keeps_all_or_nothing(
    sqlite_api: Api,
) -> None:
    database = Database(sqlite_api.database.url, 2, **importer.DRIVER)
    codes = sa.select(Occupation.code).where(col(Occupation.place) == 900)
    row = {"code": "a_code", "place": 900, "label": {"en": "a", "fr": "a"}}
    async with database.work() as work:
        raw = await (await work.connection()).get_raw_connection()
        await raw.driver_connection.create_function("thread", 0, threading.get_ident)
        assert (await work.execute(sa.text("SELECT thread()"))).scalar() == threading.get_ident()
        await work.insert_many(Occupation, [row])
    with pytest.raises(KeyError):
        async with database.work() as work:
            await work.insert_many(Occupation, [row | {"code": "b_code"}])
            raise KeyError
    assert [row.code for row in await sqlite_api.read(codes)] == ["a_code"]
    await database.close()
