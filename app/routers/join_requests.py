"""Asking to join, and deciding about it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, status

from app import errors, listing
from app.deps import ExpectedDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import JoinRequest, JoinRequestStatus
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import page_of
from app.schemas.join_requests import (
    JoinDecision,
    JoinRequestCreate,
    JoinRequestList,
    JoinRequestsReceived,
)
from app.schemas.join_requests import JoinRequest as JoinRequestShown
from app.services import join_decisions, join_requests, join_submissions

router = api_router(tags=["joining"])


@router.post(
    "/join-requests",
    response_model=JoinRequestsReceived,
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask to join one or several communities",
    openapi_extra=problems(errors.RulesVersionOutdated, errors.CommunityArchived),
)
async def submit_join_request(
    body: JoinRequestCreate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.JOIN_REQUESTS_SUBMIT)],
) -> Any:
    """One form for several communities, from anyone. A mail goes to the address; each request
    waits until it is confirmed and is then decided by the leaders of its community. The answer is
    the same whether or not the address is known."""
    return {"items": await join_submissions.submit(work, standing, body.model_dump())}


@router.get(
    "/communities/{community}/join-requests",
    response_model=JoinRequestList,
    summary="The requests to join a community",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_join_requests(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.JOIN_REQUESTS_READ)],
    page: PageDep,
    status: Annotated[
        list[JoinRequestStatus] | None, Query(description="Only these states; repeat for or.")
    ] = None,
) -> Any:
    """With all six answers, the earliest first. A request whose address nobody has confirmed is
    not listed."""
    found, parameters = join_requests.asked(standing, status)
    listed = await listing.page(reader, found, page, **parameters)
    shown = [join_requests.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/join-requests/{join_request_id}",
    response_model=JoinRequestShown,
    summary="One request to join",
)
async def get_join_request(
    join_request_id: UUID,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.JOIN_REQUESTS_READ, within=JoinRequest)],
) -> Any:
    """A request, for those who may read the requests of its community."""
    return await join_requests.get(reader, standing, join_request_id)


@router.put(
    "/join-requests/{join_request_id}/decision",
    response_model=JoinRequestShown,
    summary="Decide a request to join",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnRequest,
        errors.JoinRequestAlreadyDecided,
        errors.JoinRequestNotPending,
        errors.EligibilityNotVerified,
        errors.MembershipExists,
        errors.PersonDeactivated,
        errors.CommunityArchived,
        errors.PreconditionFailed,
    ),
)
async def decide_join_request(
    join_request_id: UUID,
    body: JoinDecision,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(
            Capability.JOIN_REQUESTS_DECIDE,
            within=JoinRequest,
            seen_with=Capability.JOIN_REQUESTS_READ,
        ),
    ],
    expected: ExpectedDep,
) -> Any:
    """Once. Accepting begins the membership, and the account where there is none; a refusal needs
    a comment. The applicant is told by mail in their language."""
    return await join_decisions.decide(
        work, standing, join_request_id, body.outcome, body.comment, expected
    )
