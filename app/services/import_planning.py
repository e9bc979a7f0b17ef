"""Planning an import: what each row of the file would do to the world as it is, and what would end
because the file does not have it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.db import Source
from app.membership_files.closed_lists import (
    Communities,
    KnownCode,
    KnownCommunity,
    occupations,
    territories,
)
from app.membership_files.reading import Known
from app.membership_files.rows import Finding, ReadRow
from app.models import (
    Community,
    ImportMode,
    Membership,
    MembershipImport,
    MembershipImportMention,
    MembershipSource,
    Occupation,
    Person,
    RowOutcome,
    RowState,
    Territory,
)
from app.reader import Reader
from app.schemas.base import address_key
from app.services import import_requests, import_rows, import_worlds, seating
from app.services.import_decisions import Decision, membership_plan, person_plan
from app.services.import_plans import Planner
from app.services.import_requests import RequestPlanner
from app.services.import_worlds import Place, World

ABSENT = 2_000


@dataclass(slots=True)
class Planned:
    """What is written of a batch of rows."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    mentions: set[UUID] = field(default_factory=set)
    endings: int = 0
    withheld: bool = False


def called(place: Place) -> KnownCommunity:
    """A community by its names."""
    return KnownCommunity(place.slug, place.name["en"], place.name["fr"])


async def known(reader: Reader, places: Iterable[Place], allowed: set[str]) -> Known:
    """The closed lists by which a file is read: of hidden communities only those that are one's
    own to import into."""
    codes = await reader.rows(sa.select(Occupation.code, Occupation.label, Occupation.also_called))
    lands = await reader.rows(sa.select(Territory.code, Territory.name, Territory.also_called))
    return Known(
        Communities(called(place) for place in places if place.listed or str(place.id) in allowed),
        occupations(
            KnownCode(row.code, row.label["en"], row.label["fr"], tuple(row.also_called))
            for row in codes
        ),
        territories(
            KnownCode(row.code, row.name["en"], row.name["fr"], tuple(row.also_called))
            for row in lands
        ),
    )


class Planning:
    """The planning of one file, batch by batch, in the order of its rows."""

    def __init__(self, job: MembershipImport, ids: dict[str, UUID]) -> None:
        self._job = job
        self._ids = ids
        self._sync = job.mode is ImportMode.SYNC
        # Of a row that was refused, the one that stands for its person instead, if there is one.
        self._instead: dict[int, int | None] = {}
        # By which row each account was planned, by a trace of its id.
        self._planned_by: dict[int, int] = {}

    async def skip(self, reader: Reader, batch: list[ReadRow], refused: set[int]) -> None:
        """Rows that were planned before a crash: only who stands for whom is remembered, and by
        which row an account was planned."""
        world = await self._world(reader, batch)
        for row in batch:
            if row.number in refused:
                self._drop(row)
                continue
            self._stands(row)
            number = world.by_number.get(row.values.external_id or "")
            person = number or world.by_address.get(address_key(row.values.email or ""))
            if person is not None and row.adds_to is None:
                self._planned_by.setdefault(hash(str(person)), row.number)

    async def _world(self, reader: Reader, batch: list[ReadRow]) -> World:
        return await import_worlds.read(
            reader,
            self._job,
            {address_key(row.values.email) for row in batch if row.values.email},
            {row.values.external_id for row in batch if row.values.external_id},
        )

    def _drop(self, row: ReadRow) -> None:
        """Notes that a row is refused, and stands for nobody."""
        self._instead[row.number] = None
        if row.adds_to is not None and self._instead.get(row.adds_to) == row.number:
            self._instead[row.adds_to] = None

    def _stands(self, row: ReadRow) -> int | None:
        """To which earlier row this one adds, if that was not refused."""
        if row.adds_to not in self._instead:
            return row.adds_to
        stands = self._instead[row.adds_to]
        if stands is None:
            self._instead[row.adds_to] = row.number
        return stands

    async def plan(self, reader: Reader, batch: list[ReadRow]) -> Planned:
        """What each row of a batch would do."""
        world = await self._world(reader, batch)
        addresses = {address_key(row.values.email) for row in batch if row.values.email}
        planner = await import_requests.planner(reader, self._job, world, addresses)
        found = Planned()
        for row in batch:
            self._accept_own_name(row, world)
            if row.refused:
                self._refused(row, world, found)
            else:
                self._planned(row, planner, found)
        return found

    def _accept_own_name(self, row: ReadRow, world: World) -> None:
        """What nobody new may be called, whoever is called so already is; a community's importer
        knows that of its members alone."""
        person = world.people.get(world.by_address.get(address_key(row.values.email or "")))
        if person is None or person.name != row.values.name:
            return
        if self._job.community_id is None or person.id in world.of_person:
            row.findings = [one for one in row.findings if one.code != "name_not_a_name"]

    def _refused(self, row: ReadRow, world: World, found: Planned) -> None:
        """The silence of a row that is refused proves nothing about whoever it is about."""
        self._drop(row)
        values = row.values
        number = world.by_number.get(values.external_id or "")
        person = number or world.by_address.get(address_key(values.email or ""))
        if person is not None:
            found.mentions.update(one.id for one in world.of_person.get(person, ()))
        found.withheld |= self._sync and person is None and not values.email
        found.rows.append(self._row(row, RowOutcome.REFUSED, row.findings))

    def _planned(self, row: ReadRow, planner: Planner | RequestPlanner, found: Planned) -> None:
        said = import_rows.said(row, self._ids, self._stands(row))
        if import_requests.is_mailbox(self._job):
            said |= import_requests.beside(row)
        decision = planner.decide(said)
        found.mentions |= decision.mentions
        if (other := self._other_row(row, decision)) is not None:
            told = Finding(None, "account_of_another_row", {"row": other})
            decision = Decision(RowOutcome.REFUSED, findings=[told])
        if decision.outcome is RowOutcome.REFUSED:
            self._drop(row)
        found.endings += sum(one["act"] == "end" for one in decision.memberships)
        does = decision.does()
        plan = {"said": said, "does": does} if does is not None else None
        findings = [*row.findings, *decision.findings]
        found.rows.append(self._row(row, decision.outcome, findings, plan))

    def _other_row(self, row: ReadRow, decision: Decision) -> int | None:
        """The row that is about the same account by another way: its number there, or its address.
        The same address in two rows is added up when they are read."""
        person = decision.person.get("id")
        if person is None or row.adds_to is not None:
            return None
        other = self._planned_by.setdefault(hash(person), row.number)
        return None if other == row.number else other

    def _row(
        self, row: ReadRow, outcome: RowOutcome, findings: list[Finding], plan: Any = None
    ) -> dict[str, Any]:
        cells = [cell if isinstance(cell, str) else list(cell) for cell in row.raw]
        return _kept(self._job, row.number, cells, outcome, findings, plan)


