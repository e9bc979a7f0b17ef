"""What must not be learned: of communities that hide or restrict themselves, of text that was
taken away, and of who reported it."""

import base64
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from app import openapi
from app.capabilities import OPEN_TO_ALL
from app.models import Community
from tests.answers import FORM, because, code, ok, told, wrong
from tests.calls import HOW, Calls, operations
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day, text_of, unknown_id
from tests.places import SECRET, Place, furnished, unlisted

HIDDEN = "current-issues"
CATALOGUE = ("/communities", "/communities?include=total", "/communities?limit=1")


async def hidden_place(api: Api, slug: str) -> Place:
    place = await furnished(api, slug)
    if slug == HIDDEN:
        await unlisted(api, slug)
    return place


async def outsiders(api: Api, slug: str) -> list[Someone]:
    """People with accounts who do not belong there, some of whom nearly do."""
    former = await api.leader("Freda Former", "vice_chair", slug)
    await api.ended_membership(former, slug)
    found = [
        await api.person("Alma Account"),
        await api.leader("Carla Chair", "chair", WELLNESS),
        former,
    ]
    if slug == ROUNDTABLE:
        # Whoever is not verified is outside of a restricted community, whatever they hold there.
        found.append(await api.leader("Jan Judge", "chair", slug))
    return found


# What outsiders see of a restricted community: its entry, and its seats without names.
FRONT = {
    "get_community",
    "get_join_form",
    "get_leadership",
    "list_community_seats",
    "list_vacancies",
}
# And whoever has an account may ask to be verified.
WAY_IN = "request_eligibility_verification"

# Outsiders


@pytest.mark.parametrize("slug", (HIDDEN, ROUNDTABLE))
async def test_what_is_in_there_is_answered_like_what_never_was(api: Api, slug: str) -> None:
    """Every operation, byte for byte, before 403, 409, 412, 422 and 428."""
    place = await hidden_place(api, slug)
    routes = operations(api)
    for someone in await outsiders(api, slug):
        calls = Calls(api, place, someone)
        await calls.prepare()
        for name in ("give_join_information", "withdraw_join_request"):
            del calls.own[name]  # what somebody else asked for
        for name in HOW:
            asks = openapi.may_of(routes[name])
            if asks is None or not (asks.within or "{community}" in routes[name].path_format):
                continue
            front = FRONT if slug == ROUNDTABLE else set()
            found = await calls.call(routes[name])
            if name in front:
                assert found.status_code == 200 and SECRET not in found.text, name
                continue
            if front and name == WAY_IN:
                assert found.status_code == 422 and SECRET not in found.text
                continue
            never = await calls.call(routes[name], unknown=True)
            assert code(never, 404) == "not_found", name
            assert told(found) == told(never), (name, someone.name)


@pytest.mark.parametrize("slug", (HIDDEN, ROUNDTABLE))
async def test_nobody_is_asked_to_sign_in_whatever_the_path(api: Api, slug: str) -> None:
    place = await hidden_place(api, slug)
    calls, routes = Calls(api, place, None), operations(api)
    await calls.prepare()
    for name in HOW:
        asks = openapi.may_of(routes[name])
        if asks is not None and asks.within is not None:
            found, never = [await calls.call(routes[name], unknown=one) for one in (False, True)]
            # What the public may read is asked of nobody, and is not there.
            asked = (404, "not_found") if asks.capability in OPEN_TO_ALL else (401, "auth.required")
            assert code(found, asked[0]) == asked[1] and told(found) == told(never), name


@pytest.mark.parametrize("slug", (HIDDEN, ROUNDTABLE))
async def test_a_guessed_etag_or_another_method_finds_nothing_either(api: Api, slug: str) -> None:
    place, alma = await hidden_place(api, slug), await api.person("Alma Account")
    for path in (f"/discussions/{place.discussion}", f"/communities/{slug}/memberships"):
        for headers in ({"If-None-Match": "*"}, {"If-None-Match": '"1"'}):
            assert code(await alma.get(path, headers=headers), 404) == "not_found"
        assert (await alma.call("HEAD", path)).status_code == 404
        assert code(await alma.get(f"{path}?nonsense=1"), 404) == "not_found"


