"""Groups that a partner's directory fills: what it begins and ends, and what it leaves alone."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.models import (
    Community,
    Membership,
    MembershipCategory,
    Person,
    ProvisionedMember,
    Suspension,
    Term,
)
from app.services import provisioned_groups
from tests.answers import leaves, ok
from tests.cast import (
    DTC,
    PASSWORD,
    ROUNDTABLE,
    WELLNESS,
    Api,
    Someone,
    mail_to,
    on,
    token_in,
    unknown_id,
)
from tests.directories import GROUP, Directory, directory_of, refused
from tests.places import unlisted
from tests.test_eligibility import verified
from tests.test_statements import counted

JANE = "jane@institute.example.org"
PROVISIONED, DEPROVISIONED = "membership.provisioned", "membership.deprovisioned"


async def running(api: Api, address: str, slug: str = DTC) -> list[Any]:
    """The memberships of an address in a community that have not ended."""
    place = await api.community_id(slug)
    return await api.read(
        sa.select(Membership.id, Membership.category, Membership.since_on, Membership.person_id)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(
            col(Person.email_key) == address.lower(),
            col(Membership.community_id) == place,
            col(Membership.ended_at).is_(None),
        )
    )


async def refused_whole(directory: Directory, user: str) -> list[Any]:
    """What is said to every way in which a directory could end a membership."""
    group, path = await directory.group(), f"/Users/{user}"
    return [
        await directory.remove(user),
        await directory.patch(group, {"op": "remove", "path": "members"}),
        await directory.call("PUT", group, {"schemas": [GROUP], "members": []}),
        await directory.patch(path, {"op": "replace", "path": "active", "value": False}),
        await directory.call("DELETE", path),
    ]


# Which groups there are


async def test_a_group_is_a_community_that_was_named_for_the_partner(api: Api) -> None:
    staff = await api.staff()
    for slug in (WELLNESS, "indigenous-courts"):
        await unlisted(api, slug)
    named = await directory_of(api, DTC, WELLNESS, ROUNDTABLE, staff=staff)
    everywhere = await directory_of(api, staff=staff, name="Bar School")
    groups = {group["id"]: group for group in await named.search("/Groups", "id pr")}
    assert set(groups) == {str(await api.community_id(s)) for s in (DTC, WELLNESS, ROUNDTABLE)}
    shown = ok(await named.get(await named.group()))
    assert shown == groups[shown["id"]] and shown["displayName"] == "Drug Treatment Court CP"
    assert len(await everywhere.search("/Groups", "id pr")) == 17 - 3
    ok(await everywhere.get(await everywhere.group()))


async def test_other_communities_are_answered_like_those_that_never_were(api: Api) -> None:
    staff = await api.staff()
    await unlisted(api, "indigenous-courts")
    named = await directory_of(api, WELLNESS, staff=staff)
    everywhere = await directory_of(api, staff=staff, name="Bar School")
    body = {"schemas": [GROUP], "members": [{"value": str(unknown_id())}]}
    for directory, slugs in (
        (named, (DTC, ROUNDTABLE, "indigenous-courts")),
        (everywhere, (ROUNDTABLE, "indigenous-courts")),
    ):
        user = await directory.user(JANE)
        paths = [await directory.group(slug) for slug in slugs]
        for path in (*paths, f"/Groups/{unknown_id()}", f"/Groups/{DTC}", "/Groups/nothing"):
            answers = [
                await directory.get(path),
                await directory.call("PUT", path, body),
                await directory.patch(path, {"op": "add", "value": body}),
                await directory.call("DELETE", path),
            ]
            assert [refused(answer, 404) for answer in answers] == [None] * 4
            assert {answer.text for answer in answers} == {answers[0].text}
        refused(await directory.add(user, to=slugs[0]), 404)
    assert await api.read(sa.select(ProvisionedMember.id)) == []


async def test_communities_are_not_a_directorys_to_make_or_end(api: Api) -> None:
    directory = await directory_of(api, DTC)
    path = await directory.group()
    made = await directory.call("POST", "/Groups", {"schemas": [GROUP], "displayName": "Ours"})
    assert refused(made, 403) is None
    assert refused(await directory.call("DELETE", path), 403) is None
    for rename in (
        {"op": "replace", "path": "displayName", "value": "Ours"},
        {"op": "replace", "value": {"id": path.split("/")[-1], "displayName": "Ours"}},
    ):
        assert (await directory.patch(path, rename)).status_code == 204
    whole = ok(await directory.call("PUT", path, {"schemas": [GROUP], "displayName": "Ours"}))
    assert whole["displayName"] == "Drug Treatment Court CP"


# Beginning


async def test_who_is_put_into_a_group_becomes_a_member_and_is_not_mailed(api: Api) -> None:
    directory = await directory_of(api, DTC)
    machine = directory.machine
    user = await directory.user("Jane.Doe@Example.org", displayName="Jane Doe")
    async with leaves(api, ("account.created", machine), (PROVISIONED, machine)):
        assert (await directory.add(user)).status_code == 204
    assert not any("jane" in mail["To"] for mail in await api.work_off())
    ((_, category, since_on, _),) = await running(api, "jane.doe@example.org")
    assert (category, since_on) == (MembershipCategory.PRACTITIONER, clock.today())
    ((name, proven, password),) = await api.read(
        sa.select(Person.name, Person.email_verified_at, Person.password_hash).where(
            col(Person.email_key) == "jane.doe@example.org"
        )
    )
    assert (name, proven, password) == ("Jane Doe", None, None)
    shown = ok(await directory.get(f"/Users/{user}"))
    (group,) = shown["groups"]
    assert group["display"] == "Drug Treatment Court CP" and group["type"] == "direct"
    assert await directory.members() == {user}


async def test_who_was_provisioned_signs_in_by_a_link_that_they_ask_for(api: Api) -> None:
    directory = await directory_of(api, DTC)
    ok(await directory.add(await directory.user(JANE)), 204)
    assert (await api.post("/auth/password-resets", {"email": JANE})).status_code == 202
    token = token_in(mail_to(await api.work_off(), JANE))
    chosen = {"token": token, "password": PASSWORD}
    confirmed = await api.post("/auth/password-resets/confirmation", chosen)
    assert confirmed.status_code == 204
    signed_in = {"grant_type": "password", "username": JANE, "password": PASSWORD}
    bearer = ok(await api.post("/auth/tokens", signed_in))["access_token"]
    mine = await api.get("/me/memberships", headers={"Authorization": f"Bearer {bearer}"})
    assert [item["community"]["slug"] for item in ok(mine)["items"]] == [DTC]


async def test_an_account_and_a_membership_that_are_there_stay_as_they_are(api: Api) -> None:
    directory, member = await directory_of(api, DTC), await api.member("Mo Member")
    accounts = sa.select(*sa.inspect(Person).columns)
    belonging = sa.select(*sa.inspect(Membership).columns)
    before = await api.read(accounts), await api.read(belonging)
    user = await directory.user(member.email, displayName="Somebody Else")
    assert await directory.members() == set()  # nothing shows of whoever was not put there by it
    async with leaves(api, ("provisioned_user.placed", directory.machine)):
        assert (await directory.add(user)).status_code == 204
    assert await directory.members() == {user}
    async with leaves(api, ("provisioned_user.lifted", directory.machine)):
        assert (await directory.remove(user)).status_code == 204
    assert await directory.members() == set()
    assert (await api.read(accounts), await api.read(belonging)) == before


async def test_a_known_and_an_unknown_address_look_alike_in_a_group(api: Api) -> None:
    """Also where a membership is to come, or its holder's account has been switched off."""
    directory = await directory_of(api, DTC)
    member, planned = await api.member("Mo Member"), await api.member("Paul Planned")
    gone, unknown = await api.member("Gil Gone"), "nobody@example.org"
    await api.change(Membership, planned.memberships[DTC], since_on=on(30))
    await api.change(Person, gone.id, deactivated_at=clock.now())
    told = []
    for address in (unknown, member.email, planned.email, gone.email):
        user = await directory.user(address)
        answers = [await directory.add(user), await directory.add(user)]
        shown = ok(await directory.get(f"/Users/{user}"))
        group = {**shown["groups"][0]}
        answers.append(await directory.remove(user))
        told.append([(answer.status_code, answer.text) for answer in answers] + [group])
    assert all(one == told[0] for one in told)


