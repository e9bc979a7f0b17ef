"""Doing what the plans of a batch of rows say, set-based, and noting what undoes it exactly.

The world was read, and held, in the same unit of work. What somebody else made in the meantime all
the same (an account of this address, a membership) is found out by the constraints, and the row is
given back as changed since it was planned.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock
from app.db import Work
from app.models import (
    EligibilityVerification,
    Membership,
    MembershipEnding,
    MembershipImport,
    MembershipSource,
    Person,
    PersonSource,
    new_id,
)
from app.services import communities
from app.services.import_plans import PERSONAL
from app.services.import_worlds import World


class Planned(NamedTuple):
    """A row that is to be done: what it says, and what it would do."""

    number: int
    said: dict[str, Any]
    does: dict[str, Any]


@dataclass(slots=True)
class Batch:
    """What is written for a batch, gathered before it is."""

    job: MembershipImport
    world: World
    now: datetime
    done: dict[int, dict[str, Any]] = field(default_factory=dict)
    people: dict[int, dict[str, Any]] = field(default_factory=dict)
    begun: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    made: dict[str, UUID] = field(default_factory=dict)
    records: list[activity.Entry] = field(default_factory=list)
    touched: set[UUID] = field(default_factory=set)
    adopted: list[dict[str, Any]] = field(default_factory=list)


async def do(work: Work, job: MembershipImport, world: World, rows: list[Planned]) -> Batch:
    """Does what the rows say; the batch's `done` has those that were, and what undoes each."""
    batch = Batch(job, world, clock.now())
    await _make_people(work, batch, rows)
    owners = {row.number: _owner(batch, row) for row in rows}
    rows = [row for row in rows if owners[row.number] is not None]
    await _close_lapsed(work, batch, rows)
    kept = await _begin(work, batch, rows, owners)
    rows = [row for row in rows if row.number in kept]
    await _change(work, batch, rows)
    await _update_people(work, batch, rows)
    await _link(work, batch, rows, owners)
    for place in sorted(batch.touched):
        await communities.touch_roster(work, place)
    await activity.record_all(work, batch.records, (job.asked_by_kind, job.asked_by))
    return batch


def _done(batch: Batch, number: int) -> dict[str, Any]:
    return batch.done.setdefault(number, {"person": None, "memberships": []})


def _owner(batch: Batch, row: Planned) -> UUID | None:
    """Whose memberships these are: the account that there is, or that this import makes."""
    act, found = row.does["person"]["act"], row.does["person"]["id"]
    if found is not None:
        return UUID(found)
    if act == "make":
        made = batch.people.get(row.number)
        return made["id"] if made else None
    key = row.said["key"]
    return batch.made.get(key) or batch.world.by_address.get(key)


async def _make_people(work: Work, batch: Batch, rows: list[Planned]) -> None:
    """Accounts without a password and with an address that nobody has proven."""
    wanted: dict[int, dict[str, Any]] = {}
    for row in rows:
        if row.does["person"]["act"] == "make":
            wanted[row.number] = {
                **{name: row.said[name] for name in PERSONAL},
                "id": new_id(),
                "email": row.said["email"],
                "email_key": row.said["key"],
                "occupation_code": row.said["occupation_code"] or "other",
                "language": row.said["language"] or batch.job.language,
                "created_at": batch.now,
                "updated_at": batch.now,
                "version": 1,
            }
    batch.people = await _inserted(work, Person, wanted)
    for number, person in batch.people.items():
        batch.made[person["email_key"]] = person["id"]
        _done(batch, number)["person"] = {"act": "make", "id": str(person["id"]), "version": 1}
        batch.records.append(
            activity.Entry("account.imported", person["id"], None, {"import_id": batch.job.id})
        )


