"""What the calendar brings about for verifications, said once on the log, after which mails follow.

That one lapses takes no doing: the condition under which it counts is over (seating.confirmed).
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock
from app.db import Source, Work, insert_ignoring
from app.models import Announcement, EligibilityVerification, VerificationStatus
from app.services import communities

SOON = timedelta(days=30)
_ALL = 1000
_Later = aliased(EligibilityVerification)


def _unsaid(kind: str, *conditions: Any) -> Any:
    """Confirmed verifications of which this was not said, and that no longer one took over from."""
    said = (
        sa.select(col(Announcement.kind))
        .where(
            col(Announcement.kind) == kind,
            col(Announcement.subject_id) == EligibilityVerification.id,
        )
        .correlate(EligibilityVerification)
    )
    renewed = (
        sa.select(_Later.id)
        .where(
            col(_Later.community_id) == EligibilityVerification.community_id,
            sa.or_(
                col(_Later.person_id) == EligibilityVerification.person_id,
                # Of somebody without an account the address alone is known.
                sa.and_(
                    col(_Later.person_id).is_(None),
                    col(EligibilityVerification.person_id).is_(None),
                    col(_Later.email_key) == EligibilityVerification.email_key,
                ),
            ),
            col(_Later.status) == VerificationStatus.CONFIRMED,
            col(_Later.until_on) > EligibilityVerification.until_on,
        )
        .correlate(EligibilityVerification)
    )
    return (
        sa.select(
            EligibilityVerification.id,
            EligibilityVerification.community_id,
            EligibilityVerification.person_id,
            EligibilityVerification.occupation_code,
            EligibilityVerification.until_on,
        )
        .where(
            col(EligibilityVerification.status) == VerificationStatus.CONFIRMED,
            *conditions,
            ~said.exists(),
            ~renewed.exists(),
        )
        .order_by(col(EligibilityVerification.id))
        .limit(_ALL)
    )


_TODAY = sa.bindparam("today", type_=sa.Date)
_LAPSED = _unsaid("eligibility.lapsed", col(EligibilityVerification.until_on) < _TODAY)
_ENDING = _unsaid(
    "eligibility.ending_soon",
    col(EligibilityVerification.until_on) >= _TODAY,
    col(EligibilityVerification.until_on) <= sa.bindparam("soon", type_=sa.Date),
    # Of one that was short from the beginning its owner knows.
    col(EligibilityVerification.confirmed_on) < sa.bindparam("before", type_=sa.Date),
)


async def _found(source: Source) -> list[tuple[str, Any]]:
    today = clock.today()
    lapsed = await source.rows(_LAPSED, today=today)
    ending = await source.rows(_ENDING, today=today, soon=today + SOON, before=today)
    return [("lapsed", row) for row in lapsed] + [("ending_soon", row) for row in ending]


async def due(source: Source) -> bool:
    """True if something is to be said: looked at without a unit of work, which would lock."""
    return bool(await _found(source))


async def announce(work: Work) -> int:
    """Records what has come about since the last time; how many records that made."""
    said = 0
    for what, row in await _found(work):
        key = {
            "kind": f"eligibility.{what}",
            "subject_id": row.id,
            "detail": "",
            "announced_at": clock.now(),
        }
        if await work.written(insert_ignoring(work, Announcement, key)) != 1:
            continue
        activity.record(
            work,
            f"eligibility.{what}",
            None,
            row.id,
            community_id=row.community_id,
            person_id=row.person_id,
            occupation_code=row.occupation_code,
            until_on=row.until_on,
        )
        await communities.touch_roster(work, row.community_id)
        said += 1
    return said
