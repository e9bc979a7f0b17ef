"""Subcommittees of a community."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.base import Answer, Code, InstantOut, Line, Paragraph, Request, Viewer
from app.schemas.positions import SeatNumber


class SubcommitteeStatus(StrEnum):
    """Whether a subcommittee is at work."""

    ACTIVE = "active"
    DISSOLVED = "dissolved"


class SubcommitteeSeats(Answer):
    """How many seats a subcommittee has of a position."""

    position: str = Field(description="The position's code.", examples=["convener"])
    seats: int = Field(description="How many there are, held or vacant.")


class SubcommitteeSeatsWanted(Request):
    """How many seats a subcommittee is to have of a position."""

    position: Code = Field(
        description="A position of the scope subcommittee.", examples=["subcommittee_member"]
    )
    seats: SeatNumber = Field(description="How many.", examples=[4])


Seats = Annotated[list[SubcommitteeSeatsWanted], Field(max_length=50)]


class Subcommittee(Answer):
    """A purpose-driven part of a community, with seats of its own."""

    id: UUID = Field(description="The subcommittee's id.")
    community_id: UUID = Field(description="Its community.")
    name: str = Field(description="What it is called.", examples=["Forum 2027"])
    purpose: str = Field(description="What it is for.", examples=["To prepare the forum."])
    status: SubcommitteeStatus = Field(description="active or dissolved.")
    seats: list[SubcommitteeSeats] = Field(description="Its seats, by the rank of the position.")
    created_at: InstantOut = Field(description="When it was made.")
    dissolved_on: date | None = Field(description="The day on which it was dissolved.")
    updated_at: InstantOut = Field(description="When it last changed.")
    version: int = Field(description="Rises with each change.")
    viewer: Viewer = Field(description="What the caller may do.")


class SubcommitteeList(Answer):
    """A page of a community's subcommittees, the earliest first."""

    items: list[Subcommittee] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class SubcommitteeCreate(Request):
    """A new subcommittee."""

    name: Line = Field(description="What it is called.", examples=["Forum 2027"])
    purpose: Paragraph = Field(description="What it is for.", examples=["To prepare the forum."])
    seats: Seats = Field(
        default_factory=list,
        description="How many seats it has, where that is not what the position says.",
    )


class SubcommitteeUpdate(Request):
    """A merge patch; `seats` changes the positions that it names."""

    name: Line | MISSING = Field(default=MISSING, description="What it is called.")
    purpose: Paragraph | MISSING = Field(default=MISSING, description="What it is for.")
    seats: Seats | MISSING = Field(default=MISSING, description="Seats open or close.")
