"""Ballots, and the roll of those who may cast one."""

from uuid import UUID

from pydantic import Field

from app.schemas.base import Answer, IdIn, Request
from app.schemas.memberships import IdentityLine


class BallotChoice(Request):
    """What is voted in one contest."""

    contest_id: IdIn = Field(description="The contest.")
    nominations: list[IdIn] = Field(
        max_length=200,
        description="Nominations: at most one with plurality, any number with approval, in the"
        " order of preference with a transferable vote; none for a blank vote.",
    )


class BallotCreate(Request):
    """A whole ballot: a choice for each contest that is voted on."""

    choices: list[BallotChoice] = Field(
        min_length=1, max_length=20, description="One for each contest, blank ones included."
    )


class BallotCast(Answer):
    """That somebody has voted; never what."""

    election_id: UUID = Field(description="The election.")
    voted: bool = Field(description="True.")


class Voter(Answer):
    """Somebody on the roll."""

    person: IdentityLine = Field(description="The person, as they are today.")
    voted: bool = Field(description="True if they have voted.")


class Roll(Answer):
    """A page of the roll of voters."""

    items: list[Voter] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")
