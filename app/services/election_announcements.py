"""What an election's timetable brings about, said once on the log, after which mails follow.

The phases come by themselves; this says so, also after a server was down over midnight. That voting
has begun is said by the unit of work that writes the roll down, if nobody has voted before.
"""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock
from app.db import Source, Work, insert_ignoring
from app.models import Announcement, Election
from app.services import contests, rolls
from app.services.contests import State


def _under_way() -> tuple[Any, ...]:
    """The conditions that voting has begun, and that its end was not said yet."""
    ended = sa.select(col(Announcement.kind)).where(
        col(Announcement.kind) == "election.voting_ended",
        col(Announcement.subject_id) == Election.id,
    )
    return (
        col(Election.voting_from) <= clock.today(),
        col(Election.cancelled_at).is_(None),
        col(Election.certified_at).is_(None),
        ~ended.correlate(Election).exists(),
    )


async def due(source: Source) -> bool:
    """True if something may have to be said: looked at without a unit of work."""
    return bool(await source.rows(sa.select(Election.id).where(*_under_way()).limit(1)))


async def announce(work: Work) -> int:
    """Records what has come about since the last time; how many records that made."""
    rows = await work.rows(
        sa.select(Election.id, Election.voting_from, Election.voting_until).where(
            col(Election.voting_from) <= clock.today(),
            col(Election.cancelled_at).is_(None),
            col(Election.certified_at).is_(None),
        )
    )
    known = await work.rows(
        sa.select(Announcement.kind, Announcement.subject_id).where(
            col(Announcement.subject_id).in_([row.id for row in rows])
        )
    )
    said_of = {(row.subject_id, row.kind) for row in known}
    said = 0
    for row in rows:
        if (row.id, "election.voting_ended") in said_of:
            continue
        # Voters take turns at an election: it is held only where there is something to say.
        if any((row.id, f"election.{what}") not in said_of for what in _due(row)):
            election = await work.locked(Election, row.id)
            said += await _announce(work, election, await contests.state(work, election))
    return said


def _due(election: Any) -> list[str]:
    """What is to be said of an election today that had a ballot."""
    today = clock.today()
    if today > election.voting_until:
        return ["voting_ended"]
    closing = election.voting_from < today == election.voting_until
    return ["voting_began", "voting_closing"] if closing else ["voting_began"]


async def _announce(work: Work, election: Election, state: State) -> int:
    today, said = clock.today(), 0
    over = not state.turnout.contested or today > election.voting_until
    if state.turnout.contested:
        await rolls.freeze(work, election)
        said += await _say(work, election, "voting_began", roll=election.roll_size)
    if not over and election.voting_from < today == election.voting_until:
        said += await _say(work, election, "voting_closing")
    if over:
        facts = {
            "roll": election.roll_size or 0,
            "cast": state.turnout.cast,
            "phase": state.phase.value,
        }
        said += await _say(work, election, "voting_ended", **facts)
    return said


async def _say(work: Work, election: Election, what: str, **facts: Any) -> int:
    """1 for the first that says this, otherwise 0."""
    row = {
        "kind": f"election.{what}",
        "subject_id": election.id,
        "detail": "",
        "announced_at": clock.now(),
    }
    if not await work.written(insert_ignoring(work, Announcement, row)):
        return 0
    place = election.community_id
    activity.record(work, f"election.{what}", None, election.id, community_id=place, **facts)
    return 1
