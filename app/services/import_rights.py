"""Whether whoever asked for an import may still import: looked at again while it runs.

It follows the rules of Standing (policy.py) for somebody who is not calling at the moment, so that
an import stops with the term, the account or the credential behind it. That a person has signed out
since is no reason to stop.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import clock
from app.capabilities import MEMBER, Capability
from app.db import Source
from app.models import (
    AccessToken,
    ActorKind,
    Grant,
    Membership,
    MembershipImport,
    Partner,
    PartnerCredential,
    Person,
    Position,
    Term,
)
from app.policy import Standing
from app.services import communities, scoping, seating

_IMPORT = Capability.MEMBERSHIPS_IMPORT


def credential_of(standing: Standing) -> dict[str, Any] | None:
    """What a machine came with; None for a person who is signed in."""
    bounds = standing.bounds
    if bounds is None:
        return None
    return {"id": str(bounds.id), "partner": standing.partner is not None}


async def places(source: Source, standing: Standing) -> list[str]:
    """The communities in which the caller may import, as far as they see them."""
    if standing.community is not None:
        return [str(standing.community.id)]
    rows = await source.rows(sa.select(*communities.OWN))
    there = await communities.standings_in(source, standing, rows)
    return [
        str(row.id)
        for row, one in zip(rows, there, strict=True)
        if one.sees(_IMPORT) and one.can(_IMPORT)
    ]


async def remain(source: Source, job: MembershipImport) -> bool:
    """True while whoever asked for the import last may do what it does."""
    if job.asked_by_kind is ActorKind.SYSTEM:
        return True
    if job.asked_by is None:
        return False
    if job.asked_by_kind is ActorKind.PARTNER:
        return await _partner(source, job)
    if job.credential is not None and not await _token(source, job):
        return False
    return await _person(source, job, job.asked_by)


async def _person(source: Source, job: MembershipImport, person_id: UUID) -> bool:
    today = clock.today()
    office = aliased(Position)
    given = sa.or_(
        col(Grant.grantee) == Term.position_code,
        sa.and_(
            col(Grant.grantee) == Position.acts_for,
            seating.acting_seat(seating.TODAY).is_not(None),
        ),
        col(Grant.grantee).in_(
            sa.select(col(office.code)).where(col(office.held_with) == Term.position_code)
        ),
    )
    here: Any = col(Term.community_id).is_(None)
    if job.community_id is not None:
        here = sa.or_(here, col(Term.community_id) == job.community_id)
    held = (
        sa.select(Term.id)
        .join(Position, col(Position.code) == Term.position_code)
        .join(Grant, given)
        .where(
            col(Term.person_id) == Person.id,
            here,
            col(Grant.capability) == _IMPORT,
            seating.counts(seating.TODAY),
        )
        .correlate(Person)
        .exists()
    )
    member = (
        sa.select(Membership.id)
        .join(Grant, sa.and_(col(Grant.grantee) == MEMBER, col(Grant.capability) == _IMPORT))
        .where(
            col(Membership.person_id) == Person.id,
            col(Membership.community_id) == job.community_id,
            seating.membership_runs(seating.TODAY),
        )
        .correlate(Person)
        .exists()
    )
    found = sa.select(Person.id).where(
        col(Person.id) == person_id,
        col(Person.deactivated_at).is_(None),
        sa.or_(held, member),
    )
    return await source.first(found, today=today) is not None


def _reaches(listed: list[str] | None, job: MembershipImport) -> bool:
    if listed is None:
        return True
    return job.community_id is not None and str(job.community_id) in listed


async def _token(source: Source, job: MembershipImport) -> bool:
    row = await source.first(
        sa.select(AccessToken.scopes, AccessToken.communities).where(
            col(AccessToken.id) == UUID((job.credential or {})["id"]),
            scoping.working(AccessToken),
        )
    )
    return row is not None and _IMPORT in row.scopes and _reaches(row.communities, job)


async def _partner(source: Source, job: MembershipImport) -> bool:
    row = await source.first(
        sa.select(Partner.capabilities, Partner.communities)
        .join(PartnerCredential, col(PartnerCredential.partner_id) == Partner.id)
        .where(
            col(Partner.id) == job.asked_by,
            col(Partner.active).is_(True),
            col(PartnerCredential.id) == UUID((job.credential or {})["id"]),
            scoping.working(PartnerCredential),
        )
    )
    return row is not None and _IMPORT in row.capabilities and _reaches(row.communities, job)
