"""What surrounds a change of the table: the setting, the mails, the log, and many at once."""

from uuid import UUID

import httpx
import pytest

from tests.answers import because, code, leaves, ok, wrong
from tests.cast import Api, Someone, text_of
from tests.crowds import Doors, at_once, outcomes
from tests.granting import CHANGES, MODERATE, WHY, confirm, granted, propose, refuse


@pytest.fixture
async def staff(api: Api) -> Someone:
    return await api.staff()


@pytest.fixture
async def petra(api: Api) -> Someone:
    return await api.staff("Petra President", "president")


# Whether changes are confirmed


async def setting(by: Someone, value: bool) -> httpx.Response:
    version = ok(await by.get(f"/grants/{MODERATE}"))["version"]
    body = {"confirms_grants": value, "based_on": version, "reason": "There is only one of us."}
    return await by.post(CHANGES, body)


async def test_confirmation_is_switched_off_by_two_and_then_one_is_enough(
    api: Api, staff: Someone, petra: Someone
) -> None:
    change = ok(await setting(staff, False), 201)
    assert change["status"] == "pending" and ok(await api.get("/association"))["confirms_grants"]
    async with leaves(api, ("association.confirmation_changed", petra)):
        ok(await confirm(petra, change))
    assert ok(await api.get("/association"))["confirms_grants"] is False
    async with leaves(api, ("grant.changed", staff)):
        made = ok(await propose(staff, MODERATE, "chair"), 201)
    assert (made["status"], made["decided_by"]) == ("made", None)
    assert await granted(api) == ["chair"]
    ok(await setting(petra, True), 201)
    assert ok(await propose(staff, MODERATE, "staff"), 201)["status"] == "pending"


async def test_the_setting_is_no_way_round(api: Api, staff: Someone, petra: Someone) -> None:
    patched = await staff.patch("/association", {"confirms_grants": False})
    assert wrong(patched) == [("/confirms_grants", "unknown_member")]
    managers = ok(await propose(staff, "association:manage", "president"), 201)
    ok(await confirm(petra, managers))
    assert because(await setting(staff, False)) == ["position_required"]
    ok(await setting(petra, False), 201)
    assert code(await setting(petra, True), 409) == "grant.unchanged"
    both = {"confirms_grants": False, "granted_to": ["chair"], "based_on": 1, "reason": WHY}
    assert wrong(await petra.post(CHANGES, both)) == [("/confirms_grants", "one_change_at_a_time")]
    neither = await petra.post(CHANGES, {"based_on": 1, "reason": WHY})
    assert wrong(neither) == [("/capability", "required"), ("/granted_to", "required")]


# Mails and the log


async def test_the_others_and_the_proposer_are_told(
    api: Api, staff: Someone, petra: Someone
) -> None:
    await api.work_off()
    change = ok(await propose(staff, MODERATE, "member", "staff"), 201)
    (asked,) = await api.work_off()
    assert asked["to"] == petra.email and "members, Association staff" in text_of(asked)
    ok(await confirm(petra, change))
    (told,) = await api.work_off()
    assert told["to"] == staff.email and petra.name in text_of(told)
    change = ok(await propose(staff, MODERATE, "chair"), 201)
    await api.work_off()
    ok(await refuse(petra, change))
    (refused,) = await api.work_off()
    assert refused["to"] == staff.email and "Not yet." in text_of(refused)
    ok(await confirm(petra, ok(await setting(staff, False), 201)))
    (told,) = await api.work_off()
    assert told["to"] == staff.email
    assert "hold at once, without a second person" in text_of(told)


async def test_a_proposal_that_waits_no_longer_is_not_mailed(
    api: Api, staff: Someone, petra: Someone
) -> None:
    await api.work_off()
    change = ok(await propose(staff, MODERATE, "chair"), 201)
    ok(await staff.post(f"{CHANGES}/{change['id']}/withdrawal", {}), 201)
    assert await api.work_off() == []
    ok(await propose(staff, MODERATE, "chair"), 201)
    assert [mail["to"] for mail in await api.work_off()] == [petra.email]


async def test_the_log_names_both_people(api: Api, staff: Someone, petra: Someone) -> None:
    change = ok(await propose(staff, MODERATE, "chair", "staff"), 201)
    ok(await confirm(petra, change))
    (record,) = ok(await staff.get("/audit-log?kind=grant.changed"))["items"]
    assert UUID(record["actor"]["id"]) == petra.id
    assert record["subject"] == {"kind": "grant", "id": MODERATE}
    assert record["facts"] == {
        "change_id": change["id"],
        "proposed_by": str(staff.id),
        "confirmed_by": str(petra.id),
        "added": [],
        "removed": ["member_at_large", "secretary", "vice_chair"],
    }


# Many at once


async def test_one_of_sixteen_simultaneous_decisions_counts(api: Api, staff: Someone) -> None:
    change = ok(await propose(staff, MODERATE, "chair"), 201)
    others = [await api.staff(f"Staff {number}") for number in range(16)]
    async with Doors.to(api) as doors:
        answers = await at_once(
            (confirm if number % 2 else refuse)(doors.at(other, number), change)
            for number, other in enumerate(others)
        )
    assert outcomes(answers) == {200: 1, (409, "grant_change.decided"): 15}
    (counted,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert ok(await staff.get(f"{CHANGES}/{change['id']}"))["decided_by"] == counted["decided_by"]
    assert (await granted(api) == ["chair"]) is (counted["status"] == "made")
    records = [
        record["actor"]["id"]
        for kind in ("grant.changed", "grant.change_refused")
        for record in ok(await staff.get(f"/audit-log?kind={kind}"))["items"]
    ]
    assert records == [counted["decided_by"]["id"]]


async def test_of_two_changes_of_one_row_that_are_confirmed_at_once_one_is_stale(
    api: Api, staff: Someone, petra: Someone
) -> None:
    sonia = await api.staff("Sonia Staff")
    changes = [ok(await propose(staff, MODERATE, who), 201) for who in ("chair", "staff")]
    async with Doors.to(api) as doors:
        answers = await at_once(
            confirm(doors.at(by, number), change)
            for number, (by, change) in enumerate(zip((petra, sonia), changes, strict=True))
        )
    assert outcomes(answers) == {200: 1, (409, "grant_change.stale"): 1}
    (made,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert await granted(api) == made["granted_to"]


async def test_two_who_take_the_table_from_each_other_at_once_leave_one_who_may_change_it(
    api: Api, staff: Someone, petra: Someone
) -> None:
    to_president = ok(await propose(staff, "grants:manage", "president"), 201)
    to_staff = ok(await propose(petra, "grants:manage", "staff"), 201)
    async with Doors.to(api) as doors:
        answers = await at_once(
            (confirm(doors.at(petra, 0), to_president), confirm(doors.at(staff, 1), to_staff))
        )
    refused = [answer.json()["code"] for answer in answers if answer.is_error]
    assert len(refused) == 1 and refused[0] in ("permission.denied", "grant_change.stale")
    assert await granted(api, "grants:manage") in (["president"], ["staff"])
