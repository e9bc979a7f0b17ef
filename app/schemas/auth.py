"""Signing in and out, and the links that go by mail."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.base import Answer, Email, InstantOut, Request, line
from app.schemas.community_proposals import CommunityProposalReceipt
from app.schemas.join_requests import JoinRequestReceipt

Secret = Annotated[str, Field(min_length=1, max_length=512)]


class PasswordSignIn(Request):
    """Sign in with address and password, as JSON; the OAuth2 form has the same members."""

    grant_type: Literal["password"] = Field(description="How one signs in.")
    username: Annotated[str, *line(1, 254)] = Field(
        description="The e-mail address.", examples=["chair@example.org"]
    )
    password: Secret = Field(description="The password.", examples=["correct horse battery"])


class ClientSignIn(Request):
    """Sign in as a partner's machine, with the credential that the partner was given."""

    grant_type: Literal["client_credentials"] = Field(description="How one signs in.")
    client_id: Annotated[str, *line(1, 200)] = Field(description="The credential's client_id.")
    client_secret: Secret = Field(description="Its client_secret.")
    scope: Annotated[str, *line(0, 2000)] | None = Field(
        default=None, description="Capabilities, with spaces between; all that there are without."
    )


class GrantType(StrEnum):
    """How one signs in: a person by a password, a partner's machine by its credential."""

    PASSWORD = "password"
    CLIENT_CREDENTIALS = "client_credentials"


class TokenRequest(Request):
    """What is sent in order to get tokens, as JSON or as an OAuth2 form: `username` and `password`
    with the grant type password; `client_id` and `client_secret` with client_credentials, in the
    body or by HTTP Basic. What belongs to the other grant type says nothing."""

    grant_type: GrantType = Field(description="How one signs in.")
    username: Annotated[str, *line(1, 254)] | MISSING = Field(
        default=MISSING, description="The e-mail address.", examples=["chair@example.org"]
    )
    password: Secret | MISSING = Field(
        default=MISSING, description="The password.", examples=["correct horse battery"]
    )
    client_id: Annotated[str, *line(1, 200)] | MISSING = Field(
        default=MISSING,
        description="A partner's client_id.",
        examples=["01983f5e-7c00-7000-8000-00000000000a"],
    )
    client_secret: Secret | MISSING = Field(
        default=MISSING,
        description="A partner's client_secret.",
        examples=["cop_secret_Zk2mX8vB1nR4tY7wQ0pL3jH6gF9dS5aC8eU1iO4kM7x"],
    )
    scope: Annotated[str, *line(0, 2000)] | MISSING = Field(
        default=MISSING,
        description="For a partner's machine: capabilities, with spaces between. Without them the"
        " token has all that the partner is given.",
        examples=["communities:read memberships:read"],
    )


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


class IssuedTokens(Answer):
    """A short-lived access token; for a person the refresh token too that gets the next one, for a
    partner's machine the scopes. A machine signs in again."""

    access_token: str = Field(description="Goes into the Authorization header as a bearer.")
    token_type: Literal["bearer"] = Field(default="bearer", description="Always bearer.")
    expires_in: int = Field(description="Seconds until the access token expires.", examples=[900])
    refresh_token: str | None = Field(
        default=None, description="Good once, for POST /auth/tokens/refresh; a person's, or null."
    )
    refresh_expires_in: int | None = Field(
        default=None,
        description="Seconds until the sign-in as a whole expires; a person's, or null.",
    )
    session_id: UUID | None = Field(
        default=None, description="The sign-in, as /me/sessions lists it; a person's, or null."
    )
    scope: str | None = Field(
        default=None,
        description="A machine's scopes, with spaces between; null for a person.",
        examples=["communities:read memberships:read"],
    )


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
    revoke_access_tokens: bool = Field(
        default=True,
        description="Whether the tokens for scripts end too; false keeps those that one trusts.",
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
    proposal: CommunityProposalReceipt | None = Field(
        description="The proposal that the form was about, if it was about one."
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
