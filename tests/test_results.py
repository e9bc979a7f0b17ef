"""Counting, hiding what would tell a vote, and what certification does."""

import hashlib
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.models import Election, Term, Urn
from tests.answers import because, code, leaves, ok
from tests.cast import DTC, Api, Someone
from tests.crowds import Doors, at_once, outcomes
from tests.polling import AFTER, LAST_VOTE, TERM, VOTING, Poll, contest, crowd, elected

RANKED = "single_transferable_vote"
REASON = {"reason": "It was close."}


async def candidates(api: Api, poll: Poll, *names: str) -> tuple[list[Someone], list[str]]:
    people = [await api.member(name) for name in names]
    return people, [await poll.stands(one) for one in people]


async def voted(api: Api, poll: Poll, *papers: tuple[list[str], int]) -> None:
    """So many ballots that say so in the only contest."""
    spread = [paper for paper, number in papers for _ in range(number)]
    voters = await crowd(api, len(spread))
    await poll.votes([(voter, [paper]) for voter, paper in zip(voters, spread, strict=True)])


async def terms_recorded(api: Api) -> int:
    counted = sa.select(sa.func.count()).where(col(Term.election_id).is_not(None))
    ((count,),) = await api.read(counted)
    return count


async def tied(api: Api, rule: str, **changed: Any) -> tuple[Poll, list[Someone], list[str]]:
    """An election in which Mary and Olga have six votes each."""
    people = [await api.member(name) for name in ("Mary Member", "Olga Other")]
    voters = await crowd(api, 12)
    poll = await Poll.opened(api, contest(**changed), tie_rule=rule)
    names = [await poll.stands(one) for one in people]
    papers = [names[number % 2 :][:1] for number in range(12)]
    await poll.votes([(voter, [paper]) for voter, paper in zip(voters, papers, strict=True)])
    return poll, people, names


# What is shown


async def test_a_transferable_vote_is_published_stage_by_stage(api: Api) -> None:
    members = [await api.member(f"Voter {number}") for number in range(13)]
    poll = await Poll.opened(
        api, contest(position="member_at_large", seats=2, method=RANKED), quorum=10
    )
    _, (a, b, c) = await candidates(api, poll, "Anna", "Bela", "Cora")
    papers = [[a, b]] * 7 + [[b]] * 2 + [[c]] * 3 + [[]]
    await poll.votes([(one, [paper]) for one, paper in zip(members, papers, strict=True)])
    with poll.on(AFTER):
        result = await poll.result()
        (outcome,) = result["contests"]
        assert elected(result) == ["Anna", "Bela"]
        numbers = outcome["numbers"]
        assert (numbers["valid"], numbers["blank"], numbers["quota"]) == (12, 1, 5)
        assert [(stage["act"], stage["nomination_id"]) for stage in numbers["stages"]] == [
            ("first_preferences", None),
            ("surplus", a),
            ("exclusion", c),
        ]
        votes = {one["nomination_id"]: one["votes"] for one in numbers["stages"][1]["votes"]}
        assert votes == {a: "5", b: "4", c: "3"}
        assert result["turnout"] == {"roll": 17, "cast": 13, "quorum_met": True}


@pytest.mark.parametrize(
    ("for_mary", "for_olga", "hidden"),
    [(5, 4, True), (10, 0, True), (11, 1, True), (6, 4, False)],
    ids=["nine ballots", "all alike", "all but one alike", "ten ballots"],
)
async def test_numbers_that_would_tell_a_vote_are_hidden_from_everybody(
    api: Api, for_mary: int, for_olga: int, hidden: bool
) -> None:
    poll = await Poll.opened(api)
    _, names = await candidates(api, poll, "Mary Member", "Olga Other")
    await voted(api, poll, (names[:1], for_mary), (names[1:], for_olga))
    with poll.on(AFTER):
        before = await poll.result()
        ok(await poll.certify())
        published = ok(await api.get(f"{poll.path}/result"))
    for result in (before, published):
        assert elected(result) == ["Mary Member"]
        (outcome,) = result["contests"]
        assert outcome["numbers_hidden"] is hidden
        assert (outcome["numbers"] is None) is hidden


# Ties


async def test_a_lot_can_be_drawn_again_by_anybody(api: Api) -> None:
    poll, _, names = await tied(api, "lot")
    with poll.on(AFTER):
        committed = ok(await poll.manager.get(poll.path))["lot_commitment"]
        assert (await poll.result())["lot_seed"] is None
        ok(await poll.certify())
        result = ok(await api.get(f"{poll.path}/result"))
    seed = result["lot_seed"]
    assert hashlib.sha256(seed.encode()).hexdigest() == committed == result["lot_commitment"]
    drawn = min(names, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).hexdigest())
    (outcome,) = result["contests"]
    assert [one["nomination_id"] for one in outcome["elected"]] == [drawn]
    assert outcome["ties"] == [{"between": sorted(names), "chosen": drawn}]


async def test_the_longest_membership_decides_where_that_was_settled(api: Api) -> None:
    poll, (_, olga), _ = await tied(api, "longest_membership")
    async with api.database.work() as work:
        await work.execute(
            sa.text("UPDATE membership SET since_on = '2001-01-01' WHERE id = :id").bindparams(
                sa.bindparam("id", olga.memberships[DTC], type_=sa.Uuid)
            )
        )
    with poll.on(AFTER):
        assert elected(await poll.result()) == ["Olga Other"]


