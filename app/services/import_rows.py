"""The rows of an import: as they are kept, as pages of a list, and as a report to correct."""

from collections.abc import AsyncIterator, Iterable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import texts
from app.db import Source
from app.listing import Listing
from app.membership_files import reports
from app.membership_files.rows import Finding, ReadRow
from app.models import MembershipImport, MembershipImportRow, RowOutcome
from app.reader import Prepared, Reader
from app.schemas.base import address_key

# Of rows that may be wide, so many are in memory.
PAGE = 100
_SAID = (
    "name",
    "occupation",
    "occupation_code",
    "affiliation",
    "area_of_interest",
    "territory",
    "language",
    "category",
    "external_id",
    "email",
    "former",
)


def said(row: ReadRow, ids: Mapping[str, UUID], adds_to: int | None) -> dict[str, Any]:
    """What a row says, as it is kept with its plan; communities by their ids."""
    values = row.values
    found = {name: getattr(values, name) for name in _SAID}
    found["key"] = address_key(values.email or "")
    found["since_on"] = values.since_on.isoformat() if values.since_on else None
    found["until_on"] = values.until_on.isoformat() if values.until_on else None
    found["communities"] = [str(ids[slug]) for slug in values.communities]
    found["whole"] = row.whole
    found["adds_to"] = adds_to
    return found


def kept(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """What is said of a row, as JSON."""
    return [
        {
            "column": one.column,
            "code": one.code,
            "facts": dict(one.facts),
            "refuses": one.refuses,
        }
        for one in findings
    ]


def finding(one: Mapping[str, Any]) -> Finding:
    """The same, read back."""
    return Finding(**one)


def in_words(one: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a row, with its sentence in both languages."""
    detail = {
        language: texts.group("imports", language)[f"rows.{one['code']}"].format(**one["facts"])
        for language in texts.LANGUAGES
    }
    return {
        "column": one["column"],
        "code": one["code"],
        "refuses": one["refuses"],
        "detail": detail,
    }


_ROWS = sa.select(
    MembershipImportRow.number,
    MembershipImportRow.cells,
    MembershipImportRow.findings,
    MembershipImportRow.outcome,
    MembershipImportRow.state,
)


_WITH_PLANS = _ROWS.add_columns(MembershipImportRow.plan)


def count(job: MembershipImport, rows: Iterable[dict[str, Any]]) -> None:
    """Adds rows that are new to what an import says of its rows."""
    for row in rows:
        _add(job, row["outcome"], 1)
        job.noted += bool(row["findings"])
        job.rows_to_do += row["outcome"] is not RowOutcome.REFUSED and row["plan"] is not None


def count_refused(job: MembershipImport, rows: Iterable[Any]) -> None:
    """Counts rows as refused of which something else was planned."""
    for row in rows:
        _add(job, row.outcome, -1)
        _add(job, RowOutcome.REFUSED, 1)
        job.noted += not row.findings


def _add(job: MembershipImport, outcome: RowOutcome, more: int) -> None:
    setattr(job, outcome.value, getattr(job, outcome.value) + more)


@lru_cache
def listing(outcomes: tuple[RowOutcome, ...], noted: bool) -> Listing:
    """The rows of an import in the order of the file, of these outcomes or of any."""
    of_it = col(MembershipImportRow.import_id) == sa.bindparam("import", type_=sa.Uuid)
    query = _WITH_PLANS.where(of_it)
    if outcomes:
        query = query.where(sa.or_(*(col(MembershipImportRow.outcome) == one for one in outcomes)))
    if noted:
        query = query.where(sa.cast(col(MembershipImportRow.findings), sa.Text) != "[]")
    return Listing(query, col(MembershipImportRow.number))


def shown(row: Any) -> dict[str, Any]:
    """A row as its importer sees it."""
    return {
        "number": row.number,
        "outcome": row.outcome,
        "state": row.state,
        "cells": None if row.cells is None else [_text(cell) for cell in row.cells],
        "changes": _changes(row),
        "findings": [in_words(one) for one in row.findings],
    }


def _changes(row: Any) -> list[dict[str, Any]]:
    """What a row overwrites of what is there."""
    if row.plan is None or row.outcome == RowOutcome.REFUSED:
        return []
    does = row.plan["does"]
    changed = [(None, does["person"])]
    changed += [(one["community"], one) for one in does["memberships"] if one["act"] == "change"]
    return [
        {"community_id": community_id, "member": member, "to": value}
        for community_id, one in changed
        for member, value in one.get("values", {}).items()
    ]


def _text(cell: str | list[str]) -> str:
    return cell if isinstance(cell, str) else "; ".join(cell)


_NEXT = Prepared(
    _ROWS.where(
        col(MembershipImportRow.import_id) == sa.bindparam("import", type_=sa.Uuid),
        col(MembershipImportRow.number) > sa.bindparam("after", type_=sa.Integer),
    )
    .order_by(col(MembershipImportRow.number))
    .limit(PAGE)
)


async def report(
    reader: Reader,
    import_id: UUID,
    headings: list[str],
    language: str | None,
    accepted: str | None,
) -> AsyncIterator[bytes]:
    """The file again as CSV, with what became of each row and why; nothing of it is held.

    What ends because the file does not have it is no row of the file, and not in here.
    """
    language = language or texts.preferred(accepted)
    for piece in reports.document(headings, [], language):
        yield piece
    after = -1
    while rows := await reader.rows(_NEXT, **{"import": import_id, "after": after}):
        after = rows[-1].number
        lines = [
            reports.cells_of(
                [_text(cell) for cell in row.cells],
                reports.Outcome(row.outcome),
                [finding(one) for one in row.findings],
                language,
            )
            for row in rows
            if row.cells is not None
        ]
        yield reports.lines(lines)


async def last(source: Source, import_id: UUID) -> int:
    """The number of the last row that is there; 0 if none is."""
    row = await source.one(
        sa.select(sa.func.max(col(MembershipImportRow.number)).label("number")).where(
            col(MembershipImportRow.import_id) == import_id
        )
    )
    return row.number or 0
