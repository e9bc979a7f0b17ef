"""Voting: who may, once, and without a trace of what."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.models import Election, IdempotencyKey, Membership, Urn, Voter, metadata
from app.services.elections import TIMETABLE
from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, PASSWORD, Api, Someone
from tests.crowds import Doors, at_once, outcomes
from tests.polling import LAST_VOTE, NOMINATING, VOTING, Poll, contest, crowd, election
from tests.processes import eventually, serving

RANKED = "single_transferable_vote"


async def poll_of_two(api: Api, **changed: Any) -> tuple[Poll, list[str], list[Someone]]:
    """An election in which Mary and Olga stand for chair: it, their nominations, and they."""
    people = [await api.member("Mary Member"), await api.member("Olga Other")]
    poll = await Poll.opened(api, contest(**changed))
    return poll, [await poll.stands(one) for one in people], people


async def urn(api: Api, poll: Poll, number: int = 0) -> list[Any]:
    """What lies in the urn of a contest."""
    wanted = col(Urn.contest_id) == UUID(poll.contests[number])
    ((ballots,),) = await api.read(sa.select(Urn.ballots).where(wanted))
    return ballots


async def voted(api: Api) -> int:
    ((count,),) = await api.read(sa.select(sa.func.count()).where(col(Voter.voted)))
    return count


# Who votes


async def test_everybody_who_could_vote_at_the_first_moment_is_on_the_roll(api: Api) -> None:
    poll, names, (mary, olga) = await poll_of_two(api)
    left, paused, back, staff = (
        await api.member("Leo Left"),
        await api.member("Paula Paused"),
        await api.member("Bea Back"),
        await api.staff(),
    )
    first_moment = clock.start_of(poll.opened_on + timedelta(days=VOTING))
    hour = timedelta(hours=1)
    before, after = first_moment - hour, first_moment + hour
    for someone, ended_at in ((left, before), (back, after)):
        membership_id = someone.memberships[DTC]
        await api.change(Membership, membership_id, ended_at=ended_at, ending="left")
    with poll.on(VOTING - 1, staff):
        until = {"until_on": (clock.today() + timedelta(days=9)).isoformat(), "reason": "Rest."}
        ok(await staff.put(f"/memberships/{paused.memberships[DTC]}/suspension", until))
    with poll.on(VOTING, mary, olga, paused):
        newcomer = await api.member("Nina Newcomer")
        refused = await poll.vote(newcomer, names[:1])
        assert code(refused, 403) == "election.not_on_roll"
        own = ok(await newcomer.get(poll.path))
        assert own["own_vote"] == {"on_roll": False, "voted": False}
        assert "cast_ballot" not in own["viewer"]["can"]
        assert code(await poll.vote(paused, names[:1]), 404) == "not_found"
        ok(await poll.vote(mary, names[:1]), 201)
        assert ok(await mary.get(poll.path))["own_vote"] == {"on_roll": True, "voted": True}
        roll = ok(await poll.manager.get(f"{poll.path}/roll"))["items"]
        assert {one["person"]["name"]: one["voted"] for one in roll} == {
            "Bea Back": False,  # who left an hour later
            "Mary Member": True,
            "Olga Other": False,
            "Sonia Secretary": False,
        }
        assert because(await olga.get(f"{poll.path}/roll")) == ["position_required"]


async def test_the_roll_is_the_same_before_and_after_it_is_written_down(api: Api) -> None:
    poll, _, (mary, olga) = await poll_of_two(api)
    with poll.on(VOTING, mary, olga):
        before = [ok(await one.get(poll.path)) for one in (mary, olga)]
        ok(await poll.manager.get(f"{poll.path}/roll"))
        after = [ok(await one.get(poll.path)) for one in (mary, olga)]
    for found in (*before, *after):
        assert found["turnout"] == {"roll": 3, "cast": 0, "quorum_met": True}
        assert found["own_vote"] == {"on_roll": True, "voted": False}
        assert "cast_ballot" in found["viewer"]["can"]


async def test_voting_needs_the_agreement_and_being_on_the_roll_does_not(api: Api) -> None:
    poll, names, _ = await poll_of_two(api)
    olaf = await api.member("Olaf Outdated", agreed=False)
    with poll.on(VOTING, olaf):
        assert code(await poll.vote(olaf, names[:1]), 403) == "rules.agreement_required"
        assert ok(await olaf.get(poll.path))["own_vote"]["on_roll"]
        ok(await olaf.post("/me/agreements", {"version": 1}), 201)
        ok(await poll.vote(olaf, names[:1]), 201)


async def test_a_table_that_changed_after_the_first_moment_changes_no_roll(api: Api) -> None:
    poll, _, _ = await poll_of_two(api)
    with poll.on(VOTING):
        async with api.database.work() as work:
            await work.execute(
                sa.text('DELETE FROM "grant" WHERE capability = :what AND grantee = :whose'),
                {"what": "elections:vote", "whose": "member"},
            )
            activity = {"added": [], "removed": ["member"]}
            await work.execute(
                sa.insert(metadata.tables["activity"]).values(
                    id=UUID(int=clock.now().microsecond + 1),
                    kind="grant.changed",
                    occurred_at=clock.now(),
                    actor_kind="system",
                    subject_kind="grant",
                    subject_id="elections:vote",
                    facts=activity,
                )
            )
        assert ok(await poll.manager.get(poll.path))["turnout"]["roll"] == 3


# Once


async def test_each_voter_has_one_vote(api: Api) -> None:
    poll, names, (mary, _) = await poll_of_two(api)
    with poll.on(VOTING, mary):
        async with leaves(api, ("ballot.cast", mary)):
            assert ok(await poll.vote(mary, names[:1]), 201) == {
                "election_id": poll.id,
                "voted": True,
            }
    with poll.on(LAST_VOTE, mary, hours=23.999):
        async with leaves(api):
            assert code(await poll.vote(mary, names[1:]), 409) == "ballot.already_cast"
    assert await urn(api, poll) == [[names[:1], 1]]


async def test_sixteen_ballots_of_one_voter_at_once_are_one_vote(api: Api) -> None:
    poll, names, (mary, _) = await poll_of_two(api)
    async with Doors.to(api) as doors:
        with poll.on(VOTING, mary):
            answers = await at_once(
                poll.vote(doors.at(mary, number), names[number % 2 :][:1]) for number in range(16)
            )
    assert outcomes(answers) == {201: 1, (409, "ballot.already_cast"): 15}
    assert sum(number for _, number in await urn(api, poll)) == 1
    assert await voted(api) == 1


async def test_sixteen_voters_at_once_lose_no_vote(api: Api) -> None:
    poll, names, _ = await poll_of_two(api)
    voters = await crowd(api, 16)
    async with Doors.to(api) as doors:
        with poll.on(VOTING, *voters):
            answers = await at_once(
                poll.vote(doors.at(voter, number), names[number % 2 :][:1])
                for number, voter in enumerate(voters)
            )
    assert outcomes(answers) == {201: 16}
    assert await urn(api, poll) == [[names[:1], 8], [names[1:], 8]]
    assert await voted(api) == 16


# What a ballot can say


@pytest.mark.parametrize("method", ["plurality", "approval", RANKED])
async def test_a_blank_vote_is_a_vote(api: Api, method: str) -> None:
    poll, _, (mary, _) = await poll_of_two(api, method=method)
    await poll.votes([(mary, [[]])])
    assert await urn(api, poll) == [[[], 1]]


async def test_only_a_ranking_keeps_the_order_in_which_it_was_filled_in(api: Api) -> None:
    people = [await api.member("Mary Member"), await api.member("Olga Other")]
    two = [contest(method="approval"), contest(position="vice_chair", method=RANKED)]
    poll = await Poll.opened(api, *two, acclamation=False)
    others = [await api.member("Vera Vice"), await api.member("Viola Vice")]
    approved = [await poll.stands(one) for one in people]
    ranked = [await poll.stands(one, 1) for one in others]
    await poll.votes([(people[0], [approved[::-1], ranked[::-1]])])
    assert await urn(api, poll, 0) == [[approved, 1]]
    assert await urn(api, poll, 1) == [[ranked[::-1], 1]]


async def test_a_ballot_that_cannot_be_read_says_where_and_not_what(api: Api) -> None:
    poll, names, (mary, _) = await poll_of_two(api)
    foreign = (await contests_elsewhere(api))[0]
    choice, at = {"contest_id": poll.contests[0], "nominations": names[:1]}, "/choices/0"
    for choices, expected in (
        ([choice | {"nominations": names}], (f"{at}/nominations", "one_only")),
        ([choice | {"nominations": names[:1] * 2}], (f"{at}/nominations", "duplicate")),
        ([choice | {"nominations": [foreign]}], (f"{at}/nominations", "not_known")),
        ([choice | {"contest_id": foreign}], (f"{at}/contest_id", "not_known")),
        ([choice, choice], ("/choices/1/contest_id", "duplicate")),
        ([], ("/choices", "too_few")),
    ):
        with poll.on(VOTING, mary):
            answer = await mary.post(f"{poll.path}/ballots", {"choices": choices})
        assert wrong(answer) == [expected]
        assert not any(name in answer.text for name in (*names, foreign))
    assert await voted(api) == 0


async def contests_elsewhere(api: Api) -> list[str]:
    """The ids of another election's contests."""
    staff = await api.staff()
    body = {"position": "vice_chair", "method": "approval"}
    path = f"/communities/{DTC}/elections"
    opened = ok(await staff.post(path, election(contest(**body))), 201)
    return [one["id"] for one in opened["contests"]]


