"""Applying a plan, and taking it back, a batch of rows at a time.

Each row is compared anew with the world: what would do something else now than was planned is not
done. The rows' state is written with what they do, so that a crash neither loses nor doubles one.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.db import Work
from app.membership_files.rows import Finding
from app.models import MembershipImport, MembershipImportRow, RowOutcome, RowState
from app.reader import Prepared
from app.services import (
    import_effects,
    import_requests,
    import_reversal,
    import_rows,
    import_worlds,
)
from app.services.import_effects import Planned
from app.services.import_plans import Planner
from app.services.import_requests import RequestPlanner
from app.services.import_worlds import World

BATCH = 2_000
# Behind every row.
END = 2**31 - 1
_KEYS = ("import_id", "number")


def _next(*columns: Any) -> Any:
    """The rows of an import in the order of the file, so many of them."""
    return (
        sa.select(MembershipImportRow.number, *columns, MembershipImportRow.findings)
        .where(col(MembershipImportRow.import_id) == sa.bindparam("import", type_=sa.Uuid))
        .limit(BATCH)
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


async def to_do(work: Work, job: MembershipImport, after: int) -> list[Any]:
    """The next rows that have something to do, as the file has them, behind one that was done."""
    return await work.fetched(_TO_DO, **{"import": job.id, "after": after})


async def apply(work: Work, job: MembershipImport, rows: list[Any]) -> list[int]:
    """Does what the rows were to do; the numbers of those that would do something else now."""
    planned = [Planned(row.number, row.plan["said"], row.plan["does"]) for row in rows]
    world = await _world(work, job, planned)
    planner = await import_requests.planner(work, job, world, _addresses(planned))
    same = [row for row in planned if _still(row, planner, world, job)]
    if import_requests.is_mailbox(job):
        done = await import_requests.do(work, job, same)
    else:
        done = (await import_effects.do(work, job, world, same)).done
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


async def refuse(work: Work, job: MembershipImport, rows: list[Any], outdated: list[int]) -> None:
    """Notes of rows that they were not applied, since the world has moved under their plan."""
    told = import_rows.kept([Finding(None, "changed_since_plan")])
    gone = set(outdated)
    notes = [
        {
            "import_id": job.id,
            "number": row.number,
            "outcome": RowOutcome.REFUSED,
            "findings": [*row.findings, *told],
        }
        for row in rows
        if row.number in gone
    ]
    await work.update_many(MembershipImportRow, _KEYS, notes)


def _addresses(rows: list[Planned]) -> set[str]:
    return {row.said["key"] for row in rows if row.said is not None}


async def _world(work: Work, job: MembershipImport, rows: list[Planned]) -> World:
    said = [row.said for row in rows if row.said is not None]
    return await import_worlds.read(
        work,
        job,
        _addresses(rows),
        {one["external_id"] for one in said if one["external_id"]},
        {UUID(row.does["person"]["id"]) for row in rows if row.does["person"]["id"]},
    )


def _still(
    row: Planned, planner: Planner | RequestPlanner, world: World, job: MembershipImport
) -> bool:
    """Whether a row would do now what was planned."""
    if row.said is None:
        return all(_may_end(one, row, world, job) for one in row.does["memberships"])
    decision = planner.decide(row.said)
    if decision.outcome is RowOutcome.REFUSED:
        return False
    does = decision.does()
    if does is not None and row.does["person"]["act"] == "other_row":
        # The account that an earlier row was to make is there by now.
        does["person"] = row.does["person"]
    return does == row.does


def _may_end(one: dict[str, Any], row: Planned, world: World, job: MembershipImport) -> bool:
    """Whether what the file is silent about may still end."""
    pair = UUID(row.does["person"]["id"]), UUID(one["community"])
    current = world.open_one(*pair)
    return (
        current is not None
        and str(current.id) == one["id"]
        and not world.over(current)
        and current.source == job.source
        and pair not in world.seated
    )


async def to_undo(work: Work, job: MembershipImport, before: int) -> list[Any]:
    """The next rows that did something, the last of the file first."""
    return await work.fetched(_TO_UNDO, **{"import": job.id, "before": before})


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
    return len(kept)


async def to_do_again(work: Work, job: MembershipImport) -> None:
    """What was undone may be done once more."""
    await work.execute(
        sa.update(MembershipImportRow)
        .where(
            col(MembershipImportRow.import_id) == job.id,
            col(MembershipImportRow.state) == RowState.REVERSED,
        )
        .values(state=RowState.PLANNED, done=None)
    )