async def test_those_who_belong_find_a_hidden_community(api: Api) -> None:
    place = await hidden_place(api, HIDDEN)
    mary, staff = await api.member("Mary Member", HIDDEN), await api.staff()
    for someone in (mary, staff):
        assert HIDDEN in await slugs(someone)
        assert SECRET in (await someone.get(f"/discussions/{place.discussion}")).text
        assert ok(await someone.get(f"/communities/{HIDDEN}"))["member_count"] == 3
    path = f"/memberships/{mary.memberships[HIDDEN]}/suspension"
    ok(await staff.put(path, {"until_on": day(3), "reason": "A complaint."}))
    assert HIDDEN in await slugs(mary)
    assert because(await mary.get(f"/communities/{HIDDEN}/discussions")) == ["membership_suspended"]


async def test_staff_administer_a_restricted_community_and_read_nothing_in_it(api: Api) -> None:
    place, staff = await hidden_place(api, ROUNDTABLE), await api.staff()
    ok(await staff.get(f"/communities/{ROUNDTABLE}/memberships"))
    ok(await staff.get(f"/join-requests/{place.join_request}"))
    for path in (
        f"/communities/{ROUNDTABLE}/discussions",
        f"/communities/{ROUNDTABLE}/review-queue",
        f"/discussions/{place.discussion}/posts",
        f"/posts/{place.post}",
        f"/reviews/{place.review}",
    ):
        assert code(await staff.get(path), 404) == "not_found"


# The catalogue


async def slugs(someone: Someone | Api, query: str = "limit=100") -> list[str]:
    return [item["slug"] for item in ok(await someone.get(f"/communities?{query}"))["items"]]


async def test_the_catalogue_does_not_know_a_hidden_community(api: Api) -> None:
    alma, staff = await api.person("Alma Account"), await api.staff()
    await unlisted(api, HIDDEN)
    for someone in (api, alma):
        assert HIDDEN not in await slugs(someone)
        assert HIDDEN not in await slugs(someone, "updated_after=2000-01-01T00:00:00Z&limit=100")
        assert HIDDEN not in await slugs(someone, "status=active&limit=100")
        assert ok(await someone.get("/communities?include=total"))["total"] == 16
    assert ok(await staff.get("/communities?include=total"))["total"] == 17


async def test_pages_show_no_gap_where_a_community_is_hidden(api: Api) -> None:
    await unlisted(api, HIDDEN)
    seen, cursors, cursor = [], [], ""
    while cursor is not None:
        page = ok(await api.get(f"/communities?limit=1{cursor and '&cursor='}{cursor}"))
        (item,), cursor = page["items"], page["next_cursor"]
        seen.append(item["slug"])
        if cursor is not None:
            cursors.append(cursor)
            # It goes on after a place, of which there are more than are shown: not to be read.
            assert item["id"].encode() not in base64.urlsafe_b64decode(cursor + "==")
    assert len(seen) == 16 and HIDDEN not in seen
    assert len({len(cursor) for cursor in cursors}) == 1


async def answers(api: Api, alma: Someone, slug: str) -> list[Any]:
    """All that outsiders are told of communities, as far as it may not move."""
    found = []
    for someone in (api, alma):
        for path in CATALOGUE:
            page = ok(await someone.get(path))
            for item in page["items"]:
                item.pop("vacant_seats")
            found.append(page)
        found.append(told(await someone.get(f"/communities/{slug}/discussions")))
        shown = await someone.get(f"/communities/{slug}")
        if shown.status_code == 200:
            found.append({**shown.json(), "vacant_seats": None})
        leadership = await someone.get(f"/communities/{slug}/leadership")
        if leadership.status_code == 200:
            assert {seat["holder"] and 1 for seat in leadership.json()["seats"]} == {None}
    return found


@pytest.mark.parametrize("slug", (HIDDEN, ROUNDTABLE))
async def test_nothing_that_happens_inside_changes_what_is_answered_outside(
    api: Api, slug: str
) -> None:
    alma = await api.person("Alma Account")
    if slug == HIDDEN:
        await unlisted(api, slug)
    before = await answers(api, alma, slug)
    place = await furnished(api, slug)
    staff = await api.staff()
    await api.leader("Jan Judge", "chair", slug)
    body = {"reason": "Has moved."}
    ok(await staff.post(f"/memberships/{place.membership}/end", body))
    assert await answers(api, alma, slug) == before


