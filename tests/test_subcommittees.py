"""Subcommittees: made and dissolved by a community's leaders, with seats of their own."""

from typing import Any

import pytest

from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day, unknown_id
from tests.crowds import Doors, at_once, outcomes
from tests.granting import grant

PATH = f"/communities/{DTC}/subcommittees"
FORUM = {"name": "Forum 2027", "purpose": "To prepare the forum."}
CONVENER = {
    "position": "convener",
    "starts_on": day(0),
    "ends_on": day(300),
    "basis": "appointment",
}


@pytest.fixture
async def carla(api: Api) -> Someone:
    return await api.leader("Carla Chair", "chair")


async def made(by: Someone, **members: Any) -> dict[str, Any]:
    return ok(await by.post(PATH, FORUM | members), 201)


async def held(by: Someone, forum: dict[str, Any]) -> dict[str, str | None]:
    """Who holds which seat of a subcommittee."""
    shown = ok(await by.get(f"/subcommittees/{forum['id']}/leadership"))["seats"]
    return {
        f"{seat['position']} {seat['seat']}": seat["holder"] and seat["holder"]["person"]["name"]
        for seat in shown
    }


# Making and reading


async def test_leaders_make_a_subcommittee_with_its_seats_and_members_see_it(
    api: Api, carla: Someone
) -> None:
    mary, ella = await api.member("Mary Member"), await api.member("Ella Elsewhere", WELLNESS)
    assert because(await mary.post(PATH, FORUM)) == ["position_required"]
    async with leaves(api, ("subcommittee.created", carla)):
        forum = await made(carla)
    assert forum["seats"] == [
        {"position": "convener", "seats": 1},
        {"position": "subcommittee_member", "seats": 4},
    ]
    assert forum["viewer"]["can"] == [
        "update_subcommittee",
        "dissolve_subcommittee",
        "begin_subcommittee_term",
    ]
    seen = ok(await mary.get(f"/subcommittees/{forum['id']}"))
    assert seen == forum | {"viewer": {"can": []}}
    assert ok(await mary.get(PATH))["items"] == [seen]
    assert because(await ella.get(PATH)) == ["membership_required"]
    for unseen in (forum["id"], unknown_id()):
        assert code(await ella.get(f"/subcommittees/{unseen}"), 404) == "not_found"


async def test_a_subcommittee_has_as_many_seats_as_it_is_given(carla: Someone) -> None:
    seats = [{"position": "subcommittee_member", "seats": 9}]
    forum = await made(carla, seats=seats)
    assert forum["seats"] == [{"position": "convener", "seats": 1}, *seats]
    elsewhere = await carla.post(PATH, FORUM | {"seats": [{"position": "chair", "seats": 1}]})
    assert wrong(elsewhere) == [("/seats/0/position", "not_known")]
    twice = await carla.post(PATH, FORUM | {"seats": [*seats, *seats]})
    assert wrong(twice) == [("/seats/1/position", "duplicate")]


async def test_its_seats_are_not_the_community_s(api: Api, carla: Someone) -> None:
    community = f"/communities/{DTC}"
    vacant = ok(await api.get(community))["vacant_seats"]
    seats = len(ok(await api.get(f"{community}/leadership"))["seats"])
    await made(carla)
    assert ok(await api.get(community))["vacant_seats"] == vacant
    assert len(ok(await api.get(f"{community}/leadership"))["seats"]) == seats


async def test_a_restricted_community_tells_nobody_outside_of_its_subcommittees(api: Api) -> None:
    stranger = await api.person("Nobody Here")
    answer = await stranger.get(f"/communities/{ROUNDTABLE}/subcommittees")
    assert code(answer, 404) == "not_found"


# Changing


async def test_a_change_is_bound_to_what_was_read(api: Api, carla: Someone) -> None:
    mary, sue = await api.member("Mary Member"), await api.leader("Sue Secretary", "secretary")
    path = f"/subcommittees/{(await made(carla))['id']}"
    seen = {"If-Match": (await carla.get(path)).headers["etag"]}
    assert because(await mary.patch(path, {"name": "Forum 2028"})) == ["position_required"]
    async with leaves(api, ("subcommittee.updated", sue)):
        assert ok(await sue.patch(path, {"name": "Forum 2028"}))["name"] == "Forum 2028"
    stale = await carla.patch(path, {"name": "Forum 2029"}, headers=seen)
    assert code(stale, 412) == "precondition.failed"
    async with leaves(api):
        ok(await sue.patch(path, {"name": "Forum 2028"}))
    assert code(await sue.patch(path, {}, headers={}), 428) == "precondition.required"


async def test_its_seats_open_and_close_but_not_those_in_use(api: Api, carla: Someone) -> None:
    mary = await api.member("Mary Member")
    forum = await made(carla)
    path = f"/subcommittees/{forum['id']}"
    ok(await carla.post(f"{path}/terms", CONVENER | {"person_id": str(mary.id)}), 201)
    none = [{"position": "convener", "seats": 0}]
    assert code(await carla.patch(path, {"seats": none}), 409) == "seat.in_use"
    two = [{"position": "subcommittee_member", "seats": 2}]
    async with leaves(api, ("subcommittee.updated", carla)):
        changed = ok(await carla.patch(path, {"seats": two}))
    assert changed["seats"] == [{"position": "convener", "seats": 1}, *two]
    assert changed["version"] == 2


# Its seats


