"""Undoing what an import did, row by row, where nothing has been built on it since.

A membership or a profile is as the import left it while its version is; an account is unused while
nothing refers to it. What is not so any more stays, and its row says why.
"""

from collections.abc import Iterable
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
    Mail,
    MailedToken,
    Membership,
    MembershipEnding,
    MembershipImport,
    MembershipSource,
    Person,
    PersonSource,
    Term,
    UnclaimedProfile,
    metadata,
)
from app.services import communities, unclaimed_profiles
from app.services.import_worlds import Pair
from app.services.seating import term_is_not_over

# What goes with an account or a membership that goes, and is no use of it.
_ITS_OWN = {"membership_source", "person_source", "mail", "mailed_token", "unclaimed_profile"}

# What is said of a row of which something stays.
STAYED = frozenset(
    {
        "account_changed_since",
        "account_in_use",
        "member_again_since",
        "membership_changed_since",
        "membership_in_use",
        "request_handled_since",
    }
)


class Done(NamedTuple):
    """A row that was done, and what undoes it."""

    number: int
    did: dict[str, Any]


@dataclass(slots=True)
class Undoing:
    """A batch on its way back."""

    job: MembershipImport
    now: datetime
    memberships: dict[UUID, Any] = field(default_factory=dict)
    people: dict[UUID, Any] = field(default_factory=dict)
    open_pairs: dict[Pair, UUID] = field(default_factory=dict)
    seated: set[Pair] = field(default_factory=set)
    in_use: set[UUID] = field(default_factory=set)
    kept: dict[int, list[str]] = field(default_factory=dict)
    gone: list[UUID] = field(default_factory=list)
    runs_again: list[UUID] = field(default_factory=list)
    records: list[activity.Entry] = field(default_factory=list)
    touched: set[UUID] = field(default_factory=set)

    def keep(self, number: int, code: str) -> None:
        """Says why something of a row stays."""
        self.kept.setdefault(number, []).append(code)

    def keep_account(self, number: int, code: str) -> None:
        """Says why an account stays: not to a community's importer, who would learn by it what
        became of somebody elsewhere."""
        if self.job.community_id is None:
            self.keep(number, code)

    def about_person(self, person_id: UUID, act: str) -> None:
        """Notes for the log what was undone of an account."""
        facts = {"import_id": self.job.id, "act": act}
        self.records.append(activity.Entry("account.import_undone", person_id, None, facts))

    def about_membership(self, row: Any, act: str) -> None:
        """Notes for the log what was undone of a membership."""
        facts = {"import_id": self.job.id, "act": act}
        entry = activity.Entry("membership.import_undone", row.id, row.community_id, facts)
        self.records.append(entry)


async def undo(work: Work, job: MembershipImport, rows: list[Done]) -> dict[int, list[str]]:
    """Undoes rows; which of them stay, in whole or in part, and why."""
    batch = Undoing(job, clock.now())
    await _read(work, batch, rows)
    restored: list[tuple[Any, dict[str, Any]]] = []
    for row in rows:
        for one in row.did["memberships"]:
            _undo_membership(batch, row.number, one, restored)
    await _without(work, batch)
    await _restore(work, batch, Membership, restored)
    await _undo_people(work, batch, rows)
    await _forget_numbers(work, batch, rows)
    for place in sorted(batch.touched):
        await communities.touch_roster(work, place)
    await activity.record_all(work, batch.records, (job.asked_by_kind, job.asked_by))
    return batch.kept


async def _read(work: Work, batch: Undoing, rows: list[Done]) -> None:
    mine = [one for row in rows for one in row.did["memberships"]]
    ids = {UUID(one["id"]) for one in mine} | {
        UUID(one["lapsed"]) for one in mine if one.get("lapsed")
    }
    found = sa.select(*sa.inspect(Membership).columns).where(col(Membership.id).in_(ids))
    batch.memberships = {
        row.id: row for row in await work.rows(found.with_for_update(of=Membership))
    }
    people = {UUID(row.did["person"]["id"]) for row in rows if row.did["person"]}
    everybody = people | {row.person_id for row in batch.memberships.values()}
    batch.people = {
        row.id: row
        for row in await work.rows(
            sa.select(*sa.inspect(Person).columns)
            .where(col(Person.id).in_(people))
            .with_for_update(of=Person)
        )
    }
    open_ones = sa.select(Membership.id, Membership.person_id, Membership.community_id).where(
        col(Membership.person_id).in_(everybody), col(Membership.ended_at).is_(None)
    )
    for row in await work.rows(open_ones):
        batch.open_pairs[row.person_id, row.community_id] = row.id
    seated = sa.select(Term.person_id, Term.community_id).where(
        col(Term.person_id).in_(everybody), term_is_not_over(clock.today())
    )
    batch.seated = {(row.person_id, row.community_id) for row in await work.rows(seated)}
    batch.in_use = await in_use(work, "membership", ids)


async def in_use(work: Work, table: str, ids: Iterable[UUID]) -> set[UUID]:
    """Those to which anything refers, whatever it is: read from the tables' own references."""
    listed = list(ids)
    found: set[UUID] = set()
    for other in metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table.name != table or other.name in _ITS_OWN:
                continue
            rows = await work.rows(
                sa.select(key.parent.label("id")).where(key.parent.in_(listed)).distinct()
            )
            found.update(row.id for row in rows)
    return found


