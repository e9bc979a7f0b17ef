"""The activity log is sealed without gaps, and shows the first row that was tampered with."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.models import Activity, ActivityHead, ActorKind
from app.services import recipients, sealing
from app.services.sealing import START, Fault
from tests.cast import Api
from tests.crowds import Doors, at_once, outcomes
from tests.processes import ran


async def talk(api: Api) -> None:
    """A handful of things that happen."""
    someone = await api.member("Tara Talker")
    discussion = await api.discussion(someone)
    for _ in range(5):
        await api.reply(someone, discussion)


async def sealed_log(api: Api) -> list[Any]:
    """A log of seven records that is sealed and whole, in the order of its places."""
    await talk(api)
    await api.work_off()
    rows = await api.read(sa.select(Activity).order_by(Activity.place))
    assert await sealing.verify(api.database.reader) == (len(rows), None)
    return [row.Activity for row in rows]


async def consume(api: Api, stop: asyncio.Event) -> None:
    """What a worker does until it is told to stop, and until nothing waits."""
    while True:
        last = stop.is_set()
        async with api.database.work() as work:
            done = await sealing.seal(work, recipients.cause)
        if last and not done:
            return
        await asyncio.sleep(0)


# Sealing


async def test_two_consumers_beside_sixteen_writers_leave_one_order_without_gaps(api: Api) -> None:
    writers = [await api.member(f"Writer {number}") for number in range(16)]
    discussion = await api.discussion(writers[0])
    stop = asyncio.Event()
    async with Doors.to(api) as doors:
        consumers = [asyncio.create_task(consume(door, stop)) for door in doors.apis]
        for _ in range(4):
            answers = await at_once(
                doors.at(writer, number).post(
                    f"/discussions/{discussion['id']}/posts", {"body": "Again.", "language": "en"}
                )
                for number, writer in enumerate(writers)
            )
            assert outcomes(answers) == {201: 16}
        stop.set()
        await asyncio.gather(*consumers)
    rows = await api.read(sa.select(Activity.place, Activity.kind).order_by(Activity.place))
    assert [row.place for row in rows] == list(range(1, len(rows) + 1))
    assert sum(row.kind == "post.written" for row in rows) == 64
    assert await sealing.verify(api.database.reader) == (len(rows), None)


async def test_a_log_can_be_verified_while_it_grows(api: Api) -> None:
    await sealed_log(api)
    stop = asyncio.Event()
    consumer = asyncio.create_task(consume(api, stop))
    someone = await api.member("Tess Talker")
    discussion = await api.discussion(someone)

    async def write() -> None:
        for _ in range(20):
            await api.reply(someone, discussion)
        stop.set()

    writing = asyncio.create_task(write())
    while not stop.is_set():
        _, fault = await sealing.verify(api.database.reader)
        assert fault is None
        await asyncio.sleep(0)
    await asyncio.gather(writing, consumer)


async def test_what_waits_for_its_seal_is_no_fault(api: Api) -> None:
    rows = await sealed_log(api)
    await api.discussion(await api.member("Tess Talker"))
    assert await sealing.verify(api.database.reader) == (len(rows), None)
    assert await sealing.waiting(api.database.reader) == 1


# Tampering


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "post.edited"},
        {"facts": {"number": 7}},
        {"actor_id": None},
        {"actor_kind": ActorKind.SYSTEM},
        {"community_id": None},
        {"subject_id": "another"},
        {"subject_kind": "term"},
        {"occurred_at": clock.now()},
        {"seal": START},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_changed_row_is_named(api: Api, change: dict[str, Any]) -> None:
    rows = await sealed_log(api)
    await api.change(Activity, rows[3].id, **change)
    sealed, fault = await sealing.verify(api.database.reader)
    kind = change.get("kind", rows[3].kind)
    assert (sealed, fault) == (3, Fault(4, "changed or added", f"{kind} {rows[3].id}"))


async def test_the_first_of_two_changed_rows_is_named(api: Api) -> None:
    rows = await sealed_log(api)
    for row in (rows[4], rows[2]):
        await api.change(Activity, row.id, subject_kind="another")
    _, fault = await sealing.verify(api.database.reader)
    assert fault is not None and fault.place == 3


@pytest.mark.parametrize("place", [1, 4])
async def test_a_removed_row_is_named_by_its_place(api: Api, place: int) -> None:
    rows = await sealed_log(api)
    await remove(api, rows[place - 1].id)
    assert await sealing.verify(api.database.reader) == (place - 1, Fault(place, "removed"))


async def test_a_removed_row_whose_place_is_filled_again_is_named(api: Api) -> None:
    rows = await sealed_log(api)
    await remove(api, rows[3].id)
    for row in rows[4:]:
        await api.change(Activity, row.id, place=row.place - 1)
    _, fault = await sealing.verify(api.database.reader)
    assert fault == Fault(4, "changed or added", f"{rows[4].kind} {rows[4].id}")


@pytest.mark.parametrize("place", ["after the last", "before the first"])
async def test_an_added_row_is_named(api: Api, place: str) -> None:
    rows = await sealed_log(api)
    at = len(rows) + 1 if place == "after the last" else 0
    added = Activity(
        kind="grant.changed",
        occurred_at=clock.now(),
        actor_kind=ActorKind.SYSTEM,
        subject_kind="grant",
        subject_id="audit:read",
        place=at,
        seal=rows[-1].seal,
    )
    async with api.database.work() as work:
        work.add(added)
    _, fault = await sealing.verify(api.database.reader)
    assert fault == Fault(at, "changed or added", f"grant.changed {added.id}")


async def test_a_tail_that_was_cut_off_is_named_by_its_first_place(api: Api) -> None:
    rows = await sealed_log(api)
    for row in rows[-3:]:
        await remove(api, row.id)
    place = len(rows) - 2
    assert await sealing.verify(api.database.reader) == (place - 1, Fault(place, "removed"))


async def test_a_head_that_was_moved_back_with_the_tail_shows(api: Api) -> None:
    rows = await sealed_log(api)
    last = rows[-1]
    await remove(api, last.id)
    await api.change(ActivityHead, 1, place=last.place - 1, seal=rows[-2].seal)
    _, fault = await sealing.verify(api.database.reader)
    assert fault == Fault(last.place - 1, "the head was changed")


async def test_a_head_that_was_put_back_from_an_earlier_copy_shows(api: Api) -> None:
    await sealed_log(api)
    (earlier,) = await api.read(sa.select(ActivityHead))
    values = earlier.ActivityHead.model_dump()
    await talk_again(api)
    await api.change(ActivityHead, 1, **values)
    _, fault = await sealing.verify(api.database.reader)
    assert fault is not None and fault.what == "the head was put back"


async def test_a_log_that_was_emptied_shows(api: Api) -> None:
    await sealed_log(api)
    async with api.database.work() as work:
        await work.execute(sa.delete(Activity))
        await work.execute(sa.delete(ActivityHead))
    assert await sealing.verify(api.database.reader) == (0, Fault(1, "the head was removed"))


async def remove(api: Api, activity_id: UUID) -> None:
    async with api.database.work() as work:
        await work.execute(sa.delete(Activity).where(col(Activity.id) == activity_id))


async def talk_again(api: Api) -> None:
    await api.discussion(await api.member("Tess Talker"))
    await api.work_off()


# The operator's command


async def test_the_operator_is_told_what_was_tampered_with(api: Api, tmp_path: Path) -> None:
    url = api.database.url
    rows = await sealed_log(api)
    code, said = await ran(url, tmp_path / "whole.log", "verify-audit")
    assert code == 0 and f"The log is whole: {len(rows)} records." in said
    await api.change(Activity, rows[3].id, subject_kind="another")
    code, said = await ran(url, tmp_path / "changed.log", "verify-audit")
    assert code == 1
    named = f"Place 4, {rows[3].kind} {rows[3].id}: changed or added."
    assert f"{named} 3 records before it are whole." in said and "Traceback" not in said
