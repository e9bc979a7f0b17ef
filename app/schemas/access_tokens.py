"""Personal access tokens: what a person gives to a script."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.policy import Capability
from app.schemas.base import Answer, DayIn, InstantOut, Line, Request, Slug

Scopes = Annotated[
    list[Annotated[Capability, Field(strict=False)]], Field(min_length=1, max_length=100)
]
Communities = Annotated[list[Slug], Field(min_length=1, max_length=100)]


class AccessTokenCreate(Request):
    """A token for a script: never wider than oneself is at the moment of its use."""

    name: Line = Field(description="What it is for.", examples=["Nightly roster"])
    scopes: Scopes = Field(
        description="The capabilities that it may use; it never adds one.",
        examples=[["communities:read", "memberships:read"]],
    )
    communities: Communities | None = Field(
        default=None,
        description="The communities, by id or slug, in which it may use them; null is everywhere.",
        examples=[["drug-treatment-court"]],
    )
    expires_on: DayIn = Field(
        description="The last day on which it works: at most a year from today.",
        examples=["2027-11-21"],
    )


class AccessToken(Answer):
    """A token of a person's for a script, without its secret."""

    id: UUID = Field(description="The token's id.")
    name: str = Field(description="What it is for.", examples=["Nightly roster"])
    scopes: list[str] = Field(
        description="The capabilities that it may use, as far as its owner has them.",
        examples=[["communities:read", "memberships:read"]],
    )
    communities: list[UUID] | None = Field(
        description="The communities in which it may use them; null for everywhere."
    )
    created_at: InstantOut = Field(description="When it was made.")
    expires_at: InstantOut = Field(description="From when on it no longer works.")
    last_used_at: InstantOut | None = Field(
        description="When it was last used, to the minute; null if never."
    )


class AccessTokenList(Answer):
    """A person's tokens that still work, the latest first."""

    items: list[AccessToken] = Field(description="All of them.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")


class NewAccessToken(AccessToken):
    """A token that was just made, with its secret, which is shown this once."""

    token: str = Field(
        description="Goes into the Authorization header as a bearer; it is kept nowhere.",
        examples=["cop_pat_Zk2mX8vB1nR4tY7wQ0pL3jH6gF9dS5aC8eU1iO4kM7x"],
    )
