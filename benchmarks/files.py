"""Files of memberships: an import, its re-run and an export, beside what the drivers do alone.

The floors put the same people and memberships into the same tables: COPY into temporary tables and
INSERT ... ON CONFLICT on PostgreSQL, executemany on SQLite. They validate nothing, record nothing
and can undo nothing; what the product's rows cost beyond that is what those promises cost.
"""

import asyncio
import csv
import json
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from app import clock, tokens
from app.db import Database
from app.models import Position, Term, TermBasis, new_id
from app.services import terms
from benchmarks import data, measures, table
from benchmarks.beside import Waits, others
from benchmarks.places import Place, Server
from benchmarks.table import Line

COMMUNITY = "wellness-courts"
WARM_UP_ROWS = 10
MOST_MEGABYTES = 100
EXPORT_SECONDS = 4
# For so long others are watched without anything beside them.
USUAL_SECONDS = 8
_HEADINGS = (
    "external_id",
    "name",
    "email",
    "community",
    "category",
    "since_on",
    "occupation",
    "occupation_code",
    "affiliation",
    "territory",
    "language",
)
_PERSON = (
    "id, name, email, email_key, occupation, occupation_code, affiliation, territory, language,"
    " created_at, updated_at, version"
)
_MEMBERSHIP = "id, community_id, person_id, category, since_on, created_at, updated_at, version"


def _rows(first: int, count: int) -> Iterator[tuple[str, ...]]:
    for n in range(first, first + count):
        yield (
            f"N{n}",
            f"Morgan Member {chr(65 + n % 26)}",
            f"imported.{n}@example.org",
            COMMUNITY,
            "practitioner",
            "2025-03-01",
            "Court coordinator",
            "court_coordinator",
            "Provincial Court",
            "CA-ON",
            "en",
        )


def written(path: Path, first: int, count: int) -> Path:
    """A file of so many people."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(_HEADINGS)
        lines.writerows(_rows(first, count))
    return path


# Floors


def _records(path: Path, community: Any, plain: bool) -> tuple[list[Any], list[Any]]:
    """The file as rows of the two tables; ids and instants as text where SQLite wants it."""
    now, people, memberships = clock.now(), [], []
    since = "2025-03-01" if plain else date(2025, 3, 1)
    at = now.strftime("%Y-%m-%d %H:%M:%S.%f") if plain else now
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            person, membership = new_id(), new_id()
            ids = (person.hex, membership.hex) if plain else (person, membership)
            email = row["email"]
            about = (row["occupation"], row["occupation_code"], row["affiliation"])
            where = (row["territory"], row["language"])
            people.append((ids[0], row["name"], email, email, *about, *where, at, at, 1))
            memberships.append((ids[1], community, ids[0], row["category"], since, at, at, 1))
    return people, memberships


async def _copied(url: str, path: Path) -> float:
    """COPY and upsert, in one transaction that is taken back."""
    connection = await asyncpg.connect(url)
    find = "SELECT id FROM community WHERE slug = $1"
    community = await connection.fetchval(find, COMMUNITY)
    started = time.perf_counter()
    people, memberships = _records(path, community, plain=False)
    transaction = connection.transaction()
    await transaction.start()
    for name, columns, records in (
        ("person", _PERSON, people),
        ("membership", _MEMBERSHIP, memberships),
    ):
        await connection.execute(f"CREATE TEMP TABLE new_{name} (LIKE {name}) ON COMMIT DROP")
        await connection.copy_records_to_table(
            f"new_{name}", records=records, columns=columns.split(", ")
        )
        taken = f"SELECT {columns} FROM new_{name} ON CONFLICT DO NOTHING"
        await connection.execute(f"INSERT INTO {name} ({columns}) {taken}")
    took = time.perf_counter() - started
    await transaction.rollback()
    await connection.close()
    return took


def _executed(path_of_database: str, path: Path) -> float:
    """executemany, in one transaction that is taken back."""
    connection = sqlite3.connect(path_of_database, isolation_level=None)
    find = "SELECT id FROM community WHERE slug = ?"
    (community,) = connection.execute(find, (COMMUNITY,)).fetchone()
    started = time.perf_counter()
    people, memberships = _records(path, community, plain=True)
    connection.execute("BEGIN IMMEDIATE")
    for name, columns, records in (
        ("person", _PERSON, people),
        ("membership", _MEMBERSHIP, memberships),
    ):
        marks = ", ".join("?" for _ in columns.split(", "))
        connection.executemany(
            f"INSERT INTO {name} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING", records
        )
    took = time.perf_counter() - started
    connection.execute("ROLLBACK")
    connection.close()
    return took


async def _floor(place: Place, path: Path) -> float:
    if place.kind == "SQLite":
        return await asyncio.to_thread(_executed, place.url.removeprefix("sqlite:///"), path)
    return await _copied(place.url, path)


# The product


async def _imported(place: Place, path: Path, warm_up: Path, **sender: Any) -> dict[str, Any]:
    """One import in a process beside the server, by somebody whose right is looked at again."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.importing",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    asked = {"url": place.url, "path": str(path), "warm_up": str(warm_up), **sender}
    said, _ = await process.communicate(json.dumps(asked).encode() + b"\n")
    return json.loads(said)


