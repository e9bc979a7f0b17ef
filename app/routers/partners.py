"""Partner organisations and their credentials."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response, status

from app import credential_errors, errors, listing
from app.deps import ExpectedRequired, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router, secret_once
from app.schemas.base import page_of
from app.schemas.partners import (
    CredentialCreate,
    CredentialList,
    NewCredential,
    Partner,
    PartnerCreate,
    PartnerList,
    PartnerUpdate,
)
from app.services import partner_credentials, partners

router = api_router(tags=["partners"])

Viewer = Annotated[Standing, may(Capability.PARTNERS_MANAGE)]
# A credential that makes credentials would outlive its own end.
Manager = Annotated[Standing, may(Capability.PARTNERS_MANAGE, machines=False)]


@router.get(
    "/partners",
    response_model=PartnerList,
    summary="Partner organisations",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_partners(reader: ReaderDep, standing: Viewer, page: PageDep) -> Any:
    """The organisations whose machines may call, the earliest first."""
    listed = await listing.page(reader, partners.LISTING, page)
    shown = [partners.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.post(
    "/partners",
    response_model=Partner,
    status_code=status.HTTP_201_CREATED,
    summary="Admit a partner organisation",
    openapi_extra=problems(errors.PermissionDenied),
)
async def create_partner(body: PartnerCreate, work: SessionDep, standing: Manager) -> Any:
    """An organisation, and what its machines may do at most and where: nothing that takes part or
    decides about people, and nothing that the caller may not do in the whole association."""
    return await partners.create(work, standing, body.model_dump())


@router.get(
    "/partners/{partner_id}",
    response_model=Partner,
    summary="One partner organisation",
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_partner(partner_id: UUID, reader: ReaderDep, standing: Viewer) -> Any:
    """One partner."""
    return await partners.get(reader, standing, partner_id)


@router.patch(
    "/partners/{partner_id}",
    response_model=Partner,
    summary="Change a partner organisation",
    openapi_extra=problems(errors.PermissionDenied, *errors.EDITED_BY_SEVERAL),
)
async def update_partner(
    partner_id: UUID,
    body: PartnerUpdate,
    work: SessionDep,
    standing: Manager,
    expected: ExpectedRequired,
) -> Any:
    """A merge patch. What is taken from a partner, all of it with `active: false`, is gone at the
    next request of its machines, on the tokens that they have."""
    return await partners.update(work, standing, partner_id, body.model_dump(), expected)


@router.get(
    "/partners/{partner_id}/credentials",
    response_model=CredentialList,
    summary="A partner's credentials",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_credentials(partner_id: UUID, reader: ReaderDep, standing: Viewer) -> Any:
    """The credentials that still work. Which machine each is for is shown, never its secret."""
    return {"items": await partner_credentials.of(reader, partner_id)}


@router.post(
    "/partners/{partner_id}/credentials",
    response_model=NewCredential,
    status_code=status.HTTP_201_CREATED,
    summary="Give a partner a credential",
    openapi_extra=problems(errors.PermissionDenied, credential_errors.TooManyCredentials),
)
@secret_once
async def create_credential(
    partner_id: UUID, body: CredentialCreate, work: SessionDep, standing: Manager
) -> Any:
    """A client_id, and a client_secret that is shown this once, for `POST /auth/tokens` with
    `grant_type=client_credentials`."""
    return await partner_credentials.create(work, standing, partner_id, body.model_dump())


@router.delete(
    "/partners/{partner_id}/credentials/{credential_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Revoke a partner's credential",
    openapi_extra=problems(errors.PermissionDenied),
)
async def revoke_credential(
    partner_id: UUID, credential_id: UUID, work: SessionDep, standing: Viewer
) -> Response:
    """Ends it at once, with every token that was had with it."""
    await partner_credentials.revoke(work, standing, partner_id, credential_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
