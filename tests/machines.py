"""Scripts and partners' machines: whatever calls with a credential that is no sign-in."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from app import tokens
from app.policy import Capability
from tests.answers import ok
from tests.cast import Api, Someone, day
from tests.places import access_token_of

EVERYTHING = [capability.value for capability in Capability]


async def script_of(owner: Someone, *scopes: str, **body: Any) -> Someone:
    """A script with a token that its owner has made for it, over HTTP."""
    made = ok(
        await owner.post(
            "/me/access-tokens",
            {"name": "Script", "scopes": list(scopes), "expires_on": day(30)} | body,
        ),
        201,
    )
    return replace(owner, token=made["token"])


async def script_with(api: Api, owner: Someone, scopes: list[str], **values: Any) -> Someone:
    """The same, put in place: also for owners who may not make one, and past the limits."""
    secret = tokens.PERSONAL + tokens.opaque()
    token = access_token_of(owner.id, secret, scopes=scopes, **values)
    async with api.database.work() as work:
        work.add(token)
    return replace(owner, token=secret)


async def partner_of(staff: Someone, *capabilities: str, **body: Any) -> dict[str, Any]:
    """A partner that staff have admitted."""
    asked = {"name": "Court Institute", "contact_email": "it@institute.example.org"}
    return ok(await staff.post("/partners", asked | {"capabilities": capabilities} | body), 201)


async def credential_of(staff: Someone, partner: dict[str, Any]) -> dict[str, Any]:
    """A credential that staff have given to a partner."""
    body = {"name": "Learning platform", "expires_on": day(30)}
    return ok(await staff.post(f"/partners/{partner['id']}/credentials", body), 201)


def client_of(credential: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The body with which a machine signs in."""
    return {
        "grant_type": "client_credentials",
        "client_id": credential["client_id"],
        "client_secret": credential["client_secret"],
    } | changed


async def machine_of(staff: Someone, partner: dict[str, Any], **changed: Any) -> Someone:
    """A machine of a partner's that has just signed in."""
    credential = await credential_of(staff, partner)
    issued = ok(await staff.api.post("/auth/tokens", client_of(credential, **changed)))
    return replace(staff, id=UUID(partner["id"]), token=issued["access_token"])
