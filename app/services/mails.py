"""Mail: which activity causes one, to whom, what strangers may ask for, and its way out.

A row says what a mail is about; its words and its token are made when it is sent (letters.py), so
that neither stays behind in a queue.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity as happenings
from app import clock, settings
from app import mail as port
from app.db import Database, Source, Work, insert_ignoring
from app.models import Activity, JoinRequest, Mail, MailStatus, Review, ReviewAction
from app.models.base import Instant
from app.policy import Capability
from app.reader import Prepared
from app.schemas.base import address_key
from app.services import (
    election_letters,
    envelopes,
    grants,
    letters,
    succession_letters,
    unsubscriptions,
    waiting,
)

# Tried for about a day, with pauses that grow from a second to an hour.
MOST_ATTEMPTS = 32
LONGEST_PAUSE_SECONDS = 3600
LONGEST_FAILURE = 200
# A job has one try and never takes this long; after that its mail is handed on again.
LEASE = timedelta(minutes=15)


# Which activity causes a mail, and to whom


async def cause(work: Work, activity: Activity) -> None:
    """Queues the mails that one activity causes; an activity is to be given to this once.

    Nobody is mailed about what they did themselves, save that their password was changed.
    """
    kind = happenings.KINDS.get(activity.kind)
    for mail_kind in kind.mails if kind else ():
        if mail_kind in waiting.GATHERED:
            await _remind(work, mail_kind, activity)
        else:
            await RECIPIENTS[mail_kind](work, mail_kind, activity)


async def _remind(work: Work, mail_kind: str, activity: Activity) -> None:
    """Those who may decide are reminded, in one mail for all that waits for them."""
    if activity.community_id is None:
        return
    told = await waiting.deciders(work, mail_kind, activity.community_id) - {activity.actor_id}
    if mail_kind == "reviews_waiting":
        review = await work.get(Review, UUID(activity.subject_id))
        told -= {review.author_id} if review else set()
    for person_id in sorted(told):
        if not await unsubscriptions.stopped(work, person_id, mail_kind):
            await _gather(work, mail_kind, person_id)


async def _gather(work: Work, mail_kind: str, person_id: UUID) -> None:
    """One reminder soon, but not before some time has passed since the one before."""
    known = settings.get()
    after = clock.now() + timedelta(seconds=known.gather_seconds)
    last = await work.one(
        sa.select(sa.func.max(Mail.sent_at).label("sent_at")).where(
            col(Mail.recipient_id) == person_id,
            col(Mail.kind) == mail_kind,
            col(Mail.status) == MailStatus.SENT,
        )
    )
    if last.sent_at is not None:
        after = max(after, last.sent_at + timedelta(minutes=known.gather_again_minutes))
    await _queue(
        work, mail_kind, person_id, recipient_id=person_id, subject_id=None, send_after=after
    )


async def _confirm_address(work: Work, mail_kind: str, activity: Activity) -> None:
    """One mail for a whole form: its first request speaks for all."""
    request = await work.get(JoinRequest, UUID(activity.subject_id))
    if request is None:
        return
    first = await work.one(
        sa.select(col(JoinRequest.id))
        .where(col(JoinRequest.submission_id) == request.submission_id)
        .order_by(col(JoinRequest.id))
        .limit(1)
    )
    if first.id == request.id:
        form = request.submission_id
        await _queue(work, mail_kind, form, address=request.email, subject_id=form)


async def _applicant(work: Work, mail_kind: str, activity: Activity) -> None:
    request = await work.get(JoinRequest, UUID(activity.subject_id))
    if request is not None:
        await _queue(work, mail_kind, request.id, address=request.email, subject_id=request.id)


async def _newcomer(work: Work, mail_kind: str, activity: Activity) -> None:
    await _person(work, mail_kind, activity, UUID(activity.facts["person_id"]), once=True)


async def _person_of_facts(work: Work, mail_kind: str, activity: Activity) -> None:
    await _person(work, mail_kind, activity, UUID(activity.facts["person_id"]))


async def _holder_and_managers(work: Work, mail_kind: str, activity: Activity) -> None:
    await _person_of_facts(work, mail_kind, activity)
    await _managers(work, mail_kind, activity)


async def _managers(work: Work, mail_kind: str, activity: Activity) -> None:
    """Those who run the community's elections, and so fill its seats."""
    if activity.community_id is None:
        return
    told = await waiting.holders(work, Capability.ELECTIONS_MANAGE, activity.community_id)
    told -= {UUID(activity.facts["person_id"])} if "person_id" in activity.facts else set()
    for person_id in sorted(told):
        await _person(work, mail_kind, activity, person_id, each=True)


async def _account(work: Work, mail_kind: str, activity: Activity) -> None:
    """Whoever chose the password is told too: it may have been somebody else in their name."""
    if not activity.facts["first"]:
        person_id = UUID(activity.subject_id)
        await _queue(work, mail_kind, activity.id, recipient_id=person_id, subject_id=person_id)


