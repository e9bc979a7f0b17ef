"""The seal of the activity log: right after the commit, one consumer gives each row its place.

Places have no gaps, and each seal is an HMAC over the row and its predecessor's seal, so that a
row that was changed, removed or added shows. The head has a seal of its own: a cut tail shows too.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlmodel import col

from app import tokens
from app.db import Work
from app.models import Activity, ActivityHead
from app.reader import Prepared, Reader

BATCH = 200
START = "0" * 64

Hear = Callable[[Work, Activity], Awaitable[None]]


def _mac(*parts: str) -> str:
    return hmac.new(tokens.key("seal"), "\n".join(parts).encode(), hashlib.sha256).hexdigest()


def seal_of(row: Any, place: int, previous: str) -> str:
    """The seal of a row at its place, after its predecessor."""
    content = orjson.dumps(
        [
            str(row.id),
            row.kind,
            row.occurred_at,
            str(row.actor_kind),
            str(row.actor_id),
            str(row.community_id),
            row.subject_kind,
            row.subject_id,
            row.facts,
        ],
        option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z,
    )
    return _mac(previous, str(place), content.decode())


def _head_seal(place: int, seal: str) -> str:
    return _mac("head", str(place), seal)


async def seal(work: Work, hear: Hear) -> int:
    """Seals the rows that are waiting, tells each to `hear` (mail and other readers), and says
    how many there were. The head's lock lets one consumer at a time through."""
    head = await work.get(ActivityHead, 1, with_for_update=True, populate_existing=True)
    if head is None:
        head = ActivityHead(place=0, seal=START, head_seal=_head_seal(0, START))
        work.add(head)
        await work.flush()
    waiting = await work.execute(
        sa.select(Activity)
        .where(col(Activity.place).is_(None))
        .order_by(col(Activity.id))
        .limit(BATCH)
    )
    rows = list(waiting.scalars())
    for row in rows:
        row.place = head.place + 1
        row.seal = seal_of(row, row.place, head.seal)
        head.place, head.seal = row.place, row.seal
        await hear(work, row)
    if rows:
        head.head_seal = _head_seal(head.place, head.seal)
        await work.flush()
    return len(rows)


_WAITING = Prepared(sa.select(sa.func.count().label("rows")).where(col(Activity.place).is_(None)))


async def waiting(reader: Reader) -> int:
    """How many rows wait for their seal."""
    return await reader.scalar(_WAITING)


class Fault(NamedTuple):
    """The first thing that is wrong with the log."""

    place: int
    what: str


async def verify(reader: Reader) -> tuple[int, Fault | None]:
    """Walks the whole log: how many rows are sealed, and the first fault, if any."""
    previous, place = START, 0
    while True:
        rows = await reader.rows(
            sa.select(*Activity.__table__.columns)  # type: ignore[attr-defined]
            .where(col(Activity.place) > place)
            .order_by(col(Activity.place))
            .limit(1000)
        )
        if not rows:
            break
        for row in rows:
            if row.place != place + 1:
                return place, Fault(place + 1, "removed")
            if row.seal != seal_of(row, row.place, previous):
                return place, Fault(row.place, "changed or added")
            previous, place = row.seal, row.place
    head = await reader.first(
        sa.select(ActivityHead.place, ActivityHead.seal, ActivityHead.head_seal)
    )
    if head is None:
        return place, Fault(1, "removed") if place else None
    if head.head_seal != _head_seal(head.place, head.seal):
        return place, Fault(head.place, "the head was changed")
    if head.place != place or head.seal != previous:
        return place, Fault(
            min(head.place, place) + 1, "removed" if place < head.place else "added"
        )
    return place, None
