"""The world at another moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine

from app import clock, tokens
from tests.cast import Someone

INSTANT = timedelta(microseconds=1)


def utc(text: str) -> datetime:
    """An instant that is written without its zone."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def over(days: int) -> datetime:
    """The instant at which the day that is so many days from today is over."""
    return clock.end_of(clock.today() + timedelta(days=days))


@contextmanager
def at(moment: datetime, *people: Someone) -> Iterator[None]:
    """The world at an instant; these people have just refreshed their access tokens."""
    with time_machine.travel(moment, tick=False):
        for someone in people:
            someone.token = tokens.access_token(someone.id, someone.session_id)
        yield