async def _staff(place: Place) -> dict[str, str]:
    """The first of the callers holds a position that may import and export everything."""
    person, session = data.sessions()[0]
    database, now = Database(place.url, 2), clock.now()
    async with database.work() as work:
        term = Term(
            position_code="staff",
            person_id=UUID(str(person)),
            starts_on=clock.today(),
            basis=TermBasis.ELECTION,
            recorded_at=now,
            updated_at=now,
        )
        await terms.record(work, None, term, await work.get_one(Position, "staff"))
    await database.close()
    return {"Authorization": f"Bearer {tokens.access_token(person, session)}"}


def _fetched(url: str, headers: dict[str, str]) -> int:
    size = 0
    asked = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(asked, timeout=300) as answer:
        while piece := answer.read(1 << 16):
            size += len(piece)
    return size


def _others(place: Place) -> dict[str, list[measures.Request]]:
    """Members who read the list of discussions, and members who post."""
    return {"reads": measures.reading_list(), "writes": measures.writing(place)}


def _slower(
    what: str, place: Place, usual: Mapping[str, Waits], waits: Mapping[str, Waits]
) -> Iterator[Line]:
    """How many times longer others wait beside it."""
    for kind, found in waits.items():
        times = found.p95 / usual[kind].p95
        line = table.limit(f"{what}: p95 of others' {kind}", place.kind, times, "times", 2)
        yield line._replace(met=f"NO: {found.refused} failed") if found.refused else line


async def measured(place: Place, server: Server, directory: Path, rows: int) -> list[Line]:
    """The lines of the table for one database."""
    headers = await _staff(place)
    api = f"http://127.0.0.1:{server.port}/api/v1"
    asked = _others(place)
    file = written(directory / f"members-{place.kind}.csv", WARM_UP_ROWS, rows)
    warm_up = written(directory / f"few-{place.kind}.csv", 0, WARM_UP_ROWS)
    floor = rows / await _floor(place, file)
    async with others(server.port, asked):
        await asyncio.sleep(1)  # what is remembered is remembered
    async with others(server.port, asked) as usual:
        await asyncio.sleep(USUAL_SECONDS)
    alone = "COPY + upsert" if place.kind == "PostgreSQL" else "executemany"
    found = []
    for name, outcome in (("first run", "created"), ("re-run", "unchanged")):
        async with others(server.port, asked) as waits:
            done = await _imported(place, file, warm_up, api=api, headers=headers)
        if done["counts"][outcome] != rows:
            raise SystemExit(f"The import came to {done['counts']}.")
        what = f"import of {rows:,} rows, {name}"
        found.append(table.held(what, place.kind, rows / done["seconds"], alone, floor, 0.5))
        more = done["most"] - done["idle"]
        found.append(table.limit(f"{what}: memory", place.kind, more, "MB", MOST_MEGABYTES))
        found += _slower(what, place, usual, waits)
    for form in ("csv", "xlsx"):
        before, started = server.memory, time.perf_counter()
        path = f"{api}/communities/{COMMUNITY}/memberships/export?format={form}"
        times = 0
        async with others(server.port, asked) as waits:
            while time.perf_counter() - started < EXPORT_SECONDS:  # or there are too few waits
                await asyncio.to_thread(_fetched, path, headers)
                times += 1
        rate = rows * times / (time.perf_counter() - started)
        what = f"export of {rows:,} rows as {form}"
        found.append(table.held(what, place.kind, rate))
        more = server.memory - before
        found.append(table.limit(f"{what}: memory", place.kind, more, "MB", MOST_MEGABYTES))
        found += _slower(what, place, usual, waits)
    return found
