"""Signing in and out, and the links that go by mail."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Response, status

from app import credential_errors, errors, proposal_errors
from app.deps import Anybody, AnybodyOrClient, DatabaseDep, ReaderDep, SessionDep, SignedIn
from app.errors import problems
from app.models import TokenPurpose
from app.routing import api_router, secret_once
from app.schemas.auth import (
    AddressAsked,
    EmailVerified,
    IssuedTokens,
    MailedToken,
    PasswordChoice,
    Refresh,
    SessionList,
    TokenInspection,
    Tokens,
)
from app.services import auth, mails
from app.signing_in import client_of, sign_in, sign_in_asked

router = api_router(tags=["signing in"])
me = api_router(tags=["me"])

_SIGN_IN_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/TokenRequest"}},
            "application/x-www-form-urlencoded": {
                "schema": {"$ref": "#/components/schemas/TokenRequest"}
            },
        },
    }
}


@router.post(
    "/auth/tokens",
    response_model=IssuedTokens,
    summary="Sign in",
    openapi_extra=_SIGN_IN_BODY
    | problems(
        errors.CredentialsInvalid,
        errors.SignInThrottled,
        errors.GrantTypeUnsupported,
        credential_errors.ClientInvalid,
        credential_errors.ScopeUnavailable,
    ),
)
@secret_once
async def create_token(
    request: Request,
    database: DatabaseDep,
    standing: AnybodyOrClient,
    asked: Annotated[Any, Depends(sign_in_asked)],
) -> Any:
    """For an address and its password an access token for 15 minutes and a refresh token that
    rotates; for a partner's `client_credentials` an access token alone. As an OAuth2 form or as
    JSON. The token says who calls; what they may do is worked out at each request."""
    return await sign_in(database, asked, client_of(request))


@router.post(
    "/auth/tokens/refresh",
    response_model=Tokens,
    summary="Stay signed in",
    openapi_extra=problems(errors.RefreshTokenInvalid),
)
@secret_once
async def refresh_token(body: Refresh, database: DatabaseDep, standing: Anybody) -> Any:
    """Spends the refresh token and answers with the next pair. If the answer was lost, the same
    request gets the same successor for 30 seconds; a spent token that comes back later ends the
    whole sign-in."""
    return await auth.refresh(database, body.refresh_token)


@router.delete("/auth/tokens/current", status_code=status.HTTP_204_NO_CONTENT, summary="Sign out")
async def end_current_session(work: SessionDep, standing: SignedIn) -> Response:
    """Ends this sign-in at once, with every token of it."""
    await auth.end_session(work, standing, None)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@me.get("/me/sessions", response_model=SessionList, summary="My sign-ins")
async def list_my_sessions(reader: ReaderDep, standing: SignedIn) -> Any:
    """Where the caller is signed in."""
    return {"items": await auth.sessions(reader, standing)}


@me.delete(
    "/me/sessions/{session_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End one of my sign-ins",
)
async def end_my_session(work: SessionDep, standing: SignedIn, session_id: UUID) -> Response:
    """Ends one of the caller's sign-ins at once."""
    await auth.end_session(work, standing, session_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


# Links that go by mail. The answer is the same whether or not the address is known.


@router.post(
    "/auth/password-resets",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask for a link to choose a password",
)
async def request_password_reset(
    body: AddressAsked, work: SessionDep, standing: Anybody
) -> Response:
    """A mail with a link that works once, for an hour. The answer is the same whether or not the
    address is known."""
    await mails.ask(work, "password_reset", body.email)
    return Response(status_code=status.HTTP_202_ACCEPTED)


@router.post(
    "/auth/password-resets/inspection",
    response_model=TokenInspection,
    summary="Is a password link still good?",
)
async def inspect_password_reset(body: MailedToken, reader: ReaderDep, standing: Anybody) -> Any:
    """For a form to know before it asks for a password; using nothing up."""
    return await auth.inspect(reader, body.token, *auth.PASSWORD_PURPOSES)


@router.post(
    "/auth/password-resets/confirmation",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Choose a password",
    openapi_extra=problems(errors.MailedTokenInvalid, errors.PasswordWeak),
)
async def confirm_password_reset(
    body: PasswordChoice, database: DatabaseDep, standing: Anybody
) -> Response:
    """Sets the password by a mailed link. Every other such link, and every sign-in there was,
    ends with it; so do the tokens for scripts, unless `revoke_access_tokens` is false."""
    await auth.choose_password(
        database, body.token, body.password, revoke_access_tokens=body.revoke_access_tokens
    )
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post(
    "/auth/email-verifications",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask again for the link that proves an address",
)
async def request_email_verification(
    body: AddressAsked, work: SessionDep, standing: Anybody
) -> Response:
    """Sends the link of the latest form from this address again, if one waits for it. The answer
    is the same whether or not the address is known."""
    await mails.ask(work, "email_verification", body.email)
    return Response(status_code=status.HTTP_202_ACCEPTED)


@router.post(
    "/auth/email-verifications/inspection",
    response_model=TokenInspection,
    summary="Is a verification link still good?",
)
async def inspect_email_verification(
    body: MailedToken, reader: ReaderDep, standing: Anybody
) -> Any:
    """For a page to know before it offers the button; using nothing up."""
    return await auth.inspect(reader, body.token, TokenPurpose.EMAIL_VERIFICATION)


@router.post(
    "/auth/email-verifications/confirmation",
    response_model=EmailVerified,
    summary="Prove an address",
    openapi_extra=problems(
        errors.MailedTokenInvalid,
        proposal_errors.OwnProposal,
        proposal_errors.ProposalNotOpen,
        proposal_errors.ProposalOpenAlready,
    ),
)
@secret_once
async def confirm_email_verification(body: MailedToken, work: SessionDep, standing: Anybody) -> Any:
    """Proves the address; the requests of that form now wait for a decision, and the agreement to
    the rules counts from here. A proposal of a community is open from here, a supporter counts."""
    return await auth.confirm_email(work, standing, body.token)


@router.post(
    "/auth/sign-in-links",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask for a link that signs in",
)
async def request_sign_in_link(body: AddressAsked, work: SessionDep, standing: Anybody) -> Response:
    """A mail with a link that signs in once, for an hour. The answer is the same whether or not
    the address is known."""
    await mails.ask(work, "sign_in_link", body.email)
    return Response(status_code=status.HTTP_202_ACCEPTED)


@router.post(
    "/auth/sign-in-links/inspection",
    response_model=TokenInspection,
    summary="Is a sign-in link still good?",
)
async def inspect_sign_in_link(body: MailedToken, reader: ReaderDep, standing: Anybody) -> Any:
    """For a page to know before it offers the button; using nothing up."""
    return await auth.inspect(reader, body.token, TokenPurpose.SIGN_IN)


@router.post(
    "/auth/sign-in-links/confirmation",
    response_model=Tokens,
    summary="Sign in by a link",
    openapi_extra=problems(errors.MailedTokenInvalid),
)
@secret_once
async def confirm_sign_in_link(
    body: MailedToken, request: Request, work: SessionDep, standing: Anybody
) -> Any:
    """Tokens for whoever holds the link, once."""
    return await auth.sign_in_by_link(work, body.token, client_of(request))
