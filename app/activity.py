"""What is recorded, and who hears of it; kinds/ is the catalogue of what can happen.

A service changes rows and records one activity in the same transaction. The audit log, mail and
whatever comes later read it from there; a service never calls them. Facts are ids, codes, days
and numbers, never what a person wrote.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import Work
from app.kinds import KINDS as KINDS
from app.kinds import Kind as Kind
from app.models import Activity, ActorKind, new_id
from app.models.base import Instant, Json
from app.policy import Standing
from app.strokes import Following, json_of


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
            acting=by.acting if by else None,
        )
    )


class Entry(NamedTuple):
    """One record of many that are made at once: of which kind, of what, where, with which facts."""

    kind: str
    subject_id: UUID
    community_id: UUID | None
    facts: dict[str, Any]


async def record_all(
    work: Work, entries: Sequence[Entry], actor: tuple[ActorKind, UUID | None]
) -> None:
    """Adds the records of many changes of one actor's to the caller's transaction, at once."""
    if not entries:
        return
    now = clock.now()
    rows = [
        {
            "id": new_id(),
            "kind": entry.kind,
            "occurred_at": now,
            "actor_kind": actor[0],
            "actor_id": actor[1],
            "community_id": entry.community_id,
            "subject_kind": _known(entry.kind, entry.facts).subject,
            "subject_id": str(entry.subject_id),
            "facts": {
                # An id is written as text in any case.
                name: value if isinstance(value, UUID) else _plain(value)
                for name, value in entry.facts.items()
            },
        }
        for entry in entries
    ]
    await work.insert_many(Activity, rows)


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
            "acting": sa.bindparam("acting", type_=Json),
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
        "acting": by.acting,
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
