"""Positions: the offices of an association and of its communities."""

from typing import Annotated

from pydantic import MISSING, Field

from app.models import MembershipCategory, PositionScope
from app.schemas.base import Answer, Code, Localized, LocalizedLine, Request, Viewer

Months = Annotated[int, Field(ge=1, le=120)]
Rest = Annotated[int, Field(ge=0, le=120)]
Days = Annotated[int, Field(ge=0, le=3650)]
Rank = Annotated[int, Field(ge=1, le=1000)]
SeatNumber = Annotated[int, Field(ge=0, le=100)]
Category = Annotated[MembershipCategory, Field(strict=False)]
NewCode = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", min_length=2, max_length=60)
]

_SEATS = "How many seats a community (or the association) has; null for any number of holders."
_TERM = "How long a term usually is, in months."
_OPEN = "True if a term may have no last day."
_CONSECUTIVE = "True if somebody may hold it twice in a row."
_REST = "How many months have to pass before somebody who held it may hold it again."
_STAGGER = "Positions of one group: not more than half of their terms should end in one year."
_ACTS_FOR = "The position whose vacant or absent seat its holder fills, by rule."
_HELD_WITH = "The position whose holders hold this one too, ex officio: it has no own terms."
_ELIGIBLE = "Categories of members who may hold it; empty for all."
_MEMBER_FOR = "How many days somebody has to have been a member."


class Position(Answer):
    """An office that gives capabilities to whoever holds it, while they hold it."""

    code: str = Field(description="What requests carry; it never changes.", examples=["chair"])
    scope: PositionScope = Field(
        description="Held in a community, in a subcommittee of one, or in the association."
    )
    rank: int = Field(description="The order in which positions are shown; 1 comes first.")
    seats: int | None = Field(description=_SEATS)
    title: Localized = Field(description="What people are shown.")
    term_months: int | None = Field(description=_TERM)
    open_ended: bool = Field(description=_OPEN)
    consecutive_terms: bool = Field(description=_CONSECUTIVE)
    rest_months: int = Field(description=_REST)
    stagger_group: str | None = Field(description=_STAGGER)
    acts_for: str | None = Field(description=_ACTS_FOR)
    held_with: str | None = Field(description=_HELD_WITH)
    eligible_categories: list[MembershipCategory] = Field(description=_ELIGIBLE)
    member_for_days: int = Field(description=_MEMBER_FOR)
    version: int = Field(description="Rises with each change.")
    viewer: Viewer = Field(description="What the caller may do.")


class PositionList(Answer):
    """The positions, by scope and rank."""

    items: list[Position] = Field(description="All of them.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")


class PositionCreate(Request):
    """A new position; its seats are made with it, vacant."""

    code: NewCode = Field(
        description="Lower case, digits and underscores; it never changes.", examples=["treasurer"]
    )
    scope: Annotated[PositionScope, Field(strict=False)] = Field(
        description="Where it is held; it never changes.", examples=["community"]
    )
    rank: Rank = Field(description="The order in which positions are shown.", examples=[5])
    seats: SeatNumber | None = Field(description=_SEATS, examples=[1])
    title: LocalizedLine = Field(description="What people are shown.")
    term_months: Months | None = Field(default=None, description=_TERM)
    open_ended: bool = Field(default=False, description=_OPEN)
    consecutive_terms: bool = Field(default=False, description=_CONSECUTIVE)
    rest_months: Rest = Field(default=12, description=_REST)
    stagger_group: Code | None = Field(default=None, description=_STAGGER)
    acts_for: Code | None = Field(default=None, description=_ACTS_FOR)
    held_with: Code | None = Field(default=None, description=_HELD_WITH)
    eligible_categories: list[Category] = Field(
        default_factory=list, max_length=20, description=_ELIGIBLE
    )
    member_for_days: Days = Field(default=0, description=_MEMBER_FOR)


class PositionUpdate(Request):
    """A merge patch. `acts_for` and `held_with` give rights, and need grants:manage as well."""

    rank: Rank | MISSING = Field(default=MISSING, description="The order in which it is shown.")
    seats: SeatNumber | None | MISSING = Field(
        default=MISSING,
        description="In every community that does not deviate, seats open or close.",
    )
    title: LocalizedLine | MISSING = Field(default=MISSING, description="What people are shown.")
    term_months: Months | None | MISSING = Field(default=MISSING, description=_TERM)
    open_ended: bool | MISSING = Field(default=MISSING, description=_OPEN)
    consecutive_terms: bool | MISSING = Field(default=MISSING, description=_CONSECUTIVE)
    rest_months: Rest | MISSING = Field(default=MISSING, description=_REST)
    stagger_group: Code | None | MISSING = Field(default=MISSING, description=_STAGGER)
    acts_for: Code | None | MISSING = Field(default=MISSING, description=_ACTS_FOR)
    held_with: Code | None | MISSING = Field(default=MISSING, description=_HELD_WITH)
    eligible_categories: list[Category] | MISSING = Field(
        default=MISSING, max_length=20, description=_ELIGIBLE
    )
    member_for_days: Days | MISSING = Field(default=MISSING, description=_MEMBER_FOR)
