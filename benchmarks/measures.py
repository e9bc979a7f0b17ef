"""What is measured: each request that has a target, and each floor that it is held against."""

import asyncio
import json
import statistics
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

import orjson

from app import cursors, deps, tokens
from benchmarks import data, floors, load
from benchmarks.load import Load, Request
from benchmarks.places import Place, Server

API = "/api/v1"
LIST = f"{API}/communities/{data.COMMUNITY}/discussions?limit={data.PAGE}"
CATALOGUE = f"{API}/communities?limit=100"
BODY = (
    "We began with *small* rewards in the first month, and kept the sanctions for those who had"
    " been warned twice. What did **not** work was a long list of conditions on the first day."
)


class Measure(NamedTuple):
    """One thing that is run in each round."""

    name: str
    where: str
    run: Callable[[int], Awaitable[Load]]


class Median(NamedTuple):
    """The middle of a measure's rounds; what went wrong is added up."""

    rate: float
    p50: float
    p99: float
    refused: int
    broken: int


def median(rounds: list[Load]) -> Median:
    """The middle of each figure."""
    return Median(
        statistics.median(one.rate for one in rounds),
        statistics.median(one.p50 for one in rounds),
        statistics.median(one.p99 for one in rounds),
        sum(one.refused for one in rounds),
        sum(one.broken for one in rounds),
    )


def rate_alone(rate: float) -> Load:
    """A figure that has no latencies."""
    return Load(rate, 0, 0, 0, 0)


def callers() -> list[tuple[str, str]]:
    """The credentials of 32 members, as headers."""
    return [
        ("Authorization", f"Bearer {tokens.access_token(person, session)}")
        for person, session in data.sessions()
    ]


def _fetched(port: int, request: Request) -> tuple[bytes, str]:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{request.path}", headers=dict(request.headers)
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return answer.read(), answer.headers["ETag"]


def _signed_in(path: str) -> list[Request]:
    return [Request(path, (caller,)) for caller in callers()]


def reading_list() -> list[Request]:
    """The list of discussions, by each caller."""
    return _signed_in(LIST)


def reading() -> list[Request]:
    """The discussions with 50 posts, one for each caller."""
    return [
        Request(f"{API}/discussions/{data.id_of('discussion', n)}/posts?limit={data.PAGE}", (who,))
        for n, who in enumerate(callers(), start=1)
    ]


def writing(place: Place) -> list[Request]:
    """A reply by each caller in turn, over many discussions (never one of those that are read)."""
    first, last = data.CALLERS + 1, data.shape(place.posts).discussions - 1
    who = callers()
    body = orjson.dumps({"body": BODY, "reply_to_id": None, "language": "en"})
    return [
        Request(
            f"{API}/discussions/{data.id_of('discussion', n)}/posts",
            (who[n % len(who)],),
            "POST",
            body,
        )
        for n in range(first, min(last, first + 499) + 1)
    ]


def deep(place: Place, page: int) -> list[Request]:
    """One page of the long discussion, reached by a cursor as the product seals it."""
    size = data.shape(place.posts).deep_page_size
    path = f"{API}/discussions/{data.id_of('discussion', 0)}/posts"
    after = cursors.sealed([(page - 1) * size], deps.fingerprint(path, []))
    return _signed_in(f"{path}?limit={size}&cursor={after}")


def bodies(port: int) -> dict[str, bytes]:
    """The answers of the product whose bytes the floors repeat."""
    return {
        "list": _fetched(port, _signed_in(LIST)[0])[0],
        "posts": _fetched(port, reading()[0])[0],
        "catalogue": _fetched(port, Request(CATALOGUE))[0],
        "empty": _fetched(port, _signed_in(f"{API}/bench/signed-in")[0])[0],
        "occupations": _fetched(port, _signed_in(f"{API}/occupations")[0])[0],
    }


