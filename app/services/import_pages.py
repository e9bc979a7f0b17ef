"""Imports of memberships as their importers see them."""

from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import import_errors, texts
from app.db import Source
from app.listing import Listing
from app.models import UNDER_WAY, Community, ImportStatus, MembershipImport, Partner, Person
from app.policy import Standing
from app.services import communities

# Until when it can be called off.
_NOT_OVER = (
    ImportStatus.WAITING,
    ImportStatus.PLANNING,
    ImportStatus.MAPPING_REQUIRED,
    ImportStatus.PLANNED,
    ImportStatus.APPLYING,
)
_IMPORTS = (
    sa.select(
        *sa.inspect(MembershipImport).columns,
        col(Community.slug).label("community_slug"),
        col(Community.name).label("community_name"),
        sa.func.coalesce(col(Person.name), col(Partner.name)).label("creator"),
    )
    .select_from(MembershipImport)
    .outerjoin(Community, col(Community.id) == MembershipImport.community_id)
    .outerjoin(Person, col(Person.id) == MembershipImport.created_by)
    .outerjoin(Partner, col(Partner.id) == MembershipImport.created_by)
)


@lru_cache
def listing(of_partner: bool, statuses: tuple[ImportStatus, ...]) -> Listing:
    """The imports into one community, or into the association as a whole, the latest first."""
    query = _IMPORTS.where(
        col(MembershipImport.community_id).is_not_distinct_from(
            sa.bindparam("community", type_=sa.Uuid)
        )
    )
    if of_partner:
        query = query.where(
            col(MembershipImport.created_by) == sa.bindparam("partner", type_=sa.Uuid)
        )
    if statuses:
        query = query.where(sa.or_(*(col(MembershipImport.status) == one for one in statuses)))
    return Listing(query, col(MembershipImport.id), descending=True)


def asked(
    standing: Standing, statuses: list[ImportStatus] | None
) -> tuple[Listing, dict[str, Any]]:
    """The imports of a place as a caller asked for them; a partner's machine sees the partner's."""
    partner = standing.partner
    values: dict[str, Any] = {"community": standing.community.id if standing.community else None}
    if partner is not None:
        values["partner"] = partner.id
    return listing(partner is not None, tuple(sorted(set(statuses or ())))), values


async def find(source: Source, standing: Standing, import_id: UUID) -> Any:
    """One import, as far as it exists for the caller. Raises NotFound."""
    query = _IMPORTS.where(col(MembershipImport.id) == import_id)
    if standing.partner is not None:
        query = query.where(col(MembershipImport.created_by) == standing.partner.id)
    return await source.one(query)


async def find_kept(source: Source, standing: Standing, import_id: UUID) -> Any:
    """One import of which the rows are still kept. Raises NotFound, FileErased."""
    row = await find(source, standing, import_id)
    if row.erased_at is not None:
        raise import_errors.FileErased
    return row


async def get(source: Source, standing: Standing, import_id: UUID) -> dict[str, Any]:
    """One import as its importers see it."""
    return shown(await find(source, standing, import_id))


def shown(row: Any) -> dict[str, Any]:
    """An import as its importers see it."""
    counts = ("created", "changed", "unchanged", "ended", "refused", "kept", "noted")
    progress = ("rows_expected", "rows_read", "rows_to_do", "rows_done")
    return {
        **row._asdict(),
        "community": communities.reference(row) if row.community_id else None,
        "file": {
            "name": row.file_name,
            "format": row.format,
            "size": row.size,
            "delimiter": row.delimiter,
            "sheet": row.sheet,
            "headings": row.headings,
            "erased_at": row.erased_at,
        },
        "progress": {name: getattr(row, name) for name in progress}
        | {"estimated_seconds": _estimate(row)},
        # A plan that is not whole says nothing yet of what would become of the rows.
        "counts": {name: getattr(row, name) if row.planned_at else 0 for name in counts},
        "endings": {
            "planned": row.endings,
            "running": row.source_memberships,
            "most_ended": row.most_ended,
            "exceeded": row.exceeds_most_ended,
            "withheld": row.endings_withheld,
        },
        "problem": _in_words(row.problem) if row.problem else None,
        "created_by": {"kind": row.created_by_kind, "id": row.created_by, "name": row.creator},
        "viewer": {"can": affordances(row)},
    }


def _estimate(row: Any) -> int | None:
    """How long the step may still take, at the pace that it had until its last batch."""
    planning = row.status == ImportStatus.PLANNING
    done = row.rows_read if planning else row.rows_done
    whole = row.rows_expected if planning else row.rows_to_do
    if row.status not in UNDER_WAY or not done or not whole:
        return None
    elapsed = (row.updated_at - row.step_at).total_seconds()
    return max(0, round(elapsed / done * (whole - done)))


def _in_words(problem: dict[str, Any]) -> dict[str, Any]:
    members = problem["members"]
    detail = {
        language: texts.text("problems", f"{problem['code']}.detail", language)
        for language in texts.LANGUAGES
    }
    rows = members.get("rows") or ([members["row"]] if "row" in members else [])
    return {"code": problem["code"], "detail": detail, "rows": rows}


def affordances(row: Any) -> list[str]:
    """What can be done with an import in the state that it is in."""
    kept = row.erased_at is None
    found = []
    if kept and _unbegun(row):
        found.append("map_membership_import")
    if kept and row.status in (ImportStatus.PLANNED, ImportStatus.REVERSED):
        found.append("apply_membership_import")
    if row.status in _NOT_OVER:
        found.append("cancel_membership_import")
    if kept and _reversible(row):
        found.append("reverse_membership_import")
    return found


def _unbegun(row: Any) -> bool:
    """Whether nothing of it was ever applied, so that it can be planned anew."""
    still = (ImportStatus.MAPPING_REQUIRED, ImportStatus.PLANNED, ImportStatus.FAILED)
    return row.status in still and row.applied_at is None and not row.rows_done


def _reversible(row: Any) -> bool:
    if row.status == ImportStatus.APPLIED:
        return True
    half_way = row.status in (ImportStatus.FAILED, ImportStatus.CANCELLED)
    return half_way and (row.applied_at is not None or row.rows_done > 0)
