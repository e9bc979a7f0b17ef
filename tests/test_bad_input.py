"""Input that no client should send: a clear refusal, nothing stored, and never a fault."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from app import openapi
from app.models import Person
from tests.answers import FORM, wrong
from tests.cast import DTC, Api, day, unknown_id
from tests.forms import asked, stored
from tests.furnished import Furnished, furnish, operations

JSON = {"Content-Type": "application/json"}
# JSON that is none

ODD = {
    "nothing": b"",
    "blank": b"   ",
    "cut off": b'{"email": "a@b.ca"',
    "two documents": b'{"email": "a@b.ca"}{}',
    "single quotes": b"{'email': 'a@b.ca'}",
    "a comment": b'{"email": "a@b.ca" /* me */}',
    "a trailing comma": b'{"email": "a@b.ca",}',
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": Infinity}',
    "minus Infinity": b'{"email": -Infinity}',
    "an infinite number": b'{"email": 1e999}',
    "a leading zero": b'{"email": 01}',
    "a lone surrogate": b'{"email": "\\ud800"}',
    "a lone surrogate as a name": b'{"\\udc00": 1}',
    "surrogates the wrong way round": b'{"email": "\\udc00\\ud800"}',
    "a surrogate in bytes": b'{"email": "\xed\xa0\x80"}',
    "Latin-1": '{"email": "é@b.ca"}'.encode("latin-1"),
    "UTF-16": '{"email": "a@b.ca"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"email": "a@b.ca"}',
    "a raw control character": b'{"email": "a\x00@b.ca"}',
    "a member twice": b'{"email": "a@b.ca", "email": "b@b.ca"}',
    "a member twice in an escape": b'{"email": "a@b.ca", "\\u0065mail": "b@b.ca"}',
    "100,000 levels of lists": b"[" * 100_000 + b"]" * 100_000,
    "100,000 levels never closed": b'{"a":' * 100_000,
    "1,000 levels": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
async def test_what_is_not_json_is_malformed(sqlite_api: Api, body: bytes) -> None:
    answer = await sqlite_api.call("POST", "/auth/password-resets", content=body, headers=JSON)
    expected = (422, "validation.failed") if body == b"" else (400, "malformed")
    assert (answer.status_code, answer.json()["code"]) == expected
    sign_in = await sqlite_api.call("POST", "/auth/tokens", content=body, headers=JSON)
    assert (sign_in.status_code, sign_in.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    "body", [b"null", b"5", b'"text"', b"[]", b"true", b"[" * 500 + b"]" * 500], ids=str
)
async def test_json_that_is_no_object_is_of_the_wrong_type(sqlite_api: Api, body: bytes) -> None:
    for path in ("/auth/password-resets", "/auth/tokens"):
        answer = await sqlite_api.call("POST", path, content=body, headers=JSON)
        assert wrong(answer) in ([("", "wrong_type")], [("", "required")])


async def test_a_malformed_body_is_refused_after_rights_and_before_shape(
    sqlite_api: Api,
) -> None:
    """Who may not even look is told so, whatever they send."""
    staff, member = await sqlite_api.staff(), await sqlite_api.member("Mo Member")
    odd = {"content": b"{", "headers": JSON}
    hidden = f"/terms/{unknown_id()}/removal"
    assert (await sqlite_api.call("POST", hidden, **odd)).status_code == 401
    assert (await member.call("POST", hidden, **odd)).status_code == 404
    here = f"/communities/{DTC}/terms"
    assert (await member.call("POST", here, **odd)).status_code == 403
    assert (await staff.call("POST", here, **odd)).status_code == 400
    assert (await staff.call("POST", here, content=b"{}", headers=JSON)).status_code == 422


async def test_an_act_of_which_nothing_has_to_be_said_needs_no_body(sqlite_api: Api) -> None:
    member, paused = await sqlite_api.member("Mo Member"), await sqlite_api.member("Pat Pause")
    path = f"/memberships/{member.memberships[DTC]}/end"
    odd = await member.call("POST", path, content=b"{", headers=JSON)
    assert (odd.status_code, odd.json()["code"]) == (400, "malformed")
    assert wrong(await member.call("POST", path, content=b"null", headers=JSON))
    assert (await member.call("POST", path)).json()["status"] == "ended"
    resting = await paused.call("PUT", f"/memberships/{paused.memberships[DTC]}/pause")
    assert resting.json()["pause"]["until_on"] is None


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "json",
        "application/json, text/plain",
    ],
)
async def test_a_body_of_another_type_or_of_none_is_415(sqlite_api: Api, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    body = b'{"email": "a@b.ca"}'
    answer = await sqlite_api.call("POST", "/auth/password-resets", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "media_type.unsupported")


async def test_no_body_at_all_is_asked_for_whatever_its_type_would_be(sqlite_api: Api) -> None:
    for headers in ({}, JSON, {"Content-Type": "text/plain"}):
        answer = await sqlite_api.call("POST", "/auth/password-resets", headers=headers)
        assert wrong(answer) == [("", "required")]


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/merge-patch+json",
    ],
)
async def test_json_by_its_names_is_taken(sqlite_api: Api, kind: str) -> None:
    person = await sqlite_api.person("Petra Person")
    answer = await person.call(
        "PATCH", "/me", content=b'{"territory": "CA-ON"}', headers={"Content-Type": kind}
    )
    assert answer.status_code == 200, answer.text


# Values of the wrong type


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("agrees_to_rules_version", "1", "wrong_type"),
        ("agrees_to_rules_version", 1.0, "wrong_type"),
        ("agrees_to_rules_version", 1.5, "wrong_type"),
        ("agrees_to_rules_version", True, "wrong_type"),
        ("agrees_to_rules_version", None, "wrong_type"),
        ("agrees_to_rules_version", [1], "wrong_type"),
        ("agrees_to_rules_version", 0, "too_small"),
        ("agrees_to_rules_version", -(2**63), "too_small"),
        ("agrees_to_rules_version", 2**31, "too_large"),
        ("agrees_to_rules_version", 2**63, "too_large"),
        ("agrees_to_rules_version", 2**64, "wrong_type"),
        ("agrees_to_rules_version", 10**30, "wrong_type"),
        ("name", 5, "wrong_type"),
        ("name", None, "wrong_type"),
        ("name", ["Siobhan"], "wrong_type"),
        ("name", {"en": "Siobhan"}, "wrong_type"),
        ("name", "", "too_short"),
        ("name", " \t\n ", "too_short"),
        ("name", "x" * 201, "too_long"),
        ("communities", DTC, "wrong_type"),
        ("communities", [], "too_few"),
        ("communities", [DTC] * 21, "too_many"),
        ("communities", {"0": DTC}, "wrong_type"),
        ("territory", 5, "wrong_type"),
        ("language", "EN", "not_one_of"),
        ("language", 1, "not_one_of"),
    ],
)
async def test_a_value_of_another_type_or_size_is_named_by_its_pointer(
    sqlite_api: Api, member: str, value: Any, code: str
) -> None:
    assert wrong(await asked(sqlite_api, **{member: value})) == [(f"/{member}", code)]
    assert await stored(sqlite_api) == []


@pytest.mark.parametrize("value", [1, 0, "true", "yes", None, []])
async def test_only_true_and_false_are_booleans(sqlite_api: Api, value: Any) -> None:
    staff = await sqlite_api.staff()
    answer = await staff.patch(f"/communities/{DTC}", {"listed": value})
    assert wrong(answer) == [("/listed", "wrong_type")]
    assert (await staff.patch(f"/communities/{DTC}", {"listed": True})).status_code == 200


async def test_pointers_lead_into_lists_and_escape_what_they_name(sqlite_api: Api) -> None:
    bad = {"communities": [DTC, 5, {}], "a/b~c": 1, "__proto__": {}, "": 0}
    assert sorted(wrong(await asked(sqlite_api, **bad))) == [
        ("/", "unknown_member"),
        ("/__proto__", "unknown_member"),
        ("/a~1b~0c", "unknown_member"),
        ("/communities/1", "wrong_type"),
        ("/communities/2", "wrong_type"),
    ]


@pytest.mark.parametrize("member", ["id", "status", "email_verified_at", "is_admin", "person_id"])
async def test_members_that_are_not_the_operations_are_refused(
    sqlite_api: Api, member: str
) -> None:
    answer = await asked(sqlite_api, **{member: True})
    assert wrong(answer) == [(f"/{member}", "unknown_member")]


async def test_a_required_member_is_asked_for_and_an_empty_form_asks_for_all(
    sqlite_api: Api,
) -> None:
    optional = {"occupation_code", "territory", "language"}
    answer = await sqlite_api.post("/join-requests", {})
    assert sorted(wrong(answer)) == sorted(
        (f"/{member}", "required") for member in FORM.keys() - optional
    )


# Days

FAR_DAYS = ["0001-01-01", "9999-12-31"]
NO_DAYS = ["2026-02-30", "26-01-01", "2026-1-1", "2026-W01-1", "20260101", "٢٠٢٦-٠١-٠١", "", 0, 1.5]


@pytest.mark.parametrize("ends_on", [*FAR_DAYS, *NO_DAYS], ids=str)
async def test_days_at_the_edge_of_the_calendar_and_beyond_are_refused_or_taken(
    api: Api, ends_on: Any
) -> None:
    staff, member = await api.staff(), await api.member("Mo Member")
    term = {
        "person_id": str(member.id),
        "position": "chair",
        "starts_on": day(0),
        "ends_on": ends_on,
        "basis": "election",
    }
    answer = await staff.post(f"/communities/{DTC}/terms", term)
    codes = {"0001-01-01": "day_before_start", "9999-12-31": "day_too_far"}
    assert wrong(answer) == [("/ends_on", codes.get(ends_on, "day_invalid"))]
    backwards = await staff.post(
        f"/communities/{DTC}/terms", term | {"starts_on": ends_on, "ends_on": day(1)}
    )
    assert backwards.status_code == 422, backwards.text


async def test_a_language_is_a_tag(sqlite_api: Api) -> None:
    chair = await sqlite_api.leader("Claire Chair", "chair")
    for language in ("", "e", "english please", "en_CA", "en-" + "a" * 9, "٢٣", 5, None):
        body = {"title": "Title", "body": "Body", "tags": [], "language": language}
        answer = await chair.post(f"/communities/{DTC}/discussions", body)
        assert answer.status_code == 422, language


# Forms


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        (b"grant_type=password&username=a@b.ca&password=x", 401, "auth.invalid_credentials"),
        (b"username=a@b.ca&password=x", 422, "validation.failed"),
        (b"grant_type=password&username=a&username=b&password=x", 400, "malformed"),
        (b"grant_type=password&username=a%00b&password=x", 422, "validation.failed"),
        (b"grant_type=password&username=a@b.ca&password=x&role=staff", 422, "validation.failed"),
        (b"grant_type=authorization_code", 422, "auth.grant_type_unsupported"),
        (b"grant_type=password&username=\xff&password=x", 400, "malformed"),
        (b"&".join(b"a=b" for _ in range(5000)), 400, "malformed"),
        (b"=" * 100_000, 422, "validation.failed"),
        (b"", 422, "validation.failed"),
    ],
)
async def test_a_form_is_read_as_strictly_as_json(
    api: Api, form: bytes, status: int, code: str
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await api.call("POST", "/auth/tokens", content=form, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


# Every operation

ODD_TEXTS = ["a\x00b", "\x1b]0;x\x07", "x" * 100_000, "🐉" * 300, "../../etc/passwd", "' OR 1=1 --"]
ODD_VALUES: list[Any] = [*ODD_TEXTS, 2**31, 2**63 - 1, -1, 0.1, None, [], {}, [None], [["x"]], True]


def _members(place: Furnished, body: dict[str, Any] | None) -> list[str]:
    if body is None or "application/json" not in body["content"]:
        return []
    schemas = openapi.document(place.api.edge.app)["components"]["schemas"]
    schema = body["content"]["application/json"]["schema"]
    return list(schemas[schema["$ref"].rsplit("/", 1)[1]]["properties"])


async def test_no_operation_fails_on_odd_values_of_its_members(api: Api) -> None:
    """The witness in the client fails this test at the first 5xx, and at any undeclared answer."""
    place = await furnish(api)
    sent = 0
    for operation in operations(api):
        members = _members(place, operation.body)
        for value in ODD_VALUES if members else []:
            body = json.dumps(dict.fromkeys(members, value))
            path = operation.path(place.values)
            headers = JSON | {"If-Match": "*"}
            answer = await place.staff.call(operation.method, path, content=body, headers=headers)
            assert answer.status_code < 500
            sent += 1
    assert sent > 300


ODD_SEGMENTS = ["%00", "%ff", "a%00b", "..%2f..", "%f0%9f%90%89", "x" * 3000, "'", "%7b%7d", "0"]


async def test_no_operation_fails_on_odd_paths_and_parameters(api: Api) -> None:
    place = await furnish(api)
    for operation in operations(api):
        for odd in ODD_SEGMENTS:
            for name in place.values:
                if f"{{{name}}}" in operation.template:
                    path = operation.path(place.values | {name: odd})
                    headers = {"If-Match": "*"}
                    answer = await place.staff.call(operation.method, path, headers=headers)
                    # Which positions there are is public, and a mapping of any name can be saved,
                    # so a body may be looked at first.
                    named = name in ("position", "mapping_name")
                    expected = (401, 404, 422) if named else (401, 404)
                    assert answer.status_code in expected, (operation.name, path)
            for parameter in operation.parameters:
                if parameter["in"] == "query":
                    path = f"{operation.path(place.values)}?{parameter['name']}={odd}"
                    answer = await place.staff.call(operation.method, path)
                    # 409: there is no roll of voters before the ballot begins.
                    # A community that is asked for is there or not, as in a path.
                    expected = (404,) if parameter["name"] == "community" else ()
                    assert answer.status_code in (200, 409, 422, *expected), (operation.name, path)


# What a member of a community writes, others read


async def test_html_in_a_post_is_text(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    started = await api.discussion(chair, body="<script>alert(1)</script> **bold**")
    html = started["opening_post"]["body_html"]
    assert "<script" not in html and "&lt;script&gt;" in html and "<strong>bold</strong>" in html


async def test_nobody_became_anybody_by_any_of_this(api: Api) -> None:
    """Mass assignment: members of the table that are not the form's change nothing."""
    person = await api.person("Petra Person")
    for member in ("email", "email_key", "password_hash", "deactivated_at", "id", "positions"):
        answer = await person.patch("/me", {member: "x"})
        assert answer.status_code == 422
    ((name, email),) = await api.read(
        sa.select(Person.name, Person.email).where(Person.id == person.id)
    )
    assert (name, email) == (person.name, person.email)
