"""How votes are counted: known elections, and what holds for any."""

import random
from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from app.services.counting import Outcome, Paper, Tie, most_votes, reveals, transferable

NAMES = "abcdefg"
ORDER = {name: place for place, name in enumerate(NAMES)}
rankings = st.lists(st.sampled_from(NAMES), unique=True, max_size=len(NAMES)).map(tuple)
urns = st.lists(st.tuples(rankings, st.integers(1, 9)), max_size=12)
places = st.integers(1, 4)


def one_by_one(papers: list[Paper]) -> list[Paper]:
    return [(names, 1) for names, number in papers for _ in range(number)]


# Known elections


def test_the_most_votes_win_and_blank_papers_are_counted_apart() -> None:
    outcome = most_votes([(("a",), 3), (("b",), 5), ((), 2)], "ab", 1, ORDER)
    assert (outcome.elected, outcome.valid, outcome.blank) == (["b"], 8, 2)
    assert outcome.ties == []


def test_approval_fills_several_seats_by_the_number_of_approvals() -> None:
    papers = [(("a", "b"), 4), (("b", "c"), 3), (("c",), 2)]
    assert most_votes(papers, "abcd", 2, ORDER).elected == ["b", "c"]


def test_nobody_is_elected_without_a_vote() -> None:
    assert most_votes([(("a",), 3)], "ab", 2, ORDER).elected == ["a"]
    assert most_votes([((), 9)], "ab", 1, ORDER).elected == []
    assert transferable([((), 9)], "ab", 1, ORDER).elected == []


def test_a_tie_is_decided_by_the_order_that_was_settled_before_or_left_open() -> None:
    papers = [(("a",), 2), (("b",), 2), (("c",), 1)]
    decided = most_votes(papers, "abc", 1, {"a": 2, "b": 1, "c": 0})
    assert (decided.elected, decided.ties) == (["b"], [Tie(("a", "b"), "b")])
    left_open = most_votes(papers, "abc", 1, None)
    assert (left_open.elected, left_open.ties) == ([], [Tie(("a", "b"), None)])


def test_equal_votes_without_competition_are_no_tie() -> None:
    papers = [(("a",), 2), (("b",), 2), (("c",), 1)]
    assert most_votes(papers, "abc", 2, None).ties == []


def test_the_textbook_election_of_sweets_comes_out_as_in_the_textbook() -> None:
    # Five candidates, three seats, twenty voters, quota six.
    orange, pear, chocolate, strawberry, sweets = "abcde"
    papers = [
        ((orange,), 4),
        ((pear, orange), 2),
        ((chocolate, strawberry), 8),
        ((chocolate, sweets), 4),
        ((strawberry,), 1),
        ((sweets,), 1),
    ]
    outcome = transferable(papers, "abcde", 3, ORDER)
    assert outcome.quota == 6
    assert outcome.elected == [chocolate, orange, strawberry]
    assert [(stage.act, stage.candidate) for stage in outcome.stages] == [
        ("first_preferences", None),
        ("surplus", chocolate),
        ("exclusion", pear),
        ("exclusion", sweets),
    ]
    assert outcome.stages[1].votes[strawberry] == 5
    assert outcome.stages[1].votes[sweets] == 3


def test_a_surplus_is_passed_on_in_exact_parts() -> None:
    papers = [(("a", "b"), 5), (("a", "c"), 2), (("d",), 3)]
    outcome = transferable(papers, "abcd", 2, ORDER)
    assert outcome.quota == 4
    assert outcome.stages[1].votes["b"] == Fraction(15, 7)
    assert outcome.stages[1].votes["c"] == Fraction(6, 7)


def test_a_tie_at_an_exclusion_is_decided_by_an_earlier_stage() -> None:
    papers = [(("a",), 5), (("b",), 3), (("c",), 2), (("d", "c"), 1)]
    outcome = transferable(papers, "abcd", 1, None)
    assert [stage.candidate for stage in outcome.stages[1:]] == ["d", "c", "b"]
    assert outcome.ties == []


