"""The association, its closed lists, and the permission table."""

from typing import Annotated

from pydantic import MISSING, Field

from app.schemas.base import (
    Answer,
    Email,
    Language,
    Localized,
    LocalizedDocument,
    LocalizedLine,
    LocalizedSentence,
    Request,
)


class Notice(Answer):
    """A sentence that a client shows wherever communications are read or written."""

    code: str = Field(description="A stable code.", examples=["views-not-endorsed"])
    text: Localized = Field(description="The sentence.")


class PrivacyNotice(Answer):
    """What the association does with what people tell it; consent is recorded by version."""

    version: int = Field(description="Rises with each change.", examples=[1])
    text: Localized = Field(description="The notice, in Markdown.")


class Association(Answer):
    """The association whose communities these are."""

    code: str = Field(description="A short name for machines.", examples=["ajtp"])
    name: Localized = Field(description="The association's name.")
    contact_email: str = Field(description="Where people can write to.")
    time_zone: str = Field(
        description="The IANA time zone in which calendar days begin and end.",
        examples=["America/Toronto"],
    )
    languages: list[Language] = Field(description="The languages of the association's texts.")
    notices: list[Notice] = Field(description="The notices that clients have to show.")
    privacy_notice: PrivacyNotice = Field(description="The privacy notice in force.")
    rules_version: int = Field(description="The number of the version of the rules in force.")
    confirms_grants: bool = Field(
        description="True if changes of the permission table wait for a second person"
        " (`POST /grant-changes`, which changes this too)."
    )


class NoticeText(Request):
    """A notice to be shown wherever communications are read or written."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)] = Field(
        description="A stable code in lower case with dashes."
    )
    text: LocalizedSentence = Field(description="The sentence, in both languages.")


class AssociationUpdate(Request):
    """A merge patch of the association; absent members stay as they are."""

    name: LocalizedLine | MISSING = Field(default=MISSING, description="The association's name.")
    contact_email: Email | MISSING = Field(
        default=MISSING, description="Where people can write to."
    )
    notices: list[NoticeText] | MISSING = Field(
        default=MISSING, max_length=20, description="All notices, in order; replaces the list."
    )
    privacy_notice: LocalizedDocument | MISSING = Field(
        default=MISSING, description="A new text; it gets the next version."
    )


class Occupation(Answer):
    """An entry of the closed list of occupations."""

    code: str = Field(description="What requests carry.", examples=["defence_counsel"])
    label: Localized = Field(description="What forms show.")
    also_called: list[str] = Field(
        description="What else people write for it: imports recognise it, whatever its accents"
        " and case, and a form that searches should too.",
        examples=[["defence lawyer", "avocate de defense"]],
    )


class Territory(Answer):
    """A province, a territory, or a place outside the list."""

    code: str = Field(description="ISO 3166-2, or a code of its own.", examples=["CA-ON"])
    name: Localized = Field(description="What forms show.")
    also_called: list[str] = Field(
        description="What else people write for it, which imports recognise.", examples=[["ont"]]
    )


class OccupationList(Answer):
    """The closed list of occupations, in the order in which forms show it."""

    items: list[Occupation] = Field(description="All of them.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")


class TerritoryList(Answer):
    """The closed list of provinces and territories."""

    items: list[Territory] = Field(description="All of them.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")
