"""The process that imports is killed again and again: no row is lost, and none is done twice."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import importer
from app.models import Activity, Membership, MembershipImport, MembershipImportRow, Person
from tests.cast import DTC, WELLNESS, Api, Someone
from tests.importing import IMPORTS, csv_of, now, outcomes, send, work_off
from tests.processes import eventually, serving

# Several batches to plan, and more to apply.
PEOPLE = 5_000


def crowd(count: int) -> str:
    return csv_of(
        *(
            f"m{number}@example.org,Person {chr(97 + number % 26)}{chr(97 + number // 26 % 26)},"
            f"{DTC};{WELLNESS}"
            for number in range(count)
        )
    )


@asynccontextmanager
async def importing(url: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process that imports, killed at the end unless it has ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        importer.MODULE,
        stdin=asyncio.subprocess.PIPE,
        env=os.environ | {"COP_DATA_DIR": str(folder)},
    )
    process.stdin.write(url.encode() + b"\n")
    process.stdin.close()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def progress(api: Api) -> tuple[str, int, int]:
    """How far the one import there is has come."""
    (row,) = await api.read(
        sa.select(MembershipImport.status, MembershipImport.rows_read, MembershipImport.rows_done)
    )
    return row.status, row.rows_read, row.rows_done


async def test_a_killed_import_goes_on_at_the_row_where_it_stopped(
    api: Api, tmp_path: Path
) -> None:
    staff = await api.staff()
    job = (await send(staff, crowd(PEOPLE), apply="true", source="club")).json()
    moments = ("planning", 1), ("planning", 2), ("applying", 2), ("applying", 2)
    for status, place in moments:
        before = (await progress(api))[place]

        async def further(status: str = status, place: int = place, before: int = before) -> bool:
            found = await progress(api)
            return found[0] not in ("waiting", "planning", status) or found[place] > before

        async with importing(api.database.url, tmp_path):
            await eventually(further)
    async with importing(api.database.url, tmp_path) as process:
        assert await asyncio.wait_for(process.wait(), 120) == 0
    job = await now(staff, job)
    assert (job["status"], job["counts"]["created"]) == ("applied", PEOPLE)
    people = await api.read(
        sa.select(Person.email_key).where(col(Person.email_key).like("m%@example.org"))
    )
    memberships = await api.read(sa.select(Membership.person_id, Membership.community_id))
    assert len(people) == PEOPLE
    assert Counter(map(tuple, memberships)).most_common(1)[0][1] == 1
    assert len(memberships) == 2 * PEOPLE
    told = await api.read(
        sa.select(Activity.kind, sa.func.count().label("times"))
        .where(col(Activity.kind).like("%imported"))
        .group_by(col(Activity.kind))
    )
    assert {row.kind: row.times for row in told} == {
        "account.imported": PEOPLE,
        "membership.imported": 2 * PEOPLE,
    }
    rows = await api.read(sa.select(MembershipImportRow.number, MembershipImportRow.state))
    assert len(rows) == PEOPLE and {row.state for row in rows} == {"applied"}


async def test_one_that_is_all_or_nothing_leaves_nothing_when_it_is_killed(
    api: Api, tmp_path: Path
) -> None:
    staff = await api.staff()
    job = (await send(staff, crowd(2_500), handling="all_or_nothing")).json()
    await work_off(api)
    answer = await staff.post(f"{IMPORTS}/{job['id']}/application", {})
    assert answer.status_code == 202
    async with importing(api.database.url, tmp_path):
        await asyncio.sleep(2.5)
    if (await progress(api))[0] == "applying":
        assert await api.read(sa.select(Membership.id)) == []
    async with importing(api.database.url, tmp_path) as process:
        assert await asyncio.wait_for(process.wait(), 120) == 0
    assert (await now(staff, job))["counts"]["created"] == 2_500
    assert len(await api.read(sa.select(Membership.id))) == 5_000


async def test_two_processes_do_not_import_at_once(api: Api, tmp_path: Path) -> None:
    staff = await api.staff()
    job = (await send(staff, crowd(1_500), apply="true")).json()
    async with (
        importing(api.database.url, tmp_path) as one,
        importing(api.database.url, tmp_path) as other,
    ):
        assert [await one.wait(), await other.wait()] == [0, 0]
    assert (await now(staff, job))["counts"]["created"] == 1_500
    assert len(await api.read(sa.select(Membership.id))) == 3_000


async def test_the_worker_beside_a_server_imports_what_is_sent(api: Api, tmp_path: Path) -> None:
    staff = await api.staff()
    log = tmp_path / "server.log"
    async with serving(api.database.url, log, "--worker", data_dir=tmp_path) as server:
        headers = {"Authorization": f"Bearer {staff.token}"}
        sent = await server.client.post(
            f"/api/v1{IMPORTS}",
            files={"file": ("members.csv", crowd(20))},
            data={"apply": "true"},
            headers=headers,
        )
        assert sent.status_code == 202, sent.text
        path = f"/api/v1{IMPORTS}/{sent.json()['id']}"

        async def applied() -> bool:
            found: httpx.Response = await server.client.get(path, headers=headers)
            return found.json()["status"] == "applied"

        await eventually(applied)
    assert len(await api.read(sa.select(Membership.id))) == 40


# At the same moment


@pytest.mark.parametrize("act", ["application", "reversal", "cancellation"])
async def test_of_two_who_ask_at_once_one_is_heard(api: Api, act: str) -> None:
    staff = await api.staff()
    other: Someone = await api.staff("Otis Other")
    applied = {"apply": "true"} if act == "reversal" else {}
    job = (await send(staff, crowd(2), **applied)).json()
    await work_off(api)
    body = {} if act == "application" else None
    path = f"{IMPORTS}/{job['id']}/{act}"
    answers = await asyncio.gather(*(one.post(path, body) for one in (staff, other) * 4))
    assert sorted(answer.status_code for answer in answers)[1:] == [409] * 7
    await work_off(api)
    kind = {"application": "application_requested", "reversal": "reversal_requested"}.get(act)
    kind = f"membership_import.{kind or 'cancelled'}"
    assert len(await api.read(sa.select(Activity.id).where(col(Activity.kind) == kind))) == 1
    assert len(await outcomes(staff, job)) == 2
