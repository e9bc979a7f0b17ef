"""Requests to join: lists of them, and what is shown to whom."""

from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.db import Source
from app.listing import Listing
from app.models import Community, JoinRequest, JoinRequestStatus, Person
from app.policy import Capability, Standing
from app.services import communities

_Decider = aliased(Person)
REQUESTS = sa.select(
    JoinRequest.id,
    JoinRequest.status,
    JoinRequest.name,
    JoinRequest.email,
    JoinRequest.email_key,
    JoinRequest.occupation,
    JoinRequest.occupation_code,
    JoinRequest.affiliation,
    JoinRequest.area_of_interest,
    JoinRequest.territory,
    JoinRequest.language,
    JoinRequest.rules_version,
    JoinRequest.privacy_notice_version,
    JoinRequest.submitted_at,
    JoinRequest.verified_at,
    JoinRequest.decided_at,
    JoinRequest.decided_by,
    JoinRequest.comment,
    JoinRequest.membership_id,
    JoinRequest.updated_at,
    JoinRequest.version,
    *communities.REFERENCE,
    col(_Decider.name).label("decider"),
).select_from(
    sa.join(JoinRequest, Community, col(Community.id) == JoinRequest.community_id).outerjoin(
        _Decider, col(_Decider.id) == JoinRequest.decided_by
    )
)


@lru_cache
def listing(statuses: tuple[JoinRequestStatus, ...]) -> Listing:
    """The requests of a community in these states (or in any), the earliest first.

    A request whose address nobody has confirmed is nobody's yet, and is never listed.
    """
    query = REQUESTS.where(
        col(JoinRequest.community_id) == sa.bindparam("community", type_=sa.Uuid),
        col(JoinRequest.verified_at).is_not(None),
    )
    if statuses:
        query = query.where(sa.or_(*(col(JoinRequest.status) == status for status in statuses)))
    return Listing(query, col(JoinRequest.id))


def asked(
    standing: Standing, statuses: list[JoinRequestStatus] | None
) -> tuple[Listing, dict[str, Any]]:
    """The requests here as a caller asked for them."""
    found = listing(tuple(sorted(set(statuses or ()))))
    return found, {"community": standing.here.id}


def shown(row: Any, standing: Standing) -> dict[str, Any]:
    """A request as those who may decide see it."""
    decided = row.status in (JoinRequestStatus.ACCEPTED, JoinRequestStatus.DECLINED)
    pending = row.status == JoinRequestStatus.PENDING
    may = pending and standing.can(Capability.JOIN_REQUESTS_DECIDE)
    return {
        **row._asdict(),
        "community": communities.reference(row),
        "decision": {
            "outcome": row.status,
            "comment": row.comment,
            "decided_at": row.decided_at,
            "decided_by": {"id": row.decided_by, "name": row.decider} if row.decider else None,
        }
        if decided
        else None,
        "viewer": {"can": ["decide_join_request"] if may else []},
    }


def receipt(row: Any) -> dict[str, Any]:
    """A request as its applicant sees it."""
    return {
        "id": row.id,
        "status": row.status,
        "community": communities.reference(row),
        "submitted_at": row.submitted_at,
        "rules_version": row.rules_version,
        "privacy_notice_version": row.privacy_notice_version,
    }


async def get(source: Source, standing: Standing, request_id: UUID) -> dict[str, Any]:
    """One request, for those who may read the requests of its community."""
    row = await source.one(
        REQUESTS.where(col(JoinRequest.id) == request_id, col(JoinRequest.verified_at).is_not(None))
    )
    return shown(row, standing)
