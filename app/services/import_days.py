"""The days that a file says, beside those of the memberships that a person had before."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from app import clock
from app.models import MembershipEnding

_BY_SOMEBODY = (MembershipEnding.LEFT, MembershipEnding.ENDED)


def day(said: str | None) -> date | None:
    """A day as it is kept with a plan."""
    return date.fromisoformat(said) if said else None


def _ended_on(row: Any) -> date | None:
    """The day on which somebody ended a membership, before its last day was over."""
    if row.ended_at is None or row.ending not in _BY_SOMEBODY:
        return None
    ended_on = clock.day_of(row.ended_at)
    return ended_on if row.until_on is None or ended_on <= row.until_on else None


def is_told(said: Mapping[str, Any], row: Any) -> bool:
    """Whether a file tells of a membership that is here, by its days as an export has them."""
    last = _ended_on(row) or row.until_on
    return last == day(said["until_on"]) and day(said["since_on"]) in (None, row.since_on)


def ended_since(said: Mapping[str, Any], here: Iterable[Any]) -> bool:
    """Whether somebody ended it here after the day on which the file says that it began."""
    ended = [
        row.ended_at
        for row in here
        if row.ended_at is not None and row.ending in _BY_SOMEBODY and row.ended_by is None
    ]
    if not ended:
        return False
    since = day(said["since_on"])
    return since is None or since <= clock.day_of(max(ended))


def behind(since: date, until: date | None, earlier: Iterable[Any]) -> date:
    """The first day, from `since` on, that belongs to none of the earlier memberships which have
    days in common with these; it may lie behind `until`."""
    free = since
    for row in earlier:
        left = _ended_on(row) or row.until_on + timedelta(days=1)
        if row.since_on < left and since < left and (until is None or row.since_on <= until):
            free = max(free, left)
    return free
