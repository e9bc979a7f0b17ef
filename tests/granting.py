"""Changing the permission table as it takes two."""

from typing import Any

import httpx

from tests.answers import ok
from tests.cast import Api, Someone

MODERATE = "posts:moderate"
CHANGES = "/grant-changes"
WHY = "Leaders asked to share the work."


async def propose(by: Someone, capability: str, *granted_to: str, **members: Any) -> httpx.Response:
    """Proposes that a row says exactly this, based on the table as it is now."""
    version = ok(await by.get(f"/grants/{capability}"))["version"]
    body = {"capability": capability, "granted_to": list(granted_to)}
    return await by.post(CHANGES, body | {"based_on": version, "reason": WHY} | members)


async def confirm(by: Someone, change: dict[str, Any], **headers: str) -> httpx.Response:
    """Confirms a change, with an If-Match or without."""
    body = {"outcome": "confirmed"}
    return await by.put(f"{CHANGES}/{change['id']}/decision", body, headers=headers)


async def refuse(by: Someone, change: dict[str, Any], **body: Any) -> httpx.Response:
    """Refuses a change, with a reason."""
    said = {"outcome": "refused", "reason": "Not yet."} | body
    return await by.put(f"{CHANGES}/{change['id']}/decision", said)


async def granted(api: Api, capability: str = MODERATE) -> list[str]:
    """To whom a capability is given now."""
    return ok(await api.get(f"/grants/{capability}"))["granted_to"]


async def grant(one: Someone, second: Someone, capability: str, *granted_to: str) -> None:
    """One proposes that a capability is given to exactly these, and the second confirms it."""
    ok(await confirm(second, ok(await propose(one, capability, *granted_to), 201)))
