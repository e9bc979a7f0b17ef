"""What a sign-in brings over HTTP: a form or JSON, and the client it comes from."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app import errors
from app.schemas.auth import PasswordSignIn
from app.services.auth import Client

FORM = "application/x-www-form-urlencoded"
# Members of the OAuth2 form that libraries always send and that say nothing here.
IGNORED = {"scope", "client_id", "client_secret"}


def client_of(request: Request) -> Client:
    """The client of this request, by what it calls itself and by its network address."""
    name = request.headers.get("user-agent", "")
    printable = "".join(character for character in name if character.isprintable())
    return Client(printable[:200], request.client.host if request.client else "")


async def sign_in_asked(request: Request) -> PasswordSignIn:
    """The body of a sign-in, from a form or from JSON. Raises what any other body would."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if kind == FORM:
        members = _form(body)
    elif kind == "application/json":
        members = await request.json()
    else:
        raise errors.MediaTypeUnsupported
    if isinstance(members, dict) and members.get("grant_type", "password") != "password":
        raise errors.GrantTypeUnsupported
    try:
        return PasswordSignIn.model_validate(members)
    except ValidationError as error:
        found: Any = error.errors(include_url=False, include_input=False)
        raise RequestValidationError(
            [{**item, "loc": ("body", *item["loc"])} for item in found]
        ) from error


def _form(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise errors.Malformed from error
    taken = [pair for pair in pairs if pair[0] not in IGNORED]
    members = dict(taken)
    if len(members) < len(taken):
        raise errors.Malformed  # as JSON with a member twice
    return members
