"""A server on the web: the API, as whoever the token belongs to."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from app.commands.places import Refused, Shown, in_words
from app.models import new_id

TIMEOUT = httpx.Timeout(60, connect=10)
# A server that is busy says when to come back; so often, and never longer than this at a time.
MOST_TRIES, LONGEST_WAIT_SECONDS = 5, 30
_BUSY = (429, 503)
IMPORTS = "/membership-imports"


def _address(server: str) -> str:
    """Where the API is. Raises Refused where a token would travel in the open."""
    url = httpx.URL(server if "://" in server else f"https://{server}")
    if url.scheme != "https" and not _is_this_machine(url.host):
        raise Refused("A token would be read on its way: the address has to begin with https://.")
    path = url.path.rstrip("/")
    return str(url.copy_with(path=path if path.endswith("/api/v1") else f"{path}/api/v1"))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Remote:
    """A server, and the token with which to call it."""

    def __init__(self, client: httpx.AsyncClient, community: str | None) -> None:
        self._client = client
        self._community = community

    @classmethod
    @asynccontextmanager
    async def at(cls, server: str, token: str, community: str | None) -> AsyncIterator["Remote"]:
        """The server at an address; the token goes nowhere else."""
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        async with httpx.AsyncClient(
            base_url=_address(server), headers=headers, timeout=TIMEOUT, follow_redirects=False
        ) as client:
            yield cls(client, community)

    async def send(self, file: Path, asked: dict[str, str]) -> Shown:
        """Hands a file in, once, however often it has to be tried."""
        key = {"Idempotency-Key": str(new_id())}
        place = {"community": self._community} if self._community else {}

        def request(stack: AsyncExitStack) -> httpx.Request:
            content = stack.enter_context(file.open("rb"))
            return self._client.build_request(
                "POST",
                IMPORTS,
                params=place,
                data=asked,
                files={"file": (file.name, content)},
                headers=key,
            )

        return await self._answered(request)

    async def get(self, import_id: str) -> Shown:
        """The import as it stands now."""
        return await self._asked("GET", f"{IMPORTS}/{import_id}")

    async def act(self, import_id: str, act: str, body: dict[str, Any] | None) -> Shown:
        """Asks for an application or a reversal."""
        key = {"Idempotency-Key": str(new_id())}
        return await self._asked("POST", f"{IMPORTS}/{import_id}/{act}", json=body, headers=key)

    async def rows(self, import_id: str) -> AsyncIterator[Shown]:
        """The rows of which something is said, in the order of the file."""
        asked = {"noted": "true", "limit": "100"}
        while True:
            page = await self._asked("GET", f"{IMPORTS}/{import_id}/rows", params=asked)
            for row in page["items"]:
                yield row
            if page["next_cursor"] is None:
                return
            asked["cursor"] = page["next_cursor"]

    def report(self, import_id: str) -> AsyncIterator[bytes]:
        """The file again, with what became of each row."""
        return self._streamed(f"{IMPORTS}/{import_id}/report.csv", {})

    def export(self, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        """A roster as a file."""
        given = {"q" if name == "text" else name: value for name, value in asked.items()}
        here = f"/communities/{self._community}" if self._community else ""
        return self._streamed(f"{here}/memberships/export", given)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The server's own worker does it."""
        yield

    async def _asked(self, method: str, path: str, **options: Any) -> Shown:
        return await self._answered(lambda _: self._client.build_request(method, path, **options))

    async def _answered(self, request: Callable[[AsyncExitStack], httpx.Request]) -> Shown:
        async with AsyncExitStack() as stack:
            answer = await self._tried(stack, request)
            await answer.aread()
            return answer.json()

    async def _streamed(self, path: str, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        async with AsyncExitStack() as stack:
            answer = await self._tried(
                stack, lambda _: self._client.build_request("GET", path, params=asked)
            )
            try:
                async for piece in answer.aiter_bytes():
                    yield piece
            except httpx.TransportError as error:
                raise Refused("The connection broke off before the end of the file.") from error

    async def _tried(
        self, stack: AsyncExitStack, request: Callable[[AsyncExitStack], httpx.Request]
    ) -> httpx.Response:
        """The answer, with its body still to be read; tried again where the server is busy."""
        for tries_left in range(MOST_TRIES, 0, -1):
            try:
                answer = await self._client.send(request(stack), stream=True)
            except httpx.TransportError as error:
                raise Refused(f"{self._client.base_url.host} cannot be reached.") from error
            stack.push_async_callback(answer.aclose)
            if answer.status_code not in _BUSY or tries_left == 1:
                break
            wait = answer.headers.get("retry-after", "1")
            await asyncio.sleep(min(int(wait) if wait.isdigit() else 1, LONGEST_WAIT_SECONDS))
        if answer.is_success:
            return answer
        await answer.aread()
        raise _refusal(answer)


def _refusal(answer: httpx.Response) -> Refused:
    """What the server said, or that it did not say it as this API does."""
    try:
        problem = answer.json()
        return Refused(in_words(problem), problem["code"])
    except (ValueError, KeyError, TypeError, AttributeError):
        said = f"The server answered {answer.status_code}, and not as this API does."
        return Refused(said)
