"""What the calendar makes of requests to join, said once on the log, after which a mail follows.

That one expires takes no doing: the last day for the answer is over (join_states.STATE).
"""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock
from app.db import Source, Work, insert_ignoring
from app.models import Announcement, JoinRequest, JoinRequestStatus
from app.services.join_states import in_state

KIND = "join_request.expired"
_ALL = 1000
_SAID = (
    sa.select(col(Announcement.kind))
    .where(col(Announcement.kind) == KIND, col(Announcement.subject_id) == JoinRequest.id)
    .correlate(JoinRequest)
)
_EXPIRED = (
    sa.select(JoinRequest.id, JoinRequest.community_id, JoinRequest.answer_due_on)
    .where(in_state(JoinRequestStatus.EXPIRED), ~_SAID.exists())
    .order_by(col(JoinRequest.id))
    .limit(_ALL)
)


async def _unsaid(source: Source) -> list[Any]:
    return await source.rows(_EXPIRED, today=clock.today())


async def due(source: Source) -> bool:
    """True if something is to be said: looked at without a unit of work, which would lock."""
    return bool(await _unsaid(source))


async def announce(work: Work) -> int:
    """Records what has come about since the last time; how many records that made."""
    said = 0
    for row in await _unsaid(work):
        key = {"kind": KIND, "subject_id": row.id, "detail": "", "announced_at": clock.now()}
        if await work.written(insert_ignoring(work, Announcement, key)) != 1:
            continue
        activity.record(
            work,
            KIND,
            None,
            row.id,
            community_id=row.community_id,
            answer_due_on=row.answer_due_on,
        )
        said += 1
    return said
