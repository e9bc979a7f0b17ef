"""Discussions: starting, listing and locking them."""

from typing import Any

import pytest

from app.models import Community, CommunityStatus
from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, WELLNESS, Api, unknown_id

TALK = f"/communities/{DTC}/discussions"
WORDS: dict[str, Any] = {
    "title": "First month",
    "body": "What **works**?",
    "tags": ["incentives"],
    "language": "en",
}
REPLY = {"body": "We tried.", "language": "en"}


async def titles(someone: Any, query: str = "") -> list[str]:
    return [item["title"] for item in ok(await someone.get(f"{TALK}{query}"))["items"]]


async def test_a_member_starts_a_discussion_under_the_own_line(api: Api) -> None:
    mary, stranger = await api.member("Mary Member"), await api.person("Nobody Here")
    async with leaves(api, ("discussion.started", mary)):
        started = ok(await mary.post(TALK, WORDS), 201)
    assert started["author"] == {
        "person_id": str(mary.id),
        "name": "Mary Member",
        "occupation": "Court coordinator",
        "affiliation": "Provincial Court",
        "position": None,
        "acting": False,
    }
    assert started["opening_post"]["number"] == started["post_count"] == 1
    assert started["opening_post"]["body_html"] == "<p>What <strong>works</strong>?</p>\n"
    assert ok(await mary.get(f"/discussions/{started['id']}")) == started
    assert because(await stranger.post(TALK, WORDS)) == ["membership_required"]


async def test_a_leader_speaks_as_what_they_are_here(api: Api) -> None:
    carla = await api.leader("Carla Chair", "chair")
    await api.join(carla, WELLNESS)
    assert ok(await carla.post(TALK, WORDS), 201)["author"]["position"] == "chair"
    elsewhere = ok(await carla.post(f"/communities/{WELLNESS}/discussions", WORDS), 201)
    assert elsewhere["author"]["position"] is None


async def test_staff_read_and_do_not_speak_where_they_do_not_belong(api: Api) -> None:
    staff = await api.staff()
    ok(await staff.get(TALK))
    assert because(await staff.post(TALK, WORDS)) == ["membership_required"]
    await api.join(staff)
    ok(await staff.post(TALK, WORDS), 201)


@pytest.mark.parametrize("kept", ("occupation", "affiliation"))
async def test_each_communication_shows_an_occupation_or_an_affiliation(
    api: Api, kept: str
) -> None:
    mary = await api.member("Mary Member", occupation=None, affiliation=None)
    assert code(await mary.post(TALK, WORDS), 409) == "identity.incomplete"
    discussion = await api.discussion(await api.member("Otto Other"))
    posts = f"/discussions/{discussion['id']}/posts"
    assert code(await mary.post(posts, REPLY), 409) == "identity.incomplete"
    ok(await mary.patch("/me", {kept: "Legal Aid Ontario"}))
    ok(await mary.post(TALK, WORDS), 201)
    ok(await mary.post(posts, REPLY), 201)


async def test_the_latest_activity_comes_first(api: Api) -> None:
    mary = await api.member("Mary Member")
    first, _second = [await api.discussion(mary, title=name) for name in ("First", "Second")]
    assert await titles(mary) == ["Second", "First"]
    reply = await api.reply(mary, first)
    assert await titles(mary) == ["First", "Second"]
    listed = ok(await mary.get(TALK))["items"][0]
    assert (listed["post_count"], listed["last_posted_at"]) == (2, reply["created_at"])
    assert "opening_post" not in listed


async def test_lists_are_filtered_by_state_and_author(api: Api) -> None:
    mary, carla = await api.member("Mary Member"), await api.leader("Carla Chair", "chair")
    locked = await api.discussion(mary, title="Locked")
    await api.discussion(carla, title="Open")
    ok(await carla.put(f"/discussions/{locked['id']}/lock"))
    assert await titles(carla, "?status=locked") == ["Locked"]
    assert await titles(carla, "?status=open") == ["Open"]
    assert await titles(carla, f"?author={mary.id}") == ["Locked"]
    assert await titles(carla, f"?author={unknown_id()}") == []
    since = ok(await carla.get(f"/discussions/{locked['id']}"))["created_at"]
    assert await titles(carla, f"?updated_after={since}&status=locked") == ["Locked"]


async def test_a_page_holds_what_is_here_and_nothing_of_elsewhere(api: Api) -> None:
    mary = await api.member("Mary Member")
    await api.join(mary, WELLNESS)
    await api.discussion(mary, title="Here")
    await api.discussion(mary, WELLNESS, title="There")
    assert await titles(mary) == ["Here"]
    page = ok(await mary.get(f"{TALK}?include=total"))
    assert (page["total"], page["next_cursor"]) == (1, None)


