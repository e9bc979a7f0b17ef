"""The permission table: what may be changed in it, by whom, who confirms it, how soon it holds."""

import pytest

from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, WELLNESS, Api, Someone, unknown_id
from tests.granting import CHANGES, MODERATE, confirm, granted, propose, refuse

QUEUE = f"/communities/{DTC}/review-queue"


@pytest.fixture
async def staff(api: Api) -> Someone:
    return await api.staff()


@pytest.fixture
async def petra(api: Api) -> Someone:
    return await api.staff("Petra President", "president")


# The table


async def test_anybody_reads_the_table(api: Api) -> None:
    rows = ok(await api.get("/grants"))["items"]
    assert len(rows) == 54
    (row,) = [row for row in rows if row["capability"] == MODERATE]
    assert row["granted_to"] == ["chair", "vice_chair", "secretary", "member_at_large", "staff"]
    assert row["meaning"]["fr"]
    assert ok(await api.get(f"/grants/{MODERATE}")) == row
    assert code(await api.get("/grants/posts:destroy"), 404) == "not_found"


async def test_each_row_says_to_whom_it_may_be_granted_at_most(api: Api) -> None:
    ceilings = {row["capability"]: row["ceiling"] for row in ok(await api.get("/grants"))["items"]}
    assert ceilings["events:read"] == "everyone"
    assert ceilings["memberships:read"] == "members"
    assert ceilings["discussions:read"] == "members_of_restricted"


# Proposing and confirming


async def test_a_change_waits_until_a_second_person_confirms_it_and_then_holds(
    api: Api, staff: Someone, petra: Someone
) -> None:
    mary = await api.member("Mary Member")
    async with leaves(api, ("grant.change_proposed", staff)):
        change = ok(await propose(staff, MODERATE, "member", "staff"), 201)
    assert (change["status"], change["confirmers"]) == ("pending", 1)
    assert change["viewer"]["can"] == ["withdraw_grant_change"]
    assert because(await mary.get(QUEUE)) == ["position_required"]
    async with leaves(api, ("grant.changed", petra)):
        made = ok(await confirm(petra, change))
    assert made["status"] == "made" and made["viewer"]["can"] == []
    assert made["proposed_by"] == {"id": str(staff.id), "name": staff.name}
    assert made["decided_by"] == {"id": str(petra.id), "name": petra.name}
    assert made["replaces"] == ["chair", "vice_chair", "secretary", "member_at_large", "staff"]
    ok(await mary.get(QUEUE))
    assert await granted(api) == ["member", "staff"]
    assert MODERATE in ok(await mary.get(f"/communities/{DTC}/standing"))["can"]


async def test_a_right_that_is_taken_away_is_gone_at_the_next_request(
    api: Api, staff: Someone, petra: Someone
) -> None:
    carla = await api.leader("Carla Chair", "chair", WELLNESS)
    queue = f"/communities/{WELLNESS}/review-queue"
    change = ok(await propose(staff, MODERATE, "secretary", "staff"), 201)
    ok(await carla.get(queue))
    ok(await confirm(petra, change))
    assert because(await carla.get(queue)) == ["position_required"]
    assert MODERATE not in ok(await carla.get(f"/communities/{WELLNESS}/standing"))["can"]


async def test_nobody_confirms_or_refuses_their_own_proposal(
    api: Api, staff: Someone, petra: Someone
) -> None:
    change = ok(await propose(staff, MODERATE, "staff"), 201)
    async with leaves(api):
        assert code(await confirm(staff, change), 403) == "grant_change.own"
        assert code(await refuse(staff, change), 403) == "grant_change.own"
    ok(await confirm(petra, change))


async def test_only_those_who_may_change_the_table_propose_see_and_confirm(
    api: Api, staff: Someone, petra: Someone
) -> None:
    carla = await api.leader("Carla Chair", "chair")
    refused = await propose(carla, MODERATE, "chair", "member")
    assert because(refused) == ["position_required"]
    assert refused.json()["because"][0]["positions"] == ["president", "staff"]
    change = ok(await propose(petra, MODERATE, "chair"), 201)
    for attempt in (await confirm(carla, change), await carla.get(CHANGES)):
        assert because(attempt) == ["position_required"]
    assert because(await carla.get(f"{CHANGES}/{change['id']}")) == ["position_required"]
    assert code(await staff.get(f"{CHANGES}/{unknown_id()}"), 404) == "not_found"
    assert ok(await staff.get(f"{CHANGES}/{change['id']}"))["viewer"]["can"] == [
        "decide_grant_change"
    ]
    ok(await confirm(staff, change))


