"""Partner organisations: their machines do what the partner has now, and what people do never."""

import base64
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock, settings, tokens
from app.capabilities import CONTENT, MACHINES, TAKING_PART
from app.models import Activity, ActorKind, Association, Grant, PartnerCredential
from app.policy import Capability
from tests.answers import because, code, leaves, ok, told, wrong
from tests.cast import DTC, PASSWORD, ROUNDTABLE, WELLNESS, Api, Someone, day, unknown_id
from tests.machines import client_of, credential_of, machine_of, partner_of, script_of
from tests.places import unlisted

ROSTER = f"/communities/{DTC}/memberships"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _basic(client_id: str, secret: str) -> dict[str, str]:
    said = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {said}"}


# Admitting them


async def test_staff_admit_a_partner_and_change_it(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Claire Chair", "chair")
    refused = await chair.post("/partners", {})
    assert because(refused) == ["position_required"]
    async with leaves(api, ("partner.created", staff), ("partner.updated", staff)):
        partner = await partner_of(staff, "memberships:read", communities=[DTC])
        path = f"/partners/{partner['id']}"
        changed = ok(await staff.patch(path, {"capabilities": ["communities:read"]}))
    assert partner["communities"] == [str(await api.community_id())]
    assert changed["capabilities"] == ["communities:read"] and changed["active"] is True
    assert ok(await staff.get("/partners"))["items"] == [changed]
    stale = await staff.patch(path, {"name": "Late"}, headers={"If-Match": '"1-x"'})
    assert code(stale, 412) == "precondition.failed"
    assert code(await chair.get(path), 403) == "permission.denied"


@pytest.mark.parametrize("capability", sorted(set(Capability) - MACHINES))
async def test_what_is_peoples_is_never_given_to_machines(
    sqlite_api: Api, capability: Capability
) -> None:
    staff = await sqlite_api.staff()
    body = {"name": "P", "contact_email": "it@example.org", "capabilities": [capability]}
    assert wrong(await staff.post("/partners", body)) == [("/capabilities/0", "not_for_machines")]


def test_nothing_that_takes_part_or_is_inside_a_community_is_for_machines() -> None:
    assert not MACHINES & (CONTENT | TAKING_PART)


async def test_nobody_gives_a_partner_what_they_may_not_do_themselves(api: Api) -> None:
    staff, president = await api.staff(), await api.staff("Petra President", "president")
    async with api.database.work() as work:
        work.add(Grant(capability="partners:manage", grantee="president"))
        (await work.get_one(Association, 1)).grants_version += 1
    partner = await partner_of(staff, "memberships:import", communities=[DTC])
    path = f"/partners/{partner['id']}"
    body = {"name": "P", "contact_email": "it@example.org", "capabilities": ["memberships:import"]}
    for refused in (
        await president.post("/partners", body),
        await president.post(f"{path}/credentials", {"name": "Mine", "expires_on": day(1)}),
        await president.patch(path, {"communities": None}),
        await president.patch(path, {"communities": [WELLNESS]}),
        await president.patch(path, {"capabilities": ["memberships:import", "events:manage"]}),
    ):
        assert because(refused) == ["position_required"]
    ok(await president.patch(path, {"active": False}))
    assert because(await president.patch(path, {"active": True})) == ["position_required"]
    ok(await president.patch(path, {"capabilities": ["audit:read"]}))
    ok(await president.patch(path, {"active": True}))


async def test_no_token_makes_partners_or_credentials(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "communities:read")
    script = await script_of(staff, *Capability)
    path = f"/partners/{partner['id']}"
    assert ok(await script.get(path))["viewer"] == {"can": ["list_credentials"]}
    for refused in (
        await script.post("/partners", {}),
        await script.patch(path, {"name": "Mine"}),
        await script.post(f"{path}/credentials", {}),
    ):
        assert because(refused) == ["token_scope"]


# Signing in


async def test_a_secret_is_shown_once_and_kept_as_a_hash(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "communities:read")
    async with leaves(api, ("credential.created", staff)):
        made = await credential_of(staff, partner)
    assert made["client_secret"].startswith("cop_secret_") and made["client_id"] == made["id"]
    (shown,) = ok(await staff.get(f"/partners/{partner['id']}/credentials"))["items"]
    assert shown == {name: value for name, value in made.items() if name != "client_secret"}
    ((kept,),) = await api.read(sa.select(col(PartnerCredential.secret_hash)))
    assert kept == tokens.hashed(made["client_secret"])


async def test_a_machine_signs_in_by_json_by_form_and_by_basic(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "communities:read", "memberships:read")
    made = await credential_of(staff, partner)
    basic = _basic(made["client_id"], made["client_secret"])
    grant = {"grant_type": "client_credentials"}
    answers = [
        await api.post("/auth/tokens", client_of(made)),
        await api.call("POST", "/auth/tokens", data=client_of(made), headers=FORM),
        await api.call("POST", "/auth/tokens", data=grant, headers=FORM | basic),
        await api.post("/auth/tokens", grant, headers=basic),
    ]
    for answer in answers:
        issued = ok(answer)
        assert issued["refresh_token"] is None and issued["session_id"] is None
        assert issued["expires_in"] == settings.get().access_token_seconds
        assert issued["scope"] == "communities:read memberships:read"
        assert answer.headers["cache-control"] == "no-store"
    bearer = {"Authorization": f"Bearer {ok(answers[0])['access_token']}"}
    ok(await api.get(ROSTER, headers=bearer))


async def test_a_machine_asks_for_fewer_scopes_but_not_for_others(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "communities:read", "memberships:read")
    machine = await machine_of(staff, partner, scope="communities:read")
    ok(await machine.get("/communities"))
    assert because(await machine.get(ROSTER)) == ["token_scope"]
    made = await credential_of(staff, partner)
    refused = await api.post("/auth/tokens", client_of(made, scope="audit:read"))
    assert code(refused, 422) == "auth.scope_unavailable"


async def test_unknown_clients_and_wrong_secrets_get_one_answer(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "communities:read")
    made, revoked = [await credential_of(staff, partner) for _ in range(2)]
    path = f"/partners/{partner['id']}/credentials/{revoked['id']}"
    assert (await staff.delete(path)).status_code == 204
    refusals = [
        await api.post("/auth/tokens", body)
        for body in (
            client_of(made, client_secret="cop_secret_wrong"),
            client_of(made, client_id=str(unknown_id())),
            client_of(made, client_id="no id at all"),
            client_of(revoked),
        )
    ]
    assert {code(refusal, 401) for refusal in refusals} == {"auth.invalid_client"}
    assert all(told(refusal) == told(refusals[0]) for refusal in refusals)
    assert refusals[0].headers["www-authenticate"].startswith("Basic")


async def test_failures_are_counted_by_client_and_network(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.get(), "failed_sign_ins_per_quarter_hour", 3)
    staff = await api.staff()
    made = await credential_of(staff, await partner_of(staff, "communities:read"))
    for client_id in (made["client_id"], str(unknown_id())):
        bad = client_of(made, client_id=client_id, client_secret="wrong")
        for _ in range(3):
            assert code(await api.post("/auth/tokens", bad), 401) == "auth.invalid_client"
        assert code(await api.post("/auth/tokens", bad), 429) == "auth.too_many_failures"
    assert code(await api.post("/auth/tokens", client_of(made)), 429) == "auth.too_many_failures"
    async with api.elsewhere("203.0.113.9"):
        ok(await api.post("/auth/tokens", client_of(made)))


@pytest.mark.parametrize(
    ("headers", "changed", "status"),
    [
        ({"Authorization": "Basic !!!"}, {}, 401),
        ({"Authorization": "Basic bm9jb2xvbg=="}, {}, 401),
        (_basic("a", "b"), {"client_secret": "twice"}, 400),
        (_basic("a", "b"), {"client_id": "another"}, 400),
        (_basic("a", "b"), {"grant_type": "password", "username": "a", "password": "b"}, 401),
        ({}, {"client_id": "a"}, 422),
        ({}, {"grant_type": ["password"]}, 422),
    ],
)
async def test_a_misshapen_sign_in_of_a_machine_is_refused(
    sqlite_api: Api, headers: dict[str, str], changed: dict[str, Any], status: int
) -> None:
    body = {"grant_type": "client_credentials"} | changed
    answer = await sqlite_api.post("/auth/tokens", body, headers=headers)
    assert answer.status_code == status, answer.text


async def test_basic_opens_nothing_but_the_sign_in(api: Api) -> None:
    staff = await api.staff()
    made = await credential_of(staff, await partner_of(staff, "communities:read"))
    headers = _basic(made["client_id"], made["client_secret"])
    assert code(await api.get("/communities", headers=headers), 401) == "auth.token_invalid"


async def test_people_sign_in_as_before_with_the_members_of_a_client_beside(api: Api) -> None:
    owner = await api.person("Otto Owner")
    body = {"grant_type": "password", "username": owner.email, "password": PASSWORD}
    issued = ok(await api.post("/auth/tokens", body | {"client_id": "", "scope": ""}))
    assert issued["refresh_token"] and issued["session_id"] and issued["scope"] is None


# What they may do


async def test_a_partner_that_is_narrowed_is_narrow_at_once(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "communities:read", "memberships:read")
    machine, path = await machine_of(staff, partner), f"/partners/{partner['id']}"
    ok(await machine.get(ROSTER))
    ok(await staff.patch(path, {"communities": [WELLNESS]}))
    assert because(await machine.get(ROSTER)) == ["token_scope"]
    ok(await machine.get(f"/communities/{WELLNESS}/memberships"))
    ok(await staff.patch(path, {"capabilities": ["communities:read"]}))
    assert because(await machine.get(f"/communities/{WELLNESS}/memberships")) == ["token_scope"]
    ok(await staff.patch(path, {"active": False}))
    assert code(await machine.get("/communities"), 401) == "auth.token_invalid"


async def test_a_partner_that_gets_more_gets_it_on_new_tokens_alone(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "communities:read")
    machine = await machine_of(staff, partner)
    path = f"/partners/{partner['id']}"
    ok(await staff.patch(path, {"capabilities": ["communities:read", "memberships:read"]}))
    assert because(await machine.get(ROSTER)) == ["token_scope"]
    ok(await (await machine_of(staff, partner)).get(ROSTER))


async def test_a_revoked_or_expired_credential_ends_its_tokens(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "communities:read")
    made, kept = [await credential_of(staff, partner) for _ in range(2)]
    bearers = []
    for one in (made, kept):
        issued = ok(await api.post("/auth/tokens", client_of(one)))
        bearers.append({"Authorization": f"Bearer {issued['access_token']}"})
    path = f"/partners/{partner['id']}/credentials/{made['id']}"
    async with leaves(api, ("credential.revoked", staff)):
        assert (await staff.delete(path)).status_code == 204
    assert code(await api.get("/communities", headers=bearers[0]), 401) == "auth.token_invalid"
    ok(await api.get("/communities", headers=bearers[1]))
    await api.change(PartnerCredential, UUID(kept["id"]), expires_at=clock.now())
    assert code(await api.get("/communities", headers=bearers[1]), 401) == "auth.token_invalid"
    other = await partner_of(staff, "communities:read")
    elsewhere = f"/partners/{other['id']}/credentials/{kept['id']}"
    assert code(await staff.delete(elsewhere), 404) == "not_found"


async def test_a_partner_sees_hidden_and_restricted_communities_only_by_name(api: Api) -> None:
    staff = await api.staff()
    await unlisted(api, WELLNESS)
    given = ("communities:read", "memberships:read")
    everywhere = await machine_of(staff, await partner_of(staff, *given))
    named = await machine_of(
        staff, await partner_of(staff, *given, communities=[WELLNESS, ROUNDTABLE])
    )
    unknown = "/communities/no-such-community/memberships"
    for slug in (WELLNESS, ROUNDTABLE):
        path = f"/communities/{slug}/memberships"
        assert told(await everywhere.get(path)) == told(await everywhere.get(unknown))
        ok(await named.get(path))
    listed = [
        {item["slug"] for item in ok(await one.get("/communities?limit=100"))["items"]}
        for one in (everywhere, named)
    ]
    assert [WELLNESS in slugs for slugs in listed] == [False, True]
    for path in (f"/communities/{ROUNDTABLE}/discussions", f"/communities/{ROUNDTABLE}/elections"):
        assert code(await named.get(path), 404) == "not_found"


async def test_what_needs_a_person_is_refused_to_a_machine(api: Api) -> None:
    staff = await api.staff()
    machine = await machine_of(staff, await partner_of(staff, *sorted(MACHINES)))
    for method, path in (
        ("GET", "/me"),
        ("PATCH", "/me"),
        ("GET", "/me/access-tokens"),
        ("DELETE", "/auth/tokens/current"),
        ("GET", f"/communities/{DTC}/standing?as_of={day(-1)}"),
    ):
        answer = await machine.call(method, path, json={} if method == "PATCH" else None)
        assert code(answer, 403) == "person.required", path
    standing = ok(await machine.get(f"/communities/{DTC}/standing"))
    assert standing["person"] is None and set(standing["can"]) == MACHINES


async def test_what_a_machine_does_is_on_the_log_with_the_partners_name(api: Api) -> None:
    staff, member = await api.staff(), await api.member("Mo Member")
    given = ("memberships:read", "memberships:manage", "audit:read")
    partner = await partner_of(staff, *given)
    machine = await machine_of(staff, partner)
    path = f"/memberships/{member.memberships[DTC]}"
    ok(await machine.patch(path, {"category": "academic"}))
    ok(await machine.post(f"{path}/end", {"reason": "Left the institute."}))
    log = ok(await machine.get(f"/communities/{DTC}/audit-log"))["items"]
    actor = {"kind": "partner", "id": partner["id"], "name": "Court Institute"}
    assert [(item["kind"], item["actor"]) for item in log[:2]] == [
        ("membership.ended", actor),
        ("membership.updated", actor),
    ]
    await api.work_off()
    kinds = await api.read(
        sa.select(col(Activity.place)).where(col(Activity.actor_kind) == ActorKind.PARTNER)
    )
    assert len(kinds) == 2 and all(row.place is not None for row in kinds)


async def test_a_machine_does_not_end_the_membership_of_a_seat_holder(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Claire Chair", "chair")
    partner = await partner_of(staff, "memberships:read", "memberships:manage")
    machine = await machine_of(staff, partner)
    path = f"/memberships/{chair.memberships[DTC]}/end"
    assert because(await machine.post(path, {"reason": "Gone."})) == ["token_scope"]


async def test_keys_and_counts_belong_to_the_credential(api: Api) -> None:
    staff, member = await api.staff(), await api.member("Mo Member")
    partner = await partner_of(staff, "memberships:read", "memberships:manage")
    first, second = await machine_of(staff, partner), await machine_of(staff, partner)
    path, body = f"/memberships/{member.memberships[DTC]}/end", {"reason": "Left."}
    key = {"Idempotency-Key": "the-same"}
    ok(await first.post(path, body, headers=key))
    assert (await first.post(path, body, headers=key)).headers["idempotent-replayed"] == "true"
    assert code(await second.post(path, body, headers=key), 409) == "membership.ended"
    assert tokens.remembered(first.token) != tokens.remembered(second.token)


def _forged(machine: Someone, **changed: str) -> str:
    head, body, seal = machine.token.split(".")
    padded = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    for name, value in changed.items():
        padded = padded.replace(name, value)
    return f"{head}.{base64.urlsafe_b64encode(padded.encode()).decode().rstrip('=')}.{seal}"


async def test_scopes_cannot_be_written_into_a_token(api: Api) -> None:
    staff = await api.staff()
    partner = await partner_of(staff, "communities:read", "memberships:read")
    machine = await machine_of(staff, partner, scope="communities:read")
    headers = {"Authorization": f"Bearer {_forged(machine, communities='memberships')}"}
    assert code(await api.get(ROSTER, headers=headers), 401) == "auth.token_invalid"
