"""Counting votes: plurality, approval, and the single transferable vote, exactly and the same
whenever it is done again.

The single transferable vote is counted by Scotland's rules (SSI 2007/42, schedule 1, part III):
Droop's quota, one surplus at a time, the largest first, every paper of the elected candidate passed
on at a part of its value (weighted inclusive Gregory), ties by the latest earlier stage at which
the votes differed. Values are fractions and are never rounded, where Scotland cuts them to five
places. Nothing here knows a database, a person or an order in which ballots came.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

# A kind of paper, its preferences in order (or the approved, in any), and how many there are of it.
Paper = tuple[tuple[str, ...], int]
Votes = dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class Tie:
    """Equal votes at a decision: between whom, and who was chosen (for better or worse); nobody
    where the rule leaves it open."""

    between: tuple[str, ...]
    chosen: str | None


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a count: what was done to whom, and everybody's votes after it."""

    act: str
    candidate: str | None
    votes: Mapping[str, Fraction]
    exhausted: Fraction


@dataclass(slots=True)
class Outcome:
    """Who is elected, in the order of being elected, and how it came about."""

    valid: int
    blank: int
    quota: int | None = None
    elected: list[str] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)


def standing_papers(papers: Iterable[Paper], candidates: Iterable[str]) -> tuple[list[Paper], int]:
    """The papers with those who no longer stand struck off, and how many then say nothing."""
    stands = set(candidates)
    merged: dict[tuple[str, ...], int] = {}
    for names, number in papers:
        left = tuple(name for name in names if name in stands)
        merged[left] = merged.get(left, 0) + number
    blank = merged.pop((), 0)
    return sorted(merged.items()), blank


def most_votes(
    papers: Iterable[Paper], candidates: Sequence[str], seats: int, order: Mapping[str, int] | None
) -> Outcome:
    """Plurality and approval: each candidate on a paper has one vote, and the most votes win.

    Nobody is elected without a vote. `order` decides between equals, the lowest first; without it
    equal candidates for the last seats are left unelected.
    """
    left, blank = standing_papers(papers, candidates)
    outcome = Outcome(sum(number for _, number in left), blank)
    votes: Votes = {candidate: Fraction(0) for candidate in candidates}
    for names, number in left:
        for name in names:
            votes[name] += number
    outcome.stages.append(Stage("count", None, dict(votes), Fraction(0)))
    waiting = {candidate for candidate in candidates if votes[candidate]}
    while waiting and len(outcome.elected) < seats:
        best = max(votes[candidate] for candidate in waiting)
        equal = sorted(candidate for candidate in waiting if votes[candidate] == best)
        free = seats - len(outcome.elected)
        if len(equal) > free:
            if order is None:
                outcome.ties.append(Tie(tuple(equal), None))
                break
            chosen = min(equal, key=order.__getitem__)
            outcome.ties.append(Tie(tuple(equal), chosen))
            equal = [chosen]
        outcome.elected.extend(equal)
        waiting.difference_update(equal)
    return outcome


def transferable(
    papers: Iterable[Paper], candidates: Sequence[str], seats: int, order: Mapping[str, int] | None
) -> Outcome:
    """The single transferable vote. `order` decides ties that no earlier stage does, the lowest
    being preferred; without it the count stops at such a tie and the seats left stay vacant."""
    return _Count(papers, candidates, seats, order).run()


