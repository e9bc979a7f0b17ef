"""The conventions that hold for every operation: methods, headers, languages, lists, caching."""

import re
from urllib.parse import urlsplit

import pytest
from prometheus_client import REGISTRY

from app import openapi, settings
from tests.answers import leaves
from tests.cast import DTC, Api, Someone, unknown_id

PAGE = "http://localhost:5173"
CATALOGUE = "/communities"


# Methods


async def test_head_answers_like_get_without_a_body_wherever_get_does(sqlite_api: Api) -> None:
    chair = await sqlite_api.leader("Claire Chair", "chair")
    started = await sqlite_api.discussion(chair)
    paths = [
        "/me",
        "/association",
        CATALOGUE,
        f"/communities/{DTC}/standing",
        f"/communities/{DTC}/discussions",
        f"/discussions/{started['id']}/posts",
    ]
    for path in paths:
        whole, head = await chair.get(path), await chair.call("HEAD", path)
        assert (head.status_code, head.content) == (200, b""), path
        for name in ("etag", "content-type", "cache-control", "vary", "content-length"):
            assert head.headers[name] == whole.headers[name], (path, name)


async def test_head_of_what_is_not_there_is_refused_without_a_body(sqlite_api: Api) -> None:
    answer = await sqlite_api.call("HEAD", f"/communities/{unknown_id()}")
    assert (answer.status_code, answer.content) == (404, b"")


async def test_every_operation_that_answers_get_answers_head(sqlite_api: Api) -> None:
    """Whatever the path's parameters, HEAD is never 405 where GET is offered."""
    staff = await sqlite_api.staff()
    for route in openapi.operations(sqlite_api.edge.app):
        if "GET" in route.methods:
            path = re.sub(r"\{\w+\}", str(unknown_id()), route.path_format)
            answer = await staff.call("HEAD", path)
            assert answer.status_code in (200, 404), path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", CATALOGUE, "GET, HEAD, OPTIONS, POST"),
        ("POST", "/me", "GET, HEAD, OPTIONS, PATCH"),
        ("GET", "/auth/tokens", "OPTIONS, POST"),
        ("HEAD", "/auth/tokens", "OPTIONS, POST"),
        ("POST", "/discussions/018f0000-0000-7000-8000-000000000000/lock", "DELETE, OPTIONS, PUT"),
        ("TRACE", "/association", "GET, HEAD, OPTIONS, PATCH"),
        ("BREW", "/association", "GET, HEAD, OPTIONS, PATCH"),
    ],
)
async def test_a_method_that_the_path_does_not_take_is_told_all_that_it_takes(
    sqlite_api: Api, method: str, path: str, allowed: str
) -> None:
    answer = await sqlite_api.call(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


async def test_options_lists_the_methods_of_a_path_and_knows_no_other_path(
    sqlite_api: Api,
) -> None:
    answer = await sqlite_api.call("OPTIONS", CATALOGUE)
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert (await sqlite_api.call("OPTIONS", "/nothing-here")).status_code == 404


# Paths and parameters


@pytest.mark.parametrize("path", ["/communities/", "/rules/", f"/communities/{DTC}/", "/docs/"])
async def test_a_trailing_slash_is_not_found_and_not_redirected(sqlite_api: Api, path: str) -> None:
    answer = await sqlite_api.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["//api/v1/rules", "/API/v1/rules", "/api/v1/Rules", "/api/v1/rules%2F", "/api/v2/rules"],
)
async def test_a_path_is_what_it_is_and_nothing_near_it(sqlite_api: Api, path: str) -> None:
    answer = await sqlite_api.client.get(f"http://testserver{path}")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("nothing=1", "nothing", "unknown_parameter"),
        ("Limit=1", "Limit", "unknown_parameter"),
        ("limit=1&limit=2", "limit", "duplicate"),
        ("limit=0", "limit", "too_small"),
        ("limit=101", "limit", "too_large"),
        ("limit=ten", "limit", "wrong_type"),
        ("limit=", "limit", "wrong_type"),
        ("limit=1.5", "limit", "wrong_type"),
        (f"limit={'9' * 5000}", "limit", "wrong_type"),
        ("include=everything", "include", "not_one_of"),
        ("status=gone", "status", "not_one_of"),
        ("updated_after=2026-01-01T00:00:00", "updated_after", "instant_invalid"),
        ("updated_after=yesterday", "updated_after", "instant_invalid"),
        ("updated_after=1e400", "updated_after", "instant_invalid"),
        ("updated_after=9999-12-31T23:59:59-14:00", "updated_after", "instant_invalid"),
        ("updated_after=0001-01-01T00:00:00%2B14:00", "updated_after", "instant_invalid"),
    ],
)
async def test_a_parameter_that_is_unknown_repeated_or_misshapen_is_named(
    sqlite_api: Api, query: str, parameter: str, code: str
) -> None:
    answer = await sqlite_api.get(f"{CATALOGUE}?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "validation.failed"
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["code"]) == (parameter, code)


