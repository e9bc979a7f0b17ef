"""Nominations: who stands, and what they say."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models import NominationStatus
from app.schemas.base import (
    Answer,
    IdIn,
    InstantOut,
    LanguageTag,
    Paragraph,
    PersonReference,
    Request,
    Viewer,
    prose,
)
from app.schemas.memberships import IdentityLine

StatementText = Annotated[str, *prose(1, 5000)]


class NominationCreate(Request):
    """Somebody proposed for a contest; oneself counts as accepted."""

    contest_id: IdIn = Field(description="The contest.")
    person_id: IdIn = Field(description="A member of the community, oneself included.")
    statement: StatementText | None = Field(
        default=None, description="What one says of oneself; only when nominating oneself."
    )
    language: LanguageTag | None = Field(default=None, description="Its language.")


class NominationAcceptance(Request):
    """The nominee's yes."""

    statement: StatementText | None = Field(
        default=None, description="What the candidate says of themselves."
    )
    language: LanguageTag | None = Field(default=None, description="Its language.")


class NominationWithdrawal(Request):
    """The nominee's no, at any time until certification."""

    reason: Paragraph | None = Field(
        default=None, description="Needed when somebody is struck who can no longer hold the seat."
    )


class Nomination(Answer):
    """Somebody who was proposed for a contest."""

    id: UUID = Field(description="The nomination's id, which ballots name.")
    election_id: UUID = Field(description="The election.")
    contest_id: UUID = Field(description="The contest.")
    position: str = Field(description="The position's code.")
    person: IdentityLine = Field(description="Who is proposed, as they are today.")
    nominated_by: PersonReference = Field(description="By whom.")
    nominated_at: InstantOut = Field(description="When.")
    status: NominationStatus = Field(
        description="accepted: a candidate; lapsed: not accepted in time."
    )
    accepted_at: InstantOut | None = Field(description="When the nominee accepted.")
    withdrawn_at: InstantOut | None = Field(description="When it was withdrawn.")
    withdrawal_reason: str | None = Field(
        description="Why somebody was struck; for the nominee and those who manage elections."
    )
    statement: str | None = Field(description="What the candidate says of themselves.")
    language: str | None = Field(description="The statement's language.")
    viewer: Viewer = Field(description="What the caller may do.")


class NominationList(Answer):
    """A page of nominations, in the order of making."""

    items: list[Nomination] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")
