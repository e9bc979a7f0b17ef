"""What is not kept, by class of record; the privacy notice promises the same periods."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.db import Work
from app.models import (
    AccessToken,
    EligibilityEvidence,
    EligibilityVerification,
    IdempotencyKey,
    JoinRequest,
    JoinRequestLink,
    JoinRequestStatus,
    MailedToken,
    PartnerCredential,
    RefreshToken,
    Session,
    SignInFailure,
)
from app.models.activity import Mail, MailStatus
from app.services import import_retention, invitations, join_requests, proposal_retention

UNCONFIRMED = timedelta(days=7)
NOT_ACCEPTED = timedelta(days=730)
SIGNED_OUT = timedelta(days=30)
ENDED = timedelta(days=90)
DELIVERED = timedelta(days=30)
UNDECIDED = timedelta(days=90)
ANSWERS = timedelta(hours=24)


def _followed(now: datetime) -> sa.Select:
    """The forms of which an applicant still follows a request: it is open, or closed lately."""
    since = now - join_requests.FOLLOWED - timedelta(days=1)
    return sa.select(col(JoinRequest.submission_id)).where(
        sa.or_(
            col(JoinRequest.status) == JoinRequestStatus.PENDING,
            col(JoinRequest.answer_due_on) >= clock.day_of(since),
            col(JoinRequest.updated_at) >= since,
        )
    )


async def erase(work: Work) -> dict[str, int]:
    """Erases what has been kept long enough; says how many rows of each class went."""
    now = clock.now()
    ended = sa.select(Session.id).where(
        sa.or_(col(Session.ended_at) < now - SIGNED_OUT, col(Session.expires_at) < now - SIGNED_OUT)
    )
    undecided = sa.select(col(EligibilityEvidence.verification_id)).where(
        col(EligibilityEvidence.uploaded_at) < now - UNDECIDED
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
        # The log names them by their ids, and needs no more.
        **{
            model.__tablename__: sa.delete(model).where(
                sa.or_(col(model.revoked_at) < now - ENDED, col(model.expires_at) < now - ENDED)
            )
            for model in (AccessToken, PartnerCredential)
        },
        "mail": sa.delete(Mail).where(
            col(Mail.status) != MailStatus.QUEUED,
            col(Mail.created_at) < now - DELIVERED,
        ),
        # Evidence goes with the decision; where nobody decides, it goes all the same.
        "evidence_noted": sa.update(EligibilityVerification)
        .where(col(EligibilityVerification.id).in_(undecided))
        .values(evidence_destroyed_at=now),
        "evidence": sa.delete(EligibilityEvidence).where(
            col(EligibilityEvidence.uploaded_at) < now - UNDECIDED
        ),
        "eligibility_verification": sa.delete(EligibilityVerification).where(
            sa.or_(
                col(EligibilityVerification.until_on) < clock.day_of(now) - NOT_ACCEPTED,
                sa.and_(
                    col(EligibilityVerification.confirmed_on).is_(None),
                    col(EligibilityVerification.updated_at) < now - NOT_ACCEPTED,
                ),
            )
        ),
        "join_request_unconfirmed": sa.delete(JoinRequest).where(
            col(JoinRequest.status) == JoinRequestStatus.AWAITING_VERIFICATION,
            col(JoinRequest.submitted_at) < now - UNCONFIRMED,
        ),
        "join_request_not_accepted": sa.delete(JoinRequest).where(
            sa.or_(
                col(JoinRequest.status).in_(refused),
                col(JoinRequest.answer_due_on) < clock.day_of(now),  # it has expired
            ),
            col(JoinRequest.updated_at) < now - NOT_ACCEPTED,
        ),
        "join_request_link": sa.delete(JoinRequestLink).where(
            col(JoinRequestLink.submission_id).not_in(_followed(now).scalar_subquery())
        ),
    }
    statements |= proposal_retention.statements(now, UNCONFIRMED, NOT_ACCEPTED)
    statements |= import_retention.statements(now)
    statements |= invitations.retention(now, ENDED)
    return {name: await work.written(statement) for name, statement in statements.items()}
