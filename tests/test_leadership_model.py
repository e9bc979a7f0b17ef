"""Seats and terms against a model of them: whatever happens in whatever order, on any day.

No seat has two holders at one moment, nobody has a right without a seat that they exercise, and
what is shown of leadership is what the rights say, today and as of every day before.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_against
from sqlmodel import col

from app import clock, tokens
from app.models import Activity, Position, Session
from tests.answers import ok
from tests.cast import DTC, Api, Someone

SEATS = [("chair", 1), ("vice_chair", 1), ("secretary", 1)] + [
    ("member_at_large", number) for number in range(1, 5)
]
PEOPLE = tuple(f"Person {letter}" for letter in "ABCDEF")
# What only a chair may do, and so shows who exercises that seat.
CHAIRS_OWN = "sanctions:remove"
START = datetime.fromisoformat("2027-03-12T15:30:00+00:00")  # two days before clocks change

who = st.sampled_from(PEOPLE)
positions = st.sampled_from([position for position, _ in SEATS])
days = st.integers(0, 12)


@dataclass
class Held:
    """A term as the model has it: [starts, free) are its days."""

    id: str
    person: str
    seat: tuple[str, int]
    starts: date
    free: date
    away: tuple[date, date | None] | None = None

    def runs(self, day: date) -> bool:
        return self.starts <= day < self.free

    def is_away(self, day: date) -> bool:
        if self.away is None:
            return False
        first, last = self.away
        return first <= day and (last is None or day <= last)


@dataclass
class Model:
    """What there is, as simply as it can be said."""

    terms: list[Held] = field(default_factory=list)
    members: set[str] = field(default_factory=lambda: set(PEOPLE))
    suspended: dict[str, date] = field(default_factory=dict)
    paused: dict[str, tuple[date, date]] = field(default_factory=dict)

    def holder(self, seat: tuple[str, int], day: date) -> Held | None:
        """Who holds a seat; a model with two of them has found a fault."""
        found = [
            term
            for term in self.terms
            if term.seat == seat and term.runs(day) and term.person in self.members
        ]
        assert len(found) <= 1, found
        return found[0] if found else None

    def able(self, term: Held | None, day: date) -> bool:
        return (
            term is not None
            and not term.is_away(day)
            and not day <= self.suspended.get(term.person, date.min)
            and not self.is_paused(term.person, day)
        )

    def is_paused(self, person: str, day: date) -> bool:
        first, last = self.paused.get(person, (date.max, date.min))
        return first <= day <= last

    def leadership(self, day: date) -> dict[str, tuple[str, str | None, str | None]]:
        """Each seat: its state, who holds it, who acts in it."""
        found = {}
        for seat in SEATS:
            holder, acting = self.holder(seat, day), None
            vice = self.holder(("vice_chair", 1), day)
            if seat[0] == "chair" and not self.able(holder, day) and self.able(vice, day):
                acting = vice.person if vice else None
            state = "acting" if acting else "held" if holder else "vacant"
            found[f"{seat[0]} {seat[1]}"] = (state, holder.person if holder else None, acting)
        return found

    def positions(self, person: str, day: date) -> set[str]:
        """The positions whose rights somebody has."""
        found = set()
        for seat in SEATS:
            holder = self.holder(seat, day)
            if holder is not None and holder.person == person and self.able(holder, day):
                found.add(seat[0])
        if self.leadership(day)["chair 1"][2] == person:
            found.add("chair")
        return found

    def free_seat(self, position: str, starts: date, free: date) -> bool:
        """True if a seat of a position is free on all these days."""
        return any(
            not any(
                term.seat == seat and term.starts < free and starts < term.free
                for term in self.terms
                if term.starts < term.free
            )
            for seat in SEATS
            if seat[0] == position
        )

    def has_seat(self, person: str, starts: date, free: date) -> bool:
        return any(
            term.person == person and term.starts < free and starts < term.free
            for term in self.terms
            if term.starts < term.free
        )


class Leadership(RuleBasedStateMachine):
    """A Leadership Group in the hands of chance; `fresh` gives each run a database of its own."""

    fresh: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.url = type(self).fresh()
        self.now = START
        self.model = Model()
        self.cast: dict[str, Someone] = {}
        self.was: dict[date, dict[str, Any]] = {}
        self.run(self.open())
        self.run(self.populate())

    # The world

    def run(self, doing: Awaitable[Any]) -> Any:
        with time_machine.travel(self.now, tick=False):
            return self.runner.run(self._awaited(doing))

    async def _awaited(self, doing: Awaitable[Any]) -> Any:
        return await doing

    async def open(self) -> None:
        self.api = await self.stack.enter_async_context(Api.on(self.url))
        for someone in self.cast.values():
            someone.api = self.api

    async def populate(self) -> None:
        async with self.api.database.work() as work:
            for position in (await work.execute(sa.select(Position))).scalars():
                position.consecutive_terms = True  # a rule of its own, with its own tests
        self.cast["staff"] = await self.api.staff()
        for name in PEOPLE:
            self.cast[name] = await self.api.member(name)
        for someone in self.cast.values():
            await self.api.change(
                Session, someone.session_id, expires_at=START + timedelta(days=9999)
            )

    @property
    def today(self) -> date:
        return clock.day_of(self.now)

    def act(self, name: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """One request, with a token made at this moment."""

        async def call() -> httpx.Response:
            someone = self.cast[name]
            someone.token = tokens.access_token(someone.id, someone.session_id)
            options = {} if body is None else {"json": body}
            return await someone.call(method, path, **options)

        return self.run(call())

    def running(self) -> list[Held]:
        """The terms that are not over; planned ones too."""
        return [
            term for term in self.model.terms if term.free > self.today and term.free > term.starts
        ]

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    # What can happen

    @rule(person=who, position=positions, begins=days, length=st.integers(1, 20))
    def appoint(self, person: str, position: str, begins: int, length: int) -> None:
        starts = self.today + timedelta(days=begins)
        free = starts + timedelta(days=length)
        answer = self.act(
            "staff",
            "POST",
            f"/communities/{DTC}/terms",
            {
                "person_id": str(self.cast[person].id),
                "position": position,
                "starts_on": starts.isoformat(),
                "ends_on": (free - timedelta(days=1)).isoformat(),
                "basis": "appointment",
            },
        )
        expected = self._refused(person, position, starts, free)
        if expected is not None:
            assert (answer.status_code, answer.json()["code"]) == (409, expected)
            return
        found = ok(answer, 201)
        seat = (position, found["seat"])
        self.model.terms.append(Held(found["id"], person, seat, starts, free))

    def _refused(self, person: str, position: str, starts: date, free: date) -> str | None:
        if person not in self.model.members:
            return "term.not_a_member"
        if not self.model.free_seat(position, starts, free):
            return "term.seat_taken"
        if self.model.has_seat(person, starts, free):
            return "term.person_holds_seat"
        return None

    @precondition(lambda self: self.running())
    @rule(data=st.data(), how=st.sampled_from(["removal", "resignation"]))
    def end(self, data: st.DataObject, how: str) -> None:
        term = data.draw(st.sampled_from(self.running()))
        actor = "staff" if how == "removal" else term.person
        answer = self.act(actor, "POST", f"/terms/{term.id}/{how}", {"reason": "It is time."})
        if how == "resignation" and term.starts > self.today:
            assert answer.json()["code"] == "term.not_begun"
            return
        ok(answer, 201)
        term.free = max(term.starts, self.today)

    @precondition(lambda self: self.running())
    @rule(data=st.data(), begins=days, length=st.none() | days)
    def be_away(self, data: st.DataObject, begins: int, length: int | None) -> None:
        term = data.draw(st.sampled_from(self.running()))
        first = self.today + timedelta(days=begins)
        last = None if length is None else first + timedelta(days=length)
        body = {"starts_on": first.isoformat(), "ends_on": last and last.isoformat()}
        ok(self.act(term.person, "PUT", f"/terms/{term.id}/absence", body))
        term.away = (first, last)

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        term = data.draw(st.sampled_from(self.running()))
        answer = self.act(term.person, "DELETE", f"/terms/{term.id}/absence")
        open_still = term.away is not None and (term.away[1] is None or term.away[1] >= self.today)
        assert answer.status_code == (204 if open_still else 404)
        term.away = None

    @rule(person=who, length=days)
    def suspend(self, person: str, length: int) -> None:
        until = self.today + timedelta(days=length)
        path = f"/memberships/{self.cast[person].memberships[DTC]}/suspension"
        answer = self.act("staff", "PUT", path, {"until_on": until.isoformat(), "reason": "Rest."})
        suspended = self.model.suspended.get(person, date.min) >= self.today
        if person not in self.model.members or suspended:
            assert answer.status_code == 409
            return
        ok(answer)
        self.model.suspended[person] = until

    @rule(person=who, begins=days, length=st.none() | days)
    def pause(self, person: str, begins: int, length: int | None) -> None:
        first = self.today + timedelta(days=begins)
        last = None if length is None else first + timedelta(days=length)
        path = f"/memberships/{self.cast[person].memberships[DTC]}/pause"
        body = {"starts_on": first.isoformat(), "until_on": last and last.isoformat()}
        answer = self.act(person, "PUT", path, body)
        if person not in self.model.members or self.has_pause(person):
            assert answer.status_code == 409
            return
        ok(answer)
        self.model.paused[person] = (first, last or date.max)

    def has_pause(self, person: str) -> bool:
        """True if a pause runs or is to come."""
        return self.model.paused.get(person, (date.min, date.min))[1] >= self.today

    @rule(person=who)
    def resume(self, person: str) -> None:
        path = f"/memberships/{self.cast[person].memberships[DTC]}/pause"
        answer = self.act(person, "DELETE", path)
        if person not in self.model.members or not self.has_pause(person):
            assert answer.status_code == 409
            return
        ok(answer)
        del self.model.paused[person]

    @rule(person=who)
    def leave(self, person: str) -> None:
        path = f"/memberships/{self.cast[person].memberships[DTC]}/end"
        answer = self.act(person, "POST", path, {"reason": None})
        if person not in self.model.members:
            assert answer.status_code == 409
            return
        ok(answer)
        self.model.members.discard(person)
        self.model.suspended.pop(person, None)
        self.model.paused.pop(person, None)
        for term in self.running():
            if term.person == person:
                term.free = max(term.starts, self.today)

    @precondition(lambda self: len(self.model.members) < len(PEOPLE))
    @rule(data=st.data())
    def return_to_the_community(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(sorted(set(PEOPLE) - self.model.members)))
        self.run(self.api.join(self.cast[person]))
        self.model.members.add(person)

    @rule(hours=st.integers(1, 80))
    def advance_time(self, hours: int) -> None:
        then = self.now + timedelta(hours=hours)
        shown = self.model.leadership(self.today)
        if clock.day_of(then) > self.today:
            self.was[self.today] = shown
        self.now = then

    @rule()
    def restart(self) -> None:
        """The process is gone, and another takes its place."""
        self.run(self.stack.aclose())
        self.stack = AsyncExitStack()
        self.run(self.open())

    @rule()
    def announce(self) -> None:
        async def twice() -> int:
            await self.api.announce()
            count = sa.select(sa.func.count().label("n")).select_from(Activity)
            before = (await self.api.read(count))[0].n
            await self.api.announce()
            return (await self.api.read(count))[0].n - before

        assert self.run(twice()) == 0

    # What holds

    @invariant()
    def what_is_shown_is_what_the_model_says(self) -> None:
        assert self.shown({}) == self.model.leadership(self.today)

    @invariant()
    def what_was_shown_is_what_was(self) -> None:
        for day, shown in list(self.was.items())[-2:]:
            assert self.shown({"as_of": day.isoformat()}) == shown, day

    def shown(self, query: dict[str, str]) -> dict[str, Any]:
        address = str(httpx.URL(f"/communities/{DTC}/leadership", params=query))
        found = ok(self.act("staff", "GET", address))["seats"]
        return {
            f"{one['position']} {one['seat']}": (
                one["state"],
                one["holder"] and one["holder"]["person"]["name"],
                one["acting_holder"] and one["acting_holder"]["person"]["name"],
            )
            for one in found
        }

    @invariant()
    def rights_are_those_of_the_seats_that_are_exercised(self) -> None:
        chairs = 0
        for name in PEOPLE:
            found = ok(self.act(name, "GET", f"/communities/{DTC}/standing"))
            held = {one["position"] for one in found["positions"]}
            assert held == self.model.positions(name, self.today), name
            assert (CHAIRS_OWN in found["can"]) == ("chair" in held)
            chairs += "chair" in held
        assert chairs <= 1

    @invariant()
    def a_term_is_said_to_have_begun_once(self) -> None:
        said = sa.select(Activity.subject_id).where(col(Activity.kind) == "term.started")
        rows = [row.subject_id for row in self.run(self.api.read(said))]
        assert len(rows) == len(set(rows))


def examples(most: int, steps: int) -> settings:
    return settings(
        max_examples=most,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


def test_seats_and_rights_follow_the_model_on_sqlite(
    templates: dict[str, str], tmp_path: Path
) -> None:
    count = iter(range(10_000))

    def fresh() -> str:
        path = tmp_path / f"{next(count)}.sqlite3"
        shutil.copy(templates["sqlite"], path)
        return f"sqlite:///{path}"

    machine = type("OnSqlite", (Leadership,), {"fresh": staticmethod(fresh)})
    run_against(machine, settings=examples(9, 22))


def test_seats_and_rights_follow_the_model_on_postgresql(
    new_postgres: Callable[[], str],
) -> None:
    machine = type("OnPostgres", (Leadership,), {"fresh": staticmethod(new_postgres)})
    run_against(machine, settings=examples(4, 16))
