"""Whom a restricted community admits: verifications, and the evidence for them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response, status

from app import errors, listing, membership_errors
from app.deps import (
    ExpectedDep,
    FileDep,
    PageDep,
    ReaderDep,
    SessionDep,
    SignedIn,
    may,
)
from app.errors import problems
from app.models import EligibilityVerification, VerificationStatus
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import page_of
from app.schemas.eligibility import EligibilityVerification as VerificationShown
from app.schemas.eligibility import (
    EligibilityVerificationList,
    VerificationDecision,
    VerificationRequest,
    VerificationRevocation,
)
from app.services import eligibility, verification_pages

router = api_router(tags=["joining"])

# Whoever it is about, or a verifier: the service looks.
Concerned = Annotated[
    Standing, may(Capability.ELIGIBILITY_VERIFY, within=EligibilityVerification, own=True)
]
Verifier = Annotated[Standing, may(Capability.ELIGIBILITY_VERIFY, within=EligibilityVerification)]
_FILE = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
_FILES = dict.fromkeys(("application/pdf", "image/png", "image/jpeg"), _FILE)


@router.post(
    "/communities/{community}/eligibility-verifications",
    response_model=VerificationShown,
    status_code=status.HTTP_201_CREATED,
    summary="Ask that it be verified what somebody is",
    openapi_extra=problems(
        errors.PermissionDenied,
        membership_errors.CommunityOpenToAll,
        membership_errors.VerificationOpen,
        errors.CommunityArchived,
    ),
)
async def request_eligibility_verification(
    community: str, body: VerificationRequest, work: SessionDep, standing: SignedIn
) -> Any:
    """A restricted community admits only people of whom it is verified that they are what it asks
    for. Everybody with an account may ask for themselves; verifiers ask for applicants and members.
    Evidence, if any, is uploaded to the verification and destroyed with the decision."""
    return await eligibility.request(work, standing, body.model_dump())


@router.get(
    "/communities/{community}/eligibility-verifications",
    response_model=EligibilityVerificationList,
    summary="The verifications of a community",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_eligibility_verifications(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.ELIGIBILITY_VERIFY)],
    page: PageDep,
    status: Annotated[
        list[VerificationStatus] | None, Query(description="Only these; repeat for or.")
    ] = None,
    person_id: Annotated[UUID | None, Query(description="Only this person's.")] = None,
) -> Any:
    """All there ever were, the earliest first, each with who confirmed it, how and until when."""
    found, parameters = verification_pages.asked(standing, status, person_id)
    listed = await listing.page(reader, found, page, **parameters)
    shown = [verification_pages.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/me/eligibility-verifications",
    response_model=EligibilityVerificationList,
    summary="My verifications",
    tags=["me"],
)
async def list_my_eligibility_verifications(
    reader: ReaderDep, standing: SignedIn, page: PageDep
) -> Any:
    """What was asked and decided about the caller, everywhere, the latest first."""
    listed = await listing.page(
        reader,
        verification_pages.OWN,
        page,
        **await verification_pages.mine(reader, standing),
    )
    shown = [verification_pages.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/eligibility-verifications/{eligibility_verification_id}",
    response_model=VerificationShown,
    summary="One verification",
)
async def get_eligibility_verification(
    eligibility_verification_id: UUID, reader: ReaderDep, standing: Concerned
) -> Any:
    """A verification, for the community's verifiers and for the person whom it is about."""
    return await verification_pages.get(reader, standing, eligibility_verification_id)


@router.put(
    "/eligibility-verifications/{eligibility_verification_id}/decision",
    response_model=VerificationShown,
    summary="Decide a verification",
    openapi_extra=problems(
        errors.PermissionDenied,
        membership_errors.OwnVerification,
        membership_errors.SecondVerifierNeeded,
        membership_errors.VerificationDecided,
        errors.PreconditionFailed,
    ),
)
async def decide_eligibility_verification(
    eligibility_verification_id: UUID,
    body: VerificationDecision,
    work: SessionDep,
    standing: Verifier,
    expected: ExpectedDep,
) -> Any:
    """To confirm names the basis and the last day, to refuse the reason; never about oneself. Where
    the community asks for two people, a second one has to confirm it too. What was uploaded is
    destroyed with the decision. The person is told by mail."""
    return await eligibility.decide(
        work, standing, eligibility_verification_id, body.model_dump(), expected
    )


@router.post(
    "/eligibility-verifications/{eligibility_verification_id}/revocation",
    response_model=VerificationShown,
    summary="Revoke a verification",
    openapi_extra=problems(
        errors.PermissionDenied,
        membership_errors.OwnVerification,
        membership_errors.VerificationNotConfirmed,
        errors.PreconditionFailed,
    ),
)
async def revoke_eligibility_verification(
    eligibility_verification_id: UUID,
    body: VerificationRevocation,
    work: SessionDep,
    standing: Verifier,
    expected: ExpectedDep,
) -> Any:
    """It counts no longer from this instant on; the membership's rights rest until another one is
    confirmed."""
    return await eligibility.revoke(
        work, standing, eligibility_verification_id, body.reason, expected
    )


@router.post(
    "/eligibility-verifications/{eligibility_verification_id}/withdrawal",
    response_model=VerificationShown,
    summary="Take back a verification that is not decided",
    openapi_extra=problems(errors.PermissionDenied, membership_errors.VerificationDecided),
)
async def withdraw_eligibility_verification(
    eligibility_verification_id: UUID, work: SessionDep, standing: Concerned
) -> Any:
    """By the person whom it is about, or whoever asked for it; other verifiers refuse it, with a
    reason. What was uploaded is destroyed."""
    return await eligibility.withdraw(work, standing, eligibility_verification_id)


@router.put(
    "/eligibility-verifications/{eligibility_verification_id}/evidence",
    response_model=VerificationShown,
    summary="Upload evidence",
    openapi_extra={
        **problems(
            errors.PermissionDenied,
            membership_errors.VerificationDecided,
            membership_errors.EvidenceSeen,
            membership_errors.EvidenceUnsupported,
            errors.PreconditionFailed,
        ),
        "requestBody": {"required": True, "content": _FILES},
    },
)
async def put_eligibility_evidence(
    eligibility_verification_id: UUID,
    work: SessionDep,
    standing: Concerned,
    content: FileDep,
    expected: ExpectedDep,
) -> Any:
    """One PDF, PNG or JPEG as it is, of at most 1 MiB, in place of an earlier one, until somebody
    has confirmed by it. Verifiers can see it until the decision; with it, or after 90 days without
    one, it is destroyed."""
    return await eligibility.keep_evidence(
        work, standing, eligibility_verification_id, content, expected
    )


@router.get(
    "/eligibility-verifications/{eligibility_verification_id}/evidence",
    summary="The evidence for a verification",
    response_class=Response,
    responses={200: {"content": _FILES, "description": "The file, as an attachment."}},
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_eligibility_evidence(
    eligibility_verification_id: UUID, reader: ReaderDep, standing: Verifier
) -> Response:
    """What was uploaded, for verifiers, while the verification is open."""
    kept = await verification_pages.evidence(reader, eligibility_verification_id)
    headers = {"Content-Disposition": "attachment", "Cache-Control": "no-store"}
    return Response(kept.content, media_type=kept.media_type, headers=headers)
