"""A mail server that takes, refuses, or hangs, as a test wants it to."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.processes import free_port

TAKEN = "250 OK"


@dataclass
class Sink:
    """What arrived, and what the next deliveries to an address will be told.

    While `answers` is not set, it says nothing to whoever has handed a message over.
    """

    taken: list[EmailMessage] = field(default_factory=list)
    tried: list[EmailMessage] = field(default_factory=list)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    answers: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def to(self, address: str) -> list[EmailMessage]:
        """The mails that were taken for an address."""
        return [mail for mail in self.taken if address in mail["To"]]

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """What aiosmtpd calls with a whole message."""
        mail: EmailMessage = message_from_bytes(envelope.content, policy=policy.default)  # type: ignore[assignment]
        self.tried.append(mail)
        await asyncio.to_thread(self.answers.wait)
        waiting = self.refusals.get(envelope.rcpt_tos[0], [])
        if waiting:
            return waiting.pop(0)
        self.taken.append(mail)
        return TAKEN


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink on a free port of this machine."""
    found = Sink()
    found.answers.set()
    controller = Controller(found, hostname="127.0.0.1", port=free_port())
    controller.start()
    found.url = f"smtp://127.0.0.1:{controller.port}"
    try:
        yield found
    finally:
        found.answers.set()
        controller.stop()
