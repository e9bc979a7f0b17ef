"""Asking to join, proving the address, and the decision that begins a membership."""

from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work, unique_or
from app.listing import Listing
from app.models import (
    ActorKind,
    Association,
    Community,
    JoinRequest,
    JoinRequestStatus,
    Membership,
    Person,
    new_id,
)
from app.policy import Capability, Standing
from app.schemas.base import address_key
from app.services import association, communities, rules
from app.services import standing as standings
from app.services.seating import membership_runs

FORMS_AN_HOUR = 20

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


# Asking


async def submit(work: Work, standing: Standing, body: dict[str, Any]) -> list[dict[str, Any]]:
    """One request for each community asked for; they wait until the address is confirmed.

    A signed-in member who asks from the address that is already proven waits for nobody's mail.
    Raises RulesVersionOutdated, Invalid (unknown communities or codes), CommunityArchived.
    """
    wanted = body.pop("communities")
    version = body.pop("agrees_to_rules_version")
    if version != standing.rules_in_force:
        raise rules.outdated(standing)
    found = await _wanted(work, wanted)
    await association.refuse_unknown_codes(work, body["occupation_code"], body["territory"])
    key = address_key(body["email"])
    await _refuse_flood(work, key)
    notice = await work.one(sa.select(Association.privacy_notice))
    now = clock.now()
    submission_id = new_id()
    requests = [
        JoinRequest(
            **body,
            email_key=key,
            submission_id=submission_id,
            community_id=community.community_id,
            status=JoinRequestStatus.AWAITING_VERIFICATION,
            rules_version=version,
            privacy_notice_version=notice.privacy_notice["version"],
            submitted_at=now,
            updated_at=now,
        )
        for community in found
    ]
    work.add_all(requests)
    proven = await _is_own_address(work, standing, key)
    for request in requests:
        activity.record(
            work,
            "join_request.submitted",
            standing,
            request.id,
            community_id=request.community_id,
            submission_id=submission_id,
            rules_version=version,
            privacy_notice_version=request.privacy_notice_version,
        )
    await work.flush()
    if proven:
        await confirm(work, standing, key, submission_id)
    rows = await work.rows(REQUESTS.where(col(JoinRequest.submission_id) == submission_id))
    order = {community.community_id: index for index, community in enumerate(found)}
    return [receipt(row) for row in sorted(rows, key=lambda row: order[row.community_id])]


async def _wanted(work: Work, wanted: list[str]) -> list[Any]:
    """The communities asked for. A hidden one is as unknown as one that never was."""
    found: list[Any] = []
    wrong = []
    for index, reference in enumerate(wanted):
        where = standings.at(reference)
        condition = (
            col(Community.id) == where.value
            if where.by == "id"
            else col(Community.slug) == where.value
        )
        row = await work.first(
            sa.select(*communities.REFERENCE, Community.status).where(
                condition, col(Community.listed).is_(True)
            )
        )
        if row is None:
            wrong.append(errors.field(f"/communities/{index}", "not_known"))
        elif any(row.community_id == other.community_id for other in found):
            wrong.append(errors.field(f"/communities/{index}", "duplicate"))
        else:
            found.append(row)
    if wrong:
        raise errors.Invalid(errors=wrong)
    if any(communities.archived(row) for row in found):
        raise errors.CommunityArchived
    return found


async def _refuse_flood(work: Work, key: str) -> None:
    """Nobody's letter box is filled by forms that somebody else sends in their name."""
    recent = await work.one(
        sa.select(sa.func.count(sa.distinct(col(JoinRequest.submission_id))).label("forms")).where(
            col(JoinRequest.email_key) == key,
            col(JoinRequest.status) == JoinRequestStatus.AWAITING_VERIFICATION,
            col(JoinRequest.submitted_at) > clock.now() - timedelta(hours=1),
        )
    )
    if recent.forms >= FORMS_AN_HOUR:
        raise errors.TooManyRequests(headers={"Retry-After": "3600"})


async def _is_own_address(work: Work, standing: Standing, key: str) -> bool:
    if standing.person is None:
        return False
    person = await work.one(
        sa.select(Person.email_key, Person.email_verified_at).where(
            col(Person.id) == standing.person.id
        )
    )
    return person.email_key == key and person.email_verified_at is not None


async def confirm(
    work: Work, standing: Standing, key: str, submission_id: UUID
) -> list[dict[str, Any]]:
    """The address is proven: the requests of this form now wait for a decision.

    A newer form takes the place of an older one that waits; where the person belongs already,
    there is nothing to decide, and the request is closed.
    """
    now = clock.now()
    waiting = await work.execute(
        sa.select(JoinRequest)
        .where(
            col(JoinRequest.submission_id) == submission_id,
            col(JoinRequest.email_key) == key,
            col(JoinRequest.status) == JoinRequestStatus.AWAITING_VERIFICATION,
        )
        .order_by(col(JoinRequest.id))
        .with_for_update()
    )
    requests = list(waiting.scalars())
    for request in requests:
        if await _belongs(work, key, request.community_id):
            _withdraw(work, request, "already_member")
            continue
        await _supersede(work, key, request)
        request.status = JoinRequestStatus.PENDING
        request.verified_at = request.updated_at = now
        request.version += 1
        async with unique_or(work, {"uq_join_request_pending": errors.MailedTokenInvalid()}):
            pass
        activity.record(
            work,
            "join_request.verified",
            standing,
            request.id,
            community_id=request.community_id,
            rules_version=request.rules_version,
        )
    await _agree_if_known(work, standing, key, requests)
    await work.flush()
    rows = await work.rows(
        REQUESTS.where(col(JoinRequest.id).in_([request.id for request in requests])).order_by(
            col(JoinRequest.id)
        )
    )
    return [receipt(row) for row in rows]


def _withdraw(work: Work, request: JoinRequest, cause: str) -> None:
    request.status = JoinRequestStatus.WITHDRAWN
    request.updated_at = clock.now()
    request.version += 1
    activity.record(
        work,
        "join_request.withdrawn",
        None,
        request.id,
        community_id=request.community_id,
        actor=(ActorKind.SYSTEM, None),
        cause=cause,
    )


async def _belongs(work: Work, key: str, community_id: UUID) -> bool:
    found = await work.first(
        sa.select(Membership.id)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(
            col(Person.email_key) == key,
            col(Membership.community_id) == community_id,
            membership_runs(clock.today()),
        )
    )
    return found is not None


async def _supersede(work: Work, key: str, newer: JoinRequest) -> None:
    older = await work.execute(
        sa.select(JoinRequest)
        .where(
            col(JoinRequest.community_id) == newer.community_id,
            col(JoinRequest.email_key) == key,
            col(JoinRequest.status) == JoinRequestStatus.PENDING,
        )
        .with_for_update()
    )
    for request in older.scalars():
        _withdraw(work, request, "newer_request")
    await work.flush()


async def _agree_if_known(
    work: Work, standing: Standing, key: str, requests: list[JoinRequest]
) -> None:
    """Somebody with an account has agreed by the form; a newcomer's counts once they are one."""
    person = await work.first(
        sa.select(Person.id, Person.language).where(col(Person.email_key) == key)
    )
    if person is not None and requests:
        version = max(request.rules_version for request in requests)
        await rules.record_agreement(work, standing, person.id, version, person.language)
