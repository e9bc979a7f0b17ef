"""Which reminders somebody has asked not to get any more."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.base import instant


class Unsubscription(SQLModel, table=True):
    """One person gets no more mail of one kind; only gathered reminders can be stopped."""

    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    mail_kind: str = Field(primary_key=True, max_length=60)
    unsubscribed_at: datetime = instant()
