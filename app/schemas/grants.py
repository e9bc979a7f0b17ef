"""The permission table, and the changes that are proposed to it."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.ceilings import Ceiling
from app.models import GrantChangeStatus, GrantOutcome
from app.policy import Capability
from app.schemas.base import (
    Answer,
    Code,
    InstantOut,
    Localized,
    Number,
    Paragraph,
    PersonReference,
    Request,
    Viewer,
)


class Grant(Answer):
    """One row of the permission table: who is given this capability."""

    capability: Capability = Field(description="The capability.")
    meaning: Localized = Field(description="What it allows.")
    granted_to: list[str] = Field(
        description="public, account, member, or the codes of positions.",
        examples=[["chair", "secretary", "staff", "vice_chair"]],
    )
    ceiling: Ceiling = Field(
        description="To whom it may be granted at most: everyone; members (never public or"
        " account); members_of_restricted (as before, and what a restricted community has of it"
        " is for its own verified members alone)."
    )
    version: int = Field(description="The table's version, for a change that is based on it.")
    viewer: Viewer = Field(description="What the caller may do.")


class GrantList(Answer):
    """The permission table."""

    items: list[Grant] = Field(description="One row for each capability.")
    next_cursor: str | None = Field(default=None, description="Always null: the table is whole.")


class GrantChangeCreate(Request):
    """A change to propose: of one row of the table (`capability` and `granted_to`), or of whether
    changes wait for a second person (`confirms_grants`)."""

    capability: Annotated[Capability, Field(strict=False)] | None = Field(
        default=None, description="The row to change.", examples=["posts:moderate"]
    )
    granted_to: list[Code] | None = Field(
        default=None,
        max_length=100,
        description="public, account, member, or codes of positions; replaces the row.",
        examples=[["chair", "vice_chair", "staff"]],
    )
    confirms_grants: bool | None = Field(
        default=None,
        description="Instead of a row: whether changes wait for a second person from then on.",
    )
    based_on: Number = Field(description="The `version` of the table as it was read.", examples=[1])
    reason: Paragraph = Field(
        description="Why; those who can confirm it are sent it.",
        examples=["Leaders asked to share the work."],
    )


class GrantChangeDecision(Request):
    """What a second person says to a proposed change."""

    outcome: Annotated[GrantOutcome, Field(strict=False)] = Field(
        description="confirmed makes the change; refused ends it.", examples=["confirmed"]
    )
    reason: Paragraph | None = Field(
        default=None, description="Required to refuse; whoever proposed it is sent it."
    )


class GrantChangeWithdrawal(Request):
    """Why one takes one's own proposal back."""

    reason: Paragraph | None = Field(default=None, description="Why, if there is something to say.")


class GrantChange(Answer):
    """A change of the permission table: proposed by one person, made when another confirms it."""

    id: UUID = Field(description="The change's id.")
    status: GrantChangeStatus = Field(
        description="pending, made (it holds since then), refused or withdrawn."
    )
    capability: Capability | None = Field(description="The row; null for `confirms_grants`.")
    granted_to: list[str] | None = Field(description="What the row is to say.")
    replaces: list[str] | None = Field(description="What the row said when this was proposed.")
    confirms_grants: bool | None = Field(
        description="Where no row is changed: whether changes are to wait for a second person."
    )
    based_on: int = Field(description="The version of the table that it was made against.")
    reason: str = Field(description="Why it was proposed.")
    proposed_at: InstantOut = Field(description="When.")
    proposed_by: PersonReference = Field(description="By whom.")
    decided_at: InstantOut | None = Field(description="When it was made, refused or withdrawn.")
    decided_by: PersonReference | None = Field(
        description="Who confirmed or refused it; null where nobody had to."
    )
    decision_reason: str | None = Field(description="What was said to it.")
    confirmers: int = Field(
        description="How many others could confirm it now; 0 means that nobody can."
    )
    version: int = Field(description="Rises with each step.")
    viewer: Viewer = Field(description="What the caller may do.")


class GrantChangeList(Answer):
    """A page of changes, the latest first."""

    items: list[GrantChange] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")
