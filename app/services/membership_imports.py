"""Imports of memberships as a resource: handing a file in, looking at the plan, asking for it to be
applied, called off or undone. What is asked for is done elsewhere (import_runs.py)."""

from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import anyio.to_thread
import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, import_errors
from app.db import Work
from app.membership_files import mapping as mappings
from app.membership_files import opening
from app.membership_files.mapping import SAMPLE_ROWS
from app.membership_files.rows import Format, SourceRow
from app.models import (
    UNDER_WAY,
    ActorKind,
    ImportHandling,
    ImportMode,
    ImportStatus,
    MembershipImport,
    MembershipImportMention,
    MembershipImportRow,
    Partner,
    Person,
)
from app.policy import Standing
from app.preconditions import ANY, Expected
from app.reader import Reader
from app.schemas.membership_mappings import MappingSuggestion, MembershipMapping
from app.services import (
    import_applying,
    import_files,
    import_pages,
    import_planning,
    import_rights,
    import_worlds,
    membership_import_mappings,
)

MOST_WAITING = 20

# Handing in


class Opened(NamedTuple):
    """A file that was looked at: what it is, its columns, what they suggest, how many rows."""

    path: Path
    name: str
    size: int
    format: Format
    headings: list[str]
    suggestion: MappingSuggestion
    rows_expected: int | None
    asked: Any


async def look(reader: Reader, standing: Standing, path: Path, name: str, body: Any) -> Opened:
    """A first look at a file, before anything is kept: what is no table is refused at once.

    Raises the refusals of import_errors.
    """
    if body.mode is ImportMode.SYNC and body.source is None:
        raise import_errors.SourceRequired
    places = await import_worlds.places(reader)
    allowed = set(await import_rights.places(reader, standing))
    known = await import_planning.known(reader, places.values(), allowed)
    here = standing.community is not None
    return await anyio.to_thread.run_sync(partial(_looked, path, name, body, known, here))


def _looked(path: Path, name: str, body: Any, known: Any, here: bool) -> Opened:
    size = path.stat().st_size
    with opening.open_file(path, name, delimiter=body.delimiter, sheet=body.sheet) as table:
        if table.format is Format.MBOX and body.mode is not ImportMode.ADD:
            raise import_errors.MailboxOnlyAdds
        sample = list(islice(table.rows, SAMPLE_ROWS))
        suggestion = mappings.suggest(
            table.format, table.headings, sample, known.communities, community_given=here
        )
        expected = _expected(table.format, size, sample)
        return Opened(path, name, size, table.format, table.headings, suggestion, expected, body)


