"""Positions as data: what they say, who changes them, and the seats that open and close."""

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock, migrations, settings
from app.db import Database
from app.models import Contest, Election, ElectionMethod, Seat, TieRule
from app.services import seeding
from app.services.seeding import DefaultsInvalid
from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, WELLNESS, Api, Someone, day
from tests.crowds import Doors, at_once, outcomes
from tests.granting import grant

TREASURER: dict[str, Any] = {
    "code": "treasurer",
    "scope": "community",
    "rank": 5,
    "seats": 1,
    "title": {"en": "Treasurer", "fr": "Trésorerie"},
}
TERM = {"position": "chair", "starts_on": day(0), "ends_on": day(300), "basis": "election"}
AT_LARGE = "/positions/member_at_large"
SEATS = f"/communities/{DTC}/seats"


@pytest.fixture
async def staff(api: Api) -> Someone:
    return await api.staff()


async def seats_of(api: Api, position: str, community: str = DTC) -> int:
    """How many seats the Leadership Group shows of a position."""
    shown = ok(await api.get(f"/communities/{community}/leadership"))["seats"]
    return sum(1 for seat in shown if seat["position"] == position)


async def set_seats(
    by: Someone, position: str, seats: int | None, community: str = DTC
) -> httpx.Response:
    path = f"/communities/{community}/seats"
    tag = {"If-Match": (await by.get(path)).headers["etag"]}
    return await by.put(f"{path}/{position}", {"seats": seats}, headers=tag)


async def an_election(api: Api, by: Someone, position: str, **seats: Any) -> UUID:
    """An election that is open in a community, for seats of a position."""
    now, today = clock.now(), clock.today()
    election = Election(
        community_id=await api.community_id(),
        title="Leadership Group",
        language="en",
        nominations_from=today,
        nominations_until=today,
        acceptance_until=today,
        voting_from=today,
        voting_until=today,
        quorum=1,
        acclamation=False,
        tie_rule=TieRule.LOT,
        lot_seed="seed",
        opened_at=now,
        opened_by=by.id,
        updated_at=now,
    )
    contest = Contest(
        election_id=election.id,
        number=1,
        position_code=position,
        method=ElectionMethod.APPROVAL,
        starts_on=today,
        ends_on=today,
        **seats,
    )
    async with api.database.work() as work:
        work.add(election)
        await work.flush()
        work.add(contest)
    return election.id


def row_of(shown: dict[str, Any], position: str) -> dict[str, Any]:
    (row,) = [one for one in shown["items"] if one["position"] == position]
    return row


# Reading and making


async def test_anybody_reads_what_positions_there_are(api: Api) -> None:
    rows = ok(await api.get("/positions"))["items"]
    assert [row["code"] for row in rows[:5]] == [
        "chair",
        "vice_chair",
        "secretary",
        "member_at_large",
        "convener",
    ]
    vice_chair = ok(await api.get("/positions/vice_chair"))
    assert (vice_chair["acts_for"], vice_chair["term_months"]) == ("chair", 24)
    assert vice_chair["consecutive_terms"] is False and vice_chair["viewer"]["can"] == []
    assert rows[1] == vice_chair
    assert code(await api.get("/positions/emperor"), 404) == "not_found"


async def test_a_new_position_has_its_seats_in_every_community(api: Api, staff: Someone) -> None:
    carla = await api.leader("Carla Chair", "chair")
    assert because(await carla.post("/positions", TREASURER)) == ["position_required"]
    before = ok(await api.get(f"/communities/{WELLNESS}"))["vacant_seats"]
    async with leaves(api, ("position.created", staff)):
        made = ok(await staff.post("/positions", TREASURER), 201)
    assert made["version"] == 1 and made["viewer"]["can"] == ["update_position"]
    assert ok(await api.get("/positions/treasurer"))["title"] == TREASURER["title"]
    assert await seats_of(api, "treasurer") == await seats_of(api, "treasurer", WELLNESS) == 1
    assert ok(await api.get(f"/communities/{WELLNESS}"))["vacant_seats"] == before + 1
    tom = await api.leader("Tom Treasurer", "treasurer")
    standing = ok(await tom.get(f"/communities/{DTC}/standing"))
    assert [held["position"] for held in standing["positions"]] == ["treasurer"]


