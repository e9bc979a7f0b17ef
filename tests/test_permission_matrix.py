"""Every operation of the contract against every standing that somebody can have.

What should happen is worked out here from the permission table as it ships and from the rules of
'Who sees what', said once more in the words of this file; app/policy.py is not asked.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import clock, openapi
from app.deps import May
from app.main import create_app
from app.models import Membership
from tests.calls import HOW, REASON, Calls, operations
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day
from tests.places import furnished, unlisted

# What only the person concerned may do, whatever the table gives: here it is always another's.
OTHERS_OWN = {
    "withdraw_eligibility_verification",
    "resign_term",
    "withdraw_grant_change",
    "accept_nomination",
    "claim_membership",
    "give_succession_consent",
    "withdraw_succession_consent",
}

# What a resource offers of this (`viewer.can`) must be what would be allowed, no more and no less.
OFFERED: dict[str, set[str]] = {
    "get_community": {
        "list_memberships",
        "list_discussions",
        "list_terms",
        "list_join_requests",
        "list_invitations",
        "create_invitations",
        "list_eligibility_verifications",
        "add_membership",
        "list_review_queue",
        "list_community_audit_log",
        "start_discussion",
        "begin_term",
        "update_community",
        "list_subcommittees",
        "create_subcommittee",
        "list_elections",
        "open_election",
        "get_succession_plan",
        "get_community_leadership_health",
    },
    "get_discussion": {"write_post", "lock_discussion"},
    "get_post": {"report_post"},
    "get_membership": {
        "update_membership",
        "suspend_membership",
        "end_membership",
        "pause_membership",
    },
    "get_eligibility_verification": {
        "decide_eligibility_verification",
        "put_eligibility_evidence",
        "withdraw_eligibility_verification",
        "get_eligibility_evidence",
    },
    "get_term": {
        "resign_term",
        "remove_term",
        "annul_term",
        "declare_absence",
        "end_absence",
    },
    "get_join_request": {"decide_join_request", "request_join_information"},
    "get_invitation": {"resend_invitation", "revoke_invitation"},
    "get_review": {"decide_review"},
    "get_community_proposal": {
        "support_community_proposal",
        "decide_community_proposal",
        "list_proposal_supporters",
    },
    "get_person": {"deactivate_person"},
    "get_membership_import": {
        "map_membership_import",
        "apply_membership_import",
        "cancel_membership_import",
    },
    "get_partner": {"update_partner", "list_credentials", "create_credential"},
    "get_grant": {"propose_grant_change"},
    "get_grant_change": {"decide_grant_change", "withdraw_grant_change"},
    "get_position": {"update_position"},
    "list_community_seats": {"update_community_seats"},
    "get_subcommittee": {
        "update_subcommittee",
        "dissolve_subcommittee",
        "begin_subcommittee_term",
    },
    "get_election": {"nominate_person", "cancel_election", "record_election_exception"},
    "get_nomination": {"accept_nomination"},
    "get_seat_succession_plan": {"replace_seat_succession_plan"},
    "get_succession_candidate": {"give_succession_consent", "withdraw_succession_consent"},
}


# Who calls


@dataclass(frozen=True)
class Caller:
    """One standing: what somebody is, in the community that is asked about and elsewhere."""

    name: str
    account: bool = True
    membership: str | None = None
    position: str | None = None
    office: str | None = None
    term: str = "running"
    suspended: bool = False
    agreed: bool = True
    active: bool = True

    @property
    def belongs(self) -> bool:
        return self.membership == "running"

    @property
    def holds(self) -> bool:
        return self.term == "running"


OVER = ("ended yesterday", "beginning tomorrow", "removed a minute ago")
POSITIONS = ("member_at_large", "secretary", "vice_chair", "chair")
OFFICES = ("staff", "president")
MEMBER = Caller("member", membership="running")
NOBODY = Caller("nobody", account=False)
ACCOUNT = Caller("account without a membership")


def leaders() -> Iterator[Caller]:
    """For each position of a community: its holder, and those who nearly are."""
    for position in POSITIONS:
        holder = replace(MEMBER, name=position, position=position)
        yield holder
        for term in (*OVER, "held in another community"):
            yield replace(holder, name=f"{position}, {term}", term=term)
        yield replace(holder, name=f"{position}, suspended", suspended=True)
        yield replace(holder, name=f"{position}, membership ended", membership="ended")
        yield replace(holder, name=f"{position}, agreement outstanding", agreed=False)
        yield replace(holder, name=f"{position}, deactivated", active=False)


def officers() -> Iterator[Caller]:
    """The same for the association's positions."""
    for office in OFFICES:
        holder = Caller(office, office=office)
        yield holder
        for term in OVER:
            yield replace(holder, name=f"{office}, {term}", term=term)
        yield replace(holder, name=f"{office}, agreement outstanding", agreed=False)
        yield replace(holder, name=f"{office}, deactivated", active=False)


