"""What a Leadership Group lacks, worked out from its facts: each kind of finding in one function.

The order of FINDERS is the order of an answer within one severity.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app import texts
from app.services import leadership, staggering
from app.services.seated import Seated

CRITICAL, WARNING, NOTICE = "critical", "warning", "notice"
SEVERITIES = (CRITICAL, WARNING, NOTICE)
NEAR = timedelta(days=90)
# Where a caller may not know a person's territory, at least so many stand behind what is said.
FEWEST = 5

Finding = dict[str, Any]


@dataclass
class Facts:
    """What is known of the leadership of one community, or of the association."""

    today: date
    of_community: bool = True
    seats: list[Seated] = field(default_factory=list)
    # Terms that are not over, those of them that run on paper alone, and by seat the next one to
    # begin and the last one that held it while it was not vacant.
    current: list[Any] = field(default_factory=list)
    lapsed: list[Any] = field(default_factory=list)
    following: dict[UUID, Any] = field(default_factory=dict)
    last: dict[UUID, Any] = field(default_factory=dict)
    candidates: set[UUID] = field(default_factory=set)
    overdue: list[UUID] = field(default_factory=list)
    member_count: int = 0
    # Where members and leaders are from, of those who have said so.
    members: Counter[str] = field(default_factory=Counter)
    leaders: Counter[str] = field(default_factory=Counter)
    territories: Mapping[str, dict[str, str]] = field(default_factory=dict)
    knows_territories: bool = True

    @property
    def vacant(self) -> list[Seated]:
        """The seats that nobody holds."""
        return [one for one in self.seats if one.holder is None]

    @property
    def first(self) -> list[Seated]:
        """The seats of the highest rank: the chair's, as a rule."""
        return [one for one in self.seats if one.seat.rank == self.seats[0].seat.rank]


def found(facts: Facts) -> list[Finding]:
    """All findings, the gravest first."""
    listed = [finding for find in FINDERS for finding in find(facts)]
    return sorted(listed, key=lambda finding: SEVERITIES.index(finding["severity"]))


def _finding(code: str, severity: str, *, text: str | None = None, **known: Any) -> Finding:
    """A finding with its sentence; `said` are the facts of that, in all or in each language."""
    said = known.pop("said", {})
    detail = {
        language: texts.text(
            "findings",
            text or code,
            language,
            **{name: _in(value, language) for name, value in said.items()},
        )
        for language in texts.LANGUAGES
    }
    empty = {"seats": [], "year": None, "territories": [], "election_ids": []}
    return {"code": code, "severity": severity, "detail": detail} | empty | known


def _in(value: Any, language: str) -> Any:
    return value[language] if isinstance(value, Mapping) else value


def _seat(
    facts: Facts, one: Seated, term: Any | None = None, on_paper: Any | None = None
) -> dict[str, Any]:
    """A seat as a finding names it; `term` is the one that the finding is about."""
    following = facts.following.get(one.seat.id)
    return {
        "id": one.seat.id,
        "position": one.seat.position_code,
        "seat": one.seat.seat,
        "title": one.seat.title,
        "holder": _person(one.holder or on_paper),
        "acting_holder": _person(one.acting),
        "since_on": _vacant_since(facts, one),
        "ends_on": term.ends_on if term is not None else None,
        "next_starts_on": following.starts_on if following is not None else None,
    }


def _person(term: Any | None) -> dict[str, Any] | None:
    return None if term is None else {"id": term.person_id, "name": term.name}


def _vacant_since(facts: Facts, one: Seated) -> date | None:
    if one.holder is not None:
        return None
    last = facts.last.get(one.seat.id)
    return leadership.emptied_on(last, facts.today) if last else one.seat.opened_on


# Seats


def _no_chair(facts: Facts) -> Iterator[Finding]:
    vacant = [one for one in facts.first if one.holder is None]
    if not vacant or len(vacant) < len(facts.first):
        return
    acting = any(one.acting is not None for one in vacant)
    yield _finding(
        "no_chair",
        WARNING if acting else CRITICAL,
        text="no_chair_acting" if acting else "no_chair",
        said={"position": vacant[0].seat.title},
        seats=[_seat(facts, one) for one in vacant],
    )


