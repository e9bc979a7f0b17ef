"""The elections that are under way, for seats that somebody looks at from elsewhere."""

from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.db import Source
from app.models import Election, ElectionPhase
from app.services import contests
from app.services.elections import UNDER_WAY

# A result that nobody has certified after so many days waits for somebody.
PATIENCE = timedelta(days=7)

_OPEN = sa.select(
    Election.id,
    Election.community_id,
    Election.nominations_from,
    Election.nominations_until,
    Election.acceptance_until,
    Election.voting_from,
    Election.voting_until,
    Election.quorum,
    Election.acclamation,
    Election.roll_size,
    Election.cancelled_at,
    Election.certified_at,
).where(col(Election.cancelled_at).is_(None), col(Election.certified_at).is_(None))


class UnderWay(NamedTuple):
    """An election that is neither over nor called off."""

    election: Any
    state: contests.State

    def overdue(self, day: date) -> bool:
        """True if the terms should have begun, or if the result has waited for too long."""
        waits = self.state.phase is ElectionPhase.COUNTING
        late = waits and day > self.election.voting_until + PATIENCE
        return late or any(contest.starts_on <= day for contest in self.state.contests)

    def fills(self, position: str, number: int) -> bool:
        """True if this seat of the position is, or may be, what is elected."""
        return any(
            contest.position_code == position
            and (contest.seat_numbers is None or number in contest.seat_numbers)
            for contest in self.state.contests
        )


async def in_communities(source: Source, community_ids: set[UUID]) -> list[UnderWay]:
    """The elections under way in communities, in three statements at most, save while a roll of
    voters is not written down yet."""
    wanted = _OPEN.where(col(Election.community_id).in_(community_ids))
    rows = await source.rows(wanted.order_by(col(Election.id)))
    if not rows:
        return []
    states = await contests.states(source, rows)
    found = [UnderWay(row, states[row.id]) for row in rows]
    return [one for one in found if one.state.phase in UNDER_WAY]
