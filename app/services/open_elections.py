"""The elections that are under way, for seats that somebody looks at from elsewhere."""

from datetime import date, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import col

from app import clock
from app.db import Source
from app.models import Contest, Election, ElectionPhase, Turnout
from app.models.elections import phase_on
from app.services import contests
from app.services.elections import UNDER_WAY

# A result that nobody has certified after so many days waits for somebody.
PATIENCE = timedelta(days=7)

_OPEN = (
    contests.CONTESTS.join(Election, col(Election.id) == Contest.election_id)
    .add_columns(
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
    )
    .where(col(Election.cancelled_at).is_(None), col(Election.certified_at).is_(None))
)


class UnderWay(NamedTuple):
    """An election that is neither over nor called off, and its contests."""

    id: UUID
    community_id: UUID
    phase: ElectionPhase
    contests: list[Any]

    def overdue(self, day: date) -> bool:
        """True if the terms should have begun, or if the result has waited for too long."""
        waits = self.phase is ElectionPhase.COUNTING
        late = waits and day > self.contests[0].voting_until + PATIENCE
        return late or any(contest.starts_on <= day for contest in self.contests)

    def fills(self, position: str, number: int) -> bool:
        """True if this seat of the position is, or may be, what is elected."""
        return any(
            contest.position_code == position
            and (contest.seat_numbers is None or number in contest.seat_numbers)
            for contest in self.contests
        )


async def in_communities(source: Source, community_ids: set[UUID]) -> list[UnderWay]:
    """The elections under way in communities, the earliest opened first: in one statement."""
    rows = await source.rows(_OPEN.where(col(Election.community_id).in_(community_ids)))
    found = []
    for election_id, group in groupby(rows, key=lambda row: row.election_id):
        listed = list(group)
        phase = _phase(listed)
        if phase in UNDER_WAY:
            found.append(UnderWay(election_id, listed[0].community_id, phase, listed))
    return found


def _phase(listed: list[Any]) -> ElectionPhase:
    election = listed[0]
    turnout = Turnout(
        candidates=sum(contest.stood for contest in listed),
        contested=any(contests.on_ballot(contest, election.acclamation) for contest in listed),
        # While a roll is not written down nobody has voted, whatever its size.
        roll=election.roll_size if election.roll_size is not None else 1,
        cast=election.cast,
    )
    return phase_on(election, turnout, clock.now())
