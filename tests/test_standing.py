"""What the caller may do in a community now, and why, and why not."""

import csv
from pathlib import Path
from typing import Any

import pytest

from app.models import Membership, Suspension, new_id
from tests.answers import code, ok, told
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day, on
from tests.places import unlisted

STANDING = f"/communities/{DTC}/standing"
TAKING_PART = {
    "discussions:start",
    "posts:write",
    "elections:vote",
    "needs:submit",
    "resources:submit",
}


def given_to(*grantees: str) -> set[str]:
    """What the table that ships gives to any of these."""
    with Path("app/defaults/permissions.csv").open() as lines:
        return {
            row["capability"]
            for row in csv.DictReader(lines)
            if any(row[grantee] == "x" for grantee in grantees)
        }


async def standing(someone: Someone, community: str = DTC, **options: Any) -> dict[str, Any]:
    found = ok(await someone.get(f"/communities/{community}/standing", **options))
    assert len(found["can"]) + len(found["cannot"]) == 54
    return found


def held(found: dict[str, Any]) -> list[str]:
    """The positions held."""
    return [one["position"] for one in found["positions"]]


async def reason(someone: Someone, capability: str, community: str = DTC) -> dict[str, Any]:
    """The one reason why somebody may not do something."""
    cannot = (await standing(someone, community))["cannot"]
    (found,) = [item["because"] for item in cannot if item["capability"] == capability]
    (because,) = found
    return {name: value for name, value in because.items() if value and name != "detail"}


# What one can


@pytest.mark.parametrize("position", ("member_at_large", "secretary", "vice_chair", "chair"))
async def test_a_position_gives_what_the_table_says_and_names_its_term(
    api: Api, position: str
) -> None:
    if position == "vice_chair":  # who would act, were there no chair
        await api.leader("Carla Chair", "chair")
    leader = await api.leader("Lena Leader", position)
    found = await standing(leader)
    assert set(found["can"]) == given_to("public", "account", "member", position)
    assert found["positions"] == [
        {
            "position": position,
            "term_id": str(leader.terms[position]),
            "starts_on": day(-30),
            "ends_on": day(365),
            "acting": False,
            "for_person_id": None,
        }
    ]
    assert found["membership"]["id"] == str(leader.memberships[DTC])


@pytest.mark.parametrize("office", ("staff", "president"))
async def test_an_office_in_the_association_gives_its_rights_everywhere(
    api: Api, office: str
) -> None:
    officer = await api.staff("Olga Officer", office)
    for community in (DTC, WELLNESS):
        found = await standing(officer, community)
        assert set(found["can"]) == given_to("public", "account", office)
        assert held(found) == [office]
        assert found["membership"] is None


async def test_a_member_can_what_members_can_and_an_account_what_accounts_can(api: Api) -> None:
    mary, alma = await api.member("Mary Member"), await api.person("Alma Account")
    assert set((await standing(mary))["can"]) == given_to("public", "account", "member")
    assert set((await standing(alma))["can"]) == given_to("public", "account")
    assert set((await standing(mary, WELLNESS))["can"]) == given_to("public", "account")


async def test_nobody_has_no_standing(api: Api) -> None:
    mary = await api.member("Mary Member")
    assert code(await api.get(STANDING), 401) == "auth.required"
    assert (await standing(mary))["person"] == {"id": str(mary.id), "name": "Mary Member"}


async def test_rights_of_two_positions_add_up(api: Api) -> None:
    sue = await api.leader("Sue Secretary", "secretary")
    await api.hold(sue, "staff", None, ends=None)
    found = await standing(sue)
    assert set(found["can"]) == given_to("public", "account", "member", "secretary", "staff")
    assert set(held(found)) == {"secretary", "staff"}


# What one cannot, and why


async def test_a_position_is_named_that_would_allow_it(api: Api) -> None:
    mary = await api.member("Mary Member")
    assert await reason(mary, "minutes:write") == {
        "code": "position_required",
        "positions": ["secretary", "staff"],
    }


async def test_a_stranger_needs_a_membership(api: Api) -> None:
    alma = await api.person("Alma Account")
    assert await reason(alma, "posts:write") == {"code": "membership_required"}


async def test_a_suspension_is_named_with_its_last_day(api: Api) -> None:
    carla = await api.leader("Carla Chair", "chair")
    staff = await api.staff()
    path = f"/memberships/{carla.memberships[DTC]}/suspension"
    ok(await staff.put(path, {"until_on": day(5), "reason": "A complaint."}))
    for capability in ("posts:write", "posts:moderate"):
        assert await reason(carla, capability) == {
            "code": "membership_suspended",
            "until": day(5),
        }
    assert await reason(carla, "people:manage") == {
        "code": "position_required",
        "positions": ["staff"],
    }
    found = await standing(carla)
    assert (found["suspension"], found["positions"]) == ({"until_on": day(5)}, [])


