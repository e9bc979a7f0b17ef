"""Personal access tokens: what a person's script signs in with."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, json, reference


class AccessToken(SQLModel, table=True):
    """A token of one person's for a script, by its hash: never wider than that person is.

    `scopes` are capabilities; `communities` are ids, and without them it is for everywhere.
    """

    __tablename__ = "access_token"

    id: UUID = identity()
    person_id: UUID = reference("person.id", index=True)
    name: str = Field(max_length=200)
    token_hash: str = Field(max_length=64, unique=True)
    scopes: list[str] = json(default_factory=list)
    communities: list[str] | None = json(nullable=True, default=None)
    created_at: datetime = instant()
    expires_at: datetime = instant()
    last_used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)