MEMBERS = (
    MEMBER,
    replace(MEMBER, name="member, suspended", suspended=True),
    replace(MEMBER, name="member, agreement outstanding", agreed=False),
    replace(MEMBER, name="member, deactivated", active=False),
    *(replace(MEMBER, name=f"member, {how}", membership=how) for how in ("ended", *OVER[:2])),
)
CALLERS = (NOBODY, ACCOUNT, *MEMBERS, *leaders(), *officers())
# In communities that hide or restrict themselves, those whose standing is not a shade of another.
PLAIN = tuple(
    caller
    for caller in CALLERS
    if caller in (NOBODY, ACCOUNT, *MEMBERS[:3]) or "," not in caller.name
)


async def enter(api: Api, caller: Caller, slug: str) -> Someone | None:
    """Somebody with that standing in a community, brought about as it comes about in life."""
    if not caller.account:
        return None
    someone = await api.person("Casey Caller", agreed=caller.agreed)
    staff = await api.staff()
    if caller.membership is not None:
        await api.join(someone, slug)
    place = slug
    if caller.term == "held in another community":
        place = WELLNESS
        await api.join(someone, place)
    if caller.position == "vice_chair":  # who would act, were there no chair
        await api.leader("Cora Chair", "chair", place)
    held = caller.position or caller.office
    if held is not None:
        starts, ends = {"ended yesterday": (-30, -1), "beginning tomorrow": (1, 365)}.get(
            caller.term, (-30, 365)
        )
        where = place if caller.position else None
        term_id = await api.hold(someone, held, where, starts=starts, ends=ends)
        if caller.term == "removed a minute ago":
            removal = await staff.post(f"/terms/{term_id}/removal", REASON)
            assert removal.status_code == 201, removal.text
    days = {
        "ended": {"ended_at": clock.now() - timedelta(minutes=1), "ending": "ended"},
        "ended yesterday": {"until_on": clock.today() - timedelta(days=1)},
        "beginning tomorrow": {"since_on": clock.today() + timedelta(days=1)},
    }
    if caller.membership in days:
        await api.change(Membership, someone.memberships[slug], **days[caller.membership])
    if caller.suspended:
        until = {"until_on": day(0)} | REASON
        path = f"/memberships/{someone.memberships[slug]}/suspension"
        assert (await staff.put(path, until)).status_code == 200
    if not caller.active:
        assert (await staff.put(f"/people/{someone.id}/deactivation")).status_code == 204
    return someone


# What should happen


def table() -> dict[str, set[str]]:
    """The permission table that ships: to whom each capability is given."""
    with Path("app/defaults/permissions.csv").open() as lines:
        return {
            row.pop("capability"): {grantee for grantee, mark in row.items() if mark == "x"}
            for row in csv.DictReader(lines)
        }


TABLE = table()
OPEN, UNLISTED, RESTRICTED = "open", "unlisted", "restricted"
# Of a restricted community, its own verified members' alone.
SPOKEN = ("discussions:", "posts:", "elections:")
FRONT = ("communities:read", "leadership:read", "join_requests:submit")
# How whoever has an account comes to be verified: everybody may ask that it be done.
WAY_IN = "request_eligibility_verification"
TAKING_PART = ("discussions:start", "posts:write", "elections:vote")


