"""Applying a plan, and taking it back, a batch of rows at a time.

Each row is compared anew with the world: what would do something else now than was planned is not
done. The rows' state is written with what they do, so that a crash neither loses nor doubles one.
"""

from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.db import Source, Work
from app.membership_files.rows import Finding
from app.models import MembershipImport, MembershipImportRow, RowOutcome, RowState
from app.reader import Prepared, Reader
from app.services import (
    import_effects,
    import_requests,
    import_reversal,
    import_rows,
    import_worlds,
    import_writing,
)
from app.services.import_effects import Batch, Planned, Values
from app.services.import_plans import Planner
from app.services.import_requests import RequestPlanner
from app.services.import_reversal import STAYED
from app.services.import_worlds import World

# Behind every row.
END = 2**31 - 1
_KEYS = ("import_id", "number")


def _next(*columns: Any) -> Any:
    """The rows of an import in the order of the file, so many of them."""
    return (
        sa.select(
            MembershipImportRow.number,
            MembershipImportRow.outcome,
            MembershipImportRow.findings,
            *columns,
        )
        .where(col(MembershipImportRow.import_id) == sa.bindparam("import", type_=sa.Uuid))
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


_TO_DO = Prepared(
    _next(MembershipImportRow.plan)
    .where(
        col(MembershipImportRow.number) > sa.bindparam("after", type_=sa.Integer),
        col(MembershipImportRow.state) == RowState.PLANNED,
        col(MembershipImportRow.outcome) != RowOutcome.REFUSED,
        col(MembershipImportRow.plan).is_not(None),
    )
    .order_by(col(MembershipImportRow.number))
)
_TO_UNDO = Prepared(
    _next(MembershipImportRow.done)
    .where(
        col(MembershipImportRow.number) < sa.bindparam("before", type_=sa.Integer),
        col(MembershipImportRow.state) == RowState.APPLIED,
        col(MembershipImportRow.done).is_not(None),
    )
    .order_by(col(MembershipImportRow.number).desc())
)


class Ready(NamedTuple):
    """What rows come to in a state of the world."""

    world: World
    rows: list[Planned]
    batch: Batch


async def to_do(reader: Reader, job: MembershipImport, after: int, most: int) -> list[Any]:
    """The next rows that have something to do, as the file has them, behind one that was done."""
    return await reader.rows(_TO_DO, **{"import": job.id, "after": after, "most": most})


async def ready(source: Source, job: MembershipImport, rows: list[Any]) -> Ready:
    """What rows come to as the world is, without writing it."""
    planned = _planned(rows)
    return _ready(job, await _world(source, job, planned), planned)


async def apply(
    work: Work, job: MembershipImport, rows: list[Any], before: Ready | None = None
) -> list[int]:
    """Does what the rows were to do; the numbers of those that would do something else now.

    `before` is what they came to before the transaction: it stands while the world does.
    """
    planned = _planned(rows)
    world = await _world(work, job, planned)
    if import_requests.is_mailbox(job):
        planner = await import_requests.planner(work, job, world, _addresses(planned))
        same = _same(job, world, planner, planned)
        done = await import_requests.do(work, job, same)
    else:
        if before is None or before.world != world:
            before = _ready(job, world, planned)
        done = await import_writing.write(work, before.batch, before.rows)
    outdated = [row.number for row in planned if row.number not in done]
    await work.update_many(
        MembershipImportRow,
        _KEYS,
        [
            {"import_id": job.id, "number": number, "state": RowState.APPLIED, "done": did}
            for number, did in done.items()
        ],
    )
    return outdated


def _planned(rows: list[Any]) -> list[Planned]:
    return [Planned(row.number, row.plan["said"], row.plan["does"]) for row in rows]


def _ready(job: MembershipImport, world: World, planned: list[Planned]) -> Ready:
    same = _same(job, world, Planner(job, world), planned)
    return Ready(world, same, import_effects.gather(job, world, same))


async def refuse(work: Work, job: MembershipImport, rows: list[Any]) -> None:
    """Notes of rows that they were not applied, since the world has moved under their plan."""
    told = import_rows.kept([Finding(None, "changed_since_plan")])
    notes = [
        {
            "import_id": job.id,
            "number": row.number,
            "outcome": RowOutcome.REFUSED,
            "findings": [*row.findings, *told],
        }
        for row in rows
    ]
    await work.update_many(MembershipImportRow, _KEYS, notes)
    import_rows.count_refused(job, rows)


def _addresses(rows: list[Planned]) -> set[str]:
    return {row.said["key"] for row in rows if row.said is not None}


async def _world(source: Source, job: MembershipImport, rows: list[Planned]) -> World:
    said = [row.said for row in rows if row.said is not None]
    return await import_worlds.read(
        source,
        job,
        _addresses(rows),
        {one["external_id"] for one in said if one["external_id"]},
        {UUID(row.does["person"]["id"]) for row in rows if row.does["person"]["id"]},
    )


def _same(
    job: MembershipImport,
    world: World,
    planner: Planner | RequestPlanner,
    planned: list[Planned],
) -> list[Planned]:
    """The rows that would do now what was planned, each with what it does as the world is."""
    found = []
    for row in planned:
        if row.said is None:
            if all(_may_end(one, row, world, job) for one in row.does["memberships"]):
                found.append(row)
            continue
        decision = planner.decide(row.said)
        does = None if decision.outcome is RowOutcome.REFUSED else decision.does()
        if does is not None and _is_planned(does, row.does):
            found.append(row._replace(does=does))
    return found


def _is_planned(does: Values, planned: Values) -> bool:
    """Whether what a row would do is what was planned."""
    if planned["person"]["act"] == "other_row":
        # The account that an earlier row was to make is there by now.
        does["person"] = planned["person"]
    return does == planned


def _may_end(one: dict[str, Any], row: Planned, world: World, job: MembershipImport) -> bool:
    """Whether what the file is silent about may still end."""
    pair = UUID(row.does["person"]["id"]), UUID(one["community"])
    current = world.running(*pair)
    return (
        current is not None
        and str(current.id) == one["id"]
        and pair not in world.seated
        and pair[1] in world.places_for(job)
        and not world.places[pair[1]].archived
    )


async def to_undo(reader: Reader, job: MembershipImport, before: int, most: int) -> list[Any]:
    """The next rows that did something, the last of the file first."""
    return await reader.rows(_TO_UNDO, **{"import": job.id, "before": before, "most": most})


async def undo(work: Work, job: MembershipImport, rows: list[Any]) -> int:
    """Undoes what rows did; how many stay, which each of them says of itself."""
    done = [import_reversal.Done(row.number, row.done) for row in rows]
    if import_requests.is_mailbox(job):
        kept = await import_requests.undo(work, job, done)
    else:
        kept = await import_reversal.undo(work, job, done)
    notes = [
        {
            "import_id": job.id,
            "number": row.number,
            "state": RowState.KEPT if row.number in kept else RowState.REVERSED,
            "findings": [
                *row.findings,
                *import_rows.kept(
                    Finding(None, code, refuses=False)
                    for code in dict.fromkeys(kept.get(row.number, ()))
                ),
            ],
        }
        for row in rows
    ]
    await work.update_many(MembershipImportRow, _KEYS, notes)
    job.noted += sum(row.number in kept and not row.findings for row in rows)
    return len(kept)


async def to_do_again(work: Work, job: MembershipImport) -> None:
    """What was undone may be done once more, also where something of a row stayed; what was said of
    that is said no longer."""
    of_it = col(MembershipImportRow.import_id) == job.id
    state = col(MembershipImportRow.state)
    kept = await work.rows(
        sa.select(MembershipImportRow.number, MembershipImportRow.findings).where(
            of_it, state == RowState.KEPT
        )
    )
    said = [
        {
            "import_id": job.id,
            "number": row.number,
            "findings": [one for one in row.findings if one["code"] not in STAYED],
        }
        for row in kept
    ]
    await work.update_many(MembershipImportRow, _KEYS, said)
    job.noted -= sum(not row["findings"] for row in said)
    await work.execute(
        sa.update(MembershipImportRow)
        .where(of_it, state.in_((RowState.REVERSED, RowState.KEPT)))
        .values(state=RowState.PLANNED, done=None)
    )
