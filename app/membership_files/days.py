"""Days as people write them; what has two readings is refused unless it is said which is meant."""

import re
from datetime import date, timedelta
from functools import lru_cache

from app.membership_files.folding import folded
from app.schemas.membership_mappings import DayOrder

_MONTHS = (
    "january jan janvier janv",
    "february feb fevrier fevr fev",
    "march mar mars",
    "april apr avril avr",
    "may mai",
    "june jun juin",
    "july jul juillet juil",
    "august aug aout",
    "september sep sept septembre",
    "october oct octobre",
    "november nov novembre",
    "december dec decembre",
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_BESIDE = """monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur
    thurs fri sat sun lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim
    le the de of"""
_PASSED = set(_BESIDE.split())
# A time of day after the day is not kept.
_TIME = re.compile(
    r"[T ,à]+\d{1,2}[:h]\d{2}(:\d{2}([.,]\d{1,9})?)?\s*([ap]\.?m\.?)?\s*"
    r"(Z|UTC|GMT|[+-]\d{2}:?\d{2})?(\s*\([A-Z]{2,5}\))?$",
    re.IGNORECASE | re.ASCII,
)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_SERIAL = re.compile(r"(\d{5})(\.\d+)?", re.ASCII)
_FIGURES = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
_ORDINAL = re.compile(r"(\d{1,2})(st|nd|rd|th|er|e)?", re.ASCII)
_SHORT_YEAR = re.compile(r"['’]?\d{2}", re.ASCII)
# Day 0 of the spreadsheet's count; its count has a 29 February 1900 that never was.
_DAY_ZERO = date(1899, 12, 30)
_EARLIEST, _LATEST = 1900, 2200


class NotRead(ValueError):
    """A value that cannot be read: a code of texts/imports, and what its sentence needs."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def day(text: str, order: DayOrder | None = None) -> date:
    """The day that was written. Raises NotRead: day_invalid, day_impossible, day_ambiguous,
    day_year_short, day_too_far.

    Read are 2024-03-02 (with slashes, dots, a time), 20240302, 2 March 2024, Mar 2, 2024, 2 mars
    2024, 02.03.2024 (dots: the day first), 13/04/2024, a spreadsheet's serial number of five
    figures; 03/04/2024 if `order` is given, which then holds for all days written with slashes.
    """
    return _day(text.strip()[:60], order)


@lru_cache(maxsize=20_000)
def _day(text: str, order: DayOrder | None) -> date:
    text = _TIME.sub("", text).strip()
    if found := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return _made(found[1], found[2], found[3])
    if found := _FIGURES.fullmatch(text):
        return _of_figures(found[1], found[3], found[4], found[2], order)
    if found := _SERIAL.fullmatch(text):
        return _within(_DAY_ZERO + timedelta(days=int(found[1])))
    return _in_words(text)


def _made(year: str | int, month: str | int, number: str | int) -> date:
    try:
        return _within(date(int(year), int(month), int(number)))
    except NotRead:
        raise
    except ValueError as error:
        raise NotRead("day_impossible") from error


def _within(found: date) -> date:
    if not _EARLIEST <= found.year < _LATEST:
        raise NotRead("day_too_far")
    return found


def _of_figures(first: str, second: str, year: str, sign: str, order: DayOrder | None) -> date:
    if len(year) == 2:
        raise NotRead("day_year_short")
    if order is None and sign == ".":
        order = DayOrder.DAY_FIRST
    one, other = int(first), int(second)
    if order is None and one != other and max(one, other) <= 12:
        raise NotRead("day_ambiguous")
    if order is None:
        order = DayOrder.MONTH_FIRST if other > 12 >= one else DayOrder.DAY_FIRST
    if order is DayOrder.DAY_FIRST:
        return _made(year, other, one)
    return _made(year, one, other)


def _in_words(text: str) -> date:
    """A month by its name, and in any order a day and a year of four figures."""
    words = [word for word in folded(text.replace("’", "'")).split() if word not in _PASSED]
    months = [_MONTH[word] for word in words if word in _MONTH]
    figures = [word for word in words if word not in _MONTH]
    if len(months) != 1 or len(figures) != 2:
        raise NotRead("day_invalid")
    years = [word for word in figures if re.fullmatch(r"\d{4}", word, re.ASCII)]
    days = [found[1] for word in figures if (found := _ORDINAL.fullmatch(word))]
    if not years and len(days) == 2 and _SHORT_YEAR.fullmatch(figures[1]):
        raise NotRead("day_year_short")
    if len(years) != 1 or len(days) != 1:
        raise NotRead("day_invalid")
    return _made(years[0], months[0], days[0])