async def _inserted(
    work: Work, model: Any, wanted: dict[int, dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Those of the rows that nobody else had written before."""
    if not wanted:
        return {}
    if await work.insert_many(model, list(wanted.values()), ignoring=True) == len(wanted):
        return wanted
    ids = [values["id"] for values in wanted.values()]
    there = {row.id for row in await work.rows(sa.select(model.id).where(model.id.in_(ids)))}
    return {number: values for number, values in wanted.items() if values["id"] in there}


async def _close_lapsed(work: Work, batch: Batch, rows: list[Planned]) -> None:
    """What ended by the calendar is closed before the person is let in again."""
    over = [UUID(one["lapses"]) for row in rows for one in row.does["memberships"] if one["lapses"]]
    if over:
        await work.execute(
            sa.update(Membership)
            .where(col(Membership.id).in_(over), col(Membership.ended_at).is_(None))
            .values(
                ended_at=batch.now,
                ending=MembershipEnding.LAPSED,
                updated_at=batch.now,
                version=Membership.version + 1,
            )
        )


async def _begin(
    work: Work, batch: Batch, rows: list[Planned], owners: dict[int, UUID | None]
) -> set[int]:
    """Begins memberships; the numbers of the rows of which none met another one."""
    wanted: dict[int, dict[str, Any]] = {}
    of_row: dict[int, tuple[Planned, dict[str, Any]]] = {}
    for row in rows:
        for one in row.does["memberships"]:
            if one["act"] in ("begin", "past"):
                place = len(wanted)
                wanted[place] = _membership(batch, one, owners[row.number])
                of_row[place] = (row, one)
    inserted = await _inserted(work, Membership, wanted)
    failed = {of_row[place][0].number for place in wanted.keys() - inserted.keys()}
    await _take_back(work, batch, failed, inserted, of_row)
    sources = []
    for place, values in inserted.items():
        row, one = of_row[place]
        if row.number in failed:
            continue
        note = {
            "act": one["act"],
            "id": str(values["id"]),
            "lapsed": one["lapses"],
            "version": 1,
        }
        done = _done(batch, row.number)
        done["memberships"].append(note)
        _adopt(batch, done, row, values)
        batch.touched.add(values["community_id"])
        batch.records.append(
            activity.Entry(
                "membership.imported",
                values["id"],
                values["community_id"],
                {
                    "import_id": batch.job.id,
                    "person_id": values["person_id"],
                    "invite": batch.job.invite and one["act"] == "begin",
                },
            )
        )
        if batch.job.source is not None:
            sources.append(
                {
                    "membership_id": values["id"],
                    "community_id": batch.job.community_id,
                    "source": batch.job.source,
                    "import_id": batch.job.id,
                    "ended_by": None,
                }
            )
    await work.insert_many(MembershipSource, sources, ignoring=True)
    await work.update_many(EligibilityVerification, ("id",), batch.adopted)
    return {row.number for row in rows} - failed


def _adopt(batch: Batch, done: dict[str, Any], row: Planned, membership: dict[str, Any]) -> None:
    """What was verified of the address before it had an account is its person's from now on."""
    address = row.said["key"], membership["community_id"]
    if address in batch.world.verified_addresses:
        found = batch.world.verified_addresses[address]
        batch.adopted += [{"id": one, "person_id": membership["person_id"]} for one in found]
        done.setdefault("adopted", []).extend(str(one) for one in found)


def _membership(batch: Batch, one: dict[str, Any], person_id: UUID | None) -> dict[str, Any]:
    said, today = one["values"], batch.world.today
    until = date.fromisoformat(said["until_on"]) if said["until_on"] else None
    first = date.fromisoformat(said["since_on"]) if said["since_on"] else today
    past = one["act"] == "past"
    return {
        "id": new_id(),
        "community_id": UUID(one["community"]),
        "person_id": person_id,
        "category": said["category"],
        "since_on": min(first, until) if until is not None else first,
        "until_on": until,
        "ended_at": batch.now if past else None,
        "ending": MembershipEnding.LAPSED if past else None,
        "created_at": batch.now,
        "updated_at": batch.now,
        "version": 1,
    }


async def _take_back(
    work: Work,
    batch: Batch,
    failed: set[int],
    inserted: dict[int, dict[str, Any]],
    of_row: dict[int, tuple[Planned, dict[str, Any]]],
) -> None:
    """A row is done as a whole or not at all."""
    if not failed:
        return
    begun = [v["id"] for place, v in inserted.items() if of_row[place][0].number in failed]
    await work.execute(sa.delete(Membership).where(col(Membership.id).in_(begun)))
    made = [batch.people[number]["id"] for number in failed if number in batch.people]
    await work.execute(sa.delete(Person).where(col(Person.id).in_(made)))
    for number in failed:
        batch.done.pop(number, None)
    batch.records = [entry for entry in batch.records if entry.subject_id not in made]


async def _change(work: Work, batch: Batch, rows: list[Planned]) -> None:
    """Changes and ends memberships, each as its plan says."""
    before = {row.id: row for rows in batch.world.memberships.values() for row in rows}
    ended: list[UUID] = []
    changes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        for one in row.does["memberships"]:
            if one["act"] not in ("change", "end"):
                continue
            had = before[UUID(one["id"])]
            values = _typed(one["values"])
            note = {
                "act": one["act"],
                "id": one["id"],
                "before": {name: _plain(getattr(had, name)) for name in values},
                "version": had.version + 1,
            }
            _done(batch, row.number)["memberships"].append(note)
            batch.touched.add(had.community_id)
            batch.records.append(_entry(batch, one, had, list(values)))
            if one["act"] == "end":
                ended.append(had.id)
            else:
                changes.setdefault(tuple(values), []).append({"b_id": had.id, **values})
    for names, several in changes.items():
        await _updated(work, Membership, batch.now, names, several)
    await _end(work, batch.job, ended, batch.now)


def _entry(batch: Batch, one: dict[str, Any], had: Any, names: list[str]) -> activity.Entry:
    facts: dict[str, Any] = {"import_id": batch.job.id}
    if one["act"] == "end":
        facts["person_id"] = had.person_id
        return activity.Entry("membership.import_ended", had.id, had.community_id, facts)
    facts["members"] = names
    return activity.Entry("membership.import_changed", had.id, had.community_id, facts)


async def _end(work: Work, job: MembershipImport, ids: list[UUID], now: datetime) -> None:
    """Ends memberships that the import's source brought."""
    if not ids:
        return
    await work.execute(
        sa.update(Membership)
        .where(col(Membership.id).in_(ids))
        .values(
            ended_at=now,
            ending=MembershipEnding.ENDED,
            updated_at=now,
            version=Membership.version + 1,
        )
    )
    await work.execute(
        sa.update(MembershipSource)
        .where(col(MembershipSource.membership_id).in_(ids))
        .values(ended_by=job.id)
    )


async def _updated(
    work: Work, model: Any, now: datetime, names: tuple[str, ...], rows: list[dict[str, Any]]
) -> None:
    """The same columns of many rows, each with values of its own."""
    table = sa.inspect(model).local_table
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("b_id"))
        .values(
            {name: sa.bindparam(f"b_{name}") for name in names}
            | {"updated_at": now, "version": table.c.version + 1}
        )
    )
    parameters = [
        {"b_id": row["b_id"], **{f"b_{name}": row[name] for name in names}} for row in rows
    ]
    await work.execute(statement, parameters)


