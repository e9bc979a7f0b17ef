"""Imports of memberships: a file, its plan, and what is done with it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Depends, Header, Query, Request, status
from fastapi.responses import StreamingResponse

from app import errors, import_errors, listing, progress, uploads
from app.deps import ExpectedDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import UNDER_WAY, ImportStatus, MembershipImport, RowOutcome
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas import membership_imports as schemas
from app.schemas.base import Language, page_of
from app.schemas.membership_mappings import MembershipMapping
from app.services import import_pages, import_rows, membership_imports

router = api_router(tags=["imports"])

Place = Annotated[
    str | None, Query(description="The community; without it the association as a whole.")
]
HERE = may(Capability.MEMBERSHIPS_IMPORT, place_asked=True)
OF_IT = may(Capability.MEMBERSHIPS_IMPORT, within=MembershipImport)
Importer = Annotated[Standing, HERE]


async def _its(
    membership_import_id: UUID, reader: ReaderDep, standing: Annotated[Standing, OF_IT]
) -> Standing:
    """Whoever may see the import: a machine those of its partner alone, before anything else of
    what it asks is looked at."""
    await import_pages.find(reader, standing, membership_import_id)
    return standing


ItsImporter = Annotated[Standing, Depends(_its)]

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            uploads.FORM: {"schema": {"$ref": "#/components/schemas/MembershipImportCreate"}}
        },
    }
}
_ABOUT_FILES = (
    import_errors.ArchiveTooLarge,
    import_errors.DeclarationRefused,
    import_errors.EncodingMixed,
    import_errors.EncodingUnknown,
    import_errors.FileTooLarge,
    import_errors.FormatUnsupported,
    import_errors.HeadingsMissing,
    import_errors.JsonUnreadable,
    import_errors.NoRows,
    import_errors.QuotesUnclosed,
    import_errors.SheetUnknown,
    import_errors.TooManyColumns,
    import_errors.TooManyRows,
    import_errors.WorkbookEncrypted,
    import_errors.WorkbookUnreadable,
)
_IN_STATE = (import_errors.NotInThisState, import_errors.FileErased)
_TEXT = {"schema": {"type": "string"}}
_EVENTS = {"schema": {"description": "Events, each with the import as JSON for its data."}}


async def _received(request: Request, _standing: Importer) -> AsyncIterator[uploads.Upload]:
    """Rights come first: nothing of a file is read for somebody who may not send one."""
    async for upload in uploads.received(request):
        yield upload


async def _looked(
    upload: Annotated[uploads.Upload, Depends(_received)],
    reader: ReaderDep,
    standing: Importer,
) -> membership_imports.Opened:
    body = upload.as_asked(schemas.MembershipImportCreate)
    return await membership_imports.look(reader, standing, upload.path, upload.name, body)


@router.post(
    "/membership-imports",
    response_model=schemas.MembershipImport,
    status_code=status.HTTP_202_ACCEPTED,
    summary="Import memberships from a file",
    openapi_extra=_FORM
    | problems(
        errors.PermissionDenied,
        import_errors.FormUnreadable,
        import_errors.MailboxOnlyAdds,
        import_errors.MappingUnfit,
        import_errors.SourceRequired,
        import_errors.TooManyImports,
        *_ABOUT_FILES,
    ),
)
async def create_membership_import(
    standing: Importer,
    file: Annotated[membership_imports.Opened, Depends(_looked)],
    work: SessionDep,
    community: Place = None,
) -> Any:
    """Takes a file in (multipart/form-data), and plans what it would do; with `apply` it is then
    applied. What is no table is refused at once, and nothing of it is kept. The messages of a
    mailbox become requests to join, for which one has to be allowed to read those too. People are
    found by `source` and the file's own number, then by address. Nothing in a file gives a
    position, verifies anybody's eligibility, or changes how somebody signs in."""
    return await membership_imports.create(work, standing, file)


