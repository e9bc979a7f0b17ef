"""Rosters as files."""

from contextlib import aclosing, suppress
from functools import partial
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from app import errors, import_errors
from app.db import Database
from app.deps import DatabaseDep, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routers.memberships import RosterFilters
from app.routing import Send, api_router
from app.schemas.base import Code
from app.schemas.membership_exports import ExportFormat, MembershipExport
from app.services import membership_exports
from app.services.rosters import Filters

router = api_router(tags=["memberships"])

EXPORTER = may(Capability.MEMBERSHIPS_EXPORT)
Format = Annotated[ExportFormat, Query(description="In which form the file is wanted.")]
Source = Annotated[
    Code | None,
    Query(
        description="A system that memberships were imported from: its numbers stand in"
        " `external_id`."
    ),
]
_FILE = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": MembershipExport,
        "content": {
            "text/csv": _FILE,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _FILE,
            "application/x-ndjson": _FILE,
        },
    }
}
REFUSED = problems(errors.PermissionDenied, import_errors.ExportTooLarge)


@router.get(
    "/communities/{community}/memberships/export",
    response_class=StreamingResponse,
    responses=FILES,
    summary="The roster of a community as a file",
    openapi_extra=REFUSED,
)
async def export_memberships(
    community: str,
    request: Request,
    database: DatabaseDep,
    standing: Annotated[Standing, EXPORTER],
    filters: RosterFilters,
    format: Format = ExportFormat.CSV,  # noqa: A002  # the parameter's name
    source: Source = None,
) -> Any:
    """What the roster shows to the caller, by the same filters, as CSV, as a workbook (XLSX), as an
    array of JSON objects or with one on each line (NDJSON): streamed, whole, and on the audit log.
    An import recognises the columns by itself and finds every row unchanged; in spreadsheets, cells
    that could become formulas begin with an apostrophe, which an import takes away again."""
    return await _streamed(request, database, standing, filters, format, source)


@router.get(
    "/memberships/export",
    response_class=StreamingResponse,
    responses=FILES,
    summary="All rosters as one file",
    openapi_extra=REFUSED,
)
async def export_all_memberships(
    request: Request,
    database: DatabaseDep,
    standing: Annotated[Standing, EXPORTER],
    filters: RosterFilters,
    format: Format = ExportFormat.CSV,  # noqa: A002  # the parameter's name
    source: Source = None,
) -> Any:
    """The same for every community at once, a row for each membership, for who may export in the
    association. A partner's machine gets the communities that are open to all."""
    return await _streamed(request, database, standing, filters, format, source)


class Streamed(StreamingResponse):
    """A stream whose source is closed at once when its client is gone, not when it is collected."""

    async def stream_response(self, send: Send) -> None:
        """Sends what there is, to the end or as far as somebody takes it. Where the caller's right
        ends, the answer is broken off: the client sees that it is not whole."""
        async with aclosing(self.body_iterator):  # ty: ignore
            with suppress(membership_exports.RightEnded):
                await super().stream_response(send)


async def _streamed(
    request: Request,
    database: Database,
    standing: Standing,
    filters: Filters,
    form: ExportFormat,
    source: str | None,
) -> StreamingResponse:
    export = await membership_exports.begin(database, standing, filters, form, source)
    return Streamed(
        membership_exports.pieces(database.reader, export, partial(EXPORTER.dependency, request)),
        media_type=export.media_type,
        headers={"Content-Disposition": f'attachment; filename="{export.file_name}"'},
    )
