"""Columns are known by their headings, communities by what people call them; never by guess."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app import import_errors
from app.membership_files import mapping
from app.membership_files.days import NotRead
from app.membership_files.headings import FIELDS
from app.membership_files.rows import Format, SourceRow
from app.schemas.membership_mappings import (
    ImportField,
    MappingPreset,
    MappingSuggestion,
    MembershipMapping,
)
from tests.membership_samples import DATA, known, suggested


def suggest(*headings: str, rows: tuple[tuple[str, ...], ...] = ()) -> MappingSuggestion:
    sample = [SourceRow(number, list(cells)) for number, cells in enumerate(rows, 2)]
    return mapping.suggest(Format.CSV, headings, sample, known().communities)


# Headings


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("NAME", "name"),
        ("Full name:", "name"),
        ("Nom complet", "name"),
        ("FirstName", "first_name"),
        ("prenom", "first_name"),
        ("Pre\u0301nom", "first_name"),
        ("Last_Name", "last_name"),
        ("E-Mail", "email"),
        ("Adresse de courriel", "email"),
        ("Communautés de pratique", "communities"),
        ("group participation", "communities"),
        ("Job Title", "occupation"),
        ("PROFESSION", "occupation"),
        ("Occupation code", "occupation_code"),
        ("Organisation", "affiliation"),
        ("Tribunal, organisme de traitement ou autre affiliation", "affiliation"),
        ("Domaine d’intérêt", "area_of_interest"),
        ("Province / Territory", "territory"),
        ("Langue préférée", "language"),
        ("Catégorie de membre", "category"),
        ("Membre depuis", "since_on"),
        ("dateJoined", "since_on"),
        ("Date de fin", "until_on"),
        ("No. de membre", "external_id"),
        ("Statut", "status"),
        ("Archivé", "archived"),
    ],
)
def test_a_heading_is_recognised_in_both_languages(heading: str, field: str) -> None:
    assert suggest(heading).columns == {heading: field}


def test_every_field_has_a_heading() -> None:
    assert set(FIELDS.values()) == set(ImportField)


def test_the_order_of_columns_does_not_matter() -> None:
    headings = ("Groups", "E-mail", "Name")
    assert suggest(*headings).columns == suggest(*reversed(headings)).columns


def test_a_column_that_is_not_recognised_is_listed_and_not_read() -> None:
    found = suggest("Name", "Email", "Groups", "Shoe size")
    assert found.unknown == ["Shoe size"]
    assert "Shoe size" not in found.columns


def test_of_two_columns_that_say_the_same_neither_is_chosen() -> None:
    found = suggest("Name", "Email", "Courriel", "Groups")
    assert found.unclear == {"Email": "email", "Courriel": "email"}
    assert found.missing == ["email"]
    assert set(found.columns) == {"Name", "Groups"}


def test_what_an_import_needs_is_said() -> None:
    assert suggest("Phone").missing == ["email", "name", "communities"]
    assert suggest("First name", "Email", "Groups").missing == ["name"]
    assert suggest("First name", "Last name", "Email", "Groups").missing == []


def test_nom_is_the_whole_name_or_the_family_name_beside_a_first_name() -> None:
    assert suggest("Nom").columns == {"Nom": "name"}
    assert suggest("Prénom", "Nom").columns == {"Prénom": "first_name", "Nom": "last_name"}


# Presets


def test_wild_apricots_export_is_known_by_heart() -> None:
    found = suggested(DATA / "wild_apricot_contacts.csv")
    assert (found.preset, found.separator) == (MappingPreset.WILD_APRICOT, ",")
    assert found.columns == {
        "User ID": "external_id",
        "First name": "first_name",
        "Last name": "last_name",
        "Organization": "affiliation",
        "Email": "email",
        "Group participation": "communities",
        "Archived": "archived",
        "Member status": "status",
        "Member since": "since_on",
        "Occupation": "occupation",
        "Province": "territory",
        "Area of interest": "area_of_interest",
    }
    # The day to which somebody has paid is no end of a membership.
    assert found.unknown == ["Phone", "Renewal due", "Membership level"]
    assert (found.missing, found.unclear) == ([], {})


def test_club_expresss_export_is_known_by_heart() -> None:
    found = suggest(
        *("Member Number", "First Name", "Last Name", "Email", "Company", "Title", "State"),
        *("Date Joined", "Date Expired", "Member Type", "Status", "Committees", "Phone"),
    )
    assert (found.preset, found.separator) == (MappingPreset.CLUB_EXPRESS, ",")
    assert found.columns["Member Number"] == "external_id"
    assert found.columns["Date Joined"] == "since_on"
    assert found.columns["Committees"] == "communities"
    assert found.unknown == ["Date Expired", "Member Type", "Phone"]
    assert found.missing == []


def test_the_associations_form_is_known_by_heart() -> None:
    found = suggested(DATA / "form_join_requests.csv")
    assert (found.preset, found.separator) == (MappingPreset.ASSOCIATION_FORM, ";")
    assert list(found.columns.values()) == [
        "name",
        "email",
        "communities",
        "occupation",
        "affiliation",
        "area_of_interest",
    ]
    assert found.unknown == ["Timestamp"]


# Communities in cells and columns


@pytest.mark.parametrize("separator", [";", "|", ",", "/"])
def test_what_parts_communities_is_seen_in_the_rows(separator: str) -> None:
    cell = f"Wellness Courts{separator} Youth Community Court CP"
    assert suggest("Name", "Groups", rows=(("Zoé", cell),)).separator == separator


def test_a_cell_of_one_community_needs_no_separator() -> None:
    rows = (("Adult Mental Health/Therapeutic Court CP",), ("Wellness Courts",))
    assert suggest("Community", rows=rows).separator is None


def test_a_column_may_stand_for_a_community() -> None:
    found = suggest("Name", "Email", "Drug Treatment Court", "wellness-courts", "Youth")
    assert found.community_columns == {
        "Drug Treatment Court": "drug-treatment-court",
        "wellness-courts": "wellness-courts",
    }
    assert found.unknown == ["Youth"]
    assert found.missing == []


@pytest.mark.parametrize(
    ("said", "slug"),
    [
        ("drug-treatment-court", "drug-treatment-court"),
        ("Drug Treatment Court CP", "drug-treatment-court"),
        ("DRUG TREATMENT COURT", "drug-treatment-court"),
        ("Drug Treatment Court – Community of Practice", "drug-treatment-court"),
        ("CP – Tribunal de traitement de la toxicomanie", "drug-treatment-court"),
        ("Tribunal de traitement de la toxicomanie", "drug-treatment-court"),
        ("DTC", "drug-treatment-court"),
        ("Treatment Issues - Mental Health CP", "treatment-issues-mental-health"),
        ("Treatment Issues — Mental Health", "treatment-issues-mental-health"),
        ("Judicial Roundtable", "judicial-roundtable"),
        ("Wellness", "wellness-courts"),
        ("Youth Mental Health", "youth-mental-health-therapeutic-court"),
        ("Enjeux actuels", "current-issues"),
    ],
)
def test_a_community_is_found_by_slug_name_or_an_abbreviation_of_its_own(
    said: str, slug: str
) -> None:
    assert known().communities.find(said) == slug


@pytest.mark.parametrize(
    ("said", "candidates"),
    [
        ("IC", "indigenous-courts, integrated-court"),
        (
            "Treatment Issues",
            "treatment-issues-drug-addiction, treatment-issues-general,"
            " treatment-issues-mental-health",
        ),
        ("Treatment Court", "drug-treatment-court, youth-treatment-court"),
        ("Drug", "drug-treatment-court, treatment-issues-drug-addiction"),
    ],
)
def test_an_ambiguous_name_is_never_guessed_and_its_candidates_named(
    said: str, candidates: str
) -> None:
    with pytest.raises(NotRead) as refusal:
        known().communities.find(said)
    assert refusal.value.code == "community_ambiguous"
    assert refusal.value.facts == {"candidates": candidates}


@pytest.mark.parametrize("said", ["Bowling League", "CP", "", "x", "---", "a b c", "Ω" * 5_000])
def test_what_is_no_community_is_not_made_one(said: str) -> None:
    with pytest.raises(NotRead) as refusal:
        known().communities.find(said)
    assert refusal.value.code == "community_unknown"


def test_a_name_with_the_separator_in_it_stays_whole() -> None:
    cell = "Adult Mental Health/Therapeutic Court CP/Wellness Courts/DTC"
    assert list(known().communities.in_cell(cell, "/")) == [
        "Adult Mental Health/Therapeutic Court CP",
        "Wellness Courts",
        "DTC",
    ]


# Mappings as they are sent


def test_a_mapping_overrides_what_the_headings_suggest() -> None:
    chosen = MembershipMapping(columns={"A": ImportField.EMAIL, "B": "name", "C": "communities"})
    mapping.refuse_unfit(chosen, ["A", "B", "C", "Email"], known().communities)


@pytest.mark.parametrize(
    ("sent", "errors", "missing"),
    [
        (
            {"columns": {"X": "email", "B": "name", "C": "communities"}},
            [{"pointer": "/columns/X", "code": "not_known"}],
            [],
        ),
        (
            {"columns": {"A": "email", "B": "name"}, "community_columns": {"C": "bowling"}},
            [{"pointer": "/community_columns/C", "code": "not_known"}],
            [],
        ),
        (
            {"columns": {"B": "first_name"}},
            [{"pointer": "/columns", "code": "required"}],
            ["email", "name", "communities"],
        ),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_says_where(
    sent: dict[str, object], errors: list[dict[str, str]], missing: list[str]
) -> None:
    chosen = MembershipMapping.model_validate(sent)
    with pytest.raises(import_errors.MappingUnfit) as refusal:
        mapping.refuse_unfit(chosen, ["A", "B", "C"], known().communities)
    assert refusal.value.errors == errors
    assert refusal.value.members == {"missing": missing}


def test_an_import_into_one_community_needs_no_column_for_it() -> None:
    chosen = MembershipMapping.model_validate({"columns": {"A": "email", "B": "name"}})
    mapping.refuse_unfit(chosen, ["A", "B"], known().communities, community_given=True)
    with pytest.raises(import_errors.MappingUnfit):
        mapping.refuse_unfit(chosen, ["A", "B"], known().communities)


@pytest.mark.parametrize(
    "sent",
    [
        {"columns": {"A": "email", "B": "email"}},
        {"columns": {"A": "email"}, "community_columns": {"A": "drug-treatment-court"}},
        {"columns": {"A": "password"}},
        {"columns": {"A": 5}},
        {"columns": {"": "email"}},
        {"columns": {"A": "email"}, "separator": ""},
        {"columns": {"A": "email"}, "day_order": "any"},
        {"columns": {}, "other": 1},
    ],
)
def test_a_mapping_of_another_shape_is_refused(sent: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MembershipMapping.model_validate(sent)


def test_whatever_headings_suggest_is_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("E\u00admail,\u202eName,Gro\x00ups,Na\ufe0fme\na@example.org,b,c,d\n", "utf-8")
    found = mapping.as_mapping(suggested(path))
    assert set(found.columns.values()) <= set(ImportField)
