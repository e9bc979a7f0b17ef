"""The catalogue of communities, and who may change what in it."""

from typing import Any

import httpx
import pytest

from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, WELLNESS, Api, Someone, unknown_id

NEW: dict[str, Any] = {
    "slug": "rural-courts",
    "name": {"en": "Rural Courts", "fr": "Tribunaux ruraux"},
    "description": {"en": "Far from towns.", "fr": "Loin des villes."},
}
PATH = f"/communities/{DTC}"


async def change(by: Someone, path: str = PATH, **members: Any) -> httpx.Response:
    return await by.patch(path, members)


async def test_the_catalogue_ships_whole_and_bilingual(api: Api) -> None:
    items = ok(await api.get("/communities?limit=100"))["items"]
    assert len(items) == 17
    for item in items:
        assert item["name"]["en"] and item["name"]["fr"] and item["description"]["fr"]
        assert item["vacant_seats"] == 7
    assert [item["slug"] for item in items if item["eligible_occupations"]] == [
        "judicial-roundtable"
    ]


async def test_staff_and_the_president_create_communities_and_chairs_do_not(api: Api) -> None:
    """In Decidim a local admin could (De #13279)."""
    carla, staff = await api.leader("Carla Chair", "chair"), await api.staff()
    assert because(await carla.post("/communities", NEW)) == ["position_required"]
    async with leaves(api, ("community.created", staff)):
        made = ok(await staff.post("/communities", NEW), 201)
    assert (made["vacant_seats"], made["member_count"], made["status"]) == (7, 0, "active")
    assert ok(await api.get("/communities?limit=100"))["items"][-1]["slug"] == "rural-courts"
    president = await api.staff("Petra President", "president")
    assert code(await president.post("/communities", NEW), 409) == "community.slug_taken"
    ok(await president.post("/communities", NEW | {"slug": "northern-courts"}), 201)


async def test_a_new_community_can_be_led_and_joined_at_once(api: Api) -> None:
    staff = await api.staff()
    ok(await staff.post("/communities", NEW), 201)
    carla = await api.leader("Carla Chair", "chair", "rural-courts")
    ok(await carla.get("/communities/rural-courts/review-queue"))
    assert ok(await api.get("/communities/rural-courts"))["vacant_seats"] == 6


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"slug": "No Spaces"}, ("/slug", "pattern_mismatch")),
        ({"name": {"en": "Only English"}}, ("/name/fr", "required")),
        ({"eligible_occupations": ["astronaut"]}, ("/eligible_occupations/0", "not_known")),
        ({"status": "archived"}, ("/status", "unknown_member")),
    ],
)
async def test_what_a_community_needs_is_pointed_at(
    api: Api, changed: dict[str, Any], found: tuple[str, str]
) -> None:
    staff = await api.staff()
    assert wrong(await staff.post("/communities", NEW | changed)) == [found]
    ok(await staff.post("/communities", NEW), 201)


async def test_leaders_describe_their_community_and_no_other(api: Api) -> None:
    sue, mary = await api.leader("Sue Secretary", "secretary"), await api.member("Mary Member")
    words = {"en": "What we talk about.", "fr": "Ce dont nous parlons."}
    for refused in (
        await change(mary, description=words),
        await change(sue, f"/communities/{WELLNESS}", description=words),
        await change(await api.leader("Lena Large", "member_at_large"), description=words),
    ):
        assert because(refused) == ["position_required"]
    async with leaves(api, ("community.updated", sue)):
        assert ok(await change(sue, description=words))["description"] == words


@pytest.mark.parametrize(
    "managed",
    ({"listed": False}, {"status": "archived"}, {"eligible_occupations": ["judge"]}),
    ids=lambda managed: next(iter(managed)),
)
async def test_hiding_archiving_and_restricting_are_the_associations(
    api: Api, managed: dict[str, Any]
) -> None:
    carla, staff = await api.leader("Carla Chair", "chair"), await api.staff()
    words = {"publishes_leadership": True}
    for refused in (await change(carla, **managed), await change(carla, **words, **managed)):
        assert because(refused) == ["position_required"]
        assert refused.json()["capability"] == "communities:manage"
    assert ok(await api.get(PATH))["publishes_leadership"] is False
    async with leaves(api, ("community.updated", staff)):
        assert managed.items() <= ok(await change(staff, **managed)).items()


async def test_a_community_that_restricts_itself_closes_at_that_instant(api: Api) -> None:
    carla, staff = await api.leader("Carla Chair", "chair"), await api.staff()
    discussion = await api.discussion(carla)
    ok(await change(staff, eligible_occupations=["judge"]))
    for someone in (carla, staff):
        assert code(await someone.get(f"/discussions/{discussion['id']}"), 404) == "not_found"
    assert ok(await api.get(PATH))["member_count"] is None
    ok(await change(staff, eligible_occupations=[]))
    ok(await carla.get(f"/discussions/{discussion['id']}"))


async def test_a_community_that_hides_itself_is_gone_for_those_outside(api: Api) -> None:
    carla, staff = await api.leader("Carla Chair", "chair"), await api.staff()
    ok(await change(staff, listed=False))
    assert code(await api.get(PATH), 404) == "not_found"
    ok(await carla.get(PATH))
    ok(await change(staff, listed=True))
    ok(await api.get(PATH))


async def test_two_who_edit_a_community_are_told_of_each_other(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    seen = {"If-Match": (await staff.get(PATH)).headers["etag"]}
    words = {"name": {"en": "Treatment Courts", "fr": "Tribunaux de traitement"}}
    assert code(await staff.patch(PATH, words, headers={}), 428) == "precondition.required"
    ok(await change(carla, publishes_leadership=True))
    assert code(await staff.patch(PATH, words, headers=seen), 412) == "precondition.failed"
    assert ok(await staff.patch(PATH, words, headers={"If-Match": "*"}))["name"] == words["name"]
    async with leaves(api):
        ok(await change(staff))


async def test_a_community_is_found_by_id_and_slug_and_no_other_name(api: Api) -> None:
    by_slug = ok(await api.get(PATH))
    assert ok(await api.get(f"/communities/{by_slug['id']}")) == by_slug
    assert ok(await api.get(f"/communities/{by_slug['id'].upper()}")) == by_slug
    for name in (unknown_id(), "no-such-court", DTC.upper(), f"{DTC}-"):
        assert code(await api.get(f"/communities/{name}"), 404) == "not_found"


async def test_archived_communities_are_listed_as_such(api: Api) -> None:
    staff = await api.staff()
    ok(await change(staff, status="archived"))
    (found,) = ok(await api.get("/communities?status=archived"))["items"]
    assert (found["slug"], found["viewer"]) == (DTC, {"can": []})
    assert len(ok(await api.get("/communities?status=active&limit=100"))["items"]) == 16
