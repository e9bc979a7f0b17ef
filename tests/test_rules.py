"""The rules of etiquette: versions, agreements, and what they open."""

from typing import Any

import pytest

from tests.answers import because, code, leaves, ok, wrong
from tests.cast import DTC, Api, day

TALK = f"/communities/{DTC}/discussions"
WORDS = {"title": "Hello there", "body": "From me.", "tags": [], "language": "en"}


def rule(name: str = "kindness") -> dict[str, Any]:
    text = {"en": "Be kind.", "fr": "Soyez aimables."}
    return {"code": name, "kind": "conduct", "heading": text, "text": text}


def version(
    first_day: str | None = None, *rules: dict[str, Any], based_on: int = 1
) -> dict[str, Any]:
    items = list(rules) or [rule()]
    return {"based_on": based_on, "effective_on": first_day or day(0), "items": items}


async def test_anybody_reads_the_rules_in_both_languages(api: Api) -> None:
    rules = ok(await api.get("/rules"))
    assert (rules["version"], rules["in_force"], len(rules["items"])) == (1, True, 17)
    for item in rules["items"]:
        assert item["text"]["en"] and item["text"]["fr"] and item["heading"]["fr"]
    assert {"no-attacks", "identify-yourself"} <= {item["code"] for item in rules["items"]}
    assert ok(await api.get("/rules/versions/1")) == rules


async def test_staff_and_the_president_publish_and_leaders_do_not(api: Api) -> None:
    carla, staff = await api.leader("Carla Chair", "chair"), await api.staff()
    assert because(await carla.post("/rules/versions", version())) == ["position_required"]
    async with leaves(api, ("rules.published", staff)):
        published = ok(await staff.post("/rules/versions", version()), 201)
    assert (published["version"], published["in_force"]) == (2, True)
    president = await api.staff("Petra President", "president")
    later = ok(await president.post("/rules/versions", version(day(9), based_on=2)), 201)
    assert (later["version"], later["in_force"]) == (3, False)


async def test_a_version_never_changes_and_stays_to_be_read(api: Api) -> None:
    staff, before = await api.staff(), ok(await api.get("/rules"))
    ok(await staff.post("/rules/versions", version()), 201)
    old = ok(await api.get("/rules/versions/1"))
    assert old == before | {"in_force": False}
    listed = ok(await api.get("/rules/versions"))["items"]
    assert [(item["version"], item["in_force"]) for item in listed] == [(2, True), (1, False)]
    assert code(await api.get("/rules/versions/3"), 404) == "not_found"


async def test_a_version_begins_today_or_later_and_never_before_the_last_one(api: Api) -> None:
    staff = await api.staff()
    past = await staff.post("/rules/versions", version(day(-1)))
    assert wrong(past) == [("/effective_on", "day_in_the_past")]
    ok(await staff.post("/rules/versions", version(day(10))), 201)
    overtaken = await staff.post("/rules/versions", version(day(9), based_on=2))
    assert wrong(overtaken) == [("/effective_on", "day_in_the_past")]
    ok(await staff.post("/rules/versions", version(day(10), based_on=2)), 201)


async def test_a_version_follows_the_one_that_its_author_has_read(api: Api) -> None:
    staff, president = await api.staff(), await api.staff("Petra President", "president")
    ok(await staff.post("/rules/versions", version(day(10))), 201)
    unread = await president.post("/rules/versions", version(day(10)))
    assert code(unread, 409) == "rules.version_taken"
    ahead = await president.post("/rules/versions", version(day(10), based_on=3))
    assert wrong(ahead) == [("/based_on", "not_known")]
    ok(await president.post("/rules/versions", version(day(10), based_on=2)), 201)


async def test_a_code_stands_once_in_a_version(api: Api) -> None:
    staff = await api.staff()
    twice = await staff.post("/rules/versions", version(None, rule(), rule("care"), rule()))
    assert wrong(twice) == [("/items/2/code", "duplicate")]


async def test_a_rule_is_said_in_both_languages(api: Api) -> None:
    staff = await api.staff()
    english = rule() | {"text": {"en": "Be kind."}}
    assert wrong(await staff.post("/rules/versions", version(None, english))) == [
        ("/items/0/text/fr", "required")
    ]


async def test_taking_part_needs_the_agreement_and_reading_does_not(api: Api) -> None:
    mary = await api.member("Mary Member", agreed=False)
    carla = await api.leader("Carla Chair", "chair")
    discussion = await api.discussion(carla)
    post = discussion["opening_post"]
    ok(await mary.get(f"/discussions/{discussion['id']}/posts"))
    reply = {"body": "Indeed.", "language": "en"}
    for refused in (
        await mary.post(TALK, WORDS),
        await mary.post(f"/discussions/{discussion['id']}/posts", reply),
    ):
        assert code(refused, 403) == "rules.agreement_required"
        assert refused.json()["rules_version"] == 1
    ok(await mary.post(f"/posts/{post['id']}/reports", {"rule": "no-attacks"}), 201)
    async with leaves(api, ("rules.agreed", mary)):
        agreed = ok(await mary.post("/me/agreements", {"version": 1}), 201)
    assert agreed["version"] == 1
    ok(await mary.post(TALK, WORDS), 201)


async def test_agreeing_again_changes_nothing_of_the_first_time(api: Api) -> None:
    """discourse-policy moved the date of the first acceptance."""
    mary = await api.person("Mary Member", agreed=False)
    first = ok(await mary.post("/me/agreements", {"version": 1}), 201)
    async with leaves(api):
        assert ok(await mary.post("/me/agreements", {"version": 1}), 201) == first
    assert ok(await mary.get("/me/agreements"))["items"] == [first]


async def test_a_new_version_keeps_the_agreements_to_the_old_one(api: Api) -> None:
    staff, mary = await api.staff(), await api.member("Mary Member")
    before = ok(await mary.get("/me/agreements"))["items"]
    ok(await staff.post("/rules/versions", version()), 201)
    assert ok(await mary.get("/me/agreements"))["items"] == before
    assert ok(await mary.get("/me"))["rules_version_agreed"] == 1
    assert ok(await mary.get("/me"))["rules_version_in_force"] == 2
    assert code(await mary.post(TALK, WORDS), 403) == "rules.agreement_required"
    ok(await mary.post("/me/agreements", {"version": 2}), 201)
    assert [item["version"] for item in ok(await mary.get("/me/agreements"))["items"]] == [2, 1]
    ok(await mary.post(TALK, WORDS), 201)


@pytest.mark.parametrize(("number", "status"), [(1, 409), (2, 201), (3, 201), (4, 422)])
async def test_one_agrees_to_the_version_in_force_or_to_one_to_come(
    api: Api, number: int, status: int
) -> None:
    staff, mary = await api.staff(), await api.person("Mary Member", agreed=False)
    ok(await staff.post("/rules/versions", version()), 201)
    ok(await staff.post("/rules/versions", version(day(30), based_on=2)), 201)
    assert (await mary.post("/me/agreements", {"version": number})).status_code == status


async def test_reports_and_decisions_name_a_rule_in_force(api: Api) -> None:
    staff, mary, otto = await api.staff(), await api.member("Mary"), await api.member("Otto")
    post = await api.reply(mary, await api.discussion(otto))
    ok(await staff.post("/rules/versions", version()), 201)
    old = {"rule": "no-attacks", "note": None}
    assert wrong(await otto.post(f"/posts/{post['id']}/reports", old)) == [("/rule", "not_known")]
    made = ok(await otto.post(f"/posts/{post['id']}/reports", {"rule": "kindness"}), 201)
    assert made["rules_version"] == 2
