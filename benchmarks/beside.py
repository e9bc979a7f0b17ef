"""Others at their work beside something that runs: how long each of them waits.

Their requests begin at fixed moments, whether those before were answered or not, and a wait counts
from its moment. One who asks again only when answered would hardly ever meet what holds others up.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.load import Request, answered

EVERY_SECONDS = 0.02


@dataclass(slots=True)
class Waits:
    """What some of them went through: their waits in milliseconds, and how many were refused."""

    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def p95(self) -> float:
        """What nineteen of twenty did not exceed."""
        return statistics.quantiles(self.milliseconds, n=20)[-1]


class _Steady:
    """One kind of request, again and again."""

    def __init__(self, port: int, requests: Sequence[Request]) -> None:
        self.waits = Waits()
        self._port = port
        self._wire = itertools.cycle([request.on_the_wire(port) for request in requests])
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def run(self, over: asyncio.Event) -> None:
        """Asks until it is over, and waits for what was asked."""
        due = time.perf_counter()
        async with asyncio.TaskGroup() as asked:
            while not over.is_set():
                asked.create_task(self._ask(next(self._wire), due))
                due += EVERY_SECONDS
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
        for _, writer in self._idle:
            writer.close()

    async def _ask(self, request: bytes, due: float) -> None:
        reader, writer = await self._connection()
        writer.write(request)
        status = await answered(reader)
        self.waits.milliseconds.append((time.perf_counter() - due) * 1000)
        self.waits.refused += status >= 400
        self._idle.append((reader, writer))

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():  # the server closes those that were idle for long
                return reader, writer
        return await asyncio.open_connection("127.0.0.1", self._port)


@asynccontextmanager
async def others(
    port: int, asked: Mapping[str, Sequence[Request]]
) -> AsyncIterator[Mapping[str, Waits]]:
    """Each kind of request, fifty times a second, for as long as the context lasts."""
    over = asyncio.Event()
    kinds = {name: _Steady(port, requests) for name, requests in asked.items()}
    async with asyncio.TaskGroup() as running:
        for kind in kinds.values():
            running.create_task(kind.run(over))
        try:
            yield {name: kind.waits for name, kind in kinds.items()}
        finally:
            over.set()
