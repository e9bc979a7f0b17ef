"""Stopping reminders: by a key that is in each of them, without signing in (RFC 8058)."""

import base64
import binascii
import hashlib
import hmac
from typing import NamedTuple
from uuid import UUID

from app import activity, clock, errors, tokens
from app.db import Work, insert_ignoring
from app.models import ActorKind, Person, Unsubscription
from app.services import waiting

_ID_BYTES = 16


class Reminder(NamedTuple):
    """One kind of reminder to one person."""

    person_id: UUID
    mail_kind: str


def key(person_id: UUID, mail_kind: str) -> str:
    """What an unsubscribe link carries. It is computed, so that nothing has to be stored for it.

    It does not expire: a link in an old mail has to work, and all it can do is stop reminders.
    """
    payload = person_id.bytes + mail_kind.encode()
    return f"{_encoded(payload)}.{_encoded(_seal(payload))}"


def opened(sealed: str) -> Reminder:
    """What a key is about. Raises MailedTokenInvalid for what this server did not make."""
    try:
        payload, seal = (_decoded(part) for part in sealed.split("."))
    except (binascii.Error, ValueError) as error:
        raise errors.MailedTokenInvalid from error
    if not hmac.compare_digest(seal, _seal(payload)):
        raise errors.MailedTokenInvalid
    reminder = Reminder(UUID(bytes=payload[:_ID_BYTES]), payload[_ID_BYTES:].decode())
    if reminder.mail_kind not in waiting.GATHERED:
        raise errors.MailedTokenInvalid
    return reminder


async def unsubscribe(work: Work, sealed: str) -> None:
    """Stops the reminders that a key is about; doing so again changes nothing.

    Raises MailedTokenInvalid for a bad key.
    """
    reminder = opened(sealed)
    if await work.get(Person, reminder.person_id) is None:
        raise errors.MailedTokenInvalid
    row = Unsubscription(**reminder._asdict(), unsubscribed_at=clock.now())
    if await work.written(insert_ignoring(work, Unsubscription, row.model_dump())):
        activity.record(
            work,
            "account.unsubscribed",
            None,
            reminder.person_id,
            actor=(ActorKind.PERSON, reminder.person_id),
            mail_kind=reminder.mail_kind,
        )


async def stopped(work: Work, person_id: UUID, mail_kind: str) -> bool:
    """True if the person gets no more mail of this kind."""
    return await work.get(Unsubscription, (person_id, mail_kind)) is not None


def _seal(payload: bytes) -> bytes:
    return hmac.new(tokens.key("unsubscribe"), payload, hashlib.sha256).digest()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