async def test_a_new_election_is_left_to_fill_the_seat_where_that_was_settled(api: Api) -> None:
    poll, _, names = await tied(api, "new_election")
    with poll.on(AFTER):
        (outcome,) = (await poll.result())["contests"]
        assert (outcome["elected"], outcome["vacant_seats"]) == ([], 1)
        assert outcome["ties"] == [{"between": sorted(names), "chosen": None}]
        ok(await poll.certify())
    assert await terms_recorded(api) == 0


# Counting again


async def test_a_recount_is_kept_and_agrees_unless_an_urn_was_touched(api: Api) -> None:
    poll = await Poll.opened(api)
    _, names = await candidates(api, poll, "Mary Member", "Olga Other")
    await voted(api, poll, (names[:1], 7), (names[1:], 4))
    with poll.on(AFTER):
        async with leaves(api, ("election.recounted", poll.manager)):
            assert ok(await poll.manager.post(f"{poll.path}/recount", REASON), 201)["agrees"]
        ok(await poll.certify())
        for ballots, agrees in (
            ([[names[:1], 7], [names[1:], 4]], True),
            ([[names[:1], 4], [names[1:], 7]], False),
            ([[names[:1], 7], [names[1:], 5]], False),
        ):
            async with api.database.work() as work:
                await work.execute(sa.update(Urn).values(ballots=ballots))
            again = ok(await poll.manager.post(f"{poll.path}/recount", REASON), 201)
            assert again["agrees"] is agrees, ballots
        published = ok(await api.get(f"{poll.path}/result"))
    assert [one["agrees"] for one in published["recounts"]] == [True, True, False, False]
    assert elected(published) == ["Mary Member"]


async def test_a_recount_after_a_withdrawal_is_a_count_among_others(api: Api) -> None:
    poll = await Poll.opened(api)
    (mary, _), names = await candidates(api, poll, "Mary Member", "Olga Other")
    await voted(api, poll, (names[:1], 7), (names[1:], 4))
    with poll.on(AFTER, mary):
        ok(await poll.manager.post(f"{poll.path}/recount", REASON), 201)
        ok(await mary.put(f"/nominations/{names[0]}/withdrawal", {}))
        assert ok(await poll.manager.post(f"{poll.path}/recount", REASON), 201)["agrees"]
        assert elected(await poll.result()) == ["Olga Other"]


# Certification


async def test_only_those_who_manage_elections_certify(api: Api) -> None:
    poll = await Poll.opened(api)
    (mary,), _ = await candidates(api, poll, "Mary Member")
    carla = await api.leader("Carla Chair", "chair", ends=TERM - 1)
    with poll.on(LAST_VOTE, mary, carla):
        for someone in (mary, carla):
            refused = await someone.put(f"{poll.path}/certification")
            assert because(refused) == ["position_required"]
        ok(await poll.certify())


async def test_sixteen_certifications_at_once_make_one_set_of_terms(api: Api) -> None:
    poll = await Poll.opened(api, contest(position="member_at_large", seats=4, method="approval"))
    await candidates(api, poll, "Anna", "Bela", "Cora")
    async with Doors.to(api) as doors:
        with poll.on(VOTING):
            answers = await at_once(
                doors.at(poll.manager, number).put(f"{poll.path}/certification")
                for number in range(16)
            )
    assert outcomes(answers) == {200: 1, (409, "election.wrong_phase"): 15}
    assert await terms_recorded(api) == 3


async def test_a_winner_who_cannot_hold_the_seat_is_named_and_nothing_is_certified(
    api: Api,
) -> None:
    poll = await Poll.opened(api, contest(position="member_at_large", seats=2, method="approval"))
    (anna, bela, _), (a, b, c) = await candidates(api, poll, "Anna", "Bela", "Cora")
    await voted(api, poll, ([a, b], 6), ([a], 3), ([c], 2))
    with poll.on(AFTER, anna, bela):
        assert elected(await poll.result()) == ["Anna", "Bela"]
        await api.ended_membership(bela)
        refused = await poll.certify()
        assert code(refused, 409) == "election.winner_unfit"
        assert (refused.json()["nomination_id"], refused.json()["reason"]) == (
            b,
            "term.not_a_member",
        )
        assert await terms_recorded(api) == 0
        assert await poll.phase() == "counting"
        left = {"reason": "Has left the community."}
        ok(await poll.manager.put(f"/nominations/{b}/withdrawal", left))
        assert elected(await poll.result()) == ["Anna", "Cora"]
        ok(await poll.certify())
    assert await terms_recorded(api) == 2


async def test_a_winner_with_another_seat_gives_that_up_first(api: Api) -> None:
    poll = await Poll.opened(api)
    mary = await api.leader("Mary Member", "member_at_large", ends=TERM + 100)
    await poll.stands(mary)
    with poll.on(VOTING, mary):
        refused = await poll.certify()
        assert refused.json()["reason"] == "term.person_holds_seat"
        ok(await mary.post(f"/terms/{mary.terms['member_at_large']}/resignation", {}), 201)
        ok(await poll.certify())


async def test_the_certified_result_stays_as_it_was_certified(api: Api) -> None:
    poll = await Poll.opened(api)
    (mary, _), names = await candidates(api, poll, "Mary Member", "Olga Other")
    await voted(api, poll, (names[:1], 7), (names[1:], 4))
    with poll.on(AFTER, mary):
        ok(await poll.certify())
        published = ok(await api.get(f"{poll.path}/result"))
        refused = await mary.put(f"/nominations/{names[0]}/withdrawal", {})
        assert code(refused, 409) == "election.wrong_phase"
        await api.change(Election, UUID(poll.id), tie_rule="new_election")
        assert ok(await api.get(f"{poll.path}/result")) == published
