"""Who belongs to a community."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.models import MembershipCategory, MembershipEnding
from app.schemas.base import Answer, DayIn, InstantOut, Paragraph, Request, Viewer
from app.schemas.communities import CommunityReference


class MembershipStatus(StrEnum):
    """Where a membership stands today; computed, never stored."""

    PLANNED = "planned"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


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


class Membership(Answer):
    """One person's belonging to one community."""

    id: UUID = Field(description="The membership's id.")
    community: CommunityReference = Field(description="The community.")
    person: IdentityLine = Field(description="The member's identity line, as it is today.")
    private: PrivateDetails | None = Field(description="Null unless the caller may read it.")
    category: MembershipCategory = Field(description="As what the person belongs.")
    status: MembershipStatus = Field(description="Where it stands today.")
    since_on: date = Field(description="The first day.")
    until_on: date | None = Field(description="The last day; null for an open end.")
    ending: MembershipEnding | None = Field(description="How it ended before its last day.")
    suspended_until: date | None = Field(
        description="The last day of a running suspension; null where there is none or the caller"
        " may not know."
    )
    positions: list[str] = Field(description="The positions held here today.")
    updated_at: InstantOut = Field(description="When it last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class MembershipList(Answer):
    """A page of the roster, in the order of joining."""

    items: list[Membership] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class MembershipUpdate(Request):
    """A merge patch of a membership."""

    category: Annotated[MembershipCategory, Field(strict=False)] | MISSING = Field(
        default=MISSING, description="As what the person belongs; cannot be cleared."
    )
    until_on: DayIn | None | MISSING = Field(
        default=MISSING, description="The last day, today or later; null for an open end."
    )


class MembershipEnd(Request):
    """Why a membership ends. One's own needs no reason; somebody else's does."""

    reason: Paragraph | None = Field(default=None, description="Recorded; the person is told.")


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
