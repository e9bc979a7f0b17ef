"""Every refusal is a problem document, in the reader's language, and repeats no input."""

import re
import tomllib
from typing import Any

import httpx
import pytest

from app import errors, openapi, texts
from tests.cast import DTC, Api, unknown_id
from tests.furnished import Furnished, Operation, furnish, operations

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}
CANARY = "canary7f3a9c51"


async def test_a_problem_has_the_members_of_the_contract(sqlite_api: Api) -> None:
    answer = await sqlite_api.get(f"/communities/{unknown_id()}")
    problem = answer.json()
    assert set(problem) == MEMBERS
    assert problem["status"] == answer.status_code == 404
    assert problem["code"] == "not_found"
    assert problem["type"] == "http://testserver/problems#not_found"
    assert problem["instance"] == answer.request.url.path
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_the_page_that_a_problem_points_to_explains_it(sqlite_api: Api) -> None:
    answer = await sqlite_api.get("http://testserver/problems")
    assert answer.status_code == 200
    for problem in errors.catalogue():
        assert f'id="{problem.code}"' in answer.text, problem.code


async def test_instance_is_an_address_even_where_the_path_is_not_ascii(sqlite_api: Api) -> None:
    answer = await sqlite_api.get("/communities/caf%C3%A9%20%22x%22")
    assert answer.json()["instance"] == "/api/v1/communities/caf%C3%A9%20%22x%22"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("fr", "fr"),
        ("fr-CA,en;q=0.8", "fr"),
        ("de, fr;q=0.3, en;q=0.2", "fr"),
        ("en;q=0.2, fr;q=0.1", "en"),
        ("fr;q=0, en;q=0.1", "en"),
        ("fr;q=nan", "en"),
        ("*", "en"),
        (";;;,,,q=", "en"),
        ("x" * 5000, "en"),
    ],
)
async def test_problems_speak_the_language_that_was_asked_for(
    sqlite_api: Api, accepted: str | None, language: str
) -> None:
    headers = {} if accepted is None else {"Accept-Language": accepted}
    answer = await sqlite_api.get("/me", headers=headers)
    problem = answer.json()
    assert problem["title"] == texts.text("problems", "auth.required.title", language)
    assert problem["detail"] == texts.text("problems", "auth.required.detail", language)
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]


async def test_what_is_wrong_with_a_field_is_said_in_french_too(sqlite_api: Api) -> None:
    answer = await sqlite_api.post(
        "/auth/password-resets", {"email": 5}, headers={"Accept-Language": "fr"}
    )
    (error,) = answer.json()["errors"]
    assert error == {
        "pointer": "/email",
        "code": "wrong_type",
        "detail": texts.text("problems", "errors.wrong_type", "fr"),
    }


async def test_why_somebody_may_not_is_said_in_french_too(sqlite_api: Api) -> None:
    member = await sqlite_api.member("Mo Member")
    answer = await member.get(f"/communities/{DTC}/review-queue", headers={"Accept-Language": "fr"})
    (reason,) = answer.json()["because"]
    assert reason["code"] == "position_required"
    assert reason["detail"] == texts.text("problems", "because.position_required", "fr")


@pytest.mark.parametrize("path", ["/me", f"/communities/{DTC}/discussions"])
async def test_a_401_says_how_to_sign_in(sqlite_api: Api, path: str) -> None:
    without = await sqlite_api.get(path)
    assert (without.status_code, without.json()["code"]) == (401, "auth.required")
    assert without.headers["www-authenticate"] == 'Bearer realm="communities"'
    wrong = await sqlite_api.get(path, headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "auth.token_invalid")
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["/rules", "/nothing-here", f"/communities/{DTC}"])
async def test_bad_credentials_are_refused_whatever_the_path(sqlite_api: Api, path: str) -> None:
    wrong = await sqlite_api.get(path, headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "auth.token_invalid")
    person = await sqlite_api.person("Petra Person")
    assert (await person.get(path)).status_code in (200, 404)


