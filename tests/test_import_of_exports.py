"""What the product gives away as a file, it takes back as it was: nothing of it is a change."""

import pytest

from app.models import Community, Membership, Person
from app.schemas.membership_exports import ExportFormat
from app.schemas.memberships import MembershipStatus
from tests.answers import ok
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day, on
from tests.importing import applied, csv_of, outcomes
from tests.test_eligibility import judge, verified

EVERYWHERE = "/memberships/export"


async def everybody(api: Api) -> Someone:
    """Members in every state, with everything that a profile may say; the staff member besides."""
    staff = await api.staff()
    mary = await api.member("Mary Member", occupation="-> clerk")
    await api.join(mary, WELLNESS)
    about = {"territory": "CA-QC", "occupation_code": "judge", "area_of_interest": "@home\n= it"}
    await api.change(Person, mary.id, **about, language="fr", affiliation=None)
    await api.change(Membership, mary.memberships[WELLNESS], category="staff", until_on=on(9))
    future = await api.member("Fay Future")
    await api.change(Membership, future.memberships[DTC], since_on=on(5))
    past = await api.member("Pat Past")
    await api.change(Membership, past.memberships[DTC], since_on=on(-50), until_on=on(-5))
    await api.ended_membership(await api.member("Erin Ended"))
    paul = await api.member("Paul Paused")
    ok(await paul.put(f"/memberships/{paul.memberships[DTC]}/pause", {"until_on": day(9)}))
    gone = await api.member("Della Deactivated")
    assert (await staff.put(f"/people/{gone.id}/deactivation")).status_code == 204
    odd = await api.member("Olga Odd")
    await api.change(Person, odd.id, name="3rd Division @ the Court")
    lapsed = await api.member("Lena Lapsed", ROUNDTABLE)
    seated = await api.leader("Chidi Chair", "chair", ROUNDTABLE)
    for someone in (lapsed, seated):
        await verified(api, someone)
    await judge(api)
    place = await api.community_id(ROUNDTABLE)
    await api.change(Community, place, eligible_occupations=["notary"])
    await api.member("Una Unverified", ROUNDTABLE)
    return staff


@pytest.mark.parametrize("mode", ["add", "update", "fill"])
@pytest.mark.parametrize("form", ExportFormat)
async def test_an_export_imports_as_unchanged_in_every_row(
    api: Api, form: ExportFormat, mode: str
) -> None:
    staff = await everybody(api)
    file = await staff.get(
        EVERYWHERE, params={"format": form.value, "status": list(MembershipStatus)}
    )
    job = await applied(staff, file.content, name=f"roster.{form.value}", mode=mode, source="us")
    assert await outcomes(staff, job) == [("unchanged", [])] * 12


async def test_what_is_unchanged_of_a_deactivated_account_is_refused_once_it_is_not(
    api: Api,
) -> None:
    staff, gone = await api.staff(), await api.member("Della Deactivated")
    assert (await staff.put(f"/people/{gone.id}/deactivation")).status_code == 204
    same, more = (csv_of(f"{gone.email},{gone.name},{place}") for place in (DTC, WELLNESS))
    assert await outcomes(staff, await applied(staff, same)) == [("unchanged", [])]
    assert await outcomes(staff, await applied(staff, more)) == [
        ("refused", ["account_deactivated"])
    ]


async def test_a_name_as_only_its_owner_has_it_is_nobody_elses(api: Api) -> None:
    staff, odd = await api.staff(), await api.member("Olga Odd")
    await api.change(Person, odd.id, name="3rd Division")
    rows = (f"{odd.email},3rd Division,{DTC}", f"new@example.org,3rd Division,{DTC}")
    job = await applied(staff, csv_of(*rows), mode="update")
    assert await outcomes(staff, job) == [("unchanged", []), ("refused", ["name_not_a_name"])]
    job = await applied(staff, csv_of(f"{odd.email},4th Division,{DTC}"), mode="update")
    assert await outcomes(staff, job) == [("refused", ["name_not_a_name"])]


@pytest.mark.parametrize("mode", ["update", "sync"])
@pytest.mark.parametrize("status", [["ended"], ["ended", "active"]], ids="-".join)
async def test_an_earlier_membership_that_comes_back_does_not_end_the_one_that_runs(
    api: Api, mode: str, status: list[str]
) -> None:
    staff = await api.staff()
    headings = "email,name,community,since,until"
    for days in (f"{day(-90)},{day(-60)}", f"{day(-50)},{day(-40)}", f"{day(-30)},"):
        row = f"rita@example.org,Rita Rejoined,{DTC},{days}"
        job = await applied(staff, csv_of(row, headings=headings), mode="update", source="us")
        assert await outcomes(staff, job) == [("created", [])]
    file = (await staff.get(EVERYWHERE, params={"format": "csv", "status": status})).content
    assert file.count(b"Rita Rejoined") == len(status) + 1

    job = await applied(staff, file, mode=mode, source="us")

    assert {outcome for outcome, _ in await outcomes(staff, job)} == {"unchanged"}
    (running,) = ok(await staff.get(f"/communities/{DTC}/memberships"))["items"]
    assert (running["person"]["name"], running["until_on"]) == ("Rita Rejoined", None)