async def test_an_archived_community_takes_nobody_and_lets_them_go(api: Api) -> None:
    directory = await directory_of(api, DTC)
    jane, john = await directory.user(JANE), await directory.user("john@example.org")
    ok(await directory.add(jane), 204)
    await api.change(Community, await api.community_id(), status="archived")
    assert refused(await directory.add(john), 409) is None
    assert await directory.members() == {jane}
    assert (await directory.remove(jane)).status_code == 204


async def test_a_restricted_community_takes_the_verified_and_refuses_others_alike(api: Api) -> None:
    directory = await directory_of(api, ROUNDTABLE)
    judge, member = await api.person("Judith Judge"), await api.member("Mo Member")
    await verified(api, judge)
    said = set()
    for address in ("nobody@example.org", member.email):
        answer = await directory.add(await directory.user(address), to=ROUNDTABLE)
        said.add((refused(answer, 409), answer.text))
        assert await running(api, address, ROUNDTABLE) == []
    assert len(said) == 1
    user = await directory.user(judge.email)
    ok(await directory.add(user, to=ROUNDTABLE), 204)
    assert await directory.members(ROUNDTABLE) == {user}
    ann = await directory.user("ann@example.org")
    async with leaves(api):  # one who may not be put there keeps the others out
        ok(await directory.add(user, to=ROUNDTABLE), 204)
        refused(await directory.add(ann, user, to=ROUNDTABLE), 409)