def _kept(
    job: MembershipImport,
    number: int,
    cells: list[Any] | None,
    outcome: RowOutcome,
    findings: list[Finding],
    plan: Any,
) -> dict[str, Any]:
    """A row as it is kept until it is done; without cells it is none of the file's."""
    return {
        "import_id": job.id,
        "number": number,
        "cells": cells,
        "findings": import_rows.kept(findings),
        "outcome": outcome,
        "state": RowState.PLANNED,
        "plan": plan,
    }


def _brought(job: MembershipImport) -> tuple[Any, ...]:
    """The conditions that a membership runs, or is to come, and this source brought it."""
    until = col(Membership.until_on)
    return (
        import_worlds.realm(MembershipSource, job),
        col(MembershipSource.source) == job.source,
        col(Membership.ended_at).is_(None),
        sa.or_(until.is_(None), until >= clock.today()),
    )


async def brought(source: Source, job: MembershipImport) -> int:
    """How many memberships run that this source brought."""
    if job.source is None:
        return 0
    row = await source.one(
        sa.select(sa.func.count().label("count"))
        .select_from(MembershipSource)
        .join(Membership, col(Membership.id) == MembershipSource.membership_id)
        .where(*_brought(job))
    )
    return row.count


async def absent(
    source: Source, job: MembershipImport, after: UUID | None, number: int
) -> tuple[list[dict[str, Any]], UUID | None]:
    """Rows for what this source brought and the file is silent about, numbered from `number`, and
    where to go on; memberships of seat-holders stay, and those in archived communities."""
    mention = (
        sa.select(MembershipImportMention.membership_id)
        .where(
            col(MembershipImportMention.import_id) == job.id,
            col(MembershipImportMention.membership_id) == Membership.id,
        )
        .exists()
    )
    places = await import_worlds.places(source)
    going_on = [one for one in import_worlds.open_to(job, places) if not places[one].archived]
    seated = import_worlds.is_seated(Membership)
    found = (
        sa.select(
            Membership.id,
            Membership.person_id,
            Membership.community_id,
            Person.name,
            Community.slug,
            seated.label("seated"),
        )
        .join(MembershipSource, col(MembershipSource.membership_id) == Membership.id)
        .join(Person, col(Person.id) == Membership.person_id)
        .join(Community, col(Community.id) == Membership.community_id)
        .where(
            *_brought(job),
            ~mention,
            col(Membership.community_id).in_(going_on),
        )
        .order_by(col(Membership.id))
        .limit(ABSENT)
    )
    if after is not None:
        found = found.where(col(Membership.id) > after)
    listed = await source.rows(found, **{seating.TODAY.key: clock.today()})
    rows = [_absent(job, row, number + place) for place, row in enumerate(listed)]
    return rows, listed[-1].id if listed else None


def _absent(job: MembershipImport, row: Any, number: int) -> dict[str, Any]:
    if row.seated:
        outcome, code, plan = RowOutcome.UNCHANGED, "seat_holder_absent", None
    else:
        outcome, code = RowOutcome.ENDED, "absent_from_file"
        person = person_plan("keep", row.person_id)
        ended = membership_plan("end", row.community_id, row.id)
        plan = {"said": None, "does": {"person": person, "memberships": [ended]}}
    who = {"name": row.name, "community": row.slug, "membership": str(row.id)}
    return _kept(job, number, None, outcome, [Finding(None, code, who, refuses=False)], plan)
