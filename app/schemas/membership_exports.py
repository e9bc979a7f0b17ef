"""Rosters as files."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from pydantic import Field, RootModel

from app.models import MembershipCategory
from app.schemas.base import Answer
from app.schemas.memberships import MembershipStatus


class ExportFormat(StrEnum):
    """In which form a list of members is wanted."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    NDJSON = "ndjson"


class ExportedMembership(Answer):
    """One membership as a row of a file. What the caller may not see is null in JSON, and has no
    column in a spreadsheet."""

    name: str = Field(description="The member's name.")
    email: str | None = Field(description="The member's address; private.")
    community: str = Field(description="The community's slug.", examples=["drug-treatment-court"])
    category: MembershipCategory = Field(description="As what the person belongs.")
    since_on: date = Field(description="The first day.")
    until_on: date | None = Field(
        description="The last day; null for an open end. Of a membership that was ended, the day"
        " on which it was."
    )
    occupation: str | None = Field(description="In the person's own words.")
    occupation_code: str | None = Field(description="An entry of /occupations; private.")
    affiliation: str | None = Field(description="Court, treatment agency or other affiliation.")
    area_of_interest: str | None = Field(description="What interests the member; private.")
    territory: str | None = Field(description="An entry of /territories; private.")
    language: str | None = Field(description="In which the member is written to; private.")
    external_id: str | None = Field(
        description="With `source`: the number under which that system knows the person; private.",
        examples=["30512"],
    )
    membership_state: MembershipStatus | None = Field(
        description="Where it stands on the day of the file; private. Imports pass it over.",
        examples=["active"],
    )
    membership_id: UUID = Field(description="The membership's id.")
    person_id: UUID = Field(description="The person's id.")


class MembershipExport(RootModel[list[ExportedMembership]]):
    """The memberships, one after the other, in the order of joining."""
