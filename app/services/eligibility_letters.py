"""Mails about verifications: to the person whom one is about, with or without an account."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, texts
from app.db import Work
from app.models import (
    Community,
    EligibilityVerification,
    JoinRequest,
    Occupation,
    VerificationStatus,
)
from app.services.join_states import is_known
from app.services.seating import confirmed

LETTERS = (
    "eligibility_confirmed",
    "eligibility_refused",
    "eligibility_revoked",
    "eligibility_ending_soon",
    "eligibility_lapsed",
)
_UNTRUE = {
    "eligibility_confirmed": VerificationStatus.CONFIRMED,
    "eligibility_refused": VerificationStatus.REFUSED,
    "eligibility_revoked": VerificationStatus.REVOKED,
    "eligibility_ending_soon": VerificationStatus.CONFIRMED,
    "eligibility_lapsed": VerificationStatus.CONFIRMED,
}


async def applicant(work: Work, verification: EligibilityVerification) -> JoinRequest | None:
    """The request of somebody without an account, as far as it is somebody's."""
    request = await work.get(JoinRequest, verification.join_request_id)
    return request if request is not None and is_known(request) else None


async def facts(
    work: Work, kind: str, verification_id: UUID | None, language: str
) -> dict[str, str] | None:
    """What stands in the letter; None where it has become untrue."""
    verification = await work.get(EligibilityVerification, verification_id)
    if verification is None or verification.status != _UNTRUE[kind]:
        return None
    if kind in ("eligibility_ending_soon", "eligibility_lapsed"):
        renewed = sa.select(EligibilityVerification.id).where(
            col(EligibilityVerification.person_id) == verification.person_id,
            col(EligibilityVerification.community_id) == verification.community_id,
            col(EligibilityVerification.until_on) > verification.until_on,
            confirmed(clock.today()),
        )
        if await work.first(renewed) is not None:
            return None
    community = await work.get_one(Community, verification.community_id)
    occupation = await work.get_one(Occupation, verification.occupation_code)
    return {
        "community": texts.one_line(community.name, language),
        "occupation": texts.one_line(occupation.label, language),
        "until": verification.until_on.isoformat() if verification.until_on else "-",
        "reason": verification.reason or "-",
    }
