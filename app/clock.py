"""The only caller of the system clock: instants in UTC, days in the association's time zone."""

from datetime import UTC, date, datetime, time, timedelta

from app import settings


def now() -> datetime:
    """This instant, aware, in UTC, to the microsecond."""
    return datetime.now(UTC)


def today() -> date:
    """The calendar day that it is for the association."""
    return day_of(now())


def day_of(instant: datetime) -> date:
    """The association's calendar day in which an instant falls."""
    return instant.astimezone(settings.get().zone).date()


def start_of(day: date) -> datetime:
    """The instant, in UTC, at which a calendar day of the association begins.

    Near a change of clocks the day has 23 or 25 hours; the zone's rules decide.
    """
    return datetime.combine(day, time.min, settings.get().zone).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The instant at which a calendar day is over: the start of the next one."""
    return start_of(day + timedelta(days=1))
