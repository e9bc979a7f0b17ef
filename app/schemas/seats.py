"""How many seats a community has of each position."""

from pydantic import Field

from app.schemas.base import Answer, Localized, Request, Viewer
from app.schemas.positions import SeatNumber


class PositionSeats(Answer):
    """The seats of one position in a community."""

    position: str = Field(description="The position's code.", examples=["member_at_large"])
    title: Localized = Field(description="What people are shown.")
    seats: int = Field(description="How many there are today, held or vacant.", examples=[6])
    usual_seats: int = Field(
        description="How many the position says that a community has.", examples=[4]
    )
    own_seats: int | None = Field(
        description="How many the community wants, where it deviates; null where it does not.",
        examples=[6],
    )


class CommunitySeats(Answer):
    """The seats of a community's Leadership Group, counted."""

    items: list[PositionSeats] = Field(description="One entry for each position, by rank.")
    next_cursor: str | None = Field(default=None, description="Always null: the list is whole.")
    version: int = Field(description="The community's version, which a change of seats moves.")
    viewer: Viewer = Field(description="What the caller may do.")


class CommunitySeatsUpdate(Request):
    """How many seats of a position a community is to have."""

    seats: SeatNumber | None = Field(
        description="null: as many as the position says.", examples=[6]
    )
