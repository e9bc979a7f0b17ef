"""The proof of an applicant's address: what was asked with it waits for a decision from then on."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work, unique_or
from app.models import (
    Community,
    JoinRequest,
    JoinRequestStatus,
    JoinWithdrawal,
    Membership,
    Person,
)
from app.policy import Standing
from app.services import join_states, rules, unclaimed_profiles
from app.services.join_requests import REQUESTS, receipt
from app.services.retention import UNCONFIRMED
from app.services.seating import membership_runs


async def confirm(
    work: Work, standing: Standing, key: str, submission_id: UUID
) -> list[dict[str, Any]]:
    """The address is proven: the requests of this form now wait for a decision.

    A newer form takes the place of an older one that waits. Where there is nothing to decide, the
    request is closed: the person belongs already, or was declined too short a time ago. Only the
    holder of the address ever learns that.
    """
    waiting = await work.execute(
        sa.select(JoinRequest)
        .where(
            col(JoinRequest.submission_id) == submission_id,
            col(JoinRequest.email_key) == key,
            col(JoinRequest.status) == JoinRequestStatus.AWAITING_VERIFICATION,
            col(JoinRequest.submitted_at) > clock.now() - UNCONFIRMED,
        )
        # Two forms that are confirmed at once lock what waits in the same order.
        .order_by(col(JoinRequest.community_id))
        .with_for_update()
    )
    requests = list(waiting.scalars())
    for request in requests:
        older = await _older(work, request)
        needless = await _needless(work, request)
        if needless is not None:
            join_states.withdraw(work, request, needless)
            continue
        for one in older:
            await _give_way(work, one)
        await _wait(work, standing, request)
    await _agree_if_known(work, standing, key, requests)
    await work.flush()
    rows = await work.rows(
        REQUESTS.where(col(JoinRequest.id).in_([request.id for request in requests])).order_by(
            col(JoinRequest.id)
        ),
        today=clock.today(),
    )
    return [receipt(row) for row in rows]


async def _wait(work: Work, standing: Standing, request: JoinRequest) -> None:
    join_states.move(request, JoinRequestStatus.PENDING)
    request.verified_at = request.updated_at
    async with unique_or(work, {"uq_join_request_open": errors.MailedTokenInvalid()}):
        pass
    activity.record(
        work,
        "join_request.verified",
        standing,
        request.id,
        community_id=request.community_id,
        rules_version=request.rules_version,
    )


async def _older(work: Work, newer: JoinRequest) -> list[JoinRequest]:
    """What still waits of the same address here, held so that nobody decides it in between."""
    found = await work.execute(
        sa.select(JoinRequest)
        .where(
            col(JoinRequest.community_id) == newer.community_id,
            col(JoinRequest.email_key) == newer.email_key,
            col(JoinRequest.status).in_(join_states.OPEN),
        )
        .with_for_update()
    )
    return list(found.scalars())


async def _give_way(work: Work, older: JoinRequest) -> None:
    if join_states.state_of(older) == JoinRequestStatus.EXPIRED:
        join_states.move(older, JoinRequestStatus.EXPIRED)
    else:
        join_states.withdraw(work, older, JoinWithdrawal.NEWER_REQUEST)
    await work.flush()  # before the newer one takes the only place there is


async def _needless(work: Work, request: JoinRequest) -> JoinWithdrawal | None:
    """Why there is nothing to decide about a request; None where there is."""
    if await _belongs(work, request.email_key, request.community_id):
        return JoinWithdrawal.ALREADY_MEMBER
    asked_again_from = await may_ask_from(work, request.email_key, request.community_id)
    if asked_again_from is not None and clock.today() < asked_again_from:
        return JoinWithdrawal.ASKED_TOO_SOON
    return None


async def may_ask_from(source: Source, key: str, community_id: UUID) -> date | None:
    """The day from which an address that was declined here may ask again; None if it never was."""
    declined = await source.first(
        sa.select(JoinRequest.decided_at, Community.reapplication_days)
        .join(Community, col(Community.id) == JoinRequest.community_id)
        .where(
            col(JoinRequest.community_id) == community_id,
            col(JoinRequest.email_key) == key,
            col(JoinRequest.status) == JoinRequestStatus.DECLINED,
            # What somebody else may have written in their name is not held against anybody.
            col(JoinRequest.verified_at).is_not(None),
        )
        .order_by(col(JoinRequest.decided_at).desc())
        .limit(1)
    )
    if declined is None:
        return None
    return clock.day_of(declined.decided_at) + timedelta(days=declined.reapplication_days)


async def _belongs(work: Work, key: str, community_id: UUID) -> bool:
    found = await work.first(
        sa.select(Membership.id).where(
            col(Membership.person_id).in_(unclaimed_profiles.known_as(key, community_id)),
            col(Membership.community_id) == community_id,
            membership_runs(clock.today()),
        )
    )
    return found is not None


async def _agree_if_known(
    work: Work, standing: Standing, key: str, requests: list[JoinRequest]
) -> None:
    """Somebody with an account has agreed by the form; a newcomer's counts once they are one."""
    person = await work.first(
        sa.select(Person.id, Person.language).where(col(Person.email_key) == key)
    )
    version = requests[0].rules_version if requests else None  # one form, one version
    if person is not None and version is not None:
        await rules.record_agreement(work, standing, person.id, version, person.language)
