"""Posts: replying, editing and deleting, under a line that stays as it was."""

from tests.answers import because, code, leaves, ok, told, wrong
from tests.cast import DTC, WELLNESS, Api, Someone, unknown_id

REPLY = {"body": "We tried *that*.", "reply_to_id": None, "language": "en"}


async def place(api: Api, author: Someone, community: str = DTC) -> str:
    """The path of the posts of a new discussion."""
    return f"/discussions/{(await api.discussion(author, community))['id']}/posts"


async def test_replies_are_numbered_in_their_order(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    posts = await place(api, mary)
    async with leaves(api, ("post.written", otto)):
        reply = ok(await otto.post(posts, REPLY), 201)
    assert (reply["number"], reply["status"], reply["edited_at"]) == (2, "visible", None)
    assert reply["body_html"] == "<p>We tried <em>that</em>.</p>\n"
    assert ok(await mary.get(f"/posts/{reply['id']}"))["body"] == reply["body"]
    assert [item["number"] for item in ok(await mary.get(posts))["items"]] == [1, 2]


async def test_a_reply_answers_a_post_of_the_same_discussion(api: Api) -> None:
    mary = await api.member("Mary Member")
    posts, other = await place(api, mary), await place(api, mary)
    opening = ok(await mary.get(posts))["items"][0]["id"]
    elsewhere = ok(await mary.get(other))["items"][0]["id"]
    assert ok(await mary.post(posts, REPLY | {"reply_to_id": opening}), 201)["reply_to_id"] == (
        opening
    )
    for unknown in (elsewhere, str(unknown_id())):
        refused = await mary.post(posts, REPLY | {"reply_to_id": unknown})
        assert wrong(refused) == [("/reply_to_id", "not_known")]


async def test_the_line_stays_as_it_was_when_it_was_sent(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    posts = await place(api, carla)
    before = ok(await carla.get(posts))["items"][0]["author"]
    change = {"name": "Carla Clerk", "occupation": "Clerk", "affiliation": None}
    ok(await carla.patch("/me", change))
    ok(await staff.post(f"/terms/{carla.terms['chair']}/removal", {"reason": "Moved."}), 201)
    after = ok(await carla.post(posts, REPLY), 201)["author"]
    assert ok(await carla.get(posts))["items"][0]["author"] == before
    assert (before["name"], before["affiliation"], before["position"]) == (
        "Carla Chair",
        "Provincial Court",
        "chair",
    )
    assert (after["name"], after["affiliation"], after["position"]) == ("Carla Clerk", None, None)


async def test_an_author_edits_the_own_post_and_it_shows(api: Api) -> None:
    mary = await api.member("Mary Member")
    reply = ok(await mary.post(await place(api, mary), REPLY), 201)
    path = f"/posts/{reply['id']}"
    async with leaves(api, ("post.edited", mary)):
        edited = ok(await mary.patch(path, {"body": "Better *said*."}))
    assert edited["body_html"] == "<p>Better <em>said</em>.</p>\n"
    assert edited["edited_at"] and edited["language"] == "en"
    async with leaves(api):
        assert ok(await mary.patch(path, {})) == edited
    assert ok(await mary.patch(path, {"language": "fr"}))["body"] == "Better *said*."


async def test_nobody_edits_or_deletes_what_somebody_else_wrote(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla, stranger = await api.leader("Carla Chair", "chair"), await api.person("Nobody Here")
    reply = ok(await mary.post(await place(api, mary), REPLY), 201)
    path, unknown = f"/posts/{reply['id']}", f"/posts/{unknown_id()}"
    for someone in (otto, carla):
        assert because(await someone.patch(path, {"body": "Mine."})) == ["own_only"]
        assert because(await someone.delete(path)) == ["own_only"]
    assert told(await stranger.patch(path, {"body": "Mine."})) == told(
        await stranger.patch(unknown, {"body": "Mine."})
    )
    assert told(await stranger.delete(path)) == told(await stranger.delete(unknown))
    ok(await mary.delete(path), 204)


async def test_a_stale_edit_is_told_so_and_a_stale_deletion_too(api: Api) -> None:
    mary = await api.member("Mary Member")
    reply = ok(await mary.post(await place(api, mary), REPLY), 201)
    path = f"/posts/{reply['id']}"
    first = {"If-Match": (await mary.get(path)).headers["etag"]}
    ok(await mary.patch(path, {"body": "From my phone."}, headers=first))
    stale = await mary.patch(path, {"body": "From my desk."}, headers=first)
    assert code(stale, 412) == "precondition.failed"
    assert code(await mary.delete(path, headers=first), 412) == "precondition.failed"
    assert ok(await mary.get(path))["body"] == "From my phone."
    latest = {"If-Match": (await mary.get(path)).headers["etag"]}
    ok(await mary.delete(path, headers=latest), 204)


async def test_a_deleted_reply_keeps_its_place_and_loses_its_text(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    posts = await place(api, otto)
    reply = ok(await mary.post(posts, REPLY), 201)
    async with leaves(api, ("post.deleted", mary)):
        ok(await mary.delete(f"/posts/{reply['id']}"), 204)
    for shown in (
        ok(await otto.get(posts))["items"][1],
        ok(await mary.get(f"/posts/{reply['id']}")),
    ):
        assert (shown["status"], shown["body"], shown["body_html"]) == ("deleted", None, None)
        assert shown["viewer"] == {"can": []}
    assert code(await mary.delete(f"/posts/{reply['id']}"), 409) == "post.not_visible"
    assert code(await mary.patch(f"/posts/{reply['id']}", {"body": "Back."}), 409) == (
        "post.not_visible"
    )
    assert ok(await otto.post(posts, REPLY), 201)["number"] == 3


async def test_the_opening_post_stays_with_its_discussion(api: Api) -> None:
    mary = await api.member("Mary Member")
    opening = ok(await mary.get(await place(api, mary)))["items"][0]
    assert opening["viewer"] == {"can": ["update_post"]}
    assert code(await mary.delete(f"/posts/{opening['id']}"), 409) == "post.opens_discussion"


async def test_who_left_cannot_reach_the_own_posts_any_more(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    reply = ok(await mary.post(await place(api, otto), REPLY), 201)
    ok(await mary.post(f"/memberships/{mary.memberships[DTC]}/end", {}))
    path = f"/posts/{reply['id']}"
    for refused in (await mary.get(path), await mary.patch(path, {}), await mary.delete(path)):
        assert code(refused, 404) == "not_found"
    assert ok(await otto.get(path))["author"]["name"] == "Mary Member"


async def test_a_discussion_of_another_community_is_not_reached_through_this_one(
    api: Api,
) -> None:
    mary, ella = await api.member("Mary Member"), await api.member("Ella Elsewhere", WELLNESS)
    posts = await place(api, ella, WELLNESS)
    assert told(await mary.post(posts, REPLY)) == told(
        await mary.post(f"/discussions/{unknown_id()}/posts", REPLY)
    )
    ok(await ella.post(posts, REPLY), 201)


async def test_posts_that_changed_can_be_fetched_by_a_script(api: Api) -> None:
    mary = await api.member("Mary Member")
    posts = await place(api, mary)
    first, second = [ok(await mary.post(posts, REPLY), 201) for _ in range(2)]
    since = f"{posts}?updated_after={second['created_at']}"
    assert ok(await mary.get(since))["items"] == []
    ok(await mary.delete(f"/posts/{first['id']}"), 204)
    assert [item["id"] for item in ok(await mary.get(since))["items"]] == [first["id"]]
