"""Asking to join, and deciding about it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, status

from app import errors, invitation_errors, joining_errors, listing
from app.deps import ExpectedDep, LinkDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import JoinRequest, JoinRequestStatus
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import page_of
from app.schemas.join_requests import (
    JoinDecision,
    JoinInformation,
    JoinInformationRequest,
    JoinRequestCreate,
    JoinRequestDetail,
    JoinRequestList,
    JoinRequestsReceived,
)
from app.services import join_decisions, join_inquiries, join_requests, join_submissions

router = api_router(tags=["joining"])

Decider = Annotated[
    Standing,
    may(
        Capability.JOIN_REQUESTS_DECIDE,
        within=JoinRequest,
        seen_with=Capability.JOIN_REQUESTS_READ,
    ),
]
# Whoever asked to join, signed in with the address of the form or by the link that went there.
# Whose it is, the service looks: to those who may not read it, it is as if it never was.
Applicant = Annotated[
    Standing,
    may(
        None,
        within=JoinRequest,
        seen_with=Capability.JOIN_REQUESTS_READ,
        own=True,
        linked=True,
    ),
]


@router.post(
    "/join-requests",
    response_model=JoinRequestsReceived,
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask to join one or several communities",
    openapi_extra=problems(
        errors.RulesVersionOutdated, errors.CommunityArchived, invitation_errors.NotTakingRequests
    ),
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
    """With all six answers, the earliest first. What waits for those who decide is `pending`; a
    request whose address nobody has confirmed is not listed."""
    found, parameters = join_requests.asked(standing, status)
    listed = await listing.page(reader, found, page, **parameters)
    who = await join_requests.onlooker(reader, standing)
    shown = [join_requests.shown(row, who) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/join-requests/{join_request_id}",
    response_model=JoinRequestDetail,
    summary="One request to join",
)
async def get_join_request(
    join_request_id: UUID,
    reader: ReaderDep,
    standing: Annotated[
        Standing,
        may(Capability.JOIN_REQUESTS_READ, within=JoinRequest, own=True, linked=True),
    ],
    link: LinkDep,
) -> Any:
    """For those who may read the requests of its community, with what was asked from the address
    here before; and for its applicant, signed in with that address or with the link that was
    mailed, as bearer, who is not told who asked and who decided. The link is good for the requests
    of its form, until 60 days after each was closed."""
    return await join_requests.get(reader, standing, join_request_id, link)


@router.put(
    "/join-requests/{join_request_id}/decision",
    response_model=JoinRequestDetail,
    summary="Decide a request to join",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnRequest,
        errors.JoinRequestAlreadyDecided,
        errors.JoinRequestNotPending,
        joining_errors.JoinRequestExpired,
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
    standing: Decider,
    expected: ExpectedDep,
) -> Any:
    """Once, also while a question is open. Accepting begins the membership, and the account where
    there is none; a refusal needs a comment. The applicant is told by mail in their language."""
    return await join_decisions.decide(
        work, standing, join_request_id, body.outcome, body.comment, expected
    )


@router.put(
    "/join-requests/{join_request_id}/information-request",
    response_model=JoinRequestDetail,
    summary="Ask an applicant something",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnRequest,
        errors.JoinRequestAlreadyDecided,
        errors.JoinRequestNotPending,
        joining_errors.JoinRequestExpired,
        joining_errors.InformationRequested,
        errors.CommunityArchived,
        errors.PreconditionFailed,
    ),
)
async def request_join_information(
    join_request_id: UUID,
    body: JoinInformationRequest,
    work: SessionDep,
    standing: Decider,
    expected: ExpectedDep,
) -> Any:
    """By those who may decide. The question is mailed with a link; the request waits for the
    applicant, who has 30 days, and expires when they are over. One question is open at a time."""
    return await join_inquiries.ask(work, standing, join_request_id, body.question, expected)


@router.put(
    "/join-requests/{join_request_id}/information",
    response_model=JoinRequestDetail,
    summary="Answer what I was asked about my request",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.JoinRequestAlreadyDecided,
        errors.JoinRequestNotPending,
        joining_errors.JoinRequestExpired,
        joining_errors.InformationNotRequested,
        errors.PreconditionFailed,
    ),
)
async def give_join_information(
    join_request_id: UUID,
    body: JoinInformation,
    work: SessionDep,
    standing: Applicant,
    link: LinkDep,
    expected: ExpectedDep,
) -> Any:
    """By the applicant, signed in or with the link that was mailed, as bearer. The request is
    pending again, and those who decide are reminded of it."""
    return await join_inquiries.answer(work, standing, join_request_id, body.answer, link, expected)


@router.post(
    "/join-requests/{join_request_id}/withdrawal",
    response_model=JoinRequestDetail,
    summary="Take my request back",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.JoinRequestAlreadyDecided,
        errors.JoinRequestNotPending,
        joining_errors.JoinRequestExpired,
    ),
)
async def withdraw_join_request(
    join_request_id: UUID, work: SessionDep, standing: Applicant, link: LinkDep
) -> Any:
    """By the applicant, signed in or with the link that was mailed, as bearer, until it is
    decided."""
    return await join_inquiries.withdraw(work, standing, join_request_id, link)
