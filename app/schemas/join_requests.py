"""Asking to join, and deciding about it."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import JoinOutcome, JoinRequestStatus
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
    Slug,
    TerritoryCode,
    Viewer,
)
from app.schemas.communities import CommunityReference


class JoinRequestCreate(Request):
    """One form for several communities: the six answers, and the agreement to the rules."""

    name: Line = Field(description="The applicant's name.", examples=["Siobhan O'Neill"])
    email: Email = Field(
        description="A mail goes there; the request waits until the address is confirmed.",
        examples=["siobhan@example.org"],
    )
    communities: list[Slug] = Field(
        min_length=1,
        max_length=20,
        description="Slugs or ids of the communities.",
        examples=[["drug-treatment-court", "indigenous-courts"]],
    )
    occupation: Line = Field(
        description="In the applicant's own words.", examples=["Defence counsel"]
    )
    affiliation: Line = Field(
        description="Court, treatment agency or other affiliation.", examples=["Legal Aid Ontario"]
    )
    area_of_interest: Paragraph = Field(
        description="What the applicant is interested in.", examples=["sanctions and incentives"]
    )
    agrees_to_rules_version: Number = Field(
        description="The version of the rules in force, as GET /rules shows it.", examples=[1]
    )
    occupation_code: Code = Field(
        default="other", description="An entry of /occupations.", examples=["defence_counsel"]
    )
    territory: TerritoryCode | None = Field(
        default=None, description="An entry of /territories.", examples=["CA-ON"]
    )
    language: LanguageIn = Field(
        default=Language.EN, description="The language of mails.", examples=["en"]
    )


class JoinRequestReceipt(Answer):
    """A request as its applicant sees it; the same whether or not the address is known."""

    id: UUID = Field(description="The request's id.")
    status: JoinRequestStatus = Field(description="How far it has come.")
    community: CommunityReference = Field(description="The community asked for.")
    submitted_at: InstantOut = Field(description="When it was sent.")
    rules_version: int = Field(description="The version of the rules agreed to.")
    privacy_notice_version: int = Field(description="The privacy notice consented to.")


class JoinRequestsReceived(Answer):
    """One receipt for each community."""

    items: list[JoinRequestReceipt] = Field(description="In the order asked for.")


class JoinDecisionMade(Answer):
    """What was decided, when and by whom."""

    outcome: JoinOutcome = Field(description="accepted or declined.")
    comment: str | None = Field(description="What the applicant was told.")
    decided_at: InstantOut = Field(description="When.")
    decided_by: PersonReference | None = Field(description="By whom.")


class JoinRequest(Answer):
    """A request as those who may decide see it, with all six answers."""

    id: UUID = Field(description="The request's id.")
    status: JoinRequestStatus = Field(description="How far it has come.")
    community: CommunityReference = Field(description="The community asked for.")
    name: str = Field(description="The applicant's name.")
    email: str = Field(description="The applicant's address, confirmed unless awaiting it.")
    occupation: str = Field(description="In the applicant's own words.")
    occupation_code: str = Field(description="An entry of /occupations.")
    affiliation: str = Field(description="Court, treatment agency or other affiliation.")
    area_of_interest: str = Field(description="What the applicant is interested in.")
    territory: str | None = Field(description="An entry of /territories, or null.")
    language: Language = Field(description="The applicant's language.")
    rules_version: int = Field(description="The version of the rules agreed to.")
    privacy_notice_version: int = Field(description="The privacy notice consented to.")
    submitted_at: InstantOut = Field(description="When it was sent.")
    verified_at: InstantOut | None = Field(description="When the address was confirmed.")
    decision: JoinDecisionMade | None = Field(description="What was decided; null until then.")
    membership_id: UUID | None = Field(description="The membership that acceptance began.")
    updated_at: InstantOut = Field(description="When it last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class JoinRequestList(Answer):
    """A page of requests, the earliest first."""

    items: list[JoinRequest] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class JoinDecision(Request):
    """A decision about a request; a refusal needs a comment, which the applicant is sent."""

    outcome: Annotated[JoinOutcome, Field(strict=False)] = Field(description="What is decided.")
    comment: Paragraph | None = Field(
        default=None,
        description="Required when declining; the applicant reads it.",
        examples=[None],
    )
