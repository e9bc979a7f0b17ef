"""Data to measure on: always the same rows for the same number of posts, loaded in bulk.

One community has all the members and all the discussions, so that its lists are as long as they
get. Every eleventh post or so is a discussion's first. One discussion is long: its posts are as
many as all others together, and never fewer than page 10,000 needs.
"""

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.dialects.sqlite import pysqlite

from app.models import Agreement, Discussion, Membership, Person, Post, Session

BATCH = 10_000
MEMBERS = 20_000
CALLERS = 32
POSTS_EACH = 10
PAGE = 50
DEEP_PAGE = 10_000
BEGAN = datetime(2025, 1, 6, 12, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
COMMUNITY = "drug-treatment-court"

_TEXT = """court drug treatment sanction incentive housing sponsor relapse review team judge crown
counsel clinic intake status hearing graduation peer support trauma record cohort referral"""
_WORDS = _TEXT.split()
_KINDS = ("person", "session", "membership", "discussion", "post")


def id_of(kind: str, number: int) -> UUID:
    """The id of the n-th thing of a kind; ids are in the order of numbers."""
    return UUID(f"01940000-0000-7{_KINDS.index(kind):03x}-8000-{number:012x}")


class Shape(NamedTuple):
    """How many rows of each kind there are for a number of posts."""

    discussions: int
    long_posts: int

    @property
    def deep_page_size(self) -> int:
        """How many posts a page may have so that the long discussion has a page 10,000."""
        return min(PAGE, self.long_posts // DEEP_PAGE)


def shape(posts: int) -> Shape:
    """Half of the posts are in the long discussion, the others spread over short ones."""
    return Shape(
        discussions=max(PAGE + CALLERS, posts // 2 // POSTS_EACH),
        long_posts=max(posts // 2, DEEP_PAGE) + PAGE,
    )


def sessions() -> list[tuple[UUID, UUID]]:
    """The people who call, and their sessions."""
    return [(id_of("person", n), id_of("session", n)) for n in range(CALLERS)]


def _people() -> Iterator[dict[str, Any]]:
    for n in range(MEMBERS):
        address = f"member.{n}@example.org"
        yield {
            "id": id_of("person", n),
            "name": f"Member {n}",
            "email": address,
            "email_key": address,
            "email_verified_at": BEGAN,
            "occupation": "Court coordinator",
            "occupation_code": "other",
            "affiliation": "Provincial Court",
            "language": "en",
            "created_at": BEGAN,
            "updated_at": BEGAN,
            "version": 1,
        }


def _sessions() -> Iterator[dict[str, Any]]:
    for person, session in sessions():
        yield {
            "id": session,
            "person_id": person,
            "client": "benchmark",
            "created_at": BEGAN,
            "last_used_at": BEGAN,
            "expires_at": FAR,
        }


def _agreements() -> Iterator[dict[str, Any]]:
    for n in range(MEMBERS):
        yield {
            "person_id": id_of("person", n),
            "rules_version": 1,
            "agreed_at": BEGAN,
            "language": "en",
        }


def _memberships(community: UUID) -> Iterator[dict[str, Any]]:
    for n in range(MEMBERS):
        yield {
            "id": id_of("membership", n),
            "community_id": community,
            "person_id": id_of("person", n),
            "category": "practitioner",
            "since_on": BEGAN.date(),
            "created_at": BEGAN,
            "updated_at": BEGAN,
            "version": 1,
        }


def author(n: int) -> dict[str, Any]:
    """The identity line of the n-th post."""
    return {
        "person_id": str(id_of("person", n % MEMBERS)),
        "name": f"Member {n % MEMBERS}",
        "occupation": "Court coordinator",
        "affiliation": "Provincial Court",
        "position": None,
        "acting": False,
    }


def _posts_of(n: int, form: Shape) -> int:
    if n == 0:
        return form.long_posts
    return PAGE if n <= CALLERS else POSTS_EACH


def _discussions(community: UUID, form: Shape) -> Iterator[dict[str, Any]]:
    words = random.Random(1)
    for n in range(form.discussions):
        at = BEGAN + timedelta(minutes=n)
        yield {
            "id": id_of("discussion", n),
            "community_id": community,
            "title": " ".join(words.choices(_WORDS, k=7)).capitalize(),
            "tags": words.choices(_WORDS, k=2),
            "language": "en",
            "status": "open",
            "author_id": id_of("person", n % MEMBERS),
            "author": author(n),
            "post_count": _posts_of(n, form),
            "created_at": at,
            "last_posted_at": at,
            "updated_at": at,
            "version": 1,
        }


def _posts(community: UUID, form: Shape) -> Iterator[dict[str, Any]]:
    words, count = random.Random(2), 0
    for n in range(form.discussions):
        at = BEGAN + timedelta(minutes=n)
        for number in range(1, _posts_of(n, form) + 1):
            count += 1
            text = " ".join(words.choices(_WORDS, k=40))
            yield {
                "id": id_of("post", count),
                "discussion_id": id_of("discussion", n),
                "community_id": community,
                "number": number,
                "author_id": id_of("person", count % MEMBERS),
                "author": author(count),
                "body": text,
                "body_html": f"<p>{text}</p>\n",
                "language": "en",
                "status": "visible",
                "created_at": at,
                "updated_at": at,
                "version": 1,
            }


def _tables(community: UUID, form: Shape) -> list[tuple[Any, Iterator[dict[str, Any]]]]:
    return [
        (Person, _people()),
        (Session, _sessions()),
        (Agreement, _agreements()),
        (Membership, _memberships(community)),
        (Discussion, _discussions(community, form)),
        (Post, _posts(community, form)),
    ]


def _binds(model: Any, names: list[str], dialect: sa.Dialect) -> list[Any]:
    table = model.__table__
    return [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]


def _stored(
    model: Any, rows: Iterator[dict[str, Any]], dialect: sa.Dialect
) -> Iterator[tuple[list[str], list[tuple[Any, ...]]]]:
    """The rows as the driver stores them, a batch at a time, with the names of their columns."""
    names: list[str] = []
    binds: list[Any] = []
    while batch := list(islice(rows, BATCH)):
        if not names:
            names = list(batch[0])
            binds = _binds(model, names, dialect)
        yield (
            names,
            [
                tuple(
                    value if bind is None else bind(value)
                    for bind, value in zip(binds, row.values(), strict=True)
                )
                for row in batch
            ],
        )


async def fill(url: str, posts: int) -> None:
    """Loads so many posts, and all that belongs to them, into a seeded database."""
    if url.startswith("sqlite"):
        _fill_sqlite(url.removeprefix("sqlite:///"), shape(posts))
    else:
        await _fill_postgres(url, shape(posts))


def _fill_sqlite(path: str, form: Shape) -> None:
    dialect = pysqlite.dialect()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")  # only here: a bench that fails is run again
    found = connection.execute("SELECT id FROM community WHERE slug = ?", (COMMUNITY,)).fetchone()
    connection.execute("BEGIN")
    for model, rows in _tables(UUID(found[0]), form):
        for names, batch in _stored(model, rows, dialect):
            marks = ", ".join("?" for _ in names)
            insert = f"INSERT INTO {model.__tablename__} ({', '.join(names)}) VALUES ({marks})"
            connection.executemany(insert, batch)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _fill_postgres(url: str, form: Shape) -> None:
    dialect = asyncpg_dialect.dialect()
    connection = await asyncpg.connect(url)
    community = await connection.fetchval("SELECT id FROM community WHERE slug = $1", COMMUNITY)
    for model, rows in _tables(community, form):
        for names, batch in _stored(model, rows, dialect):
            await connection.copy_records_to_table(
                model.__tablename__, records=batch, columns=names
            )
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()
