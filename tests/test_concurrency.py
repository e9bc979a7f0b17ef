"""What holds when many do it at the same moment, through two applications on one database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import errors
from app.db import Work
from app.models import (
    Activity,
    Agreement,
    Discussion,
    JoinRequest,
    Membership,
    Person,
    Post,
    RefreshToken,
    Report,
    Review,
    RulesVersion,
    Session,
    SignInFailure,
    Term,
)
from app.services import standing as standings
from app.services import terms
from tests.cast import DTC, PASSWORD, WELLNESS, Api, Someone, day, text_of, token_in
from tests.crowds import Doors, at_once, outcomes
from tests.processes import serving

FORM = {
    "name": "Amara Okafor",
    "email": "amara@example.org",
    "communities": [DTC, WELLNESS],
    "occupation": "Nurse",
    "affiliation": "Detox Centre",
    "area_of_interest": "withdrawal",
    "agrees_to_rules_version": 1,
}
HIDE = {"action": "hide", "rule": "no-attacks", "reason": "It attacks.", "version": 1}


@pytest.fixture
async def doors(api: Api) -> AsyncIterator[Doors]:
    async with Doors.to(api) as found:
        yield found


async def appointments(doors: Doors, position: str, community: str = DTC) -> list[Any]:
    """Sixteen members, each appointed to a position by somebody of the staff at the same moment."""
    staff = await doors.apis[0].staff()
    members = [await doors.apis[0].member(f"Candidate {number}", community) for number in range(16)]
    return await at_once(
        doors.at(staff, number).post(
            f"/communities/{community}/terms",
            {
                "person_id": str(member.id),
                "position": position,
                "starts_on": day(0),
                "ends_on": day(700),
                "basis": "election",
            },
        )
        for number, member in enumerate(members)
    )


async def pending(api: Api, **form: Any) -> list[Any]:
    """The requests of a form whose address is proven."""
    answer = await api.post("/join-requests", FORM | form)
    assert answer.status_code == 202, answer.text
    token = token_in((await api.work_off())[0])
    await api.post("/auth/email-verifications/confirmation", {"token": token})
    return await api.read(sa.select(JoinRequest.id, JoinRequest.community_id).order_by("id"))


async def recorded(api: Api, kind: str) -> int:
    """How many records of a kind the log has."""
    found = await api.read(sa.select(Activity.id).where(col(Activity.kind) == kind))
    return len(found)


async def tokens_of(api: Api, someone: Someone) -> dict[str, Any]:
    answer = await api.post(
        "/auth/tokens",
        {"grant_type": "password", "username": someone.email, "password": PASSWORD},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


# Seats


async def test_four_of_sixteen_get_the_four_seats_of_members_at_large(doors: Doors) -> None:
    answers = await appointments(doors, "member_at_large")
    assert outcomes(answers) == {201: 4, (409, "term.seat_taken"): 12}
    assert {a.json()["seat"] for a in answers if a.status_code == 201} == {1, 2, 3, 4}
    assert await recorded(doors.apis[0], "term.started") == 5  # the staff member's own among them


async def test_one_of_sixteen_gets_the_chair(doors: Doors) -> None:
    answers = await appointments(doors, "chair")
    assert outcomes(answers) == {201: 1, (409, "term.seat_taken"): 15}
    held = await doors.apis[0].read(sa.select(Term.id).where(col(Term.position_code) == "chair"))
    assert len(held) == 1


async def test_one_person_gets_one_of_two_different_seats(doors: Doors) -> None:
    staff = await doors.apis[0].staff()
    wanted = await doors.apis[0].member("Wanda Wanted")
    answers = await at_once(
        doors.at(staff, number).post(
            f"/communities/{DTC}/terms",
            {
                "person_id": str(wanted.id),
                "position": position,
                "starts_on": day(0),
                "ends_on": day(700),
                "basis": "appointment",
            },
        )
        for number, position in enumerate(("chair", "vice_chair", "secretary", "member_at_large"))
    )
    assert outcomes(answers) == {201: 1, (409, "term.person_holds_seat"): 3}


async def test_of_sixteen_who_are_named_to_act_one_acts(doors: Doors) -> None:
    api = doors.apis[0]
    staff = await api.staff()
    members = [await api.member(f"Member {number}") for number in range(16)]
    group = (await api.get(f"/communities/{DTC}/leadership")).json()["seats"]
    path = f"/seats/{group[0]['id']}/acting-holder"
    answers = await at_once(
        doors.at(staff, number).put(path, {"person_id": str(member.id)})
        for number, member in enumerate(members)
    )
    assert outcomes(answers) == {200: 16}  # each in place of the one before
    running = [await someone.get(f"/communities/{DTC}/standing", headers={}) for someone in members]
    acting = [one for one in running if one.json()["positions"]]
    assert len(acting) == 1
    shown = (await api.get(f"/communities/{DTC}/leadership")).json()["seats"][0]
    assert shown["acting_holder"]["person"]["name"] == acting[0].json()["person"]["name"]


async def test_a_term_that_is_ended_by_many_at_once_ends_once(doors: Doors) -> None:
    api = doors.apis[0]
    staff, carla = await api.staff(), await api.leader("Carla", "chair")
    path = f"/terms/{carla.terms['chair']}"
    answers = await at_once(
        [
            *(doors.at(staff, n).post(f"{path}/removal", {"reason": "Moved."}) for n in range(8)),
            *(doors.at(carla, n).post(f"{path}/resignation", {}) for n in range(8)),
        ]
    )
    assert outcomes(answers)[201] == 1
    assert await recorded(api, "term.removed") + await recorded(api, "term.resigned") == 1


async def test_two_workers_announce_the_calendar_once(doors: Doors) -> None:
    api, other = doors.apis
    await api.leader("Carla", "chair", ends=5)
    await asyncio.gather(*(one.announce() for one in (api, other) for _ in range(4)))
    assert await recorded(api, "term.ending_soon") == 1
    assert await recorded(api, "vacancy.filled") == 1


async def test_who_leaves_while_being_appointed_holds_no_seat_afterwards(doors: Doors) -> None:
    api = doors.apis[0]
    staff = await api.staff()
    leaving = [await api.member(f"Leaver {number}") for number in range(8)]
    appointed = [
        doors.at(staff, number).post(
            f"/communities/{DTC}/terms",
            {
                "person_id": str(member.id),
                "position": "member_at_large",
                "starts_on": day(0),
                "ends_on": day(700),
                "basis": "election",
            },
        )
        for number, member in enumerate(leaving)
    ]
    left = [
        doors.at(member, number + 1).post(
            f"/memberships/{member.memberships[DTC]}/end", {"reason": None}
        )
        for number, member in enumerate(leaving)
    ]
    answers = await at_once(
        request for pair in zip(appointed, left, strict=True) for request in pair
    )
    allowed = {201, (409, "term.not_a_member"), (409, "term.seat_taken")}
    assert set(outcomes(answers[::2])) <= allowed
    assert outcomes(answers[1::2]) == {200: 8}
    stranded = await api.read(
        sa.select(Term.id)
        .join(Membership, col(Membership.person_id) == Term.person_id)
        .where(
            col(Term.community_id) == Membership.community_id,
            col(Membership.ended_at).is_not(None),
            col(Term.ended_at).is_(None),
        )
    )
    assert stranded == []


async def test_the_last_two_who_may_change_the_table_cannot_remove_each_other(
    doors: Doors,
) -> None:
    api, elsewhere = doors.apis
    first, second = await api.staff("Stella Staff"), await api.staff("Stan Staff")

    async def remove(by: Someone, whose: Someone, work: Work) -> None:
        standing = await standings.of_person(api.database.reader, by.id, by.session_id)
        await terms.remove(work, standing, whose.terms["staff"], "Cuts.")

    async def remove_meanwhile() -> None:
        async with elsewhere.database.work() as work:
            await remove(second, first, work)

    async with api.database.work() as work:
        await remove(first, second, work)
        meanwhile = asyncio.create_task(remove_meanwhile())
        await asyncio.sleep(0.3)  # as far as it comes before the first of the two is decided
    with pytest.raises(errors.GrantLastHolder):
        await meanwhile


# Joining


async def test_three_leaders_make_one_decision_one_membership_and_one_mail(doors: Doors) -> None:
    api = doors.apis[0]
    (request,) = await pending(api, communities=[DTC])
    leaders = [
        await api.leader(name, position)
        for name, position in (
            ("Chidi Chair", "chair"),
            ("Vera Vice", "vice_chair"),
            ("Sacha Secretary", "secretary"),
        )
    ]
    await api.work_off()
    answers = await at_once(
        doors.at(leader, number).put(
            f"/join-requests/{request.id}/decision", {"outcome": "accepted", "comment": None}
        )
        for number, leader in enumerate(leaders)
    )
    assert outcomes(answers) == {200: 1, (409, "join_request.already_decided"): 2}
    memberships = await api.read(
        sa.select(Membership.id)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(col(Person.email) == FORM["email"])
    )
    assert len(memberships) == 1
    assert await recorded(api, "join_request.accepted") == 1
    welcomed = [mail for mail in await api.work_off() if FORM["email"] in mail["To"]]
    assert len(welcomed) == 1


async def test_a_newcomer_accepted_by_two_communities_at_once_has_one_account(
    doors: Doors,
) -> None:
    api = doors.apis[0]
    requests = await pending(api)
    staff = await api.staff()
    answers = await at_once(
        doors.at(staff, number).put(
            f"/join-requests/{request.id}/decision", {"outcome": "accepted", "comment": None}
        )
        for number, request in enumerate(requests)
    )
    assert outcomes(answers) == {200: 2}
    people = await api.read(sa.select(Person.id).where(col(Person.email) == FORM["email"]))
    assert len(people) == 1
    belongs = await api.read(
        sa.select(Membership.community_id).where(col(Membership.person_id) == people[0].id)
    )
    assert {row.community_id for row in belongs} == {request.community_id for request in requests}
    agreed = await api.read(sa.select(Agreement).where(col(Agreement.person_id) == people[0].id))
    assert len(agreed) == 1
    assert await recorded(api, "account.created") == 1


async def test_a_link_that_is_opened_five_times_at_once_works_once(doors: Doors) -> None:
    api = doors.apis[0]
    await api.post("/join-requests", FORM)
    token = token_in((await api.work_off())[0])
    answers = await at_once(
        doors.apis[number % 2].post("/auth/email-verifications/confirmation", {"token": token})
        for number in range(5)
    )
    assert outcomes(answers) == {200: 1, (409, "mailed_token.invalid"): 4}
    assert await recorded(api, "join_request.verified") == 2


# Talking and moderating


async def test_sixteen_replies_get_numbers_without_gap_or_double(doors: Doors) -> None:
    api = doors.apis[0]
    writers = [await api.member(f"Writer {number}") for number in range(16)]
    discussion = await api.discussion(writers[0])
    answers = await at_once(
        doors.at(writer, number).post(
            f"/discussions/{discussion['id']}/posts", {"body": f"Reply {number}", "language": "en"}
        )
        for number, writer in enumerate(writers)
    )
    assert outcomes(answers) == {201: 16}
    assert sorted(a.json()["number"] for a in answers) == list(range(2, 18))
    shown = (await writers[0].get(f"/discussions/{discussion['id']}")).json()
    assert shown["post_count"] == 17


async def test_one_key_sent_eight_times_at_once_writes_one_post(doors: Doors) -> None:
    api = doors.apis[0]
    writer = await api.member("Kofi Keys")
    discussion = await api.discussion(writer)
    answers = await at_once(
        doors.at(writer, number).post(
            f"/discussions/{discussion['id']}/posts",
            {"body": "Once.", "language": "en"},
            headers={"Idempotency-Key": "one-and-the-same"},
        )
        for number in range(8)
    )
    assert outcomes(answers) == {201: 8}
    assert len({answer.json()["id"] for answer in answers}) == 1
    replayed = [a.headers.get("idempotent-replayed") for a in answers]
    assert replayed.count("true") == 7
    shown = (await writer.get(f"/discussions/{discussion['id']}")).json()
    assert shown["post_count"] == 2


async def test_sixteen_hundred_changes_of_one_number_are_all_kept(doors: Doors) -> None:
    api = doors.apis[0]
    discussion = await api.discussion(await api.member("Cora Counter"))

    async def count(number: int) -> None:
        for _ in range(100):
            async with doors.apis[number % 2].database.work() as work:
                found = await work.locked(Discussion, UUID(discussion["id"]))
                found.post_count += 1

    await asyncio.gather(*(count(number) for number in range(16)))
    (row,) = await api.read(sa.select(Discussion.post_count))
    assert row.post_count == 1601


async def reported_posts(api: Api, count: int) -> list[tuple[UUID, dict[str, Any]]]:
    """Reviews, each with the post that it is about."""
    author, reporter = await api.member("Otto Author"), await api.member("Rita Reporter")
    discussion = await api.discussion(author)
    posts = [await api.reply(author, discussion) for _ in range(count)]
    for post in posts:
        await api.report(reporter, post)
    reviews = await api.read(sa.select(Review.id).order_by(Review.id))
    return [(review.id, post) for review, post in zip(reviews, posts, strict=True)]


async def test_two_reviewers_decide_a_review_once(doors: Doors) -> None:
    api = doors.apis[0]
    ((review, _),) = await reported_posts(api, 1)
    reviewers = [await api.leader("Chidi Chair", "chair"), await api.leader("Vera", "vice_chair")]
    answers = await at_once(
        doors.at(reviewer, number).put(f"/reviews/{review}/decision", HIDE)
        for number, reviewer in enumerate(reviewers)
    )
    assert outcomes(answers) == {200: 1, (409, "review.changed"): 1}
    assert await recorded(api, "review.decided") == 1


async def test_two_reports_at_once_open_one_review(doors: Doors) -> None:
    api = doors.apis[0]
    author = await api.member("Otto Author")
    reporters = [await api.member(f"Reporter {number}") for number in range(2)]
    post = await api.reply(author, await api.discussion(author))
    answers = await at_once(
        doors.at(reporter, number).post(
            f"/posts/{post['id']}/reports", {"rule": "no-attacks", "note": None}
        )
        for number, reporter in enumerate(reporters)
    )
    assert outcomes(answers) == {201: 2}
    (review,) = await api.read(sa.select(Review.id, Review.version))
    assert review.version == 2
    assert len(await api.read(sa.select(Report.id))) == 2


async def test_a_decision_and_a_further_report_do_not_lock_each_other_out(doors: Doors) -> None:
    api, elsewhere = doors.apis
    ((review, post),) = await reported_posts(api, 1)
    chair = replace(await api.leader("Chidi Chair", "chair"), api=elsewhere)
    async with api.database.work() as work:
        await work.locked(Post, UUID(post["id"]))  # a report begins so
        meanwhile = asyncio.create_task(chair.put(f"/reviews/{review}/decision", HIDE))
        await asyncio.sleep(0.3)
        await work.locked(Review, review)  # and goes on so
    assert (await meanwhile).status_code == 200


async def test_an_opening_post_is_hidden_while_others_answer_it(doors: Doors) -> None:
    api = doors.apis[0]
    writer, reporter = await api.member("Wilma Writer"), await api.member("Rita Reporter")
    chair = await api.leader("Claire Chair", "chair")
    discussion = await api.discussion(writer)
    await api.report(reporter, discussion["opening_post"])
    queue = (await chair.get(f"/communities/{DTC}/review-queue")).json()["items"]
    decision = {"action": "hide", "rule": "no-attacks", "reason": "It attacks.", "version": 1}
    answer = {"body": "But why?", "reply_to_id": discussion["opening_post"]["id"], "language": "en"}
    answers = await at_once(
        [
            doors.at(chair, 0).put(f"/reviews/{queue[0]['id']}/decision", decision),
            *(
                doors.at(reporter, number).post(f"/discussions/{discussion['id']}/posts", answer)
                for number in range(8)
            ),
        ]
    )
    assert outcomes(answers) == {200: 1, 201: 8}


async def test_a_membership_is_suspended_once(doors: Doors) -> None:
    api = doors.apis[0]
    member = await api.member("Mia Member")
    leaders = [await api.leader("Chidi Chair", "chair"), await api.leader("Vera", "vice_chair")]
    answers = await at_once(
        doors.at(leader, number).put(
            f"/memberships/{member.memberships[DTC]}/suspension",
            {"until_on": day(7), "reason": "To cool down."},
        )
        for number, leader in enumerate(leaders)
    )
    found = outcomes(answers)
    assert found.pop((409, "membership.already_suspended")) == 1
    assert found.total() == 1 and set(found) <= {200, 201}


# Signing in


async def test_one_refresh_token_used_twenty_times_at_once_has_one_successor(
    doors: Doors,
) -> None:
    api = doors.apis[0]
    someone = await api.person("Rafa Refresher")
    given = await tokens_of(api, someone)
    answers = await at_once(
        doors.apis[number % 2].post(
            "/auth/tokens/refresh", {"refresh_token": given["refresh_token"]}
        )
        for number in range(20)
    )
    assert outcomes(answers) == {200: 20}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    family = await api.read(
        sa.select(RefreshToken.spent_at, Session.ended_at)
        .join(Session, col(Session.id) == RefreshToken.session_id)
        .where(col(Session.id) == UUID(given["session_id"]))
    )
    assert [row.spent_at is None for row in family].count(True) == 1
    assert len(family) == 2 and all(row.ended_at is None for row in family)


async def test_eight_wrong_passwords_at_once_are_eight_refusals_that_are_counted(
    doors: Doors,
) -> None:
    someone = await doors.apis[0].person("Walter Wrong")
    answers = await at_once(
        doors.apis[number % 2].post(
            "/auth/tokens",
            {"grant_type": "password", "username": someone.email, "password": "not his own"},
        )
        for number in range(8)
    )
    assert outcomes(answers) == {(401, "auth.invalid_credentials"): 8}
    (row,) = await doors.apis[0].read(sa.select(SignInFailure.failures))
    assert row.failures == 8


async def test_one_link_chooses_one_password(doors: Doors) -> None:
    api = doors.apis[0]
    someone = await api.person("Petra Password")
    await api.post("/auth/password-resets", {"email": someone.email})
    token = token_in((await api.work_off())[0])
    chosen = [f"a long enough password, number {number}" for number in range(4)]
    answers = await at_once(
        doors.apis[number % 2].post(
            "/auth/password-resets/confirmation", {"token": token, "password": password}
        )
        for number, password in enumerate(chosen)
    )
    assert outcomes(answers) == {204: 1, (409, "mailed_token.invalid"): 3}
    changed = await api.work_off()
    assert len(changed) == 1 and "password" in text_of(changed[0])


# The rules


async def test_of_publications_at_once_one_follows_the_version_that_all_have_read(
    doors: Doors,
) -> None:
    api = doors.apis[0]
    staff = await api.staff()
    body = {
        "based_on": 1,
        "effective_on": day(0),
        "items": [
            {
                "code": "listen",
                "kind": "conduct",
                "heading": {"en": "Listen", "fr": "Écouter"},
                "text": {"en": "Listen first.", "fr": "Écoutez d'abord."},
            }
        ],
    }
    answers = await at_once(
        doors.at(staff, number).post("/rules/versions", body) for number in range(4)
    )
    assert outcomes(answers) == {201: 1, (409, "rules.version_taken"): 3}
    stored = await api.read(sa.select(RulesVersion.number).order_by(RulesVersion.number))
    assert [row.number for row in stored] == [1, 2]


# Two servers


async def test_two_servers_on_one_database_fill_seats_and_number_posts_exactly(
    api: Api, tmp_path: Path
) -> None:
    staff = await api.staff()
    members = [await api.member(f"Candidate {number}") for number in range(16)]
    discussion = await api.discussion(members[0])
    url = api.database.url
    async with (
        serving(url, tmp_path / "one.log", "--no-worker") as one,
        serving(url, tmp_path / "two.log", "--no-worker") as two,
    ):
        servers = [Api(api.database, server.client, api.edge) for server in (one, two)]
        doors = Doors(*servers)
        seated = await at_once(
            doors.at(staff, number).post(
                f"/communities/{DTC}/terms",
                {
                    "person_id": str(member.id),
                    "position": "member_at_large",
                    "starts_on": day(0),
                    "ends_on": day(700),
                    "basis": "election",
                },
            )
            for number, member in enumerate(members)
        )
        written = await at_once(
            doors.at(member, number).post(
                f"/discussions/{discussion['id']}/posts",
                {"body": f"Reply {number}", "language": "en"},
            )
            for number, member in enumerate(members * 4)
        )
    assert outcomes(seated) == {201: 4, (409, "term.seat_taken"): 12}
    assert outcomes(written) == {201: 64}
    assert sorted(answer.json()["number"] for answer in written) == list(range(2, 66))
