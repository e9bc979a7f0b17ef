"""Terms and the Leadership Group that they make."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import TermBasis, TermStatus
from app.schemas.base import (
    Answer,
    Code,
    DayIn,
    IdIn,
    InstantOut,
    Localized,
    Paragraph,
    PersonReference,
    Request,
    Viewer,
)
from app.schemas.memberships import IdentityLine


class SeatState(StrEnum):
    """Whether somebody holds a seat; an acting seat counts as vacant."""

    HELD = "held"
    ACTING = "acting"
    VACANT = "vacant"


class TermAbsence(Answer):
    """The days on which a holder is away; the seat's rights rest on them."""

    starts_on: date = Field(description="The first day.")
    ends_on: date | None = Field(description="The last day; null until the holder is back.")


class TermWarning(Answer):
    """Something that is allowed and yet worth a second look."""

    code: str = Field(
        description="term_longer_than_usual or terms_end_together.", examples=["terms_end_together"]
    )
    detail: Localized = Field(description="A sentence in both languages.")


class Term(Answer):
    """A person's time in a position, both days inclusive, in the association's time zone."""

    id: UUID = Field(description="The term's id.")
    community_id: UUID | None = Field(description="The community; null for the association.")
    subcommittee_id: UUID | None = Field(description="The subcommittee, if the seat is in one.")
    position: str = Field(description="The position's code.", examples=["chair"])
    seat: int | None = Field(description="Which of the position's seats; null where it has none.")
    seat_id: UUID | None = Field(description="The seat's id, as the Leadership Group lists it.")
    person: IdentityLine = Field(description="Who holds it, as they are today.")
    starts_on: date = Field(description="The first day.")
    ends_on: date | None = Field(description="The last day; null for an open end.")
    handover_from: date | None = Field(
        description="From this day to the first the successor accompanies the holder, without"
        " rights; null where none was agreed."
    )
    basis: TermBasis = Field(
        description="By what it is held; acting: in place of somebody, while nobody else can."
    )
    election_id: UUID | None = Field(description="The election that made it, if one did.")
    status: TermStatus = Field(
        description="Where the calendar stands today; lapsed: the membership or the account ended."
    )
    absence: TermAbsence | None = Field(description="Days, now or to come, on which they are away.")
    ended_at: InstantOut | None = Field(description="When it ended before its last day.")
    end_reason: str | None = Field(
        description="Why it ended early; null where the caller may not know."
    )
    exception_reason: str | None = Field(
        description="Why a consecutive term was allowed; null where there was no need, and for"
        " callers who may not know."
    )
    recorded_at: InstantOut = Field(description="When it was recorded.")
    recorded_by: PersonReference | None = Field(description="By whom; null for the operator.")
    warnings: list[TermWarning] = Field(
        description="Said once, in the answer to whoever records the term."
    )
    viewer: Viewer = Field(description="What the caller may do.")


class TermList(Answer):
    """A page of terms, in the order of recording."""

    items: list[Term] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class TermCreate(Request):
    """A term to be recorded; the seat is chosen among those that are free on all its days."""

    person_id: IdIn = Field(description="A member of the community; not oneself.")
    position: Code = Field(description="A code from /positions.", examples=["chair"])
    starts_on: DayIn = Field(description="The first day.", examples=["2026-11-22"])
    ends_on: DayIn | None = Field(
        description="The last day; null only where the position allows an open end.",
        examples=["2028-11-21"],
    )
    basis: Annotated[TermBasis, Field(strict=False)] = Field(
        description="election or appointment.", examples=["election"]
    )
    handover_from: DayIn | None = Field(
        default=None, description="A day before the first, from which the successor accompanies."
    )
    exception_reason: Paragraph | None = Field(
        default=None,
        description="Allows a consecutive term where the position forbids it; recorded.",
    )


class TermRemoval(Request):
    """Why a term is ended by somebody else."""

    reason: Paragraph = Field(description="Recorded; the person is told.")


