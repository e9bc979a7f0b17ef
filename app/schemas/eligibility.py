"""Whom a restricted community admits: what is verified of people, by whom, and until when."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import VerificationOutcome, VerificationStatus
from app.schemas.base import (
    Answer,
    Code,
    DayIn,
    IdIn,
    InstantOut,
    Paragraph,
    PersonReference,
    Viewer,
)
from app.schemas.base import Request as Body
from app.schemas.communities import CommunityReference


class VerificationRequest(Body):
    """What is to be verified, and of whom: oneself, an applicant, or somebody with an account.

    With neither `person_id` nor `join_request_id` it is about the caller; about somebody else it
    needs eligibility:verify.
    """

    occupation_code: Code = Field(
        description="One of the community's eligible_occupations.", examples=["judge"]
    )
    person_id: IdIn | None = Field(default=None, description="Somebody who belongs or belonged.")
    join_request_id: IdIn | None = Field(
        default=None, description="The applicant of a request that waits here."
    )
    statement: Paragraph | None = Field(
        default=None, description="What helps to confirm it: where it can be looked up."
    )


class Confirmation(Answer):
    """Who confirmed it, when, and on what basis."""

    by: PersonReference = Field(description="Who.")
    at: InstantOut = Field(description="When.")
    basis: str = Field(description="What it was checked against.")


class EligibilityVerification(Answer):
    """That somebody is what a restricted community asks for."""

    id: UUID = Field(description="The verification's id.")
    community: CommunityReference = Field(description="The community.")
    name: str = Field(description="Whom it is about.")
    person_id: UUID | None = Field(description="Their account; null while they have none.")
    join_request_id: UUID | None = Field(description="The request it belongs to, if any.")
    occupation_code: str = Field(description="The class that is verified.", examples=["judge"])
    statement: str | None = Field(description="What was said to help.")
    status: VerificationStatus = Field(
        description="How far it has come. A confirmed one that is over has `valid` false."
    )
    valid: bool = Field(description="True if it is confirmed and counts today.")
    needs_second: bool = Field(description="True while a second person has to agree.")
    confirmations: list[Confirmation] = Field(
        description="Who confirmed it and how; empty for the person it is about."
    )
    confirmed_on: date | None = Field(description="The first day on which it counts.")
    until_on: date | None = Field(description="The last day on which it counts.")
    reason: str | None = Field(description="Why it was refused or revoked.")
    has_evidence: bool = Field(description="True while something uploaded is kept for it.")
    evidence_destroyed_at: InstantOut | None = Field(
        description="When what was uploaded was destroyed."
    )
    requested_at: InstantOut = Field(description="When it was asked for.")
    decided_at: InstantOut | None = Field(description="When it was decided.")
    updated_at: InstantOut = Field(description="When it last changed.")
    viewer: Viewer = Field(description="What the caller may do.")


class EligibilityVerificationList(Answer):
    """A page of verifications, the earliest first."""

    items: list[EligibilityVerification] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")


class VerificationDecision(Body):
    """What a verifier decides. To confirm needs a basis and a last day, to refuse a reason."""

    outcome: Annotated[VerificationOutcome, Field(strict=False)] = Field(
        description="confirmed or refused."
    )
    basis: Paragraph | None = Field(
        default=None,
        description="confirmed: what it was checked against.",
        examples=["The court's public list of judges."],
    )
    until_on: DayIn | None = Field(
        default=None,
        description="confirmed: the last day on which it counts, at most five years away. The"
        " second of two people may leave it out; the earlier of two days counts.",
    )
    reason: Paragraph | None = Field(default=None, description="refused: why; the person is told.")


class VerificationRevocation(Body):
    """Why a confirmed verification counts no longer."""

    reason: Paragraph = Field(description="Recorded; the person is told.")
