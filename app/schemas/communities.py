"""Communities, and what the caller's standing in one is."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.models import CommunityStatus, JoinPolicy, MembershipCategory
from app.schemas.base import (
    Answer,
    Code,
    InstantOut,
    Localized,
    LocalizedLine,
    LocalizedParagraph,
    PersonReference,
    Request,
    Viewer,
)
from app.schemas.problems import Reason

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=3, max_length=80)]


class CommunityReference(Answer):
    """A community, as far as another resource names it."""

    id: UUID = Field(description="The community's id.")
    slug: str = Field(description="Its stable name in addresses.", examples=["wellness-courts"])
    name: Localized = Field(description="Its name.")


class Community(Answer):
    """A community of practice, as the catalogue shows it."""

    id: UUID = Field(description="The community's id.")
    slug: str = Field(description="Its stable name in addresses.", examples=["wellness-courts"])
    name: Localized = Field(description="Its name.")
    description: Localized = Field(description="What its members talk about.")
    status: CommunityStatus = Field(description="An archived community takes nothing new.")
    listed: bool = Field(description="False: it does not exist for those who do not belong.")
    join_policy: JoinPolicy = Field(
        description="How one comes to belong: request (by asking), invitation_only, or closed (for"
        " now nobody is admitted, invited or not)."
    )
    eligible_occupations: list[str] = Field(
        description="Codes of occupations; not empty means restricted: only people of a verified"
        " occupation are admitted, and nothing inside is visible to anybody else."
    )
    eligibility_confirmations: int = Field(
        description="For a restricted community: how many people have to confirm a verification."
    )
    reapplication_days: int = Field(
        description="How many days after a refusal the same person may ask to join again."
    )
    publishes_leadership: bool = Field(
        description="For a restricted community: whether outsiders see its leaders' names."
    )
    member_count: int | None = Field(
        description="Members today; null where the caller may not know."
    )
    last_activity_at: InstantOut | None = Field(
        description="When something was last posted; null where there is nothing, or where the"
        " caller may not know."
    )
    vacant_seats: int = Field(description="Seats of the Leadership Group that nobody holds today.")
    created_at: InstantOut = Field(description="When it was created.")
    updated_at: InstantOut = Field(description="When its own data last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class CommunityList(Answer):
    """A page of the catalogue, in the association's order."""

    items: list[Community] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class CommunityCreate(Request):
    """A new community; its seats are made with it, vacant."""

    slug: Slug = Field(description="Lower case, digits and dashes.", examples=["rural-courts"])
    name: LocalizedLine = Field(description="Its name, in both languages.")
    description: LocalizedParagraph = Field(description="What its members talk about.")
    listed: bool = Field(default=True, description="False hides it from everybody outside.")
    join_policy: Annotated[JoinPolicy, Field(strict=False)] = Field(
        default=JoinPolicy.REQUEST, description="How one comes to belong."
    )
    eligible_occupations: list[Code] = Field(
        default_factory=list, max_length=50, description="Codes; not empty makes it restricted."
    )
    eligibility_confirmations: int = Field(
        default=1, ge=1, le=2, description="How many people have to confirm a verification."
    )


class CommunityUpdate(Request):
    """A merge patch. `listed`, `status` and `eligible_occupations` need communities:manage."""

    name: LocalizedLine | MISSING = Field(default=MISSING, description="Its name.")
    description: LocalizedParagraph | MISSING = Field(
        default=MISSING, description="What its members talk about."
    )
    publishes_leadership: bool | MISSING = Field(
        default=MISSING, description="Whether outsiders of a restricted community see names."
    )
    listed: bool | MISSING = Field(default=MISSING, description="False hides it from outsiders.")
    join_policy: Annotated[JoinPolicy, Field(strict=False)] | MISSING = Field(
        default=MISSING, description="How one comes to belong: request, invitation_only or closed."
    )
    status: Annotated[CommunityStatus, Field(strict=False)] | MISSING = Field(
        default=MISSING, description="archived makes it read-only."
    )
    eligible_occupations: list[Code] | MISSING = Field(
        default=MISSING, max_length=50, description="Codes; not empty makes it restricted."
    )
    eligibility_confirmations: int | MISSING = Field(
        default=MISSING, ge=1, le=2, description="How many people have to confirm a verification."
    )
    reapplication_days: int | MISSING = Field(
        default=MISSING,
        ge=0,
        le=730,
        description="How many days after a refusal the same person may ask to join again.",
    )


class Refused(Answer):
    """A capability that the caller does not have here now."""

    capability: str = Field(description="The capability.", examples=["minutes:write"])
    because: list[Reason] = Field(description="Why not.")


class HeldPosition(Answer):
    """A position that the caller holds today and that counts here."""

    position: str = Field(description="The position's code.", examples=["chair"])
    term_id: UUID = Field(description="The term by which it is held.")
    starts_on: date = Field(description="The term's first day.")
    ends_on: date | None = Field(description="The term's last day; null for an open end.")
    acting: bool = Field(description="True if held in place of somebody, or of nobody.")
    for_person_id: UUID | None = Field(description="Acting: whose seat it is, if it is held.")


class HeldOffice(Answer):
    """An office in the association that comes with a position which the caller holds."""

    position: str = Field(description="The office's code.", examples=["governance_member"])
    term_id: UUID = Field(description="The term that it comes with.")


class OwnMembership(Answer):
    """The caller's membership here."""

    id: UUID = Field(description="The membership's id.")
    category: MembershipCategory = Field(description="As what the caller belongs.")
    since_on: date = Field(description="The first day.")
    until_on: date | None = Field(description="The last day; null for an open end.")


class RulesStanding(Answer):
    """Where the caller stands with the rules."""

    in_force: int = Field(description="The version in force today.")
    agreed: int | None = Field(description="The latest version that the caller agreed to.")


class OwnSuspension(Answer):
    """A suspension of the caller's membership."""

    until_on: date = Field(description="Its last day.")


class Standing(Answer):
    """What the caller may do in a community now, and why, and why not."""

    as_of: date = Field(description="The day that it is about.")
    community: CommunityReference = Field(description="The community.")
    person: PersonReference | None = Field(description="The caller; null if nobody is signed in.")
    membership: OwnMembership | None = Field(description="The caller's membership, if it runs.")
    positions: list[HeldPosition] = Field(description="What the caller holds today.")
    offices: list[HeldOffice] = Field(description="What comes with that, ex officio.")
    can: list[str] = Field(description="Capabilities, in the words of the permission table.")
    cannot: list[Refused] = Field(description="The others, each with its reasons.")
    rules: RulesStanding = Field(description="Which rules are in force, and which agreed to.")
    suspension: OwnSuspension | None = Field(description="A running suspension, if any.")
