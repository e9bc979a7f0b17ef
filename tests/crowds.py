"""Many at once: the same database behind two applications, and requests that do not wait."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx

from tests.cast import Api, Someone


class Doors:
    """Two applications on one database, each with connections of its own."""

    def __init__(self, *apis: Api) -> None:
        self.apis = apis

    @classmethod
    @asynccontextmanager
    async def to(cls, api: Api) -> AsyncIterator["Doors"]:
        async with Api.on(api.database.url) as other:
            yield cls(api, other)

    def at(self, someone: Someone, number: int) -> Someone:
        """The same person, calling the application whose turn it is."""
        return replace(someone, api=self.apis[number % len(self.apis)])


async def at_once(requests: Iterable[Awaitable[httpx.Response]]) -> list[httpx.Response]:
    """The answers to requests that were all sent before the first of them was answered."""
    return list(await asyncio.gather(*requests))


def outcomes(answers: Iterable[httpx.Response]) -> Counter[int | tuple[int, str]]:
    """How often each status came, with its code where it is a refusal."""
    return Counter(
        (answer.status_code, answer.json()["code"]) if answer.is_error else answer.status_code
        for answer in answers
    )