async def test_a_member_sits_there_beside_a_seat_in_the_leadership_group(
    api: Api, carla: Someone
) -> None:
    sue = await api.leader("Sue Secretary", "secretary")
    forum, other = await made(carla), await made(carla, name="Forum 2028")
    body = CONVENER | {"person_id": str(sue.id)}
    for one in (forum, other):
        ok(await carla.post(f"/subcommittees/{one['id']}/terms", body), 201)
    assert (await held(sue, forum))["convener 1"] == "Sue Secretary"
    second = body | {"position": "subcommittee_member"}
    refused = await carla.post(f"/subcommittees/{forum['id']}/terms", second)
    assert code(refused, 409) == "term.person_holds_seat"


async def test_leaders_appoint_members_of_their_own_community_and_not_themselves(
    api: Api, carla: Someone
) -> None:
    mary, ella = await api.member("Mary Member"), await api.member("Ella Elsewhere", WELLNESS)
    chair_elsewhere = await api.leader("Cora Chair", "chair", WELLNESS)
    path = f"/subcommittees/{(await made(carla))['id']}/terms"
    body = CONVENER | {"person_id": str(mary.id)}
    assert because(await mary.post(path, body)) == ["position_required"]
    assert code(await chair_elsewhere.post(path, body), 404) == "not_found"
    own = await carla.post(path, CONVENER | {"person_id": str(carla.id)})
    assert code(own, 403) == "term.own"
    stranger = await carla.post(path, CONVENER | {"person_id": str(ella.id)})
    assert code(stranger, 409) == "term.not_a_member"
    chair = await carla.post(path, body | {"position": "chair"})
    assert wrong(chair) == [("/position", "not_known")]
    ok(await carla.post(path, body), 201)


async def test_who_appoints_leaders_appoints_subcommittees_too(api: Api, carla: Someone) -> None:
    staff, petra = await api.staff(), await api.staff("Petra President", "president")
    mary = await api.member("Mary Member")
    path = f"/subcommittees/{(await made(carla))['id']}"
    await grant(staff, petra, "communities:update", "chair")
    assert ok(await staff.get(path))["viewer"]["can"] == ["begin_subcommittee_term"]
    assert because(await staff.patch(path, {"name": "Forum 2028"})) == ["position_required"]
    ok(await staff.post(f"{path}/terms", CONVENER | {"person_id": str(mary.id)}), 201)


# Dissolving


async def test_a_dissolved_subcommittee_has_no_terms_and_its_history_stays(
    api: Api, carla: Someone
) -> None:
    mary, sue = await api.member("Mary Member"), await api.leader("Sue Secretary", "secretary")
    forum = await made(carla)
    path = f"/subcommittees/{forum['id']}"
    running = ok(await carla.post(f"{path}/terms", CONVENER | {"person_id": str(mary.id)}), 201)
    later = CONVENER | {"position": "subcommittee_member", "starts_on": day(9)}
    planned = ok(await carla.post(f"{path}/terms", later | {"person_id": str(sue.id)}), 201)
    assert because(await mary.put(f"{path}/dissolution")) == ["position_required"]
    records = (("subcommittee.dissolved", carla), *[("term.lapsed", carla)] * 2)
    async with leaves(api, *records):
        dissolved = ok(await carla.put(f"{path}/dissolution"))
    assert (dissolved["status"], dissolved["dissolved_on"]) == ("dissolved", day(0))
    assert dissolved["seats"] == [] and dissolved["viewer"]["can"] == []
    for term in (running, planned):
        assert ok(await carla.get(f"/terms/{term['id']}"))["status"] == "lapsed"
    assert [one["id"] for one in ok(await mary.get(f"{PATH}?status=dissolved"))["items"]] == [
        forum["id"]
    ]
    assert ok(await mary.get(f"{PATH}?status=active"))["items"] == []
    assert await held(mary, forum) == {}


async def test_nothing_is_changed_in_a_dissolved_subcommittee(api: Api, carla: Someone) -> None:
    mary = await api.member("Mary Member")
    path = f"/subcommittees/{(await made(carla))['id']}"
    ok(await carla.put(f"{path}/dissolution"))
    body = CONVENER | {"person_id": str(mary.id)}
    for refused in (
        await carla.put(f"{path}/dissolution"),
        await carla.patch(path, {"name": "Forum 2028"}),
        await carla.post(f"{path}/terms", body),
    ):
        assert code(refused, 409) == "subcommittee.dissolved"
    assert ok(await mary.get(path))["status"] == "dissolved"


async def test_who_is_appointed_while_it_is_dissolved_holds_no_seat_afterwards(
    api: Api, carla: Someone
) -> None:
    members = [await api.member(f"Mary {number}") for number in range(4)]
    forum = await made(carla)
    path = f"/subcommittees/{forum['id']}"
    seat = CONVENER | {"position": "subcommittee_member"}
    async with Doors.to(api) as doors:
        answers = await at_once(
            (
                *(
                    doors.at(carla, number).post(
                        f"{path}/terms", seat | {"person_id": str(member.id)}
                    )
                    for number, member in enumerate(members)
                ),
                doors.at(carla, 1).put(f"{path}/dissolution"),
            )
        )
    assert set(outcomes(answers)) <= {200, 201, (409, "subcommittee.dissolved")}
    terms = ok(await carla.get(f"/communities/{DTC}/terms?limit=100"))["items"]
    assert {term["status"] for term in terms if term["position"] == "subcommittee_member"} <= {
        "lapsed"
    }


async def test_an_archived_community_makes_no_subcommittees(api: Api, carla: Someone) -> None:
    staff = await api.staff()
    path = f"/subcommittees/{(await made(carla))['id']}"
    ok(await staff.patch(f"/communities/{DTC}", {"status": "archived"}))
    assert code(await carla.post(PATH, FORUM), 409) == "community.archived"
    assert code(await carla.patch(path, {"name": "Late"}), 409) == "community.archived"
    assert ok(await carla.get(path))["viewer"]["can"] == []