async def test_a_new_community_has_the_seats_that_positions_say(api: Api, staff: Someone) -> None:
    ok(await staff.post("/positions", TREASURER), 201)
    ok(await staff.patch(AT_LARGE, {"seats": 2}))
    words = {"en": "Rural Courts", "fr": "Tribunaux ruraux"}
    body = {"slug": "rural-courts", "name": words, "description": words}
    assert ok(await staff.post("/communities", body), 201)["vacant_seats"] == 6
    assert await seats_of(api, "treasurer", "rural-courts") == 1


async def test_a_code_names_one_position_and_no_group_of_people(api: Api, staff: Someone) -> None:
    for taken in ("chair", "member", "public"):
        refused = await staff.post("/positions", TREASURER | {"code": taken})
        assert code(refused, 409) == "position.code_taken"
    odd = await staff.post("/positions", TREASURER | {"code": "The Treasurer"})
    assert wrong(odd) == [("/code", "pattern_mismatch")]


# Changing


async def test_a_change_is_recorded_and_bound_to_what_was_read(api: Api, staff: Someone) -> None:
    petra = await api.staff("Petra President", "president")
    carla = await api.leader("Carla Chair", "chair")
    seen = {"If-Match": (await staff.get(AT_LARGE)).headers["etag"]}
    title = {"title": {"en": "Councillor", "fr": "Conseil"}}
    assert because(await carla.patch(AT_LARGE, title)) == ["position_required"]
    assert code(await staff.patch(AT_LARGE, title, headers={}), 428) == "precondition.required"
    async with leaves(api, ("position.updated", petra)):
        assert ok(await petra.patch(AT_LARGE, title))["version"] == 2
    stale = await staff.patch(AT_LARGE, {"rank": 9}, headers=seen)
    assert code(stale, 412) == "precondition.failed"
    async with leaves(api):
        assert ok(await petra.patch(AT_LARGE, title))["version"] == 2
    renamed = await staff.patch(AT_LARGE, {"code": "councillor"})
    assert wrong(renamed) == [("/code", "unknown_member")]


async def test_the_next_refusal_knows_the_new_rank(api: Api, staff: Someone) -> None:
    mary = await api.member("Mary Member")
    queue = f"/communities/{DTC}/review-queue"
    named = (await mary.get(queue)).json()["because"][0]["positions"]
    assert named[0] == "chair"
    ok(await staff.patch("/positions/chair", {"rank": 9}))
    named = (await mary.get(queue)).json()["because"][0]["positions"]
    assert named == ["vice_chair", "secretary", "member_at_large", "chair", "staff"]


# Seats


async def test_more_seats_open_in_every_community_and_close_again(api: Api, staff: Someone) -> None:
    vacant = ok(await api.get(f"/communities/{DTC}"))["vacant_seats"]
    ok(await staff.patch(AT_LARGE, {"seats": 6}))
    assert await seats_of(api, "member_at_large") == 6
    assert ok(await api.get(f"/communities/{DTC}"))["vacant_seats"] == vacant + 2
    ok(await staff.patch(AT_LARGE, {"seats": 3}))
    assert await seats_of(api, "member_at_large", WELLNESS) == 3
    ok(await staff.patch(AT_LARGE, {"seats": 4}))
    numbers = await api.read(
        sa.select(Seat.number)
        .where(
            col(Seat.position_code) == "member_at_large",
            col(Seat.community_id) == await api.community_id(),
            col(Seat.closed_on).is_(None),
        )
        .order_by(col(Seat.number))
    )
    assert [row.number for row in numbers] == [1, 2, 3, 4]  # the fourth opened again


async def test_a_seat_that_is_held_or_promised_is_never_closed(api: Api, staff: Someone) -> None:
    first = await api.leader("Ann Large", "member_at_large")
    await api.leader("Ben Large", "member_at_large", starts=30)
    await api.leader("Cem Large", "member_at_large", WELLNESS)
    async with leaves(api):
        refused = await staff.patch(AT_LARGE, {"seats": 0})
    assert code(refused, 409) == "seat.in_use" and refused.json()["communities"] == 2
    ended = {"reason": "Has moved."}
    ok(await staff.post(f"/terms/{first.terms['member_at_large']}/removal", ended), 201)
    ok(await staff.patch(AT_LARGE, {"seats": 1}))
    terms = ok(await staff.get(f"/communities/{DTC}/terms"))["items"]
    assert [term["seat"] for term in terms] == [1, 2]  # that of a closed seat is still read


