"""Oneself, and accounts that staff switch off and on."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.models import Activity
from tests.answers import because, code, leaves, ok, told, wrong
from tests.cast import DTC, PASSWORD, Api, unknown_id


async def test_one_corrects_ones_own_profile(api: Api) -> None:
    mary = await api.person("Mary Member")
    change = {"affiliation": "Superior Court", "territory": "CA-QC", "language": "fr"}
    change |= {"name": "Mary Member"}  # as it was
    async with leaves(api, ("account.updated", mary)):
        changed = ok(await mary.patch("/me", change))
    assert change.items() <= changed.items()
    assert changed["name"] == "Mary Member"
    assert ok(await mary.patch("/me", {"territory": None}))["territory"] is None
    (kept,) = await api.read(
        sa.select(col(Activity.facts)).where(Activity.kind == "account.updated").limit(1)
    )
    assert kept.facts == {"members": ["affiliation", "language", "territory"]}


async def test_a_patch_cannot_reach_what_is_not_ones_to_change(api: Api) -> None:
    mary = await api.person("Mary Member")
    before = ok(await mary.get("/me"))
    for member, value in (
        ("email", "other@example.org"),
        ("id", str(unknown_id())),
        ("positions", ["staff"]),
        ("rules_version_agreed", 9),
        ("deactivated_at", None),
    ):
        assert wrong(await mary.patch("/me", {member: value})) == [(f"/{member}", "unknown_member")]
    assert wrong(await mary.patch("/me", {"name": None})) == [("/name", "wrong_type")]
    assert wrong(await mary.patch("/me", {"territory": "CA-XX"})) == [("/territory", "not_known")]
    assert ok(await mary.get("/me")) == before


async def test_a_stale_profile_is_told_so(api: Api) -> None:
    mary = await api.person("Mary Member")
    etag = (await mary.get("/me")).headers["etag"]
    ok(await mary.patch("/me", {"affiliation": "Superior Court"}))
    stale = await mary.patch("/me", {"affiliation": "Other"}, headers={"If-Match": etag})
    assert code(stale, 412) == "precondition.failed"
    ok(await mary.patch("/me", {"affiliation": "Other"}, headers={}))


async def test_staff_alone_see_who_has_an_account(api: Api) -> None:
    staff, president = await api.staff(), await api.staff("Petra President", "president")
    carla, mary = await api.leader("Carla Chair", "chair"), await api.person("Mary Member")
    assert len(ok(await staff.get("/people"))["items"]) == 4
    assert ok(await staff.get(f"/people/{mary.id}"))["email"] == mary.email
    assert code(await staff.get(f"/people/{unknown_id()}"), 404) == "not_found"
    for someone in (president, carla, mary):
        known = await someone.get(f"/people/{mary.id}")
        assert because(known) == ["position_required"]
        assert told(known) == told(await someone.get(f"/people/{unknown_id()}"))
        assert because(await someone.get("/people")) == ["position_required"]


async def test_switching_an_account_off_ends_every_right_and_sign_in_of_it(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    credentials: dict[str, Any] = {
        "grant_type": "password",
        "username": carla.email,
        "password": PASSWORD,
    }
    tokens = ok(await api.post("/auth/tokens", credentials))
    path = f"/people/{carla.id}/deactivation"
    async with leaves(
        api, ("account.deactivated", staff), ("session.ended", staff), ("session.ended", staff)
    ):
        ok(await staff.put(path), 204)
    assert code(await carla.get("/communities"), 401) == "auth.token_invalid"
    renewed = await api.post("/auth/tokens/refresh", {"refresh_token": tokens["refresh_token"]})
    assert code(renewed, 401) == "auth.refresh_token_invalid"
    assert code(await api.post("/auth/tokens", credentials), 401) == "auth.invalid_credentials"
    assert ok(await staff.get(f"/people/{carla.id}"))["viewer"] == {"can": ["reactivate_person"]}
    async with leaves(api):
        ok(await staff.put(path), 204)
    async with leaves(api, ("account.reactivated", staff)):
        ok(await staff.delete(path), 204)
    assert code(await carla.get("/communities"), 401) == "auth.token_invalid"
    bearer = {
        "Authorization": f"Bearer {ok(await api.post('/auth/tokens', credentials))['access_token']}"
    }
    ok(await api.get(f"/communities/{DTC}/review-queue", headers=bearer))


async def test_nobody_switches_the_own_account_off_or_on(api: Api) -> None:
    staff, other = await api.staff(), await api.staff("Sonia Staff")
    path = f"/people/{staff.id}/deactivation"
    assert code(await staff.put(path), 403) == "person.own"
    assert code(await staff.delete(path), 403) == "person.own"
    assert ok(await staff.get(f"/people/{staff.id}"))["viewer"] == {"can": []}
    ok(await other.put(path), 204)


async def test_an_account_is_not_switched_over_somebody_elses_change(api: Api) -> None:
    staff, mary = await api.staff(), await api.person("Mary Member")
    path = f"/people/{mary.id}"
    seen = {"If-Match": (await staff.get(path)).headers["etag"]}
    ok(await mary.patch("/me", {"affiliation": "Superior Court"}))
    stale = await staff.put(f"{path}/deactivation", headers=seen)
    assert code(stale, 412) == "precondition.failed"
    latest = {"If-Match": (await staff.get(path)).headers["etag"]}
    ok(await staff.put(f"{path}/deactivation", headers=latest), 204)