async def test_a_ballot_has_a_choice_for_each_contest_that_is_voted_on(api: Api) -> None:
    mary, olga, vera = [await api.member(name) for name in ("Mary", "Olga", "Vera Vice")]
    poll = await Poll.opened(api, contest(), contest(position="vice_chair"))
    names = [await poll.stands(mary), await poll.stands(olga)]
    sole = await poll.stands(vera, 1)  # by acclamation
    with poll.on(VOTING, mary):
        assert wrong(await poll.vote(mary, names[:1], [sole])) == [
            ("/choices/1/contest_id", "not_known")
        ]
        choice = {"contest_id": poll.contests[0], "nominations": names[:1]}
        ok(await mary.post(f"{poll.path}/ballots", {"choices": [choice]}), 201)


# Without a trace


async def everything(api: Api) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    found = {}
    for name, table in metadata.tables.items():
        rows = await api.read(sa.select(*table.columns))
        found[name] = sorted(json.dumps(row._asdict(), default=str) for row in rows)
    return found


async def test_nothing_anywhere_links_a_voter_to_a_vote(api: Api) -> None:
    poll, names, (mary, olga) = await poll_of_two(api, method=RANKED)
    with poll.on(VOTING, mary, olga):
        ok(await poll.manager.get(f"{poll.path}/roll"))
        before = await everything(api)
        key = {"Idempotency-Key": "the-vote-of-mary"}
        ok(await poll.vote(mary, names, headers=key), 201)
        ok(await poll.vote(olga, names[::-1]), 201)
        after = await everything(api)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"activity", "idempotency_key", "urn", "voter"}
    assert await urn(api, poll) == sorted([[names, 1], [names[::-1], 1]])
    for name in ("activity", "idempotency_key", "voter"):
        new = "".join(row for row in after[name] if row not in before[name])
        assert not any(nomination in new for nomination in names), name
    for row in after["urn"]:
        assert not any(str(one.id) in row for one in (mary, olga)), row
        assert set(json.loads(row)) == {"contest_id", "ballots"}