def of_product(place: Place, server: Server) -> list[Measure]:
    """The measures of the product on one database."""

    def steady(requests: Iterable[Request]) -> Callable[[int], Awaitable[Load]]:
        kept = list(requests)
        return lambda seconds: load.burst(server.port, kept, seconds)

    async def unchanged(seconds: int) -> Load:
        asked = []
        for request in _signed_in(LIST):  # what each caller has now; posts are written in between
            _, etag = await asyncio.to_thread(_fetched, server.port, request)
            asked.append(request._replace(headers=(*request.headers, ("If-None-Match", etag))))
        return await load.burst(server.port, asked, seconds)

    runs = {
        "signed in, nothing read": steady(_signed_in(f"{API}/bench/signed-in")),
        "signed in, a closed list": steady(_signed_in(f"{API}/occupations")),
        "catalogue, public": steady([Request(CATALOGUE)]),
        "catalogue, signed in": steady(_signed_in(CATALOGUE)),
        "list of 50 discussions": steady(_signed_in(LIST)),
        "the same, unchanged (304)": unchanged,
        "a discussion's 50 posts": steady(reading()),
        "create a post": steady(writing(place)),
        "page 1 of a long discussion": steady(deep(place, 1)),
        "page 10,000 of it": steady(deep(place, data.DEEP_PAGE)),
    }
    return [Measure(name, place.kind, run) for name, run in runs.items()]


def of_size(place: Place, server: Server) -> list[Measure]:
    """The two lists again, where the database is large."""
    wanted = ("list of 50 discussions", "a discussion's 50 posts")
    return [
        measure._replace(name=f"{measure.name}, {place.posts:,} posts")
        for measure in of_product(place, server)
        if measure.name in wanted
    ]


def of_workers(server: Server) -> list[Measure]:
    """What two processes answer."""

    def steady(path: str) -> Callable[[int], Awaitable[Load]]:
        kept = _signed_in(path)
        return lambda seconds: load.burst(server.port, kept, seconds)

    return [
        Measure("two workers, nothing read", "PostgreSQL", steady(f"{API}/bench/signed-in")),
        Measure("two workers, list", "PostgreSQL", steady(LIST)),
    ]


def of_floors(bare: Server, fastapi: Server, names: Iterable[str]) -> list[Measure]:
    """The tiny applications, answering the product's bytes."""

    def steady(server: Server, request: Request) -> Callable[[int], Awaitable[Load]]:
        return lambda seconds: load.burst(server.port, [request], seconds)

    bearer = ("Authorization", f"Bearer {floors.token()}")
    found = [
        Measure("F0 list", "", steady(bare, Request("/list"))),
        Measure("F1 with python-jose", "", steady(fastapi, Request("/jose/empty", (bearer,)))),
    ]
    found += [Measure(f"F1 {name}", "", steady(fastapi, Request(f"/{name}"))) for name in names]
    return found


def of_statements(place: Place, pgbench: str | None) -> list[Measure]:
    """The list's SQL alone, and the transaction of a post alone."""

    async def through_pool(seconds: int) -> Load:
        return rate_alone(await floors.list_through_pool(place.url, seconds))

    async def through_sqlite3(seconds: int) -> Load:
        path = place.url.removeprefix("sqlite:///")
        return rate_alone(await asyncio.to_thread(floors.list_through_sqlite3, path, seconds))

    async def transaction(seconds: int) -> Load:
        facts = {
            "first": data.CALLERS + 1,
            "last": data.shape(place.posts).discussions - 1,
            "callers": data.CALLERS - 1,
            "discussion": str(data.id_of("discussion", 0))[:-12],
            "person": str(data.id_of("person", 0))[:-12],
            "author": json.dumps(data.author(0)),  # a space after each colon: no variables
            "body": BODY,
        }
        return rate_alone(
            await asyncio.to_thread(floors.write_transaction, place.url, pgbench, seconds, facts)
        )

    if place.kind == "SQLite":
        return [Measure("the list's SQL, sqlite3", place.kind, through_sqlite3)]
    found = [Measure("the list's SQL, asyncpg's pool", place.kind, through_pool)]
    if pgbench is not None:
        found.append(Measure("a post's transaction, pgbench", place.kind, transaction))
    return found
