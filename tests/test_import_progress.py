"""Following an import: by asking again, and by a stream of events."""

import asyncio
import json
from typing import Any

from tests.cast import DTC, Api
from tests.importing import IMPORTS, csv_of, now, planned, send, work_off

FILE = csv_of(f"anna@example.org,Anna Addo,{DTC}")


def events_in(text: str) -> list[dict[str, str]]:
    """The events of a stream, each by its fields."""
    return [
        dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        for block in text.split("\n\n")
        if block.strip().strip(":")
    ]


async def test_asking_again_costs_nothing_while_nothing_has_changed(api: Api) -> None:
    staff = await api.staff()
    job = await planned(staff, FILE)
    path = f"{IMPORTS}/{job['id']}"
    etag = (await staff.get(path)).headers["etag"]
    assert (await staff.get(path, headers={"If-None-Match": etag})).status_code == 304
    await staff.post(f"{path}/application", {})
    assert (await staff.get(path, headers={"If-None-Match": etag})).status_code == 200


async def test_a_stream_tells_each_change_and_ends_with_the_work(api: Api) -> None:
    staff = await api.staff()
    job: dict[str, Any] = (await send(staff, FILE, apply="true")).json()
    path = f"{IMPORTS}/{job['id']}/progress"
    following = asyncio.create_task(staff.get(path))
    await asyncio.sleep(0.2)
    await work_off(api)
    stream = await following
    assert stream.headers["content-type"].startswith("text/event-stream")
    told = events_in(stream.text)
    assert [one["event"] for one in told] == ["progress"] * (len(told) - 1) + ["end"]
    first, last = json.loads(told[0]["data"]), json.loads(told[-2]["data"])
    assert (first["status"], last["status"]) == ("waiting", "applied")
    assert last == await now(staff, job)
    again = await staff.get(path, headers={"Last-Event-ID": told[-1]["id"]})
    assert [one["event"] for one in events_in(again.text)] == ["end"]
    earlier = await staff.get(path, headers={"Last-Event-ID": told[0]["id"]})
    assert [one["event"] for one in events_in(earlier.text)] == ["progress", "end"]


async def test_who_asks_for_the_head_alone_is_answered_while_the_import_waits(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    job = (await send(staff, FILE)).json()
    path = f"{IMPORTS}/{job['id']}/progress"
    head = await asyncio.wait_for(staff.call("HEAD", path), 20)
    assert head.headers["content-type"].startswith("text/event-stream")
    assert (head.status_code, head.content) == (200, b"")
    assert (await mia.call("HEAD", path)).status_code == 404
    assert (await now(staff, job))["status"] == "waiting"


async def test_a_stream_stops_when_the_right_to_it_ends(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Claire Chair", "chair")
    job = (await send(chair, FILE, community=DTC)).json()
    following = asyncio.create_task(chair.get(f"{IMPORTS}/{job['id']}/progress"))
    await asyncio.sleep(0.2)
    removal = await staff.post(f"/terms/{chair.terms['chair']}/removal", {"reason": "Moved."})
    assert removal.status_code == 201
    told = events_in((await asyncio.wait_for(following, 20)).text)
    assert [one["event"] for one in told] == ["progress"]
    assert (await now(staff, job))["status"] == "waiting"


async def test_a_stream_shows_no_more_than_the_import_does(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    job = await planned(staff, FILE, community=DTC)
    path = f"{IMPORTS}/{job['id']}/progress"
    assert (await mia.get(path)).status_code == 404
    assert (await api.get(path)).status_code == 401
