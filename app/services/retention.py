"""What is not kept, by class of record; the privacy notice promises the same periods."""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.db import Work
from app.models import (
    IdempotencyKey,
    JoinRequest,
    JoinRequestStatus,
    MailedToken,
    RefreshToken,
    Session,
    SignInFailure,
)
from app.models.activity import Mail, MailStatus

UNCONFIRMED = timedelta(days=7)
NOT_ACCEPTED = timedelta(days=730)
SIGNED_OUT = timedelta(days=30)
DELIVERED = timedelta(days=30)
ANSWERS = timedelta(hours=24)


async def erase(work: Work) -> dict[str, int]:
    """Erases what has been kept long enough; says how many rows of each class went."""
    now = clock.now()
    ended = sa.select(Session.id).where(
        sa.or_(col(Session.ended_at) < now - SIGNED_OUT, col(Session.expires_at) < now - SIGNED_OUT)
    )
    refused = (JoinRequestStatus.DECLINED, JoinRequestStatus.WITHDRAWN)
    statements = {
        "idempotency_key": sa.delete(IdempotencyKey).where(
            col(IdempotencyKey.created_at) < now - ANSWERS
        ),
        "sign_in_failure": sa.delete(SignInFailure).where(
            col(SignInFailure.window_starts_at) < now - ANSWERS
        ),
        "mailed_token": sa.delete(MailedToken).where(col(MailedToken.expires_at) < now),
        "refresh_token": sa.delete(RefreshToken).where(
            col(RefreshToken.session_id).in_(ended.scalar_subquery())
        ),
        "session": sa.delete(Session).where(col(Session.id).in_(ended.scalar_subquery())),
        "mail": sa.delete(Mail).where(
            col(Mail.status) != MailStatus.QUEUED,
            col(Mail.created_at) < now - DELIVERED,
        ),
        "join_request_unconfirmed": sa.delete(JoinRequest).where(
            col(JoinRequest.status) == JoinRequestStatus.AWAITING_VERIFICATION,
            col(JoinRequest.submitted_at) < now - UNCONFIRMED,
        ),
        "join_request_not_accepted": sa.delete(JoinRequest).where(
            col(JoinRequest.status).in_(refused),
            col(JoinRequest.updated_at) < now - NOT_ACCEPTED,
        ),
    }
    return {name: await work.written(statement) for name, statement in statements.items()}
