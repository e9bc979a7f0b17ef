"""What runs by itself: the only importer of the job engine, and the whole schedule on one page.

Activity is the outbox. One consumer seals each new row and turns it into mails; mails whose time
has come become durable jobs in the same transaction. A job carries an id, never a text or a token.

    always        seal new activity, queue its mails, hand on mails that are due
    each change   say on the log what the calendar brought about: terms, vacancies, acting holders
    queue mail    one try to send one mail; a failure makes it due again after a pause
    one by one    imports of memberships, in a process of their own
    every hour    erase what is not kept: answers for retries, used links, requests never confirmed

One worker runs at a time on a database. A second one stands by and takes over when the first is
gone, with the jobs that it had begun: the engine knows a worker by its name, and there is one.
"""

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig
from dbos._serialization import DBOSPortableJSONSerializer
from prometheus_client import Gauge

from app import clock, errors, logs
from app.alone import Alone
from app.db import Database
from app.importer import Importer
from app.services import (
    announcements,
    election_announcements,
    eligibility_announcements,
    join_announcements,
    mails,
    recipients,
    retention,
    sealing,
    token_announcements,
)

QUEUE = "mail"
PAUSE_SECONDS = 0.2
STAND_BY_SECONDS = 1.0
# How long a stop waits for jobs that run; one that takes longer is done again by the next worker.
LAST_CALL_SECONDS = 4
# A job waits this often, and so long, for a database that is away; then it leaves the rest to the
# consumer, which hands on again what a job has left behind.
AWAY_SECONDS = (1, 3, 9, 27)
# How often the calendar is looked at: while things happen, and while nothing does.
BUSY_SECONDS, QUIET_SECONDS = 2.0, 60.0
VERSION = "1"
WORKFLOW = "deliver_mail"
NAME = "communities"
# How many finished jobs are erased in an hour at most.
ERASED_AT_ONCE = 10_000

# What the clock brings about, said once on the log.
ANNOUNCERS = (
    announcements,
    election_announcements,
    eligibility_announcements,
    join_announcements,
    token_announcements,
)

log = structlog.get_logger("jobs")
_waiting = Gauge("cop_activity_unsealed", "Records of activity that wait for their seal")

# Jobs are registered by name with the engine, so they find the database here.
_here: dict[str, Database] = {}


@DBOS.workflow(name=WORKFLOW)
async def _deliver_mail(mail_id: str) -> None:
    # Nothing is raised from here: the engine would keep the words of the error in its tables, and
    # they may quote the mail.
    for pause in AWAY_SECONDS:
        try:
            await mails.deliver(_here["database"], UUID(mail_id))
        except errors.Unavailable:
            await asyncio.sleep(pause)
        except Exception as error:
            log.error("mail", mail_id=mail_id, **logs.without_words(error))
            await _give_back(UUID(mail_id), type(error).__name__)
            return
        else:
            return


async def _give_back(mail_id: UUID, fault: str) -> None:
    """A fault of ours: it is tried again as after any failure, and parked in the end."""
    with contextlib.suppress(errors.Problem):  # what is left behind is handed on again
        await mails.fail(_here["database"], mail_id, f"fault: {fault}", permanent=False)


@DBOS.workflow(name="erase_what_is_not_kept")
async def _erase(_scheduled: datetime, _context: Any) -> None:
    async with _here["database"].work() as work:
        await retention.erase(work)
    await erase_finished()


@DBOS.step(name="erase_finished_jobs")
async def erase_finished() -> None:
    """Makes the engine forget the jobs that it finished more than a day ago."""
    before = clock.now() - timedelta(days=1)
    finished = await DBOS.list_workflows_async(
        status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
        completed_before=before.isoformat(),
        limit=ERASED_AT_ONCE,
        load_input=False,
        load_output=False,
    )
    if finished:
        await DBOS.delete_workflows_async([job.workflow_id for job in finished])


