"""What holds for any input: texts, addresses, cursors, languages, pointers, Markdown, seats."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import IntegrityError

from app import clock, cursors, errors, markdown, texts
from app.db import violated
from app.models import Seat, Term, TermBasis, TermEnding, TermStatus
from app.schemas.base import Email, InstantIn, LanguageTag, address_key, line, prose
from app.validation import pointer
from tests.cast import DTC, Api
from tests.harmless import harmless

always = settings(derandomize=True, deadline=None, max_examples=300)
sometimes = settings(
    derandomize=True,
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

# Any text, with what is troublesome more often than chance would have it.
ODD = st.sampled_from(
    "\x00\t\n\r\x1b\u00a0\u00ad\u0301\u200b\u200d\u202e\u2028\ufeff\ufe0f\ufffe⚖👩"
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]) | ODD, max_size=60)

LINE = TypeAdapter(Annotated[str, *line(1, 40)])
PROSE = TypeAdapter(Annotated[str, *prose(1, 40)])
EMAIL, TAG = TypeAdapter(Email), TypeAdapter(LanguageTag)
INSTANT = TypeAdapter(InstantIn)


def _taken(kind: TypeAdapter[Any], value: Any) -> Any:
    """What becomes of a value; None if it is refused."""
    try:
        return kind.validate_python(value)
    except ValidationError:
        return None


# Texts


@always
@given(TEXT)
@example("A\u00a0\u0301")
@example("\u1100\u1161\u11a8")
def test_a_line_that_is_taken_is_clean_and_stays_as_it_is(text: str) -> None:
    kept = _taken(LINE, text)
    if kept is None:
        return
    assert 1 <= len(kept) <= 40
    assert kept == kept.strip() == unicodedata.normalize("NFC", kept)
    assert kept.isprintable() or any(unicodedata.category(c) in ("Cf", "Cn") for c in kept)
    assert not any(unicodedata.category(c) in ("Cc", "Co", "Zl", "Zp") for c in kept)
    assert "  " not in kept
    assert _taken(LINE, kept) == kept


@always
@given(TEXT)
def test_prose_that_is_taken_is_clean_and_stays_as_it_is(text: str) -> None:
    kept = _taken(PROSE, text)
    if kept is None:
        return
    assert 1 <= len(kept) <= 40
    assert kept == kept.strip() == unicodedata.normalize("NFC", kept)
    assert not any(
        unicodedata.category(c) == "Cc" for c in kept.replace("\n", "").replace("\t", "")
    )
    assert _taken(PROSE, kept) == kept


@always
@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=13))
def test_letters_and_digits_of_any_script_are_taken(text: str) -> None:
    assert _taken(PROSE, text) == unicodedata.normalize("NFC", text)


# Addresses


@always
@given(st.emails())
def test_two_spellings_of_an_address_have_one_key(email: str) -> None:
    spellings = [_taken(EMAIL, email), _taken(EMAIL, f"  {email.upper()} ")]
    keys = {address_key(kept) for kept in spellings if kept is not None}
    assert len(keys) <= 1
    assert all(address_key(key) == key for key in keys)


@always
@given(TEXT.map(lambda text: f"{text}@example.org"))
def test_an_address_that_is_taken_shares_its_key_with_no_look_alike(email: str) -> None:
    kept = _taken(EMAIL, email)
    if kept is not None:
        assert unicodedata.normalize("NFKC", kept) == kept
        assert _taken(EMAIL, kept) == kept


# Cursors

VALUES = st.lists(
    st.integers(-(2**53), 2**53) | st.text(max_size=20) | st.booleans() | st.none(), max_size=4
)


@always
@given(VALUES, st.text(max_size=20))
def test_a_cursor_opens_to_what_it_was_made_of(values: list[Any], fingerprint: str) -> None:
    assert cursors.opened(cursors.sealed(values, fingerprint), fingerprint) == values


@always
@given(VALUES, st.text(max_size=8), st.text(max_size=8))
def test_a_cursor_opens_for_its_own_list_alone(values: list[Any], own: str, other: str) -> None:
    if own != other:
        with pytest.raises(errors.CursorInvalid):
            cursors.opened(cursors.sealed(values, own), other)


@always
@given(VALUES, st.data())
def test_a_cursor_with_any_bit_flipped_is_refused(values: list[Any], data: st.DataObject) -> None:
    cursor = bytearray(cursors.sealed(values, "list").encode())
    place = data.draw(st.integers(0, len(cursor) * 8 - 1))
    cursor[place // 8] ^= 1 << place % 8
    with pytest.raises(errors.CursorInvalid):
        cursors.opened(cursor.decode("latin-1"), "list")


@always
@given(TEXT | st.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_=", max_size=80))
def test_no_text_is_a_cursor_by_chance(text: str) -> None:
    with pytest.raises(errors.CursorInvalid):
        cursors.opened(text, "list")


# Languages, instants, pointers


@always
@given(st.none() | TEXT | st.from_regex(r"((en|fr|de|\*)(-[A-Z]{2})?(;q=[0-9.]{1,5})?,? ?){0,6}"))
def test_a_preferred_language_is_always_one_of_ours(header: str | None) -> None:
    assert texts.preferred(header) in texts.LANGUAGES


@always
@given(TEXT | st.from_regex(r"[A-Za-z]{1,4}(-[A-Za-z0-9]{1,9}){0,5}"))
def test_a_language_tag_that_is_taken_stays_as_it_is(text: str) -> None:
    kept = _taken(TAG, text)
    if kept is not None:
        assert len(kept) <= 40
        assert _taken(TAG, kept) == kept


SECONDS = st.integers(-60_000_000_000, 200_000_000_000)  # the years 68 to 8307
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@always
@given(SECONDS, OFFSETS)
def test_an_instant_is_read_as_the_same_instant_in_any_zone(seconds: int, zone: timezone) -> None:
    moment = datetime.fromtimestamp(seconds, zone)
    assert _taken(INSTANT, moment.isoformat()) == moment


@always
@given(st.lists(TEXT | st.integers(0, 99), max_size=5))
def test_a_pointer_leads_back_to_its_steps(steps: list[Any]) -> None:
    written = pointer(steps, "wrong_type")
    read = [step.replace("~1", "/").replace("~0", "~") for step in written.split("/")[1:]]
    assert read == [str(step) for step in steps]


# Markdown

MARKS = st.sampled_from([*"*_`[]()<>-#|~\\!:\n \"'", "](", "|-|", "~~", "\n\n", "    "]) | (
    st.sampled_from(
        ["<script>", "javascript:", "onerror=", "&#106;", "&lt;", "http://", "<a href="]
    )
)


@always
@given(st.lists(TEXT | MARKS, max_size=40).map("".join))
def test_rendered_markdown_is_harmless_and_already_clean(source: str) -> None:
    html = markdown.render(source)
    assert harmless(html), html
    assert markdown.cleaned(html) == html


# Seats


@dataclass(frozen=True)
class Stint:
    """A term as a story: who, on which seat, from which day, for how long, ended when."""

    person: int
    seat: int
    starts: int
    lasts: int | None
    removed: int | None

    def days(self) -> set[int]:
        """The days on which the seat is held, one by one: the naive model."""
        last = 60 if self.lasts is None else self.starts + self.lasts
        held = set(range(self.starts, last + 1))
        return held if self.removed is None else {day for day in held if day < self.removed}


@st.composite
def stints(draw: st.DrawFn) -> Stint:
    starts = draw(st.integers(0, 12))
    lasts = draw(st.none() | st.integers(0, 6))
    latest = 20 if lasts is None else starts + lasts
    removed = draw(st.none() | st.integers(0, latest))
    return Stint(draw(st.integers(0, 2)), draw(st.integers(0, 1)), starts, lasts, removed)


FIRST_DAY = date(2026, 1, 1)


def _day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def _term(stint: Stint, people: list[Any], seats: list[Any], community: Any) -> Term:
    now = clock.now()
    term = Term(
        community_id=community,
        position_code="chair",
        seat_id=seats[stint.seat],
        person_id=people[stint.person],
        starts_on=_day(stint.starts),
        ends_on=None if stint.lasts is None else _day(stint.starts + stint.lasts),
        basis=TermBasis.ELECTION,
        recorded_at=now,
        updated_at=now,
    )
    term.begin()
    if stint.removed is not None:
        term.end(TermEnding.REMOVED, None, now, _day(stint.removed))
    return term


@always
@given(stints(), st.integers(0, 30))
def test_a_term_runs_on_its_days_and_on_no_other(stint: Stint, day: int) -> None:
    term = _term(stint, [None] * 3, [None] * 2, None)
    if stint.removed is None:
        assert (term.status(_day(day)) == TermStatus.RUNNING) == (day in stint.days())
    else:
        assert term.status(_day(day)) == TermStatus.REMOVED
    kept = [term.free_from is None or _day(held) < term.free_from for held in stint.days()]
    assert all(kept)
    assert term.free_from is None or (term.free_from - FIRST_DAY).days not in stint.days()


@pytest.fixture
async def chairs(api: Api) -> tuple[Any, list[Any], list[Any]]:
    """A community, three of its people and two of its seats."""
    community = await api.community_id(DTC)
    people = [(await api.member(f"Person {number}")).id for number in range(3)]
    rows = await api.read(sa.select(Seat.id).where(Seat.community_id == community).limit(2))
    return community, people, [row.id for row in rows]


@sometimes
@given(told=st.lists(stints(), max_size=6))
async def test_both_databases_hold_seats_as_the_naive_model_does(
    api: Api, chairs: tuple[Any, list[Any], list[Any]], told: list[Stint]
) -> None:
    community, people, seats = chairs
    async with api.database.work() as work:
        await work.execute(sa.delete(Term))
    kept: list[Stint] = []
    for stint in told:
        same_days = [other for other in kept if other.days() & stint.days()]
        expected = {"ex_term_seat" for other in same_days if other.seat == stint.seat}
        expected |= {"ex_term_person" for other in same_days if other.person == stint.person}
        try:
            async with api.database.work() as work:
                work.add(_term(stint, people, seats, community))
        except IntegrityError as error:
            assert violated(error) in expected
        else:
            assert not expected, (stint, kept)
            kept.append(stint)
