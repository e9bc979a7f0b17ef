"""Mappings of columns that are kept by name."""

from typing import Annotated, Any

from fastapi import Path, Response, status

from app import errors, import_errors
from app.deps import ExpectedDep, ReaderDep, SessionDep
from app.errors import problems
from app.routers.membership_imports import Importer, Place
from app.routing import api_router
from app.schemas.membership_imports import MappingName, SavedMapping, SavedMappingList
from app.schemas.membership_mappings import MembershipMapping
from app.services import membership_import_mappings

router = api_router(tags=["imports"])

Name = Annotated[MappingName, Path(description="The name under which it is kept.")]


@router.get(
    "/membership-import-mappings",
    response_model=SavedMappingList,
    summary="Mappings that are kept",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_membership_import_mappings(
    reader: ReaderDep, standing: Importer, community: Place = None
) -> Any:
    """The mappings of the association, or of one community, by name."""
    return {"items": await membership_import_mappings.of(reader, standing)}


@router.put(
    "/membership-import-mappings/{mapping_name}",
    response_model=SavedMapping,
    summary="Keep a mapping by name",
    openapi_extra=problems(
        errors.PermissionDenied, errors.PreconditionFailed, import_errors.TooManyMappings
    ),
)
async def save_membership_import_mapping(
    mapping_name: Name,
    body: MembershipMapping,
    work: SessionDep,
    standing: Importer,
    expected: ExpectedDep,
    community: Place = None,
) -> Any:
    """Keeps it for the next file of the same kind, in place of what was kept under the name. Give
    the name as `mapping_name` with a file."""
    return await membership_import_mappings.save(work, standing, mapping_name, body, expected)


@router.delete(
    "/membership-import-mappings/{mapping_name}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Throw a mapping away",
    openapi_extra=problems(errors.PermissionDenied, errors.PreconditionFailed),
)
async def delete_membership_import_mapping(
    mapping_name: Name,
    work: SessionDep,
    standing: Importer,
    expected: ExpectedDep,
    community: Place = None,
) -> Response:
    """Imports that were planned by it keep it."""
    await membership_import_mappings.delete(work, standing, mapping_name, expected)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