def _chair_away(facts: Facts) -> Iterator[Finding]:
    held = [one for one in facts.first if one.holder is not None]
    if not held or any(one.exercised for one in held):
        return
    yield _finding(
        "chair_away",
        CRITICAL,
        said={"position": held[0].seat.title},
        seats=[_seat(facts, one) for one in held],
    )


def _too_few_seats_filled(facts: Facts) -> Iterator[Finding]:
    seats, filled = len(facts.seats), len(facts.seats) - len(facts.vacant)
    # Of one seat, that it is vacant has been said.
    if seats > 1 and filled * 2 < seats:
        yield _finding("too_few_seats_filled", CRITICAL, said={"filled": filled, "seats": seats})


def _vacant_seats(facts: Facts) -> Iterator[Finding]:
    if facts.vacant:
        seats = [_seat(facts, one) for one in facts.vacant]
        yield _finding("vacant_seats", WARNING, said={"count": len(seats)}, seats=seats)


# Terms


def _holders_lapsed(facts: Facts) -> Iterator[Finding]:
    of = {one.seat.id: one for one in facts.seats}
    seats = [
        _seat(facts, of[term.seat_id], term, on_paper=term)
        for term in facts.lapsed
        if term.seat_id in of
    ]
    if seats:
        yield _finding("holders_lapsed", WARNING, said={"count": len(seats)}, seats=seats)


def _terms_past_or_near_end(facts: Facts) -> Iterator[Finding]:
    seats = []
    for one in facts.seats:
        term = one.holder or _completed(facts, one)
        near = term is not None and term.ends_on and term.ends_on <= facts.today + NEAR
        if near and one.seat.id not in facts.following:
            seats.append(_seat(facts, one, term))
    if seats:
        said = {"count": len(seats), "days": NEAR.days}
        yield _finding("terms_past_or_near_end", WARNING, said=said, seats=seats)


def _completed(facts: Facts, one: Seated) -> Any | None:
    """The last term of a vacant seat, if its days simply were over."""
    last = facts.last.get(one.seat.id)
    over = last is not None and last.ending is None and last.ends_on and last.ends_on < facts.today
    return last if over else None


def _terms_end_together(facts: Facts) -> Iterator[Finding]:
    group_of = {one.seat.id: one.seat.stagger_group for one in facts.seats}
    sizes = Counter(group for group in group_of.values() if group is not None)
    ending: dict[tuple[str, int], dict[UUID, Any]] = {}
    for term in facts.current:
        group = group_of.get(term.seat_id)
        if group is not None and term.ends_on is not None:
            ending.setdefault((group, term.ends_on.year), {})[term.seat_id] = term
    for (group, year), terms in sorted(ending.items()):
        if staggering.too_many(len(terms), sizes[group]):
            seats = [
                _seat(facts, one, terms[one.seat.id]) for one in facts.seats if one.seat.id in terms
            ]
            yield _finding(
                "terms_end_together", NOTICE, said={"year": year}, seats=seats, year=year
            )


# What is planned, and who is represented


def _elections_overdue(facts: Facts) -> Iterator[Finding]:
    if facts.overdue:
        said = {"count": len(facts.overdue)}
        yield _finding("elections_overdue", WARNING, said=said, election_ids=facts.overdue)


def _nobody_in_plan(facts: Facts) -> Iterator[Finding]:
    if facts.of_community and not facts.candidates:
        yield _finding("nobody_in_plan", NOTICE)


def _territories_unrepresented(facts: Facts) -> Iterator[Finding]:
    yield from _missing(facts, "territories_unrepresented", facts.members)


def _territories_without_leader(facts: Facts) -> Iterator[Finding]:
    yield from _missing(facts, "territories_without_leader", facts.leaders)


def _missing(facts: Facts, code: str, people: Counter[str]) -> Iterator[Finding]:
    """Where nobody is from, as far as somebody has said where they are from."""
    missing = [one for one in facts.territories if not people[one]]
    if missing and people.total() >= (1 if facts.knows_territories else FEWEST):
        names = {
            language: ", ".join(facts.territories[one][language] for one in missing)
            for language in texts.LANGUAGES
        }
        yield _finding(code, NOTICE, said={"territories": names}, territories=missing)


FINDERS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _no_chair,
    _chair_away,
    _too_few_seats_filled,
    _vacant_seats,
    _holders_lapsed,
    _terms_past_or_near_end,
    _elections_overdue,
    _terms_end_together,
    _nobody_in_plan,
    _territories_unrepresented,
    _territories_without_leader,
)
