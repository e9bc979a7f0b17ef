"""Running it: health that tells the truth, stops that lose nothing, logs that tell no secret."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import sqlalchemy as sa

from app.models import Mail, MailStatus, Term
from tests.cast import DTC, Api, Someone, day, on
from tests.private_postgres import PrivatePostgres, private_postgres
from tests.processes import Server, eventually, free_port, ran, serving
from tests.sinks import Sink, sink

STOP_SECONDS = 30
FORM = {
    "name": "Xanthippe Quill",
    "email": "xanthippe@example.org",
    "communities": [DTC],
    "occupation": "Xylophone tuner",
    "affiliation": "Quagmire Clinic",
    "area_of_interest": "zeugmatic interventions",
    "agrees_to_rules_version": 1,
}
TYPED = [value for value in FORM.values() if isinstance(value, str)]


@asynccontextmanager
async def served(api: Api, folder: Path, *options: str, **settings: Any) -> AsyncIterator[Server]:
    """A server of its own on the database of a test's cast."""
    options = options or ("--no-worker",)
    log = folder / "server.log"
    url = api.database.url
    async with serving(url, log, *options, data_dir=folder, **settings) as server:
        yield server


def through(server: Server, someone: Someone) -> dict[str, str]:
    return {"Authorization": f"Bearer {someone.token}"}


# Health


async def test_health_is_told_to_get_and_to_head(api: Api) -> None:
    for path, status in (("/health/live", "live"), ("/health/ready", "ready")):
        answer = await api.client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": status})
        assert (await api.client.head(path)).status_code == 200