class Worker:
    """The consumer and the job engine of one process; `start` and `stop` around its life."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._alone = Alone(database.url, "worker")
        self._task: asyncio.Task[None] | None = None
        self._client: DBOSClient | None = None
        self._state = ""
        self._importer = Importer(database.url)
        self._announced_on: date | None = None
        self._announced_at = 0.0

    async def start(self) -> None:
        """Begins on the running loop: at once, or when the worker that runs already is gone."""
        self._task = asyncio.create_task(self._live(), name="worker")

    async def stop(self) -> None:
        """Finishes what runs, for a few seconds, then stops."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _live(self) -> None:
        while True:
            try:
                await self._work_while_alone()
            except Exception as error:
                _note(error)
            await asyncio.sleep(STAND_BY_SECONDS)

    async def _work_while_alone(self) -> None:
        try:
            if not await self._alone.enter():
                self._say("standing by")
                return
            await self._launch()
            self._say("running")
            while self._alone.still():
                await self._turn_or_pause()
        finally:
            await self._importer.stop()
            try:
                await self._end()
            finally:
                await self._alone.leave()

    def _say(self, state: str) -> None:
        if state != self._state:
            log.info("worker", state=state)
        self._state = state

    async def _launch(self) -> None:
        """Starts the engine on the running loop; jobs that a crash interrupted go on."""
        _here["database"] = self._database
        url = self._database.url
        config: DBOSConfig = {
            "name": NAME,
            "system_database_url": url,
            "application_version": VERSION,
            "executor_id": "worker",
            "log_level": "WARNING",
            "serializer": DBOSPortableJSONSerializer(),
            "sys_db_pool_size": 4,
            "scheduler_polling_interval_sec": 30.0,
        }
        if self._database.sqlite:
            config["db_engine_kwargs"] = {"connect_args": {"timeout": 5}}
        DBOS(config=config)
        DBOS.launch()
        await DBOS.register_queue_async(QUEUE, worker_concurrency=50, polling_interval_sec=0.1)
        await DBOS.apply_schedules_async(
            [
                {
                    "schedule_name": "erase",
                    "workflow_fn": _erase,
                    "schedule": "23 * * * *",
                    "context": None,
                }
            ]
        )
        self._client = await asyncio.to_thread(
            DBOSClient,
            system_database_url=url,
            serializer=DBOSPortableJSONSerializer(),
            system_database_pool_size=1,
            application_name=NAME,
        )

    async def _end(self) -> None:
        """Stops the engine, if it was started."""
        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)
            self._client = None
        if _here:
            await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=LAST_CALL_SECONDS)
            # The engine's pool was the loop's own, and is shut down with it.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
            _here.clear()

    async def _turn_or_pause(self) -> None:
        try:
            busy = await self.turn()
            await self._importer.see_to(self._database)
        except Exception as error:
            _note(error)
            busy = False
        if not busy:
            await asyncio.sleep(PAUSE_SECONDS)

    async def turn(self) -> bool:
        """One round: seals what is new, hands on what is due. True if there may be more."""
        reader = self._database.reader
        unsealed = await sealing.waiting(reader)
        _waiting.set(unsealed)
        sealed = 0
        if unsealed:
            async with self._database.work() as work:
                sealed = await sealing.seal(work, recipients.cause)
        await self._announce(bool(sealed))
        if await mails.due(reader, limit=1):
            await self._hand_on()
        return sealed == sealing.BATCH

    async def _announce(self, something_happened: bool) -> None:
        """Looks at the calendar when something happened, when a day begins, and now and then."""
        now, today = time.monotonic(), clock.today()
        pause = BUSY_SECONDS if something_happened else QUIET_SECONDS
        if today == self._announced_on and now - self._announced_at < pause:
            return
        for announcer in ANNOUNCERS:
            if await announcer.due(self._database.reader):
                async with self._database.work() as work:
                    await announcer.announce(work)
        self._announced_on, self._announced_at = today, now

    async def _hand_on(self) -> None:
        """Mails whose time has come become jobs, in the transaction that notes it."""
        async with self._database.work() as work:
            taken = await mails.hand_on(work, await mails.due(work))
            connection = await work.connection()
            for mail_id in taken:
                await connection.run_sync(self._enqueue, str(mail_id))

    def _enqueue(self, connection: Any, mail_id: str) -> None:
        if self._client is None:
            return
        self._client.enqueue_in_transaction(
            connection,
            {"workflow_name": WORKFLOW, "queue_name": QUEUE, "app_version": VERSION},
            mail_id,
        )


def _note(error: Exception) -> None:
    """The database being away is no fault of the worker's, and mends by itself."""
    if not isinstance(error, errors.Unavailable):
        log.error("worker", **logs.without_words(error))
