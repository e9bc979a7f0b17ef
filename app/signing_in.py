"""What a sign-in brings over HTTP: a form or JSON, and the client it comes from."""

import base64
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app import deps, errors
from app.db import Database
from app.schemas.auth import ClientSignIn, PasswordSignIn
from app.services import auth, partner_credentials
from app.services.auth import Client

FORM = "application/x-www-form-urlencoded"
# What each grant type brings. OAuth2's libraries send members of others too, which say nothing.
GRANTS: dict[Any, type[PasswordSignIn | ClientSignIn]] = {
    "password": PasswordSignIn,
    "client_credentials": ClientSignIn,
}
_MEMBERS = {"username", "password", "scope", "client_id", "client_secret"}


def client_of(request: Request) -> Client:
    """The client of this request, by what it calls itself and by its network address."""
    name = request.headers.get("user-agent", "")
    printable = "".join(character for character in name if character.isprintable())
    return Client(printable[:200], request.client.host if request.client else "")


async def sign_in(
    database: Database, asked: PasswordSignIn | ClientSignIn, client: Client
) -> dict[str, Any]:
    """The tokens that a sign-in gets, a person's or those of a partner's machine."""
    if isinstance(asked, ClientSignIn):
        return await partner_credentials.sign_in(
            database, asked.client_id, asked.client_secret, asked.scope, client
        )
    return await auth.sign_in(database, asked.username, asked.password, client)


async def sign_in_asked(request: Request) -> PasswordSignIn | ClientSignIn:
    """The body of a sign-in, from a form or from JSON. Raises what any other body would."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if kind == FORM:
        members = _form(body)
    elif kind == "application/json":
        members = await request.json()
    else:
        raise errors.MediaTypeUnsupported
    if not isinstance(members, dict):
        return _shaped(PasswordSignIn, members)
    grant = members.get("grant_type", "password")
    if not isinstance(grant, str) or grant not in GRANTS:
        raise errors.GrantTypeUnsupported
    shape = GRANTS[grant]
    others = _MEMBERS - shape.model_fields.keys()
    members = {name: value for name, value in members.items() if name not in others}
    basic = deps.client_credentials(request)
    if basic is not None:
        members = _by_basic(members, basic, shape)
    return _shaped(shape, members)


def _shaped(shape: type[PasswordSignIn | ClientSignIn], members: Any) -> Any:
    try:
        return shape.model_validate(members)
    except ValidationError as error:
        found: Any = error.errors(include_url=False, include_input=False)
        raise RequestValidationError(
            [{**item, "loc": ("body", *item["loc"])} for item in found]
        ) from error


def _by_basic(members: dict[str, Any], basic: str, shape: type[Any]) -> dict[str, Any]:
    """The client's id and secret from HTTP Basic, as OAuth2 has them; they stand in one place."""
    if shape is not ClientSignIn:
        raise errors.TokenInvalid  # a person does not sign in by them
    try:
        client_id, colon, secret = base64.b64decode(basic, validate=True).decode().partition(":")
    except ValueError as error:
        raise errors.TokenInvalid from error
    if not colon:
        raise errors.TokenInvalid
    said = {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}
    again = members.get("client_id", said["client_id"])
    if "client_secret" in members or again != said["client_id"]:
        raise errors.Malformed
    return members | said


def _form(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise errors.Malformed from error
    members = dict(pairs)
    if len(members) < len(pairs):
        raise errors.Malformed  # as JSON with a member twice
    return members
