"""Belonging to a community: the roster, changes, suspensions, and leaving."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.models import Membership, MembershipCategory, Suspension
from tests.answers import because, code, leaves, ok, told, wrong
from tests.cast import DTC, WELLNESS, Api, Someone, day, mail_to, on, text_of, unknown_id

ROSTER = f"/communities/{DTC}/memberships"
TALK = f"/communities/{DTC}/discussions"
REASON = {"reason": "Has moved to another court."}
ANY = {"If-Match": "*"}


def path_of(someone: Someone, community: str = DTC) -> str:
    return f"/memberships/{someone.memberships[community]}"


async def suspend(by: Someone, whom: Someone, until_on: str | None = None) -> Any:
    body = {"until_on": until_on or day(7), "reason": "After three warnings."}
    return await by.put(f"{path_of(whom)}/suspension", body)


async def names(someone: Someone, path: str = ROSTER) -> list[str]:
    return [item["person"]["name"] for item in ok(await someone.get(path))["items"]]


# The roster


async def test_the_roster_has_those_who_belong_today(api: Api) -> None:
    mary, left, lapsed = [await api.member(name) for name in ("Mary", "Lee Left", "Lou Lapsed")]
    coming = await api.member("Cora Coming")
    await api.ended_membership(left)
    yesterday, tomorrow = on(-1), on(1)
    await api.change(Membership, lapsed.memberships[DTC], until_on=yesterday)
    await api.change(Membership, coming.memberships[DTC], since_on=tomorrow)
    assert await names(mary) == ["Mary"]
    assert ok(await api.get(f"/communities/{DTC}"))["member_count"] == 1
    for someone in (left, lapsed, coming):
        assert because(await someone.get(ROSTER)) == ["membership_required"]


async def test_members_see_lines_and_leaders_see_how_to_reach_people(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    sue, large = (
        await api.leader("Sue Secretary", "secretary"),
        await api.leader("Lena Large", "member_at_large"),
    )
    for someone in (otto, large):
        seen = ok(await someone.get(path_of(mary)))
        assert seen["private"] is None and mary.email not in (await someone.get(ROSTER)).text
        assert seen["person"]["affiliation"] == "Provincial Court"
    for someone in (mary, sue):
        assert ok(await someone.get(path_of(mary)))["private"]["email"] == mary.email


async def test_only_a_script_of_those_who_may_sees_what_has_ended(api: Api) -> None:
    mary, left = await api.member("Mary Member"), await api.member("Lee Left")
    sue = await api.leader("Sue Secretary", "secretary")
    since = "2020-01-01T00:00:00Z"
    ok(await left.post(f"{path_of(left)}/end", {}))
    assert await names(mary, f"{ROSTER}?updated_after={since}") == ["Mary Member", "Sue Secretary"]
    changed = ok(await sue.get(f"{ROSTER}?updated_after={since}&limit=100"))["items"]
    assert {item["person"]["name"]: item["status"] for item in changed}["Lee Left"] == "ended"
    assert code(await mary.get(path_of(left)), 404) == "not_found"
    assert ok(await sue.get(path_of(left)))["ending"] == "left"


async def test_the_roster_is_filtered_by_category(api: Api) -> None:
    mary, elder = await api.member("Mary Member"), await api.member("Elder Eve")
    lived = MembershipCategory.LIVED_EXPERIENCE
    await api.change(Membership, elder.memberships[DTC], category=lived)
    assert await names(mary, f"{ROSTER}?category=lived_experience") == ["Elder Eve"]
    both = f"{ROSTER}?category=lived_experience&category=practitioner"
    assert await names(mary, both) == ["Mary Member", "Elder Eve"]


async def test_ones_own_memberships_are_listed_with_those_that_ended(api: Api) -> None:
    mary, other = await api.member("Mary Member"), await api.member("Otto Other")
    await api.join(mary, WELLNESS)
    ok(await mary.post(f"{path_of(mary)}/end", {}))
    listed = ok(await mary.get("/me/memberships"))["items"]
    assert [(item["community"]["slug"], item["status"]) for item in listed] == [
        (WELLNESS, "active"),
        (DTC, "ended"),
    ]
    assert len(ok(await other.get("/me/memberships"))["items"]) == 1


# Leaving, and being asked to leave


async def test_what_does_not_run_is_seen_by_leaders_and_oneself(api: Api) -> None:
    mary, sue = await api.member("Mary Member"), await api.leader("Sue Secretary", "secretary")
    lapsed, coming = await api.member("Lou Lapsed"), await api.member("Cora Coming")
    await api.change(Membership, lapsed.memberships[DTC], until_on=on(-1))
    await api.change(Membership, coming.memberships[DTC], since_on=on(1))
    for someone, status in ((lapsed, "ended"), (coming, "planned")):
        assert code(await mary.get(path_of(someone)), 404) == "not_found"
        assert ok(await sue.get(path_of(someone)))["status"] == status
        assert ok(await someone.get(path_of(someone)))["status"] == status


async def test_everybody_may_leave_and_is_outside_at_once(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    discussion = await api.discussion(mary)
    async with leaves(api, ("membership.ended", mary)):
        assert ok(await mary.post(f"{path_of(mary)}/end", {}))["ending"] == "left"
    assert because(await mary.get(ROSTER)) == ["membership_required"]
    assert code(await mary.get(f"/discussions/{discussion['id']}"), 404) == "not_found"
    assert await names(otto) == ["Otto Other"]
    assert code(await mary.post(f"{path_of(mary)}/end", {}), 409) == "membership.ended"


async def test_a_holder_who_leaves_gives_up_the_seat_with_it(api: Api) -> None:
    carla, otto = await api.leader("Carla Chair", "chair"), await api.member("Otto Other")
    await api.hold(carla, "secretary", starts=400, ends=500)
    async with leaves(api, ("membership.ended", carla)):
        ok(await carla.post(f"{path_of(carla)}/end", {}))
    group = ok(await api.get(f"/communities/{DTC}/leadership"))
    assert (group["seats"][0]["state"], group["vacant_seats"]) == ("vacant", 7)
    terms = ok(await otto.get(f"/communities/{DTC}/terms"))["items"]
    assert [item["status"] for item in terms] == ["lapsed"] * 2
    staff = await api.staff()
    (record,) = ok(await staff.get(f"/communities/{DTC}/audit-log?kind=membership.ended"))["items"]
    assert record["facts"]["terms"] == sorted(item["id"] for item in terms)
    seat = {
        "person_id": str(otto.id),
        "position": "chair",
        "starts_on": day(0),
        "ends_on": day(9),
        "basis": "appointment",
    }
    ok(await staff.post(f"/communities/{DTC}/terms", seat), 201)


async def test_ending_somebody_elses_membership_needs_the_right_and_a_reason(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    stranger, sue = await api.person("Nobody"), await api.leader("Sue Secretary", "secretary")
    path = f"{path_of(mary)}/end"
    assert because(await otto.post(path, REASON)) == ["position_required"]
    assert told(await stranger.post(path, REASON)) == told(
        await stranger.post(f"/memberships/{unknown_id()}/end", REASON)
    )
    assert wrong(await sue.post(path, {})) == [("/reason", "reason_required")]
    async with leaves(api, ("membership.ended", sue)):
        assert ok(await sue.post(path, REASON))["ending"] == "ended"
    assert mail_to(await api.work_off(), mary.email)


@pytest.mark.parametrize("starts", (-30, 30), ids=("running", "planned"))
async def test_a_seat_holders_membership_is_touched_by_those_alone_who_end_terms(
    api: Api, starts: int
) -> None:
    staff, vera = await api.staff(), await api.leader("Vera Vice", "vice_chair")
    carla = await api.leader("Carla Chair", "chair", starts=starts)
    for refused in (
        await vera.post(f"{path_of(carla)}/end", REASON),
        await suspend(vera, carla),
        await vera.patch(path_of(carla), {"until_on": day(3)}),
    ):
        assert because(refused) == ["position_required"]
        assert refused.json()["capability"] == "leadership:appoint"
    assert ok(await vera.get(path_of(carla)))["viewer"] == {"can": ["update_membership"]}
    ok(await vera.patch(path_of(carla), {"category": "academic"}))
    ok(await suspend(staff, carla))
    lift = await vera.delete(f"{path_of(carla)}/suspension")
    assert because(lift) == ["position_required"]
    ok(await staff.delete(f"{path_of(carla)}/suspension"), 204)
    ok(await staff.patch(path_of(carla), {"until_on": day(3)}))
    assert because(await vera.patch(path_of(carla), {"until_on": None})) == ["position_required"]
    ok(await staff.post(f"{path_of(carla)}/end", REASON))


async def test_leaders_of_one_community_have_no_say_in_another(api: Api) -> None:
    carla, mary = await api.leader("Carla Chair", "chair", WELLNESS), await api.member("Mary")
    await api.join(carla)
    for refused in (
        await carla.post(f"{path_of(mary)}/end", REASON),
        await carla.patch(path_of(mary), {"category": "observer"}),
        await suspend(carla, mary),
    ):
        assert because(refused) == ["position_required"]


async def test_who_left_can_come_back_and_the_past_stays(api: Api) -> None:
    mary = await api.member("Mary Member")
    first = path_of(mary)
    ok(await mary.post(f"{first}/end", {}))
    await api.join(mary)
    assert path_of(mary) != first
    assert ok(await mary.get(first))["status"] == "ended"
    ok(await mary.get(TALK))


async def test_a_membership_that_ran_out_does_not_stand_in_the_way_of_a_new_one(api: Api) -> None:
    mary = await api.member("Mary Member")
    first = path_of(mary)
    await api.change(Membership, mary.memberships[DTC], until_on=on(-1))
    await api.join(mary)
    assert ok(await mary.get(first))["ending"] == "lapsed"
    ok(await mary.get(TALK))


# Changing one


async def test_a_change_needs_the_version_that_was_read(api: Api) -> None:
    sue, mary = await api.leader("Sue Secretary", "secretary"), await api.member("Mary")
    change = {"category": "academic"}
    etag = (await sue.get(path_of(mary))).headers["etag"]
    assert code(await sue.patch(path_of(mary), change, headers={}), 428) == "precondition.required"
    async with leaves(api, ("membership.updated", sue)):
        changed = await sue.patch(path_of(mary), change, headers={"If-Match": etag})
    assert ok(changed)["category"] == "academic"
    stale = await sue.patch(path_of(mary), {"category": "staff"}, headers={"If-Match": etag})
    assert code(stale, 412) == "precondition.failed"
    assert ok(await sue.get(path_of(mary)))["category"] == "academic"
    later = {"If-Match": changed.headers["etag"]}
    ok(await sue.patch(path_of(mary), {"category": "staff"}, headers=later))


async def test_an_empty_patch_changes_and_records_nothing(api: Api) -> None:
    sue, mary = await api.leader("Sue Secretary", "secretary"), await api.member("Mary")
    before = ok(await sue.get(path_of(mary)))
    async with leaves(api):
        assert ok(await sue.patch(path_of(mary), {})) == before


async def test_a_last_day_is_set_moved_and_taken_away(api: Api) -> None:
    sue, mary = await api.leader("Sue Secretary", "secretary"), await api.member("Mary")
    path = path_of(mary)
    assert wrong(await sue.patch(path, {"until_on": day(-1)})) == [("/until_on", "day_in_the_past")]
    assert wrong(await sue.patch(path, {"until_on": day(0)})) == [("/until_on", "ends_today")]
    assert ok(await sue.patch(path, {"until_on": day(1)}))["status"] == "active"
    ok(await mary.get(TALK))
    assert ok(await sue.patch(path, {"until_on": None}))["until_on"] is None
    assert wrong(await sue.patch(path, {"category": None})) == [("/category", "not_one_of")]


async def test_what_has_ended_is_not_changed_any_more(api: Api) -> None:
    sue, mary = await api.leader("Sue Secretary", "secretary"), await api.member("Mary")
    await api.ended_membership(mary)
    path = path_of(mary)
    for refused in (
        await sue.patch(path, {"category": "academic"}, headers=ANY),
        await sue.post(f"{path}/end", REASON),
        await suspend(await api.leader("Vera Vice", "vice_chair"), mary),
    ):
        assert code(refused, 409) == "membership.ended"


# Suspensions


async def test_a_suspension_takes_the_rights_here_and_leaves_those_elsewhere(api: Api) -> None:
    vera, mary = await api.leader("Vera Vice", "vice_chair"), await api.member("Mary Member")
    await api.join(mary, WELLNESS)
    discussion = await api.discussion(mary)
    async with leaves(api, ("membership.suspended", vera)):
        assert ok(await suspend(vera, mary))["until_on"] == day(7)
    refused = await mary.get(TALK)
    assert because(refused) == ["membership_suspended"]
    assert refused.json()["because"][0]["until"] == day(7)
    assert code(await mary.get(f"/discussions/{discussion['id']}"), 404) == "not_found"
    ok(await mary.get(f"/communities/{WELLNESS}/discussions"))
    assert ok(await mary.get(path_of(mary)))["suspended_until"] == day(7)
    notice = text_of(mail_to(await api.work_off(), mary.email))
    assert "After three warnings." in notice
    async with leaves(api, ("membership.suspension_lifted", vera)):
        ok(await vera.delete(f"{path_of(mary)}/suspension"), 204)
    ok(await mary.get(TALK))
    assert mail_to(await api.work_off(), mary.email)


async def test_other_members_do_not_see_a_suspension(api: Api) -> None:
    vera, mary = await api.leader("Vera Vice", "vice_chair"), await api.member("Mary Member")
    otto, sue = await api.member("Otto Other"), await api.leader("Sue Secretary", "secretary")
    ok(await suspend(vera, mary))
    seen = {
        someone.name: (item["status"], item["suspended_until"])
        for someone in (mary, vera, sue, otto)
        for item in [ok(await someone.get(path_of(mary)))]
    }
    assert seen == {
        "Mary Member": ("suspended", day(7)),
        "Vera Vice": ("suspended", day(7)),
        "Sue Secretary": ("suspended", day(7)),
        "Otto Other": ("active", None),
    }


async def test_no_stamp_filter_or_etag_tells_other_members_of_a_suspension(api: Api) -> None:
    vera, mary = await api.leader("Vera Vice", "vice_chair"), await api.member("Mary Member")
    otto, sue = await api.member("Otto Other"), await api.leader("Sue Secretary", "secretary")
    before = told(await otto.get(path_of(mary)))
    since = f"{ROSTER}?updated_after={(await api.discussion(otto))['created_at']}"
    ok(await suspend(vera, mary))
    assert told(await otto.get(path_of(mary))) == before
    assert await names(otto, since) == []
    assert await names(sue, since) == ["Mary Member"]
    ok(await vera.delete(f"{path_of(mary)}/suspension"), 204)
    assert told(await otto.get(path_of(mary))) == before
    stamps = [ok(await someone.get(path_of(mary)))["updated_at"] for someone in (sue, mary)]
    assert stamps[0] == stamps[1] > before[2]["updated_at"]


async def test_who_is_suspended_may_still_leave(api: Api) -> None:
    vera, mary = await api.leader("Vera Vice", "vice_chair"), await api.member("Mary Member")
    ok(await suspend(vera, mary))
    assert ok(await mary.post(f"{path_of(mary)}/end", {}))["ending"] == "left"


async def test_nobody_suspends_or_restores_oneself(api: Api) -> None:
    staff, vera = await api.staff(), await api.leader("Vera Vice", "vice_chair")
    assert code(await suspend(vera, vera), 403) == "membership.own"
    await api.join(staff)
    other = await api.staff("Sonia Staff")
    ok(await suspend(other, staff))
    own = await staff.delete(f"{path_of(staff)}/suspension")
    assert code(own, 403) == "membership.own"
    ok(await other.delete(f"{path_of(staff)}/suspension"), 204)


async def test_a_secretary_has_no_power_to_suspend(api: Api) -> None:
    sue, mary = await api.leader("Sue Secretary", "secretary"), await api.member("Mary Member")
    assert because(await suspend(sue, mary)) == ["position_required"]
    vera = await api.leader("Vera Vice", "vice_chair")
    ok(await suspend(vera, mary))


async def test_one_suspension_at_a_time_and_a_next_one_after_it(api: Api) -> None:
    vera, mary = await api.leader("Vera Vice", "vice_chair"), await api.member("Mary Member")
    lift = f"{path_of(mary)}/suspension"
    assert code(await vera.delete(lift), 409) == "membership.not_suspended"
    ok(await suspend(vera, mary))
    assert code(await suspend(vera, mary), 409) == "membership.already_suspended"
    ok(await vera.delete(lift), 204)
    assert code(await vera.delete(lift), 409) == "membership.not_suspended"
    ok(await suspend(vera, mary))


async def test_a_suspension_is_not_put_on_or_lifted_over_somebody_elses_change(api: Api) -> None:
    vera, mary = await api.leader("Vera Vice", "vice_chair"), await api.member("Mary Member")
    sue = await api.leader("Sue Secretary", "secretary")
    seen = {"If-Match": (await vera.get(path_of(mary))).headers["etag"]}
    ok(await sue.patch(path_of(mary), {"category": "academic"}))
    path, body = f"{path_of(mary)}/suspension", {"until_on": day(7), "reason": "Warnings."}
    assert code(await vera.put(path, body, headers=seen), 412) == "precondition.failed"
    ok(await vera.put(path, body))
    assert code(await vera.delete(path, headers=seen), 412) == "precondition.failed"
    latest = {"If-Match": (await vera.get(path_of(mary))).headers["etag"]}
    ok(await vera.delete(path, headers=latest), 204)


async def test_a_suspension_that_ran_out_is_over_without_anybodys_doing(api: Api) -> None:
    vera, mary = await api.leader("Vera Vice", "vice_chair"), await api.member("Mary Member")
    ok(await suspend(vera, mary, day(0)))
    (suspension,) = await api.read(sa.select(col(Suspension.id)))
    await api.change(Suspension, suspension.id, until_on=on(-1))
    ok(await mary.get(TALK))
    assert code(await vera.delete(f"{path_of(mary)}/suspension"), 409) == (
        "membership.not_suspended"
    )
    ok(await suspend(vera, mary))


async def test_a_suspension_ends_today_or_within_two_years(api: Api) -> None:
    vera, mary = await api.leader("Vera Vice", "vice_chair"), await api.member("Mary Member")
    assert wrong(await suspend(vera, mary, day(-1))) == [("/until_on", "day_in_the_past")]
    assert wrong(await suspend(vera, mary, day(732))) == [("/until_on", "day_too_far")]
    ok(await suspend(vera, mary, day(731)))


# As of a day


async def test_who_belonged_on_a_day_is_told_to_those_who_read_the_history(api: Api) -> None:
    sue, mary = await api.leader("Sue", "secretary"), await api.member("Mary Member")
    lee, late = await api.member("Lee Left"), await api.member("Lena Late")
    await api.change(Membership, lee.memberships[DTC], until_on=on(-10))
    await api.change(Membership, late.memberships[DTC], since_on=on(-5))
    path = f"/communities/{DTC}/memberships"

    async def names(offset: int) -> set[str]:
        found = ok(await sue.get(path, params={"as_of": day(offset)}))["items"]
        assert {one["status"] for one in found} == {"active"}
        return {one["person"]["name"] for one in found}

    assert await names(-10) == {"Sue", "Mary Member", "Lee Left"}
    assert await names(-9) == {"Sue", "Mary Member"}
    assert await names(0) == {"Sue", "Mary Member", "Lena Late"}
    refused = await mary.get(path, params={"as_of": day(-10)})
    assert because(refused) == ["position_required"]
    ok(await mary.get(path, params={"as_of": day(0)}))
    both = {"as_of": day(-1), "updated_after": "2026-01-01T00:00:00Z"}
    assert code(await sue.get(path, params=both), 422) == "validation.failed"


async def test_who_left_today_belonged_yesterday(api: Api) -> None:
    sue, lee = await api.leader("Sue", "secretary"), await api.member("Lee Left")
    ok(await lee.post(f"/memberships/{lee.memberships[DTC]}/end", {"reason": None}))
    path = f"/communities/{DTC}/memberships"
    for offset, names in ((-1, {"Sue", "Lee Left"}), (0, {"Sue"})):
        found = ok(await sue.get(path, params={"as_of": day(offset)}))["items"]
        assert {one["person"]["name"] for one in found} == names
