"""Elections: what is asked for, the timetable, the count and its result."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.models import ElectionMethod, ElectionPhase, TieRule
from app.schemas.base import (
    Answer,
    Code,
    DayIn,
    IdIn,
    InstantOut,
    LanguageTag,
    Line,
    Number,
    Paragraph,
    PersonReference,
    Request,
    Viewer,
)
from app.schemas.memberships import IdentityLine

Quorum = Annotated[int, Field(ge=0, le=100)]
TieRuleIn = Annotated[TieRule, Field(strict=False)]


class ContestCreate(Request):
    """Seats of one position to be filled together."""

    position: Code = Field(description="A position of communities.", examples=["member_at_large"])
    seats: int = Field(ge=1, le=50, description="How many of its seats.", examples=[2])
    seat_numbers: list[Number] | None = Field(
        default=None,
        max_length=50,
        description="Which ones, as many as `seats`; null for any that are free.",
        examples=[[1, 2]],
    )
    method: Annotated[ElectionMethod, Field(strict=False)] = Field(
        description="plurality is for one seat; the others for one or several.",
        examples=["single_transferable_vote"],
    )
    starts_on: DayIn = Field(
        description="First day of the terms, after the last of voting.", examples=["2027-03-01"]
    )
    ends_on: DayIn = Field(description="Last day of the terms.", examples=["2029-02-28"])


Contests = Annotated[list[ContestCreate], Field(min_length=1, max_length=20)]


class ElectionCreate(Request):
    """An election. All days are the association's, first and last included."""

    title: Line = Field(description="What it is called.", examples=["Election of 2027"])
    language: LanguageTag = Field(description="The language of the title.", examples=["en"])
    nominations_from: DayIn = Field(
        description="First day of nominations, today or later; changes are possible until then.",
        examples=["2027-01-11"],
    )
    nominations_until: DayIn = Field(
        description="Last day of nominations.", examples=["2027-01-24"]
    )
    acceptance_until: DayIn = Field(
        description="Last day on which nominees accept.", examples=["2027-01-31"]
    )
    voting_from: DayIn = Field(
        description="First day of voting, after the last of acceptance; at its first moment the"
        " roll of voters is frozen.",
        examples=["2027-02-08"],
    )
    voting_until: DayIn = Field(description="Last day of voting.", examples=["2027-02-14"])
    quorum: Quorum = Field(
        default=0,
        description="How many percent of the roll have to vote; with fewer the election fails.",
        examples=[20],
    )
    acclamation: bool = Field(
        default=True, description="No ballot where no more stand than there are seats."
    )
    tie_rule: TieRuleIn = Field(
        default=TieRule.LOT, description="What decides between equals.", examples=["lot"]
    )
    contests: Contests = Field(description="What is elected.")


class ElectionUpdate(Request):
    """A merge patch, until nominations begin. `contests` are replaced whole."""

    title: Line | MISSING = Field(default=MISSING, description="What it is called.")
    language: LanguageTag | MISSING = Field(default=MISSING, description="Its language.")
    nominations_from: DayIn | MISSING = Field(
        default=MISSING, description="First day.", examples=["2027-01-11"]
    )
    nominations_until: DayIn | MISSING = Field(
        default=MISSING, description="Last day.", examples=["2027-01-24"]
    )
    acceptance_until: DayIn | MISSING = Field(
        default=MISSING, description="Last day.", examples=["2027-01-31"]
    )
    voting_from: DayIn | MISSING = Field(
        default=MISSING, description="First day.", examples=["2027-02-08"]
    )
    voting_until: DayIn | MISSING = Field(
        default=MISSING, description="Last day.", examples=["2027-02-14"]
    )
    quorum: Quorum | MISSING = Field(default=MISSING, description="Percent of the roll.")
    acclamation: bool | MISSING = Field(default=MISSING, description="No ballot without need.")
    tie_rule: TieRuleIn | MISSING = Field(default=MISSING, description="For equals.")
    contests: Contests | MISSING = Field(default=MISSING, description="What is elected.")


class Contest(Answer):
    """Seats of one position that are filled together."""

    id: UUID = Field(description="The contest's id.")
    position: str = Field(description="The position's code.")
    seats: int = Field(description="How many seats.")
    seat_numbers: list[int] | None = Field(description="Which; null for any that are free.")
    method: ElectionMethod = Field(description="How votes are counted.")
    starts_on: date = Field(description="First day of the terms.")
    ends_on: date = Field(description="Last day of the terms.")
    candidates: int = Field(description="How many stand now.")
    ballot: bool | None = Field(
        description="True if it is voted on; false where nobody stands, or all who do are elected"
        " by acclamation. Null until voting begins."
    )


class Turnout(Answer):
    """How many may vote and how many have."""

    roll: int = Field(description="How many are on the roll.")
    cast: int = Field(description="How many of them have voted.")
    quorum_met: bool = Field(description="True if they are enough.")


class OwnVote(Answer):
    """The caller as a voter; what was voted is nowhere."""

    on_roll: bool = Field(description="True if the caller may vote.")
    voted: bool = Field(description="True if the caller has voted.")


class Cancellation(Answer):
    """How an election was called off."""

    at: InstantOut = Field(description="When.")
    by: PersonReference = Field(description="By whom.")
    reason: str = Field(description="Why.")


class Certified(Answer):
    """Who certified a result."""

    at: InstantOut = Field(description="When.")
    by: PersonReference = Field(description="By whom.")


