"""Kept is what was acknowledged: the server, or its database, is killed while clients write."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from app.models import Activity, Discussion, Post
from app.services import sealing
from tests.cast import Api, Someone
from tests.private_postgres import PrivatePostgres, private_postgres
from tests.processes import eventually, serving

ROUNDS = 3
WRITERS = 8
# Enough acknowledged in a round that a kill falls among writes that are on their way.
ENOUGH = 40


@dataclass
class Ledger:
    """What clients were told, and what they do not know."""

    author: Someone
    path: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)

    async def write(self, client: httpx.AsyncClient, key: str) -> bool:
        """One post under a key of its own; False if nobody answered, or the answer was 503."""
        headers = {"Authorization": f"Bearer {self.author.token}", "Idempotency-Key": key}
        body = {"body": key, "language": "en"}
        try:
            answer = await client.post(f"/api/v1{self.path}", json=body, headers=headers)
        except httpx.TransportError:
            return False
        if answer.status_code == 503:
            assert "retry-after" in answer.headers
            return False
        assert answer.status_code == 201, answer.text
        self.acknowledged[key] = answer.json()["id"]
        return True

    async def write_on(self, client: httpx.AsyncClient) -> None:
        """Writes until nobody answers."""
        while True:
            key = str(uuid4())
            if not await self.write(client, key):
                self.unanswered.append(key)
                return

    async def write_until(self, client: httpx.AsyncClient, disaster: Callable[[], Any]) -> None:
        """Eight clients write; when enough is acknowledged, disaster strikes in their midst."""
        before = len(self.acknowledged)
        writers = [asyncio.create_task(self.write_on(client)) for _ in range(WRITERS)]
        await eventually(lambda: len(self.acknowledged) >= before + ENOUGH)
        await asyncio.to_thread(disaster)
        await asyncio.gather(*writers)

    async def retry(self, client: httpx.AsyncClient) -> None:
        """What was left without an answer is sent again, under the same keys, until it has one."""
        while self.unanswered:
            key = self.unanswered.pop()
            await eventually(partial(self.write, client, key))


async def ledger(api: Api) -> Ledger:
    author = await api.member("Wilma Writer")
    discussion = await api.discussion(author)
    return Ledger(author, f"/discussions/{discussion['id']}/posts")


async def check(api: Api, kept: Ledger) -> None:
    """Nothing acknowledged is lost, nothing is there twice, and the log is whole."""
    rows = await api.read(sa.select(Post.id, Post.number, Post.body).order_by(Post.number))
    (count,) = await api.read(sa.select(Discussion.post_count))
    assert [row.number for row in rows] == list(range(1, count.post_count + 1))
    stored = {row.body: str(row.id) for row in rows[1:]}
    lost = {key for key, post in kept.acknowledged.items() if stored.get(key) != post}
    doubled = [body for body, times in Counter(row.body for row in rows).items() if times > 1]
    assert (lost, doubled, set(stored) - set(kept.acknowledged)) == (set(), [], set())
    await api.work_off()
    sealed, fault = await sealing.verify(api.database.reader)
    assert fault is None
    assert sealed == len(await api.read(sa.select(Activity.id)))


async def test_a_killed_server_loses_nothing_that_it_acknowledged(api: Api, tmp_path: Path) -> None:
    kept = await ledger(api)
    url, log, settings = api.database.url, tmp_path / "server.log", {"data_dir": tmp_path}
    for _ in range(ROUNDS):
        async with serving(url, log, "--worker", **settings) as server:
            await kept.retry(server.client)
            await kept.write_until(server.client, server.process.kill)
    async with serving(url, log, "--worker", **settings) as server:
        await kept.retry(server.client)
    assert len(kept.acknowledged) >= ROUNDS * ENOUGH
    await check(api, kept)


@pytest.fixture
def own_postgres() -> Iterator[PrivatePostgres]:
    with private_postgres() as found:
        yield found


async def test_a_crash_of_the_database_loses_nothing_and_the_server_goes_on(
    own_postgres: PrivatePostgres, tmp_path: Path
) -> None:
    url = own_postgres.url
    async with serving(url, tmp_path / "server.log", "--worker", data_dir=tmp_path) as server:
        async with Api.on(url) as api:
            kept = await ledger(api)
        for _ in range(ROUNDS):
            await kept.write_until(server.client, own_postgres.crash)
            assert not await server.ready()
            await asyncio.to_thread(own_postgres.start)
            await eventually(server.ready)
            await kept.retry(server.client)
    async with Api.on(url) as api:
        await check(api, kept)
