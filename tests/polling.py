"""An election as the cast goes through it: days counted from the one on which it is opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import sqlalchemy as sa
import time_machine
from sqlmodel import col

from app import clock, tokens
from app.models import Position
from tests.answers import ok
from tests.cast import DTC, Api, Someone, day

# The timetable, in days after the one on which the election is opened.
OPENED, NOMINATING, ACCEPTING, VOTING, LAST_VOTE, AFTER, TERM = 0, 1, 3, 5, 7, 8, 20


def contest(**changed: Any) -> dict[str, Any]:
    return {
        "position": "chair",
        "seats": 1,
        "seat_numbers": None,
        "method": "plurality",
        "starts_on": day(TERM),
        "ends_on": day(TERM + 700),
    } | changed


def election(*contests: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "title": "Election of the year",
        "language": "en",
        "nominations_from": day(NOMINATING),
        "nominations_until": day(NOMINATING + 1),
        "acceptance_until": day(ACCEPTING),
        "voting_from": day(VOTING),
        "voting_until": day(LAST_VOTE),
        "contests": list(contests) or [contest()],
    } | changed


class Poll:
    """One election, opened now by a secretary."""

    def __init__(self, api: Api, manager: Someone, opened: dict[str, Any]) -> None:
        self.api = api
        self.manager = manager
        self.id = opened["id"]
        self.path = f"/elections/{self.id}"
        self.contests = [one["id"] for one in opened["contests"]]
        self.opened_on = clock.today()

    @classmethod
    async def opened(cls, api: Api, *contests: dict[str, Any], **changed: Any) -> "Poll":
        manager = await api.leader("Sonia Secretary", "secretary", ends=900)
        path = f"/communities/{DTC}/elections"
        return cls(api, manager, ok(await manager.post(path, election(*contests, **changed)), 201))

    @contextmanager
    def on(self, days: int, *people: Someone, hours: float = 12) -> Iterator[None]:
        """The world so many days after the opening, at noon; these people have just refreshed
        their access tokens, and so has whoever manages the election."""
        moment = clock.start_of(self.opened_on + timedelta(days=days)) + timedelta(hours=hours)
        with time_machine.travel(moment, tick=False):
            for someone in (self.manager, *people):
                someone.token = tokens.access_token(someone.id, someone.session_id)
            yield

    async def phase(self) -> str:
        return ok(await self.manager.get(self.path))["phase"]

    async def nominate(self, someone: Someone, number: int = 0, **body: Any) -> httpx.Response:
        """Somebody proposes themselves for a contest, by its place in the election."""
        proposal = {"contest_id": self.contests[number], "person_id": str(someone.id)} | body
        return await someone.post(f"{self.path}/nominations", proposal)

    async def stands(self, someone: Someone, number: int = 0) -> str:
        """The nomination of somebody who stands."""
        with self.on(NOMINATING, someone):
            return ok(await self.nominate(someone, number), 201)["id"]

    async def vote(self, voter: Someone, *choices: list[str], **options: Any) -> httpx.Response:
        """A ballot with a choice for each contest, in their order."""
        body = {
            "choices": [
                {"contest_id": contest_id, "nominations": names}
                for contest_id, names in zip(self.contests, choices, strict=True)
            ]
        }
        return await voter.post(f"{self.path}/ballots", body, **options)

    async def votes(self, ballots: list[tuple[Someone, list[list[str]]]]) -> None:
        """Ballots on the first day of voting."""
        with self.on(VOTING, *(voter for voter, _ in ballots)):
            for voter, choices in ballots:
                ok(await self.vote(voter, *choices), 201)

    async def result(self) -> dict[str, Any]:
        return ok(await self.manager.get(f"{self.path}/result"))

    async def certify(self) -> httpx.Response:
        return await self.manager.put(f"{self.path}/certification")


def elected(result: dict[str, Any], number: int = 0) -> list[str]:
    """The names of those who are elected in a contest."""
    return [one["person"]["name"] for one in result["contests"][number]["elected"]]


async def crowd(api: Api, length: int) -> list[Someone]:
    """Members who vote."""
    return [await api.member(f"Voter {number}") for number in range(length)]


async def demanding(api: Api, position: str, **conditions: Any) -> None:
    """Changes what a position asks of those who hold it."""
    async with api.database.work() as work:
        changed = sa.update(Position).where(col(Position.code) == position)
        await work.execute(changed.values(**conditions))
