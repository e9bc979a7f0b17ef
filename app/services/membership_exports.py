"""Rosters as files: recorded before the first byte leaves, read page by page, kept nowhere.

Between two pages no statement runs and no transaction is open, so a client that reads slowly, or
goes away, holds nobody up. A file is therefore as of the minute in which it was made; `as_of` asks
about a day that is over, which does not change any more.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import anyio.to_thread
import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, import_errors
from app.db import Database
from app.listing import Listing
from app.membership_files.exports import WRITERS, Row
from app.models import Association, PersonSource
from app.policy import Capability, Standing
from app.reader import Reader
from app.schemas.membership_exports import ExportFormat
from app.services import association, membership_pages, rosters
from app.services.rosters import Filters

# At a time, so that other requests wait for no more than a few milliseconds of it.
PAGE = 100
MOST_ROWS = 1_000_000
# Between two looks at what whoever gets the file may do.
LOOK_SECONDS = 1.0
Look = Callable[[], Awaitable[Standing]]
# What stands in a file, as the importer recognises it; what is said of somebody in private.
COLUMNS = {
    "name": False,
    "email": True,
    "community": False,
    "category": False,
    "since_on": False,
    "until_on": False,
    "occupation": False,
    "occupation_code": True,
    "affiliation": False,
    "area_of_interest": True,
    "territory": True,
    "language": True,
    "external_id": True,
    "membership_state": True,
    "membership_id": False,
    "person_id": False,
}
_FROM_ROW = tuple(
    name
    for name in COLUMNS
    if name not in ("community", "until_on", "external_id", "membership_state", "membership_id")
)


@dataclass(frozen=True, slots=True)
class Export:
    """A file that was asked for, recorded, and not yet written."""

    format: ExportFormat
    listing: Listing
    parameters: dict[str, Any]
    day: date
    private: bool
    community_id: UUID | None
    source: str | None
    file_name: str

    @property
    def media_type(self) -> str:
        """What the file is."""
        return WRITERS[self.format].media_type


async def begin(
    database: Database,
    standing: Standing,
    filters: Filters,
    form: ExportFormat,
    source: str | None,
) -> Export:
    """The export that a caller asks for: of the standing's community, or else of all whose roster
    the caller sees. When this returns it is on the log.

    Raises what `rosters.asked` raises, and ExportTooLarge.
    """
    here = standing.community
    listing, parameters = rosters.asked(standing, filters, everywhere=here is None)
    rows = await database.reader.scalar(listing.count, **parameters) or 0
    if rows > MOST_ROWS:
        raise import_errors.ExportTooLarge
    day = filters.as_of or standing.today
    export = Export(
        form,
        listing,
        parameters,
        day,
        standing.can(Capability.MEMBERSHIPS_READ_PRIVATE),
        here.id if here else None,
        source,
        f"memberships{f'-{here.slug}' if here else ''}-{day.isoformat()}.{form.value}",
    )
    said = await _said(database.reader, filters)
    async with database.work() as work:
        activity.record(
            work,
            "memberships.exported" if here else "memberships.exported_everywhere",
            standing,
            here.id if here else (await work.one(sa.select(Association.code))).code,
            community_id=export.community_id,
            format=form,
            rows=rows,
            private=export.private,
            filters=said,
        )
    return export


async def _said(reader: Reader, filters: Filters) -> list[str]:
    """The filters as the log keeps them: codes, days and ids, never what somebody typed."""
    codes = set()
    if filters.territory:
        codes |= {row["code"] for row in await association.territories(reader)}
    if filters.occupation_code:
        codes |= {row["code"] for row in await association.occupations(reader)}
    said = [
        *(f"category={category.value}" for category in filters.category or ()),
        *(f"status={status.value}" for status in filters.status or ()),
        *(f"territory={_known(code, codes)}" for code in filters.territory or ()),
        *(f"occupation_code={_known(code, codes)}" for code in filters.occupation_code or ()),
    ]
    for name in ("joined_after", "joined_before", "updated_after", "as_of", "person_id"):
        value = getattr(filters, name)
        if value is not None:
            said.append(f"{name}={_plain(value)}")
    return [*said, "q"] if filters.text is not None else said


def _known(code: str, codes: set[str]) -> str:
    return code if code in codes else "?"


def _plain(value: date | datetime | UUID) -> str:
    return str(value) if isinstance(value, UUID) else value.isoformat()


class RightEnded(Exception):
    """Whoever the file is for may not have the rest of it."""


async def pieces(reader: Reader, export: Export, look: Look) -> AsyncIterator[bytes]:
    """The file, piece by piece: a statement or two for each page of rows. However slowly it is
    taken, `look` says each second what the caller may do by then. Raises RightEnded."""
    kind = WRITERS[export.format]
    everything = export.private or not kind.spreadsheet
    shown = [name for name, private in COLUMNS.items() if everything or not private]
    writer = kind(shown)
    time = asyncio.get_running_loop().time
    looked = time()
    try:
        yield writer.begin()
        began = time()
        async for page in export.listing.walk(reader, PAGE, **export.parameters):
            if time() - looked > LOOK_SECONDS:
                await _refuse_ended(look, export)
                looked = time()
            numbers = await _numbers(reader, export, {row.person_id for row in page})
            rows = [_row(row, export, shown, numbers) for row in page]
            # A thread that is at work with the writer is waited for, even by who is cancelled.
            piece = await anyio.to_thread.run_sync(writer.rows, rows)
            # As much time for others as a page took: they share the interpreter with it.
            await asyncio.sleep(time() - began)
            yield piece
            began = time()
        yield writer.end()
    finally:
        writer.close()


async def _refuse_ended(look: Look, export: Export) -> None:
    try:
        standing = await look()
    except errors.Problem as ended:
        raise RightEnded from ended
    if export.private and not standing.can(Capability.MEMBERSHIPS_READ_PRIVATE):
        raise RightEnded


async def _numbers(reader: Reader, export: Export, people: Iterable[UUID]) -> dict[UUID, str]:
    """As which number the source knows these people, in the realm of the export."""
    if export.source is None or not export.private:
        return {}
    found = await reader.rows(
        sa.select(PersonSource.person_id, PersonSource.external_id)
        .where(
            col(PersonSource.community_id).is_not_distinct_from(export.community_id),
            col(PersonSource.source) == export.source,
            col(PersonSource.person_id).in_(people),
        )
        .order_by(col(PersonSource.id).desc())
    )
    return {row.person_id: row.external_id for row in found}


def _row(row: Any, export: Export, shown: list[str], numbers: dict[UUID, str]) -> Row:
    said: dict[str, Any] = {name: getattr(row, name) for name in _FROM_ROW}
    said["community"] = row.community_slug
    said["until_on"] = _last_day(row, export.day)
    said["external_id"] = numbers.get(row.person_id)
    said["membership_state"] = membership_pages.status_on(export.day, row).value
    said["membership_id"] = row.id
    return [_text(said[name], COLUMNS[name], export) for name in shown]


def _text(value: Any, private: bool, export: Export) -> str | None:
    if value is None or (private and not export.private):
        return None
    return str(value)


def _last_day(row: Any, day: date) -> date | None:
    """The last day on which somebody belongs: of a membership that was ended, the day of that."""
    if row.ended_at is None or row.ended_at >= clock.end_of(day):
        return row.until_on
    ended_on = clock.day_of(row.ended_at)
    return ended_on if row.until_on is None else min(row.until_on, ended_on)
