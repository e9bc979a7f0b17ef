"""The permission table, and the changes that are proposed to it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query, status

from app import errors, listing
from app.deps import ExpectedDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import GrantChangeStatus
from app.policy import Capability, Standing
from app.routing import api_router, public
from app.schemas.base import page_of
from app.schemas.grants import (
    Grant,
    GrantChange,
    GrantChangeCreate,
    GrantChangeDecision,
    GrantChangeList,
    GrantChangeWithdrawal,
    GrantList,
)
from app.services import grant_changes, grants

router = api_router(tags=["grants"])

Manager = Annotated[Standing, may(Capability.GRANTS_MANAGE)]


@router.get("/grants", response_model=GrantList, summary="The permission table")
@public(60)
async def list_grants(standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)]) -> Any:
    """Which position gives which capability. Rights follow from this table and from the terms
    that run at the moment of each request."""
    return {"items": grants.table(standing)}


@router.get("/grants/{capability}", response_model=Grant, summary="One row of the table")
@public(60)
async def get_grant(
    capability: Capability, standing: Annotated[Standing, may(Capability.COMMUNITIES_READ)]
) -> Any:
    """Who is given one capability."""
    return grants.get(standing, capability)


@router.get(
    "/grant-changes",
    response_model=GrantChangeList,
    summary="Changes of the permission table",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_grant_changes(
    reader: ReaderDep,
    standing: Manager,
    page: PageDep,
    status: Annotated[
        GrantChangeStatus | None, Query(description="Only changes in this state.")
    ] = None,
) -> Any:
    """What was proposed, what has been made of it and by whom, the latest first."""
    found, asked = grant_changes.asked(status)
    listed = await listing.page(reader, found, page, **asked)
    shown = await grant_changes.shown_all(reader, standing, listed.rows)
    return page_of(shown, listed.next_cursor, listed.total)


@router.post(
    "/grant-changes",
    response_model=GrantChange,
    status_code=status.HTTP_201_CREATED,
    summary="Change who is given a capability",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.GrantCeiling,
        errors.GrantLastHolder,
        errors.GrantUnchanged,
        errors.GrantChangeStale,
    ),
)
async def propose_grant_change(body: GrantChangeCreate, work: SessionDep, standing: Manager) -> Any:
    """Proposes to replace a row of the table. Where the association has its changes confirmed
    (`confirms_grants` of the association; so by default), it stays `pending` until another holder
    of grants:manage confirms it; otherwise the answer says `made`, and it holds at the next request
    of anybody. Whether changes are confirmed is such a change too: `confirms_grants` in place of a
    row, for those who may also manage the association."""
    return await grant_changes.propose(work, standing, body.model_dump())


@router.get(
    "/grant-changes/{grant_change_id}",
    response_model=GrantChange,
    summary="One change of the permission table",
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_grant_change(grant_change_id: UUID, reader: ReaderDep, standing: Manager) -> Any:
    """What was proposed, by whom and why, and what has been made of it."""
    return await grant_changes.get(reader, standing, grant_change_id)


@router.put(
    "/grant-changes/{grant_change_id}/decision",
    response_model=GrantChange,
    summary="Confirm or refuse a change",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnGrantChange,
        errors.GrantChangeDecided,
        errors.GrantChangeStale,
        errors.GrantLastHolder,
        errors.PreconditionFailed,
    ),
)
async def decide_grant_change(
    grant_change_id: UUID,
    body: GrantChangeDecision,
    work: SessionDep,
    standing: Manager,
    expected: ExpectedDep,
) -> Any:
    """For anybody who may change the table, save the person who proposed it. Confirmed, it holds
    at the next request of anybody; a change whose row has moved since it was read can only be
    refused."""
    return await grant_changes.decide(work, standing, grant_change_id, body.model_dump(), expected)


@router.post(
    "/grant-changes/{grant_change_id}/withdrawal",
    response_model=GrantChange,
    status_code=status.HTTP_201_CREATED,
    summary="Take back a change that one has proposed",
    openapi_extra=problems(errors.PermissionDenied, errors.GrantChangeDecided),
)
async def withdraw_grant_change(
    grant_change_id: UUID,
    body: Annotated[GrantChangeWithdrawal, Body(default_factory=GrantChangeWithdrawal)],
    work: SessionDep,
    standing: Manager,
) -> Any:
    """The proposer's own act, while nobody has decided."""
    return await grant_changes.withdraw(work, standing, grant_change_id, body.reason)
