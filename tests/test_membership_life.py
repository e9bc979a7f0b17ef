"""The whole life of a membership: begun, paused, resumed, corrected, ended, and begun again."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.models import Activity, Membership, Person
from tests.answers import because, code, wrong
from tests.cast import DTC, Api, Someone, day, mail_to, on, text_of, unknown_id
from tests.moments import at, over

ROSTER = f"/communities/{DTC}/memberships"
TALK = f"/communities/{DTC}/discussions"
REASON = {"reason": "On parental leave."}


def of(someone: Someone, act: str = "") -> str:
    return f"/memberships/{someone.memberships[DTC]}{act}"


async def names(someone: Someone, **asked: Any) -> list[str]:
    """Who is on the roster, as somebody asks for it."""
    answer = await someone.get(ROSTER, params=asked)
    assert answer.status_code == 200, answer.text
    return [item["person"]["name"] for item in answer.json()["items"]]


# Pauses


async def test_a_member_takes_leave_and_comes_back(api: Api) -> None:
    mary, paul = await api.member("Mary Member"), await api.member("Paul Peer")
    paused = await mary.put(of(mary, "/pause"), {"until_on": day(9)})
    assert paused.status_code == 200
    assert paused.json()["status"] == "paused"
    assert paused.json()["pause"] == {"cause": "declared", "starts_on": day(0), "until_on": day(9)}
    refused = await mary.get(TALK)
    assert (refused.status_code, because(refused)) == (403, ["membership_paused"])
    assert (await paul.put(of(mary, "/pause"), REASON)).status_code == 403
    seen = (await paul.get(of(mary))).json()
    assert (seen["status"], seen["pause"]) == ("active", None)
    assert code(await mary.put(of(mary, "/pause"), {}), 409) == "membership.already_paused"
    assert (await paul.delete(of(mary, "/pause"))).status_code == 403
    assert (await mary.delete(of(mary, "/pause"))).json()["status"] == "active"
    assert (await mary.get(TALK)).status_code == 200
    assert code(await mary.delete(of(mary, "/pause")), 409) == "membership.not_paused"


async def test_a_pause_runs_from_its_first_day_to_the_end_of_its_last(api: Api) -> None:
    mary = await api.member("Mary Member")
    days = {"starts_on": day(2), "until_on": day(4)}
    assert (await mary.put(of(mary, "/pause"), days)).json()["status"] == "active"
    for moment, may in ((over(1), False), (over(4), True)):
        with at(moment, mary):
            assert (await mary.get(TALK)).is_success is may
    with at(over(0), mary):
        assert (await mary.get(TALK)).status_code == 200
    with at(over(9), mary):
        again = await mary.put(of(mary, "/pause"), {})
        assert again.json()["pause"] == {"cause": "declared", "starts_on": day(0), "until_on": None}


async def test_a_holder_on_leave_keeps_the_seat_and_the_vice_chair_acts(api: Api) -> None:
    chair, vice = await api.leader("Carla Chair", "chair"), await api.leader("V", "vice_chair")
    assert (await vice.put(of(chair, "/pause"), REASON)).status_code == 403
    assert (await chair.put(of(chair, "/pause"), {})).status_code == 200
    assert because(await chair.get(f"/communities/{DTC}/join-requests")) == ["membership_paused"]
    acting = (await vice.get(f"/communities/{DTC}/standing")).json()
    assert {"chair", "vice_chair"} <= {one["position"] for one in acting["positions"]}


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("paused", "runs again")), ("fr", ("pause", "reprend"))]
)
async def test_leaders_pause_and_resume_with_a_reason_and_the_member_is_told(
    api: Api, language: str, words: tuple[str, str]
) -> None:
    mary = await api.member("Mary Member", language=language)
    secretary = await api.leader("Sam Secretary", "secretary")
    assert wrong(await secretary.put(of(mary, "/pause"), {})) == [("/reason", "reason_required")]
    await secretary.put(of(mary, "/pause"), REASON | {"until_on": day(3)})
    paused = mail_to(await api.work_off(), mary.email)
    assert words[0] in paused["Subject"] and REASON["reason"] in text_of(paused)
    assert (await mary.delete(of(mary, "/pause"))).status_code == 403
    assert (await secretary.delete(of(mary, "/pause"))).status_code == 200
    assert words[1] in mail_to(await api.work_off(), mary.email)["Subject"]


async def test_of_pauses_declared_at_once_one_is_kept(api: Api) -> None:
    mary = await api.member("Mary Member")
    answers = await asyncio.gather(*(mary.put(of(mary, "/pause"), {}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    kinds = sa.select(Activity.id).where(col(Activity.kind) == "membership.paused")
    assert len(await api.read(kinds)) == 1


@pytest.mark.parametrize(
    ("days", "pointer"),
    [
        ({"starts_on": day(-1)}, "/starts_on"),
        ({"starts_on": day(5), "until_on": day(4)}, "/until_on"),
        ({"until_on": day(732)}, "/until_on"),
    ],
)
async def test_a_pause_has_days_in_order_and_to_come(
    api: Api, days: dict[str, Any], pointer: str
) -> None:
    mary = await api.member("Mary Member")
    answer = await mary.put(of(mary, "/pause"), days)
    assert [place for place, _ in wrong(answer)] == [pointer]


# Beginning, and beginning again


async def test_somebody_who_left_is_made_a_member_again_and_the_history_is_kept(api: Api) -> None:
    mary, secretary = await api.member("Mary Member"), await api.leader("Sam", "secretary")
    await mary.post(of(mary, "/end"), {"reason": "Too little time."})
    five_days_ago = clock.now() - timedelta(days=5)
    await api.change(Membership, mary.memberships[DTC], ended_at=five_days_ago)
    body = {"person_id": str(mary.id), "category": "academic", "since_on": day(-3)}
    paul = await api.member("Paul Peer")
    assert (await paul.post(ROSTER, body)).status_code == 403
    begun = await secretary.post(ROSTER, body)
    assert begun.status_code == 201, begun.text
    assert (begun.json()["category"], begun.json()["since_on"]) == ("academic", day(-3))
    assert code(await secretary.post(ROSTER, body), 409) == "membership.exists"
    history = (await secretary.get(ROSTER, params={"person_id": str(mary.id)})).json()["items"]
    assert [one["status"] for one in history] == ["ended", "active"]
    assert history[0]["end_reason"] == "Too little time."
    seen = (await paul.get(ROSTER, params={"person_id": str(mary.id)})).json()["items"]
    assert [(one["status"], one["end_reason"]) for one in seen] == [("active", None)]
    told = mail_to(await api.work_off(), mary.email)
    assert "belong" in told["Subject"] and day(-3) in text_of(told)


async def test_a_newcomer_to_the_community_is_added_by_those_who_may_look_up_people(
    api: Api,
) -> None:
    someone = await api.person("Nina Newcomer", language="fr")
    secretary, staff = await api.leader("Sam", "secretary"), await api.staff()
    body = {"person_id": str(someone.id)}
    stranger = {"person_id": str(unknown_id())}
    refusals = [wrong(await secretary.post(ROSTER, one)) for one in (body, stranger)]
    assert refusals == [[("/person_id", "not_known")]] * 2
    assert code(await staff.post(ROSTER, {"person_id": str(staff.id)}), 403) == "membership.own"
    assert (await staff.post(ROSTER, body)).status_code == 201
    mails = await api.work_off()
    assert "partie de la communauté" in mail_to(mails, someone.email)["Subject"]


async def test_of_sixteen_who_add_one_person_at_once_one_does(api: Api) -> None:
    someone, staff = await api.person("Nina Newcomer"), await api.staff()
    body = {"person_id": str(someone.id)}
    answers = await asyncio.gather(*(staff.post(ROSTER, body) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15


async def test_a_membership_to_come_gives_nothing_before_its_first_day(api: Api) -> None:
    someone, staff = await api.person("Nina Newcomer"), await api.staff()
    planned = await staff.post(ROSTER, {"person_id": str(someone.id), "since_on": day(3)})
    assert planned.json()["status"] == "planned"
    assert (await someone.get(TALK)).status_code == 403
    with at(over(2), someone):
        assert (await someone.get(TALK)).status_code == 200


async def test_a_first_day_is_corrected_and_put_off_only_by_who_may_end_a_holders_term(
    api: Api,
) -> None:
    mary, chair = await api.member("Mary Member"), await api.leader("Carla Chair", "chair")
    secretary, staff = await api.leader("Sam", "secretary"), await api.staff()
    corrected = await secretary.patch(of(mary), {"since_on": day(-90)})
    assert corrected.json()["since_on"] == day(-90)
    assert (await secretary.patch(of(chair), {"since_on": day(-90)})).status_code == 200
    assert (await secretary.patch(of(chair), {"since_on": day(9)})).status_code == 403
    assert (await staff.patch(of(chair), {"since_on": day(9)})).status_code == 200
    before = await secretary.patch(of(mary), {"since_on": day(9), "until_on": day(8)})
    assert wrong(before) == [("/until_on", "day_before_start")]


# The roster, filtered


async def test_the_roster_is_filtered_by_what_the_caller_sees(api: Api) -> None:
    secretary = await api.leader("Sam Secretary", "secretary")
    elise = await api.member("Élise Gagné", affiliation="Cour du Québec")
    mary = await api.member("Mary Member")
    await api.change(Person, elise.id, territory="CA-QC", occupation_code="judge")
    await api.change(
        Membership, mary.memberships[DTC], since_on=date(2020, 5, 1), category="academic"
    )
    assert await names(mary, q="gagné") == ["Élise Gagné"]
    assert await names(mary, q="ÉLISE") == await names(mary, q="cour du") == ["Élise Gagné"]
    assert await names(mary, q="100%") == await names(mary, q="_ary") == []
    assert await names(mary, joined_before="2020-05-02") == ["Mary Member"]
    assert "Mary Member" not in await names(mary, joined_after="2020-05-01")
    assert await names(mary, category="academic") == ["Mary Member"]
    assert await names(secretary, territory="CA-QC") == ["Élise Gagné"]
    assert await names(secretary, occupation_code=["judge", "other"], q="e") != []
    assert await names(secretary, q="gagn@example") == []
    assert await names(secretary, q=elise.email) == ["Élise Gagné"]
    assert await names(mary, q=elise.email) == []


@pytest.mark.parametrize(
    "hidden", [{"territory": "CA-QC"}, {"occupation_code": "judge"}, {"status": "suspended"}]
)
async def test_no_filter_tells_what_a_member_does_not_see(api: Api, hidden: dict[str, str]) -> None:
    mary, secretary = await api.member("Mary Member"), await api.leader("Sam", "secretary")
    assert (await mary.get(ROSTER, params=hidden)).status_code == 403
    assert (await secretary.get(ROSTER, params=hidden)).status_code == 200


async def test_the_roster_by_status_has_each_member_once(api: Api) -> None:
    secretary = await api.leader("Sam Secretary", "secretary")
    members = {name: await api.member(name) for name in ("Paused", "Suspended", "Ended", "Planned")}
    staff = await api.staff()
    await members["Paused"].put(of(members["Paused"], "/pause"), {})
    await staff.put(of(members["Suspended"], "/suspension"), REASON | {"until_on": day(3)})
    await members["Ended"].post(of(members["Ended"], "/end"), {})
    await api.change(Membership, members["Planned"].memberships[DTC], since_on=on(5))
    for name in members:
        assert await names(secretary, status=name.lower()) == [name]
    assert await names(secretary, status="active") == ["Sam Secretary"]
    assert await names(secretary) == ["Sam Secretary", "Paused", "Suspended"]
