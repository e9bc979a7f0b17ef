"""Which column of somebody's file says what of a member."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.schemas.base import Answer, Request, Slug, line

MOST_COLUMNS = 500
LONGEST_HEADING = 500


class ImportField(StrEnum):
    """What a column can say."""

    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMAIL = "email"
    COMMUNITIES = "communities"
    OCCUPATION = "occupation"
    OCCUPATION_CODE = "occupation_code"
    AFFILIATION = "affiliation"
    AREA_OF_INTEREST = "area_of_interest"
    TERRITORY = "territory"
    LANGUAGE = "language"
    CATEGORY = "category"
    SINCE_ON = "since_on"
    UNTIL_ON = "until_on"
    EXTERNAL_ID = "external_id"
    STATUS = "status"
    ARCHIVED = "archived"


class DayOrder(StrEnum):
    """How a day is to be read that is written with figures alone, such as 03/04/2024."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class MappingPreset(StrEnum):
    """Whose headings are known by heart."""

    WILD_APRICOT = "wild_apricot"
    CLUB_EXPRESS = "club_express"
    ASSOCIATION_FORM = "association_form"


Heading = Annotated[str, *line(1, LONGEST_HEADING)]
Separator = Annotated[str, Field(min_length=1, max_length=3)]


class MembershipMapping(Request):
    """What each column is; a column that is not named here is not read.

    Communities stand in one cell, parted by `separator`, or one on each row (no separator), or each
    has a column of its own with yes or no (`community_columns`).
    """

    columns: dict[Heading, Annotated[ImportField, Field(strict=False)]] = Field(
        max_length=MOST_COLUMNS,
        description="From the heading of a column to what it says.",
        examples=[{"Full name": "name", "E-mail": "email", "Groups": "communities"}],
    )
    community_columns: dict[Heading, Slug] = Field(
        default_factory=dict,
        max_length=MOST_COLUMNS,
        description="From the heading of a column of yes and no to the community's slug.",
        examples=[{}],
    )
    separator: Separator | None = Field(
        default=None,
        description="The signs that part communities in one cell, any of them; null where a cell"
        " has one community.",
        examples=[";"],
    )
    day_order: Annotated[DayOrder, Field(strict=False)] | None = Field(
        default=None,
        description="Needed where days are written as 03/04/2024, which has two readings.",
        examples=["day_first"],
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        said = list(self.columns.values())
        if len(set(said)) < len(said) or set(self.columns) & set(self.community_columns):
            raise PydanticCustomError("mapping_twice", "two columns say the same")
        return self


class MappingSuggestion(Answer):
    """What the headings of a file suggest, to be looked over before it is used."""

    preset: MappingPreset | None = Field(description="Whose headings these are.")
    columns: dict[str, ImportField] = Field(description="What was recognised.")
    community_columns: dict[str, str] = Field(description="Columns that stand for a community.")
    separator: str | None = Field(description="What seems to part communities in one cell.")
    unknown: list[str] = Field(description="Columns that are not read.")
    unclear: dict[str, ImportField] = Field(
        description="Columns of which several seem to say the same; choose one."
    )
    missing: list[ImportField] = Field(description="What an import needs and no column says.")
