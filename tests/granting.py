"""Changing the permission table as it takes two."""

from tests.answers import ok
from tests.cast import Someone


async def grant(one: Someone, second: Someone, capability: str, *granted_to: str) -> None:
    """One proposes that a capability is given to exactly these, and the second confirms it."""
    version = ok(await one.get(f"/grants/{capability}"))["version"]
    wanted = {"capability": capability, "granted_to": list(granted_to)}
    body = wanted | {"based_on": version, "reason": "For the test."}
    change = ok(await one.post("/grant-changes", body), 201)
    decision = {"outcome": "confirmed"}
    ok(await second.put(f"/grant-changes/{change['id']}/decision", decision))