async def test_a_database_without_its_defaults_is_not_ready(api: Api) -> None:
    async with api.database.work() as work:
        await work.execute(sa.text("DELETE FROM association"))
    answer = await api.client.get("/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "service.unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (await api.client.get("/health/live")).status_code == 200


@pytest.fixture
def own_postgres() -> Iterator[PrivatePostgres]:
    with private_postgres() as found:
        yield found


@pytest.fixture
def mail_server() -> Iterator[Sink]:
    with sink() as found:
        yield found


async def test_while_the_database_is_away_everything_is_503_and_then_works_again(
    own_postgres: PrivatePostgres, mail_server: Sink, tmp_path: Path
) -> None:
    log, mail = tmp_path / "server.log", mail_server.url
    async with serving(own_postgres.url, log, "--worker", mail_url=mail) as server:
        client = server.client
        assert (await client.post("/api/v1/join-requests", json=FORM)).status_code == 202
        await eventually(lambda: mail_server.taken)
        await asyncio.to_thread(own_postgres.stop)
        for _ in range(3):
            reading = await client.get("/api/v1/communities")
            writing = await client.post("/api/v1/join-requests", json=FORM)
            ready = await client.get("/health/ready")
            for answer in (reading, writing, ready):
                assert (answer.status_code, answer.json()["code"]) == (503, "service.unavailable")
                assert int(answer.headers["retry-after"]) > 0
        assert (await client.get("/health/live")).status_code == 200
        await asyncio.to_thread(own_postgres.start)
        await eventually(server.ready)
        assert (await client.get("/api/v1/communities")).status_code == 200

        async def asked() -> bool:
            return (await client.post("/api/v1/join-requests", json=FORM)).status_code == 202

        await eventually(asked)
        await eventually(lambda: len(mail_server.taken) == 2)
        assert server.process.running
    assert events(server.process.said())
    assert not [word for word in TYPED if word in server.process.said()]


# Stopping


class Held:
    """The database, held by somebody else so that writers have to wait."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Held":
        if self._url.startswith("sqlite"):
            path = self._url.removeprefix("sqlite:///")
            connection = self._stack.enter_context(closing(sqlite3.connect(path)))
            connection.execute("BEGIN IMMEDIATE")
        else:
            other = await asyncpg.connect(self._url)
            self._stack.push_async_callback(other.close)
            await other.execute("BEGIN; LOCK TABLE discussion IN SHARE MODE")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


async def test_a_stop_finishes_the_request_that_runs_and_takes_no_other(
    api: Api, tmp_path: Path
) -> None:
    writer = await api.member("Wilma Writer")
    discussion = await api.discussion(writer)
    async with served(api, tmp_path) as server:
        path = f"/api/v1/discussions/{discussion['id']}/posts"
        async with Held(api.database.url):
            last = asyncio.create_task(
                server.client.post(
                    path,
                    json={"body": "Last words.", "language": "en"},
                    headers=through(server, writer),
                )
            )
            await asyncio.sleep(0.5)  # on its way, and waiting
            assert not last.done()
            server.process.ask_to_stop()
            await eventually(lambda: refuses(server))
        assert (await last).status_code == 201
        assert await asyncio.wait_for(server.process.ended(), STOP_SECONDS) == 0
    assert "Traceback" not in server.process.said()
    shown = (await writer.get(f"/discussions/{discussion['id']}")).json()
    assert shown["post_count"] == 2


async def refuses(server: Server) -> bool:
    """True if nobody accepts new connections any more."""
    async with httpx.AsyncClient() as stranger:
        try:
            await stranger.get(f"{server.url}/health/live")
        except httpx.ConnectError:
            return True
        except httpx.TransportError:
            return False  # it was let in just before, and never answered
    return False


async def test_a_stop_does_not_wait_for_a_mail_server_that_hangs(
    api: Api, mail_server: Sink, tmp_path: Path
) -> None:
    settings = {"mail_url": mail_server.url}
    async with served(api, tmp_path, "--worker", **settings) as server:
        mail_server.answers.clear()
        await server.client.post("/api/v1/join-requests", json=FORM)
        await eventually(lambda: mail_server.tried)
        server.process.ask_to_stop()
        assert await asyncio.wait_for(server.process.ended(), STOP_SECONDS) == 0
    mail_server.answers.set()
    (row,) = await api.read(sa.select(Mail.status))
    assert row.status == MailStatus.QUEUED
    async with served(api, tmp_path, "--worker", **settings):
        await eventually(lambda: mail_server.taken)


async def test_a_writer_that_waits_too_long_is_told_to_come_again(
    sqlite_api: Api, tmp_path: Path
) -> None:
    async with served(sqlite_api, tmp_path) as server:
        async with Held(sqlite_api.database.url):
            answer = await server.client.post("/api/v1/join-requests", json=FORM)
            assert (answer.status_code, answer.json()["code"]) == (503, "service.unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert (await server.client.get("/api/v1/communities")).status_code == 200
        assert (await server.client.post("/api/v1/join-requests", json=FORM)).status_code == 202


# Measuring and logging


async def test_measurements_are_by_operation_and_name_nobody(api: Api, tmp_path: Path) -> None:
    member = await api.member("Mia Member")
    async with served(api, tmp_path) as server:
        path = f"/api/v1/communities/{DTC}/discussions"
        await server.client.get(path, headers=through(server, member))
        await server.client.get(path)
        await server.client.get("/api/v1/nowhere")
        told = (await server.client.get("/metrics")).text
    assert 'cop_requests_total{operation="list_discussions",status="200"} 1.0' in told
    assert 'cop_requests_total{operation="list_discussions",status="401"} 1.0' in told
    assert 'cop_requests_total{operation="none",status="404"} 1.0' in told
    assert 'cop_request_seconds_count{operation="list_discussions"} 2.0' in told
    assert DTC not in told and "nowhere" not in told and str(member.id) not in told


def events(said: str) -> list[dict[str, Any]]:
    """The lines of a log, which begin where those for the operator end."""
    lines = said.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("{"))
    return [json.loads(line) for line in lines[begin:]]


async def test_a_fault_is_logged_with_its_request_and_without_what_was_sent(
    api: Api, tmp_path: Path
) -> None:
    async with served(api, tmp_path) as server:
        async with api.database.work() as work:
            await work.execute(sa.text("ALTER TABLE join_request RENAME TO elsewhere"))
        answer = await server.client.post(
            "/api/v1/join-requests", json=FORM, headers={"X-Request-Id": "find-me"}
        )
        await eventually(lambda: '"submit_join_request"' in server.process.said())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "find-me"
    (fault,) = [event for event in events(server.process.said()) if "fault" in event]
    assert fault["request_id"] == "find-me" and fault["level"] == "error"
    assert any(place.startswith("join_requests.py:") for place in fault["at"])
    assert not [word for word in TYPED if word in server.process.said()]


async def test_counters_of_requests_that_are_away_stop_nobody_and_the_log_says_so_once(
    sqlite_api: Api, tmp_path: Path
) -> None:
    counters = {"rate_limit_url": f"redis://127.0.0.1:{free_port()}", "requests_per_minute": 2}
    async with served(sqlite_api, tmp_path, **counters) as server:
        answers = [await server.client.get("/api/v1/rules") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    told = [event for event in events(server.process.said()) if "fault" in event]
    assert [(event["event"], event["level"]) for event in told] == [("requests_uncounted", "error")]


# The first account


def creating(email: str, *more: str) -> tuple[str, ...]:
    """The command that makes an account, which reads its password from what is typed."""
    who = ("--email", email, "--name", "First Last", "--password-stdin")
    return ("create-staff", *who, *more)


async def test_an_operator_makes_the_first_account_beside_a_running_server(
    api: Api, tmp_path: Path
) -> None:
    email, password = "first@example.org", "a quiet harbour in May"
    async with served(api, tmp_path) as server:
        for log in (tmp_path / "first.log", tmp_path / "again.log"):  # nothing is there twice
            command, typed = creating(email), f"{password}\n"
            done = await ran(api.database.url, log, *command, typed=typed, data_dir=tmp_path)
            assert done == (0, f"{email} holds the position staff.\n")
        given = await server.client.post(
            "/api/v1/auth/tokens",
            json={"grant_type": "password", "username": email, "password": password},
        )
        token = {"Authorization": f"Bearer {given.json()['access_token']}"}
        me = (await server.client.get("/api/v1/me", headers=token)).json()
        assert (me["name"], me["positions"]) == ("First Last", ["staff"])
    terms = await api.read(sa.select(Term.ends_on).where(Term.position_code == "staff"))
    assert [row.ends_on for row in terms] == [None]


async def test_an_account_is_made_as_it_was_asked_for_or_not_at_all(
    sqlite_api: Api, tmp_path: Path
) -> None:
    url, good = sqlite_api.database.url, "a quiet harbour in May"
    president = ("--position", "president", "--until")
    asked = {
        "weak.log": (creating("a@example.org"), "passwordpassword"),
        "unknown.log": (creating("b@example.org", "--position", "chair"), good),
        "day.log": (creating("c@example.org", *president, "someday"), good),
        "good.log": (creating("d@example.org", *president, day(90)), good),
    }
    weak, unknown, someday, done = await asyncio.gather(
        *(
            ran(url, tmp_path / log, *command, typed=typed, data_dir=tmp_path)
            for log, (command, typed) in asked.items()
        )
    )
    assert [code for code, _ in (weak, unknown, someday, done)] == [1, 1, 1, 0]
    assert "among the passwords that are tried first" in weak[1]
    assert "This names something that does not exist." in unknown[1]
    assert someday[1] == "The e-mail address or the day cannot be read.\n"
    (term,) = await sqlite_api.read(sa.select(Term.ends_on))
    assert term.ends_on == on(90)