async def test_a_database_that_is_away_is_503_with_retry_after(
    sqlite_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise errors.Unavailable

    monkeypatch.setattr(type(sqlite_api.database.reader), "fetch", away)
    answer = await sqlite_api.get("/rules")
    assert (answer.status_code, answer.json()["code"]) == (503, "service.unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_fault_is_a_500_problem_that_says_nothing_of_itself(
    sqlite_api: Api, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError(f"the secret is {CANARY}")

    monkeypatch.setattr(type(sqlite_api.database.reader), "fetch", broken)
    bare = httpx.ASGITransport(app=sqlite_api.edge)
    headers = {"Accept-Language": "fr", "Origin": "http://localhost:5173"}
    async with httpx.AsyncClient(transport=bare, base_url="http://testserver") as client:
        answer = await client.get("/api/v1/rules", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.json()["title"] == texts.text("problems", "internal.title", "fr")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    told = capfd.readouterr()
    assert CANARY not in answer.text + told.out + told.err


# Nothing that was sent comes back


def _without_instance(answer: httpx.Response) -> str:
    """The body without the one member that is the request's own path."""
    problem = answer.json()
    return re.sub(re.escape(str(problem.pop("instance"))), "", str(problem))


def _planted(operation: Operation, api: Api) -> dict[str, Any]:
    """A body with the canary in every member, and one member deeper."""
    schemas = openapi.document(api.edge.app)["components"]["schemas"]
    content = next(iter((operation.body or {"content": {"-": {}}})["content"].values()))
    name = content.get("schema", {}).get("$ref", "/").rsplit("/", 1)[1]
    members = schemas.get(name, {}).get("properties", {})
    return dict.fromkeys(members, CANARY)


async def _sent(place: Furnished, operation: Operation) -> list[httpx.Response]:
    planted = _planted(operation, place.api)
    everywhere = dict.fromkeys(place.values, CANARY)
    query = "&".join(
        f"{found['name']}={CANARY}" for found in operation.parameters if found["in"] == "query"
    )
    headers = {
        "Idempotency-Key": CANARY,
        "If-Match": f'"{CANARY}"',
        "X-Request-Id": "the-test",
        "User-Agent": CANARY,
        "Cookie": f"session={CANARY}",
    }
    sent = []
    for someone in (place.staff, place.member):
        path = operation.path(place.values)
        for body in (planted, [CANARY], CANARY, {CANARY[:3]: {"x": [CANARY]}}):
            sent.append(await someone.call(operation.method, path, json=body, headers=headers))
        raw = f'{{"{CANARY}": {CANARY}'
        kinds = {"Content-Type": "application/json"}
        sent.append(await someone.call(operation.method, path, content=raw, headers=kinds))
        kinds = {"Content-Type": f"text/{CANARY}"}
        sent.append(await someone.call(operation.method, path, content=raw, headers=kinds))
        sent.append(await someone.call(operation.method, f"{path}?{query}", headers=headers))
        sent.append(await someone.call(operation.method, operation.path(everywhere), json=planted))
    wrong = {"Authorization": f"Bearer {CANARY}"}
    path = operation.path(everywhere)
    sent.append(await place.api.call(operation.method, path, headers=wrong))
    sent.append(await place.api.call(operation.method, path, json=planted))
    return sent


async def test_no_refusal_repeats_anything_that_was_sent(api: Api) -> None:
    place = await furnish(api)
    refused = 0
    for operation in operations(api):
        if operation.name in ("end_current_session", "end_my_session"):
            continue
        for answer in await _sent(place, operation):
            if answer.status_code >= 400:
                refused += 1
                assert CANARY not in _without_instance(answer), (operation.name, answer.text)
                assert CANARY not in str(answer.headers), operation.name
    assert refused > 500


async def test_the_name_of_an_unknown_member_is_cut_short(sqlite_api: Api) -> None:
    """It is needed to say which one it is, and may be anything."""
    answer = await sqlite_api.post("/auth/password-resets", {"email": "a@b.ca", "n" * 5000: 1})
    (error,) = answer.json()["errors"]
    assert error["code"] == "unknown_member"
    assert error["pointer"] == "/" + "n" * 80
    many = {f"member{index}": 1 for index in range(5000)}
    answer = await sqlite_api.post("/auth/password-resets", many)
    assert len(answer.json()["errors"]) == 50


# The catalogue of refusals


def test_every_refusal_has_a_code_a_status_and_words_in_both_languages() -> None:
    catalogue = errors.catalogue()
    assert len({problem.code for problem in catalogue}) == len(catalogue)
    for problem in catalogue:
        assert 400 <= problem.status <= 599
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", problem.code)
        for language in texts.LANGUAGES:
            for part in ("title", "detail"):
                assert texts.group("problems", language)[f"{problem.code}.{part}"].strip()


def test_both_languages_have_the_same_texts_with_the_same_facts() -> None:
    for path in sorted((texts.FOLDER / "en").glob("*.toml")):
        english = texts.group(path.stem, "en")
        french = texts.group(path.stem, "fr")
        assert tomllib.loads(path.read_text("utf-8"))
        assert english.keys() == french.keys(), path.stem
        for key, said in english.items():
            facts = set(re.findall(r"\{(\w+)\}", said))
            assert facts == set(re.findall(r"\{(\w+)\}", french[key])), key
