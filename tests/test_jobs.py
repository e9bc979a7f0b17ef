"""Mail by the real worker, in processes of its own: what is caused is sent, once it can be."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app import clock, jobs, settings
from app.db import Database
from app.models import (
    IdempotencyKey,
    JoinRequest,
    JoinRequestStatus,
    Mail,
    MailedToken,
    MailStatus,
    Person,
    Session,
    SignInFailure,
)
from app.services import retention
from tests.cast import DTC, Api, token_in
from tests.conftest import DATABASES
from tests.houses import RUNNING, House, empty_database, house, worker_beside
from tests.processes import eventually, running, serving
from tests.sinks import Sink, sink

TEXTS = {
    "name": "Xanthippe Quill",
    "occupation": "Xylophone tuner",
    "affiliation": "Quagmire Clinic",
    "area_of_interest": "zeugmatic interventions",
}


STANDING_BY = '"state":"standing by"'
# These share processes, so they run where those run.
one_house = pytest.mark.xdist_group("house")


@pytest.fixture
def mail_server() -> Iterator[Sink]:
    with sink() as found:
        yield found


@pytest.fixture(scope="module", params=DATABASES)
async def at_work(
    request: pytest.FixtureRequest, postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """One house for the tests that only use it; each brings an address of its own."""
    folder = tmp_path_factory.mktemp("house")
    with empty_database(request.param, postgres, folder) as url, sink() as server:
        async with house(url, server, folder) as found:
            yield found


async def ask(api: Api, address: str, **form: Any) -> None:
    """Somebody asks to join, which causes a mail to their address."""
    form = {"communities": [DTC], "agrees_to_rules_version": 1, "email": address} | TEXTS | form
    answer = await api.post("/join-requests", form)
    assert answer.status_code == 202, answer.text


async def mail_of(database: Database, kind: str, **conditions: Any) -> list[Any]:
    """The rows of the queue of one kind."""
    statement = sa.select(Mail.id, Mail.status, Mail.attempts, Mail.failure, Mail.address)
    wanted = [col(Mail.kind) == kind]
    wanted += [getattr(Mail, name) == value for name, value in conditions.items()]
    async with database.work() as work:
        return await work.rows(statement.where(*wanted))


@one_house
async def test_a_mail_arrives_after_its_cause(at_work: House) -> None:
    await ask(at_work.api, "arrives@example.org")
    (mail,) = await eventually(lambda: at_work.sink.to("arrives@example.org"))
    assert mail["Subject"] == "Please confirm your address" and token_in(mail)


@one_house
async def test_a_mail_that_is_refused_for_now_is_tried_again_under_the_same_id(
    at_work: House,
) -> None:
    at_work.sink.refusals["greylisted@example.org"] = ["451 Later", "452 Later still"]
    await ask(at_work.api, "greylisted@example.org")
    (mail,) = await eventually(lambda: at_work.sink.to("greylisted@example.org"))
    tried = [one for one in at_work.sink.tried if one["To"] == mail["To"]]
    assert len(tried) == 3
    assert len({one["Message-ID"] for one in tried}) == len({one["X-COP-Mail-Id"] for one in tried})
    assert {one["Message-ID"] for one in tried} == {mail["Message-ID"]}


@one_house
async def test_a_mail_that_bounces_is_parked_and_reported(at_work: House) -> None:
    at_work.sink.refusals["unknown@example.org"] = ["550 No such user unknown@example.org"] * 9
    await ask(at_work.api, "unknown@example.org")
    staff = await at_work.api.staff("Stella Staff")

    async def reported() -> list[dict[str, Any]]:
        answer = await staff.get("/audit-log?kind=mail.parked")
        return answer.json()["items"]

    (record,) = await eventually(reported)
    assert record["facts"] == {"mail_kind": "confirm_address"}
    assert record["actor"]["kind"] == "system"
    (row,) = await mail_of(at_work.api.database, "confirm_address", status=MailStatus.PARKED)
    assert record["subject"] == {"kind": "mail", "id": str(row.id)}
    assert (row.attempts, row.failure) == (1, "smtp 550")


@one_house
async def test_a_request_that_is_rolled_back_causes_no_mail(at_work: House) -> None:
    api = at_work.api
    await ask(api, "member@example.org")
    (proof,) = await eventually(lambda: at_work.sink.to("member@example.org"))
    await api.post("/auth/email-verifications/confirmation", {"token": token_in(proof)})
    request = sa.select(JoinRequest.id).where(col(JoinRequest.email) == "member@example.org")
    (asked,) = await api.read(request)
    member = await api.member("Mia Member")
    await api.change(Person, member.id, email_key="member@example.org")
    staff = await api.staff("Stan Staff")
    refused = await staff.put(
        f"/join-requests/{asked.id}/decision", {"outcome": "accepted", "comment": None}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "membership.exists")
    await ask(api, "afterwards@example.org")
    await eventually(lambda: at_work.sink.to("afterwards@example.org"))
    # To prove the address, and that the request has arrived: nothing of a welcome.
    await eventually(lambda: at_work.sink.to("member@example.org")[1:])
    assert len(at_work.sink.to("member@example.org")) == 2
    assert await mail_of(api.database, "welcome", subject_id=asked.id) == []


@one_house
async def test_no_queue_no_table_of_jobs_and_no_log_holds_a_token_or_what_somebody_wrote(
    at_work: House,
) -> None:
    api, address = at_work.api, "secretive@example.org"
    at_work.sink.refusals[address] = [f"451 {address} is busy"]
    await ask(api, address)
    (proof,) = await eventually(lambda: at_work.sink.to(address))
    await api.post("/auth/email-verifications/confirmation", {"token": token_in(proof)})
    staff = await api.staff("Susan Staff")
    listed = (await staff.get(f"/communities/{DTC}/join-requests?status=pending")).json()["items"]
    (asked,) = [item for item in listed if item["email"] == address]
    reason = "an abstruse zoological objection"
    decision = {"outcome": "declined", "comment": reason}
    assert (await staff.put(f"/join-requests/{asked['id']}/decision", decision)).status_code == 200
    await api.post("/auth/tokens", {"username": address, "password": "hunter2hunter2"})

    secrets = [token_in(mail) for mail in at_work.sink.tried if "token=" in mail.get_content()]
    words = [*TEXTS.values(), address, reason, "hunter2", staff.token]

    async def sent() -> bool:
        return bool(await mail_of(api.database, "request_declined", status=MailStatus.SENT))

    await eventually(sent)
    tables = await everything(api)
    for name, text in tables.items():
        assert not [secret for secret in secrets if secret in text], name
        if name.split(".")[-1] == "mail" or not known(name):
            assert not [word for word in words if word in text], name
    assert sum(not known(name) and text != "" for name, text in tables.items()) >= 3
    assert not [found for found in (*secrets, *words) if found in at_work.logs()]


def known(table: str) -> bool:
    """True for a table of ours, false for one of the job engine's."""
    return table in Mail.metadata.tables


