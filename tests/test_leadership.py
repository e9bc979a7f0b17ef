"""Seats that nobody exercises, those who act in them, days that are over, and what the log says."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import time_machine
from sqlmodel import col

from app import clock
from app.models import (
    Activity,
    ActorKind,
    Association,
    Community,
    Grant,
    Membership,
    Position,
)
from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day, on, text_of

LEADERSHIP = f"/communities/{DTC}/leadership"
TERMS = f"/communities/{DTC}/terms"
QUEUE = f"/communities/{DTC}/review-queue"
ACTS = f"/communities/{DTC}/audit-log"
# What a chair may do and a vice chair may not: name who acts.
SECRETARY = "secretary"


def term_of(someone: Someone, position: str = "chair", **changed: Any) -> dict[str, Any]:
    return {
        "person_id": str(someone.id),
        "position": position,
        "starts_on": day(0),
        "ends_on": day(729),
        "basis": "election",
    } | changed


async def seat(api: Api, position: str, number: int = 1, **options: Any) -> dict[str, Any]:
    """A seat of the Leadership Group, as strangers see it."""
    found = ok(await api.get(LEADERSHIP, **options))["seats"]
    (one,) = [s for s in found if (s["position"], s["seat"]) == (position, number)]
    return one


def name_of(holder: dict[str, Any] | None) -> str | None:
    return holder and holder["person"]["name"]


async def who(api: Api, position: str) -> tuple[str, str | None, str | None]:
    """A seat in three words: its state, who holds it, and who acts in it."""
    found = await seat(api, position)
    return found["state"], name_of(found["holder"]), name_of(found["acting_holder"])


async def held(someone: Someone) -> dict[str, tuple[bool, str | None]]:
    """The positions that count for somebody here: whether they act in it, and for whom."""
    found = ok(await someone.get(f"/communities/{DTC}/standing"))["positions"]
    return {one["position"]: (one["acting"], one["for_person_id"]) for one in found}


async def said(api: Api, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    """What the log has said of these kinds, in the order of saying it."""
    rows = await api.read(
        sa.select(Activity.kind, Activity.facts)
        .where(col(Activity.kind).in_(kinds))
        .order_by(col(Activity.id))
    )
    return [(row.kind, row.facts) for row in rows]


# Acting by rule


async def test_the_vice_chair_acts_the_moment_the_chair_resigns(api: Api) -> None:
    carla, vera = await api.leader("Carla", "chair"), await api.leader("Vera", "vice_chair")
    mary = await api.member("Mary Member")
    assert await held(vera) == {"vice_chair": (False, None)}
    vacant = (await seat(api, SECRETARY))["id"]
    naming = {"person_id": str(mary.id)}
    assert because(await vera.put(f"/seats/{vacant}/acting-holder", naming)) == [
        "position_required"
    ]
    ok(await carla.post(f"/terms/{carla.terms['chair']}/resignation", {}), 201)
    assert await who(api, "chair") == ("acting", None, "Vera")
    assert await held(vera) == {"vice_chair": (False, None), "chair": (True, None)}
    ok(await vera.put(f"/seats/{vacant}/acting-holder", naming))
    assert code(await carla.get(QUEUE), 403) == "permission.denied"


async def test_who_acts_stops_the_moment_the_seat_is_filled(api: Api) -> None:
    vera, mary = await api.leader("Vera", "vice_chair"), await api.member("Mary Member")
    staff = await api.staff()
    assert await who(api, "chair") == ("acting", None, "Vera")
    ok(await staff.post(TERMS, term_of(mary)), 201)
    assert await who(api, "chair") == ("held", "Mary Member", None)
    assert await held(vera) == {"vice_chair": (False, None)}


async def test_nobody_acts_where_the_vice_chair_cannot(api: Api) -> None:
    vera = await api.leader("Vera", "vice_chair", ends=-1)
    assert await who(api, "chair") == ("vacant", None, None)
    assert await held(vera) == {}


async def test_another_association_says_who_acts_in_its_data(api: Api) -> None:
    vera, sue = await api.leader("Vera", "vice_chair"), await api.leader("Sue", SECRETARY)
    async with api.database.work() as work:
        (await work.get_one(Position, "vice_chair")).acts_for = None
        (await work.get_one(Position, SECRETARY)).acts_for = "chair"
    assert await who(api, "chair") == ("acting", None, "Sue")
    api.database.reader.remembered.clear()
    assert set(await held(sue)) == {SECRETARY, "chair"}
    assert set(await held(vera)) == {"vice_chair"}


async def test_a_suspended_chair_is_acted_for_and_the_log_names_both(api: Api) -> None:
    carla, vera = await api.leader("Carla", "chair"), await api.leader("Vera", "vice_chair")
    staff, mary = await api.staff(), await api.member("Mary Member")
    path = f"/memberships/{carla.memberships[DTC]}/suspension"
    ok(await staff.put(path, {"until_on": day(3), "reason": "A complaint."}))
    assert await held(vera) == {"vice_chair": (False, None), "chair": (True, str(carla.id))}
    vacant = (await seat(api, SECRETARY))["id"]
    ok(await vera.put(f"/seats/{vacant}/acting-holder", {"person_id": str(mary.id)}))
    record = ok(await vera.get(ACTS))["items"][0]
    assert (record["kind"], record["actor"]["name"]) == ("term.started", "Vera")
    assert record["acting"] == {"position": "chair", "for_person_id": str(carla.id)}
    ok(await staff.delete(path), 204)
    assert await held(vera) == {"vice_chair": (False, None)}


async def test_what_ones_own_position_allows_is_not_done_as_acting(api: Api) -> None:
    vera, mary = await api.leader("Vera", "vice_chair"), await api.member("Mary Member")
    path = f"/memberships/{mary.memberships[DTC]}/suspension"
    ok(await vera.put(path, {"until_on": day(3), "reason": "A complaint."}))
    record = ok(await vera.get(ACTS))["items"][0]
    assert (record["kind"], record["acting"]) == ("membership.suspended", None)


# Absence


async def test_an_absent_chair_rests_and_the_vice_chair_acts_until_the_chair_is_back(
    api: Api,
) -> None:
    carla, vera = await api.leader("Carla", "chair"), await api.leader("Vera", "vice_chair")
    path = f"/terms/{carla.terms['chair']}/absence"
    async with leaves(api, ("absence.declared", carla)):
        body = {"starts_on": day(0), "ends_on": day(20), "reason": "A leave."}
        found = ok(await carla.put(path, body))
    assert found["absence"] == {"starts_on": day(0), "ends_on": day(20)}
    assert await who(api, "chair") == ("acting", "Carla", "Vera")
    assert await held(vera) == {"vice_chair": (False, None), "chair": (True, str(carla.id))}
    assert because(await carla.get(QUEUE)) == ["holder_absent"]
    ok(await vera.get(QUEUE))
    async with leaves(api, ("absence.ended", carla)):
        ok(await carla.delete(path), 204)
    ok(await carla.get(QUEUE))
    assert await who(api, "chair") == ("held", "Carla", None)
    assert code(await carla.delete(path), 404) == "not_found"


async def test_an_absence_begins_and_ends_by_the_calendar(api: Api) -> None:
    carla, vera = await api.leader("Carla", "chair"), await api.leader("Vera", "vice_chair")
    days = {"starts_on": day(2), "ends_on": day(4)}
    ok(await carla.put(f"/terms/{carla.terms['chair']}/absence", days))
    acts = {}
    for offset in (0, 1, 2, 4, 5):
        found = ok(await carla.get(LEADERSHIP, params={"as_of": day(offset)}))["seats"]
        acts[offset] = name_of(found[0]["acting_holder"])
    assert acts == {0: None, 1: None, 2: "Vera", 4: "Vera", 5: None}
    assert set(await held(vera)) == {"vice_chair"}


async def test_one_declares_ones_own_absence_and_not_anothers(api: Api) -> None:
    carla, vera = await api.leader("Carla", "chair"), await api.leader("Vera", "vice_chair")
    staff, stranger = await api.staff(), await api.person("Nobody Here")
    path, body = f"/terms/{carla.terms['chair']}/absence", {"starts_on": day(1)}
    assert because(await vera.put(path, body)) == ["position_required"]
    assert code(await stranger.put(path, body), 404) == "not_found"
    ok(await staff.put(path, body))
    assert wrong(await carla.put(path, {"starts_on": day(-1)})) == [
        ("/starts_on", "day_in_the_past")
    ]
    backwards = {"starts_on": day(2), "ends_on": day(1)}
    assert wrong(await carla.put(path, backwards)) == [("/ends_on", "day_before_start")]


# Acting by name


async def test_a_named_acting_holder_goes_before_the_rule(api: Api) -> None:
    vera, mary = await api.leader("Vera", "vice_chair"), await api.member("Mary Member")
    staff = await api.staff()
    path = f"/seats/{(await seat(api, 'chair'))['id']}/acting-holder"
    async with leaves(api, ("term.started", staff)):
        named = ok(await staff.put(path, {"person_id": str(mary.id), "ends_on": day(30)}))
    assert (named["basis"], named["position"]) == ("acting", "chair")
    assert await who(api, "chair") == ("acting", None, "Mary Member")
    assert await held(vera) == {"vice_chair": (False, None)}
    assert await held(mary) == {"chair": (True, None)}
    ok(await mary.get(QUEUE))
    ok(await staff.delete(path), 204)
    assert await who(api, "chair") == ("acting", None, "Vera")
    assert code(await mary.get(QUEUE), 403) == "permission.denied"
    assert code(await staff.delete(path), 404) == "not_found"


async def test_nobody_acts_for_a_holder_who_is_there(api: Api) -> None:
    carla, mary = await api.leader("Carla", "chair"), await api.member("Mary Member")
    staff = await api.staff()
    path = f"/seats/{(await seat(api, 'chair'))['id']}/acting-holder"
    body = {"person_id": str(mary.id)}
    assert code(await staff.put(path, body), 409) == "seat.occupied"
    away = {"starts_on": day(5), "ends_on": day(9)}
    ok(await carla.put(f"/terms/{carla.terms['chair']}/absence", away))
    ok(await staff.put(path, body | {"starts_on": day(5), "ends_on": day(9)}))
    assert await who(api, "chair") == ("held", "Carla", None)
    found = ok(await staff.get(LEADERSHIP, params={"as_of": day(7)}))["seats"][0]
    assert name_of(found["acting_holder"]) == "Mary Member"


async def test_only_members_act_and_nobody_names_oneself(api: Api) -> None:
    carla, staff = await api.leader("Carla", "chair"), await api.staff()
    stranger, vera = await api.person("Nobody Here"), await api.leader("Vera", "vice_chair")
    path = f"/seats/{(await seat(api, SECRETARY))['id']}/acting-holder"
    assert code(await carla.put(path, {"person_id": str(carla.id)}), 403) == "term.own"
    not_here = await staff.put(path, {"person_id": str(stranger.id)})
    assert code(not_here, 409) == "term.not_a_member"
    assert because(await vera.put(path, {"person_id": str(carla.id)})) == ["position_required"]
    ok(await carla.put(path, {"person_id": str(vera.id)}))
    assert await who(api, SECRETARY) == ("acting", None, "Vera")


# Vacancies


async def test_a_vacancy_says_what_emptied_it_and_when_to_those_who_may_know(api: Api) -> None:
    carla, mary = await api.leader("Carla", "chair"), await api.member("Mary Member")
    staff = await api.staff()
    path = f"/communities/{DTC}/vacancies"
    assert "chair" not in {one["position"] for one in ok(await mary.get(path))["items"]}
    removed = {"reason": "Moved away."}
    ok(await staff.post(f"/terms/{carla.terms['chair']}/removal", removed), 201)
    found = ok(await mary.get(path))["items"][0]
    assert (found["position"], found["since_on"], found["cause"]) == ("chair", day(0), "removed")
    assert found["last_term_id"] == str(carla.terms["chair"])
    public = ok(await api.get(path))["items"][0]
    assert (public["position"], public["since_on"]) == ("chair", day(0))
    assert (public["cause"], public["last_term_id"], public["next_term"]) == (None, None, None)
    later = term_of(mary, starts_on=day(10))
    ok(await staff.post(TERMS, later), 201)
    found = ok(await mary.get(path))["items"][0]
    assert name_of(found["next_term"]) == "Mary Member"


async def test_a_seat_is_vacant_since_the_membership_or_the_term_was_over(api: Api) -> None:
    carla, mary = await api.leader("Carla", "chair"), await api.member("Mary Member")
    await api.leader("Paula Past", SECRETARY, ends=-10)
    await api.change(Membership, carla.memberships[DTC], until_on=on(-4))
    found = ok(await mary.get(f"/communities/{DTC}/vacancies"))["items"]
    causes = {(one["position"], one["seat"]): (one["since_on"], one["cause"]) for one in found}
    assert causes["chair", 1] == (day(-3), "lapsed")
    assert causes[SECRETARY, 1] == (day(-9), "completed")
    assert causes["member_at_large", 4][1] == "never_held"
    term = ok(await carla.get(f"/terms/{carla.terms['chair']}"))
    assert term["status"] == "lapsed"


async def test_a_lapsed_holder_does_not_stand_in_the_way_of_the_next(api: Api) -> None:
    carla, mary = await api.leader("Carla", "chair"), await api.member("Mary Member")
    staff = await api.staff()
    await api.change(Membership, carla.memberships[DTC], until_on=on(-1))
    async with leaves(api, ("term.started", staff), ("term.lapsed", ActorKind.SYSTEM)):
        ok(await staff.post(TERMS, term_of(mary)), 201)
    assert await who(api, "chair") == ("held", "Mary Member", None)


# Fitness


async def test_two_terms_in_a_row_need_an_exception_with_its_reason(api: Api) -> None:
    staff = await api.staff()
    paula = await api.leader("Paula Past", "chair", starts=-800, ends=-100)
    again = term_of(paula)
    assert code(await staff.post(TERMS, again), 409) == "term.consecutive"
    ok(await staff.post(TERMS, term_of(paula, SECRETARY, ends_on=day(20))), 201)
    excepted = again | {"starts_on": day(30), "exception_reason": "Nobody else stood."}
    recorded = ok(await staff.post(TERMS, excepted), 201)
    assert recorded["exception_reason"] == "Nobody else stood."
    assert ok(await paula.get(f"/terms/{recorded['id']}"))["exception_reason"] is not None


async def test_after_a_year_of_rest_one_may_serve_again(api: Api) -> None:
    staff = await api.staff()
    rested = await api.leader("Rita Rested", "chair", starts=-1000, ends=-400)
    ok(await staff.post(TERMS, term_of(rested)), 201)


async def test_a_term_recorded_before_another_is_consecutive_too(api: Api) -> None:
    staff = await api.staff()
    fay = await api.leader("Fay Future", "chair", starts=200, ends=900)
    earlier = term_of(fay, ends_on=day(100))
    assert code(await staff.post(TERMS, earlier), 409) == "term.consecutive"


async def test_a_position_may_ask_for_a_category_and_for_time(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    async with api.database.work() as work:
        chair = await work.get_one(Position, "chair")
        chair.eligible_categories, chair.member_for_days = ["academic"], 30
    assert code(await staff.post(TERMS, term_of(mary)), 409) == "term.not_eligible"
    await api.change(Membership, mary.memberships[DTC], category="academic", since_on=on(-29))
    assert code(await staff.post(TERMS, term_of(mary)), 409) == "term.not_eligible"
    await api.change(Membership, mary.memberships[DTC], since_on=on(-30))
    ok(await staff.post(TERMS, term_of(mary)), 201)


async def test_a_year_in_which_most_seats_end_is_pointed_out_and_not_refused(api: Api) -> None:
    staff, warned = await api.staff(), []
    last = on(400).replace(month=6, day=30).isoformat()
    for number in range(1, 5):
        body = term_of(await api.member(f"Member {number}"), "member_at_large", ends_on=last)
        found = ok(await staff.post(TERMS, body), 201)
        warned.append([one["code"] for one in found["warnings"]])
    chair = term_of(await api.member("Carla"), ends_on=last)
    found = ok(await staff.post(TERMS, chair), 201)
    assert warned == [[], [], [], []]
    assert [one["code"] for one in found["warnings"]] == ["terms_end_together"]
    assert last[:4] in found["warnings"][0]["detail"]["fr"]
    long = term_of(await api.member("Sue"), SECRETARY, ends_on=day(1000))
    warnings = ok(await staff.post(TERMS, long), 201)["warnings"]
    assert [one["code"] for one in warnings] == ["term_longer_than_usual"]


async def test_a_successor_accompanies_the_holder_without_rights(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    await api.leader("Carla", "chair", ends=20)
    body = term_of(mary, starts_on=day(21), handover_from=day(-3))
    assert ok(await staff.post(TERMS, body), 201)["handover_from"] == day(-3)
    assert await held(mary) == {}
    assert await who(api, "chair") == ("held", "Carla", None)
    late = body | {"handover_from": day(22)}
    assert wrong(await staff.post(TERMS, late)) == [("/handover_from", "day_before_start")]


# Annulment


async def test_a_term_recorded_in_error_is_annulled_and_never_was(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla", "chair")
    mary = await api.member("Mary Member")
    path = f"/terms/{carla.terms['chair']}/annulment"
    error = {"reason": "The wrong Carla."}
    assert because(await mary.post(path, error)) == ["position_required"]
    async with leaves(api, ("term.annulled", staff)):
        assert ok(await staff.post(path, error), 201)["status"] == "annulled"
    assert await who(api, "chair") == ("vacant", None, None)
    ok(await staff.post(TERMS, term_of(mary, starts_on=day(-30))), 201)
    past = ok(await mary.get(LEADERSHIP, params={"as_of": day(-15)}))["seats"][0]
    assert name_of(past["holder"]) == "Mary Member"
    assert code(await staff.post(path, error), 409) == "term.ended"
    own = await api.staff("Sonia Staff")
    refused = await own.post(f"/terms/{own.terms['staff']}/annulment", error)
    assert code(refused, 403) == "term.own"


# As of a day


async def test_who_led_on_a_day_is_told_to_members_and_today_to_all(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    await api.leader("Paula Past", "chair", starts=-350, ends=-100)
    await api.leader("Carla", "chair", starts=-50, ends=300)
    fay = await api.member("Fay Future")
    ok(await staff.post(TERMS, term_of(fay, starts_on=day(301), ends_on=day(900))), 201)
    led = {}
    for offset in (-351, -350, -100, -99, -50, 0, 300, 301):
        found = ok(await mary.get(LEADERSHIP, params={"as_of": day(offset)}))
        assert found["as_of"] == day(offset)
        led[offset] = name_of(found["seats"][0]["holder"]) if found["seats"] else None
    assert list(led.values()) == [
        None,
        "Paula Past",
        "Paula Past",
        None,
        "Carla",
        "Carla",
        "Carla",
        "Fay Future",
    ]
    assert because(await (await api.person("Nobody")).get(LEADERSHIP, params={"as_of": day(-1)}))
    assert code(await api.get(LEADERSHIP, params={"as_of": day(-1)}), 401) == "auth.required"
    ok(await api.get(LEADERSHIP, params={"as_of": day(0)}))


async def test_a_holder_who_was_removed_led_on_the_day_before(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla", "chair")
    ok(await staff.post(f"/terms/{carla.terms['chair']}/removal", {"reason": "Moved."}), 201)
    for offset, name in ((-1, "Carla"), (0, None)):
        found = ok(await staff.get(LEADERSHIP, params={"as_of": day(offset)}))
        assert name_of(found["seats"][0]["holder"]) == name


async def test_a_standing_as_of_a_day_says_what_one_could_have_done(api: Api) -> None:
    paula = await api.leader("Paula Past", "chair", starts=-400, ends=-100)
    path = f"/communities/{DTC}/standing"
    then = ok(await paula.get(path, params={"as_of": day(-100)}))
    assert (then["as_of"], "posts:moderate" in then["can"]) == (day(-100), True)
    after = ok(await paula.get(path, params={"as_of": day(-99)}))
    assert "posts:moderate" not in after["can"]
    (why,) = [one for one in after["cannot"] if one["capability"] == "posts:moderate"]
    assert [reason["code"] for reason in why["because"]] == ["position_required", "term_ended"]
    assert why["because"][1]["until"] == day(-100)
    assert day(-100) in why["because"][1]["detail"]
    before = ok(await paula.get(path, params={"as_of": day(-401)}))
    assert before["membership"] is None


async def test_why_not_names_a_term_that_is_still_to_come(api: Api) -> None:
    fay = await api.leader("Fay Future", "chair", starts=5, ends=300)
    found = ok(await fay.get(f"/communities/{DTC}/standing"))["cannot"]
    (why,) = [one["because"] for one in found if one["capability"] == "posts:moderate"]
    assert [reason["code"] for reason in why] == ["position_required", "term_not_begun"]
    assert why[1]["from_on"] == day(5)


# Offices that come with a position


async def test_each_chair_sits_on_the_governance_committee_while_chair(api: Api) -> None:
    carla, president = await api.leader("Carla", "chair"), await api.staff("Petra", "president")
    cleo = await api.leader("Cleo", "chair", WELLNESS)

    async def sitting() -> list[str]:
        found = ok(await president.get("/association/leadership"))["seats"]
        return [
            name_of(one["holder"])
            for one in found
            if one["position"] == "governance_member" and one["holder"]
        ]

    assert sorted(await sitting()) == ["Carla", "Cleo"]
    found = ok(await api.get("/association/leadership"))["seats"]
    (chair,) = [one for one in found if one["position"] == "governance_chair"]
    assert name_of(chair["holder"]) == "Petra"
    assert (chair["holder"]["basis"], chair["held_with"]["position"]) == (
        "ex_officio",
        "president",
    )
    ok(await cleo.post(f"/terms/{cleo.terms['chair']}/resignation", {}), 201)
    assert await sitting() == ["Carla"]
    (office,) = ok(await carla.get(f"/communities/{WELLNESS}/standing"))["offices"]
    assert office["position"] == "governance_member"


async def test_an_office_that_comes_with_a_position_is_not_given_by_hand(api: Api) -> None:
    """A stored role outside the assignable set passed the checks (HumHub PR 8376)."""
    staff, mary = await api.staff(), await api.member("Mary Member")
    office = term_of(mary, "governance_member")
    for path in ("/association/terms", TERMS):
        assert wrong(await staff.post(path, office)) == [("/position", "not_known")]
    by_hand = term_of(mary, basis="ex_officio")
    assert wrong(await staff.post(TERMS, by_hand)) == [("/basis", "not_known")]


async def test_a_last_day_to_come_hides_nobody(api: Api) -> None:
    """It hid a sitting officer, who was compared with null only (Decidim #4208)."""
    carla = await api.leader("Carla", "chair", ends=0)
    assert await who(api, "chair") == ("held", "Carla", None)
    assert set(await held(carla)) == {"chair"}


async def test_an_office_gives_what_the_table_gives_it_everywhere(api: Api) -> None:
    carla = await api.leader("Carla", "chair")
    path = f"/communities/{WELLNESS}/audit-log"
    assert because(await carla.get(path)) == ["position_required"]
    async with api.database.work() as work:
        work.add(Grant(capability="audit:read", grantee="governance_member"))
        (await work.get_one(Association, 1)).grants_version += 1
    ok(await carla.get(path))
    ok(await carla.post(f"/terms/{carla.terms['chair']}/resignation", {}), 201)
    assert because(await carla.get(path)) == ["position_required"]


async def test_a_restricted_communitys_chair_is_not_named_to_outsiders(api: Api) -> None:
    await api.leader("Judge Carla", "chair", ROUNDTABLE)
    for asks in (api, await api.member("Mary Member")):
        found = (await asks.get("/association/leadership")).text
        assert "Judge Carla" not in found
        front = ok(await asks.get(f"/communities/{ROUNDTABLE}/leadership"))["seats"][0]
        assert (front["state"], front["holder"]) == ("held", None)
    await api.change(Community, await api.community_id(ROUNDTABLE), publishes_leadership=True)
    assert "Judge Carla" in (await api.get("/association/leadership")).text


# What the calendar says


async def test_a_planned_term_is_announced_on_its_first_day_once(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    ok(await staff.post(TERMS, term_of(mary, starts_on=day(3))), 201)
    await api.announce()
    assert [kind for kind, _ in await said(api, "term.planned", "term.started")][-1] == (
        "term.planned"
    )
    with time_machine.travel(clock.now() + timedelta(days=5)):  # it was down over that day
        for _ in range(2):
            await api.announce()
        ((_, facts),) = [
            one for one in await said(api, "term.started") if one[1]["person_id"] == str(mary.id)
        ]
        filled = await said(api, "vacancy.filled")
        sent = await api.work_off()
    assert facts["starts_on"] == day(3)
    assert [one["person_id"] for _, one in filled] == [str(mary.id)]
    begun = [mail for mail in sent if mary.email in mail["To"] and "begun" in mail["Subject"]]
    assert len(begun) == 1


async def test_the_end_of_a_term_is_announced_90_30_and_7_days_before_and_after(api: Api) -> None:
    carla = await api.leader("Carla", "chair", ends=100)
    await api.announce()
    days = []
    for offset in (0, 10, 11, 70, 93, 95, 100, 101, 102):
        with time_machine.travel(clock.now() + timedelta(days=offset)):
            await api.announce()
        days.append(len(await said(api, "term.ending_soon")))
    assert days == [0, 1, 1, 2, 3, 3, 3, 3, 3]
    soon = [facts["days"] for _, facts in await said(api, "term.ending_soon")]
    assert soon == [90, 30, 7]
    ((_, ended),) = await said(api, "term.ended")
    assert ended["person_id"] == str(carla.id)
    ((_, vacancy),) = await said(api, "vacancy.opened")
    assert (vacancy["cause"], vacancy["since_on"]) == ("completed", day(101))


async def test_a_term_recorded_late_skips_the_marks_that_were_passed(api: Api) -> None:
    await api.leader("Carla", "chair", ends=5)
    for _ in range(2):
        await api.announce()
    assert [facts["days"] for _, facts in await said(api, "term.ending_soon")] == [5]


async def test_who_begins_and_stops_acting_is_announced_with_both_names(api: Api) -> None:
    carla, vera = await api.leader("Carla", "chair"), await api.leader("Vera", "vice_chair")
    await api.announce()
    path = f"/terms/{carla.terms['chair']}/absence"
    ok(await carla.put(path, {"starts_on": day(0)}))
    await api.announce()
    ((_, started),) = await said(api, "acting.started")
    assert (started["person_id"], started["for_person_id"]) == (str(vera.id), str(carla.id))
    sent = [mail for mail in await api.work_off() if vera.email in mail["To"]]
    assert any("Carla" in text_of(mail) for mail in sent)
    ok(await carla.delete(path), 204)
    for _ in range(2):
        await api.announce()
    assert [kind for kind, _ in await said(api, "acting.ended")] == ["acting.ended"]
    assert await said(api, "vacancy.opened") == []


async def test_a_handover_at_midnight_leaves_no_vacancy(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    await api.leader("Carla", "chair", ends=1)
    ok(await staff.post(TERMS, term_of(mary, starts_on=day(2))), 201)
    await api.announce()
    with time_machine.travel(clock.now() + timedelta(days=2)):
        await api.announce()
        assert await who(api, "chair") == ("held", "Mary Member", None)
    assert await said(api, "vacancy.opened") == []
