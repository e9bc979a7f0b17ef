"""Seats and the terms by which they are held."""

from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.models import ActorKind, Community, CommunityStatus, Membership, Term
from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, WELLNESS, Api, Someone, day, mail_to, text_of, unknown_id

TERMS = f"/communities/{DTC}/terms"
REASON = {"reason": "Left the court."}


def term_of(someone: Someone, position: str = "chair", **changed: Any) -> dict[str, Any]:
    return {
        "person_id": str(someone.id),
        "position": position,
        "starts_on": day(0),
        "ends_on": day(729),
        "basis": "election",
    } | changed


async def seats(api: Api, community: str = DTC) -> dict[str, Any]:
    """The Leadership Group as strangers see it: position and seat to the holder's name."""
    found = ok(await api.get(f"/communities/{community}/leadership"))
    held = {
        (seat["position"], seat["seat"]): seat["holder"] and seat["holder"]["person"]["name"]
        for seat in found["seats"]
    }
    assert found["vacant_seats"] == sum(1 for name in held.values() if name is None)
    assert found["vacant_seats"] == ok(await api.get(f"/communities/{community}"))["vacant_seats"]
    return held


# Who may begin one, and for whom


async def test_staff_and_the_president_appoint_and_a_chair_does_not(api: Api) -> None:
    staff, president = await api.staff(), await api.staff("Petra President", "president")
    carla, mary = await api.leader("Carla Chair", "chair"), await api.member("Mary Member")
    olga = await api.member("Olga Officer")
    refused = await carla.post(TERMS, term_of(mary, "secretary"))
    assert because(refused) == ["position_required"]
    assert refused.json()["because"][0]["positions"] == ["president", "staff"]
    async with leaves(api, ("term.started", staff)):
        ok(await staff.post(TERMS, term_of(mary, "secretary")), 201)
    async with leaves(api, ("term.planned", president)):
        later = term_of(olga, "vice_chair", starts_on=day(1))
        ok(await president.post(TERMS, later), 201)


async def test_nobody_appoints_or_removes_oneself(api: Api) -> None:
    staff, other = await api.staff(), await api.staff("Sonia Staff")
    await api.join(staff)
    assert code(await staff.post(TERMS, term_of(staff)), 403) == "term.own"
    office = term_of(staff, "president")
    assert code(await staff.post("/association/terms", office), 403) == "term.own"
    own = f"/terms/{staff.terms['staff']}/removal"
    assert code(await staff.post(own, REASON), 403) == "term.own"
    ok(await other.post(TERMS, term_of(staff)), 201)
    ok(await other.post(own, REASON), 201)


async def test_only_members_hold_seats_and_an_unknown_person_is_told_the_same(api: Api) -> None:
    staff, stranger = await api.staff(), await api.person("Nobody Here")
    left, elsewhere = await api.member("Lee Left"), await api.member("Ella Elsewhere", WELLNESS)
    await api.ended_membership(left)
    ghost = term_of(stranger, person_id=str(unknown_id()))
    for body in (term_of(stranger), term_of(left), term_of(elsewhere), ghost):
        assert code(await staff.post(TERMS, body), 409) == "term.not_a_member"
    await api.join(stranger)
    ok(await staff.post(TERMS, term_of(stranger)), 201)


async def test_an_account_that_was_switched_off_gets_no_seat_and_opens_the_one_it_held(
    api: Api,
) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    assert (await seats(api))["chair", 1] == "Carla Chair"
    ok(await staff.put(f"/people/{carla.id}/deactivation"), 204)
    assert (await seats(api))["chair", 1] is None
    again = await staff.post(TERMS, term_of(carla, "secretary", starts_on=day(400)))
    assert code(again, 409) == "term.not_a_member"
    ok(await staff.delete(f"/people/{carla.id}/deactivation"), 204)
    assert (await seats(api))["chair", 1] == "Carla Chair"


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"position": "staff"}, ("/position", "not_known")),
        ({"position": "president"}, ("/position", "not_known")),
        ({"position": "emperor"}, ("/position", "not_known")),
        ({"ends_on": None}, ("/ends_on", "days_required")),
        ({"ends_on": day(-1), "starts_on": day(0)}, ("/ends_on", "day_before_start")),
        ({"ends_on": day(-1), "starts_on": day(-2)}, ("/ends_on", "day_in_the_past")),
        ({"ends_on": day(4000)}, ("/ends_on", "day_too_far")),
        ({"starts_on": day(4000), "ends_on": day(4001)}, ("/starts_on", "day_too_far")),
    ],
)
async def test_a_term_needs_a_position_of_this_place_and_days_that_make_sense(
    api: Api, changed: dict[str, Any], found: tuple[str, str]
) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    assert wrong(await staff.post(TERMS, term_of(mary) | changed)) == [found]
    ok(await staff.post(TERMS, term_of(mary)), 201)


