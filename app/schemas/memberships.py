"""Who belongs to a community."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.models import MembershipCategory, MembershipEnding
from app.schemas.base import Answer, DayIn, IdIn, InstantOut, Paragraph, Request, Viewer
from app.schemas.communities import CommunityReference


class MembershipStatus(StrEnum):
    """Where a membership stands today; computed, never stored."""

    PLANNED = "planned"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    ENDED = "ended"


class ClaimOutcome(StrEnum):
    """What somebody says to a membership that was begun for their address."""

    CLAIMED = "claimed"
    DECLINED = "declined"


class IdentityLine(Answer):
    """A person as members see them: name, occupation, affiliation."""

    id: UUID = Field(description="The person's id.")
    name: str = Field(description="The person's name.")
    occupation: str | None = Field(description="In the person's own words.")
    affiliation: str | None = Field(description="Court, treatment agency or other affiliation.")


class PrivateDetails(Answer):
    """What only those with memberships:read_private see of a member."""

    email: str = Field(description="The member's address.")
    occupation_code: str = Field(description="An entry of /occupations.")
    area_of_interest: str | None = Field(description="What the member is interested in.")
    territory: str | None = Field(description="An entry of /territories, or null.")


class PauseCause(StrEnum):
    """Why the rights of a membership rest although nobody took them away."""

    DECLARED = "declared"
    NOT_VERIFIED = "not_verified"


class RunningPause(Answer):
    """That the rights of a membership rest, today or from a day to come: leave was taken, or what a
    restricted community asks for is not verified (any more); then they come back with the
    verification."""

    cause: PauseCause = Field(description="Why.")
    starts_on: date | None = Field(
        description="The first day of a declared pause; until then it is to come."
    )
    until_on: date | None = Field(description="The last day of a declared pause that has one.")


class Membership(Answer):
    """One person's belonging to one community."""

    id: UUID = Field(description="The membership's id.")
    community: CommunityReference = Field(description="The community.")
    person: IdentityLine = Field(
        description="The member's identity line, as it is today; until somebody with an account"
        " elsewhere has claimed the membership, as the community's list says it."
    )
    private: PrivateDetails | None = Field(description="Null unless the caller may read it.")
    category: MembershipCategory = Field(description="As what the person belongs.")
    status: MembershipStatus = Field(
        description="Where it stands today; that it is suspended or paused shows to the member and"
        " to those who may know."
    )
    since_on: date = Field(description="The first day.")
    until_on: date | None = Field(description="The last day; null for an open end.")
    ending: MembershipEnding | None = Field(description="How it ended before its last day.")
    end_reason: str | None = Field(description="Why it was ended; null unless the caller may know.")
    suspended_until: date | None = Field(
        description="The last day of a running suspension; null where there is none or the caller"
        " may not know."
    )
    pause: RunningPause | None = Field(
        description="Null where no pause runs or is to come, or where the caller may not know."
    )
    positions: list[str] = Field(description="The positions held here today.")
    updated_at: InstantOut = Field(description="When it last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class MembershipList(Answer):
    """A page of the roster, in the order of joining."""

    items: list[Membership] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class MembershipCreate(Request):
    """Somebody who is to belong again, or (for those who manage people) anybody with an account."""

    person_id: IdIn = Field(description="The person.")
    category: Annotated[MembershipCategory, Field(strict=False)] = Field(
        default=MembershipCategory.PRACTITIONER, description="As what the person belongs."
    )
    since_on: DayIn | None = Field(
        default=None, description="The first day, past or to come; today if not given."
    )
    until_on: DayIn | None = Field(
        default=None, description="The last day, today or later; null for an open end."
    )


class MembershipUpdate(Request):
    """A merge patch of a membership."""

    category: Annotated[MembershipCategory, Field(strict=False)] | MISSING = Field(
        default=MISSING, description="As what the person belongs; cannot be cleared."
    )
    since_on: DayIn | MISSING = Field(
        default=MISSING, description="The first day, corrected; cannot be cleared."
    )
    until_on: DayIn | None | MISSING = Field(
        default=MISSING,
        description="The last day, after today; null for an open end. To end it today, end it.",
    )


class MembershipEnd(Request):
    """Why a membership ends. One's own needs no reason; somebody else's does."""

    reason: Paragraph | None = Field(default=None, description="Recorded; the person is told.")


class MembershipClaim(Request):
    """Whether a membership that was begun for one's address is to be one's own."""

    outcome: Annotated[ClaimOutcome, Field(strict=False)] = Field(
        description="`declined` ends it, as left."
    )


class MembershipPause(Request):
    """Leave from a membership: from a day to the last moment of another, or until it is ended."""

    starts_on: DayIn | None = Field(
        default=None, description="The first day: today (if not given) or later."
    )
    until_on: DayIn | None = Field(
        default=None, description="The last day, at most two years later; null: until ended."
    )
    reason: Paragraph | None = Field(
        default=None, description="Needed where it is somebody else's; the person is told."
    )


class SuspensionCreate(Request):
    """A suspension: from now to the end of a day, and why."""

    until_on: DayIn = Field(description="The last day: today or later, at most two years away.")
    reason: Paragraph = Field(description="Recorded; the person is told.")


class Suspension(Answer):
    """A time in which a membership gives no rights."""

    membership_id: UUID = Field(description="The membership.")
    starts_at: InstantOut = Field(description="When it began.")
    until_on: date = Field(description="Its last day.")
    reason: str = Field(description="Why.")
    lifted_at: InstantOut | None = Field(description="When it was lifted early; null if not.")
