"""What staff see of leadership everywhere: which terms end soon, which community is in trouble."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.models import (
    Community,
    CommunityStatus,
    Contest,
    Election,
    Membership,
    Person,
    Term,
)
from tests.answers import because, code, ok
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day, on
from tests.test_statements import counted
from tests.test_succession import consent, keep, plan, wanted

HEALTH, EXPIRING = "/leadership/health", "/leadership/expiring"
POSITIONS = ("chair", "vice_chair", "secretary", *["member_at_large"] * 4)


async def health(reader: Someone, community: str = DTC) -> dict[str, Any]:
    """How one community stands in the report on all of them."""
    found = ok(await reader.get(HEALTH))["communities"]
    return next(one for one in found if one["community"]["slug"] == community)


def finding(body: dict[str, Any], wanted_code: str) -> dict[str, Any] | None:
    return next((one for one in body["findings"] if one["code"] == wanted_code), None)


def about(body: dict[str, Any], wanted_code: str) -> list[tuple[str, int]]:
    """The seats that a finding is about; none where it was not made."""
    found = finding(body, wanted_code)
    return [(seat["position"], seat["seat"]) for seat in found["seats"]] if found else []


async def group(api: Api, community: str = DTC, **terms: Any) -> list[Someone]:
    """A full Leadership Group, whose terms end in different years."""
    return [
        await api.leader(
            f"{community} leader {number}",
            position,
            community,
            **{"ends": 365 * (1 + number % 2)} | terms,
        )
        for number, position in enumerate(POSITIONS)
    ]


async def territory(api: Api, *codes: str, people: list[Someone]) -> None:
    for code_, someone in zip(codes, people, strict=False):
        await api.change(Person, someone.id, territory=code_)


@pytest.fixture
async def staff(api: Api) -> Someone:
    return await api.staff()


# Who may look


async def test_staff_and_the_president_look_everywhere_and_a_chair_at_home(
    api: Api, staff: Someone
) -> None:
    petra = await api.staff("Petra President", "president")
    carla, mary = await api.leader("Carla Chair", "chair"), await api.member("Mary Member")
    for path in (HEALTH, EXPIRING):
        ok(await staff.get(path))
        ok(await petra.get(path))
        assert because(await carla.get(path)) == ["position_required"]
        assert code(await api.get(path), 401) == "auth.required"
    own = f"/communities/{DTC}/leadership-health"
    assert ok(await carla.get(own)) == await health(staff)
    assert because(await mary.get(own)) == ["position_required"]
    elsewhere = await carla.get(f"/communities/{WELLNESS}/leadership-health")
    assert because(elsewhere) == ["position_required"]


# The page as a whole


async def test_those_in_trouble_come_first_under_a_summary(api: Api, staff: Someone) -> None:
    leaders = await group(api)
    olga = await api.member("Olga Next")
    ok(await consent(olga, ok(await keep(leaders[0], plan(wanted(olga))))))
    report = ok(await staff.get(HEALTH))
    assert report["as_of"] == day(0) and len(report["communities"]) == 17
    assert report["communities"][-1]["community"]["slug"] == DTC
    assert report["communities"][-1]["findings"] == []
    summary = report["summary"]
    assert (summary["critical"], summary["warning"], summary["well"]) == (16, 0, 1)
    assert (summary["seats"], summary["vacant_seats"]) == (119, 112)
    told = {one["code"]: (one["severity"], one["communities"]) for one in summary["findings"]}
    assert told["no_chair"] == ("critical", 16) and told["nobody_in_plan"] == ("notice", 16)


async def test_archived_communities_are_left_out(api: Api, staff: Someone) -> None:
    await api.leader("Carla Chair", "chair", ends=10)
    assert len(ok(await staff.get(EXPIRING))["items"]) == 1
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    assert len(ok(await staff.get(HEALTH))["communities"]) == 16
    assert ok(await staff.get(EXPIRING))["items"] == []


async def test_the_associations_own_seats_stand_beside_the_communities(
    api: Api, staff: Someone
) -> None:
    own = ok(await staff.get(HEALTH))["association"]
    assert own["community"] is None and own["severity"] == "critical"
    assert about(own, "no_chair") == [("president", 1)]
    await api.staff("Petra President", "president")
    assert ok(await staff.get(HEALTH))["association"]["findings"] == []


# What is found


async def test_a_group_without_a_chair_says_who_acts(api: Api, staff: Someone) -> None:
    carla, *_ = await group(api)
    assert about(await health(staff), "no_chair") == []
    ok(await carla.post(f"/terms/{carla.terms['chair']}/resignation", {}), 201)
    found = finding(await health(staff), "no_chair")
    assert found and found["severity"] == "warning"
    (seat,) = found["seats"]
    assert seat["holder"] is None and seat["acting_holder"]["name"] == f"{DTC} leader 1"
    assert seat["since_on"] == day(0)
    assert "présidence" in found["detail"]["fr"].lower()


async def test_a_chair_who_is_away_matters_where_nobody_acts(api: Api, staff: Someone) -> None:
    carla = await api.leader("Carla Chair", "chair")
    away = {"starts_on": day(0), "ends_on": day(30)}
    ok(await carla.put(f"/terms/{carla.terms['chair']}/absence", away))
    assert about(await health(staff), "chair_away") == [("chair", 1)]
    await api.leader("Victor Vice", "vice_chair")
    assert finding(await health(staff), "chair_away") is None


async def test_vacant_seats_say_since_when_and_too_few_are_counted(
    api: Api, staff: Someone
) -> None:
    _, victor, sam, *large = await group(api)
    ok(await staff.post(f"/terms/{sam.terms['secretary']}/removal", {"reason": "Left."}), 201)
    body = await health(staff)
    assert about(body, "vacant_seats") == [("secretary", 1)]
    assert finding(body, "vacant_seats")["seats"][0]["since_on"] == day(0)
    assert finding(body, "too_few_seats_filled") is None
    for someone in large[:2]:
        ok(await someone.post(f"/terms/{someone.terms['member_at_large']}/resignation", {}), 201)
    assert finding(await health(staff), "too_few_seats_filled") is None  # four of seven
    ok(await victor.post(f"/terms/{victor.terms['vice_chair']}/resignation", {}), 201)
    body = await health(staff)
    assert body["filled_seats"] == 3 and body["severity"] == "critical"
    assert finding(body, "too_few_seats_filled")["detail"]["en"].endswith("3 of 7.")


@pytest.mark.parametrize(("ends", "near"), [(0, True), (90, True), (91, False)])
async def test_a_term_near_its_end_without_a_successor(
    api: Api, staff: Someone, ends: int, near: bool
) -> None:
    await api.leader("Carla Chair", "chair", ends=ends)
    found = about(await health(staff), "terms_past_or_near_end")
    assert found == ([("chair", 1)] if near else [])
    olga = await api.member("Olga Next")
    await api.hold(olga, "chair", starts=ends + 1, ends=900)
    assert about(await health(staff), "terms_past_or_near_end") == []


async def test_a_term_whose_days_are_over_and_that_nobody_follows(api: Api, staff: Someone) -> None:
    await api.leader("Carla Chair", "chair", ends=-10)
    found = finding(await health(staff), "terms_past_or_near_end")
    assert found and found["seats"][0]["ends_on"] == day(-10)
    assert found["seats"][0]["holder"] is None and found["seats"][0]["since_on"] == day(-9)
    olga = await api.member("Olga Next")
    await api.hold(olga, "chair", starts=5, ends=900)
    body = await health(staff)
    assert finding(body, "terms_past_or_near_end") is None
    assert finding(body, "no_chair")["seats"][0]["next_starts_on"] == day(5)


async def test_terms_that_end_in_one_year_are_named_with_the_year(api: Api, staff: Someone) -> None:
    await group(api)
    assert finding(await health(staff), "terms_end_together") is None
    await group(api, WELLNESS, ends=400)
    found = finding(await health(staff, WELLNESS), "terms_end_together")
    assert found and found["year"] == on(400).year and len(found["seats"]) == 7
    assert found["severity"] == "notice"


@pytest.mark.parametrize("how", ["membership", "account"])
async def test_a_term_that_runs_on_paper_alone(api: Api, staff: Someone, how: str) -> None:
    carla = await api.leader("Carla Chair", "chair")
    assert finding(await health(staff), "holders_lapsed") is None
    if how == "membership":
        await api.change(Membership, carla.memberships[DTC], until_on=on(-1))
    else:
        ok(await staff.put(f"/people/{carla.id}/deactivation"), 204)
    found = finding(await health(staff), "holders_lapsed")
    assert found and found["seats"][0]["holder"]["name"] == "Carla Chair"
    assert about(await health(staff), "vacant_seats")[0] == ("chair", 1)


async def test_a_plan_counts_when_somebody_in_it_has_agreed(api: Api, staff: Someone) -> None:
    carla, olga = await api.leader("Carla Chair", "chair"), await api.member("Olga Next")
    seat = ok(await keep(carla, plan(wanted(olga))))
    assert finding(await health(staff), "nobody_in_plan")
    ok(await consent(olga, seat))
    assert finding(await health(staff), "nobody_in_plan") is None
    await api.ended_membership(olga)
    assert finding(await health(staff), "nobody_in_plan")


# Where people are from


async def test_provinces_and_territories_without_a_member_and_without_a_leader(
    api: Api, staff: Someone
) -> None:
    assert finding(await health(staff), "territories_unrepresented") is None  # nobody is there
    carla, mary = await api.leader("Carla Chair", "chair"), await api.member("Mary Member")
    await territory(api, "CA-ON", "CA-NU", people=[carla, mary])
    body = await health(staff)
    without_member = finding(body, "territories_unrepresented")["territories"]
    without_leader = finding(body, "territories_without_leader")["territories"]
    assert len(without_member) == 11 and len(without_leader) == 12
    assert set(without_leader) - set(without_member) == {"CA-NU"}
    assert "Québec" in finding(body, "territories_unrepresented")["detail"]["fr"]


async def test_who_may_not_know_where_somebody_is_from_learns_it_from_no_finding(
    api: Api, staff: Someone
) -> None:
    petra = await api.staff("Petra President", "president")
    carla = await api.leader("Carla Chair", "chair")
    await territory(api, "CA-ON", people=[carla])
    assert finding(await health(staff), "territories_without_leader")
    assert finding(await health(petra), "territories_without_leader") is None
    assert finding(await health(petra), "territories_unrepresented") is None
    members = [await api.member(f"Member {number}") for number in range(4)]
    await territory(api, *["CA-QC"] * 3, people=members)
    assert finding(await health(petra), "territories_unrepresented") is None
    await territory(api, *["CA-QC"] * 4, people=members)
    body = await health(petra)
    assert finding(body, "territories_unrepresented")
    assert finding(body, "territories_without_leader") is None


# Elections


async def opened(api: Api, staff: Someone, community: str = DTC) -> str:
    """An election for the first member at large, open for nominations."""
    body = {
        "title": "Member-at-large",
        "language": "en",
        "nominations_from": day(0),
        "nominations_until": day(5),
        "acceptance_until": day(6),
        "voting_from": day(8),
        "voting_until": day(10),
        "contests": [
            {
                "position": "member_at_large",
                "seats": 1,
                "seat_numbers": [1],
                "method": "plurality",
                "starts_on": day(31),
                "ends_on": day(700),
            }
        ],
    }
    return ok(await staff.post(f"/communities/{community}/elections", body), 201)["id"]


async def test_an_election_is_overdue_when_its_terms_should_begin(api: Api, staff: Someone) -> None:
    election = await opened(api, await api.leader("Sam Secretary", "secretary"))
    assert finding(await health(staff), "elections_overdue") is None
    (contest,) = ok(await staff.get(f"/elections/{election}"))["contests"]
    await api.change(Contest, UUID(contest["id"]), starts_on=on(0))
    found = finding(await health(staff), "elections_overdue")
    assert found and found["election_ids"] == [election]


@pytest.mark.parametrize(("days", "overdue"), [(7, False), (8, True)])
async def test_an_election_is_overdue_when_its_result_has_waited_for_a_week(
    api: Api, staff: Someone, days: int, overdue: bool
) -> None:
    election = await opened(api, await api.leader("Sam Secretary", "secretary"))
    mary = await api.member("Mary Member")
    (contest,) = ok(await staff.get(f"/elections/{election}"))["contests"]
    stands = {"contest_id": contest["id"], "person_id": str(mary.id)}
    ok(await mary.post(f"/elections/{election}/nominations", stands), 201)
    timetable = ("nominations_from", "nominations_until", "acceptance_until")
    past = dict.fromkeys(timetable, on(-days - 9)) | {"voting_from": on(-days - 1)}
    await api.change(Election, UUID(election), **past, voting_until=on(-days))
    assert ok(await staff.get(f"/elections/{election}"))["phase"] == "counting"
    found = finding(await health(staff), "elections_overdue")
    assert (found is not None) == overdue


async def test_of_a_restricted_community_elections_are_not_told_outside(
    api: Api, staff: Someone
) -> None:
    election = await opened(api, await api.leader("Sam Secretary", "secretary"))
    await api.leader("Jo Judge", "member_at_large", ROUNDTABLE, ends=30)
    (contest,) = ok(await staff.get(f"/elections/{election}"))["contests"]
    await api.change(Contest, UUID(contest["id"]), starts_on=on(0))
    restricted = await api.community_id(ROUNDTABLE)
    await api.change(Election, UUID(election), community_id=restricted)
    assert finding(await health(staff, ROUNDTABLE), "elections_overdue") is None
    (item,) = ok(await staff.get(EXPIRING))["items"]
    assert item["person"]["name"] == "Jo Judge" and item["election_id"] is None


# Terms that end soon


async def test_terms_are_listed_by_their_last_day_over_all_communities(
    api: Api, staff: Someone
) -> None:
    carla = await api.leader("Carla Chair", "chair", ends=90)
    await api.leader("Willa Wellness", "secretary", WELLNESS, ends=3)
    await api.leader("Laura Later", "vice_chair", ends=91)
    petra = await api.staff("Petra President", "president")
    await api.change(Term, petra.terms["president"], ends_on=on(50), free_from=on(51))
    listed = ok(await staff.get(EXPIRING, params={"limit": 2, "include": "total"}))
    assert listed["total"] == 3
    rest = ok(await staff.get(EXPIRING, params={"limit": 2, "cursor": listed["next_cursor"]}))
    items = listed["items"] + rest["items"]
    assert [item["person"]["name"] for item in items] == [
        "Willa Wellness",
        "Petra President",
        "Carla Chair",
    ]
    assert [item["days_left"] for item in items] == [3, 50, 90]
    assert items[1]["community"] is None and items[2]["community"]["slug"] == DTC
    assert items[2]["next_term"] is None and items[2]["has_candidate"] is False
    olga = await api.member("Olga Next")
    ok(await consent(olga, ok(await keep(carla, plan(wanted(olga))))))
    await api.hold(olga, "chair", starts=91, ends=900)
    last = ok(await staff.get(EXPIRING))["items"][-1]
    assert last["next_term"]["person"]["name"] == "Olga Next" and last["has_candidate"]


async def test_how_many_days_is_asked_within_two_years(api: Api, staff: Someone) -> None:
    await api.leader("Carla Chair", "chair", ends=730)
    assert len(ok(await staff.get(EXPIRING, params={"within_days": 730}))["items"]) == 1
    assert ok(await staff.get(EXPIRING, params={"within_days": 729}))["items"] == []
    for days in (0, 731):
        refused = await staff.get(EXPIRING, params={"within_days": days})
        assert code(refused, 422) == "validation.failed"


async def test_who_holds_nothing_any_more_does_not_expire(api: Api, staff: Someone) -> None:
    carla = await api.leader("Carla Chair", "chair", ends=30)
    assert len(ok(await staff.get(EXPIRING))["items"]) == 1
    await api.ended_membership(carla)
    assert ok(await staff.get(EXPIRING))["items"] == []


async def test_an_election_for_the_seat_is_named_and_one_for_another_is_not(
    api: Api, staff: Someone
) -> None:
    sam = await api.leader("Sam Secretary", "secretary", ends=20)
    await api.leader("Larry Large", "member_at_large", ends=30)
    await api.leader("Lena Large", "member_at_large", ends=30)
    election = await opened(api, sam)
    items = ok(await staff.get(EXPIRING))["items"]
    assert [item["election_id"] for item in items] == [None, election, None]
    cancelled = {"reason": "Too early."}
    ok(await sam.put(f"/elections/{election}/cancellation", cancelled))
    assert not any(item["election_id"] for item in ok(await staff.get(EXPIRING))["items"])


# Costs, and communities that hide themselves


async def test_all_communities_cost_as_many_statements_as_two(
    api: Api, staff: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    slugs = [row.slug for row in await api.read(sa.select(Community.slug))]
    costs = []
    for some in (slugs[:2], slugs[2:]):
        for slug in some:
            await api.leader(f"Chair of {slug}", "chair", slug, ends=30)
        await staff.get(HEALTH)
        with counted(api.database, monkeypatch) as tally:
            ok(await staff.get(HEALTH))
        costs.append(len(tally.sent))
    assert costs[0] == costs[1] <= 12


async def test_restricted_and_hidden_communities_are_told_to_those_who_oversee(
    api: Api, staff: Someone
) -> None:
    await api.leader("Jo Judge", "chair", ROUNDTABLE, ends=30)
    await api.change(Community, await api.community_id(WELLNESS), listed=False)
    assert (await health(staff, ROUNDTABLE))["member_count"] == 1
    assert (await health(staff, WELLNESS))["findings"]
    (item,) = ok(await staff.get(EXPIRING))["items"]
    assert item["person"]["name"] == "Jo Judge"  # as the leadership shows it to staff
    shown = ok(await staff.get(f"/communities/{ROUNDTABLE}/leadership"))["seats"][0]
    assert shown["holder"]["person"]["name"] == "Jo Judge"
    outsider = await api.member("Mary Member")
    for hidden in (ROUNDTABLE, WELLNESS):
        path = f"/communities/{hidden}/leadership-health"
        assert code(await outsider.get(path), 404) == "not_found"
