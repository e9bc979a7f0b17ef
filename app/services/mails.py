"""Mail: what strangers may ask for, and its way out.

A row says what a mail is about; its words and its token are made when it is sent (letters.py), so
that neither stays behind in a queue.
"""

import hashlib
from datetime import timedelta
from email.message import EmailMessage
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity as happenings
from app import clock
from app import mail as port
from app.db import Database, Source, Work
from app.models import Mail, MailStatus
from app.models.base import Instant
from app.reader import Prepared
from app.schemas.base import address_key
from app.services import envelopes, letters, recipients, waiting
from app.services.mail_queue import queue

# Tried for about a day, with pauses that grow from a second to an hour.
MOST_ATTEMPTS = 32
LONGEST_PAUSE_SECONDS = 3600
LONGEST_FAILURE = 200
# A job has one try and never takes this long; after that its mail is handed on again.
LEASE = timedelta(minutes=15)


# What strangers ask for

ASKED = frozenset({"email_verification", "password_reset", "sign_in_link"})


async def ask(work: Work, kind: str, email: str) -> None:
    """Queues the mail that somebody asked for by typing an address, known or not.

    Known and unknown addresses cost the same: whose it is, is looked up when the mail is sent.
    """
    if kind not in ASKED:
        raise ValueError(kind)
    digest = hashlib.sha256(address_key(email).encode()).hexdigest()[:16]
    await queue(work, kind, digest, address=email, subject_id=None)


# The way out

_IS_DUE = (
    col(Mail.status) == MailStatus.QUEUED,
    col(Mail.send_after) <= sa.bindparam("now", type_=Instant),
    sa.or_(
        col(Mail.handed_on_at).is_(None),
        col(Mail.handed_on_at) < sa.bindparam("lost", type_=Instant),
    ),
)
_DUE = Prepared(
    sa.select(col(Mail.id))
    .where(*_IS_DUE)
    .order_by(col(Mail.send_after), col(Mail.id))
    .limit(sa.bindparam("most", type_=sa.Integer))
)


async def due(source: Source, limit: int = 100) -> list[UUID]:
    """The ids of queued mails whose time has come and that no job has, the earliest first."""
    now = clock.now()
    rows = await source.rows(_DUE, now=now, lost=now - LEASE, most=limit)
    return [row.id for row in rows]


async def hand_on(work: Work, mail_ids: list[UUID]) -> list[UUID]:
    """Notes that a job has these mails from now on; the ids of those that no other job has."""
    now = clock.now()
    taken = await work.execute(
        sa.update(Mail)
        .where(col(Mail.id).in_(mail_ids), *_IS_DUE)
        .values(handed_on_at=now)
        .returning(col(Mail.id))
        .execution_options(synchronize_session=False),
        {"now": now, "lost": now - LEASE},
    )
    return list(taken.scalars())


class _Written(NamedTuple):
    """A mail ready to go, and what it counted."""

    message: EmailMessage
    said: frozenset[UUID]


async def deliver(database: Database, mail_id: UUID) -> None:
    """Writes and sends one queued mail; one that was sent, parked or dropped is left alone.

    A failure is noted with the mail, which is due again after a pause; one that is refused for
    good, or too often, is parked. After a crash between sending and marking it is sent again,
    with the same ids and another token.
    """
    try:
        async with database.work() as work:
            written = await _write(work, mail_id)
        if written is None:
            return
        # Outside of any unit of work: a slow server must not hold a lock.
        await port.send(written.message, mail_id)
    except port.MailRefused as refusal:
        await fail(database, mail_id, refusal.reason, permanent=refusal.permanent)
        return
    async with database.work() as work:
        await _mark_sent(work, mail_id, written.said)


async def _write(work: Work, mail_id: UUID) -> _Written | None:
    mail = await work.locked(Mail, mail_id)
    if mail.status != MailStatus.QUEUED:
        return None
    letter = await letters.write(work, mail)
    if letter is None:
        mail.status = MailStatus.DROPPED
        mail.address = None  # a stranger's address has no business here any more
        return None
    association = await letters.association(work)
    message = envelopes.message(mail.id, mail.kind, letter, association)
    return _Written(message, letter.said)


async def _mark_sent(work: Work, mail_id: UUID, said: frozenset[UUID]) -> None:
    mail = await work.locked(Mail, mail_id)
    if mail.status != MailStatus.QUEUED:
        return
    mail.status, mail.sent_at, mail.failure = MailStatus.SENT, clock.now(), None
    mail.address = None  # it has served its purpose
    mail.attempts += 1
    await work.flush()
    if mail.kind in waiting.GATHERED and mail.recipient_id is not None:
        # What came while the reminder was on its way was too late to be counted in it.
        letter = await letters.write(work, mail)
        if letter is not None and not letter.said <= said:
            await recipients.gather(work, mail.kind, mail.recipient_id)


async def fail(database: Database, mail_id: UUID, reason: str, *, permanent: bool) -> None:
    """Counts a failed try; parks the mail, and records that, where another is of no use."""
    async with database.work() as work:
        mail = await work.locked(Mail, mail_id)
        if mail.status != MailStatus.QUEUED:
            return
        mail.attempts += 1
        mail.failure = reason[:LONGEST_FAILURE]
        if permanent or mail.attempts >= MOST_ATTEMPTS:
            mail.status = MailStatus.PARKED
            happenings.record(work, "mail.parked", None, mail.id, mail_kind=mail.kind)
        else:
            mail.handed_on_at = None
            mail.send_after = clock.now() + _pause(mail.attempts)


def _pause(attempts: int) -> timedelta:
    """1, 3, 9, 27 seconds and so on, up to an hour: a greylisting server wants to see us again
    soon, and one that is down for the night should find its mail in the morning."""
    return timedelta(seconds=min(3.0 ** (attempts - 1), LONGEST_PAUSE_SECONDS))
