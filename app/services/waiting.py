"""Who may decide what waits, and what waits for each of them: behind the gathered reminders.

It follows the rules of Standing (policy.py) for many people at once: terms and memberships that
run today, no suspension, and nobody's own case.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.db import Work
from app.models import (
    Community,
    CommunityStatus,
    EligibilityVerification,
    Grant,
    JoinRequest,
    JoinRequestStatus,
    Person,
    Position,
    Report,
    Review,
    ReviewStatus,
    Term,
    VerificationStatus,
)
from app.policy import CONTENT, Capability
from app.services import seating
from app.services.seating import TODAY

# The kinds of mail that are gathered, and what one has to be allowed in order to get them.
GATHERED: Mapping[str, Capability] = {
    "requests_waiting": Capability.JOIN_REQUESTS_DECIDE,
    "reviews_waiting": Capability.POSTS_MODERATE,
    "verifications_waiting": Capability.ELIGIBILITY_VERIFY,
}


class Waiting(NamedTuple):
    """What waits for one person in one community."""

    community: dict[str, str]
    ids: frozenset[UUID]


_HOLDERS: Any = (
    sa.select(
        col(Term.person_id),
        col(Community.id).label("community_id"),
        col(Community.name),
        col(Community.eligible_occupations),
        col(Term.community_id).is_(None).label("association"),
    )
    .select_from(Term)
    .join(
        Community,
        sa.or_(col(Term.community_id).is_(None), col(Term.community_id) == Community.id),
    )
    .join(Position, col(Position.code) == Term.position_code)
    .join(
        Grant,
        sa.or_(
            col(Grant.grantee) == Term.position_code,
            sa.and_(
                col(Grant.grantee) == Position.acts_for, seating.acting_seat(TODAY).is_not(None)
            ),
        ),
    )
    .where(
        seating.counts(TODAY),
        col(Grant.capability) == sa.bindparam("capability", type_=sa.String),
        # Nothing can be decided in an archived community.
        col(Community.status) == CommunityStatus.ACTIVE,
    )
    .order_by(col(Community.place), col(Community.id))
)
_IN_COMMUNITY = _HOLDERS.where(col(Community.id) == sa.bindparam("community", type_=sa.Uuid))
_OF_PERSON = _HOLDERS.where(col(Term.person_id) == sa.bindparam("person", type_=sa.Uuid))

_REQUESTS: Any = sa.select(col(JoinRequest.id), col(JoinRequest.community_id)).where(
    col(JoinRequest.status) == JoinRequestStatus.PENDING,
    col(JoinRequest.email_key) != sa.bindparam("address", type_=sa.String),
    col(JoinRequest.community_id).in_(sa.bindparam("communities", expanding=True)),
)
_REVIEWS: Any = sa.select(col(Review.id), col(Review.community_id)).where(
    col(Review.status) == ReviewStatus.OPEN,
    col(Review.community_id).in_(sa.bindparam("communities", expanding=True)),
    # Nobody decides about their own post, or about what they reported themselves.
    col(Review.author_id) != sa.bindparam("person", type_=sa.Uuid),
    ~sa.select(col(Report.id))
    .where(
        col(Report.review_id) == Review.id,
        col(Report.reporter_id) == sa.bindparam("person", type_=sa.Uuid),
    )
    .exists(),
)

_VERIFICATIONS: Any = sa.select(
    col(EligibilityVerification.id), col(EligibilityVerification.community_id)
).where(
    col(EligibilityVerification.status).in_(
        (VerificationStatus.REQUESTED, VerificationStatus.AWAITING_SECOND)
    ),
    col(EligibilityVerification.email_key) != sa.bindparam("address", type_=sa.String),
    # Whoever confirmed it waits for somebody else.
    col(EligibilityVerification.first_by).is_distinct_from(sa.bindparam("person", type_=sa.Uuid)),
    col(EligibilityVerification.community_id).in_(sa.bindparam("communities", expanding=True)),
)


async def deciders(work: Work, kind: str, community_id: UUID) -> set[UUID]:
    """The people who may decide today what waits in a community."""
    return await holders(work, GATHERED[kind], community_id)


async def holders(work: Work, capability: Capability, community_id: UUID) -> set[UUID]:
    """The people whose position gives them a capability in a community today."""
    rows = await work.rows(
        _IN_COMMUNITY, capability=capability, community=community_id, today=clock.today()
    )
    return {row.person_id for row in rows if _admitted(row, capability)}


async def for_person(work: Work, kind: str, person: Person) -> list[Waiting]:
    """What waits for a person today, by community, in the catalogue's order; never an empty one."""
    capability = GATHERED[kind]
    rows = await work.rows(_OF_PERSON, capability=capability, person=person.id, today=clock.today())
    names = {row.community_id: row.name for row in rows if _admitted(row, capability)}
    if not names:
        return []
    if kind == "requests_waiting":
        found = await work.rows(_REQUESTS, communities=list(names), address=person.email_key or "")
    elif kind == "verifications_waiting":
        asked = {"address": person.email_key or "", "person": person.id}
        found = await work.rows(_VERIFICATIONS, communities=list(names), **asked)
    else:
        found = await work.rows(_REVIEWS, communities=list(names), person=person.id)
    return [
        Waiting(names[community_id], ids)
        for community_id in names
        if (ids := frozenset(row.id for row in found if row.community_id == community_id))
    ]


def _admitted(row: Any, capability: Capability) -> bool:
    """As Standing has it: in a restricted community, what is said there is for the verified alone,
    which holders of a seat that counts are. Counts are content too, where they are of content.
    """
    return not (row.eligible_occupations and row.association and capability in CONTENT)
