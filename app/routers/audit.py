"""The audit log."""

from typing import Annotated, Any

from fastapi import Query

from app import errors, listing
from app.deps import PageDep, ReaderDep, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.activity import ActivityList
from app.schemas.base import line, page_of
from app.services import audit

router = api_router(tags=["audit"])

Auditor = Annotated[Standing, may(Capability.AUDIT_READ)]
KindFilter = Annotated[
    Annotated[str, *line(1, 80)] | None,
    Query(description="Only this kind, as in openapi/activity.md."),
]


@router.get(
    "/communities/{community}/audit-log",
    response_model=ActivityList,
    summary="What happened in a community",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_community_audit_log(
    community: str, reader: ReaderDep, standing: Auditor, page: PageDep, kind: KindFilter = None
) -> Any:
    """Every change once, with who made it, the latest first. No personal text is in it."""
    listed = await listing.page(
        reader, audit.listing(True, kind is not None), page, community=standing.here.id, kind=kind
    )
    return page_of([audit.shown(row) for row in listed.rows], listed.next_cursor, listed.total)


@router.get(
    "/audit-log",
    response_model=ActivityList,
    summary="What happened in the association",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_audit_log(
    reader: ReaderDep, standing: Auditor, page: PageDep, kind: KindFilter = None
) -> Any:
    """Every change that belongs to no community: accounts, sign-ins, rules, grants, settings."""
    listed = await listing.page(reader, audit.listing(False, kind is not None), page, kind=kind)
    return page_of([audit.shown(row) for row in listed.rows], listed.next_cursor, listed.total)
