"""Partner organisations, and the credentials with which their machines sign in."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, reference


class Partner(SQLModel, table=True):
    """An organisation whose machines may call: what they may do at most, and where.

    `communities` are ids; without them it is for everywhere, save hidden and restricted ones.
    """

    id: UUID = identity()
    name: str = Field(max_length=200)
    contact_email: str = Field(max_length=254)
    capabilities: list[str] = json(default_factory=list)
    communities: list[str] | None = json(nullable=True, default=None)
    active: bool = True
    created_at: datetime = instant()
    updated_at: datetime = instant()
    version: int = 1


class PartnerCredential(SQLModel, table=True):
    """A client of a partner's: its id is the client_id, its secret is kept as a hash."""

    __tablename__ = "partner_credential"

    id: UUID = identity()
    partner_id: UUID = reference("partner.id", index=True)
    name: str = Field(max_length=200)
    secret_hash: str = Field(max_length=64)
    created_at: datetime = instant()
    created_by: UUID = reference("person.id")
    expires_at: datetime = instant()
    last_used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)
