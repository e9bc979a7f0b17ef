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
from app.db import Work, insert_ignoring
from app.models import Activity, ActivityHead, Association, metadata
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
            row.acting,
        ],
        option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z,
    )
    return _mac(previous, str(place), content.decode())


def _head_seal(place: int, seal: str) -> str:
    return _mac("head", str(place), seal)


async def seal(work: Work, hear: Hear) -> int:
    """Seals the rows that are waiting, tells each to `hear` (mail and other readers), and says
    how many there were. The head's lock lets one consumer at a time through."""
    head = await _head(work)
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


async def _head(work: Work) -> ActivityHead:
    """The head, held for this unit of work alone; two consumers may find none at once."""
    head = await work.get(ActivityHead, 1, with_for_update=True, populate_existing=True)
    if head is not None:
        return head
    first = {"id": 1, "place": 0, "seal": START, "head_seal": _head_seal(0, START)}
    await work.execute(insert_ignoring(work, ActivityHead, first))
    return await work.locked(ActivityHead, 1)


_WAITING = Prepared(sa.select(sa.func.count().label("rows")).where(col(Activity.place).is_(None)))


async def waiting(reader: Reader) -> int:
    """How many rows wait for their seal."""
    return await reader.scalar(_WAITING)


class Fault(NamedTuple):
    """The first thing that is wrong with the log, and the row where it is, if it is there."""

    place: int
    what: str
    row: str | None = None


_STEP = 1000
_SEALED = Prepared(
    sa.select(*metadata.tables["activity"].columns)
    .where(col(Activity.place) > sa.bindparam("after", type_=sa.BigInteger))
    .order_by(col(Activity.place))
    .limit(_STEP)
)
_HEAD = Prepared(sa.select(*metadata.tables["activity_head"].columns))
# Loading the defaults is recorded, so a log with nothing in it has been emptied.
_EMPTIED = Prepared(
    sa.select(Association.id).where(~sa.select(Activity.id).correlate(None).exists())
)


async def verify(reader: Reader) -> tuple[int, Fault | None]:
    """Walks the whole log: how many rows are sealed and whole, and the first fault, if any.

    It may run beside a server: what is sealed meanwhile is walked too.
    """
    previous, place, after = START, 0, -(2**62)
    while True:
        rows = await reader.rows(_SEALED, after=after)
        for row in rows:
            fault = _fault(row, place, previous)
            if fault is not None:
                return place, fault
            previous, place, after = row.seal, row.place, row.place
        if not rows:
            # Read after the rows: the head may be ahead of them by then, never behind.
            head = await reader.first(_HEAD)
            if head is None or head.place <= place or not await reader.rows(_SEALED, after=after):
                return place, await _head_fault(reader, head, place, previous)


def _fault(row: Any, place: int, previous: str) -> Fault | None:
    """What is wrong with a row that follows this place and this seal."""
    if row.place > place + 1:
        return Fault(place + 1, "removed")
    if row.place <= place or row.seal != seal_of(row, row.place, previous):
        return Fault(row.place, "changed or added", f"{row.kind} {row.id}")
    return None


async def _head_fault(reader: Reader, head: Any, place: int, previous: str) -> Fault | None:
    """What the head says that the rows do not: a tail was cut off, or the head itself changed."""
    if head is None:
        gone = place or await reader.first(_EMPTIED) is not None
        return Fault(place + 1, "the head was removed") if gone else None
    if head.head_seal != _head_seal(head.place, head.seal):
        return Fault(head.place, "the head was changed")
    if head.place > place:
        return Fault(place + 1, "removed")
    if head.place < place or head.seal != previous:
        return Fault(place, "the head was put back")
    return None