# Ending


async def test_a_directory_ends_what_it_began_and_nothing_else(api: Api) -> None:
    ours, theirs = await directory_of(api, DTC), await directory_of(api, DTC, name="Bar School")
    jane, also = await ours.user(JANE), await theirs.user(JANE)
    ok(await ours.add(jane), 204)
    ok(await theirs.add(also), 204)
    ok(await theirs.remove(also), 204)
    ((membership, *_),) = await running(api, JANE)
    async with leaves(api, (DEPROVISIONED, ours.machine)):
        ok(await ours.remove(jane), 204)
    assert await running(api, JANE) == []
    ((ending, reason),) = await api.read(
        sa.select(Membership.ending, Membership.end_reason).where(col(Membership.id) == membership)
    )
    assert (str(ending), reason) == ("ended", None)
    assert not any(JANE in mail["To"] for mail in await api.work_off())
    async with leaves(api):
        ok(await ours.remove(jane), 204)
        ok(await theirs.remove(jane), 204)


async def test_saying_it_again_brings_nobody_back_but_out_and_in_does(api: Api) -> None:
    directory = await directory_of(api, DTC)
    user = await directory.user(JANE)
    ok(await directory.add(user), 204)
    ((membership, *_),) = await running(api, JANE)
    ended = {"ended_at": clock.now(), "ending": "left"}
    await api.change(Membership, membership, **ended)
    assert await directory.members() == set()
    group = await directory.group()
    async with leaves(api):
        ok(await directory.add(user), 204)
        ok(await directory.call("PUT", group, {"schemas": [GROUP], "members": [{"value": user}]}))
    for active in (False, True):
        turn = {"op": "replace", "path": "active", "value": active}
        ok(await directory.patch(f"/Users/{user}", turn))
    assert await running(api, JANE) == []
    ok(await directory.remove(user), 204)
    ok(await directory.add(user), 204)
    assert len(await running(api, JANE)) == 1


async def test_who_holds_a_seat_is_not_removed_by_any_directory(api: Api) -> None:
    directory = await directory_of(api, DTC)
    user, other = await directory.user(JANE), await directory.user("john@example.org")
    ok(await directory.add(user, other), 204)
    ((membership, _, _, person_id),) = await running(api, JANE)
    holder = Someone(api, person_id, "Jane", JANE, "", person_id)
    term = await api.hold(holder, "chair")
    async with leaves(api):
        for answer in await refused_whole(directory, user):
            assert refused(answer, 409) is None and "seat" in answer.json()["detail"]
    assert await directory.members() == {user, other}
    assert ok(await directory.get(f"/Users/{user}"))["active"] is True
    await api.change(Term, term, ended_at=clock.now(), ending="resigned", free_from=on(0))
    assert [answer.status_code for answer in await refused_whole(directory, user)] == [
        *(204, 204, 200, 200, 204)
    ]
    ((ended_at,),) = await api.read(
        sa.select(Membership.ended_at).where(col(Membership.id) == membership)
    )
    assert ended_at is not None


