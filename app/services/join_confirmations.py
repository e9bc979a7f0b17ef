"""The proof of an applicant's address: what was asked with it waits for a decision from then on."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Work, unique_or
from app.models import ActorKind, JoinRequest, JoinRequestStatus, Membership, Person
from app.policy import Standing
from app.services import rules
from app.services.join_requests import REQUESTS, receipt
from app.services.seating import membership_runs


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