class Election(Answer):
    """An election, where it stands, and what the caller may do in it."""

    id: UUID = Field(description="The election's id.")
    community_id: UUID = Field(description="The community.")
    title: str = Field(description="What it is called.")
    language: str = Field(description="The language of the title.")
    phase: ElectionPhase = Field(
        description="Computed from the clock and what was recorded; campaign is the time between"
        " acceptance and voting, counting the time until certification."
    )
    nominations_from: date = Field(description="First day of nominations.")
    nominations_until: date = Field(description="Last day of nominations.")
    acceptance_until: date = Field(description="Last day of acceptance.")
    voting_from: date = Field(description="First day of voting.")
    voting_until: date = Field(description="Last day of voting.")
    quorum: int = Field(description="Percent of the roll that have to vote.")
    acclamation: bool = Field(description="No ballot where no more stand than there are seats.")
    tie_rule: TieRule = Field(description="What decides between equals.")
    lot_commitment: str = Field(
        description="SHA-256, in hex, of the seed of the lot, which comes with the result."
    )
    contests: list[Contest] = Field(description="What is elected.")
    turnout: Turnout | None = Field(description="Null until voting begins, or without a ballot.")
    own_vote: OwnVote | None = Field(description="Null until voting begins, or without a ballot.")
    opened_at: InstantOut = Field(description="When it was opened.")
    opened_by: PersonReference = Field(description="By whom.")
    cancelled: Cancellation | None = Field(description="If it was called off.")
    certified: Certified | None = Field(description="If the result is certified.")
    viewer: Viewer = Field(description="What the caller may do.")


class ElectionList(Answer):
    """A page of elections, the latest first."""

    items: list[Election] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class ElectionCancellation(Request):
    """Why an election is called off."""

    reason: Paragraph = Field(description="Published with the election.")


class ElectionException(Request):
    """Why somebody may stand who otherwise could not."""

    person_id: IdIn = Field(description="For whom; not oneself.")
    position: Code = Field(description="For which position.", examples=["chair"])
    reason: Paragraph = Field(description="Kept with the term that follows.")


class ElectionExceptionRecorded(Answer):
    """An exception as it was recorded."""

    election_id: UUID = Field(description="In which election.")
    person_id: UUID = Field(description="For whom.")
    position: str = Field(description="For which position.")
    reason: str = Field(description="Why.")
    recorded_at: InstantOut = Field(description="When.")


class Elected(Answer):
    """Somebody who was elected."""

    nomination_id: UUID = Field(description="The nomination.")
    person: IdentityLine = Field(description="The person, as they are today.")


class Tie(Answer):
    """Equal votes at a decision that mattered."""

    between: list[UUID] = Field(description="The nominations.")
    chosen: UUID | None = Field(
        description="Who was elected by the rule (or, at an exclusion, excluded); null where it"
        " leaves the seat to a new election."
    )


class VotesOf(Answer):
    """One candidate's votes."""

    nomination_id: UUID = Field(description="The nomination.")
    votes: str = Field(description="A decimal, to five places; the count is exact.")


class Stage(Answer):
    """One step of a count."""

    act: str = Field(description="count, first_preferences, surplus or exclusion.")
    nomination_id: UUID | None = Field(description="Whose surplus, or who was excluded.")
    votes: list[VotesOf] = Field(description="Everybody's votes after it.")
    exhausted: str = Field(description="Votes without a further preference.")


class Numbers(Answer):
    """The numbers of a count."""

    valid: int = Field(description="Ballots that say something here.")
    blank: int = Field(description="Ballots that do not.")
    quota: int | None = Field(description="The votes that elect, with a transferable vote.")
    stages: list[Stage] = Field(description="Step by step; one step without transfers.")


class ContestResult(Answer):
    """The result of one contest."""

    contest_id: UUID = Field(description="The contest.")
    position: str = Field(description="The position's code.")
    by_acclamation: bool = Field(description="True if there was no ballot.")
    elected: list[Elected] = Field(description="Who is elected.")
    vacant_seats: int = Field(description="Seats that nobody is elected to.")
    ties: list[Tie] = Field(description="Where the tie rule decided, or left a seat open.")
    numbers: Numbers | None = Field(
        description="Null where there was no ballot, and where they are hidden."
    )
    numbers_hidden: bool = Field(
        description="True where the numbers would tell how somebody voted: fewer than 10 ballots,"
        " or all, or all but one, alike."
    )


class Recount(Answer):
    """A count that was done again."""

    id: UUID = Field(description="Its id.")
    reason: str = Field(description="Why.")
    agrees: bool = Field(description="True if it came to the same.")
    recorded_at: InstantOut = Field(description="When.")
    recorded_by: PersonReference = Field(description="By whom.")


class ElectionResult(Answer):
    """The result of an election."""

    election_id: UUID = Field(description="The election.")
    phase: ElectionPhase = Field(description="certified, counting, or failed.")
    turnout: Turnout | None = Field(description="Null where nothing was voted on.")
    contests: list[ContestResult] = Field(description="Contest by contest.")
    lot_commitment: str = Field(description="SHA-256 of the seed, published beforehand.")
    lot_seed: str | None = Field(
        description="The seed, once certified. Of equals the one comes first whose SHA-256 of"
        " `seed:nomination_id` is lowest."
    )
    recounts: list[Recount] = Field(description="Counts that were done again.")


class ElectionRecount(Request):
    """Why it is counted again."""

    reason: Paragraph = Field(description="Published with the result.")
