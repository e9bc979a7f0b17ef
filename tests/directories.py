"""A partner's directory: what it sends over SCIM, and what it is told."""

from dataclasses import replace
from typing import Any

import httpx

from tests.answers import ok
from tests.cast import DTC, Api, Someone
from tests.machines import machine_of, partner_of

SCIM = "http://testserver/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
JSON = {"Content-Type": "application/scim+json"}


class Directory:
    """The directory of one partner, as its machine calls."""

    def __init__(self, machine: Someone) -> None:
        self.machine = machine
        self.api = machine.api

    async def call(
        self, method: str, path: str, json: Any = None, **options: Any
    ) -> httpx.Response:
        headers = {**(JSON if json is not None else {}), **options.pop("headers", {})}
        return await self.machine.call(method, SCIM + path, json=json, headers=headers, **options)

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        return await self.call("GET", path, params=parameters)

    async def search(self, path: str, filtered: str) -> list[dict[str, Any]]:
        """What a filter finds."""
        return ok(await self.get(path, filter=filtered))["Resources"]

    async def create(self, user_name: str, **members: Any) -> httpx.Response:
        body = {"schemas": [USER], "userName": user_name} | members
        return await self.call("POST", "/Users", body)

    async def user(self, user_name: str, **members: Any) -> str:
        """The id of a user that it has created."""
        return ok(await self.create(user_name, **members), 201)["id"]

    async def patch(self, path: str, *operations: dict[str, Any], **options: Any) -> httpx.Response:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return await self.call("PATCH", path, body, **options)

    async def group(self, slug: str = DTC) -> str:
        """The path of the group that is a community."""
        return f"/Groups/{await self.api.community_id(slug)}"

    async def add(self, *users: str, to: str = DTC) -> httpx.Response:
        """Puts users into a group."""
        members = [{"value": user} for user in users]
        operation = {"op": "add", "path": "members", "value": members}
        return await self.patch(await self.group(to), operation)

    async def remove(self, user: str, of: str = DTC) -> httpx.Response:
        """Takes a user out of a group."""
        operation = {"op": "remove", "path": f'members[value eq "{user}"]'}
        return await self.patch(await self.group(of), operation)

    async def members(self, slug: str = DTC) -> set[str]:
        """The users whom it is shown in a group."""
        group = ok(await self.get(await self.group(slug)))
        return {member["value"] for member in group.get("members", [])}


async def directory_of(
    api: Api, *slugs: str, staff: Someone | None = None, name: str = "Court Institute"
) -> Directory:
    """The directory of a partner that may provision in these communities; in all of the open ones
    without any."""
    staff = staff or await api.staff(f"Stella for {name}")
    partner = await partner_of(
        staff, "memberships:manage", name=name, communities=list(slugs) or None
    )
    return Directory(await machine_of(staff, partner))


def refused(answer: httpx.Response, status: int) -> str | None:
    """The keyword of a refusal with this status, in SCIM's form."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert body["status"] == str(status) and body["detail"]
    assert set(body) <= {"schemas", "status", "scimType", "detail"}
    return body.get("scimType")


def as_somebody_else(directory: Directory, token: str) -> Directory:
    """The same calls with another credential."""
    return Directory(replace(directory.machine, token=token))
