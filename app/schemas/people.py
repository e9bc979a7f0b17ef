"""People: oneself, and what the association's staff see of others."""

from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.base import (
    Answer,
    Code,
    InstantOut,
    Language,
    LanguageIn,
    Line,
    Paragraph,
    Request,
    TerritoryCode,
    Viewer,
)


class Me(Answer):
    """The caller's own profile. The identity line is name, occupation and affiliation."""

    id: UUID = Field(description="The person's id.")
    name: str = Field(description="The name under which the person speaks.")
    email: str = Field(description="The address that was proven.")
    occupation: str | None = Field(description="In the person's own words.")
    occupation_code: str = Field(description="An entry of /occupations.")
    affiliation: str | None = Field(description="Court, treatment agency or other affiliation.")
    area_of_interest: str | None = Field(description="What the person is interested in.")
    territory: str | None = Field(description="An entry of /territories, or null.")
    language: Language = Field(description="The language of mails.")
    positions: list[str] = Field(description="Positions held in the association today.")
    rules_version_agreed: int | None = Field(description="The latest version agreed to.")
    rules_version_in_force: int = Field(description="The version in force today.")
    created_at: InstantOut = Field(description="When the account was made.")
    updated_at: InstantOut = Field(description="When the profile last changed.")


class MeUpdate(Request):
    """A merge patch of one's own profile; posts that exist keep the line they were sent under."""

    name: Line | MISSING = Field(default=MISSING, description="Your name; cannot be cleared.")
    occupation: Line | None | MISSING = Field(default=MISSING, description="Null clears it.")
    occupation_code: Code | MISSING = Field(default=MISSING, description="From /occupations.")
    affiliation: Line | None | MISSING = Field(default=MISSING, description="Null clears it.")
    area_of_interest: Paragraph | None | MISSING = Field(
        default=MISSING, description="Null clears it."
    )
    territory: TerritoryCode | None | MISSING = Field(
        default=MISSING, description="From /territories, or null."
    )
    language: LanguageIn | MISSING = Field(default=MISSING, description="The language of mails.")


class Person(Answer):
    """A person, as the association's staff see them."""

    id: UUID = Field(description="The person's id.")
    name: str = Field(description="The person's name.")
    email: str = Field(description="The person's address.")
    occupation: str | None = Field(description="In the person's own words.")
    occupation_code: str = Field(description="An entry of /occupations.")
    affiliation: str | None = Field(description="The person's affiliation.")
    territory: str | None = Field(description="An entry of /territories, or null.")
    language: Language = Field(description="The language of mails.")
    unclaimed: bool = Field(
        description="True for what a community has written down of somebody whose address has an"
        " account of its own: nobody signs in with it, and its owner may claim it."
    )
    deactivated_at: InstantOut | None = Field(description="When the account was deactivated.")
    created_at: InstantOut = Field(description="When the account was made.")
    updated_at: InstantOut = Field(description="When the profile last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class PersonList(Answer):
    """A page of people, the earliest account first."""

    items: list[Person] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")
