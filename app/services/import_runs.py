"""Running imports: planning, applying and reversing, each of them taken up again after a crash.

One process does this at a time (app/importer.py). What has been done stands with the rows, so that
whoever takes over goes on at the row where the one before stopped. Each short transaction looks
first whether the job is still wanted, and whether whoever asked for it still may.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import anyio.to_thread
import sqlalchemy as sa
import structlog
from sqlmodel import col

from app import activity, clock, errors, import_errors, logs
from app.db import Database, Source, Work
from app.membership_files import opening
from app.membership_files.reading import Reader
from app.membership_files.rows import ReadRow, Table
from app.models import (
    UNDER_WAY,
    ImportHandling,
    ImportStatus,
    MembershipImport,
    MembershipImportMention,
    MembershipImportRow,
    RowOutcome,
)
from app.schemas.membership_mappings import MembershipMapping
from app.services import (
    import_applying,
    import_files,
    import_pace,
    import_planning,
    import_requests,
    import_rights,
    import_rows,
    import_worlds,
)
from app.services.import_pace import Pace
from app.services.import_planning import Planned, Planning

MOST_NAMED = 100

log = structlog.get_logger("imports")


class Stopped(Exception):
    """The job is no longer wanted: somebody called it off."""


class Outdated(Exception):
    """The world has moved under the plan of a job that is done as a whole or not at all."""

    def __init__(self, rows: Sequence[int]) -> None:
        super().__init__()
        self.rows = list(rows)


async def waiting(source: Source) -> UUID | None:
    """The import that is to be taken up next, if there is one."""
    row = await source.first(
        sa.select(MembershipImport.id)
        .where(sa.or_(*(col(MembershipImport.status) == status for status in UNDER_WAY)))
        .order_by(col(MembershipImport.id))
        .limit(1)
    )
    return row.id if row else None


async def run_next(database: Database) -> bool:
    """Takes one import as far as it goes by itself; False if none waits.

    Raises Unavailable where the database is away: the import stays where it is.
    """
    import_id = await waiting(database.reader)
    if import_id is None:
        return False
    try:
        await _run(database, import_id)
    except Stopped:
        return True
    except errors.Unavailable:
        raise
    except errors.Problem as problem:
        await _fail(database, import_id, problem)
    except Outdated as outdated:
        rows = outdated.rows[:MOST_NAMED]
        await _fail(database, import_id, import_errors.PlanOutdated(members={"rows": rows}))
    except Exception as error:
        # A fault of ours: it would come again each time, and hold up all that wait behind it.
        log.error("import", import_id=str(import_id), **logs.without_words(error))
        await _fail(database, import_id, errors.Internal())
    return True


async def _run(database: Database, import_id: UUID) -> None:
    async with database.work() as work:
        job = await work.locked(MembershipImport, import_id)
        if job.status is ImportStatus.WAITING:
            _move(job, ImportStatus.PLANNING)
        status, whole = job.status, job.handling is ImportHandling.ALL_OR_NOTHING
    if status is ImportStatus.PLANNING:
        await _plan(database, job)
        status = job.status
    if status is ImportStatus.APPLYING:
        await (_apply_whole if whole else _apply)(database, job)
    elif status is ImportStatus.REVERSING:
        await _reverse(database, job)


def _move(job: MembershipImport, status: ImportStatus) -> None:
    """To another state, from now on."""
    job.status = status
    job.step_at = job.updated_at = clock.now()
    job.version += 1


async def _held(work: Work, import_id: UUID, status: ImportStatus) -> MembershipImport:
    """The job, locked, if it is still to go on. Raises Stopped, ImportRightEnded."""
    job = await work.locked(MembershipImport, import_id)
    if job.status is not status:
        raise Stopped
    if not await import_rights.remain(work, job):
        raise import_errors.RightEnded
    job.updated_at = clock.now()
    job.version += 1
    return job


def _of(job: MembershipImport) -> dict[str, Any]:
    """Where a record of the job belongs, and who is said to have done it: whoever asked for it."""
    return {"community_id": job.community_id, "actor": (job.asked_by_kind, job.asked_by)}


async def _fail(database: Database, import_id: UUID, problem: errors.Problem) -> None:
    """The job is over; what a best-effort application had done until then stays."""
    async with database.work() as work:
        job = await work.locked(MembershipImport, import_id)
        if job.status not in UNDER_WAY:
            return
        _move(job, ImportStatus.FAILED)
        job.ended_at = job.updated_at
        job.problem = {"code": problem.code, "members": problem.members, "errors": problem.errors}
        activity.record(
            work, "membership_import.failed", None, job.id, **_of(job), code=problem.code
        )


# Planning


async def _plan(database: Database, job: MembershipImport) -> None:
    reader = database.reader
    done = await import_rows.last(reader, job.id)
    refused = await _refused(reader, job) if done else set()
    places = await import_worlds.places(reader)
    ids = {place.slug: place.id for place in places.values()}
    planning = Planning(job, ids)
    known = await import_planning.known(reader, places.values(), set(job.places))
    here = places[job.community_id].slug if job.community_id else None
    async with import_files.taken_out(reader, job.id) as path:
        with await anyio.to_thread.run_sync(partial(_opened, job, path)) as table:
            mapping = MembershipMapping.model_validate(job.mapping)
            read = Reader(table.headings, mapping, known, community=here)
            pace = Pace(database, import_pace.PLANNED)
            async with (
                aclosing(opening.batches(read.rows(table.rows), pace.rows)) as batches,
                Keeping() as kept,
            ):
                async for batch in batches:
                    if batch[-1].number <= done:
                        await planning.skip(reader, batch, refused)
                    else:
                        found = await planning.plan(reader, batch)
                        await kept.next(_keep(pace, job.id, batch, found))
    await _conclude(database, job)


class Keeping:
    """One batch is written while the next one is planned: in order, and never two at once."""

    _now: asyncio.Task[None] | None = None

    async def next(self, writing: Coroutine[Any, Any, None]) -> None:
        """Begins to write a batch when the one before is kept. Raises what stopped that."""
        try:
            await self._done()
        except BaseException:
            writing.close()
            raise
        self._now = asyncio.create_task(writing)

    async def _done(self) -> None:
        writing, self._now = self._now, None
        if writing is not None:
            await writing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            await self._done()
        except Exception:
            if error is None:  # or it stays what went wrong first
                raise


def _opened(job: MembershipImport, path: Path) -> Table:
    return opening.open_file(path, job.file_name, delimiter=job.delimiter, sheet=job.sheet)


async def _refused(source: Source, job: MembershipImport) -> set[int]:
    rows = await source.rows(
        sa.select(MembershipImportRow.number).where(
            col(MembershipImportRow.import_id) == job.id,
            col(MembershipImportRow.outcome) == RowOutcome.REFUSED,
        )
    )
    return {row.number for row in rows}


async def _keep(pace: Pace, import_id: UUID, batch: list[ReadRow], found: Planned) -> None:
    async with pace.work() as work:
        job = await _held(work, import_id, ImportStatus.PLANNING)
        job.rows_read += len(batch)
        job.endings += found.endings
        job.endings_withheld |= found.withheld
        await work.insert_many(MembershipImportRow, found.rows)
        import_rows.count(job, found.rows)
        if job.source is not None:
            mentions = [{"import_id": job.id, "membership_id": one} for one in found.mentions]
            await work.insert_many(MembershipImportMention, mentions, ignoring=True)


async def _conclude(database: Database, job: MembershipImport) -> None:
    """What ends by the file's silence, the counts, and whether it goes on by itself."""
    async with database.work() as work:
        held = await _held(work, job.id, ImportStatus.PLANNING)
        if held.mode == "sync" and not held.endings_withheld:
            await _plan_absent(work, held)
        held.source_memberships = await import_planning.brought(work, held)
        held.exceeds_most_ended = held.endings * 100 > held.most_ended * held.source_memberships
        activity.record(
            work, "membership_import.planned", None, held.id, **_of(held), **_counts(held)
        )
        held.planned_at = clock.now()
        held.problem = _in_the_way(held)
        goes_on = held.apply and held.problem is None
        _move(held, ImportStatus.APPLYING if goes_on else ImportStatus.PLANNED)
        job.status = held.status