def _undo_membership(
    batch: Undoing, number: int, one: dict[str, Any], restored: list[tuple[Any, dict[str, Any]]]
) -> None:
    row = batch.memberships.get(UUID(one["id"]))
    if row is None or row.version != one["version"]:
        batch.keep(number, "membership_changed_since")
        return
    pair = (row.person_id, row.community_id)
    if one["act"] in ("begin", "past"):
        if row.id in batch.in_use or pair in batch.seated:
            batch.keep(number, "membership_in_use")
            return
        batch.gone.append(row.id)
        before = batch.memberships.get(UUID(one["lapsed"])) if one["lapsed"] else None
        if before is not None and before.ending == MembershipEnding.LAPSED:
            batch.runs_again.append(before.id)
    elif one["act"] == "end":
        if pair in batch.open_pairs:
            batch.keep(number, "member_again_since")
            return
        batch.runs_again.append(row.id)
    elif pair in batch.seated and one["before"].keys() & {"since_on", "until_on"}:
        batch.keep(number, "membership_in_use")
        return
    else:
        restored.append((row, one["before"]))
    batch.touched.add(row.community_id)
    batch.about_membership(row, one["act"])


async def _without(work: Work, batch: Undoing) -> None:
    """Takes away what the import began, and lets run again what it ended."""
    for model, column in (
        (MembershipSource, MembershipSource.membership_id),
        (Membership, Membership.id),
    ):
        await work.execute(sa.delete(model).where(col(column).in_(batch.gone)))
    await work.execute(
        sa.update(Membership)
        .where(col(Membership.id).in_(batch.runs_again))
        .values(ended_at=None, ending=None, updated_at=batch.now, version=Membership.version + 1)
    )
    await work.execute(
        sa.update(MembershipSource)
        .where(col(MembershipSource.membership_id).in_(batch.runs_again))
        .values(ended_by=None)
    )


async def _restore(
    work: Work, batch: Undoing, model: Any, restored: list[tuple[Any, dict[str, Any]]]
) -> None:
    """Puts back what the import overwrote."""
    table = sa.inspect(model).local_table
    by_names: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row, before in restored:
        values = {
            f"b_{name}": date.fromisoformat(value) if name.endswith("_on") and value else value
            for name, value in before.items()
        }
        by_names.setdefault(tuple(before), []).append({"b_id": row.id, **values})
    for names, rows in by_names.items():
        put = {name: sa.bindparam(f"b_{name}") for name in names}
        changed = {"updated_at": batch.now, "version": table.c.version + 1}
        statement = sa.update(table).where(table.c.id == sa.bindparam("b_id"))
        await work.execute(statement.values(put | changed), rows)


async def _give_back(work: Work, batch: Undoing, rows: list[Done]) -> None:
    """What was verified of an address is the address's again, where nothing of a row stays."""
    undone = [row.did for row in rows if row.number not in batch.kept]
    adopted = [
        {"id": UUID(one), "person_id": UUID(of) if (of := did["adopted_of"].get(one)) else None}
        for did in undone
        for one in did.get("adopted", ())
    ]
    await work.update_many(EligibilityVerification, ("id",), adopted)


async def _forget_numbers(work: Work, batch: Undoing, rows: list[Done]) -> None:
    """As which number the source knows somebody is forgotten where nothing of the row stays, and
    nothing else of theirs that this source brought."""
    links = [
        UUID(row.did["link"])
        for row in rows
        if row.did.get("link") and row.number not in batch.kept
    ]
    brought = (
        sa.select(MembershipSource.membership_id)
        .join(Membership, col(Membership.id) == MembershipSource.membership_id)
        .where(
            col(Membership.person_id) == PersonSource.person_id,
            col(MembershipSource.source) == PersonSource.source,
            col(MembershipSource.community_id).is_not_distinct_from(col(PersonSource.community_id)),
        )
        .exists()
    )
    await work.execute(sa.delete(PersonSource).where(col(PersonSource.id).in_(links), ~brought))


async def _undo_people(work: Work, batch: Undoing, rows: list[Done]) -> None:
    made: dict[UUID, int] = {}
    restored: list[tuple[Any, dict[str, Any]]] = []
    for row in rows:
        did = row.did["person"]
        if did is None:
            continue
        person = batch.people.get(UUID(did["id"]))
        if person is None or person.version != did["version"]:
            batch.keep_account(row.number, "account_changed_since")
        elif did["act"] == "update":
            restored.append((person, did["before"]))
            batch.about_person(person.id, "update")
        elif person.password_hash or person.email_verified_at or person.deactivated_at:
            batch.keep_account(row.number, "account_in_use")
        else:
            made[person.id] = row.number
    await _restore(work, batch, Person, restored)
    await _give_back(work, batch, rows)
    used = await in_use(work, "person", made)
    # Nor is one unused for which a community's profile waits.
    used |= set((await unclaimed_profiles.of_accounts(work, made)).values())
    for person_id in used:
        batch.keep_account(made.pop(person_id), "account_in_use")
    gone = list(made)
    for model, column in (
        (MailedToken, MailedToken.person_id),
        (Mail, Mail.recipient_id),
        (PersonSource, PersonSource.person_id),
        (UnclaimedProfile, UnclaimedProfile.person_id),
        (Person, Person.id),
    ):
        await work.execute(sa.delete(model).where(col(column).in_(gone)))
    for person_id in gone:
        batch.about_person(person_id, "make")