class _Count:
    """One count of the single transferable vote."""

    def __init__(
        self,
        papers: Iterable[Paper],
        candidates: Sequence[str],
        seats: int,
        order: Mapping[str, int] | None,
    ) -> None:
        left, blank = standing_papers(papers, candidates)
        valid = sum(number for _, number in left)
        self.outcome = Outcome(valid, blank, valid // (seats + 1) + 1)
        self.quota = Fraction(valid // (seats + 1) + 1)
        self.seats = seats
        self.order = order
        self.continuing = set(candidates)
        self.votes: Votes = {candidate: Fraction(0) for candidate in sorted(candidates)}
        self.exhausted = Fraction(0)
        # Whose pile each kind of paper lies on, and what it is worth there.
        self.piles: dict[str, list[tuple[tuple[str, ...], Fraction]]] = {c: [] for c in candidates}
        self.surpluses: list[str] = []
        for names, number in left:
            self._give(names, Fraction(number))

    def run(self) -> Outcome:
        """Stages until the seats are filled, or nothing is left to fill them with."""
        if not self.outcome.valid:
            return self.outcome
        self._note("first_preferences", None)
        self._elect_by_quota()
        while self.continuing and self._free() > 0:
            if len(self.continuing) <= self._free():
                self._elect(self._by_votes(self.continuing))
            elif self.surpluses:
                if not self._transfer_surplus():
                    break
            elif not self._exclude_lowest():
                break
            self._elect_by_quota()
        return self.outcome

    def _free(self) -> int:
        return self.seats - len(self.outcome.elected)

    def _note(self, act: str, candidate: str | None) -> None:
        self.outcome.stages.append(Stage(act, candidate, dict(self.votes), self.exhausted))

    def _give(self, names: tuple[str, ...], value: Fraction) -> None:
        """A paper goes to the first on it who is still in the running."""
        for name in names:
            if name in self.continuing:
                self.piles[name].append((names, value))
                self.votes[name] += value
                return
        self.exhausted += value

    def _by_votes(self, candidates: Iterable[str]) -> list[str]:
        return sorted(candidates, key=lambda name: (-self.votes[name], name))

    def _elect_by_quota(self) -> None:
        reached = [name for name in self.continuing if self.votes[name] >= self.quota]
        self._elect(self._by_votes(reached))

    def _elect(self, names: list[str]) -> None:
        for name in names:
            self.outcome.elected.append(name)
            self.continuing.remove(name)
            if self.votes[name] > self.quota:
                self.surpluses.append(name)

    def _transfer_surplus(self) -> bool:
        most = max(self.votes[name] for name in self.surpluses)
        name = self._one_of([n for n in self.surpluses if self.votes[n] == most], largest=True)
        if name is None:
            return False
        self.surpluses.remove(name)
        part = (self.votes[name] - self.quota) / self.votes[name]
        pile, self.piles[name] = self.piles[name], []
        self.votes[name] = self.quota
        for names, value in pile:
            self._give(names, value * part)
        self._note("surplus", name)
        return True

    def _exclude_lowest(self) -> bool:
        least = min(self.votes[name] for name in self.continuing)
        lowest = sorted(name for name in self.continuing if self.votes[name] == least)
        if not least and len(self.continuing) - len(lowest) >= self._free():
            # Nobody's vote lies with them, so in which of their orders they go is no matter.
            chosen = lowest
        else:
            one = self._one_of(lowest, largest=False)
            if one is None:
                return False
            chosen = [one]
        for name in chosen:
            self.continuing.remove(name)
            pile, self.piles[name] = self.piles[name], []
            self.votes[name] = Fraction(0)
            for names, value in pile:
                self._give(names, value)
            self._note("exclusion", name)
        return True

    def _one_of(self, equal: list[str], *, largest: bool) -> str | None:
        """The one of several with equal votes whose surplus goes first, or who is excluded."""
        left = sorted(equal)
        for stage in reversed(self.outcome.stages):
            if len(left) == 1:
                return left[0]
            wanted = (max if largest else min)(stage.votes[name] for name in left)
            left = [name for name in left if stage.votes[name] == wanted]
        if len(left) == 1:
            return left[0]
        chosen = None
        if self.order is not None:
            chosen = (min if largest else max)(left, key=self.order.__getitem__)
        self.outcome.ties.append(Tie(tuple(left), chosen))
        return chosen


def reveals(outcome: Outcome, fewest: int) -> bool:
    """True if the numbers of a count would tell how somebody voted.

    They do where the ballots are few; where all come to the same candidate, or say nothing; and
    where all but one do, since that one knows of themselves.
    """
    cast = outcome.valid + outcome.blank
    votes = [number for stage in outcome.stages for number in stage.votes.values()]
    return cast < fewest or max([*votes, outcome.blank]) >= cast - 1
