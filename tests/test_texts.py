"""Every sentence of the software is there in both languages, says the same facts, and is used."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from app import errors, settings, texts, validation
from app.pages import WORDS
from app.policy import Capability
from app.services.seeding import both, rows_of
from tests.test_house import APP, calls, sources

GROUPS = sorted(path.stem for path in (texts.FOLDER / "en").glob("*.toml"))
# Codes of field errors that are no arguments of a call that a test can read.
VALIDATION = {*validation._CODES.values(), "invalid"}


def placeholders(text: str) -> list[str]:
    return sorted({name for _, name, _, _ in Formatter().parse(text) if name})


def under(prefix: str) -> set[str]:
    """The keys of one part of the texts about problems."""
    found = texts.group("problems", "en")
    return {key.removeprefix(prefix) for key in found if key.startswith(prefix)}


# Both languages


def test_both_languages_have_the_same_files() -> None:
    for language in texts.LANGUAGES:
        assert sorted(path.stem for path in (texts.FOLDER / language).glob("*.toml")) == GROUPS


@pytest.mark.parametrize("group", GROUPS)
def test_both_languages_say_the_same_things_with_the_same_facts(group: str) -> None:
    english, french = (texts.group(group, language) for language in ("en", "fr"))
    assert set(english) == set(french)
    for key, text in english.items():
        assert text.strip() and french[key].strip(), key
        assert placeholders(text) == placeholders(french[key]), key


@pytest.mark.parametrize("group", GROUPS)
def test_no_text_is_left_in_the_other_language(group: str) -> None:
    english, french = (texts.group(group, language) for language in ("en", "fr"))
    alike = {key for key, text in english.items() if french[key] == text and len(text.split()) > 1}
    assert {
        key for key in alike if not re.fullmatch(r"[\W\d]*(\{\w+\}[\W\d]*)+", english[key])
    } == set()


# What is written as programs read it: code, addresses, times of day.
NO_PROSE = re.compile(r"`[^`]*`|https?://\S+|(?<=\d):(?=\d)")


@pytest.mark.parametrize("group", GROUPS)
def test_french_marks_are_spaced_in_one_way(group: str) -> None:
    """A plain space before a colon and inside guillemets, none before the other marks: one that
    does not break looks the same, and would be mixed with it again."""
    for key, text in texts.group(group, "fr").items():
        said = NO_PROSE.sub("x", text)
        assert not re.search("[\u00a0\u202f]", said), key
        assert not re.search(r"[^ ]:|\s:\S|\s[;?!]|«[^ ]|[^ ]»", said), key


# Refusals


def test_every_refusal_has_a_title_and_a_detail_and_every_title_a_refusal() -> None:
    codes = {refusal.code for refusal in errors.catalogue()}
    parts = {"errors", "because", "warning"}
    told = {key.rsplit(".", 1)[0] for key in texts.group("problems", "en")} - parts
    assert told == codes
    for code in codes:
        assert {f"{code}.title", f"{code}.detail"} <= set(texts.group("problems", "fr"))


def test_a_refusal_can_be_put_in_words_without_facts_or_says_which_it_needs() -> None:
    needing = {
        refusal.code
        for refusal in errors.catalogue()
        if placeholders(texts.text("problems", f"{refusal.code}.detail", "en"))
    }
    assert needing == {
        "rules.agreement_required",
        "rules.version_outdated",
        "term.consecutive",
    }


def literals(call: ast.Call, position: int) -> set[str]:
    """The strings of an argument that is written out, one or the other of a choice included."""
    strings = set()
    for node in ast.walk(call.args[position]) if len(call.args) > position else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.add(node.value)
    return strings


def given(name: str, position: int, folder: Path = APP) -> set[str]:
    """What is given to every call of a function."""
    found = [literals(call, position) for path in sources(folder) for call in calls(path, name)]
    return set().union(*found)


def test_every_code_of_a_field_or_parameter_has_a_sentence_and_every_sentence_a_code() -> None:
    assert given("field", 1) | given("parameter", 1) | VALIDATION == under("errors.")


def test_every_way_in_which_a_schema_refuses_has_its_code() -> None:
    raised = given("PydanticCustomError", 0, APP / "schemas")
    assert raised and raised <= set(validation._CODES)


def test_every_reason_has_a_sentence_and_every_sentence_a_reason() -> None:
    assert given("because", 0) == under("because.")


def test_every_warning_has_a_sentence_and_every_sentence_a_warning() -> None:
    assert given("_warning", 0, APP / "services") == under("warning.")


def test_every_capability_is_explained() -> None:
    for language in texts.LANGUAGES:
        assert set(texts.group("capabilities", language)) == set(Capability)


def test_every_page_finds_its_words() -> None:
    assert set(WORDS) <= set(texts.group("pages", "fr"))


# What the association says


def test_what_ships_is_in_both_languages() -> None:
    folder = settings.SHIPPED_DEFAULTS
    for name, columns in {
        "communities.csv": ("name", "description"),
        "occupations.csv": ("label",),
        "positions.csv": ("title",),
        "territories.csv": ("name",),
    }.items():
        rows = rows_of(folder, name)
        assert rows
        for row in rows:
            assert all(both(row, column) for column in columns)
