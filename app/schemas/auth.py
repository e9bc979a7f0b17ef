"""Signing in and out, and the links that go by mail."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.schemas.base import Answer, Email, InstantOut, Request, line
from app.schemas.join_requests import JoinRequestReceipt

Secret = Annotated[str, Field(min_length=1, max_length=512)]


class PasswordSignIn(Request):
    """Sign in with address and password, as JSON; the OAuth2 form has the same members."""

    grant_type: Literal["password"] = Field(description="How one signs in.")
    username: Annotated[str, *line(1, 254)] = Field(
        description="The e-mail address.", examples=["chair@example.org"]
    )
    password: Secret = Field(description="The password.", examples=["correct horse battery"])


class Refresh(Request):
    """A refresh token; it is spent by this and followed by another."""

    refresh_token: Secret = Field(description="The refresh token of the last answer.")


class Tokens(Answer):
    """A short-lived access token, and the refresh token that gets the next one."""

    access_token: str = Field(description="Goes into the Authorization header as a bearer.")
    token_type: Literal["bearer"] = Field(default="bearer", description="Always bearer.")
    expires_in: int = Field(description="Seconds until the access token expires.", examples=[900])
    refresh_token: str = Field(description="Good once, for POST /auth/tokens/refresh.")
    refresh_expires_in: int = Field(description="Seconds until the sign-in as a whole expires.")
    session_id: UUID = Field(description="The sign-in, as /me/sessions lists it.")


class AddressAsked(Request):
    """An address to which a link is sent, if it is known. The answer is always the same."""

    email: Email = Field(description="The address.", examples=["member@example.org"])


class MailedToken(Request):
    """The token of a mailed link."""

    token: Secret = Field(description="What stands after `token=` in the link.")


class PasswordChoice(Request):
    """The token of a mailed link, and the password that is chosen with it."""

    token: Secret = Field(description="What stands after `token=` in the link.")
    password: Annotated[str, Field(min_length=10, max_length=200)] = Field(
        description="Ten characters or more; not the address, not a common password.",
        examples=["a quiet court in March"],
    )


class TokenInspection(Answer):
    """Whether a mailed link is still good; asking changes nothing."""

    valid: bool = Field(description="True if it can be used now.")
    expires_at: InstantOut | None = Field(description="Until when; null if it is not good.")


class EmailVerified(Answer):
    """An address has been proven to be its owner's."""

    email: str = Field(description="The address.")
    verified_at: InstantOut = Field(description="When it was proven.")
    join_requests: list[JoinRequestReceipt] = Field(
        description="The requests that were made with it and now wait for a decision."
    )


class Session(Answer):
    """One sign-in of the caller."""

    id: UUID = Field(description="The sign-in's id.")
    client: str = Field(description="What the client called itself.")
    current: bool = Field(description="True for the sign-in of this request.")
    created_at: InstantOut = Field(description="When it began.")
    last_used_at: InstantOut = Field(description="When its tokens were last renewed.")
    expires_at: InstantOut = Field(description="When it ends by itself.")


class SessionList(Answer):
    """The caller's sign-ins that have not ended, the latest first."""

    items: list[Session] = Field(description="All of them.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")
