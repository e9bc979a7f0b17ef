"""A list that its reader has already: 304 from the marks of its rows, and never once too often.

Whatever a caller would see differently gives another ETag at the very next request.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.models import Term
from tests.answers import ok
from tests.cast import DTC, Api, Someone, on

DISCUSSIONS = f"/communities/{DTC}/discussions"


def posts_of(discussion: dict[str, Any]) -> str:
    return f"/discussions/{discussion['id']}/posts"


async def kept(reader: Someone, path: str) -> dict[str, str]:
    """The header of a reader who has what the path answers now, and who is told so."""
    answer = await reader.get(path)
    assert answer.status_code == 200
    headers = {"If-None-Match": answer.headers["etag"]}
    again = await reader.get(path, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]
    assert again.headers["cache-control"] == "private, no-cache"
    return headers


@asynccontextmanager
async def changes(reader: Someone, *paths: str) -> AsyncIterator[None]:
    """What the reader has of each path is out of date after the act."""
    had = {path: await kept(reader, path) for path in paths}
    yield
    for path, headers in had.items():
        assert (await reader.get(path, headers=headers)).status_code == 200, path
        await kept(reader, path)


async def test_what_is_said_changes_the_lists_that_show_it(api: Api) -> None:
    mia, olaf = await api.member("Mia Member"), await api.member("Olaf Other")
    first = await api.discussion(mia)
    async with changes(olaf, DISCUSSIONS):
        await api.discussion(mia, title="Housing first")
    async with changes(olaf, DISCUSSIONS, posts_of(first)):
        reply = await api.reply(mia, first)
    async with changes(olaf, posts_of(first)):
        ok(await mia.patch(f"/posts/{reply['id']}", {"body": "We tried *again*."}))
    async with changes(olaf, posts_of(first)):
        ok(await mia.delete(f"/posts/{reply['id']}"), 204)


async def test_what_is_moderated_changes_the_lists_that_show_it(api: Api) -> None:
    mia, olaf = await api.member("Mia Member"), await api.member("Olaf Other")
    chair = await api.leader("Claire Chair", "chair")
    discussion = await api.discussion(mia)
    reply = await api.reply(mia, discussion)
    path = f"/discussions/{discussion['id']}/lock"
    async with changes(olaf, DISCUSSIONS):
        ok(await chair.put(path))
    async with changes(mia, posts_of(discussion)):  # her own posts can be edited again
        ok(await chair.delete(path))
    await api.report(olaf, reply)
    queue = ok(await chair.get(f"/communities/{DTC}/review-queue"))["items"]
    decision = {"action": "hide", "rule": "no-attacks", "reason": "An attack.", "version": 1}
    async with changes(olaf, posts_of(discussion)):
        ok(await chair.put(f"/reviews/{queue[0]['id']}/decision", decision))
    async with changes(olaf, posts_of(discussion)):
        reversal = {"reason": "It was a quotation."}
        ok(await chair.post(f"/reviews/{queue[0]['id']}/reversal", reversal), 201)
    await api.report(olaf, discussion["opening_post"])
    (case,) = ok(await chair.get(f"/communities/{DTC}/review-queue"))["items"]
    async with changes(olaf, DISCUSSIONS):  # the title goes with the post
        ok(await chair.put(f"/reviews/{case['id']}/decision", decision))


async def test_what_a_reader_may_do_is_part_of_what_they_have(api: Api) -> None:
    mia, chair = await api.member("Mia Member"), await api.leader("Claire Chair", "chair")
    discussion = await api.discussion(mia)
    hers = await kept(mia, DISCUSSIONS)
    assert (await chair.get(DISCUSSIONS, headers=hers)).status_code == 200
    async with changes(chair, DISCUSSIONS):
        await api.change(Term, chair.terms["chair"], ends_on=on(-1))
    hers = await kept(mia, posts_of(discussion))
    assert (await chair.get(posts_of(discussion), headers=hers)).status_code == 200


async def test_who_may_no_longer_read_is_not_told_that_nothing_changed(api: Api) -> None:
    mia = await api.member("Mia Member")
    discussion = await api.discussion(mia)
    lists, posts = await kept(mia, DISCUSSIONS), await kept(mia, posts_of(discussion))
    await api.ended_membership(mia)
    assert (await mia.get(DISCUSSIONS, headers=lists)).status_code == 403
    assert (await mia.get(posts_of(discussion), headers=posts)).status_code == 404
    assert (await mia.get(DISCUSSIONS, headers={"If-None-Match": "*"})).status_code == 403


async def test_a_page_changes_when_the_row_behind_it_comes_or_goes(api: Api) -> None:
    mia = await api.member("Mia Member")
    discussion = await api.discussion(mia)
    path = f"{posts_of(discussion)}?limit=2"
    await api.reply(mia, discussion)
    async with changes(mia, path):  # from now on there is a next page
        await api.reply(mia, discussion)
    headers = await kept(mia, path)
    await api.reply(mia, discussion)
    assert (await mia.get(path, headers=headers)).status_code == 304


async def test_one_page_is_not_another(api: Api) -> None:
    mia = await api.member("Mia Member")
    discussion = await api.discussion(mia)
    for _ in range(3):
        await api.reply(mia, discussion)
    two = await kept(mia, f"{posts_of(discussion)}?limit=2")
    assert (await mia.get(f"{posts_of(discussion)}?limit=3", headers=two)).status_code == 200
    counted = f"{posts_of(discussion)}?limit=2&include=total"
    assert (await mia.get(counted, headers=two)).status_code == 200
    async with changes(mia, counted):  # the total tells of what is on no page of the reader's
        await api.reply(mia, discussion)


@pytest.mark.parametrize("path", ["/communities/{c}/discussions", "/discussions/{d}/posts"])
async def test_nothing_but_marks_is_read_for_who_has_it(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mia = await api.member("Mia Member")
    discussion = await api.discussion(mia)
    path = path.format(c=DTC, d=discussion["id"])
    headers = await kept(mia, path)
    sent: list[str] = []
    fetch = api.database.reader.fetch

    async def fetched(sql: str, values: Any) -> Any:
        sent.append(sql)
        return await fetch(sql, values)

    monkeypatch.setattr(api.database.reader, "fetch", fetched)
    assert (await mia.get(path, headers=headers)).status_code == 304
    assert not any("created_at" in sql for sql in sent)
    await api.reply(mia, discussion)
    assert (await mia.get(path)).status_code == 200
    assert any("created_at" in sql for sql in sent)


async def test_readers_of_one_page_at_one_time_are_each_shown_their_own(api: Api) -> None:
    mia, olaf = await api.member("Mia Member"), await api.member("Olaf Other")
    chair, sid = await api.leader("Claire Chair", "chair"), await api.person("Sid Stranger")
    discussion = await api.discussion(mia)
    for _ in range(3):
        answers = await asyncio.gather(*(one.get(DISCUSSIONS) for one in (mia, olaf, chair, sid)))
        assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
        seen = [answer.json()["items"][0]["viewer"]["can"] for answer in answers[:3]]
        assert seen == [["write_post"], ["write_post"], ["write_post", "lock_discussion"]]
        path = posts_of(discussion)
        answers = await asyncio.gather(*(one.get(path) for one in (mia, olaf, sid)))
        assert [answer.status_code for answer in answers] == [200, 200, 404]
        seen = [answer.json()["items"][0]["viewer"]["can"] for answer in answers[:2]]
        assert seen == [["update_post"], ["report_post"]]


async def test_who_asks_after_a_change_is_shown_it_while_others_are_still_reading(api: Api) -> None:
    mia, readers = await api.member("Mia Member"), await api.member("Olaf Other")
    discussion = await api.discussion(mia)
    path = posts_of(discussion)
    for number in range(2, 6):
        reading = [asyncio.create_task(readers.get(path)) for _ in range(8)]
        await api.reply(mia, discussion)
        after = [asyncio.create_task(readers.get(path)) for _ in range(4)]
        for answer in await asyncio.gather(*after):
            assert len(ok(answer)["items"]) == number
        for answer in await asyncio.gather(*reading):
            assert len(ok(answer)["items"]) in (number - 1, number)