async def test_a_suspension_is_left_alone_and_does_not_show(api: Api) -> None:
    directory, staff = await directory_of(api, DTC), await api.staff()
    user = await directory.user(JANE)
    ok(await directory.add(user), 204)
    ((membership, *_),) = await running(api, JANE)
    before = ok(await directory.get(await directory.group()))
    body = {"until_on": on(7).isoformat(), "reason": "To cool down."}
    ok(await staff.put(f"/memberships/{membership}/suspension", body))
    ok(await directory.add(user), 204)
    assert ok(await directory.get(await directory.group())) == before
    ((lifted,),) = await api.read(sa.select(Suspension.lifted_at))
    assert lifted is None


async def test_who_is_not_active_rests_and_begins_again(api: Api) -> None:
    directory, member = await directory_of(api, DTC, WELLNESS), await api.member("Mo Member")
    jane, mo = await directory.user(JANE), await directory.user(member.email)
    for slug in (DTC, WELLNESS):
        ok(await directory.add(jane, to=slug), 204)
    ok(await directory.add(mo), 204)
    machine = directory.machine
    off = {"op": "Replace", "path": "active", "value": "False"}
    on_again = {"op": "Replace", "path": "active", "value": "True"}
    updated = ("provisioned_user.updated", machine)
    async with leaves(api, updated, (DEPROVISIONED, machine), (DEPROVISIONED, machine)):
        shown = ok(await directory.patch(f"/Users/{jane}", off))
    assert shown["active"] is False and "groups" not in shown
    assert await running(api, JANE) == await running(api, JANE, WELLNESS) == []
    ok(await directory.patch(f"/Users/{mo}", off))
    assert len(await running(api, member.email)) == 1
    await api.change(Community, await api.community_id(WELLNESS), status="archived")
    async with leaves(api, updated, (PROVISIONED, machine)):
        shown = ok(await directory.patch(f"/Users/{jane}", on_again))
    assert [group["display"] for group in shown["groups"]] == ["Drug Treatment Court CP"]
    assert await running(api, JANE, WELLNESS) == []
    ok(await directory.patch(f"/Users/{mo}", on_again))
    assert await directory.members() == {jane, mo}


async def test_who_is_put_into_a_group_while_not_active_begins_when_active(api: Api) -> None:
    directory = await directory_of(api, DTC)
    user = await directory.user(JANE, active=False)
    async with leaves(api, ("provisioned_user.placed", directory.machine)):
        ok(await directory.add(user), 204)
    assert await directory.members() == set()
    assert await api.read(sa.select(Person.id).where(col(Person.email_key) == JANE)) == []
    ok(await directory.patch(f"/Users/{user}", {"op": "replace", "value": {"active": True}}))
    assert await directory.members() == {user} and len(await running(api, JANE)) == 1


async def test_a_user_who_is_deleted_leaves_the_groups_and_keeps_the_account(api: Api) -> None:
    directory = await directory_of(api, DTC)
    user = await directory.user(JANE)
    ok(await directory.add(user), 204)
    deleted = ("provisioned_user.deleted", directory.machine)
    async with leaves(api, deleted, (DEPROVISIONED, directory.machine)):
        assert (await directory.call("DELETE", f"/Users/{user}")).status_code == 204
    refused(await directory.call("DELETE", f"/Users/{user}"), 404)
    assert len(await api.read(sa.select(Person.id).where(col(Person.email_key) == JANE))) == 1
    again = await directory.user(JANE)
    assert again != user and await directory.members() == set()
    ok(await directory.add(again), 204)
    assert len(await running(api, JANE)) == 1


