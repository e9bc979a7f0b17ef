"""Succession plans: what is asked for each seat, and what is shown of it to whom."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import ConsentState, Readiness
from app.schemas.base import (
    Answer,
    IdIn,
    InstantOut,
    LanguageTag,
    Line,
    Localized,
    Paragraph,
    PersonReference,
    Request,
    Viewer,
    prose,
)
from app.schemas.memberships import IdentityLine
from app.schemas.terms import SeatHolder, SeatState

MOST_CANDIDATES, MOST_ITEMS, LONGEST_OVERLAP = 20, 50, 366


class CandidateWanted(Request):
    """Somebody who could follow; the place in the list is the order."""

    person_id: IdIn = Field(description="A member of the community.")
    readiness: Annotated[Readiness, Field(strict=False)] = Field(
        description="How soon they could take it on.", examples=["within_a_year"]
    )
    note: Paragraph | None = Field(
        default=None,
        description="For those who keep the plan; the candidate can read it too, nobody else.",
        examples=["Wants to see one round of elections first."],
    )


class HandoverItemWanted(Request):
    """One thing to hand over; the place in the list is the order."""

    id: IdIn | None = Field(
        default=None,
        description="The id of an item that is there, which keeps whether it is done; null for a"
        " new one.",
        examples=[None],
    )
    text: Line = Field(description="What is to be done.", examples=["Introduce the court clerks"])


class SeatSuccessionReplacement(Request):
    """The plan of one seat as a whole; whoever is in it already keeps their consent."""

    candidates: list[CandidateWanted] = Field(
        max_length=MOST_CANDIDATES, description="In the order in which they would be asked."
    )
    overlap_days: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP)] | None = Field(
        description="For how many days holder and successor should go together; null: not settled.",
        examples=[30],
    )
    handover_notes: Annotated[str, *prose(1, 20_000)] | None = Field(
        description="What a successor has to know, in Markdown.",
        examples=["The budget is settled in **March**."],
    )
    checklist: list[HandoverItemWanted] = Field(
        max_length=MOST_ITEMS, description="What is to be handed over, in order."
    )
    language: LanguageTag = Field(description="What it is written in.", examples=["en"])


class SuccessionCandidate(Answer):
    """Somebody who could follow in a seat. Until they agree, only those who keep the plan and they
    themselves see it."""

    id: UUID = Field(description="The candidacy's id.")
    community_id: UUID = Field(description="The community.")
    seat_id: UUID = Field(description="The seat.")
    position: str = Field(description="The position's code.", examples=["chair"])
    seat: int = Field(description="Which of the position's seats.")
    person: IdentityLine = Field(description="The candidate, as they are today.")
    readiness: Readiness = Field(description="How soon they could take it on.")
    note: str | None = Field(
        description="Null where there is none, and for all but those who keep the plan and the"
        " candidate.",
        examples=["Wants to see one round of elections first."],
    )
    consent: ConsentState = Field(
        description="asked, given, or withdrawn (also where it was never given)."
    )
    answered_at: InstantOut | None = Field(description="When the candidate said so; null if asked.")
    proposed_at: InstantOut | None = Field(description="When they were asked; null as `note` is.")
    proposed_by: PersonReference | None = Field(description="By whom; null as `note` is.")
    viewer: Viewer = Field(description="What the caller may do.")


class HandoverItem(Answer):
    """One thing that is to be handed over."""

    id: UUID = Field(description="The item's id.")
    community_id: UUID = Field(description="The community.")
    seat_id: UUID = Field(description="The seat.")
    text: str = Field(description="What is to be done.", examples=["Introduce the court clerks"])
    done_at: InstantOut | None = Field(description="When it was done; null if it is not.")
    done_by: PersonReference | None = Field(description="By whom; null if it is not.")
    viewer: Viewer = Field(description="What the caller may do.")


class SeatSuccession(Answer):
    """The plan of one seat."""

    seat_id: UUID = Field(description="The seat's id.")
    community_id: UUID = Field(description="The community.")
    position: str = Field(description="The position's code.", examples=["chair"])
    seat: int = Field(description="Which of the position's seats.")
    title: Localized = Field(description="The position's title.")
    state: SeatState = Field(description="As in the Leadership Group.")
    holder: SeatHolder | None = Field(description="Who holds it; null for a vacant seat.")
    acting_holder: SeatHolder | None = Field(description="Who acts in it; null if nobody does.")
    next_term: SeatHolder | None = Field(
        description="Who begins in it on a later day; null while no such term is recorded."
    )
    candidates: list[SuccessionCandidate] = Field(
        description="In order: those whom the caller may see."
    )
    overlap_days: int | None = Field(description="Days that both should go together.")
    handover_notes: str | None = Field(
        description="The Markdown that was written; null if nothing was.",
        examples=["The budget is settled in **March**."],
    )
    handover_notes_html: str | None = Field(
        description="The same as sanitised HTML.",
        examples=["<p>The budget is settled in <strong>March</strong>.</p>\n"],
    )
    language: str | None = Field(description="What it is written in; null for an empty plan.")
    checklist: list[HandoverItem] = Field(description="In order.")
    updated_at: InstantOut | None = Field(
        description="When the plan last changed; null if it never did, and for callers who do not"
        " keep it."
    )
    updated_by: PersonReference | None = Field(description="By whom; null as `updated_at` is.")
    viewer: Viewer = Field(description="What the caller may do.")


class CommunitySuccession(Answer):
    """The plans of all seats of a Leadership Group, by the rank of their positions."""

    seats: list[SeatSuccession] = Field(description="Every seat, planned for or not.")
