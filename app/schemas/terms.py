"""Terms and the Leadership Group that they make."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import TermBasis, TermStatus
from app.schemas.base import (
    Answer,
    DayIn,
    IdIn,
    InstantOut,
    Localized,
    PersonReference,
    Request,
    Viewer,
    line,
    prose,
)
from app.schemas.memberships import IdentityLine


class SeatState(StrEnum):
    """Whether somebody holds a seat; an acting seat counts as vacant."""

    HELD = "held"
    ACTING = "acting"
    VACANT = "vacant"


class Term(Answer):
    """A person's time in a position, both days inclusive, in the association's time zone."""

    id: UUID = Field(description="The term's id.")
    community_id: UUID | None = Field(description="The community; null for the association.")
    position: str = Field(description="The position's code.", examples=["chair"])
    seat: int | None = Field(description="Which of the position's seats; null where it has none.")
    person: IdentityLine = Field(description="Who holds it, as they are today.")
    starts_on: date = Field(description="The first day.")
    ends_on: date | None = Field(description="The last day; null for an open end.")
    basis: TermBasis = Field(description="By what it is held.")
    status: TermStatus = Field(description="Where the calendar stands today.")
    ended_at: InstantOut | None = Field(description="When it ended before its last day.")
    end_reason: str | None = Field(
        description="Why it ended early; null where the caller may not know."
    )
    recorded_at: InstantOut = Field(description="When it was recorded.")
    recorded_by: PersonReference | None = Field(description="By whom; null for the operator.")
    viewer: Viewer = Field(description="What the caller may do.")


class TermList(Answer):
    """A page of terms, in the order of recording."""

    items: list[Term] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class TermCreate(Request):
    """A term to be recorded; the seat is chosen among those that are free on all its days."""

    person_id: IdIn = Field(description="A member of the community; not oneself.")
    position: line(1, 60) = Field(description="A code from /positions.", examples=["chair"])  # type: ignore[valid-type]
    starts_on: DayIn = Field(description="The first day.", examples=["2026-11-22"])
    ends_on: DayIn | None = Field(
        description="The last day; null only where the position allows an open end.",
        examples=["2028-11-21"],
    )
    basis: Annotated[TermBasis, Field(strict=False)] = Field(
        description="By what it is held.", examples=["election"]
    )


class TermRemoval(Request):
    """Why a term is ended by somebody else."""

    reason: prose(1, 2000) = Field(description="Recorded; the person is told.")  # type: ignore[valid-type]


class TermResignation(Request):
    """A resignation; it takes effect at once."""

    reason: prose(1, 2000) | None = Field(default=None, description="Recorded, if given.")  # type: ignore[valid-type]


class SeatHolder(Answer):
    """Who holds a seat today."""

    person: IdentityLine = Field(description="The person.")
    term_id: UUID = Field(description="The term.")
    starts_on: date = Field(description="The term's first day.")
    ends_on: date | None = Field(description="The term's last day; null for an open end.")
    acting: bool = Field(description="True if held for somebody else.")


class Seat(Answer):
    """A seat of the Leadership Group; it exists while it is vacant."""

    position: str = Field(description="The position's code.", examples=["chair"])
    seat: int | None = Field(description="Which of the position's seats; null where it has none.")
    title: Localized = Field(description="The position's title.")
    state: SeatState = Field(description="held, acting or vacant.")
    holder: SeatHolder | None = Field(
        description="Who holds it; null for a vacant seat, and for a held one whose holder's name"
        " is withheld from the caller."
    )


class Leadership(Answer):
    """The Leadership Group on a day."""

    as_of: date = Field(description="The day.")
    seats: list[Seat] = Field(description="Every seat, by the rank of its position.")
    vacant_seats: int = Field(description="How many of them nobody holds.")