async def test_what_was_begun_where_a_partner_was_sent_away_goes_on(api: Api) -> None:
    staff = await api.staff()
    directory = await directory_of(api, DTC, WELLNESS, staff=staff)
    user = await directory.user(JANE)
    for slug in (DTC, WELLNESS):
        ok(await directory.add(user, to=slug), 204)
    ok(await staff.patch(f"/partners/{directory.machine.id}", {"communities": [WELLNESS]}))
    shown = ok(await directory.get(f"/Users/{user}"))
    assert len(shown["groups"]) == 1
    ok(await directory.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}}))
    assert (await directory.call("DELETE", f"/Users/{user}")).status_code == 204
    assert await running(api, JANE, WELLNESS) == [] and len(await running(api, JANE)) == 1


async def test_another_address_is_another_person_unless_put_somewhere(api: Api) -> None:
    directory, member = await directory_of(api, DTC), await api.member("Mo Member")
    user = await directory.user("mo@example.orgg")
    ok(await directory.add(user), 204)
    renamed = {"op": "replace", "path": "userName", "value": member.email}
    ok(await directory.patch(f"/Users/{user}", renamed))
    assert len(await running(api, "mo@example.orgg")) == 1
    ok(await directory.remove(user), 204)
    wrong = {"op": "replace", "path": "userName", "value": "mo@example.orgg"}
    for change in (wrong, renamed):
        ok(await directory.patch(f"/Users/{user}", change))
    async with leaves(api, ("provisioned_user.placed", directory.machine)):
        ok(await directory.add(user), 204)


# The liberties of identity providers


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ({"op": "Add", "path": "members", "value": [{"value": "c"}]}, "abc"),
        ({"op": "Add", "path": "members", "value": [{"$ref": None, "value": "c"}]}, "abc"),
        ({"op": "add", "path": "members", "value": {"value": "c", "display": "Cy"}}, "abc"),
        ({"op": "add", "value": {"members": [{"value": "c"}, {"value": "a"}]}}, "abc"),
        ({"op": "add", "path": f"{GROUP}:members", "value": [{"value": "c"}]}, "abc"),
        ({"op": "add", "path": "members", "value": []}, "ab"),
        ({"op": "Remove", "path": "members", "value": [{"value": "a"}]}, "b"),
        ({"op": "Remove", "path": 'members[value eq "a"]'}, "b"),
        ({"op": "remove", "path": 'MEMBERS[Value EQ "a" or value eq "b"]'}, ""),
        ({"op": "remove", "path": 'members[value eq "c"]'}, "ab"),
        ({"op": "remove", "path": 'members[value eq "nobody"]'}, "ab"),
        ({"op": "remove", "path": "members", "value": []}, "ab"),
        ({"op": "remove", "path": "members"}, ""),
        ({"op": "Replace", "path": "members", "value": [{"value": "b"}, {"value": "c"}]}, "bc"),
        ({"op": "replace", "value": {"id": "x", "displayName": "Ours"}}, "ab"),
        ({"op": "replace", "value": {"members": [{"value": "c"}]}}, "c"),
        ({"op": "replace", "path": "nickName", "value": "x"}, "ab"),
    ],
)
async def test_a_patch_of_a_group_is_understood_as_it_is_meant(
    sqlite_api: Api, operation: dict[str, Any], left: str
) -> None:
    directory = await directory_of(sqlite_api, DTC)
    users = {name: await directory.user(f"{name}@example.org") for name in "abc"}
    ok(await directory.add(users["a"], users["b"]), 204)
    answer = await directory.patch(await directory.group(), _meaning(operation, users))
    assert answer.status_code == 204, answer.text
    assert await directory.members() == {users[name] for name in left}


def _meaning(value: Any, users: dict[str, str]) -> Any:
    """The operation with the ids of users in place of their letters."""
    if isinstance(value, dict):
        return {name: _meaning(item, users) for name, item in value.items()}
    if isinstance(value, list):
        return [_meaning(item, users) for item in value]
    for letter, user in users.items():
        if value == letter:
            return user
        if isinstance(value, str):
            value = value.replace(f'"{letter}"', f'"{user}"')
    return value