@router.get(
    "/membership-imports",
    response_model=schemas.MembershipImportList,
    summary="Imports of memberships",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_membership_imports(
    reader: ReaderDep,
    standing: Importer,
    page: PageDep,
    community: Place = None,
    status: Annotated[
        list[ImportStatus] | None, Query(description="Only those in one of these states.")
    ] = None,
) -> Any:
    """The imports into one community, or into the association as a whole, the latest first. A
    partner's machine sees those of the partner."""
    wanted, values = import_pages.asked(standing, status)
    listed = await listing.page(reader, wanted, page, **values)
    shown = [import_pages.shown(row) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/membership-imports/{membership_import_id}",
    response_model=schemas.MembershipImport,
    summary="How far an import has come",
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_membership_import(
    membership_import_id: UUID, reader: ReaderDep, standing: ItsImporter
) -> Any:
    """The import. Ask again with `If-None-Match` until its status says that it has ended, or follow
    `progress`."""
    return await import_pages.get(reader, standing, membership_import_id)


@router.put(
    "/membership-imports/{membership_import_id}/mapping",
    response_model=schemas.MembershipImport,
    summary="Say what the columns of a file are",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.PreconditionFailed,
        import_errors.MappingUnfit,
        *_IN_STATE,
    ),
)
async def map_membership_import(
    membership_import_id: UUID,
    body: MembershipMapping,
    work: SessionDep,
    standing: ItsImporter,
    expected: ExpectedDep,
) -> Any:
    """Says what each column is, in place of what the headings suggest, and plans the file anew."""
    return await membership_imports.map_columns(
        work, standing, membership_import_id, body, expected
    )


@router.get(
    "/membership-imports/{membership_import_id}/rows",
    response_model=schemas.MembershipImportRowList,
    summary="The rows of an import",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_membership_import_rows(
    membership_import_id: UUID,
    reader: ReaderDep,
    standing: ItsImporter,
    page: PageDep,
    outcome: Annotated[
        list[RowOutcome] | None, Query(description="Only rows with one of these outcomes.")
    ] = None,
    noted: Annotated[
        bool, Query(description="true: only rows of which something is said.")
    ] = False,
) -> Any:
    """What becomes of each row, or became, and why: with a stable code, the column, and a sentence
    in both languages."""
    found = await import_pages.find(reader, standing, membership_import_id)
    wanted = import_rows.listing(tuple(sorted(set(outcome or ()))), noted)
    listed = await listing.page(reader, wanted, page, **{"import": found.id})
    shown = [import_rows.shown(row) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/membership-imports/{membership_import_id}/report.csv",
    response_class=StreamingResponse,
    responses={200: {"description": "The report.", "content": {"text/csv": _TEXT}}},
    summary="The file again, with what became of each row",
    openapi_extra=problems(errors.PermissionDenied, import_errors.FileErased),
)
async def get_membership_import_report(
    membership_import_id: UUID,
    reader: ReaderDep,
    standing: ItsImporter,
    language: Annotated[
        Language | None, Query(description="Of its sentences; without it as Accept-Language says.")
    ] = None,
    accept_language: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Any:
    """The input as CSV with two columns more: the outcome, and what is wrong. Corrected, it can be
    sent again as it is; the two columns are not read."""
    found = await import_pages.find_kept(reader, standing, membership_import_id)
    return StreamingResponse(
        import_rows.report(reader, found.id, found.headings, language, accept_language),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="report.csv"'},
    )


@router.post(
    "/membership-imports/{membership_import_id}/application",
    response_model=schemas.MembershipImport,
    status_code=status.HTTP_202_ACCEPTED,
    summary="Apply a plan",
    openapi_extra=problems(
        errors.PermissionDenied,
        import_errors.EndingsExceedLimit,
        import_errors.RowsRefused,
        *_IN_STATE,
    ),
)
async def apply_membership_import(
    membership_import_id: UUID,
    body: Annotated[
        schemas.MembershipImportApplication,
        Body(default_factory=schemas.MembershipImportApplication),
    ],
    work: SessionDep,
    standing: ItsImporter,
) -> Any:
    """Applies the very plan. A row that would do something else by now is refused
    (`changed_since_plan`); of an import that is all or nothing, all of it (`import.plan_outdated`).
    What was reversed can be applied again."""
    return await membership_imports.apply(work, standing, membership_import_id, body.model_dump())


@router.post(
    "/membership-imports/{membership_import_id}/cancellation",
    response_model=schemas.MembershipImport,
    summary="Call an import off",
    openapi_extra=problems(errors.PermissionDenied, *_IN_STATE),
)
async def cancel_membership_import(
    membership_import_id: UUID, work: SessionDep, standing: ItsImporter
) -> Any:
    """Stops it, until it has ended. What a best-effort application had done stays, and can be
    reversed; of one that is all or nothing, nothing stays."""
    return await membership_imports.cancel(work, standing, membership_import_id)


@router.post(
    "/membership-imports/{membership_import_id}/reversal",
    response_model=schemas.MembershipImport,
    status_code=status.HTTP_202_ACCEPTED,
    summary="Undo an import",
    openapi_extra=problems(errors.PermissionDenied, *_IN_STATE),
)
async def reverse_membership_import(
    membership_import_id: UUID, work: SessionDep, standing: ItsImporter
) -> Any:
    """Undoes precisely what this import did, where nothing has been built on it since; rows of
    which something stays have the state `kept`, and say why."""
    return await membership_imports.reverse(work, standing, membership_import_id)


@router.get(
    "/membership-imports/{membership_import_id}/progress",
    response_class=StreamingResponse,
    responses={
        200: {"description": "Events.", "content": {progress.EVENT_STREAM: _EVENTS}},
    },
    summary="Follow an import",
    openapi_extra=problems(errors.PermissionDenied),
)
async def follow_membership_import(
    membership_import_id: UUID,
    request: Request,
    reader: ReaderDep,
    standing: ItsImporter,
    last_event_id: Annotated[
        str | None,
        Header(description="The id of the last event that one had.", max_length=40),
    ] = None,
) -> Any:
    """Server-sent events: `progress` with the import each time that it has changed, and `end` when
    nothing is under way. Each is looked up with the caller's rights at that moment."""

    async def look() -> dict[str, Any]:
        here = await OF_IT.dependency(request)
        return await import_pages.get(reader, here, membership_import_id)

    return StreamingResponse(
        progress.events(
            look,
            schemas.MembershipImport,
            last_event_id,
            frozenset(UNDER_WAY),
            head=request.state.head,
        ),
        media_type=progress.EVENT_STREAM,
        headers={"X-Accel-Buffering": "no"},
    )
