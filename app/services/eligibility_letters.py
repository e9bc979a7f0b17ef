"""Mails about verifications: to the person whom one is about, with or without an account.

What was decided is told to whoever it is about. That a verification ends, to those alone for whom
something ends with it: members, and applicants whose request is open.
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, texts
from app.db import Work
from app.models import (
    Community,
    EligibilityVerification,
    JoinRequest,
    Membership,
    Occupation,
    VerificationStatus,
)
from app.services.join_states import KNOWN, OPEN, in_state, is_known
from app.services.seating import confirmed, membership_runs

LETTERS = (
    "eligibility_confirmed",
    "eligibility_refused",
    "eligibility_revoked",
    "eligibility_ending_soon",
    "eligibility_lapsed",
)
_TOLD_OF = {
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


async def write(
    work: Work, kind: str, verification_id: UUID | None, language: str
) -> tuple[str, dict[str, str]] | None:
    """The body of the letter and what stands in it; None where it has become untrue."""
    verification = await work.get(EligibilityVerification, verification_id)
    if verification is None or verification.status != _TOLD_OF[kind]:
        return None
    community = await work.get_one(Community, verification.community_id)
    body = await _body(work, kind, verification, community)
    if body is None:
        return None
    occupation = await work.get_one(Occupation, verification.occupation_code)
    return body, {
        "community": texts.one_line(community.name, language),
        "occupation": texts.one_line(occupation.label, language),
        "until": verification.until_on.isoformat() if verification.until_on else "-",
        "reason": verification.reason or "-",
    }


async def _body(
    work: Work, kind: str, verification: EligibilityVerification, community: Community
) -> str | None:
    today, last = clock.today(), verification.until_on
    if kind == "eligibility_revoked":
        rests = await _belongs(work, verification) and not await _is_admitted(
            work, verification, community, today
        )
        return "body" if rests else "body_alone"
    if last is None or kind not in ("eligibility_ending_soon", "eligibility_lapsed"):
        return "body"
    if kind == "eligibility_ending_soon" and last < today:
        return None
    if verification.occupation_code not in community.eligible_occupations:
        return None  # it counts no longer, whichever day it is
    if await _is_admitted(work, verification, community, max(today, last + timedelta(days=1))):
        return None
    if await _belongs(work, verification):
        return "body"
    return "body_applicant" if await _asks(work, verification) else None


async def _is_admitted(
    work: Work, verification: EligibilityVerification, community: Community, day: date
) -> bool:
    """True if on a day the community admits the person, by whatever is confirmed of them."""
    if not community.eligible_occupations:
        return True
    theirs: Any = col(EligibilityVerification.person_id) == verification.person_id
    if verification.person_id is None:
        theirs = sa.and_(
            col(EligibilityVerification.person_id).is_(None),
            col(EligibilityVerification.email_key) == verification.email_key,
        )
    found = sa.select(EligibilityVerification.id).where(
        col(EligibilityVerification.community_id) == community.id,
        col(EligibilityVerification.occupation_code).in_(community.eligible_occupations),
        confirmed(day),
        theirs,
    )
    return await work.first(found.limit(1)) is not None


async def _belongs(work: Work, verification: EligibilityVerification) -> bool:
    found = sa.select(Membership.id).where(
        col(Membership.community_id) == verification.community_id,
        col(Membership.person_id) == verification.person_id,
        membership_runs(clock.today()),
    )
    return await work.first(found) is not None


async def _asks(work: Work, verification: EligibilityVerification) -> bool:
    found = sa.select(JoinRequest.id).where(
        col(JoinRequest.community_id) == verification.community_id,
        col(JoinRequest.email_key) == verification.email_key,
        KNOWN,
        sa.or_(*(in_state(status) for status in OPEN)),
    )
    return await work.first(found, today=clock.today()) is not None