async def test_a_locked_discussion_is_read_and_not_written_to(api: Api) -> None:
    mary, carla = await api.member("Mary Member"), await api.leader("Carla Chair", "chair")
    discussion = await api.discussion(mary)
    reply = await api.reply(mary, discussion)
    path = f"/discussions/{discussion['id']}"
    assert because(await mary.put(f"{path}/lock")) == ["position_required"]
    async with leaves(api, ("discussion.locked", carla)):
        assert ok(await carla.put(f"{path}/lock"))["status"] == "locked"
        assert ok(await carla.put(f"{path}/lock"))["status"] == "locked"
    for refused in (
        await mary.post(f"{path}/posts", REPLY),
        await mary.patch(f"/posts/{reply['id']}", {"body": "Changed."}),
        await mary.delete(f"/posts/{reply['id']}"),
    ):
        assert code(refused, 409) == "discussion.locked"
    assert len(ok(await mary.get(f"{path}/posts"))["items"]) == 2
    assert ok(await mary.get(path))["viewer"] == {"can": []}
    assert ok(await carla.get(path))["viewer"] == {"can": ["unlock_discussion"]}
    async with leaves(api, ("discussion.unlocked", carla)):
        ok(await carla.delete(f"{path}/lock"))
        ok(await carla.delete(f"{path}/lock"))
    ok(await mary.post(f"{path}/posts", REPLY), 201)


async def test_locking_what_is_locked_changes_and_records_nothing(api: Api) -> None:
    carla = await api.leader("Carla Chair", "chair")
    path = f"/discussions/{(await api.discussion(carla))['id']}"
    locked = await carla.put(f"{path}/lock")
    async with leaves(api):
        again = await carla.put(f"{path}/lock")
    assert (ok(again), again.headers["etag"]) == (ok(locked), locked.headers["etag"])


async def test_a_lock_is_not_put_on_over_somebody_elses(api: Api) -> None:
    mary, carla = await api.member("Mary Member"), await api.leader("Carla Chair", "chair")
    path = f"/discussions/{(await api.discussion(mary))['id']}"
    seen = {"If-Match": (await carla.get(path)).headers["etag"]}
    ok(await carla.put(f"{path}/lock", headers=seen))
    for stale in (
        await carla.delete(f"{path}/lock", headers=seen),
        await carla.put(f"{path}/lock", headers=seen),
    ):
        assert code(stale, 412) == "precondition.failed"
    latest = {"If-Match": (await carla.get(path)).headers["etag"]}
    ok(await carla.delete(f"{path}/lock", headers=latest))


async def test_a_moderator_elsewhere_locks_nothing_here(api: Api) -> None:
    mary = await api.member("Mary Member")
    carla = await api.leader("Carla Chair", "chair", WELLNESS)
    path = f"/discussions/{(await api.discussion(mary))['id']}/lock"
    assert code(await carla.put(path), 404) == "not_found"
    await api.join(carla)
    assert because(await carla.put(path)) == ["position_required"]


async def test_an_archived_community_is_read_and_not_written_to(api: Api) -> None:
    mary, carla = await api.member("Mary Member"), await api.leader("Carla Chair", "chair")
    discussion = await api.discussion(mary)
    reply = await api.reply(mary, discussion)
    await api.report(carla, reply)
    path = f"/discussions/{discussion['id']}"
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    for refused in (
        await mary.post(TALK, WORDS),
        await mary.post(f"{path}/posts", REPLY),
        await mary.patch(f"/posts/{reply['id']}", {"body": "Changed."}),
        await mary.delete(f"/posts/{reply['id']}"),
        await mary.post(f"/posts/{reply['id']}/reports", {"rule": "no-attacks"}),
        await carla.put(f"{path}/lock"),
    ):
        assert code(refused, 409) == "community.archived"
    for shown in (
        ok(await carla.get(path)),
        ok(await carla.get(f"/posts/{reply['id']}")),
        ok(await mary.get(f"/posts/{reply['id']}")),
    ):
        assert shown["viewer"] == {"can": []}
    assert ok(await mary.get(f"/communities/{DTC}"))["status"] == "archived"
    await api.change(Community, await api.community_id(), status=CommunityStatus.ACTIVE)
    ok(await mary.post(f"{path}/posts", REPLY), 201)


async def test_tags_stand_once_and_are_plain_words(api: Api) -> None:
    mary = await api.member("Mary Member")
    twice = WORDS | {"tags": ["bail", "youth", "bail"]}
    assert ok(await mary.post(TALK, twice), 201)["tags"] == ["bail", "youth"]
    assert wrong(await mary.post(TALK, WORDS | {"tags": ["No Spaces"]})) == [
        ("/tags/0", "pattern_mismatch")
    ]
