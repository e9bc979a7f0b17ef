"""Reports under a rule, the queue, decisions by those whom the case does not concern."""

from typing import Any

import httpx
import pytest

from app.models import Community, CommunityStatus
from tests.answers import because, code, leaves, ok, told, wrong
from tests.cast import DTC, WELLNESS, Api, Someone, mail_to, text_of, unknown_id

QUEUE = f"/communities/{DTC}/review-queue"
ATTACK = "You are a fool and everybody knows it."
REPORT = {"rule": "no-attacks", "note": "It is about me."}


async def reported(
    api: Api, author: Someone, reporter: Someone, community: str = DTC
) -> tuple[dict[str, Any], str]:
    """A post of somebody's that somebody reported, and the id of its review."""
    post = await api.reply(author, await api.discussion(author, community), ATTACK)
    ok(await reporter.post(f"/posts/{post['id']}/reports", REPORT), 201)
    staff = await api.staff("Sorin Staff", agreed=False)
    (review,) = [
        item
        for item in ok(await staff.get(f"/communities/{community}/review-queue"))["items"]
        if item["subject"]["id"] == post["id"]
    ]
    return post, review["id"]


async def decide(by: Someone, review: str, **changed: Any) -> httpx.Response:
    body = {"action": "hide", "rule": "no-attacks", "reason": "It attacks.", "version": 1}
    return await by.put(f"/reviews/{review}/decision", body | changed)


async def reverse(by: Someone, review: str) -> httpx.Response:
    return await by.post(f"/reviews/{review}/reversal", {"reason": "Said in jest."})


# Reporting


async def test_members_report_under_a_rule_and_strangers_find_nothing(api: Api) -> None:
    mary, otto, stranger = (
        await api.member("Mary"),
        await api.member("Otto"),
        await api.person("Nobody Here"),
    )
    post = await api.reply(mary, await api.discussion(mary), ATTACK)
    path = f"/posts/{post['id']}/reports"
    assert told(await stranger.post(path, REPORT)) == told(
        await stranger.post(f"/posts/{unknown_id()}/reports", REPORT)
    )
    unknown = await otto.post(path, REPORT | {"rule": "no-fun"})
    assert wrong(unknown) == [("/rule", "not_known")]
    async with leaves(api, ("post.reported", otto)):
        made = ok(await otto.post(path, REPORT), 201)
    assert (made["rule"], made["rules_version"]) == ("no-attacks", 1)


