"""What is recorded, and who hears of it: the catalogue of everything that can happen.

A service changes rows and records one activity in the same transaction. The audit log, mail and
whatever comes later read it from there; a service never calls them. Facts are ids, codes, days
and numbers, never what a person wrote.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import Activity, ActorKind, new_id
from app.models.base import Instant
from app.policy import Standing
from app.strokes import Following, json_of


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can happen: to what, with which facts, and which mails it causes.

    Of what is `anonymous`, the log shows to nobody who did it.
    """

    subject: str
    facts: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    says: str = ""
    anonymous: bool = False


KINDS: dict[str, Kind] = {
    "association.updated": Kind("association", ("members",), says="the association's data changed"),
    "association.defaults_loaded": Kind("association", ("code",), says="the defaults were loaded"),
    "grant.changed": Kind(
        "grant", ("added", "removed"), says="a capability was given to or taken from somebody"
    ),
    "community.created": Kind("community", ("slug",), says="a community was created"),
    "community.updated": Kind("community", ("members",), says="a community's data changed"),
    "rules.published": Kind(
        "rules_version", ("number", "effective_on"), says="a version of the rules was published"
    ),
    "rules.agreed": Kind("person", ("rules_version",), says="a person agreed to the rules"),
    "account.created": Kind("person", says="an account was made"),
    "account.updated": Kind("person", ("members",), says="a person corrected their profile"),
    "account.password_chosen": Kind(
        "person", ("first",), ("password_changed",), says="a password was chosen"
    ),
    "account.deactivated": Kind("person", says="an account was deactivated"),
    "account.reactivated": Kind("person", says="an account was reactivated"),
    "account.unsubscribed": Kind(
        "person", ("mail_kind",), says="a person stopped reminders of one kind"
    ),
    "session.started": Kind("session", ("how",), says="somebody signed in"),
    "session.ended": Kind("session", ("how",), says="a sign-in ended"),
    "join_request.submitted": Kind(
        "join_request",
        ("submission_id", "rules_version", "privacy_notice_version"),
        ("confirm_address",),
        says="somebody asked to join",
    ),
    "join_request.verified": Kind(
        "join_request",
        ("rules_version",),
        ("requests_waiting",),
        says="the applicant's address was confirmed; the request waits for a decision",
    ),
    "join_request.withdrawn": Kind(
        "join_request", ("cause",), says="a request was withdrawn or superseded"
    ),
    "join_request.accepted": Kind(
        "join_request",
        ("membership_id", "person_id"),
        ("welcome",),
        says="a request was accepted, and a membership begun",
    ),
    "join_request.declined": Kind(
        "join_request", (), ("request_declined",), says="a request was declined"
    ),
    "membership.updated": Kind("membership", ("members",), says="a membership was changed"),
    "membership.ended": Kind(
        "membership", ("person_id", "ending", "terms"), ("membership_ended",), says="it ended"
    ),
    "membership.suspended": Kind(
        "membership",
        ("person_id", "until_on"),
        ("membership_suspended",),
        says="a membership was suspended until a day",
    ),
    "membership.suspension_lifted": Kind(
        "membership", ("person_id",), ("suspension_lifted",), says="a suspension was lifted"
    ),
    "term.planned": Kind(
        "term",
        ("position", "seat", "person_id", "starts_on", "ends_on", "basis"),
        ("term_recorded",),
        says="a term that begins on a later day was recorded",
    ),
    "term.started": Kind(
        "term",
        ("position", "seat", "person_id", "starts_on", "ends_on", "basis"),
        ("term_recorded",),
        says="a term began",
    ),
    "term.resigned": Kind(
        "term", ("position", "seat", "person_id"), says="a holder resigned from a seat"
    ),
    "term.removed": Kind(
        "term", ("position", "seat", "person_id"), ("term_removed",), says="a holder was removed"
    ),
    "discussion.started": Kind("discussion", ("post_id",), says="a discussion was started"),
    "discussion.locked": Kind("discussion", says="a discussion was locked"),
    "discussion.unlocked": Kind("discussion", says="a discussion was opened again"),
    "post.written": Kind("post", ("discussion_id", "number"), says="a reply was written"),
    "post.edited": Kind("post", ("discussion_id",), says="an author edited a post"),
    "post.deleted": Kind("post", ("discussion_id",), says="an author deleted a post"),
    "post.reported": Kind(
        "review",
        ("post_id", "rule", "rules_version"),
        ("reviews_waiting",),
        says="a post was reported under a rule; by whom is shown to nobody",
        anonymous=True,
    ),
    "review.decided": Kind(
        "review",
        ("post_id", "action", "rule", "rules_version"),
        ("post_hidden",),
        says="a review was decided",
    ),
    "review.reversed": Kind(
        "review", ("post_id",), ("post_restored",), says="a decision was reversed"
    ),
    "mail.parked": Kind(
        "mail", ("mail_kind",), says="a mail could not be delivered and was set aside"
    ),
}


def record(
    session: AsyncSession,
    kind: str,
    by: Standing | None,
    subject_id: UUID | str | int,
    *,
    community_id: UUID | None = None,
    actor: tuple[ActorKind, UUID | None] | None = None,
    **facts: Any,
) -> None:
    """Adds the one record of a change to the caller's transaction.

    `by` is who did it; without one it was the software, unless `actor` says otherwise. Raises
    ValueError for facts that the catalogue does not name, so that the log stays readable.
    """
    known = _known(kind, facts)
    actor_kind, actor_id = actor or (by.actor if by else (ActorKind.SYSTEM, None))
    session.add(
        Activity(
            kind=kind,
            occurred_at=clock.now(),
            actor_kind=actor_kind,
            actor_id=actor_id,
            community_id=community_id,
            subject_kind=known.subject,
            subject_id=str(subject_id),
            facts={name: _plain(value) for name, value in facts.items()},
        )
    )


def following(kind: str, facts: Callable[[Any], Mapping[str, Any]]) -> Following:
    """The record as what follows in a stroke; it takes the parameters of `followed`.

    The facts are SQL: parameters of the stroke, or columns of the row that it updates.
    """

    def values(row: Any) -> dict[str, Any]:
        found = facts(row)
        known = _known(kind, found)
        return {
            "id": sa.bindparam("record", type_=sa.Uuid),
            "kind": sa.literal(kind),
            "occurred_at": sa.bindparam("now", type_=Instant),
            "actor_kind": sa.bindparam("actor_is", type_=sa.String),
            "actor_id": sa.bindparam("actor", type_=sa.Uuid),
            "community_id": sa.bindparam("community", type_=sa.Uuid),
            "subject_kind": sa.literal(known.subject),
            "subject_id": sa.bindparam("subject", type_=sa.String),
            "facts": json_of(found),
        }

    return Following(Activity, values)


def followed(by: Standing, subject_id: UUID) -> dict[str, Any]:
    """The parameters of a record that follows in a stroke, but for the instant, `now`."""
    actor_kind, actor_id = by.actor
    return {
        "record": new_id(),
        "actor_is": actor_kind,
        "actor": actor_id,
        "community": by.here.id,
        "subject": str(subject_id),
    }


def _known(kind: str, facts: Mapping[str, Any]) -> Kind:
    known = KINDS[kind]
    if set(facts) != set(known.facts):
        raise ValueError(f"{kind} takes the facts {known.facts}, not {tuple(facts)}")
    return known


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(str(item) for item in value)
    return str(value)
