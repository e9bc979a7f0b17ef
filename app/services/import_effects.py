"""What the plans of a batch of rows come to: what is to be written, and what undoes it exactly.

Nothing here reads or writes: a batch can be gathered before its transaction begins, and written
(import_writing.py) if the world is still the one that it was gathered for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from app import activity, clock
from app.models import Membership, MembershipEnding, MembershipImport, Person, new_id
from app.services.import_plans import PERSONAL
from app.services.import_worlds import World

Values = dict[str, Any]


class Planned(NamedTuple):
    """A row that is to be done: what it says, and what it would do."""

    number: int
    said: Values
    does: Values


@dataclass(slots=True)
class Batch:
    """What is to be written for rows; `done` has, by their numbers, what undoes each.

    `makers` and `beginners` are the rows that people and memberships are of.
    """

    job: MembershipImport
    world: World
    now: datetime
    done: dict[int, Values] = field(default_factory=dict)
    people: list[Values] = field(default_factory=list)
    makers: list[int] = field(default_factory=list)
    unclaimed: list[Values] = field(default_factory=list)
    begun: list[Values] = field(default_factory=list)
    beginners: list[int] = field(default_factory=list)
    sources: list[Values] = field(default_factory=list)
    links: list[Values] = field(default_factory=list)
    adopted: list[Values] = field(default_factory=list)
    lapsed: list[UUID] = field(default_factory=list)
    ended: list[UUID] = field(default_factory=list)
    changed: dict[type[Any], dict[UUID, Values]] = field(
        default_factory=lambda: {Person: {}, Membership: {}}
    )
    records: list[activity.Entry] = field(default_factory=list)
    touched: set[UUID] = field(default_factory=set)
    made: dict[str, UUID] = field(default_factory=dict)

    def note(self, record: activity.Entry) -> None:
        """Notes for the log what was done, and by which import."""
        self.records.append(record._replace(facts={**record.facts, "import_id": self.job.id}))

    def change(self, model: type[Any], had: Any, values: Values) -> int:
        """Changes something of the world; its version then. Two rows may change the same."""
        new = self.changed[model].setdefault(had.id, {"id": had.id, "version": had.version})
        new |= {**values, "updated_at": self.now, "version": new["version"] + 1}
        return new["version"]


def gather(job: MembershipImport, world: World, rows: Iterable[Planned]) -> Batch:
    """What rows do. One that waited for an account which no row before it makes is left out."""
    batch = Batch(job, world, clock.now())
    for row in rows:
        person = row.does["person"]
        did: Values = {"person": None, "memberships": []}
        if person["act"] == "make":
            did["person"] = _make(batch, row)
        elif person["act"] == "update":
            did["person"] = _update(batch, person)
        owner = UUID(person["id"]) if person["id"] else _owner(batch, row.said["key"])
        if owner is None:
            continue
        batch.done[row.number] = did
        for one in row.does["memberships"]:
            if one["act"] in ("begin", "past"):
                _begin(batch, row, one, owner, did)
            else:
                did["memberships"].append(_change(batch, one))
        if person.get("link"):
            did["link"] = _link(batch, row, owner)
    return batch


def _owner(batch: Batch, key: str) -> UUID | None:
    """The account that this import made for the address, in this batch or before."""
    return batch.made.get(key) or batch.world.by_address.get(key)


def _make(batch: Batch, row: Planned) -> Values:
    """An account without a password and with an address that nobody has proven; where the address
    has an account that the import is not to know of, a profile that its owner can claim."""
    said, made = row.said, new_id()
    taken = said["key"] in batch.world.elsewhere
    person = {name: said[name] for name in PERSONAL}
    person |= {
        "id": made,
        "email": said["email"],
        "email_key": None if taken else said["key"],
        "occupation_code": said["occupation_code"] or "other",
        "language": said["language"] or batch.job.language,
        "created_at": batch.now,
        "updated_at": batch.now,
        "version": 1,
    }
    batch.people.append(person)
    batch.makers.append(row.number)
    batch.made[said["key"]] = made
    if taken:
        place = batch.job.community_id
        batch.unclaimed.append({"person_id": made, "community_id": place, "email_key": said["key"]})
    kind = "profile.imported" if taken else "account.imported"
    batch.note(activity.Entry(kind, made, None, {}))
    return {"act": "make", "id": str(made), "version": 1}


def _update(batch: Batch, person: Values) -> Values:
    had, values = batch.world.people[UUID(person["id"])], person["values"]
    facts = {"members": list(values)}
    batch.note(activity.Entry("account.import_changed", had.id, None, facts))
    return _undone_by("update", had, values, batch.change(Person, had, values))


def _undone_by(act: str, had: Any, values: Values, version: int) -> Values:
    before = {name: _plain(getattr(had, name)) for name in values}
    return {"act": act, "id": str(had.id), "before": before, "version": version}


def _begin(batch: Batch, row: Planned, one: Values, owner: UUID, did: Values) -> None:
    """Begins a membership; what ended by the calendar is closed before."""
    membership = _membership(batch, one, owner)
    begun, place = membership["id"], membership["community_id"]
    batch.begun.append(membership)
    batch.beginners.append(row.number)
    if one["lapses"]:
        batch.lapsed.append(UUID(one["lapses"]))
    if batch.job.source is not None:
        batch.sources.append(
            {
                "membership_id": begun,
                "community_id": batch.job.community_id,
                "source": batch.job.source,
                "import_id": batch.job.id,
                "ended_by": None,
            }
        )
    # What was verified of the address before it had an account is its person's from now on.
    account = batch.world.people.get(owner)
    # The account's own address, whatever the file says.
    key = account.email_key if account else row.said["key"]
    if verified := batch.world.verified_addresses.get((key, place)):
        batch.adopted += [{"id": known, "person_id": owner} for known in verified]
        did.setdefault("adopted", []).extend(map(str, verified))
        of = batch.world.verified_of
        did.setdefault("adopted_of", {}).update({str(v): str(of[v]) for v in verified if v in of})
    batch.touched.add(place)
    facts = {"person_id": owner, "invite": batch.job.invite and one["act"] == "begin"}
    batch.note(activity.Entry("membership.imported", begun, place, facts))
    did["memberships"].append(
        {"act": one["act"], "id": str(begun), "lapsed": one["lapses"], "version": 1}
    )


def _membership(batch: Batch, one: Values, owner: UUID) -> Values:
    said, today = one["values"], batch.world.today
    until = date.fromisoformat(said["until_on"]) if said["until_on"] else None
    first = date.fromisoformat(said["since_on"]) if said["since_on"] else today
    past = one["act"] == "past"
    return {
        "id": new_id(),
        "community_id": UUID(one["community"]),
        "person_id": owner,
        "category": said["category"],
        "since_on": min(first, until) if until is not None else first,
        "until_on": until,
        "ended_at": batch.now if past else None,
        "ending": MembershipEnding.LAPSED if past else None,
        "created_at": batch.now,
        "updated_at": batch.now,
        "version": 1,
    }


def _change(batch: Batch, one: Values) -> Values:
    """Changes or ends a membership, as its plan says."""
    known = UUID(one["id"])
    had = batch.world.by_id[known]
    values, place = _typed(one["values"]), had.community_id
    batch.touched.add(place)
    if one["act"] == "end":
        batch.ended.append(known)
        facts: Values = {"person_id": had.person_id}
        batch.note(activity.Entry("membership.import_ended", known, place, facts))
        ending = {"ended_at": batch.now, "ending": MembershipEnding.ENDED}
        return _undone_by("end", had, {}, batch.change(Membership, had, ending))
    facts = {"members": list(values)}
    batch.note(activity.Entry("membership.import_changed", known, place, facts))
    return _undone_by("change", had, values, batch.change(Membership, had, values))


def _link(batch: Batch, row: Planned, owner: UUID) -> str:
    """Remembers as which number the source knows somebody."""
    link = {
        "id": new_id(),
        "community_id": batch.job.community_id,
        "source": batch.job.source,
        "external_id": row.said["external_id"],
        "person_id": owner,
    }
    batch.links.append(link)
    return str(link["id"])


def _typed(values: Values) -> Values:
    return {
        name: date.fromisoformat(value) if name.endswith("_on") and value else value
        for name, value in values.items()
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
