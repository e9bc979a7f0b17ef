"""The roll of voters: who could vote at the first moment of voting, whoever asks and whenever.

It is written down once, by the first unit of work that needs it after that moment; until then it
is read from what the tables say of that moment: memberships, suspensions, accounts, terms and
the permission table as they were.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.db import Source, Work
from app.listing import Listing
from app.models import Activity, Election, Grant, Membership, Person, Term, Voter, metadata
from app.policy import MEMBER, Capability
from app.services import seating

_GRANTEES = sa.select(col(Grant.grantee)).where(col(Grant.capability) == Capability.ELECTIONS_VOTE)
_CHANGES = (
    sa.select(col(Activity.facts))
    .where(
        col(Activity.kind) == "grant.changed",
        col(Activity.subject_id) == Capability.ELECTIONS_VOTE.value,
    )
    .order_by(col(Activity.id).desc())
)
VOTERS = Listing(
    sa.select(
        col(Voter.person_id).label("id"),
        Voter.voted,
        Person.name,
        Person.occupation,
        Person.affiliation,
    )
    .join(Person, col(Person.id) == Voter.person_id)
    .where(col(Voter.election_id) == sa.bindparam("election", type_=sa.Uuid)),
    col(Voter.person_id).label("id"),
)


def shown(row: Any) -> dict[str, Any]:
    """Somebody on the roll, and whether they have voted."""
    line = row._asdict()
    return {"voted": line.pop("voted"), "person": line}


async def _grantees(source: Source, at: datetime) -> set[str]:
    """Who was given the right to vote at an instant: the table without what came after."""
    given = {row.grantee for row in await source.rows(_GRANTEES)}
    for row in await source.rows(_CHANGES.where(col(Activity.occurred_at) >= at)):
        given.difference_update(row.facts["added"])
        given.update(row.facts["removed"])
    return given


async def _entitled(source: Source, election: Any) -> Any:
    """The people who may vote in an election, as a statement that gives their ids.

    That they agree to the rules is asked of them when they vote.
    """
    day = election.voting_from
    begins = clock.start_of(day)
    given = await _grantees(source, begins)
    member = sa.select(col(Membership.person_id)).where(
        col(Membership.community_id) == election.community_id,
        seating.membership_runs(day, Membership, begins),
        # Somebody who is entered later belongs from then on, whatever day is written down.
        col(Membership.created_at) < begins,
        seating.suspended_until(day, Membership, begins).is_(None),
        seating.paused_until(day, Membership, begins).is_(None),
        seating.verified(day, Membership.person_id, Membership.community_id, begins),
    )
    holder = sa.select(col(Term.person_id)).where(
        col(Term.community_id) == election.community_id,
        col(Term.position_code).in_(given),
        seating.counts(day, Term, begins),
    )
    allowed = col(Person.id).in_(member)
    if MEMBER not in given:
        allowed = sa.and_(allowed, col(Person.id).in_(holder))
    return sa.select(col(Person.id)).where(
        allowed,
        sa.or_(col(Person.deactivated_at).is_(None), col(Person.deactivated_at) >= begins),
    )


async def freeze(work: Work, election: Election) -> None:
    """Writes the roll of an election down, once; the election is locked by the caller."""
    if election.roll_size is not None:
        return
    entitled = await _entitled(work, election)
    people = entitled.add_columns(
        sa.literal(election.id, type_=sa.Uuid).label("election_id"), sa.false().label("voted")
    )
    election.roll_size = await work.written(
        sa.insert(metadata.tables["voter"]).from_select(
            ["person_id", "election_id", "voted"], people
        )
    )
    await work.flush()


async def size(source: Source, election: Any) -> int:
    """How many are on the roll of an election whose voting has begun."""
    if election.roll_size is not None:
        return election.roll_size
    entitled = (await _entitled(source, election)).subquery()
    row = await source.one(sa.select(sa.func.count().label("voters")).select_from(entitled))
    return row.voters


async def votes_of(
    source: Source, elections: Sequence[Any], person_id: UUID
) -> dict[UUID, dict[str, bool]]:
    """Whether somebody is on the rolls of elections, and whether they have voted: by election."""
    frozen = [election.id for election in elections if election.roll_size is not None]
    rows = await source.rows(
        sa.select(Voter.election_id, Voter.voted).where(
            col(Voter.election_id).in_(frozen), col(Voter.person_id) == person_id
        )
    )
    voted = {row.election_id: row.voted for row in rows}
    found = {}
    for election in elections:
        on_roll = election.id in voted
        if election.roll_size is None:
            entitled = await _entitled(source, election)
            on_roll = await source.first(entitled.where(col(Person.id) == person_id)) is not None
        found[election.id] = {"on_roll": on_roll, "voted": voted.get(election.id, False)}
    return found
