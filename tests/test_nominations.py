"""Who stands: proposed, willing, fit, and once; and who no longer does."""

from datetime import timedelta

from app import clock
from app.models import Membership
from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, Api, mail_to, text_of
from tests.polling import (
    ACCEPTING,
    AFTER,
    NOMINATING,
    TERM,
    VOTING,
    Poll,
    contest,
    crowd,
    demanding,
    elected,
)

EXCEPTION = {"position": "chair", "reason": "Nobody else can be found."}


async def test_a_nominee_is_asked_by_mail_and_accepts_with_a_statement(api: Api) -> None:
    mary, olga = await api.member("Mary Member"), await api.member("Olga Other")
    poll = await Poll.opened(api)
    with poll.on(NOMINATING, mary, olga):
        async with leaves(api, ("nomination.made", olga)):
            answer = await poll.nominate(olga, person_id=str(mary.id))
        made = ok(answer, 201)
        assert (made["status"], made["accepted_at"]) == ("proposed", None)
        assert made["nominated_by"]["name"] == "Olga Other"
        text = text_of(mail_to(await api.work_off(), mary.email))
        assert "Olga Other has proposed you for Chair" in text
        path = f"/nominations/{made['id']}"
        words = {"statement": "I would keep it **short**.", "language": "en"}
        assert because(await olga.put(f"{path}/acceptance", words)) == ["own_only"]
        assert ok(await mary.get(path))["viewer"]["can"] == [
            "accept_nomination",
            "withdraw_nomination",
        ]
        async with leaves(api, ("nomination.accepted", mary)):
            accepted = ok(await mary.put(f"{path}/acceptance", words))
        assert (accepted["status"], accepted["statement"]) == ("accepted", words["statement"])
        assert ok(await olga.get(path))["viewer"]["can"] == []
        async with leaves(api):
            better = {"statement": "Short minutes.", "language": "en"}
            assert ok(await mary.put(f"{path}/acceptance", better))["statement"] == "Short minutes."


async def test_who_proposes_oneself_has_accepted(api: Api) -> None:
    mary = await api.member("Mary Member")
    poll = await Poll.opened(api)
    with poll.on(NOMINATING, mary):
        async with leaves(api, ("nomination.made", mary), ("nomination.accepted", mary)):
            assert ok(await poll.nominate(mary, statement="Me."), 201)["status"] == "accepted"
        assert not any(mary.email in mail["To"] for mail in await api.work_off())


async def test_only_candidates_speak_for_themselves(api: Api) -> None:
    mary, olga = await api.member("Mary Member"), await api.member("Olga Other")
    poll = await Poll.opened(api)
    with poll.on(NOMINATING, olga):
        answer = await poll.nominate(olga, person_id=str(mary.id), statement="She is great.")
        assert wrong(answer) == [("/statement", "own_words_only")]


async def test_a_nomination_that_is_not_accepted_in_time_lapses(api: Api) -> None:
    mary, olga = await api.member("Mary Member"), await api.member("Olga Other")
    poll = await Poll.opened(api)
    with poll.on(NOMINATING, olga):
        made = ok(await poll.nominate(olga, person_id=str(mary.id)), 201)
    path = f"/nominations/{made['id']}"
    with poll.on(ACCEPTING, mary, hours=23.9):
        assert "accept_nomination" in ok(await mary.get(path))["viewer"]["can"]
    with poll.on(ACCEPTING + 1, mary, hours=0):
        assert code(await mary.put(f"{path}/acceptance", {}), 409) == "election.wrong_phase"
        assert ok(await mary.get(path))["status"] == "lapsed"
    with poll.on(VOTING):
        assert await poll.phase() == "failed"


async def test_a_person_is_nominated_once_and_stands_in_one_contest(api: Api) -> None:
    mary, olga = await api.member("Mary Member"), await api.member("Olga Other")
    poll = await Poll.opened(api, contest(), contest(position="vice_chair"))
    with poll.on(NOMINATING, mary, olga):
        first = ok(await poll.nominate(mary), 201)
        again = await poll.nominate(olga, person_id=str(mary.id))
        assert code(again, 409) == "nomination.exists"
        assert code(await poll.nominate(mary, 1), 409) == "nomination.stands_elsewhere"
        other = ok(await poll.nominate(olga, 1, person_id=str(mary.id)), 201)
        acceptance = f"/nominations/{other['id']}/acceptance"
        assert code(await mary.put(acceptance, {}), 409) == "nomination.stands_elsewhere"
        ok(await mary.put(f"/nominations/{first['id']}/withdrawal", {}))
        assert ok(await mary.put(acceptance, {}))["status"] == "accepted"


async def test_one_may_change_ones_mind_until_acceptance_ends(api: Api) -> None:
    mary = await api.member("Mary Member")
    poll = await Poll.opened(api)
    path = f"/nominations/{await poll.stands(mary)}"
    with poll.on(ACCEPTING, mary):
        async with leaves(api, ("nomination.withdrawn", mary), ("nomination.accepted", mary)):
            assert ok(await mary.put(f"{path}/withdrawal", {}))["status"] == "withdrawn"
            again = await mary.put(f"{path}/withdrawal", {})
            assert code(again, 409) == "nomination.withdrawn"
            assert ok(await mary.put(f"{path}/acceptance", {}))["status"] == "accepted"