def _expected(kind: Format, size: int, sample: list[SourceRow]) -> int | None:
    """About how many rows there are, by the length of the first ones."""
    if len(sample) < SAMPLE_ROWS:
        return len(sample)
    if kind is not Format.CSV:
        return None
    written = sum(len(str(cell).encode()) + 1 for row in sample for cell in row.cells)
    return max(len(sample), size * len(sample) // max(1, written))


async def create(work: Work, standing: Standing, file: Opened) -> dict[str, Any]:
    """Takes a file in: it is planned soon, or waits until it is said what its columns are.

    Raises PermissionDenied for a mailbox of somebody who may not read requests to join,
    TooManyImports, MappingUnfit, NotFound for a mapping that is not kept.
    """
    import_rights.require(standing, file.format)
    body, now = file.asked, clock.now()
    kind, actor = standing.actor
    await _refuse_too_many(work, kind, actor)
    community_id = standing.community.id if standing.community else None
    mapping = await _mapping(work, standing, file)
    job = MembershipImport(
        **body.model_dump(exclude={"file", "mapping", "mapping_name"}),
        community_id=community_id,
        status=ImportStatus.WAITING if mapping else ImportStatus.MAPPING_REQUIRED,
        file_name=file.name,
        format=file.format,
        size=file.size,
        headings=file.headings,
        suggestion=file.suggestion.model_dump(mode="json"),
        mapping=mapping.model_dump(mode="json") if mapping else None,
        places=await import_rights.places(work, standing),
        credential=import_rights.credential_of(standing),
        created_by_kind=kind,
        created_by=actor,
        asked_by_kind=kind,
        asked_by=actor,
        rows_expected=file.rows_expected,
        created_at=now,
        step_at=now,
        updated_at=now,
    )
    work.add(job)
    await work.flush()
    await import_files.keep(work, job.id, file.path)
    activity.record(
        work,
        "membership_import.created",
        standing,
        job.id,
        community_id=community_id,
        mode=job.mode,
        handling=job.handling,
        apply=job.apply,
        size=job.size,
    )
    await work.flush()
    return await import_pages.get(work, standing, job.id)


async def _refuse_too_many(work: Work, kind: ActorKind, actor: UUID | None) -> None:
    """Whoever hands in several at once does so one after the other, as far as this counts them."""
    if actor is not None:
        await work.locked(Partner if kind is ActorKind.PARTNER else Person, actor)
    waiting = await work.one(
        sa.select(sa.func.count().label("count"))
        .select_from(MembershipImport)
        .where(
            col(MembershipImport.created_by) == actor,
            sa.or_(*(col(MembershipImport.status) == status for status in UNDER_WAY)),
        )
    )
    if waiting.count >= MOST_WAITING:
        raise import_errors.TooManyImports


async def _mapping(work: Work, standing: Standing, file: Opened) -> MembershipMapping | None:
    """What the columns are: as was said, as is kept by a name, or as the headings suggest, if
    that is enough."""
    given: MembershipMapping | None = file.asked.mapping
    if given is None and file.asked.mapping_name is not None:
        given = await membership_import_mappings.kept(work, standing, file.asked.mapping_name)
    if given is not None:
        await _refuse_unfit(work, standing, given, file.headings)
        return given
    missing = set(file.suggestion.missing) - ({"communities"} if standing.community else set())
    return None if missing else mappings.as_mapping(file.suggestion)


async def _refuse_unfit(
    work: Work, standing: Standing, mapping: MembershipMapping, headings: list[str]
) -> None:
    places = await import_worlds.places(work)
    allowed = set(await import_rights.places(work, standing))
    slugs = [
        import_planning.called(place)
        for place in places.values()
        if place.listed or str(place.id) in allowed
    ]
    given = standing.community is not None
    mappings.refuse_unfit(
        mapping, headings, import_planning.Communities(slugs), community_given=given
    )


# Asking for it to go on, or back


async def _asked(
    work: Work, standing: Standing, import_id: UUID, act: str, expected: Expected = ANY
) -> MembershipImport:
    """The import, locked, with the caller as who asks for what is done next.

    Raises NotFound, PreconditionFailed, FileErased, NotInThisState.
    """
    await import_pages.find(work, standing, import_id)
    job = await work.locked(MembershipImport, import_id)
    import_rights.require(standing, job.format)
    expected.check(job.version)
    if act not in import_pages.affordances(job):
        if job.erased_at is not None and act != "cancel_membership_import":
            raise import_errors.FileErased
        raise import_errors.NotInThisState(members={"import_status": job.status})
    job.version += 1
    job.step_at = job.updated_at = clock.now()
    return job


def _on_behalf_of(job: MembershipImport, standing: Standing) -> None:
    job.asked_by_kind, job.asked_by = standing.actor
    job.credential = import_rights.credential_of(standing)


async def map_columns(
    work: Work,
    standing: Standing,
    import_id: UUID,
    mapping: MembershipMapping,
    expected: Expected,
) -> dict[str, Any]:
    """Says what the columns are; the file is planned anew. Raises MappingUnfit."""
    job = await _asked(work, standing, import_id, "map_membership_import", expected)
    await _refuse_unfit(work, standing, mapping, job.headings)
    for model in (MembershipImportRow, MembershipImportMention):
        await work.execute(sa.delete(model).where(col(model.import_id) == import_id))
    _on_behalf_of(job, standing)
    job.places = await import_rights.places(work, standing)
    job.mapping = mapping.model_dump(mode="json")
    job.status = ImportStatus.WAITING
    job.problem = job.planned_at = job.ended_at = None
    job.rows_read = job.rows_to_do = job.endings = job.source_memberships = 0
    job.created = job.changed = job.unchanged = job.ended = job.refused = job.noted = 0
    job.exceeds_most_ended = job.endings_withheld = False
    activity.record(
        work, "membership_import.mapped", standing, job.id, community_id=job.community_id
    )
    await work.flush()
    return await import_pages.get(work, standing, import_id)


async def apply(
    work: Work, standing: Standing, import_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Asks for the very plan to be applied, the first time or again after a reversal.

    Raises RowsRefused, EndingsExceedLimit.
    """
    job = await _asked(work, standing, import_id, "apply_membership_import")
    job.handling = body["handling"] or job.handling
    if job.refused and job.handling is ImportHandling.ALL_OR_NOTHING:
        raise import_errors.RowsRefused
    if job.exceeds_most_ended and not body["allow_more_endings"]:
        raise import_errors.EndingsExceedLimit
    _on_behalf_of(job, standing)
    allowed = set(await import_rights.places(work, standing))
    job.places = [place for place in job.places if place in allowed]
    await import_applying.to_do_again(work, job)
    job.status = ImportStatus.APPLYING
    job.rows_done = job.kept = 0
    job.problem = job.ended_at = None
    activity.record(
        work,
        "membership_import.application_requested",
        standing,
        job.id,
        community_id=job.community_id,
        handling=job.handling,
    )
    await work.flush()
    return await import_pages.get(work, standing, import_id)


async def cancel(work: Work, standing: Standing, import_id: UUID) -> dict[str, Any]:
    """Calls an import off at this moment. What a best-effort application has done until now stays;
    of one that is done as a whole or not at all nothing does."""
    job = await _asked(work, standing, import_id, "cancel_membership_import")
    job.status = ImportStatus.CANCELLED
    job.ended_at = job.updated_at
    activity.record(
        work, "membership_import.cancelled", standing, job.id, community_id=job.community_id
    )
    await work.flush()
    return await import_pages.get(work, standing, import_id)


async def reverse(work: Work, standing: Standing, import_id: UUID) -> dict[str, Any]:
    """Asks for what was applied to be undone."""
    job = await _asked(work, standing, import_id, "reverse_membership_import")
    _on_behalf_of(job, standing)
    job.status = ImportStatus.REVERSING
    job.rows_to_do, job.rows_done, job.kept = job.rows_done, 0, 0
    job.applied_at = job.applied_at or job.updated_at
    job.problem = job.ended_at = None
    activity.record(
        work,
        "membership_import.reversal_requested",
        standing,
        job.id,
        community_id=job.community_id,
    )
    await work.flush()
    return await import_pages.get(work, standing, import_id)
