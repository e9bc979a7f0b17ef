"""The catalogue for strangers is kept encoded, and whatever changes it shows at the next request.

Each test reads the catalogue before the act and after it, from two processes: the one in which the
act takes place, and another that only hears of it through the database.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from app import clock
from tests.answers import ok
from tests.cast import DTC, WELLNESS, Api, Someone, day
from tests.granting import grant

CATALOGUE = "/communities?limit=100"
NEW = {
    "slug": "rural-courts",
    "name": {"en": "Rural Courts", "fr": "Tribunaux ruraux"},
    "description": {"en": "Far from towns.", "fr": "Loin des villes."},
}


@pytest.fixture
async def elsewhere(api: Api, url: str) -> AsyncIterator[Api]:
    """The same association, answered by another process."""
    async with Api.on(url) as found:
        yield found


async def entries(api: Api) -> dict[str, dict[str, Any]]:
    """The catalogue as a stranger reads it, by slug."""
    return {item["slug"]: item for item in ok(await api.get(CATALOGUE))["items"]}


@asynccontextmanager
async def shows(
    api: Api, elsewhere: Api, member: str, before: Any, after: Any, slug: str = DTC
) -> AsyncIterator[None]:
    """A member of one entry is the one before the act and the other after it, in both processes."""
    for process in (api, elsewhere, api, elsewhere):
        assert (await entries(process))[slug][member] == before
    yield
    for process in (api, elsewhere, api, elsewhere):
        assert (await entries(process))[slug][member] == after


# Its own data


async def test_a_new_community_shows_at_once(api: Api, elsewhere: Api) -> None:
    staff = await api.staff()
    assert "rural-courts" not in await entries(api) | await entries(elsewhere)
    ok(await staff.post("/communities", NEW), 201)
    assert "rural-courts" in await entries(api)
    assert "rural-courts" in await entries(elsewhere)


async def test_a_community_that_is_hidden_is_gone_at_once(api: Api, elsewhere: Api) -> None:
    staff = await api.staff()
    assert DTC in await entries(api) and DTC in await entries(elsewhere)
    ok(await staff.patch(f"/communities/{DTC}", {"listed": False}))
    assert DTC not in await entries(api) | await entries(elsewhere)
    ok(await staff.patch(f"/communities/{DTC}", {"listed": True}))
    assert DTC in await entries(api) and DTC in await entries(elsewhere)


async def test_a_new_name_shows_at_once(api: Api, elsewhere: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    name = {"en": "Drug Courts", "fr": "Tribunaux de la drogue"}
    before = (await entries(api))[DTC]["name"]
    async with shows(api, elsewhere, "name", before, name):
        ok(await chair.patch(f"/communities/{DTC}", {"name": name}))


async def test_an_archived_community_can_no_longer_be_asked_for(api: Api, elsewhere: Api) -> None:
    staff = await api.staff()
    asking, nothing = {"can": ["submit_join_request"]}, {"can": []}
    async with shows(api, elsewhere, "viewer", asking, nothing):
        ok(await staff.patch(f"/communities/{DTC}", {"status": "archived"}))


async def test_a_right_that_is_taken_from_the_public_is_no_longer_offered(
    api: Api, elsewhere: Api
) -> None:
    staff, petra = await api.staff(), await api.staff("Petra President", "president")
    asking, nothing = {"can": ["submit_join_request"]}, {"can": []}
    async with shows(api, elsewhere, "viewer", asking, nothing):
        await grant(staff, petra, "join_requests:submit", "account", "member", "staff")


# Its members and its seats


async def test_who_joins_and_who_leaves_is_counted_at_once(api: Api, elsewhere: Api) -> None:
    async with shows(api, elsewhere, "member_count", 0, 1):
        member = await api.member("Mia Member")
    async with shows(api, elsewhere, "member_count", 1, 0):
        ok(await member.post(f"/memberships/{member.memberships[DTC]}/end", {}))


async def test_a_seat_that_is_filled_and_emptied_shows_at_once(api: Api, elsewhere: Api) -> None:
    member, staff = await api.member("Mia Member"), await api.staff()
    term = {
        "person_id": str(member.id),
        "position": "chair",
        "starts_on": day(0),
        "ends_on": day(300),
        "basis": "election",
    }
    async with shows(api, elsewhere, "vacant_seats", 7, 6):
        begun = ok(await staff.post(f"/communities/{DTC}/terms", term), 201)
    async with shows(api, elsewhere, "vacant_seats", 6, 7):
        ok(await staff.post(f"/terms/{begun['id']}/removal", {"reason": "Moved away."}), 201)


async def test_the_seat_of_somebody_whose_account_is_closed_is_vacant_at_once(
    api: Api, elsewhere: Api
) -> None:
    chair, staff = await api.leader("Claire Chair", "chair"), await api.staff()
    async with shows(api, elsewhere, "vacant_seats", 6, 7):
        ok(await staff.put(f"/people/{chair.id}/deactivation"), 204)
    async with shows(api, elsewhere, "vacant_seats", 7, 6):
        ok(await staff.delete(f"/people/{chair.id}/deactivation"), 204)


async def test_a_day_that_passes_ends_terms_and_memberships_without_any_act(
    api: Api, elsewhere: Api
) -> None:
    chair, staff = await api.leader("Claire Chair", "chair", ends=1), await api.staff()
    ok(await staff.patch(f"/memberships/{chair.memberships[DTC]}", {"until_on": day(2)}))
    assert (await entries(api))[DTC]["vacant_seats"] == 6
    for days, vacant, members in ((1, 6, 1), (2, 7, 1), (3, 7, 0)):
        with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
            for process in (api, elsewhere):
                entry = (await entries(process))[DTC]
                assert (entry["vacant_seats"], entry["member_count"]) == (vacant, members)


# What is said in it


async def moves_the_last_activity(
    api: Api, elsewhere: Api, act: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    """What is posted becomes the last activity of the entry at once."""
    before = (await entries(api))[DTC]["last_activity_at"]
    assert (await entries(elsewhere))[DTC]["last_activity_at"] == before
    posted = await act()
    for process in (api, elsewhere):
        assert (await entries(process))[DTC]["last_activity_at"] == posted["created_at"] != before


async def test_a_discussion_and_a_reply_are_the_last_activity_at_once(
    api: Api, elsewhere: Api
) -> None:
    member = await api.member("Mia Member")
    started: list[dict[str, Any]] = []

    async def start() -> dict[str, Any]:
        started.append(await api.discussion(member))
        return started[0]

    await moves_the_last_activity(api, elsewhere, start)
    await moves_the_last_activity(api, elsewhere, lambda: api.reply(member, started[0]))


# What is kept for strangers is theirs alone


async def offered(reader: Api | Someone, slug: str = DTC) -> list[str]:
    """What the catalogue says that its reader may do in a community."""
    items = ok(await reader.get(CATALOGUE))["items"]
    return next(item["viewer"]["can"] for item in items if item["slug"] == slug)


async def test_nobody_signed_in_gets_what_is_kept_nor_leaves_anything_in_it(
    api: Api, elsewhere: Api
) -> None:
    member, other = await api.member("Mia Member"), await api.member("Olaf Other", WELLNESS)
    asked = ["submit_join_request"]
    for _ in range(2):
        assert await offered(api) == asked
        assert "list_discussions" in await offered(member)
        assert "list_discussions" not in await offered(other)
        assert "submit_join_request" not in await offered(member)
        assert "list_discussions" in await offered(other, WELLNESS)
        assert await offered(elsewhere) == asked
    assert "public" in (await api.get(CATALOGUE)).headers["cache-control"]
    assert "private" in (await member.get(CATALOGUE)).headers["cache-control"]


async def test_a_hidden_community_is_in_its_members_catalogue_and_in_no_strangers(
    api: Api, elsewhere: Api
) -> None:
    member, staff = await api.member("Mia Member"), await api.staff()
    ok(await staff.patch(f"/communities/{DTC}", {"listed": False}))
    stranger = await api.person("Sam Stranger")
    for _ in range(2):
        assert DTC in {item["slug"] for item in ok(await member.get(CATALOGUE))["items"]}
        assert DTC not in {item["slug"] for item in ok(await stranger.get(CATALOGUE))["items"]}
        assert DTC not in await entries(api) | await entries(elsewhere)


async def test_what_happens_in_a_hidden_community_does_not_move_the_strangers_etag(
    api: Api,
) -> None:
    member, staff = await api.member("Mia Member"), await api.staff()
    ok(await staff.patch(f"/communities/{DTC}", {"listed": False}))
    before = (await api.get(CATALOGUE)).headers["etag"]
    await api.discussion(member)
    await api.member("Nora Newcomer")
    assert (await api.get(CATALOGUE)).headers["etag"] == before
    await api.member("Paul Practitioner", WELLNESS)
    assert (await api.get(CATALOGUE)).headers["etag"] != before


async def test_each_page_and_each_filter_is_kept_for_itself(api: Api) -> None:
    staff = await api.staff()
    ok(await staff.patch(f"/communities/{DTC}", {"status": "archived"}))
    for _ in range(2):
        first = ok(await api.get("/communities?limit=10&include=total"))
        assert (len(first["items"]), first["total"]) == (10, 17)
        rest = ok(await api.get(f"/communities?limit=10&cursor={first['next_cursor']}"))
        assert (len(rest["items"]), rest["next_cursor"], rest["total"]) == (7, None, None)
        archived = ok(await api.get("/communities?status=archived"))["items"]
        assert [item["slug"] for item in archived] == [DTC]
        assert len(ok(await api.get("/communities?status=active&limit=100"))["items"]) == 16
