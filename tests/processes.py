"""The command line as an operator runs it: processes of their own, which tests stop and kill."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

# Generous, since a machine may be busy; what is tested is that it happens, not how fast.
DEADLINE_SECONDS = 60


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


async def eventually(found: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> Any:
    """What `found` gives as soon as it gives something; fails the test if it never does."""
    async with asyncio.timeout(seconds):
        while True:
            value = found()
            value = await value if asyncio.iscoroutine(value) else value
            if value:
                return value
            await asyncio.sleep(0.05)


class Process:
    """One `cop` command."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def begin(cls, url: str, log: Path, *arguments: str, **settings: Any) -> "Process":
        """Starts a command on a database, with COP_* settings of its own."""
        environment = os.environ | {"COP_DATABASE_URL": url, "COP_LOG_LEVEL": "info"}
        environment |= {f"COP_{name.upper()}": str(value) for name, value in settings.items()}
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "app",
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=file,
                stderr=file,
                env=environment,
            )
        return cls(process, log)

    def said(self) -> str:
        """Everything that it has written to its standard output and error."""
        return self._log.read_text("utf-8")

    def type(self, text: str) -> None:
        """Everything that it will ever read from its standard input."""
        self._process.stdin.write(text.encode())
        self._process.stdin.close()

    def kill(self) -> None:
        """kill -9: no code of its own runs any more."""
        if self._process.returncode is None:
            self._process.kill()

    def ask_to_stop(self) -> None:
        """SIGTERM, as an orchestrator stops it."""
        self._process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """The exit code, once it has ended."""
        return await asyncio.wait_for(self._process.wait(), DEADLINE_SECONDS)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None


@asynccontextmanager
async def running(url: str, log: Path, *arguments: str, **settings: Any) -> AsyncIterator[Process]:
    """A command that is gone at the end, however it went."""
    process = await Process.begin(url, log, *arguments, **settings)
    try:
        yield process
    finally:
        process.kill()
        await process.ended()


class Server:
    """A serving process, and how to reach it."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.AsyncClient(base_url=self.url, timeout=30)

    async def ready(self) -> bool:
        """True if it says that it can do its work."""
        assert self.process.running, self.process.said()
        try:
            return (await self.client.get("/health/ready")).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def serving(url: str, log: Path, *options: str, **settings: Any) -> AsyncIterator[Server]:
    """`cop serve` on a database, once it is ready."""
    port = free_port()
    async with running(url, log, "serve", *options, port=port, **settings) as process:
        server = Server(process, port)
        async with server.client:
            await eventually(server.ready)
            yield server


async def ran(
    url: str, log: Path, *arguments: str, typed: str = "", **settings: Any
) -> tuple[int, str]:
    """The exit code of a command that ends by itself, and what it said to what was typed."""
    async with running(url, log, *arguments, **settings) as process:
        process.type(typed)
        return await process.ended(), process.said()
