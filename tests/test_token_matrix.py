"""Every operation of the contract, called by a script: with all scopes it answers as its owner is
answered, without the operation's own it is refused; what people do themselves is for no script."""

from dataclasses import replace
from typing import Any

import pytest

from app import openapi
from app.deps import May
from app.policy import MACHINES, READING
from tests.calls import HOW, Calls, operations
from tests.cast import DTC, Api
from tests.machines import EVERYTHING, machine_of, partner_of, script_with
from tests.places import furnished
from tests.test_permission_matrix import (
    MEMBER,
    OPEN,
    Caller,
    enter,
    expected,
    led_to,
    outcome,
)

OWNERS = (
    MEMBER,
    replace(MEMBER, name="chair", position="chair"),
    Caller("staff", office="staff"),
)
# What no capability stands for and a token may ask all the same: whose it is, and what it may do.
ASKED = {"get_me", "get_standing"}
# A credential makes no other ones.
MAKING = {"create_partner", "update_partner", "create_credential"}


def in_person(name: str, asks: May | None, method: str) -> bool:
    """True for what people do themselves: all without a capability, and acts for which one only
    has to see the thing (to resign, to accept, to consent)."""
    if asks is None:
        return False
    if asks.capability is None:
        return name not in ASKED
    return name in MAKING or (method != "GET" and asks.capability in READING)


def surprise(name: str, wanted: Any, answer: Any) -> str:
    return f"{name}: not {wanted} but {answer.status_code} {answer.text[:200]}"


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.name)
async def test_with_all_scopes_a_script_is_answered_as_its_owner(api: Api, owner: Caller) -> None:
    place = await furnished(api, DTC)
    person = await enter(api, owner, DTC)
    calls = Calls(api, place, await script_with(api, person, EVERYTHING))
    await calls.prepare()
    found = []
    routes = operations(api)
    for name in HOW:
        route = routes[name]
        asks, (method,) = openapi.may_of(route), route.methods
        wanted = expected(asks, name, owner, led_to(route, asks, OPEN))
        if wanted == "allowed" and in_person(name, asks, method):
            wanted = 403
        answer = await calls.call(route)
        if outcome(answer) != wanted:
            found.append(surprise(name, wanted, answer))
    assert found == []


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.name)
async def test_without_its_scope_an_operation_is_refused(api: Api, owner: Caller) -> None:
    place = await furnished(api, DTC)
    person = await enter(api, owner, DTC)
    calls = Calls(api, place, person)
    await calls.prepare()
    found = []
    routes = operations(api)
    for name in HOW:
        route = routes[name]
        asks = openapi.may_of(route)
        if asks is None or asks.capability is None:
            continue
        needed = {asks.capability, asks.seen_with, asks.or_with}
        scopes = [scope for scope in EVERYTHING if scope not in needed]
        calls.someone = await script_with(api, person, scopes)
        answer = await calls.call(route)
        if answer.status_code not in (403, 404):
            found.append(surprise(name, "refused", answer))
    assert found == []


async def test_a_machine_of_a_partner_is_refused_in_words_and_never_by_a_fault(api: Api) -> None:
    place = await furnished(api, DTC)
    staff = await api.staff()
    given = sorted(MACHINES)
    machine = await machine_of(staff, await partner_of(staff, *given, communities=[DTC]))
    calls = Calls(api, place, staff)
    await calls.prepare()
    calls.someone = machine
    found = []
    routes = operations(api)
    for name in HOW:
        route = routes[name]
        asks = openapi.may_of(route)
        answer = await calls.call(route)
        if asks is None:
            continue
        if "membership_import_id" in route.path_format:
            right = answer.status_code == 404  # the file of somebody else
        elif asks.capability in given:
            right = answer.status_code not in (401, 404, 500)
        else:
            right = answer.status_code in ((200,) if name == "get_standing" else (403, 404))
        if not right:
            found.append(surprise(name, "right", answer))
    assert found == []
