"""The queue of mails: one row for each, one mail about one thing."""

from datetime import datetime
from uuid import UUID

from app import clock
from app.db import Work, insert_ignoring
from app.models import Mail, MailStatus


async def queue(
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