async def everything(api: Api) -> dict[str, str]:
    """Every row of every table, as text, the job engine's tables included."""
    database = api.database
    if database.sqlite:
        names = sa.text("SELECT name FROM sqlite_master WHERE type = 'table'")
    else:
        names = sa.text(
            "SELECT CASE schemaname WHEN 'public' THEN tablename"
            " ELSE schemaname || '.' || tablename END FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
    found = {}
    async with database.work() as work:
        for name in (await work.execute(names)).scalars().all():
            quoted = '"' + name.replace(".", '"."') + '"'
            rows = (await work.execute(sa.text(f"SELECT * FROM {quoted}"))).all()
            found[name] = "\n".join(str(tuple(row)) for row in rows)
    return found


# Killed


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, postgres: str, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, postgres, tmp_path) as url:
        yield url


async def test_a_second_worker_stands_by_and_sends_what_a_killed_one_had_begun(
    empty_url: str, mail_server: Sink, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(house(empty_url, mail_server, tmp_path))
        if worker_beside(empty_url):
            second = await stack.enter_async_context(
                serving(empty_url, tmp_path / "second.log", mail_url=mail_server.url)
            )
            standing_by = second.process
        else:
            standing_by = await stack.enter_async_context(
                running(empty_url, tmp_path / "second.log", "worker", mail_url=mail_server.url)
            )
            await eventually(lambda: STANDING_BY in standing_by.said())
        mail_server.answers.clear()
        await ask(first.api, "patient@example.org")
        await eventually(lambda: mail_server.tried)
        assert RUNNING not in standing_by.said()
        first.worker.kill()
        await first.worker.ended()
        mail_server.answers.set()
        await eventually(lambda: RUNNING in standing_by.said())
        await eventually(lambda: len(mail_server.tried) == 2)
        (mail,) = await eventually(lambda: mail_server.to("patient@example.org")[-1:])
        assert {one["Message-ID"] for one in mail_server.tried} == {mail["Message-ID"]}
        assert token_in(mail) != token_in(mail_server.tried[0])


async def test_what_was_caused_while_no_worker_ran_is_sent_when_one_does(
    empty_url: str, mail_server: Sink, tmp_path: Path
) -> None:
    settings = {"mail_url": mail_server.url}
    async with serving(empty_url, tmp_path / "server.log", "--no-worker", **settings) as server:
        async with Api.on(empty_url) as inside:
            api = Api(inside.database, server.client, inside.edge)
            await ask(api, "patient@example.org")
            waiting = await api.read(
                sa.select(JoinRequest.status).where(col(JoinRequest.email) == "patient@example.org")
            )
            assert [row.status for row in waiting] == [JoinRequestStatus.AWAITING_VERIFICATION]
            assert await api.read(sa.select(Mail.id)) == []
        server.process.kill()
        await server.process.ended()
    async with running(empty_url, tmp_path / "worker.log", "worker", **settings):
        assert await eventually(lambda: mail_server.to("patient@example.org"))


# In this process, to look at what the engine keeps


@pytest.fixture
async def working(api: Api) -> AsyncIterator[Api]:
    """A worker in this process, beside the test."""
    worker = jobs.Worker(api.database)
    await worker.start()
    yield api
    await worker.stop()


async def finished(api: Api) -> list[str]:
    """The names of the jobs that the engine has done and remembers."""
    table = "workflow_status" if api.database.sqlite else "dbos.workflow_status"
    done = sa.text(f"SELECT name FROM {table} WHERE status = 'SUCCESS'")
    return [row.name for row in await api.read(done)]


async def attempts(api: Api, least: int) -> bool:
    rows = await api.read(sa.select(Mail.attempts))
    return any(row.attempts >= least for row in rows)


async def test_a_fault_of_ours_is_counted_and_its_words_are_kept_nowhere(
    working: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError(f"could not write to {TEXTS['name']}")

    monkeypatch.setattr(jobs.mails, "deliver", fail)
    await ask(working, "patient@example.org")
    await eventually(lambda: attempts(working, 2))
    (row,) = await mail_of(working.database, "confirm_address")
    assert (row.status, row.failure) == (MailStatus.QUEUED, "fault: RuntimeError")
    kept = await everything(working)
    assert not [name for name, text in kept.items() if not known(name) and "Quill" in text]
    monkeypatch.undo()
    assert await eventually(lambda: sent_to(working))


def mailbox() -> set[str]:
    """The names of the mails in the directory that takes them where no server is set."""
    folder = Path(settings.get().mail.removeprefix("file://"))
    return {path.name for path in folder.iterdir()}


async def sent_to(api: Api) -> bool:
    return (await mail_of(api.database, "confirm_address"))[0].status == MailStatus.SENT


async def test_finished_jobs_are_forgotten_after_a_day(
    working: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(working, "patient@example.org")
    await eventually(lambda: finished(working))
    (row,) = await mail_of(working.database, "confirm_address")
    assert f"{row.id}.eml" in mailbox()
    await jobs.erase_finished()
    assert await finished(working) == ["deliver_mail"]
    tomorrow = clock.now() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(jobs.clock, "now", lambda: tomorrow)
    await jobs.erase_finished()
    assert await finished(working) == []


# What is not kept


async def test_what_has_been_kept_long_enough_is_erased_and_nothing_else(api: Api) -> None:
    someone = await api.member("Mia Member")
    await ask(api, "unconfirmed@example.org")
    await ask(api, "declined@example.org")
    await api.work_off()
    wrong = {"grant_type": "password", "username": someone.email, "password": "not hers, at all"}
    assert (await api.post("/auth/tokens", wrong)).status_code == 401
    headers = {"Idempotency-Key": "once"}
    opening = {"title": "Kept", "body": "Kept.", "language": "en"}
    await someone.post(f"/communities/{DTC}/discussions", opening, headers=headers)
    assert set((await erased(api)).values()) == {0}
    await past(api, "declined@example.org")
    assert {name: count for name, count in (await erased(api)).items() if count} == {
        "idempotency_key": 1,
        "sign_in_failure": 1,
        "mailed_token": 2,
        "session": 1,
        "mail": 2,
        "join_request_unconfirmed": 1,
        "join_request_not_accepted": 1,
    }
    assert set((await erased(api)).values()) == {0}


async def erased(api: Api) -> dict[str, int]:
    async with api.database.work() as work:
        return await retention.erase(work)


async def past(api: Api, declined: str) -> None:
    """As if three years had passed, and one of the requests had been declined."""
    columns = (
        (IdempotencyKey, "created_at"),
        (SignInFailure, "window_starts_at"),
        (MailedToken, "expires_at"),
        (Session, "expires_at"),
        (Mail, "created_at"),
        (JoinRequest, "submitted_at"),
        (JoinRequest, "updated_at"),
    )
    long_ago = clock.now() - timedelta(days=3 * 365)
    async with api.database.work() as work:
        for model, column in columns:
            await work.execute(sa.update(model).values({column: long_ago}))
        await work.execute(
            sa.update(JoinRequest)
            .where(col(JoinRequest.email) == declined)
            .values(status=JoinRequestStatus.DECLINED)
        )
