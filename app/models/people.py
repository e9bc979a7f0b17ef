"""People, the ways in which they sign in, and what they have agreed to."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.models.base import identity, instant, one_of, reference


class TokenPurpose(StrEnum):
    """What a mailed link is good for."""

    EMAIL_VERIFICATION = "email_verification"
    PASSWORD = "password"
    FIRST_PASSWORD = "first_password"
    SIGN_IN = "sign_in"


class Person(SQLModel, table=True):
    """Somebody with an account. The identity line is name, occupation and affiliation.

    Without an `email_key` it is not an account, but a profile that waits for one to claim it.
    """

    id: UUID = identity()
    name: str = Field(max_length=200)
    email: str = Field(max_length=254)
    email_key: str | None = Field(default=None, max_length=254, unique=True)
    email_verified_at: datetime | None = instant(nullable=True)
    password_hash: str | None = Field(default=None, max_length=255)
    occupation: str | None = Field(default=None, max_length=200)
    occupation_code: str = Field(default="other", foreign_key="occupation.code", max_length=60)
    affiliation: str | None = Field(default=None, max_length=200)
    area_of_interest: str | None = Field(default=None, max_length=2000)
    territory: str | None = Field(default=None, foreign_key="territory.code", max_length=20)
    language: str = Field(default="en", max_length=2)
    deactivated_at: datetime | None = instant(nullable=True)
    created_at: datetime = instant()
    updated_at: datetime = instant()
    version: int = 1


class Agreement(SQLModel, table=True):
    """A person's agreement to one version of the rules; never altered, only added to."""

    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    rules_version: int = Field(foreign_key="rules_version.number", primary_key=True)
    agreed_at: datetime = instant()
    language: str = Field(max_length=2)


class Session(SQLModel, table=True):
    """One sign-in on one device: a family of refresh tokens that ends as a whole."""

    id: UUID = identity()
    person_id: UUID = reference("person.id", index=True)
    client: str = Field(default="", max_length=200)
    created_at: datetime = instant()
    last_used_at: datetime = instant()
    expires_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)


class RefreshToken(SQLModel, table=True):
    """One refresh token, by its hash; a spent one that comes back ends its session."""

    __tablename__ = "refresh_token"

    token_hash: str = Field(primary_key=True, max_length=64)
    session_id: UUID = reference("session.id", index=True)
    issued_at: datetime = instant()
    spent_at: datetime | None = instant(nullable=True)


class MailedToken(SQLModel, table=True):
    """A one-time link that went out by mail, by its hash."""

    __tablename__ = "mailed_token"
    __table_args__ = (sa.Index("ix_mailed_token_expires_at", "expires_at"),)

    token_hash: str = Field(primary_key=True, max_length=64)
    purpose: TokenPurpose = one_of(TokenPurpose, "mailed_token_purpose")
    person_id: UUID | None = reference("person.id", nullable=True, index=True)
    submission_id: UUID | None = Field(default=None, index=True)
    email_key: str = Field(max_length=254)
    created_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)


class SignInFailure(SQLModel, table=True):
    """How often an address of the network failed to sign in to an account lately.

    Counted by account and network address together, so that nobody can lock somebody else out.
    """

    __tablename__ = "sign_in_failure"

    key_hash: str = Field(primary_key=True, max_length=64)
    window_starts_at: datetime = instant(index=True)
    failures: int