async def _author_of_hidden(work: Work, mail_kind: str, activity: Activity) -> None:
    if activity.facts["action"] == ReviewAction.HIDE:
        await _author(work, mail_kind, activity)


async def _author(work: Work, mail_kind: str, activity: Activity) -> None:
    """The post's author, if the decision had hidden it."""
    review = await work.get(Review, UUID(activity.subject_id))
    if review is not None and review.action == ReviewAction.HIDE:
        await _person(work, mail_kind, activity, review.author_id)


async def _holders_of_the_table(work: Work, mail_kind: str, activity: Activity) -> None:
    """Everybody else who may change the permission table, and whoever proposed the change."""
    change_id = UUID(activity.facts.get("change_id", activity.subject_id))
    told = await grants.holders(work)
    told |= {UUID(activity.facts["proposed_by"])} if "proposed_by" in activity.facts else set()
    for person_id in sorted(told - {activity.actor_id}):
        about = f"{activity.id}:{person_id}"
        await _queue(work, mail_kind, about, recipient_id=person_id, subject_id=change_id)


async def _readers_of_election(work: Work, mail_kind: str, activity: Activity) -> None:
    for person_id in sorted(
        await election_letters.readers(work, mail_kind, UUID(activity.subject_id))
    ):
        await _person(work, mail_kind, activity, person_id, each=True)


async def _readers_of_succession(work: Work, mail_kind: str, activity: Activity) -> None:
    subject_id = UUID(activity.subject_id)
    for person_id in sorted(await succession_letters.readers(work, mail_kind, subject_id)):
        await _person(work, mail_kind, activity, person_id)


async def _proposer(work: Work, mail_kind: str, activity: Activity) -> None:
    await _person(work, mail_kind, activity, UUID(activity.facts["proposed_by"]))


async def _person(
    work: Work,
    mail_kind: str,
    activity: Activity,
    person_id: UUID,
    *,
    once: bool = False,
    each: bool = False,
) -> None:
    """Somebody else than who did it; `once` for each subject, otherwise for each activity, or for
    `each` of several readers of it."""
    if person_id == activity.actor_id:
        return
    subject_id = UUID(activity.subject_id)
    about: UUID | str = subject_id if once else activity.id
    if each:
        about = f"{activity.id}:{person_id}"
    await _queue(work, mail_kind, about, recipient_id=person_id, subject_id=subject_id)


RECIPIENTS: Mapping[str, Callable[[Work, str, Activity], Awaitable[None]]] = {
    **dict.fromkeys(election_letters.LETTERS, _readers_of_election),
    **dict.fromkeys(succession_letters.LETTERS, _readers_of_succession),
    "confirm_address": _confirm_address,
    "grant_change_proposed": _holders_of_the_table,
    "grant_change_refused": _proposer,
    "grant_changed": _holders_of_the_table,
    "membership_ended": _person_of_facts,
    "membership_suspended": _person_of_facts,
    "password_changed": _account,
    "post_hidden": _author_of_hidden,
    "post_restored": _author,
    "request_declined": _applicant,
    "suspension_lifted": _person_of_facts,
    "acting_started": _person_of_facts,
    "term_ending_soon": _holder_and_managers,
    "term_recorded": _person_of_facts,
    "term_removed": _person_of_facts,
    "term_started": _person_of_facts,
    "vacancy_opened": _managers,
    "welcome": _newcomer,
}


# What strangers ask for

ASKED = frozenset({"email_verification", "password_reset", "sign_in_link"})


async def ask(work: Work, kind: str, email: str) -> None:
    """Queues the mail that somebody asked for by typing an address, known or not.

    Known and unknown addresses cost the same: whose it is, is looked up when the mail is sent.
    """
    if kind not in ASKED:
        raise ValueError(kind)
    digest = hashlib.sha256(address_key(email).encode()).hexdigest()[:16]
    await _queue(work, kind, digest, address=email, subject_id=None)


async def _queue(
    work: Work,
    kind: str,
    about: UUID | str,
    *,
    recipient_id: UUID | None = None,
    address: str | None = None,
    subject_id: UUID | None,
    send_after: datetime | None = None,
) -> None:
    """Adds one mail, unless one about the same is queued already.

    The unique index decides, not a look before: on PostgreSQL the insert waits for a delivery
    that is just marking its mail as sent, so that what came too late for it gets a mail of its own.
    """
    now = clock.now()
    row = Mail(
        kind=kind,
        gathering=f"{kind}:{about}",
        recipient_id=recipient_id,
        address=address,
        subject_id=subject_id,
        status=MailStatus.QUEUED,
        created_at=now,
        send_after=send_after or now,
    )
    await work.execute(insert_ignoring(work, Mail, row.model_dump()))


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
            await _gather(work, mail.kind, mail.recipient_id)


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
