"""Invitations to belong to a community, and what whoever is invited answers."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import MembershipCategory
from app.schemas.base import (
    Answer,
    Code,
    Email,
    InstantOut,
    Language,
    LanguageIn,
    Line,
    Number,
    Paragraph,
    PersonReference,
    Request,
    TerritoryCode,
    Viewer,
)
from app.schemas.communities import CommunityReference

CategoryIn = Annotated[MembershipCategory, Field(strict=False)]
Token = Annotated[str, Field(min_length=1, max_length=512)]


class InvitationState(StrEnum):
    """How far an invitation has come; expired: its last day was over before anybody answered."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"


class InvitationsCreate(Request):
    """Addresses that are invited, all in the same way."""

    addresses: list[Email] = Field(
        min_length=1,
        max_length=100,
        description="Whom to invite.",
        examples=[["amara@example.org", "rene@example.org"]],
    )
    category: CategoryIn = Field(
        default=MembershipCategory.PRACTITIONER, description="As what they are to belong."
    )
    language: LanguageIn = Field(
        default=Language.EN,
        description="Of the mail; to somebody with an account it goes in their own.",
    )
    valid_for_days: Annotated[int, Field(ge=1, le=90)] = Field(
        default=14, description="The last day is so many days from today.", examples=[14]
    )


class InvitationOutcome(StrEnum):
    """What became of one address: the same whether or not it is known, or a member's."""

    INVITED = "invited"
    OPEN_ALREADY = "open_already"
    TOO_MANY_MAILS = "too_many_mails"


class AddressInvited(Answer):
    """What became of one address."""

    email: str = Field(description="The address.")
    outcome: InvitationOutcome = Field(
        description="invited; open_already: an invitation of it is open here, which stays as it"
        " is; too_many_mails: this community mailed it several invitations within an hour."
    )
    invitation_id: UUID | None = Field(description="The open invitation; null if there is none.")


class InvitationsMade(Answer):
    """What became of each address."""

    items: list[AddressInvited] = Field(description="In the order in which they were given.")


class Invitation(Answer):
    """An invitation, as those who manage memberships see it."""

    id: UUID = Field(description="The invitation's id.")
    community: CommunityReference = Field(description="The community.")
    email: str = Field(description="The address to which it is bound.")
    state: InvitationState = Field(description="How far it has come, by today's date.")
    category: MembershipCategory = Field(description="As what whoever accepts will belong.")
    language: Language = Field(description="The language of its mail.")
    invited_by: PersonReference = Field(
        description="Who answers for it: it counts while they may manage memberships here."
    )
    invited_at: InstantOut = Field(description="When.")
    expires_on: date = Field(description="The last day on which it can be accepted.")
    ended_at: InstantOut | None = Field(description="When it was answered or revoked.")
    membership_id: UUID | None = Field(description="The membership that acceptance began.")
    updated_at: InstantOut = Field(description="When it last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class InvitationList(Answer):
    """A page of invitations, the latest first."""

    items: list[Invitation] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


# By the link of the mail


class InvitationToken(Request):
    """The token of an invitation's link."""

    token: Token = Field(description="What stands after `token=` in the link.")


class Identity(Request):
    """The identity line of somebody without an account, as a form to join asks for it."""

    name: Line = Field(description="Their name.", examples=["Amara Okafor"])
    occupation: Line = Field(description="In their own words.", examples=["Nurse"])
    affiliation: Line = Field(
        description="Court, treatment agency or other affiliation.", examples=["Detox Centre"]
    )
    area_of_interest: Paragraph = Field(
        description="What they are interested in.", examples=["withdrawal"]
    )
    occupation_code: Code = Field(default="other", description="An entry of /occupations.")
    territory: TerritoryCode | None = Field(default=None, description="An entry of /territories.")
    language: LanguageIn = Field(default=Language.EN, description="The language of mails.")


class InvitationAcceptance(Request):
    """Accepts an invitation, and agrees to the rules."""

    token: Token = Field(description="What stands after `token=` in the link.")
    agrees_to_rules_version: Number = Field(
        description="The version of the rules in force, as GET /rules shows it.", examples=[1]
    )
    identity: Identity | None = Field(
        default=None,
        description="Needed of somebody without an account; the profile of somebody who has one is"
        " theirs, and this changes nothing in it.",
    )


class InvitationInspection(Answer):
    """What a form needs to know of an invitation; asking changes nothing."""

    valid: bool = Field(description="True if it can be accepted now; if not, the rest is null.")
    email: str | None = Field(description="The address that is invited.")
    community: CommunityReference | None = Field(description="The community.")
    category: MembershipCategory | None = Field(description="As what one will belong.")
    language: Language | None = Field(description="The language of the invitation's mail.")
    expires_on: date | None = Field(
        description="The last day on which it can be accepted.", examples=["2026-12-06"]
    )
    needs_identity: bool | None = Field(
        description="Whether acceptance needs `identity`: the address has no account yet."
    )
    rules_version: int | None = Field(
        description="The version of the rules in force, to be agreed to.", examples=[1]
    )


class BegunMembership(Answer):
    """A membership that has just begun."""

    id: UUID = Field(description="The membership's id.")
    category: MembershipCategory = Field(description="As what the person belongs.")
    since_on: date = Field(description="Its first day.")


class InvitationAccepted(Answer):
    """Whose membership of what began. It is the invited person's, whoever may be signed in."""

    email: str = Field(description="The address that was invited.")
    person: PersonReference = Field(description="The person who belongs now.")
    community: CommunityReference = Field(description="The community.")
    membership: BegunMembership = Field(description="The membership.")
    password_link_mailed: bool = Field(
        description="True if the account has no password yet: a link to choose one is mailed."
    )


class InvitationDeclined(Answer):
    """An invitation that was declined."""

    email: str = Field(description="The address that was invited.")
    community: CommunityReference = Field(description="The community.")