class TermAnnulment(Request):
    """Why a term should never have been recorded."""

    reason: Paragraph = Field(description="Recorded; the person is told.")


class AbsenceDeclaration(Request):
    """Days on which the holder of a seat is away."""

    starts_on: DayIn = Field(description="The first day, today or later.", examples=["2026-12-01"])
    ends_on: DayIn | None = Field(
        default=None, description="The last day; null until the absence is ended."
    )
    reason: Paragraph | None = Field(default=None, description="Recorded, if given; not shown.")


class ActingHolderNaming(Request):
    """Who acts in a seat that is vacant, or whose holder is absent."""

    person_id: IdIn = Field(description="A member of the community; not oneself.")
    starts_on: DayIn | None = Field(default=None, description="The first day; today if not given.")
    ends_on: DayIn | None = Field(
        default=None, description="The last day; null until the seat is filled."
    )
    reason: Paragraph | None = Field(default=None, description="Recorded, if given.")


class TermResignation(Request):
    """A resignation; it takes effect at once."""

    reason: Paragraph | None = Field(default=None, description="Recorded, if given.")


class SeatHolder(Answer):
    """Who holds a seat, or acts in it."""

    person: IdentityLine = Field(description="The person.")
    term_id: UUID = Field(description="The term; of somebody who acts by rule, their own.")
    starts_on: date = Field(description="The term's first day.")
    ends_on: date | None = Field(description="The term's last day; null for an open end.")
    basis: TermBasis = Field(description="By what the person sits there.")
    acting: bool = Field(description="True if in place of a holder, or of nobody.")


class HeldWith(Answer):
    """The position that an office comes with."""

    position: str = Field(description="The position's code.", examples=["chair"])
    community_id: UUID | None = Field(description="Where that is held; null: in the association.")


class Seat(Answer):
    """A seat of a Leadership Group; it exists while it is vacant."""

    id: UUID | None = Field(description="The seat's id; null where the position has no seats.")
    position: str = Field(description="The position's code.", examples=["chair"])
    seat: int | None = Field(description="Which of the position's seats; null where it has none.")
    title: Localized = Field(description="The position's title.")
    state: SeatState = Field(
        description="held; acting: nobody who holds it can exercise it, and somebody does in their"
        " place; or vacant."
    )
    holder: SeatHolder | None = Field(
        description="Who holds it, absent or not; null for a vacant seat, and for a held one whose"
        " holder's name is withheld from the caller."
    )
    acting_holder: SeatHolder | None = Field(
        description="Who acts in it; null if nobody does, and where names are withheld."
    )
    held_with: HeldWith | None = Field(
        default=None, description="For an office held ex officio: the position it comes with."
    )


class Leadership(Answer):
    """The Leadership Group on a day."""

    as_of: date = Field(description="The day.")
    seats: list[Seat] = Field(description="Every seat, by the rank of its position.")
    vacant_seats: int = Field(description="How many of them nobody holds.")


class Vacancy(Answer):
    """A seat that nobody holds today."""

    id: UUID = Field(description="The seat's id.")
    position: str = Field(description="The position's code.", examples=["chair"])
    seat: int = Field(description="Which of the position's seats.")
    title: Localized = Field(description="The position's title.")
    since_on: date = Field(description="The first day on which nobody held it.")
    cause: str | None = Field(
        description="What emptied it: completed, resigned, removed, lapsed, or never_held; null"
        " for callers who do not read the history.",
        examples=["resigned"],
    )
    last_term_id: UUID | None = Field(description="The last term in it; null as `cause` is.")
    next_term: SeatHolder | None = Field(
        description="Who begins in it on a later day; null if nobody does, and as `cause` is."
    )
    acting_holder: SeatHolder | None = Field(description="Who acts in it meanwhile.")


class VacancyList(Answer):
    """The vacant seats of a community, by the rank of their positions."""

    items: list[Vacancy] = Field(description="All of them.")
