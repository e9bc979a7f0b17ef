"""Elections: opened, followed by the calendar, changed before they begin, called off."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import col

from app import clock
from app.models import Activity, Community
from app.services import election_announcements
from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, Api, Someone, day, mail_to, text_of, unknown_id
from tests.polling import (
    ACCEPTING,
    AFTER,
    LAST_VOTE,
    NOMINATING,
    OPENED,
    TERM,
    VOTING,
    Poll,
    contest,
    crowd,
    elected,
    election,
)

ELECTIONS = f"/communities/{DTC}/elections"
REASON = {"reason": "The hall burned down."}


async def announced(api: Api) -> int:
    """What the worker says of the calendar."""
    async with api.database.work() as work:
        return await election_announcements.announce(work)


# From beginning to end


async def test_a_whole_election_from_nominations_to_the_new_chair_at_midnight(api: Api) -> None:
    mary, olga = await api.member("Mary Member"), await api.member("Olga Other")
    voters = await crowd(api, 10)
    poll = await Poll.opened(api)
    for_mary, for_olga = await poll.stands(mary), await poll.stands(olga)
    await poll.votes(
        [(voter, [[for_mary]]) for voter in voters[:6]]
        + [(voter, [[for_olga]]) for voter in voters[6:]]
    )
    with poll.on(AFTER, mary):
        assert await poll.phase() == "counting"
        assert elected(await poll.result()) == ["Mary Member"]
        async with leaves(
            api, ("election.certified", poll.manager), ("term.planned", poll.manager)
        ):
            assert ok(await poll.certify())["phase"] == "certified"
        terms = ok(await mary.get(f"/communities/{DTC}/terms"))["items"]
        (term,) = [one for one in terms if one["position"] == "chair"]
        assert (term["person"]["name"], term["basis"]) == ("Mary Member", "election")
    queue = f"/communities/{DTC}/review-queue"
    with poll.on(TERM - 1, mary, hours=23.999):
        assert (await mary.get(queue)).status_code == 403
    with poll.on(TERM, mary, hours=0):
        assert (await mary.get(queue)).status_code == 200


async def test_half_of_the_seats_change_hands_in_a_staggered_election(api: Api) -> None:
    stays = [await api.leader(f"Sitting {n}", "member_at_large", ends=500) for n in (1, 2)]
    candidates = [await api.member(f"Candidate {name}") for name in "ABCD"]
    voters = await crowd(api, 12)
    poll = await Poll.opened(
        api,
        contest(
            position="member_at_large",
            seats=2,
            seat_numbers=[3, 4],
            method="single_transferable_vote",
        ),
    )
    a, b, c, d = [await poll.stands(one) for one in candidates]
    papers = [[a, b]] * 6 + [[c, d]] * 4 + [[d, c], []]
    await poll.votes([(voter, [paper]) for voter, paper in zip(voters, papers, strict=True)])
    with poll.on(AFTER):
        assert elected(await poll.result()) == ["Candidate A", "Candidate C"]
        ok(await poll.certify())
    with poll.on(TERM, *stays):
        seats = ok(await api.get(f"/communities/{DTC}/leadership"))["seats"]
        held = {
            seat["seat"]: seat["holder"]["person"]["name"]
            for seat in seats
            if seat["position"] == "member_at_large"
        }
        assert held == {1: "Sitting 1", 2: "Sitting 2", 3: "Candidate A", 4: "Candidate C"}


# Opening


async def test_a_secretary_opens_an_election_and_a_chair_does_not(api: Api) -> None:
    sonia, carla = await api.leader("Sonia Sec", "secretary"), await api.leader("Carla", "chair")
    body = election(contest(position="vice_chair"))
    assert because(await carla.post(ELECTIONS, body)) == ["position_required"]
    async with leaves(api, ("election.opened", sonia)):
        opened = ok(await sonia.post(ELECTIONS, body), 201)
    assert opened["phase"] == "planned"
    assert len(opened["lot_commitment"]) == 64
    assert {"update_election", "cancel_election"} <= set(opened["viewer"]["can"])
    listed = ok(await carla.get(ELECTIONS))["items"]
    assert [one["id"] for one in listed] == [opened["id"]]
    assert listed[0]["viewer"] == {"can": []}


@pytest.mark.parametrize(
    ("changed", "where", "what"),
    [
        ({"nominations_from": -1}, "/nominations_from", "day_in_the_past"),
        ({"nominations_until": 0}, "/nominations_until", "day_out_of_order"),
        ({"acceptance_until": 1}, "/acceptance_until", "day_out_of_order"),
        ({"voting_from": ACCEPTING}, "/voting_from", "day_out_of_order"),
        ({"voting_until": VOTING - 1}, "/voting_until", "day_out_of_order"),
        ({"voting_until": 800}, "/voting_until", "day_too_far"),
    ],
)
async def test_a_timetable_follows_the_calendar(
    sqlite_api: Api, changed: dict[str, int], where: str, what: str
) -> None:
    sonia = await sqlite_api.leader("Sonia Secretary", "secretary")
    days = {name: day(offset) for name, offset in changed.items()}
    body = election(contest(starts_on=day(900), ends_on=day(1000)), **days)
    assert (where, what) in wrong(await sonia.post(ELECTIONS, body))


@pytest.mark.parametrize(
    ("changed", "where", "what"),
    [
        ({"position": "staff"}, "/position", "not_known"),
        ({"position": "captain"}, "/position", "not_known"),
        ({"position": "member_at_large", "seats": 2}, "/method", "one_seat_only"),
        ({"seat_numbers": [1, 2]}, "/seat_numbers", "seats_differ"),
        (
            {"seats": 2, "method": "approval", "seat_numbers": [1, 1]},
            "/seat_numbers",
            "duplicate",
        ),
    ],
)
async def test_a_contest_is_for_seats_that_there_are(
    sqlite_api: Api, changed: dict[str, Any], where: str, what: str
) -> None:
    sonia = await sqlite_api.leader("Sonia Secretary", "secretary")
    answer = await sonia.post(ELECTIONS, election(contest(**changed)))
    assert wrong(answer) == [(f"/contests/0{where}", what)]


async def test_terms_begin_after_voting_and_in_seats_that_are_free_then(api: Api) -> None:
    sonia = await api.leader("Sonia Secretary", "secretary")
    await api.leader("Carla Chair", "chair", ends=TERM)
    early = election(contest(starts_on=day(LAST_VOTE)))
    assert wrong(await sonia.post(ELECTIONS, early)) == [
        ("/contests/0/starts_on", "day_out_of_order")
    ]
    assert code(await sonia.post(ELECTIONS, election(contest())), 409) == "term.seat_taken"
    both = [contest(starts_on=day(TERM + 1))] * 2
    assert code(await sonia.post(ELECTIONS, election(*both)), 409) == "term.seat_taken"
    ok(await sonia.post(ELECTIONS, election(both[0])), 201)


async def test_nothing_is_opened_in_an_archived_community(api: Api) -> None:
    sonia = await api.leader("Sonia Secretary", "secretary")
    await api.change(Community, await api.community_id(), status="archived")
    assert code(await sonia.post(ELECTIONS, election()), 409) == "community.archived"


# Phases


async def test_each_phase_begins_and_ends_at_midnight_of_the_association(api: Api) -> None:
    mary, olga = await api.member("Mary Member"), await api.member("Olga Other")
    poll = await Poll.opened(api)
    for candidate in (mary, olga):
        await poll.stands(candidate)
    phases = (
        (OPENED, "planned"),
        (NOMINATING, "nominations"),
        (NOMINATING + 2, "acceptance"),
        (ACCEPTING + 1, "campaign"),
        (VOTING, "voting"),
        (LAST_VOTE + 1, "counting"),
    )
    for (_, before), (first_day, phase) in pairwise(phases):
        begins = clock.start_of(poll.opened_on + timedelta(days=first_day))
        for moment, expected in ((begins - timedelta(microseconds=1), before), (begins, phase)):
            with poll.on(first_day), time_machine.travel(moment, tick=False):
                assert await poll.phase() == expected, moment


async def test_what_is_done_belongs_to_its_phase(api: Api) -> None:
    mary, olga, vera = [await api.member(name) for name in ("Mary", "Olga", "Vera Voter")]
    poll = await Poll.opened(api)
    early = await poll.nominate(mary)
    assert code(early, 409) == "election.wrong_phase"
    assert early.json()["phase"] == "planned"
    names = [await poll.stands(mary), await poll.stands(olga)]
    with poll.on(NOMINATING, vera):
        assert code(await poll.vote(vera, names[:1]), 409) == "election.wrong_phase"
        assert code(await poll.manager.get(f"{poll.path}/roll"), 409) == "election.wrong_phase"
    with poll.on(ACCEPTING, vera):
        assert code(await poll.nominate(vera), 409) == "election.wrong_phase"
    with poll.on(VOTING, vera):
        assert code(await poll.certify(), 409) == "election.wrong_phase"
        assert code(await poll.manager.get(f"{poll.path}/result"), 409) == "election.wrong_phase"
        ok(await poll.vote(vera, names[:1]), 201)
    with poll.on(AFTER, mary):
        assert code(await poll.vote(mary, names[:1]), 409) == "election.wrong_phase"


async def test_with_no_more_candidates_than_seats_there_is_no_ballot(api: Api) -> None:
    mary = await api.member("Mary Member")
    poll = await Poll.opened(api, quorum=100)
    await poll.stands(mary)
    with poll.on(VOTING, mary):
        found = ok(await poll.manager.get(poll.path))
        assert (found["phase"], found["turnout"]) == ("counting", None)
        assert found["contests"][0]["ballot"] is False
        (outcome,) = (await poll.result())["contests"]
        assert outcome["by_acclamation"]
        ok(await poll.certify())
    with poll.on(TERM, mary):
        assert (await mary.get(f"/communities/{DTC}/review-queue")).status_code == 200


async def test_without_acclamation_a_single_candidate_is_voted_on(api: Api) -> None:
    mary, vera = await api.member("Mary Member"), await api.member("Vera Voter")
    poll = await Poll.opened(api, acclamation=False)
    await poll.stands(mary)
    await poll.votes([(vera, [[]])])
    with poll.on(AFTER):
        (outcome,) = (await poll.result())["contests"]
        assert (outcome["elected"], outcome["vacant_seats"]) == ([], 1)


async def test_an_election_without_candidates_has_failed(api: Api) -> None:
    poll = await Poll.opened(api)
    with poll.on(VOTING):
        assert await poll.phase() == "failed"
        assert code(await poll.certify(), 409) == "election.wrong_phase"


@pytest.mark.parametrize(("quorum", "phase"), [(40, "counting"), (41, "failed")])
async def test_an_election_with_too_few_votes_has_failed(api: Api, quorum: int, phase: str) -> None:
    voters = await crowd(api, 4)  # and the secretary: two of five are 40 percent
    poll = await Poll.opened(api, quorum=quorum)
    names = [await poll.stands(one) for one in voters[:2]]
    await poll.votes([(one, [names[:1]]) for one in voters[:2]])
    with poll.on(AFTER):
        found = ok(await poll.manager.get(poll.path))
        assert found["phase"] == phase
        met = phase == "counting"
        assert found["turnout"] == {"roll": 5, "cast": 2, "quorum_met": met}
        assert (await poll.certify()).status_code == (200 if met else 409)


# Changing and calling off


async def test_an_election_changes_until_nominations_begin(api: Api) -> None:
    poll = await Poll.opened(api)
    later = {"voting_until": day(LAST_VOTE + 2), "quorum": 30}
    stale = {"If-Match": (await poll.manager.get(poll.path)).headers["etag"]}
    async with leaves(api, ("election.updated", poll.manager)):
        changed = ok(await poll.manager.patch(poll.path, later))
    assert (changed["quorum"], changed["voting_until"]) == (30, later["voting_until"])
    answer = await poll.manager.patch(poll.path, {"quorum": 20}, headers=stale)
    assert code(answer, 412) == "precondition.failed"
    answer = await poll.manager.patch(poll.path, {"quorum": 20}, headers={})
    assert code(answer, 428) == "precondition.required"
    assert wrong(await poll.manager.patch(poll.path, {"voting_until": day(VOTING - 1)})) == [
        ("/voting_until", "day_out_of_order")
    ]
    vice = contest(position="vice_chair", method="approval")
    (one,) = ok(await poll.manager.patch(poll.path, {"contests": [vice]}))["contests"]
    assert (one["position"], one["method"]) == ("vice_chair", "approval")
    with poll.on(NOMINATING):
        answer = await poll.manager.patch(poll.path, {"quorum": 50})
        assert code(answer, 409) == "election.wrong_phase"


async def test_a_voting_day_cannot_be_moved_behind_the_beginning_of_the_terms(api: Api) -> None:
    poll = await Poll.opened(api)
    answer = await poll.manager.patch(poll.path, {"voting_until": day(TERM)})
    assert wrong(answer) == [("/contests/0/starts_on", "day_out_of_order")]


async def test_an_election_is_called_off_for_a_reason_that_everybody_reads(api: Api) -> None:
    mary = await api.member("Mary Member")
    poll = await Poll.opened(api)
    await poll.stands(mary)
    with poll.on(NOMINATING, mary):
        assert because(await mary.put(f"{poll.path}/cancellation", REASON)) == ["position_required"]
        async with leaves(api, ("election.cancelled", poll.manager)):
            ok(await poll.manager.put(f"{poll.path}/cancellation", REASON))
        found = ok(await mary.get(poll.path))
        assert (found["phase"], found["cancelled"]["reason"]) == ("cancelled", REASON["reason"])
        again = await poll.manager.put(f"{poll.path}/cancellation", REASON)
        assert code(again, 409) == "election.wrong_phase"
        mail = mail_to(await api.work_off(), mary.email)
        assert REASON["reason"] in text_of(mail)


async def test_whoever_stands_neither_counts_certifies_nor_calls_off(api: Api) -> None:
    staff = await api.staff()
    poll = await Poll.opened(api)
    with poll.on(NOMINATING):
        ok(await poll.nominate(poll.manager), 201)
    with poll.on(VOTING, staff):
        path = poll.path
        for refused in (
            await poll.manager.get(f"{path}/result"),
            await poll.manager.post(f"{path}/recount", REASON),
            await poll.manager.put(f"{path}/certification"),
            await poll.manager.put(f"{path}/cancellation", REASON),
        ):
            assert code(refused, 403) == "election.own_candidacy"
        assert ok(await staff.post(f"{path}/recount", REASON), 201)["agrees"]
        assert "certify_election" in ok(await staff.get(path))["viewer"]["can"]
        assert "certify_election" not in ok(await poll.manager.get(path))["viewer"]["can"]


# Who sees it


async def test_elections_are_for_members_and_the_result_for_everybody(api: Api) -> None:
    mary, stranger = await api.member("Mary Member"), await api.person("Stan Stranger")
    poll = await Poll.opened(api)
    await poll.stands(mary)
    with poll.on(VOTING, mary, stranger):
        ok(await mary.get(poll.path))
        assert code(await stranger.get(poll.path), 404) == "not_found"
        assert because(await stranger.get(ELECTIONS)) == ["membership_required"]
        for reader in (mary, stranger):
            answer = await reader.get(f"{poll.path}/result")
            assert code(answer, 409) == "election.not_certified"
        ok(await poll.certify())
        assert elected(ok(await api.get(f"{poll.path}/result"))) == ["Mary Member"]


async def test_nobody_outside_a_restricted_community_learns_of_its_elections(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    poll = await Poll.opened(api)
    await poll.stands(mary)
    await api.change(Community, await api.community_id(), eligible_occupations=["judge"])
    with poll.on(NOMINATING, staff):
        for method, path in (
            ("GET", ELECTIONS),
            ("GET", poll.path),
            ("GET", f"{poll.path}/nominations"),
            ("GET", f"{poll.path}/result"),
            ("GET", f"{poll.path}/roll"),
            ("PUT", f"{poll.path}/certification"),
        ):
            hidden = await staff.call(method, path)
            assert code(hidden, 404) == "not_found", path
        unknown = await staff.get(f"/elections/{unknown_id()}")
        assert code(unknown, 404) == "not_found"
        assert code(await staff.post(ELECTIONS, election()), 404) == "not_found"


# What the calendar says


async def said(api: Api) -> list[str]:
    kinds = sa.select(col(Activity.kind)).where(col(Activity.kind).like("election.voting%"))
    return [row.kind for row in await api.read(kinds.order_by(col(Activity.id)))]


async def test_the_calendar_is_announced_once_and_mailed_to_those_concerned(api: Api) -> None:
    mary, olga, vera = [await api.member(name) for name in ("Mary", "Olga", "Vera Voter")]
    poll = await Poll.opened(api)
    names = [await poll.stands(mary), await poll.stands(olga)]
    await api.work_off()
    with poll.on(VOTING, vera):
        assert (await announced(api), await announced(api)) == (1, 0)
        ok(await poll.vote(vera, names[:1]), 201)
        told = {mail["To"] for mail in await api.work_off()}
        assert not any(vera.email in address for address in told)  # has voted by now
        assert len(told) == 3
    with poll.on(LAST_VOTE):
        assert (await announced(api), await announced(api)) == (1, 0)
        assert len(await api.work_off()) == 3
    with poll.on(AFTER):
        assert (await announced(api), await announced(api)) == (1, 0)
        text = text_of(mail_to(await api.work_off(), poll.manager.email))
        assert "certified" in text
        ok(await poll.certify())
        assert {mail["Subject"] for mail in await api.work_off()} >= {
            "The result is certified: Election of the year"
        }
    assert await said(api) == [
        "election.voting_began",
        "election.voting_closing",
        "election.voting_ended",
    ]


async def test_a_server_that_was_down_says_afterwards_what_happened(api: Api) -> None:
    mary, olga = await api.member("Mary Member"), await api.member("Olga Other")
    poll = await Poll.opened(api, quorum=50)
    for candidate in (mary, olga):
        await poll.stands(candidate)
    await api.work_off()
    with poll.on(AFTER + 3):
        assert await announced(api) == 2
        mails = await api.work_off()
    assert await said(api) == ["election.voting_began", "election.voting_ended"]
    assert "failed" in text_of(mail_to(mails, mary.email))


async def test_an_election_without_a_ballot_is_announced_as_one(api: Api) -> None:
    mary = await api.member("Mary Member")
    poll = await Poll.opened(api)
    await poll.stands(mary)
    await api.work_off()
    with poll.on(VOTING):
        assert (await announced(api), await announced(api)) == (1, 0)
        assert "There is no ballot" in text_of(mail_to(await api.work_off(), mary.email))


async def names_on_lists(someone: Someone, path: str) -> list[str]:
    return [one["person"]["name"] for one in ok(await someone.get(path))["items"]]


async def test_the_roll_is_announced_with_voting_and_stays_as_it_was(api: Api) -> None:
    mary, olga = await api.member("Mary Member"), await api.member("Olga Other")
    poll = await Poll.opened(api)
    for candidate in (mary, olga):
        await poll.stands(candidate)
    with poll.on(VOTING):
        await announced(api)
        await api.ended_membership(olga)
        names = await names_on_lists(poll.manager, f"{poll.path}/roll")
    assert sorted(names) == ["Mary Member", "Olga Other", "Sonia Secretary"]
