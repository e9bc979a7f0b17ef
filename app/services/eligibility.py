"""Who may belong to a restricted community: asking that it be verified, and deciding about it.

Nothing is stored of what the calendar decides: a verification counts from the day on which it was
confirmed to its last one (`seating.verified`), and with it the rights of the membership.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, membership_errors
from app.among import among
from app.db import Source, Work, unique_or
from app.models import (
    Community,
    EligibilityEvidence,
    EligibilityVerification,
    JoinRequest,
    JoinRequestStatus,
    Membership,
    Person,
    VerificationOutcome,
    VerificationStatus,
)
from app.models.base import has_item, is_empty
from app.policy import Capability, Standing
from app.preconditions import Expected
from app.reader import Prepared
from app.services import addresses, communities, unclaimed_profiles, verification_pages
from app.services.join_states import KNOWN, STATE
from app.services.seating import TODAY, confirmed

LONGEST = timedelta(days=5 * 366)
OPEN = (VerificationStatus.REQUESTED, VerificationStatus.AWAITING_SECOND)


_IS_OPEN = Prepared(
    sa.select(Community.id).where(
        col(Community.id) == sa.bindparam("community", type_=sa.Uuid),
        is_empty(Community.eligible_occupations),
    )
)
_OWNER = sa.func.coalesce(Person.email_key, EligibilityVerification.email_key)
_VERIFIED = Prepared(
    sa.select(_OWNER.label("email_key"))
    .select_from(EligibilityVerification)
    .join(Community, col(Community.id) == EligibilityVerification.community_id)
    .outerjoin(Person, col(Person.id) == EligibilityVerification.person_id)
    .where(
        col(Community.id) == sa.bindparam("community", type_=sa.Uuid),
        sa.or_(
            among(col(Person.email_key), "addresses"),
            sa.and_(
                col(Person.email_key).is_(None),
                among(col(EligibilityVerification.email_key), "addresses"),
            ),
        ),
        confirmed(TODAY),
        has_item(Community.eligible_occupations, EligibilityVerification.occupation_code),
    )
    .distinct()
)


async def admitted(source: Source, email_keys: Iterable[str], community_id: UUID) -> set[str]:
    """The addresses whose owners a community admits: all where it is open to all, or those of whom
    what it asks for is verified today, with or without an account."""
    asked = set(email_keys)
    if await source.first(_IS_OPEN, community=community_id) is not None:
        return asked
    values = {"community": community_id, "addresses": asked, "today": clock.today()}
    return {row.email_key for row in await source.rows(_VERIFIED, **values)}


async def is_admitted(source: Source, email_key: str, community_id: UUID) -> bool:
    """True if a community admits whoever an address belongs to."""
    return email_key in await admitted(source, [email_key], community_id)


class _Subject(NamedTuple):
    """Whom a verification is about."""

    name: str
    email_key: str
    person_id: UUID | None
    join_request_id: UUID | None = None


async def request(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """Asks that it be verified what somebody is: by the person, or for them by a verifier.

    Raises CommunityOpenToAll, VerificationOpen, and Invalid for an occupation that the community
    does not ask for and for people and requests that are not known here.
    """
    subject = await _subject(work, standing, body)
    standing.require_active()
    community = await work.get_one(Community, standing.here.id)
    if not community.eligible_occupations:
        raise membership_errors.CommunityOpenToAll
    if body["occupation_code"] not in community.eligible_occupations:
        raise errors.Invalid(errors=[errors.field("/occupation_code", "not_known")])
    now = clock.now()
    verification = EligibilityVerification(
        community_id=community.id,
        **subject._asdict(),
        occupation_code=body["occupation_code"],
        statement=body["statement"],
        status=VerificationStatus.REQUESTED,
        requested_by=standing.me.id,
        requested_at=now,
        updated_at=now,
    )
    taken = {"uq_eligibility_verification_open": membership_errors.VerificationOpen()}
    async with unique_or(work, taken):
        work.add(verification)
    _record(work, standing, verification, "requested")
    return await verification_pages.get(work, standing, verification.id)


async def _subject(work: Work, standing: Standing, body: dict[str, Any]) -> _Subject:
    person_id, request_id = body["person_id"], body["join_request_id"]
    if person_id is not None and request_id is not None:
        raise errors.Invalid(errors=[errors.field("/join_request_id", "one_of_two")])
    if request_id is not None:
        standing.require(Capability.ELIGIBILITY_VERIFY)
        return await _applicant(work, standing, request_id)
    if person_id is None or standing.is_person(person_id):
        return await _person(work, col(Person.id) == standing.me.id)
    standing.require(Capability.ELIGIBILITY_VERIFY)
    known = col(Person.id) == person_id
    if not standing.can(Capability.PEOPLE_MANAGE):
        known = sa.and_(known, _belonged(standing))
    return await _person(work, known)


def _belonged(standing: Standing) -> Any:
    """The condition that somebody belongs here, or did."""
    return (
        sa.select(Membership.id)
        .where(
            col(Membership.person_id) == Person.id,
            col(Membership.community_id) == standing.here.id,
        )
        .exists()
    )


async def _person(work: Work, condition: Any) -> _Subject:
    address = unclaimed_profiles.ADDRESS.label("email_key")
    found = sa.select(Person.name, address, col(Person.id).label("person_id"))
    row = await work.first(found.where(condition))
    if row is None:
        raise errors.Invalid(errors=[errors.field("/person_id", "not_known")])
    return _Subject(row.name, row.email_key, row.person_id)


async def _applicant(work: Work, standing: Standing, request_id: UUID) -> _Subject:
    """The applicant of a request that waits here, with the account of somebody who belonged here.

    Whether others have one is nobody's to know here: what is verified is verified of the address,
    and becomes the account's once it is a member's (`memberships.begin`).
    """
    owner = sa.and_(
        col(Person.email_key) == JoinRequest.email_key,
        col(Person.email_verified_at).is_not(None),
        _belonged(standing),
    )
    row = await work.first(
        sa.select(
            JoinRequest.name,
            JoinRequest.email_key,
            JoinRequest.decided_at,
            STATE,
            col(Person.id).label("person_id"),
        )
        .outerjoin(Person, owner)
        .where(
            col(JoinRequest.id) == request_id,
            col(JoinRequest.community_id) == standing.here.id,
            KNOWN,
        ),
        today=clock.today(),
    )
    closed = (JoinRequestStatus.WITHDRAWN, JoinRequestStatus.EXPIRED)
    if row is None or row.decided_at is not None or row.status in closed:
        raise errors.Invalid(errors=[errors.field("/join_request_id", "not_known")])
    return _Subject(row.name, row.email_key, row.person_id, request_id)


def _record(
    work: Work, standing: Standing, verification: EligibilityVerification, what: str
) -> None:
    activity.record(
        work,
        f"eligibility.{what}",
        standing,
        verification.id,
        community_id=verification.community_id,
        person_id=verification.person_id,
        occupation_code=verification.occupation_code,
        until_on=verification.until_on,
    )


async def decide(
    work: Work,
    standing: Standing,
    verification_id: UUID,
    decision: dict[str, Any],
    expected: Expected,
) -> dict[str, Any]:
    """Confirms or refuses. Where the community asks for two people, the first who confirms leaves
    it open for a second. With the decision whatever was uploaded for it is destroyed.

    Raises OwnVerification, SecondVerifierNeeded, VerificationDecided, and Invalid for what a
    decision lacks, and for what belongs to the other outcome.
    """
    found = await work.locked(EligibilityVerification, verification_id)
    await _refuse_own(work, standing, found)
    if found.status not in OPEN:
        raise membership_errors.VerificationDecided
    expected.check(found.version)
    refuses = decision["outcome"] == VerificationOutcome.REFUSED
    others = ("basis", "until_on") if refuses else ("reason",)
    if wrong := [f"/{name}" for name in others if decision[name] is not None]:
        raise errors.Invalid(errors=[errors.field(at, "not_with_outcome") for at in wrong])
    if refuses:
        if decision["reason"] is None:
            raise errors.Invalid(errors=[errors.field("/reason", "reason_required")])
        found.status, found.reason = VerificationStatus.REFUSED, decision["reason"]
        what = "refused"
    else:
        what = await _confirm(work, standing, found, decision)
    if found.status not in OPEN:
        found.decided_at = clock.now()
        await _destroy_evidence(work, found)
    _touch(found)
    _record(work, standing, found, what)
    await communities.touch_roster(work, found.community_id)
    await work.flush()
    return await verification_pages.get(work, standing, verification_id)


async def _refuse_own(work: Work, standing: Standing, found: EligibilityVerification) -> None:
    said = (await addresses.own(work, standing)).said
    if standing.is_person(found.person_id) or said == found.email_key:
        raise membership_errors.OwnVerification


async def _confirm(
    work: Work, standing: Standing, found: EligibilityVerification, decision: dict[str, Any]
) -> str:
    """Notes one confirmation; what happened by it."""
    second = found.status == VerificationStatus.AWAITING_SECOND
    if second and found.first_by == standing.me.id:
        raise membership_errors.SecondVerifierNeeded
    if decision["basis"] is None:
        raise errors.Invalid(errors=[errors.field("/basis", "required")])
    said = [day for day in (decision["until_on"], found.until_on) if day is not None]
    if not said:
        raise errors.Invalid(errors=[errors.field("/until_on", "required")])
    until = min(said)
    if until < standing.today:
        raise errors.Invalid(errors=[errors.field("/until_on", "day_in_the_past")])
    if until > standing.today + LONGEST:
        raise errors.Invalid(errors=[errors.field("/until_on", "day_too_far")])
    found.until_on = until
    now = clock.now()
    if second:
        found.second_by, found.second_at, found.second_basis = (
            standing.me.id,
            now,
            decision["basis"],
        )
    else:
        found.first_by, found.first_at, found.first_basis = standing.me.id, now, decision["basis"]
        community = await work.get_one(Community, found.community_id)
        if community.eligibility_confirmations > 1:
            found.status = VerificationStatus.AWAITING_SECOND
            return "first_confirmed"
    found.status, found.confirmed_on = VerificationStatus.CONFIRMED, standing.today
    return "confirmed"


async def _destroy_evidence(work: Work, found: EligibilityVerification) -> None:
    """In the transaction of the decision; SQLite overwrites what it deletes (db.py)."""
    kept = col(EligibilityEvidence.verification_id) == found.id
    if await work.written(sa.delete(EligibilityEvidence).where(kept)):
        found.evidence_destroyed_at = clock.now()


def _touch(found: EligibilityVerification) -> None:
    found.updated_at = clock.now()
    found.version += 1


async def revoke(
    work: Work, standing: Standing, verification_id: UUID, reason: str, expected: Expected
) -> dict[str, Any]:
    """Makes a confirmed verification count no longer, from this instant on.

    Raises OwnVerification, VerificationNotConfirmed.
    """
    found = await work.locked(EligibilityVerification, verification_id)
    await _refuse_own(work, standing, found)
    if found.status != VerificationStatus.CONFIRMED:
        raise membership_errors.VerificationNotConfirmed
    expected.check(found.version)
    found.status, found.reason = VerificationStatus.REVOKED, reason
    found.revoked_at, found.revoked_by = clock.now(), standing.me.id
    _touch(found)
    _record(work, standing, found, "revoked")
    await communities.touch_roster(work, found.community_id)
    await work.flush()
    return await verification_pages.get(work, standing, verification_id)


async def withdraw(work: Work, standing: Standing, verification_id: UUID) -> dict[str, Any]:
    """Takes back what is not decided yet: by the person whom it is about, or who asked for it.
    Other verifiers refuse it, and say why.

    Raises PermissionDenied, VerificationDecided.
    """
    found = await open_one(work, standing, verification_id)
    asked = found.requested_by == standing.me.id
    if not asked and not await verification_pages.own(work, standing, found):
        standing.refuse_others(Capability.ELIGIBILITY_VERIFY)
    found.status, found.decided_at = VerificationStatus.WITHDRAWN, clock.now()
    await _destroy_evidence(work, found)
    _touch(found)
    _record(work, standing, found, "withdrawn")
    await work.flush()
    return await verification_pages.get(work, standing, verification_id)


async def open_one(
    work: Work, standing: Standing, verification_id: UUID
) -> EligibilityVerification:
    """The verification, locked, if it exists for the caller and is not decided yet."""
    found = await work.locked(EligibilityVerification, verification_id)
    await verification_pages.refuse_hidden(work, standing, found)
    if found.status not in OPEN:
        raise membership_errors.VerificationDecided
    return found


_EVIDENCE = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}


async def keep_evidence(
    work: Work, standing: Standing, verification_id: UUID, content: bytes, expected: Expected
) -> dict[str, Any]:
    """Keeps one file until the decision, in place of an earlier one.

    Raises EvidenceUnsupported, EvidenceSeen, VerificationDecided.
    """
    found = await open_one(work, standing, verification_id)
    expected.check(found.version)
    if found.status == VerificationStatus.AWAITING_SECOND:
        raise membership_errors.EvidenceSeen
    kinds = [kind for mark, kind in _EVIDENCE.items() if content.startswith(mark)]
    if not kinds:
        raise membership_errors.EvidenceUnsupported
    await _destroy_evidence(work, found)
    found.evidence_destroyed_at = None
    work.add(
        EligibilityEvidence(
            verification_id=found.id,
            media_type=kinds[0],
            content=content,
            uploaded_by=standing.me.id,
            uploaded_at=clock.now(),
        )
    )
    _touch(found)
    _record(work, standing, found, "evidence_kept")
    await work.flush()
    return await verification_pages.get(work, standing, verification_id)
