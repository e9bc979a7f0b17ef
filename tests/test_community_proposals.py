"""Proposing a community, standing behind a proposal, and what those who decide make of it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import col

from app import clock, tokens
from app.models import (
    Activity,
    ActorKind,
    Agreement,
    CommunityProposal,
    Person,
    ProposalLink,
    ProposalSupporter,
)
from app.services import retention
from tests.answers import because, code, leaves, ok, told, wrong
from tests.applicants import read
from tests.cast import (
    DTC,
    PASSWORD,
    WELLNESS,
    Api,
    Someone,
    day,
    mail_to,
    text_of,
    token_in,
    unknown_id,
)
from tests.crowds import Doors, at_once, outcomes
from tests.machines import script_of
from tests.places import proposed, unlisted

PROPOSALS = "/community-proposals"
IDEA: dict[str, Any] = {
    "name": {"en": "Remote Courts", "fr": None},
    "area": "Courts far from cities",
    "specifics": "Sittings in fly-in villages, travel, video hearings over weak lines.",
    "language": "en",
}
PERSON: dict[str, Any] = {
    "name": "Noor Haddad",
    "email": "noor@example.org",
    "occupation": "Clerk",
    "affiliation": "Circuit Court",
    "area_of_interest": "sittings on the coast",
}
FORM: dict[str, Any] = IDEA | {
    "rationale": "Each of the present communities assumes a court house in the same town.",
    "proposer": PERSON | {"wishes_to_lead": True},
    "agrees_to_rules_version": 1,
}
SUPPORT: dict[str, Any] = PERSON | {
    "name": "Tomas Berg",
    "email": "tomas@example.org",
    "language": "fr",
    "agrees_to_rules_version": 1,
}
NOOR, TOMAS = PERSON["email"], SUPPORT["email"]
REMOTE = {
    "slug": "remote-courts",
    "name": {"en": "Remote Courts", "fr": "Tribunaux éloignés"},
    "description": {"en": "Courts far from cities.", "fr": "Les tribunaux loin des villes."},
}
ACCEPTED: dict[str, Any] = {
    "outcome": "accepted",
    "reason": "Nobody else is there for them.",
    "community": REMOTE,
}
DECLINED: dict[str, Any] = {"outcome": "declined", "reason": "Wellness Courts talk about this."}


async def propose(api: Api | Someone, **changed: Any) -> httpx.Response:
    return await api.post(PROPOSALS, FORM | changed)


async def from_address(api: Api, address: str, **changed: Any) -> httpx.Response:
    return await propose(api, proposer=PERSON | {"email": address}, **changed)


async def support(api: Api | Someone, proposal: str, **changed: Any) -> httpx.Response:
    return await api.post(f"{PROPOSALS}/{proposal}/support", SUPPORT | changed)


async def prove(api: Api, token: str) -> httpx.Response:
    return await api.post("/auth/email-verifications/confirmation", {"token": token})


async def mailed(api: Api, address: str) -> str:
    """The token of the one mail that goes to an address now."""
    return token_in(mail_to(await api.work_off(), address))


async def opened(api: Api, **changed: Any) -> str:
    """The id of an open proposal, from an address without an account."""
    await api.work_off()
    received = ok(await propose(api, **changed), 202)
    ok(await prove(api, await mailed(api, NOOR)))
    return received["id"]


async def supported(api: Api, proposal: str, address: str = TOMAS, **changed: Any) -> str:
    """One more supports a proposal; the link that they are mailed then."""
    ok(await support(api, proposal, email=address, **changed), 202)
    ok(await prove(api, await mailed(api, address)))
    return await mailed(api, address)


async def decide(by: Someone, proposal: str, body: dict[str, Any], **options: Any) -> Any:
    return await by.put(f"{PROPOSALS}/{proposal}/decision", body, **options)


def with_link(link: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {link}"}}


# Proposing


async def test_anybody_proposes_and_the_address_is_proven_by_mail(api: Api) -> None:
    async with leaves(api, ("proposal.submitted", ActorKind.APPLICANT)):
        received = ok(await propose(api), 202)
    assert received["status"] == "awaiting_verification" and received["confirmed_at"] is None
    assert code(await api.get(f"{PROPOSALS}/{received['id']}"), 404) == "not_found"
    token = await mailed(api, NOOR)
    async with leaves(api, ("proposal.opened", ActorKind.APPLICANT)):
        proven = ok(await prove(api, token))
    assert proven["email"] == NOOR and proven["join_requests"] == []
    assert proven["proposal"]["id"] == received["id"] and proven["proposal"]["status"] == "open"
    shown = ok(await api.get(f"{PROPOSALS}/{received['id']}"))
    assert shown["name"] == {"en": "Remote Courts", "fr": None}
    assert shown["proposer"] is None and shown["supporter_count"] == 0
    assert shown["viewer"] == {"can": ["support_community_proposal"]}
    assert code(await prove(api, token), 409) == "mailed_token.invalid"


async def test_a_known_address_and_an_unknown_one_are_answered_the_same(api: Api) -> None:
    await api.member("Mary Member")

    async def answered(email: str) -> tuple[Any, ...]:
        status, headers, body = told(await from_address(api, email))
        body.pop("id"), body.pop("submitted_at")
        return status, headers, body

    first = await answered("mary.member@example.org")
    assert first[0] == 202
    assert first == await answered("nobody@example.org")


async def test_the_mail_to_an_unproven_address_repeats_nothing_that_was_typed(api: Api) -> None:
    ok(await propose(api), 202)
    mail = mail_to(await api.work_off(), NOOR)
    whole = mail.as_string() + text_of(mail)
    said = (IDEA["name"]["en"], IDEA["area"], PERSON["name"], PERSON["affiliation"])
    assert not [word for word in said if word in whole]


async def test_a_member_who_writes_from_their_own_address_waits_for_nobodys_mail(api: Api) -> None:
    mary, other = await api.member("Mary Member"), await api.member("Otto Other")
    async with leaves(api, ("proposal.submitted", mary), ("proposal.opened", mary)):
        own = ok(await propose(mary, proposer=PERSON | {"email": mary.email}), 202)
    assert own["status"] == "open"
    assert await api.work_off() == []  # there is nobody yet who decides
    foreign = ok(await propose(mary, proposer=PERSON | {"email": other.email}), 202)
    assert foreign["status"] == "awaiting_verification"


async def test_the_link_is_sent_again_to_whoever_asks_for_it(api: Api) -> None:
    ok(await propose(api), 202)
    await api.work_off()
    await api.post("/auth/email-verifications", {"email": NOOR})
    assert ok(await prove(api, await mailed(api, NOOR)))["proposal"]["status"] == "open"
    await api.work_off()
    await api.post("/auth/email-verifications", {"email": NOOR})
    assert await api.work_off() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"name": {"en": None, "fr": None}}, ("/name", "one_language_required")),
        (
            {"proposer": PERSON | {"occupation_code": "x"}},
            ("/proposer/occupation_code", "not_known"),
        ),
        ({"proposer": PERSON | {"territory": "x"}}, ("/proposer/territory", "not_known")),
        ({"rationale": " "}, ("/rationale", "too_short")),
        ({"status": "accepted"}, ("/status", "unknown_member")),
    ],
)
async def test_a_proposal_that_lacks_something_is_told_what(
    sqlite_api: Api, changed: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert wrong(await propose(sqlite_api, **changed)) == [expected]


async def test_the_rules_agreed_to_are_those_in_force(api: Api) -> None:
    proposal = await opened(api)
    late = {"agrees_to_rules_version": 2}
    assert code(await propose(api, **late), 409) == "rules.version_outdated"
    assert code(await support(api, proposal, **late), 409) == "rules.version_outdated"


async def test_nobodys_letter_box_is_filled_by_forms_in_their_name(api: Api) -> None:
    proposal = await opened(api)
    for _ in range(2):
        ok(await from_address(api, TOMAS), 202)
    for _ in range(3):
        ok(await support(api, proposal), 202)
    for flood in (await from_address(api, TOMAS), await support(api, proposal)):
        assert code(flood, 429) == "rate_limit.exceeded"
        assert flood.headers["retry-after"] == "3600"
    with time_machine.travel(clock.now().timestamp() + 3601, tick=False):
        ok(await support(api, proposal), 202)


async def test_a_person_has_one_open_proposal_at_a_time(api: Api) -> None:
    first = await opened(api)
    await api.work_off()
    second = ok(await propose(api), 202)  # which a stranger might send too
    token = await mailed(api, NOOR)
    assert code(await prove(api, token), 409) == "proposal.open_already"
    staff = await api.staff()
    ok(await decide(staff, first, DECLINED))
    assert ok(await prove(api, token))["proposal"]["id"] == second["id"]


async def test_of_several_proposals_confirmed_at_once_one_is_open(api: Api) -> None:
    for _ in range(4):
        ok(await propose(api), 202)
    links = [token_in(mail) for mail in await api.work_off()]
    async with Doors.to(api) as doors:
        answers = await at_once(prove(doors.apis[n % 2], link) for n, link in enumerate(links))
    assert outcomes(answers) == {200: 1, (409, "proposal.open_already"): 3}


# What there is already


async def alike(api: Api | Someone, **changed: Any) -> dict[str, list[str]]:
    found = ok(await api.post(f"{PROPOSALS}/similar-communities", IDEA | changed))
    return {
        "communities": [one["community"]["slug"] for one in found["communities"]],
        "proposals": [one["name"]["en"] for one in found["proposals"]],
    }


@pytest.mark.parametrize(
    ("language", "name", "specifics", "likest"),
    [
        ("en", "Drug treatment courts", "What helps.", "drug-treatment-court"),
        ("en", "Courts for Indigenous people", "Gladue reports, healing.", "indigenous-courts"),
        ("fr", "Tribunaux autochtones", "Les rapports Gladue.", "indigenous-courts"),
        ("fr", "Toxicomanie", "Le traitement et ce qui aide.", "treatment-issues-drug-addiction"),
    ],
)
async def test_similar_communities_are_pointed_out_in_either_language(
    api: Api, language: str, name: str, specifics: str, likest: str
) -> None:
    wanted = {
        "name": {"en": None, "fr": None} | {language: name},
        "specifics": specifics,
        "language": language,
    }
    assert (await alike(api, **wanted))["communities"][0] == likest
    answer = ok(await propose(api, **wanted), 202)
    assert answer["similar"]["communities"][0]["community"]["slug"] == likest
    assert 0.3 <= answer["similar"]["communities"][0]["likeness"] <= 1


async def test_what_is_like_nothing_points_to_nothing(api: Api) -> None:
    assert await alike(api) == {"communities": [], "proposals": []}


async def test_the_same_words_find_the_same_on_every_day(api: Api) -> None:
    wanted = {"name": {"en": "Youth wellness", "fr": "Bien-être des jeunes"}}
    first = await api.post(f"{PROPOSALS}/similar-communities", IDEA | wanted)
    await propose(api, **wanted)  # which nobody has confirmed
    again = await api.post(f"{PROPOSALS}/similar-communities", IDEA | wanted)
    assert first.json() == again.json() and first.json()["communities"]


async def test_a_hidden_community_is_never_pointed_out_not_even_to_its_members(api: Api) -> None:
    wanted = {"name": {"en": "Wellness Courts", "fr": None}}
    assert (await alike(api, **wanted))["communities"][0] == WELLNESS
    await unlisted(api, WELLNESS)
    for caller in (api, await api.member("Mary Member", WELLNESS), await api.staff()):
        assert WELLNESS not in (await alike(caller, **wanted))["communities"]


async def test_an_open_proposal_is_pointed_out_and_a_closed_one_is_not(api: Api) -> None:
    proposal = await opened(api)
    assert (await alike(api))["proposals"] == ["Remote Courts"]
    staff = await api.staff()
    ok(await decide(staff, proposal, DECLINED))
    assert (await alike(api))["proposals"] == []


# Supporting


async def test_a_supporter_counts_once_their_address_is_proven(api: Api) -> None:
    proposal, staff = await opened(api), await api.staff()
    async with leaves(api, ("proposal.support_offered", ActorKind.APPLICANT)):
        offered = ok(await support(api, proposal), 202)
    assert offered["confirmed_at"] is None and offered["id"] == proposal
    assert ok(await api.get(f"{PROPOSALS}/{proposal}"))["supporter_count"] == 0
    token = await mailed(api, TOMAS)
    async with leaves(api, ("proposal.supported", ActorKind.APPLICANT)):
        assert ok(await prove(api, token))["proposal"]["confirmed_at"]
    assert ok(await api.get(f"{PROPOSALS}/{proposal}"))["supporter_count"] == 1
    (listed,) = ok(await staff.get(f"{PROPOSALS}/{proposal}/supporters"))["items"]
    assert (listed["name"], listed["email"]) == ("Tomas Berg", TOMAS)
    mary = await api.member("Mary Member")
    assert because(await mary.get(f"{PROPOSALS}/{proposal}/supporters")) == ["position_required"]


async def test_the_same_address_counts_once_however_often_it_is_confirmed(api: Api) -> None:
    proposal = await opened(api)
    for _ in range(4):
        ok(await support(api, proposal, email=TOMAS.upper()), 202)
    links = [token_in(mail) for mail in await api.work_off() if "tomas" in mail["To"].lower()]
    async with Doors.to(api) as doors:
        answers = await at_once(prove(doors.apis[n % 2], link) for n, link in enumerate(links))
    assert outcomes(answers) == {200: 4}
    assert len({answer.json()["proposal"]["confirmed_at"] for answer in answers}) == 1
    assert ok(await api.get(f"{PROPOSALS}/{proposal}"))["supporter_count"] == 1


async def test_a_signed_in_supporter_who_sends_it_twice_at_once_counts_once(api: Api) -> None:
    proposal, mary = await opened(api), await api.member("Mary Member")
    async with Doors.to(api) as doors:
        answers = await at_once(
            support(doors.at(mary, number), proposal, email=mary.email) for number in range(4)
        )
    assert outcomes(answers) == {202: 4}
    shown = ok(await mary.get(f"{PROPOSALS}/{proposal}"))
    assert shown["supporter_count"] == 1
    assert shown["viewer"]["can"] == ["withdraw_proposal_support"]


async def test_nobody_supports_their_own_proposal(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    own = ok(await propose(mary, proposer=PERSON | {"email": mary.email}), 202)["id"]
    assert code(await support(mary, own, email=mary.email), 403) == "proposal.own"
    assert ok(await support(otto, own, email=otto.email), 202)["confirmed_at"]
    ok(await support(api, own, email=mary.email), 202)  # a stranger is told nothing
    assert code(await prove(api, await mailed(api, mary.email)), 403) == "proposal.own"


async def test_a_supporter_withdraws_signed_in_or_with_the_link_of_their_mail(api: Api) -> None:
    proposal, mary = await opened(api), await api.member("Mary Member")
    path = f"{PROPOSALS}/{proposal}/support"
    ok(await support(mary, proposal, email=mary.email), 202)
    link = await supported(api, proposal)
    async with leaves(api, ("proposal.support_withdrawn", mary)):
        assert (await mary.delete(path)).status_code == 204
    async with leaves(api, ("proposal.support_withdrawn", ActorKind.APPLICANT)):
        assert (await api.call("DELETE", path, **with_link(link))).status_code == 204
    assert code(await api.call("DELETE", path, **with_link(link)), 404) == "not_found"
    assert code(await mary.delete(path), 404) == "not_found"
    assert code(await api.call("DELETE", path), 401) == "auth.required"
    assert ok(await api.get(f"{PROPOSALS}/{proposal}"))["supporter_count"] == 0
    await supported(api, proposal)  # they may change their mind again
    assert ok(await api.get(f"{PROPOSALS}/{proposal}"))["supporter_count"] == 1


# Following and taking back


async def test_the_proposer_follows_and_takes_back_with_the_link_of_their_mail(api: Api) -> None:
    proposal = await opened(api)
    link = await mailed(api, NOOR)
    assert link.startswith(tokens.LINK)
    own = ok(await api.get(f"{PROPOSALS}/{proposal}", **with_link(link)))
    assert own["proposer"]["email"] == NOOR
    assert own["viewer"]["can"] == ["withdraw_community_proposal"]
    supporter = await supported(api, proposal)
    path = f"{PROPOSALS}/{proposal}/withdrawal"
    refused = await api.post(path, **with_link(supporter))
    assert because(refused) == ["own_only"]
    async with leaves(api, ("proposal.withdrawn", ActorKind.APPLICANT)):
        assert ok(await api.post(path, **with_link(link)))["status"] == "withdrawn"
    assert code(await api.post(path, **with_link(link)), 409) == "proposal.not_open"
    assert "was taken back" not in text_of(mail_to(await api.work_off(), TOMAS))  # in French
    assert code(await api.get(f"{PROPOSALS}/{proposal}"), 404) == "not_found"
    assert ok(await api.get(f"{PROPOSALS}/{proposal}", **with_link(link)))["status"] == "withdrawn"


async def test_a_link_is_for_its_own_proposal_and_for_nothing_else(api: Api) -> None:
    proposal = await opened(api)
    link = await mailed(api, NOOR)
    async with api.database.work() as work:
        other = await proposed(work, "other@example.org")
        own = await proposed(work, NOOR, status="declined")
    foreign = f"{PROPOSALS}/{other.id}"
    assert ok(await api.get(foreign, **with_link(link)))["proposer"] is None
    assert because(await api.post(f"{foreign}/withdrawal", **with_link(link))) == ["own_only"]
    earlier = await api.get(f"{PROPOSALS}/{own.id}", **with_link(link))
    assert code(earlier, 404) == "not_found"  # of the same person, but not this link's
    for path in ("/me", "/communities", PROPOSALS, f"{PROPOSALS}/{proposal}/supporters"):
        assert code(await api.get(path, **with_link(link)), 401) == "auth.token_invalid"
    for bad in (link[:-1] + "!", tokens.LINK + "x" * 43, tokens.LINK):
        answer = await api.get(f"{PROPOSALS}/{proposal}", **with_link(bad))
        assert code(answer, 401) == "auth.token_invalid"
    async with api.database.work() as work:
        await work.execute(sa.update(ProposalLink).values(expires_at=clock.now()))
    over = await api.get(f"{PROPOSALS}/{proposal}", **with_link(link))
    assert code(over, 401) == "auth.token_invalid"


async def test_the_proposer_finds_their_own_signed_in_and_others_do_not(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    own = ok(await propose(mary, proposer=PERSON | {"email": mary.email}), 202)["id"]
    path = f"{PROPOSALS}/{own}"
    (mine,) = ok(await mary.get("/me/community-proposals"))["items"]
    assert mine["id"] == own and mine["proposer"]["name"] == PERSON["name"]
    assert ok(await otto.get("/me/community-proposals"))["items"] == []
    assert because(await otto.post(f"{path}/withdrawal")) == ["own_only"]
    script = await script_of(mary, "proposals:submit")
    assert because(await script.post(f"{path}/withdrawal")) == ["token_scope"]
    assert "withdraw_community_proposal" not in ok(await script.get(path))["viewer"]["can"]
    async with leaves(api, ("proposal.withdrawn", mary)):
        ok(await mary.post(f"{path}/withdrawal"))
    assert ok(await mary.get(path))["viewer"]["can"] == []
    unknown = await otto.get(f"{PROPOSALS}/{unknown_id()}")
    assert told(await otto.get(path)) == told(unknown)


async def test_who_decides_lists_all_by_state_and_others_may_not(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Chidi Chair", "chair")
    assert because(await chair.get(PROPOSALS)) == ["position_required"]
    assert code(await api.get(PROPOSALS), 401) == "auth.required"
    first = await opened(api)
    ok(await decide(staff, first, DECLINED))
    second = await opened(api)
    ok(await from_address(api, "unproven@example.org"), 202)
    listed = ok(await staff.get(f"{PROPOSALS}?include=total"))
    assert [item["id"] for item in listed["items"]] == [first, second] and listed["total"] == 2
    assert listed["items"][0]["decision"]["decided_by"]["name"] == staff.name
    for query, found in (
        ("status=open", [second]),
        ("status=open&status=declined", [first, second]),
        ("status=awaiting_verification", []),
        ("limit=1", [first]),
    ):
        items = ok(await staff.get(f"{PROPOSALS}?{query}"))["items"]
        assert [item["id"] for item in items] == found, query


# Deciding


async def test_acceptance_creates_the_community_with_seats_and_first_members(api: Api) -> None:
    staff = await api.staff()
    mary = await api.member("Mary Member", language="fr")
    proposal = await opened(api)
    await supported(api, proposal)
    await supported(api, proposal, "onlooker@example.org", wishes_to_belong=False)
    ok(await support(mary, proposal, email=mary.email), 202)
    await api.work_off()
    async with leaves(
        api,
        ("community.created", staff),
        *[("account.created", staff)] * 2,
        *[("proposal.member_admitted", staff)] * 3,
        ("proposal.accepted", staff),
    ):
        decided = ok(await decide(staff, proposal, ACCEPTED))
    assert decided["status"] == "accepted" and decided["community"]["slug"] == "remote-courts"
    assert decided["decision"]["reason"] == ACCEPTED["reason"]
    court = ok(await staff.get("/communities/remote-courts"))
    assert (court["member_count"], court["vacant_seats"]) == (3, 7)
    assert ok(await api.get(f"{PROPOSALS}/{proposal}"))["community"]["slug"] == "remote-courts"
    listed = ok(await staff.get(f"{PROPOSALS}/{proposal}/supporters"))["items"]
    belong = {one["email"]: one["membership_id"] is not None for one in listed}
    assert belong == {TOMAS: True, mary.email: True, "onlooker@example.org": False}
    agreed = sa.select(Agreement.rules_version).join(Person).where(col(Person.email) == TOMAS)
    assert [row.rules_version for row in await api.read(agreed)] == [1]
    sent = await api.work_off()
    assert "n'avez pas demandé" in text_of(mail_to(sent, "onlooker@example.org"))
    assert "comme d'habitude" in text_of(mail_to(sent, mary.email))
    chosen = {"token": token_in(mail_to(sent, NOOR)), "password": PASSWORD}
    ok(await api.post("/auth/password-resets/confirmation", chosen), 204)


async def test_a_refusal_needs_a_reason_and_is_mailed_with_it(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Chidi Chair", "chair")
    proposal = await opened(api)
    await supported(api, proposal)
    await api.work_off()
    assert wrong(await decide(staff, proposal, {"outcome": "declined"})) == [
        ("/reason", "required")
    ]
    assert because(await decide(chair, proposal, DECLINED)) == ["position_required"]
    async with leaves(api, ("proposal.declined", staff)):
        decided = ok(await decide(staff, proposal, DECLINED))
    assert decided["decision"]["outcome"] == "declined" and decided["community"] is None
    sent = await api.work_off()
    assert {mail["To"] for mail in sent} == {NOOR, TOMAS}
    assert all(DECLINED["reason"] in text_of(mail) for mail in sent)
    assert code(await api.get(f"{PROPOSALS}/{proposal}"), 404) == "not_found"
    assert code(await support(api, proposal), 404) == "not_found"


async def test_a_community_is_described_where_one_is_created_and_nowhere_else(api: Api) -> None:
    staff, proposal = await api.staff(), await opened(api)
    missing = await decide(staff, proposal, ACCEPTED | {"community": None})
    assert wrong(missing) == [("/community", "required")]
    unasked = await decide(staff, proposal, DECLINED | {"community": REMOTE})
    assert wrong(unasked) == [("/community", "accepted_only")]
    taken = await decide(staff, proposal, ACCEPTED | {"community": REMOTE | {"slug": DTC}})
    assert code(taken, 409) == "community.slug_taken"
    unknown = REMOTE | {"eligible_occupations": ["astronaut"]}
    refused = await decide(staff, proposal, ACCEPTED | {"community": unknown})
    assert wrong(refused) == [("/community/eligible_occupations/0", "not_known")]
    assert ok(await staff.get(f"{PROPOSALS}/{proposal}"))["status"] == "open"
    ok(await decide(staff, proposal, ACCEPTED))


async def test_nobody_decides_about_what_they_stand_behind(api: Api) -> None:
    staff, president = await api.staff(), await api.staff("Petra President", "president")
    own = ok(await propose(staff, proposer=PERSON | {"email": staff.email}), 202)["id"]
    for body in (ACCEPTED, DECLINED):
        assert code(await decide(staff, own, body), 403) == "proposal.own"
    assert (
        "decide_community_proposal"
        not in ok(await staff.get(f"{PROPOSALS}/{own}"))["viewer"]["can"]
    )
    ok(await support(president, own, email=president.email), 202)
    assert code(await decide(president, own, ACCEPTED), 403) == "proposal.own"
    assert (await president.delete(f"{PROPOSALS}/{own}/support")).status_code == 204
    ok(await decide(president, own, ACCEPTED))


async def test_a_proposal_is_decided_once_however_many_decide_at_once(api: Api) -> None:
    staff = [await api.staff(f"Staff {number}") for number in range(4)]
    proposal = await opened(api)
    await supported(api, proposal)
    async with Doors.to(api) as doors:
        answers = await at_once(
            decide(doors.at(someone, number), proposal, ACCEPTED if number % 2 else DECLINED)
            for number, someone in enumerate(staff)
        )
    assert outcomes(answers) == {200: 1, (409, "proposal.already_decided"): 3}
    decided = ok(await staff[0].get(f"{PROPOSALS}/{proposal}"))
    said = sa.select(Activity.kind).where(
        col(Activity.kind).in_(("proposal.accepted", "proposal.declined", "community.created"))
    )
    kinds = sorted(row.kind for row in await api.read(said))
    accepted = ["community.created", "proposal.accepted"]
    assert kinds == (accepted if decided["status"] == "accepted" else ["proposal.declined"])


async def test_two_proposals_of_the_same_people_accepted_at_once_make_one_account_each(
    api: Api,
) -> None:
    staff = await api.staff()
    first = await opened(api)
    async with api.database.work() as work:
        second = await proposed(work, "zoe@example.org")
    for proposal in (first, str(second.id)):
        for address in ("a@example.org", "b@example.org", "c@example.org"):
            await supported(api, proposal, address)
    other = ACCEPTED | {"community": REMOTE | {"slug": "other-courts"}}
    async with Doors.to(api) as doors:
        answers = await at_once(
            (
                decide(doors.at(staff, 0), first, ACCEPTED),
                decide(doors.at(staff, 1), str(second.id), other),
            )
        )
    assert outcomes(answers) == {200: 2}
    for slug in ("remote-courts", "other-courts"):
        assert ok(await staff.get(f"/communities/{slug}"))["member_count"] == 4
    people = sa.select(sa.func.count()).where(col(Person.email).like("_@example.org"))
    assert [tuple(row) for row in await api.read(people)] == [(3,)]


async def test_support_and_a_decision_at_the_same_moment_leave_no_half_member(api: Api) -> None:
    staff, proposal = await api.staff(), await opened(api)
    members = [await api.member(f"Member {number}") for number in range(6)]
    async with Doors.to(api) as doors:
        answers = await at_once(
            [
                *(
                    support(doors.at(one, number), proposal, email=one.email)
                    for number, one in enumerate(members)
                ),
                decide(doors.at(staff, 1), proposal, ACCEPTED),
            ]
        )
    assert answers[-1].status_code == 200
    counted = [answer for answer in answers[:-1] if answer.status_code == 202]
    assert set(outcomes(answers[:-1])) <= {202, (409, "proposal.not_open")}
    court = ok(await staff.get("/communities/remote-courts"))
    assert court["member_count"] == 1 + len(counted)


async def test_a_stale_decision_is_refused(api: Api) -> None:
    staff, proposal = await api.staff(), await opened(api)
    stale = await decide(staff, proposal, DECLINED, headers={"If-Match": '"1-x"'})
    assert code(stale, 412) == "precondition.failed"
    etag = (await staff.get(f"{PROPOSALS}/{proposal}")).headers["etag"]
    ok(await decide(staff, proposal, DECLINED, headers={"If-Match": etag}))


async def test_a_withdrawn_proposal_is_not_decided_and_a_decided_one_not_withdrawn(
    api: Api,
) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    form = {"proposer": PERSON | {"email": mary.email}}
    first = ok(await propose(mary, **form), 202)["id"]
    ok(await mary.post(f"{PROPOSALS}/{first}/withdrawal"))
    assert code(await decide(staff, first, ACCEPTED), 409) == "proposal.not_open"
    second = ok(await propose(mary, **form), 202)["id"]
    ok(await decide(staff, second, DECLINED))
    refused = await mary.post(f"{PROPOSALS}/{second}/withdrawal")
    assert code(refused, 409) == "proposal.not_open"
    assert ok(await mary.get(f"{PROPOSALS}/{second}"))["decision"]["decided_by"] is None


async def accept(by: Someone, request: str) -> httpx.Response:
    """Somebody lets the applicant of a request in."""
    return await by.put(f"/join-requests/{request}/decision", {"outcome": "accepted"})


async def test_a_restricted_community_takes_only_the_verified(api: Api) -> None:
    """Nobody can be verified for a community before it is there: they ask to join, by that."""
    staff, proposal = await api.staff(), await opened(api)
    await api.work_off()
    judges = REMOTE | {"eligible_occupations": ["judge"]}
    ok(await decide(staff, proposal, ACCEPTED | {"community": judges}))
    assert ok(await staff.get("/communities/remote-courts"))["member_count"] == 0
    waiting = ok(await staff.get("/communities/remote-courts/join-requests"))["items"]
    assert [(one["email"], one["origin"], one["status"]) for one in waiting] == [
        (NOOR, "proposal", "pending")
    ]
    request = waiting[0]["id"]
    link = token_in(mail_to(await api.work_off(), NOOR))
    assert ok(await read(api, request, link))["status"] == "pending"
    assert code(await accept(staff, request), 409) == "eligibility.not_verified"
    judge = {"occupation_code": "judge", "join_request_id": request}
    path = "/communities/remote-courts/eligibility-verifications"
    verification = ok(await staff.post(path, judge), 201)["id"]
    path = f"/eligibility-verifications/{verification}/decision"
    yes = {"outcome": "confirmed", "basis": "The public list.", "until_on": day(365)}
    ok(await staff.put(path, yes))
    assert ok(await accept(staff, request))["rules_version"] == 1
    assert ok(await staff.get("/communities/remote-courts"))["member_count"] == 1


async def test_a_community_that_begins_hidden_is_not_shown_by_its_proposal(api: Api) -> None:
    staff, proposal = (
        await api.staff(),
        await opened(api, proposer=PERSON | {"wishes_to_belong": False}),
    )
    await api.work_off()
    hidden = ACCEPTED | {"community": REMOTE | {"listed": False, "slug": "the-hidden-one"}}
    assert ok(await decide(staff, proposal, hidden))["community"]["slug"] == "the-hidden-one"
    assert (await api.get(f"{PROPOSALS}/{proposal}")).status_code == 404
    assert REMOTE["name"]["fr"] not in text_of(mail_to(await api.work_off(), NOOR))


async def test_a_deactivated_account_does_not_become_a_member_and_stops_nobody(api: Api) -> None:
    staff, proposal = await api.staff(), await opened(api)
    mary = await api.member("Mary Member")
    ok(await support(mary, proposal, email=mary.email), 202)
    assert (await staff.put(f"/people/{mary.id}/deactivation")).status_code == 204
    await api.work_off()
    ok(await decide(staff, proposal, ACCEPTED))
    assert ok(await staff.get("/communities/remote-courts"))["member_count"] == 1
    assert "n'est pas actif" in text_of(mail_to(await api.work_off(), mary.email))


async def test_those_who_decide_are_told_that_a_proposal_waits(api: Api) -> None:
    staff, former = await api.staff(), await api.person("Fiona Former")
    await api.hold(former, "president", None, starts=-400, ends=-1)
    await opened(api)
    told_of = [mail for mail in await api.work_off() if mail["To"] != NOOR]
    assert [mail["To"] for mail in told_of] == [staff.email]
    assert "Remote Courts" in text_of(told_of[0]) and former.email not in told_of[0]["To"]


# What is not kept


async def test_what_nobody_confirmed_and_what_was_closed_is_erased_in_time(api: Api) -> None:
    staff, proposal = await api.staff(), await opened(api)
    await supported(api, proposal)
    link = await supported(api, proposal, "left@example.org")
    path = f"{PROPOSALS}/{proposal}/support"
    assert (await api.call("DELETE", path, **with_link(link))).status_code == 204
    ok(await support(api, proposal, email="unproven@example.org"), 202)
    ok(await from_address(api, "nobody@example.org"), 202)
    ok(await decide(staff, proposal, DECLINED))

    async def left(days: int) -> tuple[int, ...]:
        with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
            async with api.database.work() as work:
                await retention.erase(work)
        tables = (CommunityProposal, ProposalSupporter, ProposalLink)
        counts = [await api.read(sa.select(sa.func.count()).select_from(one)) for one in tables]
        return tuple(rows[0][0] for rows in counts)

    assert await left(0) == (2, 5, 3)
    assert await left(8) == (1, 3, 3)
    assert await left(31) == (1, 2, 2)
    assert await left(729) == (1, 2, 0)
    assert await left(731) == (0, 0, 0)
