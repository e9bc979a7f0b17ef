"""The association's own texts, and the log of what happened in it."""

import time_machine

from app import clock
from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, WELLNESS, Api

WORDS = {"en": "We keep less.", "fr": "Nous gardons moins."}


async def test_anybody_reads_who_the_association_is_and_what_must_be_shown(api: Api) -> None:
    about = ok(await api.get("/association"))
    assert (about["time_zone"], about["languages"]) == ("America/Toronto", ["en", "fr"])
    assert {notice["code"] for notice in about["notices"]} == {
        "views-not-endorsed",
        "confidentiality-not-guaranteed",
    }
    assert about["privacy_notice"]["version"] == 1 and about["privacy_notice"]["text"]["fr"]


async def test_a_new_privacy_notice_gets_the_next_version(api: Api) -> None:
    staff, carla = await api.staff(), await api.leader("Carla Chair", "chair")
    refused = await carla.patch("/association", {"privacy_notice": WORDS})
    assert because(refused) == ["position_required"]
    async with leaves(api, ("association.updated", staff)):
        changed = ok(await staff.patch("/association", {"privacy_notice": WORDS}))
    assert changed["privacy_notice"] == {"version": 2, "text": WORDS}
    for other in ({"name": WORDS}, {"privacy_notice": WORDS}):  # the notice as it is by now
        assert ok(await staff.patch("/association", other))["privacy_notice"]["version"] == 2


async def test_two_who_edit_the_association_are_told_of_each_other(api: Api) -> None:
    staff, president = await api.staff(), await api.staff("Petra President", "president")
    seen = {"If-Match": (await staff.get("/association")).headers["etag"]}
    name = {"name": WORDS}
    assert code(await staff.patch("/association", name, headers={}), 428) == "precondition.required"
    ok(await president.patch("/association", {"contact_email": "hello@example.org"}))
    stale = await staff.patch("/association", name, headers=seen)
    assert code(stale, 412) == "precondition.failed"
    english = await staff.patch("/association", {"name": {"en": "Us"}})
    assert wrong(english) == [("/name/fr", "required")]
    ok(await staff.patch("/association", name))


# The log


async def test_each_log_has_what_happened_there_and_nothing_of_elsewhere(api: Api) -> None:
    staff, sue = await api.staff(), await api.leader("Sue Secretary", "secretary")
    mary, ella = await api.member("Mary Member"), await api.member("Ella Elsewhere", WELLNESS)
    here, there = await api.discussion(mary), await api.discussion(ella, WELLNESS)
    ok(await mary.patch("/me", {"affiliation": "Superior Court"}))
    logs = {
        path: (await staff.get(f"{path}?limit=100")).text
        for path in (f"/communities/{DTC}/audit-log", "/audit-log")
    }
    assert here["id"] in logs[f"/communities/{DTC}/audit-log"]
    assert "account.updated" in logs["/audit-log"]
    for log in logs.values():
        assert there["id"] not in log
    assert because(await mary.get(f"/communities/{DTC}/audit-log")) == ["position_required"]
    ok(await sue.get(f"/communities/{DTC}/audit-log"))
    assert because(await sue.get(f"/communities/{WELLNESS}/audit-log")) == ["position_required"]
    assert because(await sue.get("/audit-log")) == ["position_required"]


async def test_the_log_says_who_did_what_to_what_and_when(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    moment = clock.now().replace(microsecond=0)
    with time_machine.travel(moment, tick=False):
        discussion = await api.discussion(mary)
    (record,) = ok(await staff.get(f"/communities/{DTC}/audit-log"))["items"]
    assert record["kind"] == "discussion.started"
    assert record["actor"] == {"kind": "person", "id": str(mary.id), "name": "Mary Member"}
    assert record["subject"] == {"kind": "discussion", "id": discussion["id"]}
    assert record["facts"] == {"post_id": discussion["opening_post"]["id"]}
    assert record["occurred_at"] == moment.isoformat().replace("+00:00", "Z")
    assert record["place"] is None
    await api.work_off()
    (sealed,) = ok(await staff.get(f"/communities/{DTC}/audit-log"))["items"]
    assert sealed["place"] > 0


async def test_the_log_is_filtered_by_kind_and_paged_the_latest_first(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    discussion = await api.discussion(mary)
    for _ in range(3):
        await api.reply(mary, discussion)
    path = f"/communities/{DTC}/audit-log?kind=post.written&limit=2&include=total"
    page = ok(await staff.get(path))
    assert [item["facts"]["number"] for item in page["items"]] == [4, 3] and page["total"] == 3
    rest = ok(await staff.get(f"{path}&cursor={page['next_cursor']}"))
    assert [item["facts"]["number"] for item in rest["items"]] == [2]