async def test_an_outstanding_agreement_is_named_with_the_version(api: Api) -> None:
    mary = await api.member("Mary Member", agreed=False)
    for capability in TAKING_PART:
        assert await reason(mary, capability) == {
            "code": "rules_agreement_required",
            "rules_version": 1,
        }
    found = await standing(mary)
    assert found["rules"] == {"in_force": 1, "agreed": None}
    assert set(found["can"]) == given_to("public", "account", "member") - TAKING_PART
    ok(await mary.post("/me/agreements", {"version": 1}), 201)
    assert (await standing(mary))["rules"] == {"in_force": 1, "agreed": 1}
    assert set((await standing(mary))["can"]) >= TAKING_PART


async def test_reasons_are_said_in_the_language_asked_for(api: Api) -> None:
    mary = await api.member("Mary Member")
    french = await standing(mary, headers={"Accept-Language": "fr"})
    english = await standing(mary)
    said = [
        {item["capability"]: item["because"][0]["detail"] for item in found["cannot"]}
        for found in (english, french)
    ]
    assert said[0].keys() == said[1].keys()
    assert said[0]["minutes:write"] != said[1]["minutes:write"]
    assert said[0]["minutes:write"].startswith("This needs one of certain positions")


# What counts


async def test_what_begins_tomorrow_or_ended_does_not_count(api: Api) -> None:
    past, future = (
        await api.leader("Paula Past", "chair", ends=-1),
        await api.leader("Fay Future", "chair", starts=1),
    )
    for someone in (past, future):
        found = await standing(someone)
        assert found["positions"] == []
        assert set(found["can"]) == given_to("public", "account", "member")


async def test_a_seat_counts_with_a_membership_that_runs(api: Api) -> None:
    carla = await api.leader("Carla Chair", "chair")
    await api.change(Membership, carla.memberships[DTC], until_on=on(-1))
    found = await standing(carla)
    assert (found["positions"], found["membership"]) == ([], None)
    assert set(found["can"]) == given_to("public", "account")
    await api.change(Membership, carla.memberships[DTC], until_on=on(0))
    assert held(await standing(carla)) == ["chair"]


async def test_the_longest_suspension_is_the_one_that_is_told(api: Api) -> None:
    """One that ran out and was never closed does not hide the one that runs."""
    mary, staff = await api.member("Mary Member"), await api.staff()
    path = f"/memberships/{mary.memberships[DTC]}/suspension"
    ok(await staff.put(path, {"until_on": day(0), "reason": "First."}))
    (row,) = await api.read(Suspension.__table__.select())
    await api.change(Suspension, row.id, until_on=on(-1))
    assert (await standing(mary))["suspension"] is None
    ok(await staff.put(path, {"until_on": day(9), "reason": "Second."}))
    assert (await standing(mary))["suspension"] == {"until_on": day(9)}


async def test_standing_is_asked_by_id_as_well_as_by_slug(api: Api) -> None:
    mary = await api.member("Mary Member")
    by_id = await standing(mary, str(await api.community_id()))
    assert by_id == await standing(mary)


async def test_where_one_may_not_know_of_a_community_one_has_no_standing(api: Api) -> None:
    alma, staff = await api.person("Alma Account"), await api.staff()
    await unlisted(api, WELLNESS)
    unknown = await alma.get(f"/communities/{new_id()}/standing")
    assert code(unknown, 404) == "not_found"
    for hidden in (WELLNESS, ROUNDTABLE):
        assert told(await alma.get(f"/communities/{hidden}/standing")) == told(unknown)
        assert (await standing(staff, hidden))["community"]["slug"] == hidden


async def test_in_a_restricted_community_staff_administer_and_do_not_read(api: Api) -> None:
    staff = await api.staff()
    found = await standing(staff, ROUNDTABLE)
    content = {"discussions:read", "posts:moderate", "meetings:read", "resources:read"}
    assert not content & set(found["can"])
    assert {"join_requests:decide", "memberships:manage", "leadership:appoint"} <= set(found["can"])
    assert await reason(staff, "discussions:read", ROUNDTABLE) == {"code": "eligibility_required"}


async def test_a_member_who_is_not_verified_is_outside_of_a_restricted_community(
    api: Api,
) -> None:
    judge = await api.leader("Jan Judge", "chair", ROUNDTABLE)
    assert code(await judge.get(f"/communities/{ROUNDTABLE}/standing"), 404) == "not_found"
    assert code(await judge.get(f"/communities/{ROUNDTABLE}/discussions"), 404) == "not_found"
