"""Hot writes straight on the driver: each is whole or nothing, whoever else writes."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock, errors
from app.models import Activity, Discussion, Post, new_id
from app.services import posts, standing
from app.strokes import Following, Stroke
from tests.answers import code, ok, wrong
from tests.cast import DTC, Api, Someone

CROWD = 24


async def counted(api: Api, discussion: dict[str, Any]) -> tuple[int, list[int], int]:
    """The discussion's count, the numbers of its posts, and the records of replies."""
    found = UUID(discussion["id"])
    ((count,),) = await api.read(
        sa.select(Discussion.post_count).where(col(Discussion.id) == found)
    )
    numbers = await api.read(
        sa.select(Post.number).where(col(Post.discussion_id) == found).order_by(col(Post.number))
    )
    records = await api.read(sa.select(Activity.facts).where(col(Activity.kind) == "post.written"))
    return count, [row.number for row in numbers], len(records)


async def test_replies_at_the_same_time_are_numbered_one_after_another(api: Api) -> None:
    members = [await api.member(f"Member {n}") for n in range(CROWD)]
    discussion = await api.discussion(members[0])
    replies = await asyncio.gather(*(api.reply(who, discussion) for who in members))
    assert sorted(reply["number"] for reply in replies) == list(range(2, CROWD + 2))
    assert await counted(api, discussion) == (CROWD + 1, list(range(1, CROWD + 2)), CROWD)


async def test_a_reply_leaves_one_record_with_the_facts_of_it(api: Api) -> None:
    mia = await api.member("Mia Member")
    discussion = await api.discussion(mia)
    reply = await api.reply(mia, discussion)
    (record,) = await api.read(
        sa.select(*Activity.__table__.c).where(col(Activity.kind) == "post.written")
    )
    assert record.facts == {"discussion_id": discussion["id"], "number": 2}
    assert (record.subject_kind, record.subject_id) == ("post", reply["id"])
    assert (record.actor_kind, record.actor_id) == ("person", mia.id)
    assert record.community_id == await api.community_id()


async def test_a_reply_that_is_refused_moves_nothing(api: Api) -> None:
    mia, chair = await api.member("Mia Member"), await api.leader("Claire Chair", "chair")
    here, elsewhere = await api.discussion(mia), await api.discussion(mia)
    path = f"/discussions/{here['id']}/posts"
    foreign = {
        "body": "As you say.",
        "reply_to_id": elsewhere["opening_post"]["id"],
        "language": "en",
    }
    assert wrong(await mia.post(path, foreign)) == [("/reply_to_id", "not_known")]
    ok(await mia.post(path, foreign | {"reply_to_id": here["opening_post"]["id"]}), 201)
    ok(await chair.put(f"/discussions/{here['id']}/lock"))
    late = await mia.post(path, foreign | {"reply_to_id": None})
    assert code(late, 409) == "discussion.locked"
    assert await counted(api, here) == (2, [1, 2], 1)


async def test_a_reply_with_a_key_is_kept_with_its_key_or_not_at_all(api: Api) -> None:
    mia = await api.member("Mia Member")
    discussion = await api.discussion(mia)
    path, key = f"/discussions/{discussion['id']}/posts", {"Idempotency-Key": "one"}
    body = {"body": "Once.", "reply_to_id": None, "language": "en"}
    first = ok(await mia.post(path, body, headers=key), 201)
    again = ok(await mia.post(path, body, headers=key), 201)
    assert first == again
    assert await counted(api, discussion) == (2, [1, 2], 1)


async def reply_in(work: Any, someone: Someone, discussion_id: UUID) -> None:
    """A reply within a unit of work, as the operation makes it."""
    reader = someone.api.database.reader
    there = await standing.of_person(reader, someone.id, someone.session_id, standing.at(DTC))
    body = {"body": "Here.", "reply_to_id": None, "language": "en"}
    await posts.write(work, there, discussion_id, body)


async def test_nothing_may_be_written_after_a_stroke_and_what_is_before_it_is_joined(
    api: Api,
) -> None:
    mia = await api.member("Mia Member")
    discussion = await api.discussion(mia)
    found = UUID(discussion["id"])
    write = sa.update(Discussion).where(col(Discussion.id) == found)
    with pytest.raises(RuntimeError, match="after a stroke"):
        async with api.database.work() as work:
            await reply_in(work, mia, found)
            await work.execute(write.values(title="Written too late"))
    with pytest.raises(errors.NotFound):
        async with api.database.work() as work:
            await work.execute(write.values(title="Undone with the reply"))
            await reply_in(work, mia, found)
            raise errors.NotFound
    ((title,),) = await api.read(sa.select(Discussion.title))
    assert title == discussion["title"]
    assert await counted(api, discussion) == (2, [1, 2], 1)


async def test_one_that_breaks_a_constraint_undoes_none_of_those_that_were_kept_with_it(
    api: Api,
) -> None:
    mia = await api.member("Mia Member")
    discussion = UUID((await api.discussion(mia))["id"])
    counting = Stroke(
        sa.update(Discussion)
        .where(col(Discussion.id) == sa.bindparam("discussion", type_=sa.Uuid))
        .values(post_count=Discussion.post_count + 1)
        .returning(col(Discussion.post_count).label("number"), Discussion.community_id),
        Following(Activity, _noted),
    )

    async def strike(record: Any) -> int:
        async with api.database.work() as work:
            values = {"discussion": discussion, "record": record, "now": clock.now()}
            return (await work.stroke(counting, **values)).number

    taken = (await api.read(sa.select(Activity.id)))[0].id
    outcomes = await asyncio.gather(
        strike(new_id()), strike(taken), strike(new_id()), return_exceptions=True
    )
    assert {outcomes[0], outcomes[2]} == {2, 3}
    assert "Integrity" in type(outcomes[1]).__name__ or "Unique" in type(outcomes[1]).__name__
    ((count,),) = await api.read(sa.select(Discussion.post_count))
    assert count == 3


def _noted(row: Any) -> dict[str, Any]:
    return {
        "id": sa.bindparam("record", type_=sa.Uuid),
        "kind": sa.literal("post.written"),
        "occurred_at": sa.bindparam("now", type_=Activity.__table__.c.occurred_at.type),
        "actor_kind": sa.literal("system"),
        "community_id": row.community_id,
        "subject_kind": sa.literal("post"),
        "subject_id": sa.literal("nothing"),
        "facts": sa.literal({}, type_=Activity.__table__.c.facts.type),
    }