async def _update_people(work: Work, batch: Batch, rows: list[Planned]) -> None:
    changes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        person = row.does["person"]
        if person["act"] != "update":
            continue
        had = batch.world.people[UUID(person["id"])]
        values = person["values"]
        before = {name: getattr(had, name) for name in values}
        _done(batch, row.number)["person"] = {
            "act": "update",
            "id": person["id"],
            "before": before,
            "version": had.version + 1,
        }
        changes.setdefault(tuple(values), []).append({"b_id": had.id, **values})
        facts = {"members": list(values), "import_id": batch.job.id}
        batch.records.append(activity.Entry("account.import_changed", had.id, None, facts))
    for names, several in changes.items():
        await _updated(work, Person, batch.now, names, several)


async def _link(
    work: Work, batch: Batch, rows: list[Planned], owners: dict[int, UUID | None]
) -> None:
    """Remembers as which number the source knows somebody."""
    links = []
    for row in rows:
        _done(batch, row.number)
        if row.does["person"].get("link"):
            link = {
                "id": new_id(),
                "community_id": batch.job.community_id,
                "source": batch.job.source,
                "external_id": row.said["external_id"],
                "person_id": owners[row.number],
            }
            links.append(link)
            batch.done[row.number]["link"] = str(link["id"])
    await work.insert_many(PersonSource, links, ignoring=True)


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: date.fromisoformat(value) if name.endswith("_on") and value else value
        for name, value in values.items()
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
