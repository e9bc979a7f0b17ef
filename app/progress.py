"""Server-sent events: what a resource looks like now, and again each time that it has changed.

Each event has the resource's version for its id, so that a client that comes back with the last one
that it had (`Last-Event-ID`) hears only what is new. Each look is a request of its own as far as
rights go: the stream ends in the moment in which they do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from app import errors

LOOK_SECONDS = 0.5
# A comment now and then, so that nothing between here and the client takes silence for an end.
HEARTBEAT_LOOKS = 30
EVENT_STREAM = "text/event-stream"


async def events(
    look: Callable[[], Awaitable[dict[str, Any]]],
    shape: type[BaseModel],
    last: str | None,
    under_way: frozenset[str],
    *,
    head: bool,
) -> AsyncIterator[bytes]:
    """`progress` for each new version, then `end` when nothing is under way any more; nothing for
    who asked only for the `head` of the answer, and would not hear when it ends."""
    if head:
        return
    known, looks = last or "", 0
    while True:
        try:
            found = await look()
        except errors.Problem:
            return
        version = str(found["version"])
        if version != known:
            known, looks = version, 0
            yield _event("progress", version, shape.model_validate(found).model_dump_json())
        if found["status"] not in under_way:
            yield _event("end", version, "{}")
            return
        looks += 1
        if looks % HEARTBEAT_LOOKS == 0:
            yield b":\n\n"
        await asyncio.sleep(LOOK_SECONDS)


def _event(kind: str, version: str, data: str) -> bytes:
    return f"id: {version}\nevent: {kind}\ndata: {data}\n\n".encode()
