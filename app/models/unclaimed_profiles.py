"""What a community's lists say of people who have an account elsewhere, until they claim it."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import reference


class UnclaimedProfile(SQLModel, table=True):
    """A person as one community has written them down, whose address has an account already.

    To the community it looks like anybody whom it has brought in: a row of `person` of its own, but
    without the key of an address, so that nobody signs in with it. Its owner is whoever proves the
    address: once they claim it, everything about it is about their account.
    """

    __tablename__ = "unclaimed_profile"
    __table_args__ = (
        sa.UniqueConstraint("community_id", "email_key"),
        sa.Index("ix_unclaimed_profile_email_key", "email_key"),
    )

    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    community_id: UUID = reference("community.id")
    email_key: str = Field(max_length=254)