async def test_a_seat_that_an_election_is_to_fill_is_never_closed(api: Api, staff: Someone) -> None:
    election = await an_election(api, staff, "member_at_large", seats=2, seat_numbers=[3, 4])
    for too_few in (1, 0):
        assert code(await set_seats(staff, "member_at_large", too_few), 409) == "seat.in_use"
    ok(await set_seats(staff, "member_at_large", 2))
    numbers = [
        seat["seat"]
        for seat in ok(await api.get(f"/communities/{DTC}/leadership"))["seats"]
        if seat["position"] == "member_at_large"
    ]
    assert numbers == [3, 4]
    await api.change(Election, election, cancelled_at=clock.now())
    ok(await set_seats(staff, "member_at_large", 1))


async def test_a_term_fits_into_a_seat_that_opened_and_not_into_one_that_closed(
    api: Api, staff: Someone
) -> None:
    await api.leader("Carla Chair", "chair")
    mary = await api.member("Mary Member")
    path, body = f"/communities/{DTC}/terms", TERM | {"person_id": str(mary.id)}
    ok(await staff.patch("/positions/chair", {"seats": 2}))
    ok(await staff.patch("/positions/chair", {"seats": 1}))
    assert code(await staff.post(path, body), 409) == "term.seat_taken"
    ok(await staff.patch("/positions/chair", {"seats": 2}))
    assert ok(await staff.post(path, body), 201)["seat"] == 2


async def test_a_position_of_the_association_opens_and_closes_seats_there(
    api: Api, staff: Someone
) -> None:
    await api.staff("Petra President", "president")
    vacant = ok(await api.get("/association/leadership"))["vacant_seats"]
    ok(await staff.patch("/positions/president", {"seats": 2}))
    assert ok(await api.get("/association/leadership"))["vacant_seats"] == vacant + 1
    refused = await staff.patch("/positions/president", {"seats": 0})
    assert code(refused, 409) == "seat.in_use" and refused.json()["communities"] == 0
    numbered = await staff.patch("/positions/staff", {"seats": 5})
    assert code(numbered, 409) == "seat.in_use"


async def test_seats_close_or_are_taken_and_never_both(api: Api, staff: Someone) -> None:
    mary = await api.member("Mary Member")
    body = TERM | {"position": "secretary", "person_id": str(mary.id)}
    tag = {"If-Match": "*"}
    async with Doors.to(api) as doors:
        answers = await at_once(
            (
                doors.at(staff, 0).patch("/positions/secretary", {"seats": 0}, headers=tag),
                doors.at(staff, 1).post(f"/communities/{DTC}/terms", body),
            )
        )
    assert outcomes(answers) in (
        {200: 1, (409, "term.seat_taken"): 1},
        {201: 1, (409, "seat.in_use"): 1},
    )
    held = ok(await mary.get(f"/communities/{DTC}/standing"))["positions"]
    assert len(held) == await seats_of(api, "secretary")


# Communities that deviate


async def test_a_community_that_deviates_keeps_its_number(api: Api, staff: Someone) -> None:
    carla = await api.leader("Carla Chair", "chair")
    assert because(await set_seats(carla, "member_at_large", 6)) == ["position_required"]
    async with leaves(api, ("community.seats_changed", staff)):
        shown = ok(await set_seats(staff, "member_at_large", 6))
    row = row_of(shown, "member_at_large")
    assert (row["seats"], row["usual_seats"], row["own_seats"]) == (6, 4, 6)
    ok(await staff.patch(AT_LARGE, {"seats": 2}))
    assert await seats_of(api, "member_at_large") == 6
    assert await seats_of(api, "member_at_large", WELLNESS) == 2
    ok(await set_seats(staff, "member_at_large", None))
    row = row_of(ok(await api.get(SEATS)), "member_at_large")
    assert (row["seats"], row["own_seats"]) == (2, None)


async def test_a_community_closes_no_seat_in_use_and_knows_no_other_positions(
    api: Api, staff: Someone
) -> None:
    await api.leader("Ann Large", "member_at_large")
    refused = await set_seats(staff, "member_at_large", 0)
    assert code(refused, 409) == "seat.in_use" and refused.json()["communities"] == 1
    for elsewhere in ("president", "staff", "convener", "emperor"):
        assert code(await set_seats(staff, elsewhere, 2), 404) == "not_found"
    ok(await set_seats(staff, "member_at_large", 1))


async def test_two_who_change_the_seats_are_told_of_each_other(api: Api, staff: Someone) -> None:
    path = f"{SEATS}/secretary"
    seen = {"If-Match": (await staff.get(SEATS)).headers["etag"]}
    assert code(await staff.put(path, {"seats": 2}), 428) == "precondition.required"
    ok(await staff.put(path, {"seats": 2}, headers=seen))
    assert code(await staff.put(path, {"seats": 3}, headers=seen), 412) == "precondition.failed"
    async with leaves(api):
        ok(await set_seats(staff, "secretary", 2))


