"""Verifications as each caller sees them: verifiers those of a community, a person their own."""

from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import errors
from app.db import Source
from app.listing import Listing
from app.models import (
    Community,
    EligibilityEvidence,
    EligibilityVerification,
    Person,
    UnclaimedProfile,
    VerificationStatus,
)
from app.policy import Capability, Standing
from app.reader import Prepared, Reader
from app.services import addresses, communities
from app.services.seating import TODAY, confirmed

_FIRST, _SECOND = aliased(Person), aliased(Person)
_KEPT = (
    sa.select(col(EligibilityEvidence.verification_id))
    .where(col(EligibilityEvidence.verification_id) == EligibilityVerification.id)
    .exists()
)
VERIFICATIONS = sa.select(
    EligibilityVerification.id,
    EligibilityVerification.name,
    EligibilityVerification.person_id,
    EligibilityVerification.email_key,
    EligibilityVerification.requested_by,
    EligibilityVerification.join_request_id,
    EligibilityVerification.occupation_code,
    EligibilityVerification.statement,
    EligibilityVerification.status,
    EligibilityVerification.first_by,
    EligibilityVerification.first_at,
    EligibilityVerification.first_basis,
    col(_FIRST.name).label("first_name"),
    EligibilityVerification.second_by,
    EligibilityVerification.second_at,
    EligibilityVerification.second_basis,
    col(_SECOND.name).label("second_name"),
    EligibilityVerification.confirmed_on,
    EligibilityVerification.until_on,
    EligibilityVerification.reason,
    EligibilityVerification.evidence_destroyed_at,
    EligibilityVerification.requested_at,
    EligibilityVerification.decided_at,
    EligibilityVerification.updated_at,
    EligibilityVerification.version,
    _KEPT.label("has_evidence"),
    sa.func.coalesce(confirmed(TODAY), sa.false()).label("valid"),
    *communities.REFERENCE,
).select_from(
    sa.join(
        EligibilityVerification,
        Community,
        col(Community.id) == EligibilityVerification.community_id,
    )
    .outerjoin(_FIRST, col(_FIRST.id) == EligibilityVerification.first_by)
    .outerjoin(_SECOND, col(_SECOND.id) == EligibilityVerification.second_by)
)
# The condition that a verification is about an address, or a profile that waits for its owner.
OF_ADDRESS = sa.or_(
    col(EligibilityVerification.person_id).is_(None),
    sa.select(UnclaimedProfile.person_id)
    .where(col(UnclaimedProfile.person_id) == EligibilityVerification.person_id)
    .correlate(EligibilityVerification)
    .exists(),
)
OWN = Listing(
    VERIFICATIONS.where(
        sa.or_(
            col(EligibilityVerification.person_id) == sa.bindparam("person", type_=sa.Uuid),
            sa.and_(
                OF_ADDRESS,
                col(EligibilityVerification.email_key) == sa.bindparam("address", type_=sa.String),
            ),
        )
    ),
    col(EligibilityVerification.id),
    descending=True,
)


@lru_cache
def listing(statuses: tuple[VerificationStatus, ...], of_person: bool) -> Listing:
    """The verifications of a community, the earliest first."""
    found = VERIFICATIONS.where(
        col(EligibilityVerification.community_id) == sa.bindparam("community", type_=sa.Uuid)
    )
    if statuses:
        found = found.where(
            sa.or_(*(col(EligibilityVerification.status) == status for status in statuses))
        )
    if of_person:
        found = found.where(
            col(EligibilityVerification.person_id) == sa.bindparam("person", type_=sa.Uuid)
        )
    return Listing(found, col(EligibilityVerification.id))


def asked(
    standing: Standing, statuses: list[VerificationStatus] | None, person_id: UUID | None
) -> tuple[Listing, dict[str, Any]]:
    """The verifications here as a caller asked for them."""
    found = listing(tuple(sorted(set(statuses or ()))), person_id is not None)
    return found, {
        "community": standing.here.id,
        "person": person_id,
        "today": standing.today,
    }


async def own(source: Source, standing: Standing, found: Any) -> bool:
    """True if a verification is about the caller: their account, or, where it is about an address
    alone or a profile that waits for its owner, theirs."""
    if standing.is_person(found.person_id):
        return True
    if (await addresses.own(source, standing)).proven != found.email_key:
        return False
    waits = sa.select(EligibilityVerification.id).where(
        col(EligibilityVerification.id) == found.id, OF_ADDRESS
    )
    return await source.first(waits) is not None


async def refuse_hidden(source: Source, standing: Standing, found: Any) -> None:
    """Raises NotFound where a verification is not there for the caller."""
    if not standing.can(Capability.ELIGIBILITY_VERIFY) and not await own(source, standing, found):
        raise errors.NotFound


async def mine(source: Source, standing: Standing) -> dict[str, Any]:
    """Whose verifications OWN lists: the caller's account's, and their proven address's."""
    address = (await addresses.own(source, standing)).proven
    return {"person": standing.me.id, "address": address, "today": standing.today}


async def get(source: Source, standing: Standing, verification_id: UUID) -> dict[str, Any]:
    """One verification, for those who verify here and for the person whom it is about."""
    row = await source.one(
        VERIFICATIONS.where(col(EligibilityVerification.id) == verification_id),
        today=standing.today,
    )
    await refuse_hidden(source, standing, row)
    return shown(row, standing)


def shown(row: Any, standing: Standing) -> dict[str, Any]:
    """A verification as this caller sees it; who confirmed it and how is for verifiers."""
    verifies = standing.can(Capability.ELIGIBILITY_VERIFY)
    return {
        **row._asdict(),
        "community": communities.reference(row),
        "valid": bool(row.valid),
        "needs_second": row.status == VerificationStatus.AWAITING_SECOND,
        "confirmations": _confirmations(row) if verifies else [],
        "has_evidence": bool(row.has_evidence),
        "viewer": {"can": _affordances(row, standing, verifies)},
    }


def _confirmations(row: Any) -> list[dict[str, Any]]:
    said = (
        (row.first_by, row.first_name, row.first_at, row.first_basis),
        (row.second_by, row.second_name, row.second_at, row.second_basis),
    )
    return [
        {"by": {"id": by, "name": name}, "at": at, "basis": basis}
        for by, name, at, basis in said
        if by is not None
    ]


def _affordances(row: Any, standing: Standing, verifies: bool) -> list[str]:
    """What is decided of oneself is decided by others, and what one has confirmed by another."""
    own = standing.is_person(row.person_id)
    own_or_asked = own or not verifies or standing.is_person(row.requested_by)
    is_open = row.status in (VerificationStatus.REQUESTED, VerificationStatus.AWAITING_SECOND)
    found = []
    if is_open and verifies and not own:
        found.append("decide_eligibility_verification")
    if row.status == VerificationStatus.REQUESTED:
        found.append("put_eligibility_evidence")
    if is_open and own_or_asked:
        found.append("withdraw_eligibility_verification")
    if row.has_evidence and verifies:
        found.append("get_eligibility_evidence")
    if row.status == VerificationStatus.CONFIRMED and verifies and not own:
        found.append("revoke_eligibility_verification")
    return found


_EVIDENCE = Prepared(
    sa.select(EligibilityEvidence.media_type, EligibilityEvidence.content).where(
        col(EligibilityEvidence.verification_id) == sa.bindparam("verification", type_=sa.Uuid)
    )
)


async def evidence(reader: Reader, verification_id: UUID) -> Any:
    """What was uploaded and is not destroyed yet. Raises NotFound if there is nothing."""
    return await reader.one(_EVIDENCE, verification=verification_id)