async def test_who_lost_the_right_in_between_confirms_nothing(
    api: Api, staff: Someone, petra: Someone
) -> None:
    sonia = await api.staff("Sonia Staff")
    change = ok(await propose(staff, MODERATE, "chair"), 201)
    ok(await petra.post(f"/terms/{sonia.terms['staff']}/removal", {"reason": "Has left."}), 201)
    assert because(await confirm(sonia, change)) == ["position_required"]
    assert ok(await staff.get(f"{CHANGES}/{change['id']}"))["confirmers"] == 1
    ok(await confirm(petra, change))


async def test_a_refusal_needs_a_reason_and_changes_nothing(
    api: Api, staff: Someone, petra: Someone
) -> None:
    before = await granted(api)
    change = ok(await propose(staff, MODERATE, "chair"), 201)
    assert wrong(await refuse(petra, change, reason=None)) == [("/reason", "reason_required")]
    async with leaves(api, ("grant.change_refused", petra)):
        refused = ok(await refuse(petra, change))
    assert (refused["status"], refused["decision_reason"]) == ("refused", "Not yet.")
    assert code(await confirm(petra, change), 409) == "grant_change.decided"
    assert await granted(api) == before


async def test_whoever_proposed_a_change_and_nobody_else_takes_it_back(
    api: Api, staff: Someone, petra: Someone
) -> None:
    change = ok(await propose(staff, MODERATE, "chair"), 201)
    path = f"{CHANGES}/{change['id']}/withdrawal"
    assert because(await petra.post(path, {})) == ["own_only"]
    async with leaves(api, ("grant.change_withdrawn", staff)):
        assert ok(await staff.post(path, {}), 201)["status"] == "withdrawn"
    assert code(await staff.post(path, {}), 409) == "grant_change.decided"
    assert code(await confirm(petra, change), 409) == "grant_change.decided"


async def test_where_one_person_alone_may_change_the_table_the_answer_says_that_nobody_can_confirm(
    api: Api, staff: Someone
) -> None:
    change = ok(await propose(staff, MODERATE, "chair"), 201)
    assert (change["status"], change["confirmers"]) == ("pending", 0)
    await api.staff("Petra President", "president")
    assert ok(await staff.get(f"{CHANGES}/{change['id']}"))["confirmers"] == 1


async def test_changes_are_listed_the_latest_first_and_by_state(
    api: Api, staff: Someone, petra: Someone
) -> None:
    first = ok(await propose(staff, MODERATE, "chair"), 201)
    second = ok(await propose(staff, "minutes:write", "chair"), 201)
    ok(await confirm(petra, first))
    listed = ok(await petra.get(f"{CHANGES}?include=total"))
    assert [item["id"] for item in listed["items"]] == [second["id"], first["id"]]
    assert listed["total"] == 2
    (pending,) = ok(await petra.get(f"{CHANGES}?status=pending"))["items"]
    assert pending == ok(await petra.get(f"{CHANGES}/{second['id']}"))


# Against which table


async def test_a_change_whose_row_has_moved_is_stale(
    api: Api, staff: Someone, petra: Someone
) -> None:
    one = ok(await propose(staff, MODERATE, "chair"), 201)
    other = ok(await propose(staff, MODERATE, "vice_chair", "staff"), 201)
    elsewhere = ok(await propose(staff, "minutes:write", "chair"), 201)
    ok(await confirm(petra, other))
    async with leaves(api):
        assert code(await confirm(petra, one), 409) == "grant_change.stale"
    assert await granted(api) == ["vice_chair", "staff"]
    ok(await confirm(petra, elsewhere))
    ok(await refuse(petra, one))


async def test_a_change_is_based_on_a_table_that_its_author_can_have_read(
    api: Api, staff: Someone, petra: Someone
) -> None:
    seen = ok(await staff.get(f"/grants/{MODERATE}"))["version"]
    ok(await confirm(petra, ok(await propose(staff, MODERATE, "chair"), 201)))
    stale = await propose(staff, MODERATE, "vice_chair", based_on=seen)
    assert code(stale, 409) == "grant_change.stale"
    tomorrow = await propose(staff, MODERATE, "vice_chair", based_on=seen + 2)
    assert wrong(tomorrow) == [("/based_on", "not_known")]
    ok(await propose(staff, MODERATE, "vice_chair", based_on=seen + 1), 201)


async def test_a_decision_can_be_bound_to_the_change_as_it_was_read(
    staff: Someone, petra: Someone
) -> None:
    change = ok(await propose(staff, MODERATE, "chair"), 201)
    stale = await confirm(petra, change, **{"If-Match": '"7-x"'})
    assert code(stale, 412) == "precondition.failed"
    etag = (await petra.get(f"{CHANGES}/{change['id']}")).headers["etag"]
    ok(await confirm(petra, change, **{"If-Match": etag}))


async def test_proposing_what_is_so_already_is_refused(api: Api, staff: Someone) -> None:
    as_it_is = await granted(api)
    async with leaves(api):
        assert code(await propose(staff, MODERATE, *as_it_is), 409) == "grant.unchanged"


# What may stand in the table


