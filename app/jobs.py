"""What runs by itself: the only importer of the job engine, and the whole schedule on one page.

Activity is the outbox. One consumer seals each new row and turns it into mails; mails whose time
has come become durable jobs in the same transaction. A job carries an id, never a text or a token.

    always        seal new activity, queue its mails, hand on mails that are due
    queue mail    send one mail, tried again with growing pauses, then set aside and reported
    every hour    erase what is not kept: answers for retries, used links, requests never confirmed
"""

import asyncio
import contextlib
import socket
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig
from dbos._serialization import DBOSPortableJSONSerializer
from prometheus_client import Gauge

from app import errors
from app.db import Database
from app.mail import MailRefused
from app.services import mails, retention, sealing

QUEUE = "mail"
PAUSE_SECONDS = 0.2
VERSION = "1"
WORKFLOW = "deliver_mail"

log = structlog.get_logger("jobs")
_waiting = Gauge("cop_activity_unsealed", "Records of activity that wait for their seal")

# Jobs are registered by name with the engine, so they find the database here.
_here: dict[str, Database] = {}


@DBOS.step(
    name="send_mail",
    retries_allowed=True,
    max_attempts=8,
    interval_seconds=1.0,
    backoff_rate=3.0,
)
async def _send(mail_id: str) -> None:
    await mails.deliver(_here["database"], UUID(mail_id))


@DBOS.workflow(name=WORKFLOW)
async def _deliver_mail(mail_id: str) -> None:
    with contextlib.suppress(MailRefused):  # parked and on the log by now
        await _send(mail_id)


@DBOS.workflow(name="erase_what_is_not_kept")
async def _erase(_scheduled: datetime, _context: Any) -> None:
    async with _here["database"].work() as work:
        await retention.erase(work)


class Worker:
    """The consumer and the job engine of one process; `start` and `stop` around its life."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None
        self._client: DBOSClient | None = None

    async def start(self) -> None:
        """Starts the engine on the running loop; jobs that a crash interrupted go on."""
        _here["database"] = self._database
        url = self._database.url
        config: DBOSConfig = {
            "name": "communities",
            "system_database_url": url,
            "application_version": VERSION,
            "executor_id": f"worker-{socket.gethostname()}",
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
            application_name="communities",
        )
        self._task = asyncio.create_task(self._consume(), name="consumer")

    async def stop(self) -> None:
        """Finishes what runs, then stops."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)
        await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0)
        _here.clear()

    async def _consume(self) -> None:
        while True:
            try:
                busy = await self.turn()
            except errors.Unavailable:
                busy = False  # the database is away; it comes back
            except Exception as error:
                log.error("consumer", exc_info=error)
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
                sealed = await sealing.seal(work, mails.cause)
        if await mails.due(reader, limit=1):
            await self._hand_on()
        return sealed == sealing.BATCH

    async def _hand_on(self) -> None:
        """Mails whose time has come become jobs, in the transaction that notes it."""
        async with self._database.work() as work:
            due = await mails.due(work)
            connection = await work.connection()
            for mail_id in due:
                await connection.run_sync(self._enqueue, str(mail_id))
            await mails.hand_on(work, due)

    def _enqueue(self, connection: Any, mail_id: str) -> None:
        if self._client is None:
            return
        self._client.enqueue_in_transaction(
            connection,
            {
                "workflow_name": WORKFLOW,
                "queue_name": QUEUE,
                "workflow_id": f"mail-{mail_id}",
                "app_version": VERSION,
            },
            mail_id,
        )
