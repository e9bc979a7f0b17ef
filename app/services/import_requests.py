"""What a mailbox becomes: its messages ask to join, and make nobody a member.

A message proves no address and agrees to no rules, so its request says neither; what could not be
read of it is noted for those who decide. It is known again by its own id, or by its text.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock
from app.among import among
from app.db import Source, Work
from app.membership_files.mailboxes import HEADINGS
from app.membership_files.rows import Finding, Format, ReadRow
from app.models import (
    Community,
    JoinPolicy,
    JoinRequest,
    JoinRequestOrigin,
    JoinRequestStatus,
    MembershipImport,
    RowOutcome,
    new_id,
)
from app.reader import Prepared
from app.services import import_rows, join_states
from app.services.import_decisions import Deciding, Decision, person_plan
from app.services.import_plans import Planner
from app.services.import_reversal import Done, in_use
from app.services.import_worlds import Place, World

_ANSWERS = (
    "name",
    "email",
    "occupation",
    "affiliation",
    "area_of_interest",
    "territory",
)
_MADE = Prepared(
    sa.select(
        JoinRequest.community_id,
        JoinRequest.email_key,
        JoinRequest.message_id,
        join_states.STATE,
        JoinRequest.decided_at,
        Community.reapplication_days,
    )
    .join(Community, col(Community.id) == JoinRequest.community_id)
    .where(
        among(col(JoinRequest.email_key), "addresses"),
        among(col(JoinRequest.community_id), "places"),
        join_states.KNOWN,
    )
    .order_by(col(JoinRequest.id))
)


def is_mailbox(job: MembershipImport) -> bool:
    """Whether the file of an import is of messages, not of members."""
    return job.format == Format.MBOX


def beside(row: ReadRow) -> dict[str, Any]:
    """What a message says beside its answers, as it is kept with its plan."""
    cells = dict(zip(HEADINGS, row.raw, strict=True))
    notes = import_rows.kept(finding for finding in row.findings if not finding.refuses)
    return {
        "message_id": cells["message_id"],
        "sent_at": cells["sent_at"],
        "message": cells["text"],
        "notes": notes,
    }


# Planning


class Asked(NamedTuple):
    """What has been asked from the addresses of a batch, by the address and the community."""

    made: Mapping[tuple[str, UUID], list[Any]]
    closed_to_requests: frozenset[UUID]


async def read(source: Source, job: MembershipImport, addresses: Iterable[str]) -> Asked:
    """The requests that there are from these addresses, where the importer may import."""
    made: dict[tuple[str, UUID], list[Any]] = {}
    values = {"addresses": list(addresses), "places": [UUID(place) for place in job.places]}
    for row in await source.rows(_MADE, today=clock.today(), **values):
        made.setdefault((row.email_key, row.community_id), []).append(row)
    closed = await source.rows(
        sa.select(Community.id).where(col(Community.join_policy) != JoinPolicy.REQUEST)
    )
    return Asked(made, frozenset(row.id for row in closed))


class RequestPlanner(Deciding):
    """Decides about the messages of one mailbox."""

    def __init__(self, job: MembershipImport, world: World, asked: Asked) -> None:
        super().__init__(job, world)
        self._asked = asked

    def decide(self, said: Mapping[str, Any]) -> Decision:
        """What becomes of a message: a request for each community that takes one."""
        found = Decision(person=person_plan("keep"))
        person = self._world.by_address.get(said["key"])
        named = list(self._named(said, found))
        refused = 0
        for place in named:
            code = self._refusal(place)
            refused += code is not None
            code = code or self._needless(place, person, said)
            if code is None:
                found.requests.append({"community": str(place.id)})
            else:
                found.note(code, place)
        if not said["communities"] and said["adds_to"] is not None:
            facts = {"row": said["adds_to"]}
            found.findings.append(Finding(None, "mail_asks_again", facts, refuses=False))
        if found.requests:
            found.outcome = RowOutcome.CREATED
        elif named and refused == len(named):
            return found.refused()
        return found

    def _refusal(self, place: Place) -> str | None:
        """Why nobody can ask to join here, or the importer cannot do it for them."""
        shut = place.id in self._asked.closed_to_requests
        return self._closed(place) or ("community_takes_no_requests" if shut else None)

    def _needless(self, place: Place, person: UUID | None, said: Mapping[str, Any]) -> str | None:
        """Why there is nothing to decide; the same as for a form (join_confirmations.py)."""
        made = self._asked.made.get((said["key"], place.id), ())
        if any(row.message_id == said["message_id"] for row in made):
            return "mail_known"
        if person is not None and self._world.running(person, place.id) is not None:
            return "already_member"
        if any(row.status in join_states.OPEN for row in made):
            return "request_open"
        return "asked_too_soon" if any(map(self._too_soon, made)) else None

    def _too_soon(self, row: Any) -> bool:
        if row.status != JoinRequestStatus.DECLINED:
            return False
        passed = self._world.today - clock.day_of(row.decided_at)
        return passed.days < row.reapplication_days


async def planner(
    source: Source, job: MembershipImport, world: World, addresses: Iterable[str]
) -> Planner | RequestPlanner:
    """Who decides about the rows of an import."""
    if is_mailbox(job):
        return RequestPlanner(job, world, await read(source, job, addresses))
    return Planner(job, world)


# Doing, and undoing


async def do(work: Work, job: MembershipImport, rows: list[Any]) -> dict[int, dict[str, Any]]:
    """Makes the requests of rows, by their numbers what undoes each; of those that met another
    request in the meantime, nothing."""
    now = clock.now()
    wanted = {row.number: _requests(job, row, now) for row in rows}
    values = [one for several in wanted.values() for one in several]
    made = set()
    if values:
        await work.insert_many(JoinRequest, values, ignoring=True)
        ids = [one["id"] for one in values]
        found = await work.rows(sa.select(JoinRequest.id).where(col(JoinRequest.id).in_(ids)))
        made = {row.id for row in found}
    whole = {
        number: several
        for number, several in wanted.items()
        if all(one["id"] in made for one in several)
    }
    kept = [one for several in whole.values() for one in several]
    half = made - {one["id"] for one in kept}
    if half:
        await work.execute(sa.delete(JoinRequest).where(col(JoinRequest.id).in_(half)))
    await activity.record_all(
        work,
        [
            activity.Entry(
                "join_request.imported",
                one["id"],
                one["community_id"],
                {"import_id": job.id, "invite": job.invite},
            )
            for one in kept
        ],
        (job.asked_by_kind, job.asked_by),
    )
    return {
        number: {
            "person": None,
            "memberships": [],
            "requests": [str(one["id"]) for one in several],
        }
        for number, several in whole.items()
    }


def _requests(job: MembershipImport, row: Any, now: datetime) -> list[dict[str, Any]]:
    """The requests of one message: as one form, however many communities it names."""
    said, submission_id = row.said, new_id()
    sent_at = datetime.fromisoformat(said["sent_at"]) if said["sent_at"] else now
    if sent_at.tzinfo is None:  # by RFC 5322: no more is known than that it is in UTC
        sent_at = sent_at.replace(tzinfo=now.tzinfo)
    return [
        {
            **{name: said[name] for name in _ANSWERS},
            "id": new_id(),
            "submission_id": submission_id,
            "community_id": UUID(one["community"]),
            "status": JoinRequestStatus.PENDING,
            "origin": JoinRequestOrigin.MAILBOX,
            "email_key": said["key"],
            "occupation_code": said["occupation_code"] or "other",
            "answers": [],
            "language": said["language"] or job.language,
            "message": said["message"],
            "message_id": said["message_id"],
            "notes": said["notes"],
            "submitted_at": min(sent_at, now),
            "updated_at": now,
        }
        for one in row.does["requests"]
    ]


async def undo(work: Work, job: MembershipImport, rows: list[Done]) -> dict[int, list[str]]:
    """Erases requests on which nothing has been built; which rows stay, and why."""
    kept: dict[int, list[str]] = {}
    ids = {UUID(one): row.number for row in rows for one in row.did["requests"]}
    found = await work.rows(
        sa.select(JoinRequest.id, JoinRequest.community_id, JoinRequest.version)
        .where(col(JoinRequest.id).in_(ids))
        .with_for_update(of=JoinRequest)
    )
    used = await in_use(work, JoinRequest.__tablename__, ids)
    gone = [row for row in found if row.version == 1 and row.id not in used]
    for one in ids.keys() - {row.id for row in gone}:
        kept[ids[one]] = ["request_handled_since"]
    await work.execute(sa.delete(JoinRequest).where(col(JoinRequest.id).in_([r.id for r in gone])))
    await activity.record_all(
        work,
        [
            activity.Entry(
                "join_request.import_undone", row.id, row.community_id, {"import_id": job.id}
            )
            for row in gone
        ],
        (job.asked_by_kind, job.asked_by),
    )
    return kept
