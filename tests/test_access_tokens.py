"""Personal access tokens: what a script may do is what its owner may, and never more."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock, tokens
from app.models import AccessToken, Activity, Community, IdempotencyKey, Membership
from tests.answers import because, code, leaves, ok, told, wrong
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day, unknown_id
from tests.machines import script_of, script_with
from tests.places import unlisted

ROSTER = f"/communities/{DTC}/memberships"
BODY: dict[str, Any] = {"name": "Nightly", "scopes": ["memberships:read"], "expires_on": day(30)}


async def _mine(owner: Someone) -> list[dict[str, Any]]:
    return ok(await owner.get("/me/access-tokens"))["items"]


# Making and revoking them


async def test_a_token_is_shown_once_and_kept_as_a_hash(api: Api) -> None:
    owner = await api.member("Otto Owner")
    async with leaves(api, ("access_token.created", owner)):
        answer = await owner.post("/me/access-tokens", BODY)
    made = ok(answer, 201)
    assert made["token"].startswith("cop_pat_") and len(made["token"]) == 51
    assert answer.headers["cache-control"] == "no-store"
    (shown,) = await _mine(owner)
    assert shown == {name: value for name, value in made.items() if name != "token"}
    ((kept,),) = await api.read(sa.select(col(AccessToken.token_hash)))
    assert kept == tokens.hashed(made["token"])
    ((facts,),) = await api.read(
        sa.select(col(Activity.facts)).where(col(Activity.kind) == "access_token.created")
    )
    assert made["token"] not in str(facts)


async def test_a_retry_of_making_one_does_not_show_it_again(api: Api) -> None:
    owner = await api.member("Otto Owner")
    key = {"Idempotency-Key": "once"}
    ok(await owner.post("/me/access-tokens", BODY, headers=key), 201)
    again = await owner.post("/me/access-tokens", BODY, headers=key)
    assert code(again, 409) == "idempotency_key.answer_not_kept"
    assert len(await _mine(owner)) == 1


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"scopes": []}, ("/scopes", "too_few")),
        ({"scopes": ["everything"]}, ("/scopes/0", "not_one_of")),
        ({"name": " "}, ("/name", "too_short")),
        ({"communities": []}, ("/communities", "too_few")),
        ({"communities": [DTC, "no-such"]}, ("/communities/1", "not_known")),
        ({"expires_on": day(-1)}, ("/expires_on", "day_in_the_past")),
        ({"expires_on": day(367)}, ("/expires_on", "day_too_far")),
        ({"token": "cop_pat_mine"}, ("/token", "unknown_member")),
    ],
)
async def test_a_token_without_limits_is_refused(
    sqlite_api: Api, changed: dict[str, Any], expected: tuple[str, str]
) -> None:
    owner = await sqlite_api.member("Otto Owner")
    assert wrong(await owner.post("/me/access-tokens", BODY | changed)) == [expected]


async def test_a_hidden_community_of_others_is_as_unknown_as_none(api: Api) -> None:
    await unlisted(api, WELLNESS)
    stranger, member = await api.person("Sam Stranger"), await api.member("Mo Member", WELLNESS)
    body = BODY | {"communities": [WELLNESS]}
    assert wrong(await stranger.post("/me/access-tokens", body)) == [
        ("/communities/0", "not_known")
    ]
    ok(await member.post("/me/access-tokens", body), 201)


async def test_a_person_has_at_most_fifty(api: Api) -> None:
    owner = await api.member("Otto Owner")
    for number in range(50):
        await script_with(api, owner, ["x"] * number)
    assert code(await owner.post("/me/access-tokens", BODY), 409) == "access_token.too_many"
    (latest, *_) = await _mine(owner)
    assert (await owner.delete(f"/me/access-tokens/{latest['id']}")).status_code == 204
    ok(await owner.post("/me/access-tokens", BODY), 201)


async def test_a_revoked_token_is_refused_at_the_next_request(api: Api) -> None:
    owner, other = await api.member("Otto Owner"), await api.member("Olga Other")
    script = await script_of(owner, "memberships:read")
    ok(await script.get(ROSTER))
    (token,) = await _mine(owner)
    path = f"/me/access-tokens/{token['id']}"
    assert code(await other.delete(path), 404) == "not_found"
    async with leaves(api, ("access_token.revoked", owner)):
        assert (await owner.delete(path)).status_code == 204
    assert code(await script.get(ROSTER), 401) == "auth.token_invalid"
    assert code(await owner.delete(path), 404) == "not_found"
    assert await _mine(owner) == []


async def test_a_token_ends_with_its_last_day(api: Api) -> None:
    owner = await api.member("Otto Owner")
    script = await script_of(owner, "memberships:read")
    ok(await script.get(ROSTER))
    (token,) = await _mine(owner)
    await api.change(AccessToken, UUID(token["id"]), expires_at=clock.now() - timedelta(seconds=1))
    assert code(await script.get(ROSTER), 401) == "auth.token_invalid"
    assert await _mine(owner) == []


async def test_tokens_end_with_the_account_and_do_not_come_back_with_it(api: Api) -> None:
    staff, owner = await api.staff(), await api.member("Otto Owner")
    script = await script_of(owner, "memberships:read")
    switch = f"/people/{owner.id}/deactivation"
    assert (await staff.put(switch)).status_code == 204
    assert code(await script.get(ROSTER), 401) == "auth.token_invalid"
    assert (await staff.delete(switch)).status_code == 204
    assert code(await script.get(ROSTER), 401) == "auth.token_invalid"


async def test_those_who_look_after_accounts_see_and_revoke_tokens_of_others(api: Api) -> None:
    staff, owner = await api.staff(), await api.member("Otto Owner")
    chair = await api.leader("Claire Chair", "chair")
    script = await script_of(owner, "memberships:read")
    path = f"/people/{owner.id}/access-tokens"
    assert because(await chair.get(path)) == ["position_required"]
    (token,) = ok(await staff.get(path))["items"]
    assert "token" not in token
    assert because(await chair.delete(f"/access-tokens/{token['id']}")) == ["position_required"]
    assert (await staff.delete(f"/access-tokens/{token['id']}")).status_code == 204
    assert code(await script.get(ROSTER), 401) == "auth.token_invalid"
    assert code(await staff.get(f"/people/{unknown_id()}/access-tokens"), 404) == "not_found"


@pytest.mark.parametrize("forged", ["cop_pat_", "cop_pat_" + "A" * 43, "cop_pat_" + "é" * 43])
async def test_a_token_that_never_was_is_401_on_public_operations_too(
    api: Api, forged: str
) -> None:
    headers = {"Authorization": f"Bearer {forged}".encode()}
    answer = await api.get("/communities", headers=headers)
    assert code(answer, 401) == "auth.token_invalid"


async def test_when_it_was_last_used_is_noted_once_a_minute(api: Api) -> None:
    owner = await api.member("Otto Owner")
    script = await script_of(owner, "memberships:read")
    assert [token["last_used_at"] for token in await _mine(owner)] == [None]
    ok(await script.get(ROSTER))
    (first,) = await _mine(owner)
    ok(await script.get(ROSTER))
    assert first["last_used_at"] is not None and await _mine(owner) == [first]
    earlier = clock.now() - timedelta(minutes=2)
    await api.change(AccessToken, UUID(first["id"]), last_used_at=earlier)
    ok(await script.get(ROSTER))
    assert (await _mine(owner))[0]["last_used_at"] >= first["last_used_at"]


# What they reach


async def test_a_token_does_what_its_scopes_say_and_says_why_not_the_rest(api: Api) -> None:
    owner = await api.leader("Claire Chair", "chair")
    script = await script_of(owner, "memberships:read")
    ok(await script.get(ROSTER))
    refused = await script.get(f"/communities/{DTC}/join-requests")
    assert because(refused) == ["token_scope"]
    ok(await owner.get(f"/communities/{DTC}/join-requests"))


async def test_a_token_is_never_wider_than_its_owner_at_that_moment(api: Api) -> None:
    owner = await api.member("Otto Owner")
    script = await script_of(owner, "memberships:read", "join_requests:read")
    ok(await script.get(ROSTER))
    queue = f"/communities/{DTC}/join-requests"
    assert because(await script.get(queue)) == ["position_required"]
    await api.hold(owner, "chair")
    ok(await script.get(queue))
    await api.ended_membership(owner)
    assert because(await script.get(ROSTER)) == ["membership_required"]


async def test_outside_its_communities_a_token_is_a_stranger(api: Api) -> None:
    owner = await api.leader("Claire Chair", "chair", WELLNESS)
    await api.join(owner, DTC)
    scopes = ("communities:read", "memberships:read", "discussions:read")
    script = await script_of(owner, *scopes, communities=[DTC])
    discussion = await api.discussion(owner, WELLNESS)
    ok(await script.get(ROSTER))
    assert because(await script.get(f"/communities/{WELLNESS}/memberships")) == ["token_scope"]
    assert code(await script.get(f"/discussions/{discussion['id']}"), 404) == "not_found"
    assert ok(await script.get(f"/communities/{WELLNESS}"))["viewer"] == {"can": []}
    ok(await owner.get(f"/discussions/{discussion['id']}"))


async def test_a_hidden_community_outside_its_communities_is_not_there(api: Api) -> None:
    await unlisted(api, WELLNESS)
    owner = await api.member("Otto Owner", WELLNESS)
    staff = await api.staff()
    for person in (owner, staff):
        narrow = await script_of(person, "communities:read", communities=[DTC])
        wide = await script_of(person, "communities:read", communities=[DTC, WELLNESS])
        listed = [
            {item["slug"] for item in ok(await one.get("/communities?limit=100"))["items"]}
            for one in (narrow, wide)
        ]
        assert [WELLNESS in slugs for slugs in listed] == [False, True]
        hidden = await narrow.get(f"/communities/{WELLNESS}")
        assert told(hidden) == told(await narrow.get("/communities/no-such-community"))
        ok(await wide.get(f"/communities/{WELLNESS}"))


async def test_a_token_for_communities_does_nothing_in_the_association(api: Api) -> None:
    staff = await api.staff()
    narrow = await script_of(staff, "people:manage", "memberships:read", communities=[DTC])
    wide = await script_of(staff, "people:manage")
    assert because(await narrow.get("/people")) == ["token_scope"]
    ok(await narrow.get(ROSTER))
    ok(await wide.get("/people"))
    assert ok(await narrow.get("/me"))["positions"] == []
    assert ok(await wide.get("/me"))["positions"] == ["staff"]


async def test_a_restricted_community_outside_its_communities_is_not_there(api: Api) -> None:
    staff = await api.staff()
    path = f"/communities/{ROUNDTABLE}/memberships"
    narrow = await script_of(staff, "memberships:read", communities=[DTC])
    wide = await script_of(staff, "memberships:read", communities=[ROUNDTABLE])
    assert code(await narrow.get(path), 404) == "not_found"
    ok(await wide.get(path))


async def test_standing_and_affordances_are_those_of_the_token(api: Api) -> None:
    owner = await api.leader("Claire Chair", "chair")
    script = await script_of(owner, "communities:read", "memberships:read", communities=[DTC])
    standing = ok(await script.get(f"/communities/{DTC}/standing"))
    assert standing["can"] == ["communities:read", "memberships:read"]
    refused = {item["capability"]: item["because"][0]["code"] for item in standing["cannot"]}
    assert set(refused.values()) == {"token_scope"}
    assert [held["position"] for held in standing["positions"]] == ["chair"]
    outside = ok(await script.get(f"/communities/{WELLNESS}/standing"))
    assert outside["can"] == ["communities:read"] and outside["positions"] == []
    page = ok(await script.get(f"/communities/{DTC}"))
    assert page["viewer"] == {"can": ["list_memberships", "list_subcommittees"]}
    listed = ok(await script.get("/communities?limit=100"))["items"]
    assert next(item for item in listed if item["slug"] == DTC)["viewer"] == page["viewer"]
    assert next(item for item in listed if item["slug"] == WELLNESS)["viewer"] == {"can": []}


async def test_standing_on_an_earlier_day_stays_within_the_token(api: Api) -> None:
    owner = await api.leader("Claire Chair", "chair")
    script = await script_of(owner, "memberships:read")
    path = f"/communities/{DTC}/standing?as_of={day(-1)}"
    assert ok(await script.get(path))["can"] == ["memberships:read"]
    assert len(ok(await owner.get(path))["can"]) > 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/me", {"name": "Another"}),
        ("GET", "/me/access-tokens", None),
        ("POST", "/me/access-tokens", BODY),
        ("GET", "/me/sessions", None),
        ("DELETE", "/auth/tokens/current", None),
        ("GET", "/me/agreements", None),
        ("POST", "/me/agreements", {"version": 1}),
        ("GET", "/me/memberships", None),
    ],
)
async def test_what_no_capability_stands_for_is_not_for_tokens(
    sqlite_api: Api, method: str, path: str, body: Any
) -> None:
    owner = await sqlite_api.staff()
    script = await script_of(owner, "people:manage", "association:manage")
    assert because(await script.call(method, path, json=body)) == ["token_scope"]
    assert (await owner.call(method, path, json=body)).status_code < 400


async def test_a_token_does_not_resign_for_its_owner(api: Api) -> None:
    owner = await api.leader("Claire Chair", "chair")
    script = await script_of(owner, "leadership:read_history")
    path = f"/terms/{owner.terms['chair']}"
    ok(await script.get(path))
    assert because(await script.post(f"{path}/resignation", {"reason": "I move."})) == [
        "token_scope"
    ]
    ok(await owner.post(f"{path}/resignation", {"reason": "I move."}), 201)


async def test_what_is_ones_own_is_seen_by_a_token_with_the_scope_alone(api: Api) -> None:
    owner = await api.member("Otto Owner")
    path = f"/memberships/{owner.memberships[DTC]}"
    ok(await (await script_of(owner, "memberships:read")).get(path))
    blind = await script_of(owner, "communities:read")
    assert told(await blind.get(path)) == told(await blind.get(f"/memberships/{unknown_id()}"))
    leaving = await (await script_of(owner, "memberships:read")).post(
        f"{path}/end", {"reason": None}
    )
    assert because(leaving) == ["token_scope"]
    ((ended,),) = await api.read(sa.select(col(Membership.ended_at)))
    assert ended is None


async def test_what_a_script_does_is_its_owners_act(api: Api) -> None:
    owner = await api.member("Otto Owner")
    script = await script_of(owner, "discussions:start")
    async with leaves(api, ("discussion.started", owner)):
        await api.discussion(script)


async def test_idempotency_keys_belong_to_the_token(api: Api) -> None:
    owner = await api.member("Otto Owner")
    first, second = [await script_of(owner, "discussions:start") for _ in range(2)]
    body = {"title": "Once", "body": "Text.", "tags": [], "language": "en"}
    key = {"Idempotency-Key": "the-same"}
    path = f"/communities/{DTC}/discussions"
    answers = [await one.post(path, body, headers=key) for one in (first, first, second, owner)]
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [
        None,
        "true",
        None,
        None,
    ]
    kept = await api.read(sa.select(col(IdempotencyKey.credential)))
    assert len({row.credential for row in kept}) == 3
    assert not any(one.token in row.credential for row in kept for one in (first, second))


async def test_requests_are_counted_by_the_token(api: Api) -> None:
    owner = await api.member("Otto Owner")
    script = await script_of(owner, "memberships:read")
    other = replace(script, token=(await script_of(owner, "memberships:read")).token)
    for one in (script, other):
        ok(await one.get(ROSTER))
    counted = [tokens.remembered(one.token) for one in (script, other, owner)]
    assert len(set(counted)) == 3 and counted[2] == str(owner.id)
    assert counted[0].startswith("token:") and tokens.remembered("cop_pat_unknown") is None


async def test_an_archived_community_stays_closed_to_tokens(api: Api) -> None:
    owner = await api.member("Otto Owner")
    script = await script_of(owner, "discussions:start", "discussions:read")
    await api.change(Community, await api.community_id(), status="archived")
    body = {"title": "Late", "body": "Text.", "tags": [], "language": "en"}
    answer = await script.post(f"/communities/{DTC}/discussions", body)
    assert code(answer, 409) == "community.archived"