@pytest.mark.parametrize("grantee", ("public", "account"))
async def test_what_is_private_is_never_given_to_people_who_do_not_belong(
    api: Api, staff: Someone, petra: Someone, grantee: str
) -> None:
    stranger = await api.person("Nobody Here")
    for capability in ("discussions:read", "memberships:read", "grants:manage", "audit:read"):
        async with leaves(api):
            refused = await propose(staff, capability, grantee, "member", "staff")
            assert code(refused, 409) == "grant.ceiling"
    assert code(await stranger.get(f"/communities/{DTC}/discussions"), 403) == "permission.denied"
    ok(await confirm(petra, ok(await propose(staff, "events:read", grantee), 201)))


async def test_grantees_are_positions_of_any_scope_or_the_three_groups(
    api: Api, staff: Someone, petra: Someone
) -> None:
    unknown = await propose(staff, MODERATE, "chair", "emperor")
    assert wrong(unknown) == [("/granted_to/1", "not_known")]
    everybody = ("member", "chair", "convener", "president", "governance_member")
    change = ok(await propose(staff, MODERATE, *everybody), 201)
    assert ok(await confirm(petra, change))["granted_to"] == list(everybody)
    assert await granted(api) == list(everybody)


async def test_somebody_is_left_who_may_change_the_table(
    api: Api, staff: Someone, petra: Someone
) -> None:
    carla = await api.leader("Carla Chair", "chair")
    for nobody in ((), ("chair",), ("convener",), ("member",)):
        async with leaves(api):
            refused = await propose(staff, "grants:manage", *nobody)
            assert code(refused, 409) == "grant.last_holder"
    ok(await confirm(petra, ok(await propose(staff, "grants:manage", "president"), 201)))
    assert because(await propose(staff, MODERATE, "chair")) == ["position_required"]
    assert because(await propose(carla, MODERATE)) == ["position_required"]
    ok(await propose(petra, MODERATE, "chair"), 201)


async def test_the_last_holder_is_looked_for_when_a_change_is_confirmed(
    api: Api, staff: Someone, petra: Someone
) -> None:
    sonia = await api.staff("Sonia Staff")
    change = ok(await propose(staff, "grants:manage", "president"), 201)
    ok(await sonia.post(f"/terms/{petra.terms['president']}/removal", {"reason": "Gone."}), 201)
    async with leaves(api):
        assert code(await confirm(sonia, change), 409) == "grant.last_holder"
    paula = await api.person("Paula President")
    await api.hold(paula, "president", None, starts=0)
    ok(await confirm(sonia, change))


async def test_the_last_account_that_may_change_the_table_stays_on(
    api: Api, staff: Someone, petra: Someone
) -> None:
    people = ok(await propose(staff, "people:manage", "staff", "president"), 201)
    ok(await confirm(petra, people))
    ok(await confirm(petra, ok(await propose(staff, "grants:manage", "staff"), 201)))
    refused = await petra.put(f"/people/{staff.id}/deactivation")
    assert code(refused, 409) == "grant.last_holder"
    ok(await staff.get("/people"))
    await api.staff("Sonia Staff")
    ok(await petra.put(f"/people/{staff.id}/deactivation"), 204)


async def test_who_sits_on_a_committee_by_another_position_can_confirm(
    api: Api, staff: Someone, petra: Someone
) -> None:
    carla = await api.leader("Carla Chair", "chair")
    holders = ("staff", "president", "governance_member")
    ok(await confirm(petra, ok(await propose(staff, "grants:manage", *holders), 201)))
    change = ok(await propose(staff, MODERATE, "chair"), 201)
    assert change["confirmers"] == 2
    ok(await confirm(carla, change))


async def test_the_last_holder_by_another_position_stays_on(
    api: Api, staff: Someone, petra: Someone
) -> None:
    carla = await api.leader("Carla Chair", "chair")
    change = ok(await propose(staff, "grants:manage", "governance_member"), 201)
    ok(await confirm(petra, change))
    ok(await carla.get(CHANGES))
    removal, ending = f"/terms/{carla.terms['chair']}/removal", {"reason": "Has moved."}
    membership = f"/memberships/{carla.memberships[DTC]}/end"
    for refused in (await petra.post(removal, ending), await carla.post(membership, {})):
        assert code(refused, 409) == "grant.last_holder"
    await api.leader("Cora Chair", "chair", WELLNESS)
    ok(await petra.post(removal, ending), 201)
    ok(await carla.post(membership, {}))


async def test_a_row_with_nobody_in_it_is_nobodys(api: Api, staff: Someone, petra: Someone) -> None:
    carla = await api.leader("Carla Chair", "chair")
    ok(await confirm(petra, ok(await propose(staff, MODERATE), 201)))
    for someone in (staff, carla):
        refused = await someone.get(QUEUE)
        assert because(refused) == ["position_required"]
        assert refused.json()["because"][0]["positions"] == []