async def test_repeating_a_filter_means_or(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    path = f"/communities/{DTC}/memberships"
    for query, count in (
        ("", 1),
        ("?category=practitioner", 1),
        ("?category=observer&category=practitioner", 1),
        ("?category=observer", 0),
    ):
        answer = await chair.get(path + query)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) == count, query


# The request's id


async def test_a_request_id_is_accepted_and_echoed(sqlite_api: Api) -> None:
    headers = {"X-Request-Id": "build-42.retry_1~a"}
    good = await sqlite_api.get("/rules", headers=headers)
    assert good.headers["x-request-id"] == "build-42.retry_1~a"
    refused = await sqlite_api.get("/rules/", headers=headers)
    assert refused.headers["x-request-id"] == refused.json()["request_id"] == "build-42.retry_1~a"


@pytest.mark.parametrize("given", [None, "", "two words", "é", "x" * 101, "<script>", 'a"b'])
async def test_a_request_id_is_made_where_none_is_fit_to_log(
    sqlite_api: Api, given: str | None
) -> None:
    headers = {} if given is None else {"X-Request-Id": given.encode("latin-1")}
    answers = [await sqlite_api.get("/rules/", headers=headers) for _ in range(2)]
    made = [answer.headers["x-request-id"] for answer in answers]
    assert all(re.fullmatch(r"[0-9a-f-]{36}", request_id) for request_id in made)
    assert made[0] != made[1]
    assert made[0] == answers[0].json()["request_id"]


# Security headers

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-site",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/rules", 200),
        ("HEAD", "/rules", 200),
        ("OPTIONS", "/rules", 204),
        ("GET", "/me", 401),
        ("GET", "/nothing-here", 404),
        ("DELETE", "/rules", 405),
        ("GET", "/health/live", 200),
        ("GET", "/openapi.json", 200),
    ],
)
async def test_every_answer_has_the_security_headers(
    sqlite_api: Api, method: str, path: str, status: int
) -> None:
    answer = await sqlite_api.call(method, path)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert "server" not in answer.headers and "x-powered-by" not in answer.headers


# Other origins