async def _plan_absent(work: Work, job: MembershipImport) -> None:
    number, after = await import_rows.last(work, job.id) + 1, None
    while True:
        rows, after = await import_planning.absent(work, job, after, number)
        if not rows:
            return
        await work.insert_many(MembershipImportRow, rows)
        import_rows.count(job, rows)
        number += len(rows)
        job.endings += sum(row["outcome"] is RowOutcome.ENDED for row in rows)


def _in_the_way(job: MembershipImport) -> dict[str, Any] | None:
    """Why the plan is not applied before somebody has looked at it."""
    problem: type[errors.Problem] | None = None
    if job.exceeds_most_ended:
        problem = import_errors.EndingsExceedLimit
    elif job.refused and job.handling is ImportHandling.ALL_OR_NOTHING:
        problem = import_errors.RowsRefused
    return {"code": problem.code, "members": {}, "errors": []} if problem else None


def _counts(job: MembershipImport) -> dict[str, int]:
    return {outcome.value: getattr(job, outcome.value) for outcome in RowOutcome}


# Applying


async def _apply(database: Database, job: MembershipImport) -> None:
    """Batch by batch, each kept as soon as it is done."""
    pace, after = Pace(database, import_pace.APPLIED), 0
    while rows := await import_applying.to_do(database.reader, job, after, pace.rows):
        after = rows[-1].number
        ready = await _ready(database, job, rows)
        async with pace.work() as work:
            held = await _held(work, job.id, ImportStatus.APPLYING)
            outdated = set(await import_applying.apply(work, held, rows, ready))
            await import_applying.refuse(work, held, [r for r in rows if r.number in outdated])
            held.rows_done += len(rows)
    async with database.work() as work:
        await _applied(work, await _held(work, job.id, ImportStatus.APPLYING))


