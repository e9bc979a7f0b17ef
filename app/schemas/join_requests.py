"""Asking to join, and deciding about it."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import JoinOutcome, JoinRequestOrigin, JoinRequestStatus, JoinWithdrawal
from app.schemas.base import (
    Answer,
    Code,
    Email,
    InstantOut,
    Language,
    LanguageIn,
    Line,
    Localized,
    Number,
    Paragraph,
    PersonReference,
    Request,
    Slug,
    TerritoryCode,
    Viewer,
)
from app.schemas.communities import CommunityReference
from app.schemas.join_forms import AnswersIn, JoinAnswer


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
    answers: AnswersIn = Field(
        default_factory=dict,
        description="Answers to communities' own questions: for each community, as `communities`"
        " names it, by the questions' codes. Its join form says what it asks.",
        examples=[{}],
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
    rules_version: int | None = Field(
        description="The version of the rules agreed to; null for a request by mail, which agrees"
        " to none."
    )
    privacy_notice_version: int | None = Field(
        description="The privacy notice consented to; null for a request by mail."
    )


class JoinRequestsReceived(Answer):
    """One receipt for each community."""

    items: list[JoinRequestReceipt] = Field(description="In the order asked for.")


class JoinDecisionMade(Answer):
    """What was decided, when and by whom."""

    outcome: JoinOutcome = Field(description="accepted or declined.")
    comment: str | None = Field(description="What the applicant was told.")
    decided_at: InstantOut = Field(description="When.")
    decided_by: PersonReference | None = Field(
        description="By whom; null for the applicant, who is not told."
    )


class JoinRequestNote(Answer):
    """Something about a request that came by mail: an answer that is missing, or was taken from
    elsewhere."""

    about: str | None = Field(
        description="Which answer it is about: a member of the request. Null for the request as a"
        " whole.",
        examples=["affiliation"],
    )
    code: str = Field(description="What it is; stable.", examples=["mail_answer_missing"])
    detail: Localized = Field(description="In words, in both languages.")


class JoinRequest(Answer):
    """A request with its answers, as those who may decide see it, and its applicant.

    One by the form has all six answers, a confirmed address and an agreement to the rules. One out
    of a mailbox that was imported has what could be read of the message, and neither of the others.
    """

    id: UUID = Field(description="The request's id.")
    status: JoinRequestStatus = Field(description="How far it has come.")
    community: CommunityReference = Field(description="The community asked for.")
    origin: JoinRequestOrigin = Field(
        description="form, mailbox (a message that was imported), or proposal (somebody behind the"
        " community's proposal, who has to be verified first)."
    )
    name: str = Field(description="The applicant's name.")
    email: str = Field(description="The applicant's address; `verified_at` says if it is theirs.")
    occupation: str | None = Field(
        description="In the applicant's own words; null where a message did not say."
    )
    occupation_code: str = Field(description="An entry of /occupations.")
    affiliation: str | None = Field(
        description="Court, treatment agency or other affiliation; null where a message did not"
        " say."
    )
    area_of_interest: str | None = Field(
        description="What the applicant is interested in; null where a message did not say."
    )
    answers: list[JoinAnswer] = Field(
        description="The answers to the community's own questions, as they were asked."
    )
    territory: str | None = Field(description="An entry of /territories, or null.")
    language: Language = Field(description="The applicant's language.")
    message: str | None = Field(
        description="What a message said, as text, its first 2,000 characters; null for a form.",
        examples=[None],
    )
    notes: list[JoinRequestNote] = Field(
        description="What is missing in a message, or was taken from elsewhere; empty for a form."
    )
    rules_version: int | None = Field(
        description="The version of the rules agreed to; null for a request by mail, whose sender"
        " agrees when they first sign in."
    )
    privacy_notice_version: int | None = Field(
        description="The privacy notice consented to; null for a request by mail."
    )
    submitted_at: InstantOut = Field(description="When it was sent.")
    verified_at: InstantOut | None = Field(
        description="When the address was confirmed; null for a request by mail, whose address"
        " nobody has proven."
    )
    answer_due_on: date | None = Field(
        description="The last day for the applicant's answer, where a question is open: after it"
        " the request has expired."
    )
    withdrawn_because: JoinWithdrawal | None = Field(
        description="Why a withdrawn request was withdrawn: by_applicant; newer_request (another"
        " form of theirs took its place); already_member (there was nothing to decide any more); or"
        " asked_too_soon (after a refusal, before reapplication_days were over)."
    )
    decision: JoinDecisionMade | None = Field(description="What was decided; null until then.")
    membership_id: UUID | None = Field(description="The membership that acceptance began.")
    updated_at: InstantOut = Field(description="When it last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class JoinInquiry(Answer):
    """A question to the applicant, and the answer."""

    question: str = Field(description="What was asked.")
    asked_at: InstantOut = Field(description="When.")
    asked_by: PersonReference | None = Field(
        description="By whom; null for the applicant, who is not told."
    )
    answer: str | None = Field(description="The applicant's answer; null until it is there.")
    answered_at: InstantOut | None = Field(description="When it was given.")


class EarlierJoinRequest(Answer):
    """An earlier request from the same address to the same community."""

    id: UUID = Field(description="The request's id.")
    status: JoinRequestStatus = Field(description="How far it came.")
    submitted_at: InstantOut = Field(description="When it was sent.")
    withdrawn_because: JoinWithdrawal | None = Field(description="Why it was withdrawn.")
    decision: JoinDecisionMade | None = Field(description="What was decided; null for nothing.")


class JoinRequestDetail(JoinRequest):
    """One request, with what was asked about it and what went before."""

    inquiries: list[JoinInquiry] = Field(description="The questions to the applicant, in order.")
    earlier: list[EarlierJoinRequest] | None = Field(
        description="For those who may decide: what was asked from this address here before, the"
        " latest 20, the newest first. Null for the applicant."
    )
    same_form: list[JoinRequestReceipt] | None = Field(
        description="For the applicant: the other requests of the same form. Null for those who"
        " decide."
    )


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


class JoinInformationRequest(Request):
    """A question that has to be answered before the request is decided."""

    question: Paragraph = Field(
        description="What the applicant is asked; it is mailed to them.",
        examples=["In which court do you practise?"],
    )


class JoinInformation(Request):
    """The applicant's answer to the question that is open."""

    answer: Paragraph = Field(
        description="The answer; those who decide read it.",
        examples=["In the Ontario Court of Justice in Thunder Bay."],
    )
