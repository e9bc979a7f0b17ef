"""That a token for a script ends soon, said once on the log, after which its owner is mailed."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock
from app.db import Source, Work, insert_ignoring
from app.models import AccessToken, Announcement
from app.models.base import Instant
from app.reader import Prepared

SOON = timedelta(days=7)
_KIND = "access_token.ending_soon"
_SAID = (
    sa.select(col(Announcement.kind))
    .where(col(Announcement.kind) == _KIND, col(Announcement.subject_id) == AccessToken.id)
    .correlate(AccessToken)
)
_NEARING = Prepared(
    sa.select(AccessToken.id, AccessToken.person_id, AccessToken.created_at, AccessToken.expires_at)
    .where(
        col(AccessToken.revoked_at).is_(None),
        col(AccessToken.expires_at) > sa.bindparam("now", type_=Instant),
        col(AccessToken.expires_at) <= sa.bindparam("soon", type_=Instant),
        ~_SAID.exists(),
    )
    .order_by(col(AccessToken.expires_at), col(AccessToken.id))
)


async def _nearing(source: Source) -> list[Any]:
    """Tokens that end soon; of one that was short from the beginning its owner knows."""
    now = clock.now()
    rows = await source.rows(_NEARING, now=now, soon=now + SOON)
    return [row for row in rows if row.expires_at - row.created_at > SOON]


async def due(source: Source) -> bool:
    """True if something is to be said: looked at without a unit of work, which would lock."""
    return bool(await _nearing(source))


async def announce(work: Work) -> int:
    """Records what has come about since the last time; how many records that made."""
    said = 0
    for row in await _nearing(work):
        key = {
            "kind": _KIND,
            "subject_id": row.id,
            "detail": "",
            "announced_at": clock.now(),
        }
        if await work.written(insert_ignoring(work, Announcement, key)):
            # Its end is the midnight after its last day.
            last = clock.day_of(row.expires_at - timedelta(seconds=1))
            activity.record(work, _KIND, None, row.id, person_id=row.person_id, expires_on=last)
            said += 1
    return said
