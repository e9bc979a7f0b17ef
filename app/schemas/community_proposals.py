"""Proposing a community, standing behind a proposal, and deciding about it."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import CommunityStatus, ProposalOutcome, ProposalStatus
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
    prose,
)
from app.schemas.communities import CommunityCreate, CommunityReference

Specifics = Annotated[str, *prose(1, 4000)]


class ProposedName(Request):
    """The name that is proposed, in at least one of the languages."""

    en: Line | None = Field(default=None, description="In English.", examples=["Rural Courts"])
    fr: Line | None = Field(default=None, description="In French.", examples=[None])


class NameProposed(Answer):
    """The name that is proposed, in the languages in which it was given."""

    en: str | None = Field(description="In English.", examples=["Rural Courts"])
    fr: str | None = Field(description="In French.", examples=[None])


class _Idea(Request):
    name: ProposedName = Field(description="What the community would be called.")
    area: Line = Field(
        description="The area of practice that it would be about.",
        examples=["Courts far from cities"],
    )
    specifics: Specifics = Field(
        description="What its members would talk about and do.",
        examples=["Sittings in places without a court house, travel, video hearings."],
    )
    language: LanguageIn = Field(
        default=Language.EN,
        description="The language of what is written here, and of the mails that follow.",
        examples=["en"],
    )


class SimilarCommunitiesQuestion(_Idea):
    """What somebody wants to propose, as far as it is written."""


class _Person(Request):
    name: Line = Field(description="Your name.", examples=["Siobhan O'Neill"])
    email: Email = Field(
        description="A mail goes there; nothing counts until the address is confirmed.",
        examples=["siobhan@example.org"],
    )
    occupation: Line = Field(description="In your own words.", examples=["Defence counsel"])
    affiliation: Line = Field(
        description="Court, treatment agency or other affiliation.", examples=["Legal Aid Ontario"]
    )
    area_of_interest: Paragraph = Field(
        description="What you are interested in.", examples=["sittings on the coast"]
    )
    occupation_code: Code = Field(
        default="other", description="An entry of /occupations.", examples=["defence_counsel"]
    )
    territory: TerritoryCode | None = Field(
        default=None, description="An entry of /territories.", examples=["CA-ON"]
    )
    wishes_to_belong: bool = Field(
        default=True, description="Whether you want to be one of its first members."
    )
    wishes_to_lead: bool = Field(
        default=False, description="Whether you would stand for its Leadership Group."
    )


class Proposer(_Person):
    """Who proposes: the identity line, and what they wish for themselves."""


class CommunityProposalCreate(_Idea):
    """A community that does not exist yet, and why it should."""

    rationale: Specifics = Field(
        description="Why it is needed, and what the present communities leave open.",
        examples=["Each of the present communities assumes a court house in the same town."],
    )
    proposer: Proposer = Field(description="Who proposes it.")
    agrees_to_rules_version: Number = Field(
        description="The version of the rules in force, as GET /rules shows it.", examples=[1]
    )


class ProposalSupportCreate(_Person):
    """One more person who stands behind a proposal, with the answers of the form to join."""

    language: LanguageIn = Field(
        default=Language.EN, description="The language of the mails that follow.", examples=["en"]
    )
    agrees_to_rules_version: Number = Field(
        description="The version of the rules in force, as GET /rules shows it.", examples=[1]
    )


class SimilarCommunity(Answer):
    """A community that is like what is proposed."""

    community: CommunityReference = Field(description="The community.")
    status: CommunityStatus = Field(description="Whether it is at work or archived.")
    likeness: float = Field(description="How alike, from 0 to 1.", examples=[0.62])


class SimilarProposal(Answer):
    """An open proposal that is like what is proposed: it may be supported instead."""

    id: UUID = Field(description="The proposal's id.")
    name: NameProposed = Field(description="What the community would be called.")
    area: str = Field(description="The area of practice.", examples=["Courts far from cities"])
    likeness: float = Field(description="How alike, from 0 to 1.", examples=[0.41])


class SimilarCommunities(Answer):
    """What there is already, the likest first, at most five of each."""

    communities: list[SimilarCommunity] = Field(description="Communities; only listed ones.")
    proposals: list[SimilarProposal] = Field(description="Open proposals.")


class CommunityProposalReceipt(Answer):
    """What became of a form, as whoever sent it sees it."""

    id: UUID = Field(description="The proposal's id.")
    status: ProposalStatus = Field(description="How far the proposal has come.")
    name: NameProposed = Field(description="What the community would be called.")
    submitted_at: InstantOut = Field(description="When the form was sent.")
    confirmed_at: InstantOut | None = Field(
        description="From when on the form counts; null until its address is confirmed."
    )


class CommunityProposalReceived(CommunityProposalReceipt):
    """A proposal that was just sent, and what there is already that is like it."""

    similar: SimilarCommunities = Field(description="What there is already.")


class ProposerShown(Answer):
    """Who proposes, for those who decide and for the proposer."""

    name: str = Field(description="The proposer's name.")
    email: str = Field(description="The proposer's address.")
    occupation: str = Field(description="In the proposer's own words.")
    occupation_code: str = Field(description="An entry of /occupations.")
    affiliation: str = Field(description="Court, treatment agency or other affiliation.")
    area_of_interest: str = Field(description="What the proposer is interested in.")
    territory: str | None = Field(description="An entry of /territories, or null.")
    wishes_to_belong: bool = Field(description="Whether they want to be a member of it.")
    wishes_to_lead: bool = Field(description="Whether they would stand for its leadership.")


class ProposalDecisionMade(Answer):
    """What was decided, when, why and by whom."""

    outcome: ProposalOutcome = Field(description="accepted or declined.")
    reason: str = Field(description="Why, as those behind the proposal were told.")
    decided_at: InstantOut = Field(description="When.")
    decided_by: PersonReference | None = Field(
        description="By whom; null but for those who decide."
    )


class CommunityProposal(Answer):
    """A proposal. Whoever has its address may read an open one; who proposes it, and what was
    decided, is shown to those who decide and to its proposer."""

    id: UUID = Field(description="The proposal's id.")
    status: ProposalStatus = Field(description="How far it has come.")
    name: NameProposed = Field(description="What the community would be called.")
    area: str = Field(description="The area of practice.", examples=["Courts far from cities"])
    specifics: str = Field(
        description="What its members would talk about and do.",
        examples=["Sittings in places without a court house, travel, video hearings."],
    )
    rationale: str = Field(
        description="Why it is needed.",
        examples=["Each of the present communities assumes a court house in the same town."],
    )
    language: Language = Field(description="The language in which it is written.")
    supporter_count: int = Field(description="How many stand behind it beside its proposer.")
    proposer: ProposerShown | None = Field(description="Who proposes it; null to others.")
    submitted_at: InstantOut = Field(description="When it was sent.")
    verified_at: InstantOut = Field(description="When its proposer's address was confirmed.")
    decision: ProposalDecisionMade | None = Field(
        description="What was decided; null until then, and to others."
    )
    community: CommunityReference | None = Field(
        description="The community that it became, where the caller may know of it."
    )
    updated_at: InstantOut = Field(description="When it last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class CommunityProposalList(Answer):
    """A page of proposals, the earliest first."""

    items: list[CommunityProposal] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class ProposalSupporter(Answer):
    """Somebody who stands behind a proposal, for those who decide."""

    id: UUID = Field(description="The supporter's id.")
    name: str = Field(description="Their name.")
    email: str = Field(description="Their address, confirmed.")
    occupation: str = Field(description="In their own words.")
    occupation_code: str = Field(description="An entry of /occupations.")
    affiliation: str = Field(description="Court, treatment agency or other affiliation.")
    area_of_interest: str = Field(description="What they are interested in.")
    territory: str | None = Field(description="An entry of /territories, or null.")
    language: Language = Field(description="Their language.")
    wishes_to_belong: bool = Field(description="Whether they want to be a member of it.")
    wishes_to_lead: bool = Field(description="Whether they would stand for its leadership.")
    verified_at: InstantOut = Field(description="Since when they count.")
    membership_id: UUID | None = Field(description="The membership that acceptance began.")
    join_request_id: UUID | None = Field(
        description="The request to join that acceptance made, where only the verified may belong."
    )


class ProposalSupporterList(Answer):
    """A page of supporters, the earliest first, without the proposer."""

    items: list[ProposalSupporter] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class ProposalDecision(Request):
    """A decision about a proposal, with its reason, which those who stand behind it are mailed."""

    outcome: Annotated[ProposalOutcome, Field(strict=False)] = Field(description="What is decided.")
    reason: Paragraph = Field(
        description="Why; those who stand behind the proposal read it.",
        examples=["Courts far from cities have nowhere else to talk."],
    )
    community: CommunityCreate | None = Field(
        default=None, description="Required when accepting: the community that it becomes."
    )