async def test_one_reports_a_post_once_and_not_ones_own(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    post, _review = await reported(api, mary, otto)
    path = f"/posts/{post['id']}/reports"
    assert code(await otto.post(path, REPORT), 409) == "report.exists"
    assert code(await mary.post(path, REPORT), 409) == "report.own_post"
    assert ok(await mary.get(f"/posts/{post['id']}"))["viewer"]["can"] == [
        "update_post",
        "delete_post",
    ]


async def test_all_reports_of_a_post_make_one_case(api: Api) -> None:
    mary, otto, olga = [await api.member(name) for name in ("Mary", "Otto", "Olga")]
    carla = await api.leader("Carla Chair", "chair")
    post, review = await reported(api, mary, otto)
    ok(await olga.post(f"/posts/{post['id']}/reports", {"rule": "careful-language"}), 201)
    (case,) = ok(await carla.get(QUEUE))["items"]
    assert (case["id"], case["version"]) == (review, 2)
    assert [item["rule"] for item in case["reports"]] == ["no-attacks", "careful-language"]


async def titles(reader: Someone, discussion: dict[str, Any]) -> set[str | None]:
    """The title of a discussion, wherever somebody meets it."""
    listed = ok(await reader.get(f"/communities/{DTC}/discussions"))["items"]
    alone = ok(await reader.get(f"/discussions/{discussion['id']}"))
    return {item["title"] for item in [*listed, alone] if item["id"] == discussion["id"]}


async def test_a_title_is_hidden_with_its_opening_post_and_comes_back_with_it(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla = await api.leader("Carla Chair", "chair")
    discussion = await api.discussion(mary, title=ATTACK)
    await api.report(otto, discussion["opening_post"])
    (case,) = ok(await carla.get(QUEUE))["items"]
    assert await titles(otto, discussion) == {ATTACK}
    ok(await decide(carla, case["id"]))
    assert await titles(otto, discussion) == await titles(mary, discussion) == {None}
    assert await titles(carla, discussion) == {ATTACK}
    ok(await reverse(carla, case["id"]), 201)
    assert await titles(otto, discussion) == {ATTACK}


async def test_a_hidden_reply_leaves_the_title_to_be_read(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla = await api.leader("Carla Chair", "chair")
    post, review = await reported(api, mary, otto)
    ok(await decide(carla, review))
    assert await titles(otto, {"id": post["discussion_id"]}) == {"Incentives that work"}


async def test_an_edit_after_the_report_hides_nothing_from_those_who_decide(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla = await api.leader("Carla Chair", "chair")
    post, review = await reported(api, mary, otto)
    ok(await mary.patch(f"/posts/{post['id']}", {"body": "A kind word."}))
    assert ok(await carla.get(f"/reviews/{review}"))["subject"]["reported_text"] == ATTACK
    ok(await mary.delete(f"/posts/{post['id']}"), 204)
    assert ok(await carla.get(f"/reviews/{review}"))["subject"]["reported_text"] == ATTACK
    decided = ok(await decide(carla, review))
    assert decided["subject"]["status"] == "deleted"
    ok(await reverse(carla, review), 201)
    assert ok(await otto.get(f"/posts/{post['id']}"))["status"] == "deleted"


# The queue


async def test_leaders_see_the_queue_and_members_do_not(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    _post, review = await reported(api, mary, otto)
    large = await api.leader("Lena Large", "member_at_large")
    (case,) = ok(await large.get(QUEUE))["items"]
    assert case["actions"] == ["keep", "hide"] and case["viewer"] == {"can": ["decide_review"]}
    assert case["subject"]["excerpt"] == ATTACK
    assert because(await otto.get(QUEUE)) == ["position_required"]
    assert code(await otto.get(f"/reviews/{review}"), 404) == "not_found"
    elsewhere = await api.leader("Carla Chair", "chair", WELLNESS)
    assert code(await elsewhere.get(f"/reviews/{review}"), 404) == "not_found"


async def test_decided_cases_leave_the_queue_and_can_be_looked_up(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla = await api.leader("Carla Chair", "chair")
    _post, review = await reported(api, mary, otto)
    ok(await decide(carla, review, action="keep", rule=None))
    assert ok(await carla.get(QUEUE))["items"] == []
    (case,) = ok(await carla.get(f"{QUEUE}?status=decided"))["items"]
    assert case["decision"]["action"] == "keep"
    assert (case["actions"], case["viewer"]) == ([], {"can": ["reverse_review"]})


# Deciding


async def test_hiding_takes_the_text_from_everybody_and_names_the_rule(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla = await api.leader("Carla Chair", "chair")
    post, review = await reported(api, mary, otto)
    await api.work_off()
    async with leaves(api, ("review.decided", carla)):
        decided = ok(await decide(carla, review))
    assert decided["decision"]["decided_by"]["name"] == "Carla Chair"
    for someone in (mary, otto, carla):
        shown = ok(await someone.get(f"/posts/{post['id']}"))
        assert (shown["status"], shown["body"], shown["body_html"]) == ("hidden", None, None)
        assert (shown["hidden"]["rule"], shown["hidden"]["rules_version"]) == ("no-attacks", 1)
        assert shown["viewer"] == {"can": []}
    for refused in (
        await mary.patch(f"/posts/{post['id']}", {"body": "Again."}),
        await mary.delete(f"/posts/{post['id']}"),
        await otto.post(f"/posts/{post['id']}/reports", REPORT),
    ):
        assert code(refused, 409) == "post.not_visible"
    letter = text_of(mail_to(await api.work_off(), mary.email))
    assert "It attacks." in letter and ATTACK not in letter


async def test_a_reversal_brings_the_post_back_as_it_was(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla, vera = (
        await api.leader("Carla Chair", "chair"),
        await api.leader("Vera Vice", "vice_chair"),
    )
    post, review = await reported(api, mary, otto)
    before = ok(await mary.get(f"/posts/{post['id']}"))
    ok(await decide(carla, review))
    await api.work_off()
    async with leaves(api, ("review.reversed", vera)):
        reversed_case = ok(await reverse(vera, review), 201)
    assert reversed_case["reversal"]["reversed_by"]["name"] == "Vera Vice"
    assert ok(await mary.get(f"/posts/{post['id']}")) == before
    assert code(await reverse(vera, review), 409) == "review.not_decided"
    assert mail_to(await api.work_off(), mary.email)


async def test_keeping_a_post_changes_nothing_for_readers_and_mails_nobody(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla = await api.leader("Carla Chair", "chair")
    post, review = await reported(api, mary, otto)
    before = ok(await otto.get(f"/posts/{post['id']}"))
    await api.work_off()
    ok(await decide(carla, review, action="keep", rule=None))
    assert ok(await otto.get(f"/posts/{post['id']}")) == before
    assert await api.work_off() == []
    ok(await (await api.member("Olga")).post(f"/posts/{post['id']}/reports", REPORT), 201)
    (case,) = ok(await carla.get(QUEUE))["items"]
    assert case["id"] != review


async def test_nobody_decides_about_the_own_post(api: Api) -> None:
    carla, otto = await api.leader("Carla Chair", "chair"), await api.member("Otto Other")
    vera = await api.leader("Vera Vice", "vice_chair")
    _post, review = await reported(api, carla, otto)
    shown = ok(await carla.get(f"/reviews/{review}"))
    assert (shown["actions"], shown["viewer"]) == ([], {"can": []})
    assert code(await decide(carla, review), 403) == "review.own_case"
    ok(await decide(vera, review))
    assert ok(await carla.get(f"/reviews/{review}"))["viewer"] == {"can": []}
    assert code(await reverse(carla, review), 403) == "review.own_case"


async def test_nobody_decides_about_what_they_reported(api: Api) -> None:
    mary, carla = await api.member("Mary Member"), await api.leader("Carla Chair", "chair")
    vera = await api.leader("Vera Vice", "vice_chair")
    _post, review = await reported(api, mary, carla)
    assert ok(await carla.get(QUEUE))["items"][0]["actions"] == []
    assert code(await decide(carla, review, version=7), 403) == "review.own_case"
    ok(await decide(vera, review))
    assert code(await reverse(carla, review), 403) == "review.own_case"


async def test_a_decision_is_about_the_case_as_it_was_seen(api: Api) -> None:
    mary, otto, olga = [await api.member(name) for name in ("Mary", "Otto", "Olga")]
    carla, vera = (
        await api.leader("Carla Chair", "chair"),
        await api.leader("Vera Vice", "vice_chair"),
    )
    post, review = await reported(api, mary, otto)
    ok(await olga.post(f"/posts/{post['id']}/reports", REPORT), 201)
    stale = await decide(carla, review, version=1)
    assert code(stale, 409) == "review.changed" and stale.json()["version"] == 2
    ok(await decide(carla, review, version=2))
    again = await decide(vera, review, version=2)
    assert code(again, 409) == "review.changed" and again.json()["version"] == 3
    assert code(await decide(vera, review, version=3), 409) == "review.decided"


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"rule": None}, ("/rule", "rule_required")),
        ({"rule": "no-fun"}, ("/rule", "not_known")),
        ({"action": "burn"}, ("/action", "not_one_of")),
        ({"reason": "  "}, ("/reason", "too_short")),
    ],
)
async def test_a_decision_names_what_is_done_under_which_rule_and_why(
    api: Api, changed: dict[str, Any], found: tuple[str, str]
) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla = await api.leader("Carla Chair", "chair")
    _post, review = await reported(api, mary, otto)
    assert wrong(await decide(carla, review, **changed)) == [found]
    ok(await decide(carla, review))


async def test_in_an_archived_community_nothing_is_decided_or_offered(api: Api) -> None:
    mary, otto = await api.member("Mary Member"), await api.member("Otto Other")
    carla = await api.leader("Carla Chair", "chair")
    _post, review = await reported(api, mary, otto)
    await api.change(Community, await api.community_id(), status=CommunityStatus.ARCHIVED)
    assert code(await decide(carla, review), 409) == "community.archived"
    (case,) = ok(await carla.get(QUEUE))["items"]
    assert (case["actions"], case["viewer"]) == ([], {"can": []})
    await api.change(Community, await api.community_id(), status=CommunityStatus.ACTIVE)
    ok(await decide(carla, review))
    assert code(await reverse(mary, review), 404) == "not_found"


async def test_leaders_whom_it_does_not_concern_are_told_that_something_waits(api: Api) -> None:
    carla, vera = (
        await api.leader("Carla Chair", "chair"),
        await api.leader("Vera Vice", "vice_chair"),
    )
    lena, mary = await api.leader("Lena Large", "member_at_large"), await api.member("Mary")
    await api.work_off()
    post = await api.reply(carla, await api.discussion(carla), ATTACK)
    ok(await lena.post(f"/posts/{post['id']}/reports", REPORT), 201)
    mails = await api.work_off()
    assert [mail["To"] for mail in mails] == [vera.email]
    assert ATTACK not in text_of(mails[0]) and mary.email != mails[0]["To"]
