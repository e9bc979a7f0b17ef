"""Users that a partner's directory provisions: rows of its own, in which no account shows."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.models import Person, ProvisionedUser
from tests.answers import leaves, ok
from tests.cast import DTC, WELLNESS, Api, unknown_id
from tests.directories import (
    JSON,
    PATCH,
    SCIM,
    USER,
    as_somebody_else,
    directory_of,
    refused,
)
from tests.machines import machine_of, partner_of, script_of

JANE = "jane@institute.example.org"
# RFC 7644, 3.3, with an address for a name.
RFC = {
    "schemas": [USER],
    "userName": "bjensen@example.com",
    "externalId": "bjensen",
    "name": {
        "formatted": "Ms. Barbara J Jensen III",
        "familyName": "Jensen",
        "givenName": "Barbara",
    },
}


# Making one


async def test_a_directory_makes_a_user_and_finds_it_again(api: Api) -> None:
    directory = await directory_of(api, DTC)
    assert await directory.search("/Users", f'userName eq "{RFC["userName"]}"') == []
    async with leaves(api, ("provisioned_user.created", directory.machine)):
        answer = await directory.call("POST", "/Users", RFC)
    made = ok(answer, 201)
    assert {name: made[name] for name in RFC} == RFC and made["active"] is True
    assert answer.headers["location"] == made["meta"]["location"] == f"{SCIM}/Users/{made['id']}"
    assert answer.headers["etag"] == made["meta"]["version"]
    assert answer.headers["content-type"] == "application/scim+json"
    assert ok(await directory.get(f"/Users/{made['id']}")) == made
    assert await directory.search("/Users", 'userName eq "BJensen@Example.com"') == [made]
    assert await api.read(sa.select(Person.id).where(col(Person.email) == made["userName"])) == []


async def test_what_is_unique_is_so_within_one_directory(api: Api) -> None:
    ours, theirs = await directory_of(api, DTC), await directory_of(api, DTC, name="Bar School")
    await ours.user(JANE, externalId="17")
    assert refused(await ours.create(JANE.upper()), 409) == "uniqueness"
    assert refused(await ours.create("john@example.org", externalId="17"), 409) == "uniqueness"
    other = await ours.user("john@example.org", externalId="18")
    change = {"op": "replace", "value": {"userName": JANE}}
    assert refused(await ours.patch(f"/Users/{other}", change), 409) == "uniqueness"
    await theirs.user(JANE, externalId="17")


async def test_the_same_user_twice_at_once_is_made_once(api: Api) -> None:
    directory = await directory_of(api, DTC)
    answers = await asyncio.gather(*(directory.create(JANE) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    assert len(await api.read(sa.select(ProvisionedUser.id))) == 1


async def test_known_and_unknown_addresses_are_answered_alike(api: Api) -> None:
    directory, member = await directory_of(api, DTC), await api.member("Mo Member")
    before = await api.read(sa.select(*sa.inspect(Person).columns))
    shown = []
    for address in (member.email, "nobody@example.org"):
        made = ok(await directory.create(address, displayName="Somebody"), 201)
        found = ok(await directory.get(f"/Users/{made['id']}"))
        assert found == made
        moving = {"id": 0, "userName": 0, "meta": 0}
        shown.append((sorted(made), {name: made[name] for name in made if name not in moving}))
    assert shown[0] == shown[1]
    assert await directory.members() == set()
    assert await api.read(sa.select(*sa.inspect(Person).columns)) == before


# Who may


async def test_it_is_for_machines_of_partners_with_the_scope_for_it(api: Api) -> None:
    staff = await api.staff()
    directory = await directory_of(api, DTC, staff=staff)
    user = await directory.user(JANE)
    reader = await partner_of(staff, "memberships:read", communities=[DTC])
    script = await script_of(staff, "memberships:manage", "people:manage")
    paths = ("/Users", f"/Users/{user}", "/Groups", await directory.group(), "/Schemas")
    for path in (*paths, "/ServiceProviderConfig", f"/Groups/{unknown_id()}"):
        nobody = await api.call("GET", SCIM + path)
        assert refused(nobody, 401) is None and nobody.headers["www-authenticate"]
        for token, status in (
            ("not a token", 401),
            (staff.token, 403),
            (script.token, 403),
            ((await machine_of(staff, reader)).token, 403),
        ):
            assert refused(await as_somebody_else(directory, token).get(path), status) is None
        assert (await directory.get(path)).status_code in (200, 404)


async def test_what_a_directory_loses_it_has_no_longer_on_the_token_that_it_has(api: Api) -> None:
    staff = await api.staff()
    directory = await directory_of(api, DTC, WELLNESS, staff=staff)
    user = await directory.user(JANE)
    partner = f"/partners/{directory.machine.id}"
    ok(await staff.patch(partner, {"communities": [WELLNESS]}))
    refused(await directory.add(user), 404)
    ok(await staff.patch(partner, {"active": False}))
    refused(await directory.get(f"/Users/{user}"), 401)


async def test_a_directory_sees_its_own_users_and_no_others(api: Api) -> None:
    ours, theirs = await directory_of(api, DTC), await directory_of(api, DTC, name="Bar School")
    user, path = await ours.user(JANE), await theirs.group()
    assert ok(await theirs.get("/Users"))["totalResults"] == 0
    rename = {"op": "replace", "path": "displayName", "value": "Mine"}
    body = {"schemas": [USER], "userName": JANE}
    for name in (user, str(unknown_id()), "nothing"):
        answers = [
            await theirs.get(f"/Users/{name}"),
            await theirs.patch(f"/Users/{name}", rename),
            await theirs.call("PUT", f"/Users/{name}", body),
            await theirs.call("DELETE", f"/Users/{name}"),
        ]
        assert {(refused(answer, 404), answer.text) for answer in answers} == {
            (None, answers[0].text)
        }
        adding = {"op": "add", "path": "members", "value": [{"value": name}]}
        assert refused(await theirs.patch(path, adding), 400) == "invalidValue"
    assert ok(await ours.get(f"/Users/{user}"))["userName"] == JANE


# Asking


FILTERS = (
    ('userName eq "ann@example.org"', "a"),
    ('USERNAME EQ "Ann@Example.ORG"', "a"),
    ('userName sw "b"', "b"),
    ('userName co "EXAMPLE.org" and active eq true', "ac"),
    ('userName ew "example.org" and not (active eq false)', "ac"),
    ('externalId eq "A1" or externalId eq "C3"', "a"),
    ('externalId eq "a1"', ""),
    ("externalId pr", "ab"),
    ("not (externalId pr)", "c"),
    ("externalId eq null", "c"),
    ('not (externalId eq "A1")', "bc"),
    ('externalId ne "A1"', "bc"),
    ('name.familyName eq "archer"', "a"),
    (f'{USER}:displayName co "CHLOé"', "c"),
    ('displayName sw "chlo_"', ""),
    ('displayName eq "Chloé \\"C\\" 100%"', "c"),
    ('displayName co "%"', "c"),
    ("active eq False", "b"),
    ('meta.lastModified gt "2020-01-01T00:00:00Z"', "abc"),
    ('meta.created lt "2020-01-01T00:00:00"', ""),
    (f'id eq "{unknown_id()}"', ""),
    ('id eq "nothing"', ""),
)


async def test_a_filter_finds_what_it_says(api: Api) -> None:
    directory = await directory_of(api, DTC)
    made = {
        await directory.user(
            "Ann@example.org", externalId="A1", name={"familyName": "Archer"}, displayName="Ann"
        ): "a",
        await directory.user("bob@example.org", externalId="B2", active=False): "b",
        await directory.user("chloe@example.org", displayName='Chloé "C" 100%'): "c",
    }
    for filtered, wanted in FILTERS:
        found = "".join(made[user["id"]] for user in await directory.search("/Users", filtered))
        assert found == wanted, filtered


UNUSABLE = (
    "userName",
    'userName eq "x',
    'emails.value eq "x"',
    'nothing eq "x"',
    'members eq "x"',
    'externalId co "x"',
    "active gt true",
    'meta.created gt "yesterday"',
    'displayName eq "\\u0000"',
    'displayName eq "\\ud800"',
    "userName gt null",
    'groups[value eq "x"]',
    "not (" * 40 + "active eq true" + ")" * 40,
    'userName eq "' + "x" * 3000 + '"',
)


async def test_a_filter_that_is_not_offered_is_refused(api: Api) -> None:
    directory = await directory_of(api, DTC)
    await directory.user(JANE)
    for filtered in UNUSABLE:
        assert refused(await directory.get("/Users", filter=filtered), 400) == "invalidFilter"
        searched = await directory.call("POST", "/Users/.search", {"filter": filtered})
        assert refused(searched, 400) == "invalidFilter"


async def test_a_list_comes_in_pages_and_in_order(api: Api) -> None:
    directory = await directory_of(api, DTC)
    for name, external_id in (("cleo", None), ("adam", "2"), ("bert", "1")):
        await directory.user(f"{name}@example.org", externalId=external_id)

    async def page(**asked: Any) -> tuple[int, int, list[str]]:
        found = ok(await directory.get("/Users", **asked))
        names = [user["userName"].partition("@")[0] for user in found["Resources"]]
        assert found["itemsPerPage"] == len(names)
        return found["totalResults"], found["startIndex"], names

    assert await page() == (3, 1, ["cleo", "adam", "bert"])
    assert await page(count=2) == (3, 1, ["cleo", "adam"])
    assert await page(count=2, startIndex=3) == (3, 3, ["bert"])
    assert await page(startIndex=-5, count=-1) == (3, 1, [])
    assert await page(startIndex=9) == (3, 9, [])
    assert await page(startIndex=10**30) == (3, 2**31 + 1, [])
    assert await page(sortBy="userName") == (3, 1, ["adam", "bert", "cleo"])
    assert await page(sortBy="externalId") == (3, 1, ["bert", "adam", "cleo"])
    descending = await page(sortBy="externalId", sortOrder="descending")
    assert descending == (3, 1, ["cleo", "adam", "bert"])
    assert refused(await directory.get("/Users", sortBy="groups.value"), 400) == "invalidPath"
    assert refused(await directory.get("/Users", count="many"), 400) == "invalidValue"
    asked = {"schemas": [], "sortBy": "userName", "count": 1, "attributes": ["userName"]}
    (first,) = ok(await directory.call("POST", "/Users/.search", asked))["Resources"]
    assert first["userName"] == "adam@example.org" and set(first) == {"schemas", "id", "userName"}


async def test_only_the_attributes_that_are_wanted_come(api: Api) -> None:
    directory = await directory_of(api, DTC)
    user = await directory.user(JANE, displayName="Jane", name={"givenName": "Jane"})
    path = f"/Users/{user}"
    wanted = ok(await directory.get(path, attributes="displayName,name.givenName,nothing"))
    assert set(wanted) == {"schemas", "id", "displayName", "name"}
    less = ok(await directory.get(path, excludedAttributes="name"))
    assert set(less) == {"schemas", "id", "meta", "userName", "displayName", "active"}
    both = await directory.get(path, attributes="name", excludedAttributes="meta")
    assert refused(both, 400) == "invalidValue"


# Versions


async def test_nobody_overwrites_what_they_have_not_seen(api: Api) -> None:
    directory = await directory_of(api, DTC)
    path = f"/Users/{await directory.user(JANE)}"
    first = (await directory.get(path)).headers["etag"]
    unchanged = await directory.call("GET", path, headers={"If-None-Match": first})
    assert unchanged.status_code == 304 and unchanged.content == b""
    rename = {"op": "replace", "path": "displayName", "value": "Jane"}
    ok(await directory.patch(path, rename, headers={"If-Match": first}))
    for method, body in (("PUT", {"userName": JANE}), ("DELETE", None)):
        late = await directory.call(method, path, body, headers={"If-Match": first})
        assert refused(late, 412) is None
    assert refused(await directory.patch(path, rename, headers={"If-Match": first}), 412) is None
    ok(await directory.patch(path, rename, headers={"If-Match": f'W/"x", W/{first}, *'}))
    assert (await directory.call("DELETE", path)).status_code == 204


async def test_to_say_what_is_so_already_changes_nothing(api: Api) -> None:
    directory = await directory_of(api, DTC)
    user = await directory.user(JANE, displayName="Jane")
    before = ok(await directory.get(f"/Users/{user}"))
    again = {"op": "replace", "value": {"displayName": "Jane", "active": True}}
    async with leaves(api):
        assert ok(await directory.patch(f"/Users/{user}", again)) == before
        assert ok(await directory.call("PUT", f"/Users/{user}", before)) == before


# The liberties of identity providers


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "Replace", "path": "active", "value": "False"}, {"active": False}),
        ({"op": "replace", "value": {"active": False}}, {"active": False}),
        ({"op": "Add", "path": "displayName", "value": "J"}, {"displayName": "J"}),
        ({"op": "add", "value": {"displayName": "J", "nickName": "x"}}, {"displayName": "J"}),
        ({"op": "Add", "value": {"name.familyName": "Doe"}}, {"name": {"familyName": "Doe"}}),
        (
            {"op": "replace", "path": f"{USER}:name.familyName", "value": "Doe"},
            {"name": {"familyName": "Doe"}},
        ),
        ({"op": "Replace", "path": 'emails[type eq "work"].value', "value": "j@x.ca"}, {}),
        ({"op": "Add", "path": "title", "value": "Judge"}, {}),
        (
            {
                "op": "Add",
                "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                "value": "Criminal",
            },
            {},
        ),
        ({"op": "remove", "path": "externalId"}, {"externalId": None}),
        ({"op": "replace", "path": "externalId", "value": ""}, {"externalId": None}),
    ],
)
async def test_a_patch_is_understood_as_it_is_meant(
    sqlite_api: Api, operation: dict[str, Any], changed: dict[str, Any]
) -> None:
    directory = await directory_of(sqlite_api, DTC)
    before = ok(await directory.create(JANE, externalId="17"), 201)
    after = ok(await directory.patch(f"/Users/{before['id']}", operation))
    wanted = {name: value for name, value in (before | changed).items() if value is not None}
    assert after | {"meta": None} == wanted | {"meta": None}


async def test_what_a_directory_knows_beside_it_is_taken_and_not_kept(api: Api) -> None:
    """As Okta and Entra send a new user."""
    directory = await directory_of(api, DTC)
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    body = {
        "schemas": [USER, enterprise],
        "userName": JANE,
        "name": {"givenName": "Jane", "familyName": "Doe", "honorificPrefix": "Ms"},
        "emails": [{"primary": True, "value": JANE, "type": "work"}],
        "password": "a secret that nobody asked for",
        "groups": [{"value": str(await api.community_id(DTC))}],
        "locale": "en-CA",
        enterprise: {"department": "Criminal"},
    }
    made = ok(await directory.call("POST", "/Users", body), 201)
    assert set(made) == {"schemas", "id", "meta", "userName", "name", "active"}
    assert made["schemas"] == [USER] and set(made["name"]) == {"givenName", "familyName"}
    assert await directory.members() == set()


async def test_a_user_sent_whole_is_that_and_no_more(api: Api) -> None:
    directory = await directory_of(api, DTC)
    user = await directory.user(JANE, externalId="17", displayName="Jane", active=False)
    sent = {"schemas": [USER], "userName": "jane.doe@example.org", "id": "mine"}
    put = ok(await directory.call("PUT", f"/Users/{user}", sent))
    assert set(put) == {"schemas", "id", "meta", "userName", "active"}
    assert (put["id"], put["userName"], put["active"]) == (user, "jane.doe@example.org", False)


# What is not taken


@pytest.mark.parametrize(
    ("body", "keyword"),
    [
        (b"{", "invalidSyntax"),
        (b"", "invalidSyntax"),
        (b"[]", "invalidSyntax"),
        (b'{"userName": NaN}', "invalidSyntax"),
        (b'{"userName": "a@example.org", "userName": "b@example.org"}', "invalidSyntax"),
        (b"[" * 100_000, "invalidSyntax"),
        (b'{"schemas": ["urn:x:y"], "userName": "a@example.org"}', "invalidSyntax"),
        (b"{}", "invalidValue"),
        (b'{"userName": null}', "invalidValue"),
        (b'{"userName": ""}', "invalidValue"),
        (b'{"userName": "jane"}', "invalidValue"),
        (b'{"userName": ["a@example.org"]}', "invalidValue"),
        (b'{"userName": "a\\u0000@example.org"}', "invalidValue"),
        (b'{"userName": "a@example.org", "displayName": "\\u202e"}', "invalidValue"),
        (b'{"userName": "a@example.org", "externalId": "\\u0000"}', "invalidValue"),
        (b'{"userName": "a@example.org", "displayName": 5}', "invalidValue"),
        (b'{"userName": "a@example.org", "name": "Jane"}', "invalidValue"),
        (b'{"userName": "a@example.org", "active": "perhaps"}', "invalidValue"),
        (b'{"userName": "a@example.org", "active": 1e999}', "invalidSyntax"),
    ],
)
async def test_a_body_that_is_no_user_is_refused(
    sqlite_api: Api, body: bytes, keyword: str
) -> None:
    directory = await directory_of(sqlite_api, DTC)
    answer = await directory.machine.call("POST", f"{SCIM}/Users", content=body, headers=JSON)
    assert refused(answer, 400) == keyword
    long = {"userName": "a@example.org", "displayName": "x" * 201}
    assert refused(await directory.call("POST", "/Users", long), 400) == "invalidValue"
    assert await sqlite_api.read(sa.select(ProvisionedUser.id)) == []


@pytest.mark.parametrize(
    ("operations", "keyword"),
    [
        (None, "invalidSyntax"),
        ([], "invalidValue"),
        ([5], "invalidSyntax"),
        ([{"op": "move", "path": "active"}], "invalidValue"),
        ([{"op": "replace", "path": "active"}], "invalidValue"),
        ([{"op": "replace", "path": "active", "value": {"a": [1]}}], "invalidValue"),
        ([{"op": "replace", "path": "userName", "value": "nobody"}], "invalidValue"),
        ([{"op": "replace", "path": "((", "value": 1}], "invalidPath"),
        ([{"op": "replace", "path": "x" * 501, "value": 1}], "invalidPath"),
        ([{"op": "replace", "path": 5, "value": 1}], "invalidPath"),
        ([{"op": "remove"}], "noTarget"),
        ([{"op": "remove", "path": "userName"}], "mutability"),
        ([{"op": "replace", "path": "id", "value": "mine"}], "mutability"),
        ([{"op": "add", "path": "groups", "value": [{"value": "x"}]}], "mutability"),
    ],
)
async def test_operations_that_cannot_be_are_refused_whole(
    sqlite_api: Api, operations: Any, keyword: str
) -> None:
    directory = await directory_of(sqlite_api, DTC)
    user = ok(await directory.create(JANE), 201)
    first = [{"op": "replace", "path": "displayName", "value": "Jane"}]
    sent = first + operations if operations and operations != [5] else operations
    body = {"schemas": [PATCH], "Operations": sent}
    answer = await directory.call("PATCH", f"/Users/{user['id']}", body)
    assert refused(answer, 400) == keyword
    assert ok(await directory.get(f"/Users/{user['id']}")) == user


async def test_limits_types_and_methods_are_said_in_the_words_of_scim(api: Api) -> None:
    directory = await directory_of(api, DTC)
    path = f"/Users/{await directory.user(JANE)}"
    rename = {"op": "replace", "path": "displayName", "value": "Jane"}
    assert refused(await directory.patch(path, *[rename] * 101), 413) == "tooMany"
    huge = {"userName": JANE, "displayName": "x" * 1024 * 1024}
    assert refused(await directory.call("POST", "/Users", huge), 413) is None
    plain = await directory.machine.call(
        "POST", f"{SCIM}/Users", content=b"userName=x", headers={"Content-Type": "text/plain"}
    )
    assert refused(plain, 415) is None
    body = {"userName": "john@example.org"}
    ok(
        await directory.call("POST", "/Users", body, headers={"Content-Type": "application/json"}),
        201,
    )
    wrong = await directory.call("PUT", "/Users", {})
    assert refused(wrong, 405) is None and wrong.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert refused(await directory.get("/Nothing"), 404) is None
    french = await directory.call("GET", "/Nothing", headers={"Accept-Language": "fr"})
    assert "Vérifiez" in french.json()["detail"]