async def test_a_communitys_position_is_not_held_in_the_association(api: Api) -> None:
    staff, mary = await api.staff(), await api.person("Mary Member")
    chair = await staff.post("/association/terms", term_of(mary, "chair"))
    assert wrong(chair) == [("/position", "not_known")]
    open_ended = term_of(mary, "staff", ends_on=None)
    assert ok(await staff.post("/association/terms", open_ended), 201)["ends_on"] is None


# Seats


async def test_a_seat_is_held_once_and_a_person_holds_one_seat(api: Api) -> None:
    staff, mary, olga = await api.staff(), await api.member("Mary"), await api.member("Olga")
    ok(await staff.post(TERMS, term_of(mary)), 201)
    assert code(await staff.post(TERMS, term_of(olga)), 409) == "term.seat_taken"
    overlapping = term_of(olga, starts_on=day(729), ends_on=day(800))
    assert code(await staff.post(TERMS, overlapping), 409) == "term.seat_taken"
    second = term_of(mary, "secretary")
    assert code(await staff.post(TERMS, second), 409) == "term.person_holds_seat"
    ok(await staff.post(TERMS, overlapping | {"starts_on": day(730)}), 201)


async def test_one_may_hold_seats_in_two_communities(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    await api.join(carla, WELLNESS)
    ok(await staff.post(f"/communities/{WELLNESS}/terms", term_of(carla)), 201)


async def test_four_members_at_large_and_no_fifth(api: Api) -> None:
    staff = await api.staff()
    for number in range(1, 5):
        at_large = term_of(await api.member(f"Member {number}"), "member_at_large")
        assert ok(await staff.post(TERMS, at_large), 201)["seat"] == number
    fifth = term_of(await api.member("Member 5"), "member_at_large")
    assert code(await staff.post(TERMS, fifth), 409) == "term.seat_taken"


async def test_past_and_planned_holders_take_no_seat_today(api: Api) -> None:
    """Admidio counted them (A #1960)."""
    staff, mary = await api.staff(), await api.member("Mary Member")
    await api.leader("Paula Past", "chair", starts=-700, ends=-1)
    await api.leader("Fay Future", "chair", starts=100, ends=800)
    assert (await seats(api))["chair", 1] is None
    ok(await staff.post(TERMS, term_of(mary, ends_on=day(99))), 201)
    assert (await seats(api))["chair", 1] == "Mary Member"


async def test_a_new_term_changes_no_other_term(api: Api) -> None:
    """Adding a role reset the last days of all others (A #374)."""
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    before = ok(await staff.get(f"/terms/{carla.terms['chair']}"))
    ok(await staff.post(TERMS, term_of(await api.member("Mary"), "secretary")), 201)
    after_it = term_of(carla, "secretary", starts_on=day(800), ends_on=day(900))
    ok(await staff.post(TERMS, after_it), 201)
    assert ok(await staff.get(f"/terms/{carla.terms['chair']}")) == before


async def test_every_seat_is_shown_held_or_vacant(api: Api) -> None:
    assert set((await seats(api)).values()) == {None}
    for position in ("chair", "vice_chair", "secretary", "member_at_large"):
        await api.leader(f"Leader {position}", position)
    held = await seats(api)
    assert list(held) == [
        ("chair", 1),
        ("vice_chair", 1),
        ("secretary", 1),
        *(("member_at_large", seat) for seat in range(1, 5)),
    ]
    assert [name for name in held.values() if name is None] == [None] * 3


async def test_a_suspended_holder_keeps_the_seat_and_loses_its_rights(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    path = f"/memberships/{carla.memberships[DTC]}/suspension"
    ok(await staff.put(path, {"until_on": day(3), "reason": "A complaint."}))
    assert (await seats(api))["chair", 1] == "Carla Chair"
    refused = await carla.get(f"/communities/{DTC}/review-queue")
    assert because(refused) == ["membership_suspended"]
    assert refused.json()["because"][0]["until"] == day(3)


# Ends


async def test_a_removal_takes_the_rights_and_frees_the_seat_on_the_same_day(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    mary = await api.member("Mary Member")
    ok(await carla.get(f"/communities/{DTC}/review-queue"))
    async with leaves(api, ("term.removed", staff)):
        removed = ok(await staff.post(f"/terms/{carla.terms['chair']}/removal", REASON), 201)
    assert (removed["status"], removed["end_reason"]) == ("removed", "Left the court.")
    assert code(await carla.get(f"/communities/{DTC}/review-queue"), 403) == "permission.denied"
    assert (await seats(api))["chair", 1] is None
    ok(await staff.post(TERMS, term_of(mary)), 201)
    assert (await seats(api))["chair", 1] == "Mary Member"
    again = await staff.post(f"/terms/{carla.terms['chair']}/removal", REASON)
    assert code(again, 409) == "term.ended"
    notice = mail_to(await api.work_off(), carla.email)
    assert "Left the court." in text_of(notice)


async def test_a_planned_term_can_be_called_off_and_then_never_begins(api: Api) -> None:
    staff = await api.staff()
    fay = await api.leader("Fay Future", "chair", starts=5)
    assert code(await fay.post(f"/terms/{fay.terms['chair']}/resignation", {}), 409) == (
        "term.not_begun"
    )
    ok(await staff.post(f"/terms/{fay.terms['chair']}/removal", REASON), 201)
    other = term_of(await api.member("Mary Member"), starts_on=day(5))
    ok(await staff.post(TERMS, other), 201)


async def test_a_holder_resigns_and_nobody_does_it_for_them(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    mary, stranger = await api.member("Mary Member"), await api.person("Nobody Here")
    path = f"/terms/{carla.terms['chair']}/resignation"
    assert because(await staff.post(path, REASON)) == ["own_only"]
    assert because(await mary.post(path, REASON)) == ["own_only"]
    assert code(await stranger.post(path, REASON), 404) == "not_found"
    async with leaves(api, ("term.resigned", carla)):
        assert ok(await carla.post(path, REASON), 201)["status"] == "resigned"
    assert (await seats(api))["chair", 1] is None
    assert code(await carla.post(path, REASON), 409) == "term.ended"


async def test_a_term_whose_last_day_is_over_is_over(api: Api) -> None:
    staff, paula = await api.staff(), await api.leader("Paula Past", "chair", ends=-1)
    path = f"/terms/{paula.terms['chair']}"
    assert ok(await paula.get(path))["status"] == "completed"
    assert ok(await paula.get(path))["viewer"] == {"can": []}
    assert code(await paula.post(f"{path}/resignation", {}), 409) == "term.ended"
    assert code(await staff.post(f"{path}/removal", REASON), 409) == "term.ended"


async def test_why_a_term_ended_is_between_the_holder_and_leaders(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    mary, sue = await api.member("Mary Member"), await api.leader("Sue Secretary", "secretary")
    path = f"/terms/{carla.terms['chair']}"
    ok(await staff.post(f"{path}/removal", REASON), 201)
    shown = {
        someone.name: ok(await someone.get(path))["end_reason"]
        for someone in (carla, staff, sue, mary)
    }
    assert shown == {
        "Carla Chair": "Left the court.",
        "Stella Staff": "Left the court.",
        "Sue Secretary": "Left the court.",
        "Mary Member": None,
    }
    assert "Left the court." not in (await mary.get(TERMS)).text


async def test_a_holder_reads_the_own_term_after_leaving(api: Api) -> None:
    carla, former = await api.leader("Carla Chair", "chair"), await api.member("Freda Former")
    await api.ended_membership(former)
    ok(await carla.post(f"/memberships/{carla.memberships[DTC]}/end", {}))
    path = f"/terms/{carla.terms['chair']}"
    assert ok(await carla.get(path))["status"] == "lapsed"
    assert code(await former.get(path), 404) == "not_found"


async def test_who_was_appointed_is_told(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    await api.work_off()
    ok(await staff.post(TERMS, term_of(mary)), 201)
    assert day(729) in text_of(mail_to(await api.work_off(), mary.email))


async def test_in_an_archived_community_nobody_is_appointed_and_one_may_still_leave(
    api: Api,
) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    later = term_of(await api.member("Mary Member"))
    assert code(await staff.post(TERMS, later), 409) == "community.archived"
    assert "begin_term" not in ok(await staff.get(f"/communities/{DTC}"))["viewer"]["can"]
    ok(await carla.post(f"/terms/{carla.terms['chair']}/resignation", {}), 201)


# The association


async def test_the_associations_seats_are_shown_and_its_staff_to_those_who_may(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    await api.staff("Petra President", "president")
    public = ok(await api.get("/association/leadership"))
    assert public == ok(await mary.get("/association/leadership"))
    offices = ["governance_chair", *["governance_member"] * 17]
    assert [seat["position"] for seat in public["seats"]] == ["president", *offices]
    assert public["seats"][0]["holder"]["person"]["name"] == "Petra President"
    told = ok(await staff.get("/association/leadership"))["seats"]
    assert [seat["position"] for seat in told] == ["president", *offices, "staff"]
    assert code(await mary.get("/association/terms"), 403) == "permission.denied"
    assert len(ok(await staff.get("/association/terms"))["items"]) == 2


async def test_a_position_in_the_association_counts_in_every_community(api: Api) -> None:
    staff, ended = await api.staff(), await api.person("Elsa Ended")
    await api.hold(ended, "staff", None, ends=-1)
    for community in (DTC, WELLNESS):
        ok(await staff.get(f"/communities/{community}/audit-log"))
        refused = await ended.get(f"/communities/{community}/audit-log")
        assert because(refused) == ["position_required"]


async def test_the_last_who_may_change_the_permission_table_stays(api: Api) -> None:
    staff, last = await api.staff(), await api.staff("Petra President", "president")
    async with leaves(api, ("term.removed", staff)):
        ok(await staff.post(f"/terms/{last.terms['president']}/removal", REASON), 201)
    await api.hold(last, "president", None, starts=10)  # planned is not yet
    own = f"/terms/{staff.terms['staff']}"
    async with leaves(api):
        assert code(await staff.post(f"{own}/resignation", {}), 409) == "grant.last_holder"
    assert ok(await staff.get(own))["status"] == "running"
    other = await api.staff("Sonia Staff")
    ok(await staff.post(f"{own}/resignation", {}), 201)
    assert code(await staff.get("/people"), 403) == "permission.denied"
    ok(await other.get("/people"))


async def test_a_rite_of_time_leaves_no_record_of_its_own(api: Api) -> None:
    """What the calendar does nobody does: a term that runs out is not on the log as an act."""
    async with leaves(api, ("term.started", ActorKind.SYSTEM)):
        paula = await api.leader("Paula Past", "chair", starts=-30, ends=-1)
    async with leaves(api):
        assert ok(await paula.get(f"/terms/{paula.terms['chair']}"))["status"] == "completed"


async def test_a_membership_that_runs_out_takes_the_seat_with_it(api: Api) -> None:
    carla = await api.leader("Carla Chair", "chair")
    yesterday = clock.today() - timedelta(days=1)
    await api.change(Membership, carla.memberships[DTC], until_on=yesterday)
    assert (await seats(api))["chair", 1] is None
    assert code(await carla.get(f"/communities/{DTC}/review-queue"), 403) == "permission.denied"
    (term,) = await api.read(Term.__table__.select())
    assert term.ended_at is None
