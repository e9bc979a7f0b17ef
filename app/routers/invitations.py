"""Inviting to a community, and answering an invitation."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, status

from app import errors, invitation_errors, listing
from app.deps import Anybody, ExpectedDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Invitation
from app.policy import Capability, Standing
from app.routing import api_router, secret_once
from app.schemas.base import Email, page_of
from app.schemas.invitations import Invitation as InvitationShown
from app.schemas.invitations import (
    InvitationAcceptance,
    InvitationAccepted,
    InvitationDeclined,
    InvitationInspection,
    InvitationList,
    InvitationsCreate,
    InvitationsMade,
    InvitationState,
    InvitationToken,
)
from app.services import invitation_answers, invitations

router = api_router(tags=["joining"])

_Managing = Annotated[Standing, may(Capability.MEMBERSHIPS_MANAGE, within=Invitation)]


@router.post(
    "/communities/{community}/invitations",
    response_model=InvitationsMade,
    status_code=status.HTTP_201_CREATED,
    summary="Invite people to a community",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.CommunityArchived,
        invitation_errors.CommunityClosed,
        invitation_errors.TooManyInvitations,
    ),
)
async def create_invitations(
    community: str,
    body: InvitationsCreate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.MEMBERSHIPS_MANAGE)],
) -> Any:
    """Up to a hundred addresses at once, each with its outcome. That is the same whether or not an
    address is known or a member's: the mail tells a member that they belong already. One
    invitation of an address is open at a time; whoever invites answers for it."""
    return {"items": await invitations.invite(work, standing, body.model_dump())}


@router.get(
    "/communities/{community}/invitations",
    response_model=InvitationList,
    summary="The invitations of a community",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_invitations(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.MEMBERSHIPS_MANAGE)],
    page: PageDep,
    state: Annotated[
        list[InvitationState] | None, Query(description="Only these states; repeat for or.")
    ] = None,
    email: Annotated[Email | None, Query(description="Only those of this address.")] = None,
) -> Any:
    """The latest first, with their state by today's date."""
    found, parameters = invitations.asked(standing, state, email)
    listed = await listing.page(reader, found, page, **parameters)
    shown = [invitations.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/invitations/{invitation_id}", response_model=InvitationShown, summary="One invitation"
)
async def get_invitation(invitation_id: UUID, reader: ReaderDep, standing: _Managing) -> Any:
    """An invitation, for those who manage the memberships of its community."""
    return await invitations.get(reader, standing, invitation_id)


@router.put(
    "/invitations/{invitation_id}/revocation",
    response_model=InvitationShown,
    summary="Revoke an invitation",
    openapi_extra=problems(
        errors.PermissionDenied, invitation_errors.InvitationNotOpen, errors.PreconditionFailed
    ),
)
async def revoke_invitation(
    invitation_id: UUID, work: SessionDep, standing: _Managing, expected: ExpectedDep
) -> Any:
    """Its link is void at once. Nobody is told by mail."""
    return await invitations.revoke(work, standing, invitation_id, expected)


@router.post(
    "/invitations/{invitation_id}/resending",
    response_model=InvitationShown,
    status_code=status.HTTP_202_ACCEPTED,
    summary="Mail an invitation again",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.CommunityArchived,
        invitation_errors.CommunityClosed,
        invitation_errors.InvitationNotOpen,
        errors.PreconditionFailed,
    ),
)
async def resend_invitation(
    invitation_id: UUID, work: SessionDep, standing: _Managing, expected: ExpectedDep
) -> Any:
    """With a new link; the earlier one is void. The last day stays as it is, and whoever asks for
    this answers for the invitation from now on. 429 after three mails within an hour."""
    return await invitations.resend(work, standing, invitation_id, expected)


# By the link of the mail


@router.post(
    "/invitations/inspection",
    response_model=InvitationInspection,
    summary="Is an invitation still good?",
)
@secret_once
async def inspect_invitation(body: InvitationToken, reader: ReaderDep, standing: Anybody) -> Any:
    """What a form needs to know before it offers the button; using nothing up."""
    return await invitation_answers.inspect(reader, standing, body.token)


@router.post(
    "/invitations/acceptance",
    response_model=InvitationAccepted,
    summary="Accept an invitation",
    openapi_extra=problems(
        errors.MailedTokenInvalid,
        errors.RulesVersionOutdated,
        errors.CommunityArchived,
        errors.EligibilityNotVerified,
        errors.MembershipExists,
        errors.PersonDeactivated,
        invitation_errors.CommunityClosed,
        invitation_errors.InvitationNotOpen,
        invitation_errors.InvitationVoid,
    ),
)
@secret_once
async def accept_invitation(body: InvitationAcceptance, work: SessionDep, standing: Anybody) -> Any:
    """Proves the address, makes the account of somebody who has none, records the agreement to the
    rules and begins the membership, once. The link says whose it is, whoever may be signed in. A
    restricted community admits whom it has verified (409 `eligibility.not_verified`); the
    invitation then stays open until its last day."""
    return await invitation_answers.accept(work, standing, body.model_dump())


@router.post(
    "/invitations/decline",
    response_model=InvitationDeclined,
    summary="Decline an invitation",
    openapi_extra=problems(errors.MailedTokenInvalid, invitation_errors.InvitationNotOpen),
)
@secret_once
async def decline_invitation(body: InvitationToken, work: SessionDep, standing: Anybody) -> Any:
    """Says no, for good; no account is made."""
    return await invitation_answers.decline(work, standing, body.token)
