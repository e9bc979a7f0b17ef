"""Single values of files: addresses, names, statuses, codes; each is read or says why not."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.membership_files import values
from app.membership_files.days import NotRead
from app.membership_files.folding import name_key
from app.schemas.base import Email, Line, Paragraph
from tests.membership_samples import known

always = settings(derandomize=True, deadline=None, max_examples=400)
ODD = st.sampled_from(
    "\x00\t\n\r\x1b\u00a0\u00ad\u0301\u200b\u200d\u202e\u2028\ufeff\ufe0f⚖👩 @.-+'"
)
TEXT = st.text(st.characters() | ODD, max_size=60)


def refused(parse: Callable[[str], object], said: str) -> str:
    with pytest.raises(NotRead) as refusal:
        parse(said)
    return refusal.value.code


def taken(parse: Callable[[str], object], said: str) -> object:
    """What becomes of a text; None if it is refused."""
    try:
        return parse(said)
    except NotRead:
        return None


def by_schema(kind: Any, said: str) -> object:
    try:
        return TypeAdapter(kind).validate_python(said)
    except ValidationError:
        return None


# As the schemas take them


@always
@given(TEXT | st.emails() | st.from_regex(r"[A-Za-z0-9._+-]{1,12}@[A-Za-z0-9.-]{1,16}"))
@example("a@xn--exmple-cua.org")
@example(f"{'a' * 64}@{'b' * 60}.org")
@example(f"{'a' * 65}@example.org")
@example("a@localhost")
@example("a.@example.org")
@example("a@example..org")
@example("a@EXAMPLE.org\n")
def test_an_address_is_taken_exactly_as_the_schemas_take_it(said: str) -> None:
    assert taken(values.email, said) == by_schema(Email, said)


@always
@given(TEXT)
@example("x" * 201)
def test_text_is_taken_exactly_as_the_schemas_take_it(said: str) -> None:
    assert taken(values.paragraph, said) == by_schema(Paragraph, said)
    if not set(said) & set("\n\r\t"):
        assert taken(values.one_line, said) == by_schema(Line, said)


def test_lines_within_a_cell_become_one() -> None:
    assert values.one_line('Smith, Jones & "Partners"\nSuite 400') == (
        'Smith, Jones & "Partners" Suite 400'
    )


@pytest.mark.parametrize("said", ["Ann\u202eeeL", "Ann\u200bLee", "Ann\x00Lee", "Ann\u3164Lee"])
def test_what_nobody_sees_is_refused(said: str) -> None:
    assert refused(values.name, said) == "text_control_characters"


# Names


@pytest.mark.parametrize(
    "said",
    ["Siobhán O'Neill", "D'Amour", "Jean-François St-Pierre", "李小龍", "Ann Lee 3rd", "Dr. X (Y)"],
)
def test_a_name_is_taken(said: str) -> None:
    assert values.name(said) == said


@pytest.mark.parametrize(
    "said",
    [
        "+1 416 555 0000",
        "416-555-0101",
        "ann@example.org",
        "www.example.org",
        "https://example.org",
        "12 Main Street",
        "Suite 400",
        '=HYPERLINK("http://example.com","x")',
        "@SUM(A1)",
        "-Ann",
        "???",
        "<b>Ann</b>",
    ],
)
def test_what_is_plainly_no_name_is_refused(said: str) -> None:
    assert refused(values.name, said) == "name_not_a_name"


@pytest.mark.parametrize(
    "other", ["INÈS ROY", "Ines Roy", "Roy, Inès", "Ine\u0300s  Roy", "Inès-Roy"]
)
def test_spellings_of_one_name_are_one(other: str) -> None:
    assert name_key(other) == name_key("Inès Roy")
    assert name_key(other) != name_key("Inès Royer")


# Closed lists


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("CA-ON", "CA-ON"),
        ("on", "CA-ON"),
        ("Ont.", "CA-ON"),
        ("Ontario", "CA-ON"),
        ("québec", "CA-QC"),
        ("QUEBEC", "CA-QC"),
        ("P.E.I.", "CA-PE"),
        ("Île-du-Prince-Édouard", "CA-PE"),
        ("Colombie Britannique", "CA-BC"),
        ("B.C.", "CA-BC"),
        ("NWT", "CA-NT"),
        ("Outside Canada", "outside_canada"),
        ("Texas", None),
        ("", None),
    ],
)
def test_a_province_is_found_by_code_or_name(said: str, code: str | None) -> None:
    assert known().territories.find(said) == code


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("crown_prosecutor", "crown_prosecutor"),
        ("Justice of the Peace", "justice_of_the_peace"),
        ("Juge de paix", "justice_of_the_peace"),
        ("Procureure de la Couronne", "crown_prosecutor"),
        ("Avocate de la défense", "defence_counsel"),
        ("avocat", None),
        ("Probation officer", "probation_officer"),
        ("Agente de probation", "probation_officer"),
        ("Peer support worker (lived experience)", "peer_support_worker"),
        ("Elder", "elder_knowledge_keeper"),
        ("Gardienne du savoir", "elder_knowledge_keeper"),
        ("Professor", "academic"),
        ("Astronaut", None),
    ],
)
def test_an_occupation_is_found_by_code_label_or_a_usual_word(said: str, code: str | None) -> None:
    assert known().occupations.find(said) == code


# Words


@pytest.mark.parametrize("said", ["yes", "Oui", "TRUE", "1", "x", "✓", "Y"])
def test_yes_is_yes(said: str) -> None:
    assert values.yes_or_no(said) is True


@pytest.mark.parametrize("said", ["no", "Non", "false", "0", ""])
def test_no_is_no(said: str) -> None:
    assert values.yes_or_no(said) is False


@pytest.mark.parametrize(
    "said", ["Lapsed", "SUSPENDED", "Archived", "Échue", "Suspendu", "Archivée", "Décédé", "Expiré"]
)
def test_who_is_not_a_member_any_more_is_known_in_both_languages(said: str) -> None:
    assert values.is_former(said) is True


@pytest.mark.parametrize("said", ["Active", "Actif", "En règle", "Pending - Renewal"])
def test_who_is_a_member_is_known_in_both_languages(said: str) -> None:
    assert values.is_former(said) is False


@pytest.mark.parametrize(
    ("parse", "said", "code"),
    [
        (values.yes_or_no, "perhaps", "yes_no_invalid"),
        (values.is_former, "Purple", "status_unknown"),
        (values.is_former, "Pending - New", "status_not_yet"),
        (values.is_former, "En attente", "status_not_yet"),
        (values.category, "Chair", "category_unknown"),
        (values.language, "Klingon", "language_unknown"),
    ],
)
def test_a_word_that_is_not_known_is_refused(
    parse: Callable[[str], object], said: str, code: str
) -> None:
    assert refused(parse, said) == code


def test_categories_and_languages_are_known_in_both_languages() -> None:
    assert values.category("Universitaire") == values.category("Academic") == "academic"
    assert values.category("Expérience vécue") == "lived_experience"
    assert values.language("Français") == values.language("fr-CA") == "fr"
    assert values.language("anglais") == "en"
