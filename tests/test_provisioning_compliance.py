"""scim2-tester, a client of others, against the real application: all that it checks is so, but for
what is named here with its reason."""

import asyncio
from collections.abc import Sequence
from typing import Any, overload
from uuid import uuid4

import httpx
from scim2_client import BaseSyncSCIMClient
from scim2_tester import CheckResult, Status, check_server

from tests.cast import DTC, WELLNESS, Api
from tests.directories import GROUP, SCIM, Directory, directory_of

EXCEPTIONS = {
    # Searching users and groups in one list is not offered; both have a search of their own. The
    # tester would take 501 for an answer, which this server does not give.
    ("search_with_attributes", "User"),
    ("search_with_attributes", "Group"),
    # A user is active or is not: that it is neither cannot be said.
    ("check_remove_attribute", "User"),
    # Communities are the association's, so that one that was "deleted" is still there.
    ("object_deletion", "Group"),
}


class Addresses(Sequence[str]):
    """As many addresses as one wants: what the tester may take for a userName. That one is an
    address here, no schema can say."""

    def __len__(self) -> int:
        return 1000

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return f"{uuid4()}@example.org"


class Client(BaseSyncSCIMClient):
    """The tester's client, from its thread to the application in this process.

    Where the tester makes a group it is given one of the communities there are, and where it
    deletes one that is emptied, since the association alone makes and ends communities.
    """

    def __init__(self, directory: Directory, groups: list[str]) -> None:
        super().__init__()
        self.directory, self.groups = directory, groups
        self.loop = asyncio.get_running_loop()

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        calling = self.directory.machine.call(method, SCIM + url, **options)
        return asyncio.run_coroutine_threadsafe(calling, self.loop).result()

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return endpoint.startswith("/")

    def create(self, resource: Any, *args: Any, **options: Any) -> Any:
        if resource.__schema__ != GROUP:
            return super().create(resource, *args, **options)
        resource.id = self.groups.pop(0)
        return super().replace(resource)

    def delete(self, target: Any, *args: Any, **options: Any) -> Any:
        if target.__schema__ != GROUP:
            return super().delete(target, *args, **options)
        (group_id,) = args
        self.groups.append(group_id)
        return self.request("PUT", f"/Groups/{group_id}", json={"schemas": [GROUP], "members": []})


def checked(client: Client) -> list[CheckResult]:
    client.discover()
    users: Any = client.get_resource_model("User")
    users.model_fields["user_name"].examples = Addresses()
    return check_server(client)


async def test_an_independent_client_finds_the_protocol_kept(api: Api) -> None:
    directory = await directory_of(api, DTC, WELLNESS)
    groups = [str(await api.community_id(slug)) for slug in (DTC, WELLNESS)]
    results = await asyncio.to_thread(checked, Client(directory, groups))
    wrong = [result for result in results if result.status is not Status.SUCCESS]
    assert {(result.title, result.resource_type) for result in wrong} == EXCEPTIONS, wrong
    assert [result.reason for result in wrong if result.title == "check_remove_attribute"] == [
        "PATCH modify() did not remove attribute 'active'"
    ]
    assert len(results) - len(wrong) > 50