def expected(asks: May | None, operation: str, caller: Caller, kind: str | None) -> Any:
    """'allowed', 'agreement', 401, 403 or 404, by the table and by 'Who sees what'.

    `kind` says what the community of the path is; None where the path leads into none.
    """
    if not caller.active:
        return 401  # bad credentials, whatever the path
    if asks is None:
        return "allowed"
    capability = asks.capability
    if not caller.account and (capability is None or "public" not in TABLE[capability]):
        return 401
    if capability is None and asks.own:
        return "allowed"  # what is called is the caller's own
    office = {caller.office} if caller.office and caller.holds else set()
    inside = caller.belongs and kind != RESTRICTED  # nobody's eligibility is verified yet
    if kind == UNLISTED and not (inside or office):
        return 404
    if kind == RESTRICTED and capability not in FRONT and not office and operation != WAY_IN:
        return 404
    if capability is None:
        return "allowed"
    if kind == RESTRICTED and (capability.startswith(SPOKEN) or asks.content):
        return 404
    as_whom = {"public"} | office | ({"account"} if caller.account else set())
    if kind is not None and inside and not caller.suspended:
        as_whom |= {"member"} | ({caller.position} if caller.position and caller.holds else set())

    def given(wanted: str) -> bool:
        return bool(TABLE[wanted] & as_whom)

    enough = given(capability) or (asks.or_with is not None and given(asks.or_with))
    if asks.within is not None and not (given(asks.seen_with or capability) or enough):
        return 404
    if not enough or operation in OTHERS_OWN:
        return 403
    return "agreement" if capability in TAKING_PART and not caller.agreed else "allowed"


def outcome(answer: httpx.Response) -> Any:
    """What happened, in the same words: a refusal for the state of things was allowed by rights."""
    if answer.status_code == 403 and answer.json()["code"] == "rules.agreement_required":
        return "agreement"
    return answer.status_code if answer.status_code in (401, 403, 404) else "allowed"


def led_to(route: Any, asks: May | None, kind: str) -> str | None:
    """What kind of community the path leads into, if into one."""
    inside = "{community}" in route.path_format or (asks is not None and asks.within is not None)
    return kind if inside else None


async def surprises(api: Api, caller: Caller, slug: str, kind: str) -> list[str]:
    """Every operation that does not answer this caller as it should, or is offered wrongly."""
    place = await furnished(api, slug)
    calls = Calls(api, place, await enter(api, caller, slug))
    await calls.prepare()
    routes, found = operations(api), []
    asks = {name: openapi.may_of(route) for name, route in routes.items()}
    wanted = {
        name: expected(asks[name], name, caller, led_to(route, asks[name], kind))
        for name, route in routes.items()
    }
    for name in HOW:
        answer = await calls.call(routes[name])
        if outcome(answer) != wanted[name]:
            found.append(f"{name}: not {wanted[name]} but {answer.status_code} {answer.text[:200]}")
        if name in OFFERED and answer.status_code == 200:
            offered = OFFERED[name] & set(answer.json()["viewer"]["can"])
            allowed = {other for other in OFFERED[name] if wanted[other] == "allowed"}
            if offered != allowed:
                found.append(f"{name} offers {sorted(offered)}, allowed are {sorted(allowed)}")
    return found


def test_every_operation_is_in_the_matrix() -> None:
    known = {route.name for route in openapi.operations(create_app().app)}
    assert known == set(HOW)


def test_every_change_of_a_thing_can_be_bound_to_what_was_read() -> None:
    unbound = set()
    for route in openapi.operations(create_app().app):
        headers = {
            field.alias for one in route.dependant.dependencies for field in one.header_params
        }
        if route.methods & {"PUT", "PATCH", "DELETE"} and "if-match" not in headers:
            unbound.add(route.name)
    # A review's decision carries the version in its body; sign-ins and credentials have none.
    assert unbound == {
        "decide_review",
        "end_my_session",
        "end_current_session",
        "revoke_my_access_token",
        "revoke_access_token",
        "revoke_credential",
        "withdraw_proposal_support",  # one's own, which nobody else edits
    }


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
async def test_every_operation_answers_every_standing_as_the_table_says(
    api: Api, caller: Caller
) -> None:
    found = await surprises(api, caller, DTC, OPEN)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("caller", PLAIN, ids=lambda caller: caller.name)
async def test_a_hidden_community_does_not_exist_for_those_outside(
    api: Api, caller: Caller
) -> None:
    await unlisted(api, "current-issues")
    found = await surprises(api, caller, "current-issues", UNLISTED)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("caller", PLAIN, ids=lambda caller: caller.name)
async def test_a_restricted_community_shows_its_front_alone(api: Api, caller: Caller) -> None:
    found = await surprises(api, caller, ROUNDTABLE, RESTRICTED)
    assert not found, "\n".join(found)
