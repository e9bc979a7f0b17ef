"""How alike texts are found to be."""

import pytest

from app.likeness import Texts, among, pieces

COURTS = ("Drug Treatment Court", "Wellness Courts", "Youth Court", "Indigenous Courts")


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("Tribunaux de santé mentale", "TRIBUNAUX DE SANTE MENTALE"),
        ("bien-être", "bien être"),
        ("cœur", "coeur"),
        ("  Youth \n Court ", "youth court"),
    ],
)
def test_case_accents_and_punctuation_make_no_difference(written: str, same: str) -> None:
    assert pieces(written) == pieces(same) != frozenset()


@pytest.mark.parametrize("text", ["", " ", "a", "– !", "法廷"])
def test_a_text_without_words_is_like_nothing(text: str) -> None:
    assert Texts(COURTS).likeness(text) == [0.0] * 4
    assert Texts((text, "Youth Court")).likeness("Youth Court")[0] == 0.0


def test_a_text_is_wholly_like_itself_and_not_at_all_like_one_of_other_words() -> None:
    assert Texts(COURTS).likeness("wellness courts")[1] == pytest.approx(1)
    assert Texts(COURTS).likeness("fishing") == [0.0, 0.0, 0.0, 0.0]
    assert Texts(()).likeness("wellness courts") == []


def test_the_word_that_all_have_makes_nothing_alike() -> None:
    drug, wellness, youth, indigenous = Texts(COURTS).likeness("Court for drug offences")
    assert drug > 0.3 > 3 * max(wellness, youth, indigenous)


def test_one_form_of_a_word_is_like_another() -> None:
    assert Texts(COURTS).likeness("treating drugs")[0] > 0.4


def test_likeness_is_the_same_from_both_sides_and_on_every_look() -> None:
    one, other = "Drug courts and treatment", "Treatment of drug addiction"
    there = Texts((one, other)).likeness(other)[0]
    assert there == pytest.approx(Texts((one, other)).likeness(one)[1])
    assert all(Texts((one, other)).likeness(other)[0] == there for _ in range(5))
    assert among((one, other)) is among((one, other))