async def test_a_page_of_an_allowed_origin_may_call_and_read_the_headers(
    sqlite_api: Api,
) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,if-match,idempotency-key",
    }
    before = await sqlite_api.call("OPTIONS", "/me", headers=asked)
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == PAGE
    assert "PATCH" in before.headers["access-control-allow-methods"]
    taken = before.headers["access-control-allow-headers"].lower()
    for name in ("authorization", "content-type", "if-match", "idempotency-key", "x-request-id"):
        assert name in taken
    answer = await sqlite_api.get("/rules", headers={"Origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE
    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    for name in (
        "etag",
        "link",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-request-id",
        "idempotent-replayed",
        "www-authenticate",
        "deprecation",
        "sunset",
    ):
        assert name in exposed, name
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example:80",
        "https://localhost",
        "*",
    ],
)
async def test_a_page_of_any_other_origin_may_not(sqlite_api: Api, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    for answer in (
        await sqlite_api.call("OPTIONS", "/rules", headers=asked),
        await sqlite_api.get("/rules", headers={"Origin": origin}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "Origin" in answer.headers["vary"]


async def test_refusals_can_be_read_by_a_page_of_an_allowed_origin(sqlite_api: Api) -> None:
    for method, path, status in (("GET", "/me", 401), ("GET", "/none", 404), ("PUT", "/me", 405)):
        answer = await sqlite_api.call(method, path, headers={"Origin": PAGE})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PAGE


async def test_in_production_only_the_origins_of_the_settings_are_allowed(
    sqlite_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = settings.get()
    monkeypatch.setattr(current, "environment", settings.Environment.PRODUCTION)
    monkeypatch.setattr(current, "allowed_origins", ["https://portal.example.org"])
    for origin, allowed in ((PAGE, None), ("https://portal.example.org",) * 2):
        answer = await sqlite_api.get("/rules", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed


# Caching and preconditions


async def test_public_answers_say_how_long_they_keep_and_callers_answers_do_not_keep(
    sqlite_api: Api,
) -> None:
    claire = await sqlite_api.person("Claire Curious")
    for path in ("/communities", "/rules", "/association", "/occupations"):
        public, own = await sqlite_api.get(path), await claire.get(path)
        assert re.fullmatch(r"public, max-age=[1-9]\d*", public.headers["cache-control"]), path
        assert own.headers["cache-control"] == "private, no-cache"
        assert "Authorization" in public.headers["vary"]
        assert "Authorization" in own.headers["vary"]
    refused = await sqlite_api.get("/me")
    assert refused.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in refused.headers["vary"]


async def test_an_etag_that_still_holds_gives_304_and_one_that_does_not_gives_the_whole(
    api: Api,
) -> None:
    chair = await api.leader("Claire Chair", "chair")
    started = await api.discussion(chair)
    for path in ("/me", CATALOGUE, f"/discussions/{started['id']}", "/rules/versions"):
        etag = (await chair.get(path)).headers["etag"]
        for tag in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            same = await chair.get(path, headers={"If-None-Match": tag})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
            assert same.headers["cache-control"] == "private, no-cache"
        changed = await chair.get(path, headers={"If-None-Match": '"other"'})
        assert changed.status_code == 200


async def test_a_patch_of_what_is_so_already_changes_nothing(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Claire Chair", "chair")
    member = await api.member("Mia Member")
    started = await api.discussion(chair)
    for by, path, members in (
        (chair, "/me", ("name", "occupation", "territory", "language")),
        (staff, "/association", ("name", "contact_email")),
        (staff, f"/communities/{DTC}", ("name", "description", "listed", "eligible_occupations")),
        (staff, f"/memberships/{member.memberships[DTC]}", ("category", "until_on")),
        (chair, f"/posts/{started['opening_post']['id']}", ("body", "language")),
    ):
        before = await by.get(path)
        same = {name: before.json()[name] for name in members}
        async with leaves(api):
            after = await by.patch(path, same)
        assert (after.status_code, after.json()) == (200, before.json()), path
        assert after.headers["etag"] == before.headers["etag"], path


async def test_an_answer_that_differs_has_another_etag(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    path = f"/communities/{DTC}/discussions"
    before = (await chair.get(path)).headers["etag"]
    await api.discussion(chair)
    after = await chair.get(path, headers={"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["etag"] != before


async def test_the_same_path_has_another_etag_for_whoever_sees_another_thing(api: Api) -> None:
    chair, member = await api.leader("Claire Chair", "chair"), await api.member("Mo Member")
    path = f"/communities/{DTC}"
    theirs = (await chair.get(path)).headers["etag"]
    assert (await member.get(path, headers={"If-None-Match": theirs})).status_code == 200


async def _edited(someone: Someone, if_match: str | None) -> int:
    answer = await someone.call(
        "PATCH",
        f"/communities/{DTC}",
        json={"publishes_leadership": True},
        headers={} if if_match is None else {"If-Match": if_match.encode()},
    )
    return answer.status_code


async def test_what_several_people_edit_needs_the_version_that_was_read(api: Api) -> None:
    first, second = await api.staff("Stella First"), await api.staff("Sunil Second")
    read_by_both = (await first.get(f"/communities/{DTC}")).headers["etag"]
    assert await _edited(first, None) == 428
    assert await _edited(first, read_by_both) == 200
    assert await _edited(second, read_by_both) == 412
    for forged in ('"0"', '"-1"', "1", "", '"', f'"{"9" * 6000}-0"', '"٣-1"', "W/", '"1"x'):
        assert await _edited(second, forged) in (412, 428), forged
    read_again = (await second.get(f"/communities/{DTC}")).headers["etag"]
    assert await _edited(second, read_again) == 200


async def test_a_version_that_anybody_may_overwrite_is_asked_for_with_a_star(api: Api) -> None:
    assert await _edited(await api.staff(), "*") == 200


# Lists


async def test_a_list_links_to_its_next_page_with_everything_that_was_asked_for(api: Api) -> None:
    path: str | None = f"{CATALOGUE}?limit=5&include=total&status=active"
    seen: list[str] = []
    while path:
        answer = await api.get(path)
        body = answer.json()
        assert body["total"] == 17
        seen += [item["slug"] for item in body["items"]]
        link = answer.headers.get("link")
        path = None
        if body["next_cursor"] is not None:
            found = re.fullmatch(r'<(/api/v1/communities\?([^>]+))>; rel="next"', link)
            path, query = found.group(1), found.group(2)
            assert "limit=5&include=total&status=active&cursor=" in query
            assert body["next_cursor"] in query
        else:
            assert link is None
    assert len(seen) == len(set(seen)) == 17


async def test_the_link_to_the_next_page_comes_with_a_304_too(api: Api) -> None:
    first = await api.get(f"{CATALOGUE}?limit=1")
    same = await api.get(f"{CATALOGUE}?limit=1", headers={"If-None-Match": first.headers["etag"]})
    assert same.status_code == 304
    assert same.headers["link"] == first.headers["link"]
    assert urlsplit(first.headers["link"].strip("<").split(">")[0]).path == "/api/v1/communities"


# What is measured


async def test_requests_are_counted_by_operation_and_status(sqlite_api: Api) -> None:
    def count(operation: str, status: int) -> float:
        labels = {"operation": operation, "status": str(status)}
        return REGISTRY.get_sample_value("cop_requests_total", labels) or 0

    before = count("get_rules", 200), count("get_me", 401), count("none", 404)
    await sqlite_api.get("/rules")
    await sqlite_api.get("/me")
    await sqlite_api.get("/nothing-here")
    after = count("get_rules", 200), count("get_me", 401), count("none", 404)
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]