async def voting_today(api: Api, poll: Poll, *voters: Someone) -> None:
    """Moves an election into the present, where a server of its own finds it."""
    today, long_ago = clock.today(), clock.now() - timedelta(days=9)
    past = {name: today - timedelta(days=2) for name in TIMETABLE[:3]}
    now = {"voting_from": today, "voting_until": today + timedelta(days=1)}
    await api.change(Election, UUID(poll.id), **past, **now)
    for voter in voters:
        await api.change(Membership, voter.memberships[DTC], created_at=long_ago)


async def test_the_server_logs_that_somebody_voted_and_not_what(api: Api, tmp_path: Path) -> None:
    poll, names, (mary, _) = await poll_of_two(api)
    await voting_today(api, poll, mary)
    credentials = {"grant_type": "password", "username": mary.email, "password": PASSWORD}
    async with serving(api.database.url, tmp_path / "log", "--no-worker") as server:
        signed_in = ok(await server.client.post("/api/v1/auth/tokens", json=credentials))
        bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
        for wanted, expected in ((names * 2, 422), (names[:1], 201), (names[1:], 409)):
            choices = [{"contest_id": poll.contests[0], "nominations": wanted}]
            path, body = f"/api/v1{poll.path}/ballots", {"choices": choices}
            answer = await server.client.post(path, json=body, headers=bearer)
            assert answer.status_code == expected, answer.text
        said = await eventually(
            lambda: text if (text := server.process.said()).count('"cast_ballot"') == 3 else None
        )
    assert not any(name in said for name in names)


async def test_the_order_of_voting_leaves_the_same_urn(api: Api) -> None:
    poll, names, (mary, olga) = await poll_of_two(api, method=RANKED)
    await poll.votes([(olga, [names[::-1]]), (mary, [names]), (poll.manager, [[]])])
    assert await urn(api, poll) == [[[], 1], *sorted([[names, 1], [names[::-1], 1]])]


async def test_a_retry_is_answered_as_the_first_time_whatever_it_says(api: Api) -> None:
    poll, names, (mary, olga) = await poll_of_two(api)
    key = {"Idempotency-Key": "my-only-vote"}
    with poll.on(VOTING, mary, olga):
        first = await poll.vote(mary, names[:1], headers=key)
        again, other = [await poll.vote(mary, [name], headers=key) for name in names]
        ok(await poll.vote(olga, names[1:], headers=key), 201)
    assert [answer.status_code for answer in (first, again, other)] == [201, 201, 201]
    assert other.headers["idempotent-replayed"] == "true"
    assert other.content == first.content
    assert await urn(api, poll) == [[names[:1], 1], [names[1:], 1]]
    hashes = {row.request_hash for row in await api.read(sa.select(IdempotencyKey.request_hash))}
    assert len(hashes) == 1  # the same, whatever was voted


async def test_a_ballot_is_refused_before_nominations_have_ended(api: Api) -> None:
    poll, names, (mary, _) = await poll_of_two(api)
    with poll.on(NOMINATING, mary):
        assert code(await poll.vote(mary, names[:1]), 409) == "election.wrong_phase"
    assert await voted(api) == 0
