"""Personal access tokens."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response, status

from app import credential_errors, errors
from app.deps import ReaderDep, SessionDep, SignedIn, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router, secret_once
from app.schemas.access_tokens import AccessTokenCreate, AccessTokenList, NewAccessToken
from app.services import access_tokens

me = api_router(tags=["me"])
router = api_router(tags=["people"])

Manager = Annotated[Standing, may(Capability.PEOPLE_MANAGE)]


@me.get("/me/access-tokens", response_model=AccessTokenList, summary="My tokens for scripts")
async def list_my_access_tokens(reader: ReaderDep, standing: SignedIn) -> Any:
    """The caller's tokens that still work. What they are for is shown, never the tokens."""
    return {"items": await access_tokens.of(reader, standing.me.id)}


@me.post(
    "/me/access-tokens",
    response_model=NewAccessToken,
    status_code=status.HTTP_201_CREATED,
    summary="Make a token for a script",
    openapi_extra=problems(credential_errors.TooManyAccessTokens),
)
@secret_once
async def create_my_access_token(
    body: AccessTokenCreate, work: SessionDep, standing: SignedIn
) -> Any:
    """A token that is shown this once, sent as `Authorization: Bearer cop_pat_...`. It allows what
    its owner may do at the moment of each request, of that its scopes alone, and in its communities
    alone. What no capability stands for (profile, password, sign-ins, agreements, tokens) is not
    for tokens, except to read `GET /me` and a standing."""
    return await access_tokens.create(work, standing, body.model_dump())


@me.delete(
    "/me/access-tokens/{access_token_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Revoke one of my tokens",
)
async def revoke_my_access_token(
    access_token_id: UUID, work: SessionDep, standing: SignedIn
) -> Response:
    """Ends a token of the caller's at once."""
    await access_tokens.revoke_own(work, standing, access_token_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get(
    "/people/{person_id}/access-tokens",
    response_model=AccessTokenList,
    summary="A person's tokens for scripts",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_access_tokens(person_id: UUID, reader: ReaderDep, standing: Manager) -> Any:
    """The tokens of a person that still work, for those who look after accounts."""
    return {"items": await access_tokens.of(reader, person_id)}


@router.delete(
    "/access-tokens/{access_token_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Revoke anybody's token",
    openapi_extra=problems(errors.PermissionDenied),
)
async def revoke_access_token(
    access_token_id: UUID, work: SessionDep, standing: Manager
) -> Response:
    """Ends a token at once, whoever made it."""
    await access_tokens.revoke(work, standing, access_token_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