def test_without_a_rule_a_count_stops_at_a_tie_that_matters() -> None:
    papers = [(("a",), 6), (("b",), 2), (("c",), 2), (("e",), 1)]
    outcome = transferable(papers, "abce", 2, None)
    assert outcome.elected == ["a"]
    assert outcome.ties[-1] == Tie(("b", "c"), None)


def test_those_without_a_vote_go_together_without_a_tie() -> None:
    outcome = transferable([(("a",), 2), (("b",), 3)], "abcdefg", 1, None)
    assert (outcome.elected, outcome.ties) == (["b"], [])


def test_preferences_for_somebody_who_withdrew_pass_to_the_next() -> None:
    papers = [(("x", "a"), 5), (("b",), 4), (("x",), 3)]
    outcome = transferable(papers, "ab", 1, ORDER)
    assert (outcome.elected, outcome.valid, outcome.blank) == (["a"], 9, 3)


# What holds for any


def votes_of(outcome: Outcome) -> list[Fraction]:
    return [sum(stage.votes.values()) + stage.exhausted for stage in outcome.stages]


@given(urns, places)
def test_no_vote_is_lost_or_made_on_the_way(papers: list[Paper], seats: int) -> None:
    outcome = transferable(papers, NAMES, seats, ORDER)
    assert all(total == outcome.valid for total in votes_of(outcome))
    assert outcome.valid + outcome.blank == sum(number for _, number in papers)


@given(urns, places, st.randoms())
def test_the_order_of_ballots_and_of_candidates_changes_nothing(
    papers: list[Paper], seats: int, chance: random.Random
) -> None:
    mixed, names = one_by_one(papers), list(NAMES)
    chance.shuffle(mixed)
    chance.shuffle(names)
    for count in (transferable, most_votes):
        assert count(mixed, names, seats, ORDER) == count(papers, NAMES, seats, ORDER)


@given(urns, places)
def test_whoever_has_a_quota_of_first_preferences_is_elected(
    papers: list[Paper], seats: int
) -> None:
    outcome = transferable(papers, NAMES, seats, ORDER)
    firsts = Counter()
    for names, number in papers:
        firsts.update(dict.fromkeys(names[:1], number))
    reached = {name for name, number in firsts.items() if number >= (outcome.quota or 0)}
    assert reached <= set(outcome.elected)


@given(urns, places)
def test_seats_are_filled_once_each_and_no_more_than_there_are(
    papers: list[Paper], seats: int
) -> None:
    for count in (transferable, most_votes):
        outcome = count(papers, NAMES, seats, ORDER)
        assert len(set(outcome.elected)) == len(outcome.elected) <= seats
    ranked = transferable(papers, NAMES, seats, ORDER)
    assert len(ranked.elected) == (seats if ranked.valid else 0)


@given(urns, places)
def test_without_a_rule_nobody_else_is_elected_than_with_one(
    papers: list[Paper], seats: int
) -> None:
    open_end, decided = (transferable(papers, NAMES, seats, order) for order in (None, ORDER))
    assert open_end.elected == decided.elected[: len(open_end.elected)]


# What numbers would tell


def test_numbers_tell_too_much_where_ballots_are_few_or_nearly_all_alike() -> None:
    def told(*papers: Paper) -> bool:
        return reveals(most_votes(papers, "ab", 1, ORDER), 10)

    assert told((("a",), 5), (("b",), 4))
    assert told((("a",), 12))
    assert told((("a",), 11), (("b",), 1))
    assert told((("a", "b"), 6), (("a",), 6))
    assert told(((), 11), (("b",), 1))
    assert not told((("a",), 7), (("b",), 5))


def test_a_ranking_tells_little_though_everybody_ranks_everybody() -> None:
    papers = [(("a", "b", "c"), 6), (("b", "a", "c"), 4), (("c", "b", "a"), 3)]
    assert not reveals(transferable(papers, "abc", 1, ORDER), 10)
    assert reveals(transferable([(("a", "b"), 11), (("b", "a"), 1)], "ab", 1, ORDER), 10)
