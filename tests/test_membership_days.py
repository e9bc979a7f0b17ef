"""Days are read in the forms in which people write them; what has two readings is refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.membership_files.days import NotRead, day
from app.schemas.membership_mappings import DayOrder

always = settings(derandomize=True, deadline=None, max_examples=300)
SECOND = date(2024, 3, 2)


def refused(said: str, order: DayOrder | None = None) -> str:
    """Why a day cannot be read."""
    with pytest.raises(NotRead) as refusal:
        day(said, order)
    return refusal.value.code


@pytest.mark.parametrize(
    "said",
    [
        "2024-03-02",
        " 2024/3/2 ",
        "2024.03.02",
        "20240302",
        "2024-03-02T23:59:59Z",
        "2024-03-02 09:00:00.123456+00:00",
        "2 March 2024",
        "02 Mar 2024",
        "Mar 2, 2024",
        "March 2nd, 2024",
        "Mar. 2 2024",
        "2 mars 2024",
        "le samedi 2 mars 2024",
        "Sat, 02 Mar 2024 10:00:00 -0500",
        "2-Mar-2024",
        "2024 March 2",
        "02.03.2024",
        "2.3.2024 14:00",
        "45353",
        "45353.75",
    ],
)
def test_the_usual_written_forms_are_one_day(said: str) -> None:
    assert day(said) == SECOND


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("1er janvier 2024", date(2024, 1, 1)),
        ("15 févr. 2024", date(2024, 2, 15)),
        ("15 fe\u0301vrier 2024", date(2024, 2, 15)),
        ("31 déc. 2024", date(2024, 12, 31)),
        ("3 août 2024", date(2024, 8, 3)),
        ("3 juil. 2024", date(2024, 7, 3)),
        ("3 juin 2024", date(2024, 6, 3)),
        ("MAY 5 2024", date(2024, 5, 5)),
        ("5 mai 2024", date(2024, 5, 5)),
        ("3rd of Sept 2024", date(2024, 9, 3)),
    ],
)
def test_months_are_read_in_both_languages(said: str, found: date) -> None:
    assert day(said) == found


@pytest.mark.parametrize("said", ["03/04/2024", "3-4-2024", "03/04/2024 10:00 AM"])
def test_what_has_two_readings_is_refused_unless_the_order_is_given(said: str) -> None:
    assert refused(said) == "day_ambiguous"
    assert day(said, DayOrder.DAY_FIRST) == date(2024, 4, 3)
    assert day(said, DayOrder.MONTH_FIRST) == date(2024, 3, 4)


def test_what_has_one_reading_needs_no_order() -> None:
    assert day("25/12/2024") == day("12/25/2024") == date(2024, 12, 25)
    assert day("05/05/2024") == date(2024, 5, 5)
    assert refused("12/25/2024", DayOrder.DAY_FIRST) == "day_impossible"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("31 Feb 2021", "day_impossible"),
        ("2023-02-29", "day_impossible"),
        ("32/01/2024", "day_impossible"),
        ("00.00.2024", "day_impossible"),
        ("02/03/24", "day_year_short"),
        ("2 Mar 24", "day_year_short"),
        ("1 January 1899", "day_too_far"),
        ("2200-01-01", "day_too_far"),
        ("March 2024", "day_invalid"),
        ("2024", "day_invalid"),
        ("Mar May 2024", "day_invalid"),
        ("soon", "day_invalid"),
        ("２０２４-03-02", "day_invalid"),
        ("9" * 500, "day_invalid"),
    ],
)
def test_what_is_no_day_says_why(said: str, code: str) -> None:
    assert refused(said) == code


DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))
MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


@always
@given(DAYS)
def test_every_day_is_read_back_from_every_form(found: date) -> None:
    for said in (
        found.isoformat(),
        found.strftime("%Y%m%d"),
        f"{found.day} {found:%B} {found.year}",
        f"{found:%b} {found.day}, {found.year}",
        f"{found.day} {MONTHS[found.month - 1]} {found.year}",
        f"{found:%d.%m}.{found.year}",
    ):
        assert day(said) == found
    assert day(f"{found:%d/%m}/{found.year}", DayOrder.DAY_FIRST) == found
    assert day(f"{found:%m/%d}/{found.year}", DayOrder.MONTH_FIRST) == found


@always
@given(st.integers(10_000, 99_999))
def test_a_serial_number_is_the_day_that_a_spreadsheet_shows(number: int) -> None:
    assert day(str(number)) == date(1899, 12, 30) + timedelta(days=number)


@always
@given(st.text(max_size=40))
def test_any_text_is_a_day_or_says_why_not(said: str) -> None:
    try:
        assert 1900 <= day(said).year < 2200
    except NotRead as refusal:
        assert refusal.code.startswith("day_")