async def test_outsiders_see_the_seats_of_a_restricted_community_and_no_names(api: Api) -> None:
    alma, staff = await api.person("Alma Account"), await api.staff()
    await api.leader("Jan Judge", "chair", ROUNDTABLE)
    path = f"/communities/{ROUNDTABLE}/leadership"
    for someone in (api, alma):
        seat = ok(await someone.get(path))["seats"][0]
        assert (seat["state"], seat["holder"]) == ("held", None)
    assert ok(await staff.get(path))["seats"][0]["holder"]["person"]["name"] == "Jan Judge"
    community = await api.community_id(ROUNDTABLE)
    await api.change(Community, community, publishes_leadership=True)
    assert ok(await api.get(path))["seats"][0]["holder"]["person"]["name"] == "Jan Judge"


async def test_counts_of_a_restricted_community_are_null_outside(api: Api) -> None:
    await furnished(api, ROUNDTABLE)
    alma, staff = await api.person("Alma Account"), await api.staff()
    for someone in (api, alma):
        entry = ok(await someone.get(f"/communities/{ROUNDTABLE}"))
        assert (entry["member_count"], entry["last_activity_at"]) == (None, None)
        assert entry["viewer"] == {"can": ["submit_join_request"]}
    assert ok(await staff.get(f"/communities/{ROUNDTABLE}"))["member_count"] == 2


async def test_a_form_cannot_find_out_a_hidden_community(api: Api) -> None:
    await unlisted(api, HIDDEN)
    mary, staff = await api.member("Mary Member", HIDDEN), await api.staff()

    async def asked(someone: Someone | Api, name: str) -> httpx.Response:
        return await someone.post("/join-requests", FORM | {"communities": [DTC, name]})

    never = await asked(api, "no-such-community")
    assert wrong(never) == [("/communities/1", "not_known")]
    for someone in (api, mary, staff):
        assert told(await asked(someone, HIDDEN)) == told(never)
    for someone in (mary, staff):
        entry = ok(await someone.get(f"/communities/{HIDDEN}"))
        assert "submit_join_request" not in entry["viewer"]["can"]
    ok(await asked(api, WELLNESS), 202)


# What was taken away


async def read_everywhere(someone: Someone, place: Place) -> dict[str, str]:
    """Every body that can be read, by the operation that gave it."""
    calls, found = Calls(someone.api, place, someone), {}
    await calls.prepare()
    for name, route in operations(someone.api).items():
        if "GET" in route.methods:
            found[name] = (await calls.call(route)).text
    return found


async def test_hidden_and_deleted_text_is_nowhere_but_with_those_who_decide(api: Api) -> None:
    place = await furnished(api, DTC)
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla = await api.leader("Carla Chair", "chair")
    opening = await api.discussion(mary, body="An opening that attacks.")
    hidden = await api.reply(mary, opening, "A reply that attacks.")
    deleted = await api.reply(mary, opening, "A reply that was taken back.")
    for post in (opening["opening_post"], hidden):
        await api.report(otto, post)
    for case in ok(await carla.get(f"/communities/{DTC}/review-queue"))["items"]:
        if case["subject"]["id"] in (opening["opening_post"]["id"], hidden["id"]):
            decision = {"action": "hide", "rule": "no-attacks", "reason": "It does.", "version": 1}
            ok(await carla.put(f"/reviews/{case['id']}/decision", decision))
    ok(await mary.delete(f"/posts/{deleted['id']}"), 204)
    place = replace(place, discussion=UUID(opening["id"]), post=UUID(hidden["id"]))
    moderation = {"list_review_queue", "get_review"}
    gone = ("opening that attacks", "reply that attacks", "taken back")
    staff = await api.staff()
    for someone in (mary, otto, carla, staff):
        for name, body in (await read_everywhere(someone, place)).items():
            if name not in moderation:
                assert not [text for text in gone if text in body], (name, someone.name)
        listed = ok(await someone.get(f"/discussions/{opening['id']}/posts"))["items"]
        assert [item["status"] for item in listed][:3] == ["hidden", "hidden", "deleted"]
    for mail in await api.work_off():
        assert not [text for text in gone if text in text_of(mail)], mail["Subject"]