async def test_an_archived_community_keeps_its_seats(api: Api, staff: Someone) -> None:
    ok(await staff.patch(f"/communities/{DTC}", {"status": "archived"}))
    assert code(await set_seats(staff, "secretary", 2), 409) == "community.archived"
    assert ok(await staff.get(SEATS))["viewer"]["can"] == []


# How positions stand to each other


@pytest.mark.parametrize(
    ("position", "patch", "refused"),
    [
        ("secretary", {"acts_for": "emperor"}, ("/acts_for", "not_known")),
        ("secretary", {"acts_for": "secretary"}, ("/acts_for", "not_known")),
        ("secretary", {"acts_for": "president"}, ("/acts_for", "position_unfit")),
        ("secretary", {"acts_for": "chair"}, ("/acts_for", "position_unfit")),
        ("chair", {"acts_for": "vice_chair"}, ("/acts_for", "position_unfit")),
        ("chair", {"held_with": "secretary", "seats": None}, ("/held_with", "position_unfit")),
        ("president", {"held_with": "emperor", "seats": None}, ("/held_with", "not_known")),
        ("president", {"held_with": "chair", "seats": None}, ("/held_with", "position_unfit")),
        ("governance_member", {"seats": 3}, ("/seats", "seats_of_another")),
        ("staff", {"held_with": "governance_member"}, ("/held_with", "position_unfit")),
    ],
)
async def test_positions_are_named_where_it_fits(
    api: Api, staff: Someone, position: str, patch: dict[str, Any], refused: tuple[str, str]
) -> None:
    async with leaves(api):
        assert wrong(await staff.patch(f"/positions/{position}", patch)) == [refused]


async def test_who_acts_for_whom_is_changed_by_those_who_may_give_rights(
    api: Api, staff: Someone
) -> None:
    petra = await api.staff("Petra President", "president")
    await grant(staff, petra, "grants:manage", "president")
    acts = {"acts_for": "vice_chair"}
    assert because(await staff.patch("/positions/secretary", acts)) == ["position_required"]
    assert because(await staff.post("/positions", TREASURER | {"acts_for": "secretary"})) == [
        "position_required"
    ]
    ok(await staff.patch("/positions/secretary", {"rank": 7}))
    sue = await api.leader("Sue Secretary", "secretary")
    assert ok(await sue.get(f"/communities/{DTC}/standing"))["positions"][0]["acting"] is False
    ok(await petra.patch("/positions/secretary", acts))
    held = ok(await sue.get(f"/communities/{DTC}/standing"))["positions"]
    assert {one["position"]: one["acting"] for one in held} == {
        "secretary": False,
        "vice_chair": True,
    }


async def test_an_office_that_moves_to_another_position_takes_no_last_holder_away(
    api: Api, staff: Someone
) -> None:
    petra = await api.staff("Petra President", "president")
    await grant(staff, petra, "grants:manage", "governance_chair")
    path, with_chair = "/positions/governance_chair", {"held_with": "chair"}
    async with leaves(api):
        assert code(await petra.patch(path, with_chair), 409) == "grant.last_holder"
    carla = await api.leader("Carla Chair", "chair")
    assert because(await carla.get("/grant-changes")) == ["position_required"]
    ok(await petra.patch(path, with_chair))
    ok(await carla.get("/grant-changes"))
    assert because(await petra.get("/grant-changes")) == ["position_required"]


@pytest.mark.parametrize(
    ("line", "another", "why"),
    [
        ("leadership_group,chair", "leadership_group,chief", "acts_for cannot be chief"),
        ("leadership_group,chair", "leadership_group,president", "acts_for cannot be president"),
        (",,president,,0", ",,governance_member,,0", "held_with cannot be governance_member"),
    ],
)
async def test_defaults_in_which_positions_do_not_fit_each_other_are_refused(
    tmp_path: Path, line: str, another: str, why: str
) -> None:
    folder = shutil.copytree(settings.SHIPPED_DEFAULTS, tmp_path / "defaults")
    lines = (folder / "positions.csv").read_text("utf-8")
    assert line in lines
    (folder / "positions.csv").write_text(lines.replace(line, another), "utf-8")
    url = f"sqlite:///{tmp_path / 'cop.sqlite3'}"
    migrations.migrate(url)
    database = Database(url)
    with pytest.raises(DefaultsInvalid, match=why):
        async with database.work() as work:
            await seeding.load(work, folder)
    await database.close()
