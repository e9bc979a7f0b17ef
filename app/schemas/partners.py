"""Partner organisations and the credentials of their machines."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.policy import Capability
from app.schemas.access_tokens import Communities
from app.schemas.base import Answer, DayIn, Email, InstantOut, Line, PersonReference, Request
from app.schemas.base import Viewer as Viewer

Capabilities = Annotated[list[Annotated[Capability, Field(strict=False)]], Field(max_length=100)]
_CAPABILITIES = ["communities:read", "memberships:read", "memberships:import"]
_WHERE = (
    "Where, by id or slug; null for everywhere. Hidden and restricted communities have to be named."
)


class PartnerCreate(Request):
    """An organisation whose machines may call."""

    name: Line = Field(
        description="The organisation's name.", examples=["Court Training Institute"]
    )
    contact_email: Email = Field(
        description="Whom to write to.", examples=["systems@institute.example.org"]
    )
    capabilities: Capabilities = Field(
        description="What its machines may do at most; some capabilities are never for machines.",
        examples=[_CAPABILITIES],
    )
    communities: Communities | None = Field(
        default=None, description=_WHERE, examples=[["drug-treatment-court"]]
    )


class PartnerUpdate(Request):
    """A merge patch of a partner; what it may have holds at the next request of its machines."""

    name: Line | MISSING = Field(default=MISSING, description="The organisation's name.")
    contact_email: Email | MISSING = Field(default=MISSING, description="Whom to write to.")
    capabilities: Capabilities | MISSING = Field(
        default=MISSING,
        description="What its machines may do at most; replaces the list.",
        examples=[_CAPABILITIES],
    )
    communities: Communities | None | MISSING = Field(
        default=MISSING, description=_WHERE, examples=[["drug-treatment-court"]]
    )
    active: bool | MISSING = Field(
        default=MISSING,
        description="False ends everything that its machines may do.",
        examples=[True],
    )


class Partner(Answer):
    """An organisation whose machines may call."""

    id: UUID = Field(description="The partner's id.")
    name: str = Field(description="The organisation's name.", examples=["Court Training Institute"])
    contact_email: str = Field(
        description="Whom to write to.", examples=["systems@institute.example.org"]
    )
    capabilities: list[str] = Field(
        description="What its machines may do at most.", examples=[_CAPABILITIES]
    )
    communities: list[UUID] | None = Field(description="Where; null for everywhere.")
    active: bool = Field(description="False for one whose machines may do nothing.")
    created_at: InstantOut = Field(description="When it was admitted.")
    updated_at: InstantOut = Field(description="When it last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class PartnerList(Answer):
    """A page of partners, the earliest first."""

    items: list[Partner] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class CredentialCreate(Request):
    """A credential for a machine of a partner's."""

    name: Line = Field(description="Which machine it is for.", examples=["Learning platform"])
    expires_on: DayIn = Field(
        description="The last day on which it works: at most a year from today.",
        examples=["2027-11-21"],
    )


class Credential(Answer):
    """A credential of a partner's, without its secret."""

    id: UUID = Field(description="The credential's id.")
    client_id: UUID = Field(description="The same, as OAuth2 calls it.")
    name: str = Field(description="Which machine it is for.", examples=["Learning platform"])
    created_at: InstantOut = Field(description="When it was made.")
    created_by: PersonReference = Field(description="By whom.")
    expires_at: InstantOut = Field(description="From when on it no longer works.")
    last_used_at: InstantOut | None = Field(
        description="When a token was last had with it, to the minute; null if never."
    )


class CredentialList(Answer):
    """A partner's credentials that still work, the latest first."""

    items: list[Credential] = Field(description="All of them.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")


class NewCredential(Credential):
    """A credential that was just made, with its secret, which is shown this once."""

    client_secret: str = Field(
        description="For POST /auth/tokens with grant_type=client_credentials; kept nowhere.",
        examples=["cop_secret_Zk2mX8vB1nR4tY7wQ0pL3jH6gF9dS5aC8eU1iO4kM7x"],
    )
