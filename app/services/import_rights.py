"""Whether whoever asked for an import may still import: looked at again while it runs.

An import stops with the term, the account or the credential behind it (lasting_rights.py).
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.capabilities import Capability
from app.db import Source
from app.membership_files.rows import Format
from app.models import (
    AccessToken,
    ActorKind,
    Community,
    MembershipImport,
    Partner,
    PartnerCredential,
)
from app.policy import Standing
from app.services import communities, lasting_rights, scoping

_IMPORT = Capability.MEMBERSHIPS_IMPORT


def _needed(kind: str) -> tuple[Capability, ...]:
    """What one has to be allowed for a file of this kind: a mailbox tells who has asked before."""
    return (_IMPORT, Capability.JOIN_REQUESTS_READ) if kind == Format.MBOX else (_IMPORT,)


def credential_of(standing: Standing) -> dict[str, Any] | None:
    """What a machine came with; None for a person who is signed in."""
    bounds = standing.bounds
    if bounds is None:
        return None
    return {"id": str(bounds.id), "partner": standing.partner is not None}


def require(standing: Standing, kind: str) -> None:
    """Raises PermissionDenied for somebody who may not import such a file here."""
    for capability in _needed(kind):
        standing.require(capability)


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
    for capability in _needed(job.format):
        if not await lasting_rights.remain(source, job.asked_by, capability, job.community_id):
            return False
    return True


def _bounds(listed: list[str], job: MembershipImport) -> bool:
    """Whether the capabilities that a machine is bound to are enough."""
    return set(_needed(job.format)) <= set(listed)


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
    return row is not None and _bounds(row.scopes, job) and _reaches(row.communities, job)


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
    if row is None or not _bounds(row.capabilities, job):
        return False
    if row.communities is None and job.community_id is not None:
        return await _is_open(source, job.community_id)
    return _reaches(row.communities, job)


async def _is_open(source: Source, community_id: UUID) -> bool:
    """Whether a community is for partners who are bound to none: it is listed, and open to all."""
    row = await source.one(
        sa.select(Community.listed, Community.eligible_occupations).where(
            col(Community.id) == community_id
        )
    )
    return row.listed and not row.eligible_occupations
