"""The permission table: what may be changed in it, by whom, and how soon it holds."""

from typing import Any

import httpx
import pytest

from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, WELLNESS, Api, Someone

MODERATE = "posts:moderate"
QUEUE = f"/communities/{DTC}/review-queue"


async def give(by: Someone, capability: str, *granted_to: str, **headers: str) -> httpx.Response:
    path = f"/grants/{capability}"
    tag = headers or {"If-Match": (await by.get(path)).headers["etag"]}
    return await by.put(path, {"granted_to": list(granted_to)}, headers=tag)


async def test_anybody_reads_the_table(api: Api) -> None:
    rows = ok(await api.get("/grants"))["items"]
    assert len(rows) == 54
    (row,) = [row for row in rows if row["capability"] == MODERATE]
    assert row["granted_to"] == ["chair", "vice_chair", "secretary", "member_at_large", "staff"]
    assert row["open_to_all"] is False and row["meaning"]["fr"]
    assert ok(await api.get(f"/grants/{MODERATE}")) == row
    assert code(await api.get("/grants/posts:destroy"), 404) == "not_found"


async def test_a_change_holds_at_the_next_request_of_anybody(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    carla = await api.leader("Carla Chair", "chair", WELLNESS)
    queue = f"/communities/{WELLNESS}/review-queue"
    assert because(await mary.get(QUEUE)) == ["position_required"]
    ok(await carla.get(queue))
    async with leaves(api, ("grant.changed", staff)):
        changed = ok(await give(staff, MODERATE, "secretary", "staff"))
    assert changed["granted_to"] == ["secretary", "staff"]
    assert because(await carla.get(queue)) == ["position_required"]
    assert MODERATE not in ok(await carla.get(f"/communities/{WELLNESS}/standing"))["can"]
    ok(await give(staff, MODERATE, "member", "staff"))
    ok(await mary.get(QUEUE))
    assert ok(await api.get(f"/grants/{MODERATE}"))["granted_to"] == ["member", "staff"]


async def test_leaders_do_not_change_the_table(api: Api) -> None:
    carla, president = (
        await api.leader("Carla Chair", "chair"),
        await api.staff("Petra President", "president"),
    )
    refused = await give(carla, MODERATE, "chair", "member")
    assert because(refused) == ["position_required"]
    assert refused.json()["because"][0]["positions"] == ["president", "staff"]
    ok(await give(president, MODERATE, "chair"))


@pytest.mark.parametrize("grantee", ("public", "account"))
async def test_what_is_private_is_never_given_to_people_who_do_not_belong(
    api: Api, grantee: str
) -> None:
    staff, stranger = await api.staff(), await api.person("Nobody Here")
    for capability in ("discussions:read", "memberships:read", "grants:manage", "audit:read"):
        async with leaves(api):
            refused = await give(staff, capability, grantee, "member", "staff")
            assert code(refused, 409) == "grant.ceiling"
    assert code(await stranger.get(f"/communities/{DTC}/discussions"), 403) == "permission.denied"
    ok(await give(staff, "events:read", grantee))


async def test_grantees_are_positions_or_the_three_groups(api: Api) -> None:
    staff = await api.staff()
    unknown = await give(staff, MODERATE, "chair", "emperor")
    assert wrong(unknown) == [("/granted_to/1", "not_known")]
    ok(await give(staff, MODERATE, "chair", "member"))


async def test_somebody_is_left_who_may_change_the_table(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    for nobody in ((), ("chair",), ("president",), ("member",)):
        async with leaves(api):
            assert code(await give(staff, "grants:manage", *nobody), 409) == "grant.last_holder"
    president = await api.staff("Petra President", "president")
    ok(await give(staff, "grants:manage", "president"))
    assert because(await give(staff, MODERATE, "chair")) == ["position_required"]
    ok(await give(president, MODERATE, "chair"))
    assert because(await give(carla, MODERATE)) == ["position_required"]


async def test_the_last_account_that_may_change_the_table_stays_on(api: Api) -> None:
    staff, second = await api.staff(), await api.staff("Petra President", "president")
    ok(await give(staff, "people:manage", "staff", "president"))
    ok(await give(staff, "grants:manage", "staff"))
    refused = await second.put(f"/people/{staff.id}/deactivation")
    assert code(refused, 409) == "grant.last_holder"
    ok(await staff.get("/people"))
    await api.staff("Sonia Staff")
    ok(await second.put(f"/people/{staff.id}/deactivation"), 204)


async def test_two_who_change_the_table_are_told_of_each_other(api: Api) -> None:
    staff = await api.staff()
    etag = (await staff.get(f"/grants/{MODERATE}")).headers["etag"]
    path, body = f"/grants/{MODERATE}", {"granted_to": ["chair"]}
    assert code(await staff.put(path, body), 428) == "precondition.required"
    ok(await give(staff, MODERATE, "vice_chair", "staff"))
    stale = await staff.put(path, body, headers={"If-Match": etag})
    assert code(stale, 412) == "precondition.failed"
    assert ok(await api.get(path))["granted_to"] == ["vice_chair", "staff"]


async def test_giving_what_is_given_changes_and_records_nothing(api: Api) -> None:
    staff = await api.staff()
    before = ok(await staff.get(f"/grants/{MODERATE}"))
    async with leaves(api):
        again: dict[str, Any] = ok(await give(staff, MODERATE, *before["granted_to"]))
    assert again == before


async def test_a_row_with_nobody_in_it_is_nobodys(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    ok(await give(staff, MODERATE))
    for someone in (staff, carla):
        refused = await someone.get(QUEUE)
        assert because(refused) == ["position_required"]
        assert refused.json()["because"][0]["positions"] == []
