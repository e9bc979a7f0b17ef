"""Whether somebody who is not calling at the moment still has a right in a place.

It follows the rules of Standing (policy.py): what was begun with a right stops with the term, the
membership or the account that gave it. That a person has signed out since is no reason to stop.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import clock
from app.capabilities import MEMBER, Capability
from app.db import Source
from app.models import Grant, Membership, Person, Position, Term
from app.reader import Prepared
from app.services import seating
from app.services.seating import TODAY


def _statement() -> Prepared:
    """The person, if the right is theirs; compared with no community, only what holds everywhere
    does."""
    person, community = (sa.bindparam(name, type_=sa.Uuid) for name in ("person", "community"))
    given: Any = col(Grant.capability) == sa.bindparam("capability")
    office = aliased(Position)
    here = sa.or_(col(Term.community_id).is_(None), col(Term.community_id) == community)
    own = sa.or_(
        col(Grant.grantee) == Term.position_code,
        sa.and_(col(Grant.grantee) == Position.acts_for, seating.acting_seat(TODAY).is_not(None)),
    )
    # An office of the association comes with the position wherever that is held.
    with_it = col(Grant.grantee).in_(
        sa.select(col(office.code)).where(col(office.held_with) == Term.position_code)
    )
    held = (
        sa.select(Term.id)
        .join(Position, col(Position.code) == Term.position_code)
        .join(Grant, sa.or_(sa.and_(own, here), with_it))
        .where(col(Term.person_id) == Person.id, given, seating.counts(TODAY))
        .correlate(Person)
        .exists()
    )
    member = (
        sa.select(Membership.id)
        .join(Grant, sa.and_(col(Grant.grantee) == MEMBER, given))
        .where(
            col(Membership.person_id) == Person.id,
            col(Membership.community_id) == community,
            seating.membership_runs(TODAY),
            seating.suspended_until(TODAY).is_(None),
            seating.paused_until(TODAY).is_(None),
            seating.verified(TODAY, Membership.person_id, Membership.community_id),
        )
        .correlate(Person)
        .exists()
    )
    return Prepared(
        sa.select(Person.id).where(
            col(Person.id) == person, col(Person.deactivated_at).is_(None), sa.or_(held, member)
        )
    )


# Made once: an import asks before each batch, and to put it together takes longer than the batch.
_REMAINS = _statement()


async def remain(
    source: Source, person_id: UUID, capability: Capability, community_id: UUID | None
) -> bool:
    """True while a person's positions, or their membership, give them a capability in a community;
    in the association as a whole where none is named."""
    found = await source.first(
        _REMAINS,
        today=clock.today(),
        person=person_id,
        capability=capability,
        community=community_id,
    )
    return found is not None