@pytest.mark.parametrize(
    ("operation", "keyword"),
    [
        ({"op": "move", "path": "members"}, "invalidValue"),
        ({"op": "add", "path": "members"}, "invalidValue"),
        ({"op": "add", "value": [5]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [5]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [{"value": "nobody"}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [{"value": None}]}, "invalidValue"),
        ({"op": "add", "path": 'members[value eq "x"]', "value": 1}, "invalidPath"),
        ({"op": "remove", "path": 'members[type eq "User"]'}, "invalidPath"),
        ({"op": "remove", "path": "members[value pr]"}, "invalidPath"),
        ({"op": "remove", "path": "members["}, "invalidPath"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "path": "externalId", "value": {"a": 1}}, "invalidValue"),
    ],
)
async def test_operations_on_a_group_that_cannot_be_are_refused_whole(
    sqlite_api: Api, operation: dict[str, Any], keyword: str
) -> None:
    directory = await directory_of(sqlite_api, DTC)
    user = await directory.user(JANE)
    first = {"op": "add", "path": "members", "value": [{"value": user}]}
    answer = await directory.patch(await directory.group(), first, operation)
    assert refused(answer, 400) == keyword
    assert await directory.members() == set()


async def test_a_whole_group_is_put_as_it_is_sent(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = await directory_of(api, DTC)
    users = [await directory.user(f"{name}@example.org") for name in "abc"]
    group = await directory.group()
    for members in (users[:2], users[1:], users[1:], []):
        body = {
            "schemas": [GROUP],
            "displayName": "Ours",
            "members": [{"value": user, "display": "Somebody"} for user in members],
        }
        put = ok(await directory.call("PUT", group, body))
        assert {member["value"] for member in put.get("members", [])} == set(members)
    ok(await directory.add(users[0]), 204)
    twice = await directory.call("PUT", group, {"schemas": [GROUP], "members": [], "Members": []})
    assert refused(twice, 400) == "invalidSyntax"
    ok(await directory.call("PUT", group, {"schemas": [GROUP], "externalId": "g1"}))
    assert await directory.members() == {users[0]}  # not sent, and so not touched
    monkeypatch.setattr(provisioned_groups, "MOST_CHANGES", 1)
    assert refused(await directory.add(*users[1:]), 413) == "tooMany"
    late = [{"value": str(unknown_id())} for _ in range(5001)]
    many = await directory.call("PUT", group, {"schemas": [GROUP], "members": late})
    assert refused(many, 413) == "tooMany"
    assert await directory.members() == {users[0]}


async def test_a_group_is_found_by_what_a_directory_knows_of_it(api: Api) -> None:
    ours = await directory_of(api, DTC, WELLNESS)
    theirs = await directory_of(api, DTC, name="Bar School")
    user, dtc = await ours.user(JANE), str(await api.community_id())
    ok(await ours.add(user), 204)
    async with leaves(api, ("provisioned_group.updated", ours.machine)):
        for _ in range(2):
            identify = {"op": "replace", "path": "externalId", "value": "g1"}
            ok(await ours.patch(await ours.group(), identify), 204)
    taken = await ours.patch(await ours.group(WELLNESS), identify)
    assert refused(taken, 409) == "uniqueness"
    ok(await theirs.patch(await theirs.group(), identify), 204)
    for filtered, found in (
        ('displayName eq "drug treatment court cp"', [dtc]),
        ('externalId eq "g1"', [dtc]),
        ('externalId eq "g2"', []),
        (f'members eq "{user}"', [dtc]),
        (f'members[value eq "{user}"]', [dtc]),
        (f'members.value eq "{user}" and displayName sw "Drug"', [dtc]),
        (f'id eq "{dtc}" and members eq "{user}"', [dtc]),
        (f'id eq "{dtc}" and members eq "{unknown_id()}"', []),
        ("members pr", [dtc]),
        ('displayName eq "Judicial Roundtable"', []),
    ):
        assert [group["id"] for group in await ours.search("/Groups", filtered)] == found, filtered
    assert await theirs.search("/Groups", f'members eq "{user}"') == []
    without = ok(await ours.get(f"/Groups/{dtc}", excludedAttributes="members"))
    assert "members" not in without and without["externalId"] == "g1"
    only = ok(await ours.get("/Groups", attributes="members", filter="members pr"))
    assert set(only["Resources"][0]) == {"schemas", "id", "members"}
    asked = {"filter": 'members[type eq "User"]'}
    assert refused(await ours.call("POST", "/Groups/.search", asked), 400) == "invalidFilter"
    found = ok(await ours.call("POST", "/Groups/.search", {"sortBy": "displayName", "count": 1}))
    assert (found["totalResults"], found["Resources"][0]["id"]) == (2, dtc)
    named = await ours.patch(f"/Groups/{dtc}", identify, params={"attributes": "externalId"})
    assert ok(named)["externalId"] == "g1"


async def test_a_list_of_groups_costs_the_same_however_many_are_in_them(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = await directory_of(api)
    users = [await directory.user(f"user-{number}@example.org") for number in range(8)]
    ok(await directory.add(users[0]), 204)
    costs = []
    for slug in (DTC, WELLNESS):
        for path, length in (("/Groups", 1), ("/Groups", 10), ("/Users", 1), ("/Users", 8)):
            with counted(api.database, monkeypatch) as tally:
                found = ok(await directory.get(path, count=length))
            assert found["itemsPerPage"] == length
            costs.append(len(tally.sent))
        ok(await directory.add(*users, to=slug), 204)
    assert set(costs) == {costs[0]} and costs[0] <= 6, costs


async def test_members_of_a_restricted_group_cost_the_same_however_many_there_are(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = await directory_of(api, ROUNDTABLE)
    costs = []
    for count in (2, 12):
        users = []
        for number in range(count):
            judge = await api.person(f"Judge {chr(97 + number)}{'x' * count}")
            await verified(api, judge)
            users.append(await directory.user(judge.email))
        with counted(api.database, monkeypatch) as tally:
            ok(await directory.add(*users, to=ROUNDTABLE), 204)
        costs.append(len(tally.sent))
    assert costs[0] == costs[1], costs


# At once


async def test_nobody_overwrites_a_group_that_they_have_not_seen(api: Api) -> None:
    directory = await directory_of(api, DTC)
    user, path = await directory.user(JANE), await directory.group()
    seen = (await directory.get(path)).headers["etag"]
    adding = {"op": "add", "path": "members", "value": [{"value": user}]}
    headers = {"If-Match": seen}
    assert (await directory.patch(path, adding, headers=headers)).status_code == 204
    assert refused(await directory.patch(path, adding, headers=headers), 412) is None
    now = await directory.get(path)
    assert now.headers["etag"] == now.json()["meta"]["version"] != seen


async def test_the_same_member_twice_at_once_is_put_there_once(api: Api) -> None:
    directory = await directory_of(api, DTC)
    user = await directory.user(JANE)
    expected = [("account.created", directory.machine), (PROVISIONED, directory.machine)]
    async with leaves(api, *expected):
        answers = await asyncio.gather(*(directory.add(user) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {204}
    assert len(await running(api, JANE)) == 1


async def test_two_directories_at_once_make_one_account_and_one_membership(api: Api) -> None:
    found = [await directory_of(api, DTC, name=f"Institute {number}") for number in range(3)]
    users = [await directory.user(JANE) for directory in found]

    async def added(directory: Directory, user: str) -> int:
        answer = await directory.add(user)
        if answer.status_code == 409:  # somebody was faster: a directory tries again
            answer = await directory.add(user)
        return answer.status_code

    assert await asyncio.gather(*map(added, found, users)) == [204] * 3
    assert len(await running(api, JANE)) == 1
    assert len(await api.read(sa.select(Person.id).where(col(Person.email_key) == JANE))) == 1


async def test_switching_a_user_off_and_putting_them_in_at_once_leaves_nothing_over(
    api: Api,
) -> None:
    directory = await directory_of(api, DTC)
    user = await directory.user(JANE)
    off = {"op": "replace", "path": "active", "value": False}
    await asyncio.gather(directory.add(user), directory.patch(f"/Users/{user}", off))
    assert await running(api, JANE) == [] and await directory.members() == set()
    ok(await directory.patch(f"/Users/{user}", off | {"value": True}))
    assert await directory.members() == {user}
