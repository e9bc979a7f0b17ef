"""Succession plans: who keeps them, who is in them and agrees to be, and what is handed over."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from app.models import Community, CommunityStatus, Membership, Term
from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, mail_to, on, text_of, unknown_id
from tests.crowds import at_once, outcomes

PLAN = f"/communities/{DTC}/succession-plan"
NOTE = "Wants to see one round of elections first."
Seat = dict[str, Any]


def wanted(someone: Someone, readiness: str = "ready_now", note: str | None = NOTE) -> Seat:
    return {"person_id": str(someone.id), "readiness": readiness, "note": note}


def plan(*candidates: Seat, **changed: Any) -> Seat:
    """The plan of a seat as somebody sends it."""
    return {
        "candidates": list(candidates),
        "overlap_days": None,
        "handover_notes": None,
        "checklist": [],
        "language": "en",
    } | changed


async def seat_of(reader: Someone, position: str = "chair", community: str = DTC) -> Seat:
    """The plan of the first seat of a position, as somebody reads it."""
    seats = ok(await reader.get(f"/communities/{community}/succession-plan"))["seats"]
    return next(seat for seat in seats if seat["position"] == position)


async def keep(by: Someone, body: Seat, position: str = "chair", **options: Any) -> httpx.Response:
    """Somebody replaces the plan of a seat, as they have just read it."""
    path = f"/seats/{(await seat_of(by, position))['seat_id']}/succession-plan"
    etag = (await by.get(path)).headers["etag"]
    return await by.put(path, body, headers={"If-Match": etag}, **options)


async def consent(candidate: Someone, seat: Seat) -> httpx.Response:
    """Somebody agrees to the first candidacy of a seat."""
    return await candidate.put(f"/succession-candidates/{seat['candidates'][0]['id']}/consent")


def names(seat: Seat) -> list[str]:
    return [candidate["person"]["name"] for candidate in seat["candidates"]]


@pytest.fixture
async def carla(api: Api) -> Someone:
    return await api.leader("Carla Chair", "chair")


@pytest.fixture
async def olga(api: Api) -> Someone:
    return await api.member("Olga Next")


@pytest.fixture
async def mary(api: Api) -> Someone:
    return await api.member("Mary Member")


# Who keeps a plan, who reads it


async def test_every_seat_has_a_plan_before_anybody_writes_one(carla: Someone) -> None:
    seats = ok(await carla.get(PLAN))["seats"]
    assert [seat["position"] for seat in seats][:3] == ["chair", "vice_chair", "secretary"]
    assert len(seats) == 7
    assert seats[0]["holder"]["person"]["name"] == "Carla Chair"
    empty = {"candidates": [], "checklist": [], "overlap_days": None, "language": None}
    assert {name: seats[1][name] for name in empty} == empty
    assert seats[1]["viewer"]["can"] == ["replace_seat_succession_plan"]


async def test_leaders_who_keep_the_plan_write_it_and_members_read_it(
    api: Api, carla: Someone, olga: Someone, mary: Someone
) -> None:
    larry = await api.leader("Larry Large", "member_at_large")
    body = plan(wanted(olga), overlap_days=30, handover_notes="The budget: **March**.")
    for other in (mary, larry):
        assert because(await keep(other, body)) == ["position_required"]
        assert (await seat_of(other))["viewer"]["can"] == []
    asked = ("succession.candidate_proposed", carla)
    async with leaves(api, ("succession.planned", carla), asked):
        kept = ok(await keep(carla, body))
    assert kept["overlap_days"] == 30 and kept["updated_by"]["name"] == "Carla Chair"
    assert kept["handover_notes_html"] == "<p>The budget: <strong>March</strong>.</p>\n"
    read = await seat_of(mary)
    assert read["handover_notes"] == "The budget: **March**." and read["updated_by"] is None


async def test_a_plan_that_says_what_is_so_already_changes_nothing(
    api: Api, carla: Someone, olga: Someone
) -> None:
    checklist = [{"text": "Introduce the clerks"}]
    first = ok(await keep(carla, plan(wanted(olga), checklist=checklist)))
    same = [{"id": item["id"], "text": item["text"]} for item in first["checklist"]]
    async with leaves(api):
        assert ok(await keep(carla, plan(wanted(olga), checklist=same))) == first


async def test_of_two_who_keep_one_plan_the_second_is_told(
    api: Api, carla: Someone, olga: Someone
) -> None:
    sam = await api.leader("Sam Secretary", "secretary")
    path = f"/seats/{(await seat_of(carla))['seat_id']}/succession-plan"
    assert code(await carla.put(path, plan()), 428) == "precondition.required"
    read = {"If-Match": (await carla.get(path)).headers["etag"]}
    both = [someone.put(path, plan(wanted(olga)), headers=read) for someone in (carla, sam)]
    told = outcomes(await at_once(both))
    assert told == {200: 1, (412, "precondition.failed"): 1}


async def test_what_is_wrong_with_a_plan_is_said_where_it_is(
    api: Api, carla: Someone, olga: Someone
) -> None:
    ella, left = await api.member("Ella Elsewhere", WELLNESS), await api.member("Lee Left")
    await api.ended_membership(left)
    ghost = wanted(olga) | {"person_id": str(unknown_id())}
    body = plan(wanted(ella), wanted(left), ghost, wanted(olga), wanted(olga))
    assert wrong(await keep(carla, body)) == [
        *((f"/candidates/{place}/person_id", "not_a_member") for place in range(3)),
        ("/candidates/4/person_id", "duplicate"),
    ]
    other = {"id": str(unknown_id()), "text": "Hand over the keys"}
    assert wrong(await keep(carla, plan(checklist=[other]))) == [("/checklist/0/id", "not_known")]
    item = ok(await keep(carla, plan(checklist=[other | {"id": None}])))["checklist"][0]
    same = {"id": item["id"], "text": "Twice"}
    twice = await keep(carla, plan(checklist=[same, same]))
    assert wrong(twice) == [("/checklist/1/id", "duplicate")]
    ok(await keep(carla, plan(wanted(olga))))


async def test_an_archived_community_keeps_its_plan_as_it_is(
    api: Api, carla: Someone, olga: Someone
) -> None:
    seat = ok(await keep(carla, plan(wanted(olga))))
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    assert code(await keep(carla, plan()), 409) == "community.archived"
    assert code(await consent(olga, seat), 409) == "community.archived"
    found = await seat_of(olga)
    assert names(found) == ["Olga Next"] and found["candidates"][0]["viewer"]["can"] == []


async def test_a_seat_of_the_association_has_no_plan_here(api: Api) -> None:
    petra = await api.staff("Petra President", "president")
    seats = ok(await petra.get("/association/leadership"))["seats"]
    path = f"/seats/{seats[0]['id']}/succession-plan"
    assert code(await petra.get(path), 404) == "not_found"
    put = await petra.put(path, plan(), headers={"If-Match": "*"})
    assert code(put, 404) == "not_found"


# Candidates and their consent


async def test_only_the_candidate_agrees_and_until_then_others_know_nothing(
    api: Api, carla: Someone, olga: Someone, mary: Someone
) -> None:
    before = await mary.get(PLAN)
    seat = ok(await keep(carla, plan(wanted(olga))))
    path = f"/succession-candidates/{seat['candidates'][0]['id']}"
    assert (await mary.get(PLAN)).headers["etag"] == before.headers["etag"]
    assert code(await mary.get(path), 404) == "not_found"
    assert code(await mary.put(f"{path}/consent"), 404) == "not_found"
    assert because(await carla.put(f"{path}/consent")) == ["own_only"]
    asked = ok(await olga.get(path))
    assert (asked["consent"], asked["note"]) == ("asked", NOTE)
    assert asked["viewer"]["can"] == ["give_succession_consent", "withdraw_succession_consent"]
    async with leaves(api, ("succession.consent_given", olga)):
        given = ok(await olga.put(f"{path}/consent"))
        assert ok(await olga.put(f"{path}/consent")) == given
    assert given["consent"] == "given" and given["answered_at"]
    seen = ok(await mary.get(path))
    assert seen["person"]["name"] == "Olga Next" and seen["readiness"] == "ready_now"
    assert (seen["note"], seen["proposed_by"], seen["viewer"]["can"]) == (None, None, [])
    assert because(await mary.delete(f"{path}/consent")) == ["own_only"]


async def test_a_consent_is_taken_back_at_any_time_and_nothing_of_it_is_left_for_others(
    api: Api, carla: Someone, olga: Someone, mary: Someone
) -> None:
    before = await mary.get(PLAN)
    seat = ok(await keep(carla, plan(wanted(olga))))
    ok(await consent(olga, seat))
    path = f"/succession-candidates/{seat['candidates'][0]['id']}"
    async with leaves(api, ("succession.consent_withdrawn", olga)):
        ok(await olga.delete(f"{path}/consent"), 204)
        ok(await olga.delete(f"{path}/consent"), 204)
    assert (await mary.get(PLAN)).headers["etag"] == before.headers["etag"]
    assert code(await mary.get(path), 404) == "not_found"
    assert (await seat_of(carla))["candidates"][0]["consent"] == "withdrawn"
    log = ok(await carla.get(f"/communities/{DTC}/audit-log"))["items"]
    assert log[0]["kind"] == "succession.consent_withdrawn" and log[0]["actor"]["id"] is None
    assert str(olga.id) not in str(log[0])
    assert ok(await olga.put(f"{path}/consent"))["consent"] == "given"


async def test_the_order_that_others_see_has_no_gap_where_somebody_has_not_agreed(
    api: Api, carla: Someone, olga: Someone, mary: Someone
) -> None:
    tess = await api.member("Tess Third")
    kept = ok(await keep(carla, plan(wanted(tess), wanted(olga), wanted(mary))))
    assert names(kept) == ["Tess Third", "Olga Next", "Mary Member"]
    ok(await consent(tess, kept))
    outsider = await api.member("Otto Other")
    assert names(await seat_of(outsider)) == ["Tess Third"]
    assert names(await seat_of(mary)) == ["Tess Third", "Mary Member"]
    turned = plan(wanted(mary, "later"), wanted(tess, note=None))
    again = ok(await keep(carla, turned))
    assert names(again) == ["Mary Member", "Tess Third"]
    assert [one["consent"] for one in again["candidates"]] == ["asked", "given"]
    assert [one["readiness"] for one in again["candidates"]] == ["later", "ready_now"]


async def test_who_is_taken_out_and_put_in_again_is_asked_again(
    carla: Someone, olga: Someone
) -> None:
    seat = ok(await keep(carla, plan(wanted(olga))))
    ok(await consent(olga, seat))
    ok(await keep(carla, plan()))
    gone = await olga.get(f"/succession-candidates/{seat['candidates'][0]['id']}")
    assert code(gone, 404) == "not_found"
    again = ok(await keep(carla, plan(wanted(olga))))
    assert again["candidates"][0]["consent"] == "asked"


async def test_putting_oneself_into_the_plan_is_no_consent(carla: Someone) -> None:
    seat = ok(await keep(carla, plan(wanted(carla)), "secretary"))
    assert seat["candidates"][0]["consent"] == "asked"
    assert ok(await consent(carla, seat))["consent"] == "given"


@pytest.mark.parametrize("how", ["left", "ended", "days over", "switched off"])
async def test_who_belongs_no_longer_is_in_no_answer_and_comes_back_unasked(
    api: Api, carla: Someone, olga: Someone, how: str
) -> None:
    seat = ok(await keep(carla, plan(wanted(olga))))
    ok(await consent(olga, seat))
    membership = olga.memberships[DTC]
    if how == "left":
        ok(await olga.post(f"/memberships/{membership}/end", {}))
    elif how == "ended":
        ok(await carla.post(f"/memberships/{membership}/end", {"reason": "Retired."}))
    elif how == "days over":
        await api.change(Membership, membership, until_on=on(-1))
    else:
        staff = await api.staff()
        ok(await staff.put(f"/people/{olga.id}/deactivation"), 204)
    assert names(await seat_of(carla)) == []
    path = f"/succession-candidates/{seat['candidates'][0]['id']}"
    assert code(await carla.get(path), 404) == "not_found"
    if how in ("left", "ended"):
        await api.join(olga)
        assert names(await seat_of(carla)) == []
        assert ok(await keep(carla, plan(wanted(olga))))["candidates"][0]["consent"] == "asked"


async def test_candidates_are_asked_by_mail_and_whoever_asked_is_told_the_answer(
    api: Api, carla: Someone, olga: Someone
) -> None:
    seat = ok(await keep(carla, plan(wanted(olga))))
    mails = await api.work_off()
    asked = mail_to(mails, olga.email)
    assert "Carla Chair" in text_of(asked) and "Drug Treatment Court" in text_of(asked)
    assert NOTE not in text_of(asked)
    ok(await consent(olga, seat))
    assert "agrees" in text_of(mail_to(await api.work_off(), carla.email))
    ok(await olga.delete(f"/succession-candidates/{seat['candidates'][0]['id']}/consent"), 204)
    assert "does not agree" in text_of(mail_to(await api.work_off(), carla.email))


async def test_a_mail_that_has_become_untrue_is_not_sent(
    api: Api, carla: Someone, olga: Someone, mary: Someone
) -> None:
    await api.work_off()
    ok(await keep(carla, plan(wanted(olga))))
    ok(await keep(carla, plan()))
    ok(await consent(mary, ok(await keep(carla, plan(wanted(mary))))))
    await api.change(Term, carla.terms["chair"], ends_on=on(-1), free_from=on(0))
    assert await api.work_off() == []


async def test_the_log_names_no_candidate_and_repeats_no_note(
    api: Api, carla: Someone, olga: Someone
) -> None:
    ok(await keep(carla, plan(wanted(olga), handover_notes="The budget.")))
    log = ok(await carla.get(f"/communities/{DTC}/audit-log"))["items"]
    told: Mapping[str, Any] = {item["kind"]: item["facts"] for item in log}
    assert told["succession.candidate_proposed"] == {"position": "chair", "seat": 1}
    assert told["succession.planned"]["members"] == ["candidates", "handover_notes", "language"]
    assert not any(word in str(log) for word in (str(olga.id), NOTE, "budget"))


# Who follows already


async def test_a_recorded_successor_stands_beside_the_holder(
    api: Api, carla: Someone, olga: Someone
) -> None:
    assert (await seat_of(carla))["next_term"] is None
    await api.hold(olga, "chair", starts=366, ends=900)
    seat = await seat_of(carla)
    assert seat["next_term"]["person"]["name"] == "Olga Next"
    assert seat["holder"]["person"]["name"] == "Carla Chair"
    staff = await api.staff()
    ok(await staff.post(f"/terms/{olga.terms['chair']}/annulment", {"reason": "Wrong."}), 201)
    assert (await seat_of(carla))["next_term"] is None


# Handing over


async def test_holder_and_successor_tick_off_what_was_handed_over_and_others_do_not(
    api: Api, carla: Someone, olga: Someone, mary: Someone
) -> None:
    larry = await api.leader("Larry Large", "member_at_large")
    await api.hold(olga, "member_at_large", starts=1, ends=30)
    texts = [{"text": "Introduce the clerks"}, {"text": "Explain the budget"}]
    items = ok(await keep(carla, plan(checklist=texts), "member_at_large"))["checklist"]
    path = f"/handover-items/{items[0]['id']}/completion"
    assert because(await mary.put(path)) == ["position_required"]
    assert because(await olga.put(path)) == ["position_required"]  # another seat than hers
    async with leaves(api, ("handover.item_completed", larry)):
        done = ok(await larry.put(path))
        assert ok(await larry.put(path)) == done
    assert done["done_by"]["name"] == "Larry Large" and done["done_at"]
    assert done["viewer"]["can"] == ["reopen_handover_item"]
    async with leaves(api, ("handover.item_reopened", carla)):
        ok(await carla.delete(path), 204)
    stranger = await api.person("Nobody Here")
    assert code(await stranger.put(path), 404) == "not_found"


async def test_a_successor_ticks_off_and_an_annulled_one_does_not(
    api: Api, carla: Someone, olga: Someone
) -> None:
    staff = await api.staff()
    await api.hold(olga, "chair", starts=366, ends=900)
    item = ok(await keep(carla, plan(checklist=[{"text": "Hand over the keys"}])))["checklist"][0]
    path = f"/handover-items/{item['id']}/completion"
    ok(await olga.put(path))
    ok(await staff.post(f"/terms/{olga.terms['chair']}/annulment", {"reason": "Wrong."}), 201)
    assert because(await olga.delete(path)) == ["position_required"]


async def test_what_was_done_stays_done_when_the_list_is_rewritten(carla: Someone) -> None:
    texts = [{"text": "Introduce the clerks"}, {"text": "Explain the budget"}]
    first, second = ok(await keep(carla, plan(checklist=texts)))["checklist"]
    ok(await carla.put(f"/handover-items/{second['id']}/completion"))
    again = [{"id": second["id"], "text": "Explain next year's budget"}, {"text": "Hand over keys"}]
    items = ok(await keep(carla, plan(checklist=again)))["checklist"]
    assert [(item["text"], item["done_at"] is not None) for item in items] == [
        ("Explain next year's budget", True),
        ("Hand over keys", False),
    ]
    gone = await carla.put(f"/handover-items/{first['id']}/completion")
    assert code(gone, 404) == "not_found"


async def test_completion_and_consent_can_be_bound_to_what_was_read(
    carla: Someone, olga: Someone
) -> None:
    seat = ok(await keep(carla, plan(wanted(olga), checklist=[{"text": "Keys"}])))
    stale = {"If-Match": '"9-x"'}
    for someone, path in (
        (olga, f"/succession-candidates/{seat['candidates'][0]['id']}/consent"),
        (carla, f"/handover-items/{seat['checklist'][0]['id']}/completion"),
    ):
        refused = await someone.put(path, headers=stale)
        assert code(refused, 412) == "precondition.failed"
        ok(await someone.put(path))


# Who sees what


async def test_the_plan_of_a_restricted_community_is_its_own_and_the_overseers(api: Api) -> None:
    staff, outsider = await api.staff(), await api.member("Mary Member")
    judge = await api.member("Jo Judge", ROUNDTABLE)
    path = f"/communities/{ROUNDTABLE}/succession-plan"
    seat = ok(await staff.get(path))["seats"][0]
    own = f"/seats/{seat['seat_id']}/succession-plan"
    ok(await staff.put(own, plan(wanted(judge)), headers={"If-Match": "*"}))
    assert names(ok(await staff.get(own))) == ["Jo Judge"]
    for hidden in (path, own):
        assert code(await outsider.get(hidden), 404) == "not_found"
    assert code(await api.get(path), 401) == "auth.required"


async def test_a_suspended_candidate_still_answers_and_reads_no_plan(
    api: Api, carla: Someone, olga: Someone
) -> None:
    seat = ok(await keep(carla, plan(wanted(olga))))
    until = {"until_on": on(3).isoformat(), "reason": "To cool down."}
    ok(await carla.put(f"/memberships/{olga.memberships[DTC]}/suspension", until))
    assert because(await olga.get(PLAN)) == ["membership_suspended"]
    path = f"/succession-candidates/{seat['candidates'][0]['id']}/consent"
    ok(await olga.delete(path), 204)
    assert (await seat_of(carla))["candidates"][0]["consent"] == "withdrawn"