async def test_who_reported_is_shown_to_nobody(api: Api) -> None:
    place = await furnished(api, DTC)
    mary, rhea = await api.member("Mary Member"), await api.member("Rhea Reporter")
    carla, staff = await api.leader("Carla Chair", "chair"), await api.staff()
    await api.work_off()
    post = await api.reply(mary, await api.discussion(mary))
    await api.report(rhea, post)
    (case,) = [
        item
        for item in ok(await carla.get(f"/communities/{DTC}/review-queue"))["items"]
        if item["subject"]["id"] == post["id"]
    ]
    hide = {"action": "hide", "rule": "no-attacks", "reason": "It does.", "version": 1}
    ok(await carla.put(f"/reviews/{case['id']}/decision", hide))
    place = replace(place, review=UUID(case["id"]), post=UUID(post["id"]))
    rosters = {"list_memberships", "list_people", "export_memberships", "export_all_memberships"}
    for someone in (mary, carla, staff):
        for name, body in (await read_everywhere(someone, place)).items():
            if name not in rosters:
                assert "Rhea" not in body and str(rhea.id) not in body, (name, someone.name)
        decided = await someone.get(f"/communities/{DTC}/review-queue?status=decided")
        assert "Rhea" not in decided.text
    for mail in await api.work_off():
        assert "Rhea" not in text_of(mail)
    log = ok(await carla.get(f"/communities/{DTC}/audit-log?kind=post.reported"))["items"]
    assert [record["actor"] for record in log] == [{"kind": "person", "id": None, "name": None}]


async def test_the_log_has_no_personal_text_in_it(api: Api) -> None:
    place, staff = await furnished(api, DTC), await api.staff()
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    await api.report(otto, await api.reply(mary, await api.discussion(mary), "A private matter."))
    body = {"reason": "A matter of health."}
    ok(await staff.post(f"/memberships/{place.membership}/end", body))
    ok(await api.post("/join-requests", FORM), 202)
    ok(await mary.patch("/me", {"affiliation": "A rehabilitation clinic"}))
    for path in (f"/communities/{DTC}/audit-log", "/audit-log"):
        log = (await staff.get(f"{path}?limit=100")).text
        for text in ("private matter", "health", FORM["name"], FORM["email"], "rehabilitation"):
            assert text not in log


async def test_a_cursor_of_one_list_opens_no_other(api: Api) -> None:
    mary = await api.member("Mary Member")
    await api.join(mary, WELLNESS)
    for community in (DTC, WELLNESS):
        for number in range(2):
            await api.discussion(mary, community, title=f"Discussion {number}")
    cursor = ok(await mary.get(f"/communities/{DTC}/discussions?limit=1"))["next_cursor"]
    for other in (
        f"/communities/{WELLNESS}/discussions?limit=1",
        f"/communities/{DTC}/discussions?limit=1&status=open",
        f"/communities/{DTC}/memberships?limit=1",
    ):
        assert code(await mary.get(f"{other}&cursor={cursor}"), 422) == "cursor.invalid"
    ok(await mary.get(f"/communities/{DTC}/discussions?limit=1&cursor={cursor}"))


async def test_a_body_that_cannot_be_does_not_tell_what_is_there_from_what_never_was(
    api: Api,
) -> None:
    """What is one's own is looked for before the body is."""
    place, stranger = await furnished(api, DTC), await api.person("Sam Stranger")
    calls = Calls(api, place, stranger)
    await calls.prepare()
    routes, looked_at = operations(api), set()
    for name, route in routes.items():
        asks = openapi.may_of(route)
        (method,) = route.methods
        if asks is None or not asks.own or asks.within is None or method in ("GET", "DELETE"):
            continue
        answers = []
        for ids in (calls.ids, calls.ids | {f"{asks.within.__tablename__}_id": unknown_id()}):
            path = route.path_format.format(**ids)
            answers.append(await stranger.call(method, path, json={"nobody": "asked for this"}))
        assert told(answers[0]) == told(answers[1]), name
        assert code(answers[0], 404) == "not_found", name
        looked_at.add(name)
    assert {"pause_membership", "give_join_information", "resign_term"} <= looked_at