# Who may stand


async def test_only_members_who_may_hold_the_position_are_nominated(api: Api) -> None:
    mary, stranger = await api.member("Mary Member"), await api.person("Stan Stranger")
    poll = await Poll.opened(api)
    await demanding(api, "chair", member_for_days=400 + TERM)
    with poll.on(NOMINATING, mary):
        answer = await poll.nominate(mary, person_id=str(stranger.id))
        assert code(answer, 409) == "term.not_a_member"
        assert code(await poll.nominate(mary), 409) == "term.not_eligible"
    await demanding(api, "chair", member_for_days=0)
    with poll.on(NOMINATING, mary):
        ok(await poll.nominate(mary), 201)


async def test_a_second_term_in_a_row_needs_an_exception_with_a_reason(api: Api) -> None:
    staff = await api.staff()
    carla = await api.leader("Carla Chair", "chair", ends=TERM - 1)
    poll = await Poll.opened(api)
    body = EXCEPTION | {"person_id": str(carla.id)}
    with poll.on(NOMINATING, carla, staff):
        assert code(await poll.nominate(carla), 409) == "term.consecutive"
        refused = await poll.manager.post(f"{poll.path}/exceptions", body)
        assert because(refused) == ["position_required"]
        async with leaves(api, ("election.exception_made", staff)):
            ok(await staff.post(f"{poll.path}/exceptions", body), 201)
        ok(await poll.nominate(carla), 201)
    with poll.on(VOTING, carla):
        ok(await poll.certify())
        terms = ok(await carla.get(f"/communities/{DTC}/terms"))["items"]
        assert [term["status"] for term in terms if term["position"] == "chair"] == [
            "running",
            "planned",
        ]


async def test_nobody_makes_an_exception_for_oneself_or_for_what_is_not_elected(
    api: Api,
) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    poll = await Poll.opened(api)
    path = f"{poll.path}/exceptions"
    own = EXCEPTION | {"person_id": str(staff.id)}
    assert code(await staff.post(path, own), 403) == "election.own_exception"
    other = {"person_id": str(mary.id), "position": "vice_chair", "reason": "Why not."}
    assert wrong(await staff.post(path, other)) == [("/position", "not_known")]


# Who no longer stands


async def test_ballots_pass_over_whoever_withdraws_after_voting_has_begun(api: Api) -> None:
    candidates = [await api.member(f"Candidate {name}") for name in "ABC"]
    poll = await Poll.opened(api, contest(method="single_transferable_vote"), acclamation=False)
    a, b, c = [await poll.stands(one) for one in candidates]
    voters = await crowd(api, 11)
    papers = [[a, b]] * 6 + [[c]] * 5
    await poll.votes([(voter, [paper]) for voter, paper in zip(voters, papers, strict=True)])
    with poll.on(VOTING, candidates[0]):
        ok(await candidates[0].put(f"/nominations/{a}/withdrawal", {}))
    with poll.on(AFTER):
        result = await poll.result()
        assert elected(result) == ["Candidate B"]
        first = result["contests"][0]["numbers"]["stages"][0]["votes"]
        assert [one["nomination_id"] for one in first] == [b, c]


async def test_others_are_struck_only_when_they_cannot_hold_the_seat(api: Api) -> None:
    mary, olga, vera = [await api.member(name) for name in ("Mary", "Olga", "Vera Voter")]
    poll = await Poll.opened(api)
    names = [await poll.stands(mary), await poll.stands(olga)]
    path, reason = f"/nominations/{names[0]}/withdrawal", {"reason": "Has left us."}
    with poll.on(VOTING, vera):
        assert because(await vera.put(path, reason)) == ["position_required"]
        assert code(await poll.manager.put(path, reason), 409) == "nomination.fit"
        await api.ended_membership(mary)
        assert wrong(await poll.manager.put(path, {})) == [("/reason", "reason_required")]
        struck = ok(await poll.manager.put(path, reason))
        assert (struck["status"], struck["withdrawal_reason"]) == ("withdrawn", reason["reason"])
        assert ok(await vera.get(f"/nominations/{names[0]}"))["withdrawal_reason"] is None


async def test_who_has_left_can_still_withdraw(api: Api) -> None:
    mary = await api.member("Mary Member")
    poll = await Poll.opened(api)
    path = f"/nominations/{await poll.stands(mary)}"
    yesterday = clock.today() - timedelta(days=1)
    await api.change(Membership, mary.memberships[DTC], until_on=yesterday)
    with poll.on(ACCEPTING, mary):
        assert ok(await mary.get(path))["viewer"]["can"] == ["withdraw_nomination"]
        assert code(await mary.put(f"{path}/acceptance", {}), 404) == "not_found"
        ok(await mary.put(f"{path}/withdrawal", {}))