async def _ready(
    database: Database, job: MembershipImport, rows: list[Any]
) -> import_applying.Ready | None:
    """What rows come to, found out before others have to wait for it."""
    if not database.sqlite or import_requests.is_mailbox(job):
        return None
    return await import_applying.ready(database.reader, job, rows)


async def _apply_whole(database: Database, job: MembershipImport) -> None:
    """In one transaction, or not at all. Whether it was called off is asked beside it."""
    async with database.work() as work:
        outdated: list[int] = []
        done = after = 0
        while rows := await import_applying.to_do(database.reader, job, after, import_pace.MANY):
            after = rows[-1].number
            await _refuse_stopped(database, job)
            outdated += await import_applying.apply(work, job, rows)
            done += len(rows)
            if outdated:
                raise Outdated(outdated)
        held = await _held(work, job.id, ImportStatus.APPLYING)
        held.rows_done = done
        await _applied(work, held)


async def _refuse_stopped(database: Database, job: MembershipImport) -> None:
    row = await database.reader.one(
        sa.select(MembershipImport.status).where(col(MembershipImport.id) == job.id)
    )
    if row.status != ImportStatus.APPLYING:
        raise Stopped
    if not await import_rights.remain(database.reader, job):
        raise import_errors.RightEnded


async def _applied(work: Work, job: MembershipImport) -> None:
    activity.record(work, "membership_import.applied", None, job.id, **_of(job), **_counts(job))
    job.applied_at = job.ended_at = clock.now()
    job.problem = None
    _move(job, ImportStatus.APPLIED)


# Reversing


async def _reverse(database: Database, job: MembershipImport) -> None:
    pace, before = Pace(database, import_pace.APPLIED), import_applying.END
    while rows := await import_applying.to_undo(database.reader, job, before, pace.rows):
        before = rows[-1].number
        async with pace.work() as work:
            held = await _held(work, job.id, ImportStatus.REVERSING)
            held.kept += await import_applying.undo(work, held, rows)
            held.rows_done += len(rows)
    async with database.work() as work:
        held = await _held(work, job.id, ImportStatus.REVERSING)
        activity.record(
            work, "membership_import.reversed", None, held.id, **_of(held), kept=held.kept
        )
        held.reversed_at = held.ended_at = clock.now()
        _move(held, ImportStatus.REVERSED)
