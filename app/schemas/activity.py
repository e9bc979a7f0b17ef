"""The audit log: activity as it is read."""

from typing import Any
from uuid import UUID

from pydantic import Field

from app.models import ActorKind
from app.schemas.base import Answer, InstantOut


class Actor(Answer):
    """Who did it."""

    kind: ActorKind = Field(
        description="A person, an applicant without account, the software, or a partner's machine."
    )
    id: UUID | None = Field(
        description="The person's or the partner's id; null for the others, and for whoever"
        " reported a post."
    )
    name: str | None = Field(
        description="The person's or the partner's name today; null where the id is."
    )


class Subject(Answer):
    """To what it was done."""

    kind: str = Field(description="The kind of thing.", examples=["term"])
    id: str = Field(description="Its id, number or code.")


class ActingAs(Answer):
    """The position in which the actor acted, for a vacant seat or an absent holder."""

    position: str = Field(description="The position's code.", examples=["chair"])
    for_person_id: UUID | None = Field(description="Whose seat it is; null for a vacant one.")


class Activity(Answer):
    """One thing that happened, once. No personal text is in it."""

    id: UUID = Field(description="The record's id.")
    kind: str = Field(
        description="What happened; see openapi/activity.md.", examples=["term.started"]
    )
    occurred_at: InstantOut = Field(description="When.")
    actor: Actor = Field(description="Whoever did it.")
    acting: ActingAs | None = Field(
        description="As whom, if only acting for another allowed it; the actor is who acted."
    )
    subject: Subject = Field(description="To what.")
    community_id: UUID | None = Field(description="In which community, if in one.")
    facts: dict[str, Any] = Field(description="Ids, codes, days and numbers; by kind.")
    place: int | None = Field(description="Its place in the sealed order; null for a moment.")


class ActivityList(Answer):
    """A page of the audit log, the latest first."""

    items: list[Activity] = Field(description="The page.")
    next_cursor: str | None = Field(description="Continues the list; null at its end.")
    total: int | None = Field(default=None, description="With include=total: how many in all.")
