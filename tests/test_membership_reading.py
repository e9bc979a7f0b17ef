"""What becomes of every untidy row, and of people who stand in a file twice."""

import base64
from pathlib import Path

import pytest

from app.membership_files import mailboxes
from app.membership_files.rows import ReadRow
from app.schemas.membership_mappings import MembershipMapping
from tests.membership_samples import DATA, codes, read

WILD_APRICOT = DATA / "wild_apricot_contacts.csv"
FORM = DATA / "form_join_requests.csv"
MAILS = DATA / "join_requests.mbox"

HEADINGS = "Name,Email,Groups,Occupation,Since,Member number,Status,Until"


def table(path: Path, *rows: str, headings: str = HEADINGS) -> Path:
    path.write_text("\n".join([headings, *rows]) + "\n", "utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


def by_number(path: Path) -> dict[int, ReadRow]:
    return {found.number: found for found in read(path)}


# The association's export from Wild Apricot, row by row

UNTIDY: dict[int, tuple[bool, list[tuple[str | None, str]]]] = {
    # Inès Roy again, her address in capitals: adds her two communities, and what differs is noted.
    9: (
        False,
        [
            ("Occupation", "differs_from_row"),
            ("Organization", "differs_from_row"),
            ("Province", "differs_from_row"),
            ("User ID", "differs_from_row"),
        ],
    ),
    # Leilani Fraser has no address, Amélie Okafor one that is none.
    13: (True, [("Email", "email_required")]),
    15: (True, [("Email", "email_invalid")]),
    # Fatima St-Pierre is in a bowling league too: her other community is taken.
    19: (False, [("Group participation", "community_unknown")]),
    # Amélie Nguyen joined on 31 February.
    25: (True, [("Member since", "day_impossible")]),
    # Somebody's first name is a formula.
    31: (True, [("First name", "name_not_a_name")]),
    # Leilani Gagné is in no group.
    43: (True, [("Group participation", "communities_required")]),
    # Olga Lévesque has Thandiwe Gagné's address.
    49: (True, [("Email", "address_of_another")]),
}
LAPSED = {4, 8, 10, 27, 29, 33, 44, 47, 48, 49, 50, 52, 53, 56, 59}
ARCHIVED = {45}
RESTRICTED = {21, 25, 29}


def test_every_untidy_row_of_the_export_is_dealt_with_and_no_other_touched() -> None:
    rows = by_number(WILD_APRICOT)
    assert set(rows) == set(range(2, 62))
    told = {number: (row.refused, codes(row)) for number, row in rows.items() if row.findings}
    assert told == UNTIDY


def test_the_same_person_twice_adds_up() -> None:
    rows = by_number(WILD_APRICOT)
    first, second = rows[5], rows[9]
    assert (first.adds_to, second.adds_to) == (None, 5)
    assert first.values.communities == (
        "indigenous-courts",
        "treatment-issues-drug-addiction",
        "community-support-court",
    )
    assert second.values.communities == ("drug-treatment-court", "wellness-courts")
    assert [finding.facts for finding in second.findings] == [{"row": 5}] * 4


def test_a_second_person_on_one_address_is_refused_and_the_first_is_not() -> None:
    rows = by_number(WILD_APRICOT)
    assert not rows[7].refused
    assert rows[49].refused
    assert rows[49].findings[0].facts == {"row": 7}


def test_who_lapsed_or_was_archived_is_not_a_member_any_more() -> None:
    rows = by_number(WILD_APRICOT)
    assert {number for number, row in rows.items() if row.values.former} == LAPSED | ARCHIVED


def test_a_restricted_community_is_named_for_those_who_check_eligibility() -> None:
    rows = by_number(WILD_APRICOT)
    asked = {number for number, row in rows.items() if "judicial-roundtable" in str(row.values)}
    assert asked == RESTRICTED
    assert not rows[21].refused


def test_a_row_with_an_unknown_group_does_not_prove_an_absence() -> None:
    rows = by_number(WILD_APRICOT)
    assert rows[19].values.communities == ("drug-treatment-court",)
    assert [number for number, row in rows.items() if not row.whole] == [19]


def test_what_a_row_of_the_export_says() -> None:
    said = by_number(WILD_APRICOT)[39].values
    assert said.name == "Amélie Sandhu"
    assert said.email == "member037@example.org"
    assert said.communities == (
        "youth-treatment-court",
        "wellness-courts",
        "youth-mental-health-therapeutic-court",
    )
    assert (said.occupation, said.occupation_code) == ("Court coordinator", "court_coordinator")
    assert said.affiliation == 'Smith, Jones & "Partners" Suite 400'
    assert (said.area_of_interest, said.territory) == ("harm reduction", "CA-QC")
    assert (str(said.since_on), said.until_on) == ("2019-06-02", None)
    assert (said.external_id, said.former) == ("41001369", False)


def test_a_province_in_words_is_the_same_as_its_code() -> None:
    rows = by_number(WILD_APRICOT)
    assert rows[33].values.territory == rows[15].values.territory == "CA-ON"


def test_every_answer_of_the_form_is_read() -> None:
    rows = by_number(FORM)
    assert set(rows) == set(range(2, 27))
    assert [row.number for row in rows.values() if row.findings] == []
    assert rows[2].values.communities == ("judicial-roundtable", "community-support-court")
    assert rows[8].values.name == "Étienne St-Pierre"
    assert rows[8].values.affiliation == "Wellness Court, Whitehorse"


# Mails


def test_every_mail_is_read_as_far_as_it_is_labelled() -> None:
    assert {number: (row.refused, codes(row)) for number, row in by_number(MAILS).items()} == {
        1: (False, []),
        2: (False, []),
        3: (False, []),
        # 'Hello, I would like to join': for a person to handle.
        4: (True, [(None, "mail_unlabelled")]),
        5: (False, [("area_of_interest", "mail_answer_missing"), ("email", "mail_sender_taken")]),
        6: (False, [("email", "mail_other_sender")]),
    }


def test_labels_are_read_in_both_languages_and_short() -> None:
    rows = by_number(MAILS)
    assert rows[2].values.communities == ("wellness-courts", "indigenous-courts")
    assert rows[2].values.affiliation == "Territorial Court of Yukon"
    french = rows[3].values
    assert (french.name, french.language) == ("Étienne Gagné", "fr")
    assert french.communities == ("drug-treatment-court",)
    assert french.occupation_code == "crown_prosecutor"
    assert (rows[1].values.name, rows[1].values.language) == ("Siobhán O'Neill", "en")


def test_a_mail_that_answers_below_a_quotation_is_read_without_it() -> None:
    said = by_number(MAILS)[6].values
    assert (said.name, said.occupation) == ("Dakota Cardinal", "Justice of the Peace")
    assert said.communities == ("judicial-roundtable", "indigenous-courts")


def test_a_mail_keeps_its_id_and_its_text_for_the_person_who_handles_it() -> None:
    row = by_number(MAILS)[4]
    said = dict(zip(mailboxes.HEADINGS, row.raw, strict=True))
    assert said["message_id"] == "4@example.com"
    assert (said["subject"], said["sender"]) == ("joining", "sender4@example.com")
    assert said["sent_at"] == "2026-10-09T10:00:00-04:00"
    assert "the judges' group please. Regards, Ruth Fraser, Provincial Court" in said["text"]


def mailbox(path: Path, body: str | bytes, head: str = "Content-Type: text/plain") -> ReadRow:
    """The one mail of a mailbox, as it is read."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8")
    top = f"From a@b.ca Mon Oct  5 10:00:00 2026\nFrom: Ann <ann@example.org>\n{head}\n\n"
    path.write_bytes(top.encode("ascii") + raw)
    (row,) = read(path)
    return row


HTML = (
    "<style>p { name: x }</style><table><tr><td>Your name</td><td>Ann &amp; Lee</td></tr>"
    "<tr><td><b>Community of Practice:</b></td><td>DTC</td></tr></table>"
    "<p>Occupation: Judge<br>Affiliation: A<script>Occupation: no</script></p>"
    "<blockquote>Area of interest: old</blockquote>"
)


def test_a_mail_of_html_alone_is_read(file: Path) -> None:
    said = mailbox(file, HTML, "Content-Type: text/html; charset=utf-8").values
    assert (said.name, said.communities) == ("Ann & Lee", ("drug-treatment-court",))
    assert (said.occupation, said.affiliation) == ("Judge", "A")
    assert said.area_of_interest is None


def test_a_mail_in_base64_and_latin_1_is_read(file: Path) -> None:
    head = "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: base64"
    body = base64.encodebytes("Nom : Zoé\nCommunauté : DTC\n".encode("latin-1"))
    assert mailbox(file, body, head).values.name == "Zoé"


@pytest.mark.parametrize(
    "earlier",
    ["-----Original Message-----", "----- Message d'origine -----", "________________", "-- "],
)
def test_what_was_written_before_is_not_read(file: Path, earlier: str) -> None:
    row = mailbox(file, f"Name: Ann\nCP: DTC\n{earlier}\nOccupation: Judge\n")
    assert (row.values.name, row.values.occupation) == ("Ann", None)


def test_an_answer_may_stand_below_its_label(file: Path) -> None:
    row = mailbox(file, "Name:\nAnn Lee\nCP:\nDTC\nOccupation:\n\nJudge\n")
    assert (row.values.name, row.values.communities) == ("Ann Lee", ("drug-treatment-court",))
    assert row.values.occupation is None


def test_a_mail_does_not_end_where_a_line_begins_with_from(file: Path) -> None:
    row = mailbox(file, "Name: Ann\n\nFrom now on\n>From here in 2026\nCP: DTC\n")
    assert row.values.communities == ("drug-treatment-court",)


@pytest.mark.parametrize(
    "body",
    [
        "<" * 200_000,
        "<br " * 60_000,
        "<!--" * 60_000,
        "<script>" * 30_000,
        "Name" + " -" * 100_000,
        "&#" * 100_000,
        "a\n" * 100_000,
    ],
)
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_no_mail_keeps_its_reader_busy(file: Path, body: str, kind: str) -> None:
    row = mailbox(file, body, f"Content-Type: text/{kind}; charset=x-unknown")
    assert row.refused
    assert set(codes(row)) & {(None, "mail_unlabelled"), ("name", "text_too_long")}


def test_mails_that_are_malformed_are_left_to_a_person(file: Path) -> None:
    nested = "".join(
        f'Content-Type: multipart/mixed; boundary="b{index}"\n\n--b{index}\n'
        for index in range(2_000)
    )
    for head in ("Content-Type: multipart/mixed", "Date: never\nSubject: =?x?q?", nested[:-1]):
        row = mailbox(file, "nothing\n", head)
        assert row.refused
        assert codes(row)[0][1] in ("mail_unlabelled", "mail_unreadable")


def test_an_attachment_of_megabytes_costs_nothing(file: Path) -> None:
    head = 'Content-Type: multipart/mixed; boundary="b"'
    body = "--b\n\nName: Ann\nCP: DTC\n\n--b\nContent-Type: image/png\n\n" + "x\n" * 3_000_000
    assert mailbox(file, body, head).values.name == "Ann"


# People who stand there twice


def test_one_community_on_each_row_adds_up_with_days_of_their_own(file: Path) -> None:
    table(
        file,
        "Ann Lee,ann@example.org,DTC,Judge,2020-01-01,7,Active,",
        "Lee Ann,Ann@Example.org,Wellness Courts,Judge,2021-01-01,7,Active,",
        "Ann Lee,ann@example.org,DTC,,2020-01-01,,,",
    )
    first, second, third = read(file)
    assert [row.adds_to for row in (first, second, third)] == [None, 2, 2]
    assert (second.values.communities, third.values.communities) == (("wellness-courts",), ())
    assert str(second.values.since_on) == "2021-01-01"
    assert [codes(row) for row in (first, second, third)] == [[], [], []]


def test_what_differs_about_the_same_community_is_noted(file: Path) -> None:
    table(
        file,
        "Ann Lee,ann@example.org,DTC,Judge,2020-01-01,7,Active,",
        "Ann Lee,ann@example.org,DTC,Nurse,2021-01-01,7,Lapsed,",
    )
    second = read(file)[1]
    assert not second.refused
    assert codes(second) == [
        ("Occupation", "differs_from_row"),
        ("Since", "differs_from_row"),
        ("Status", "differs_from_row"),
    ]


def test_one_number_for_two_addresses_is_refused_the_second_time(file: Path) -> None:
    table(
        file,
        "Ann Lee,ann@example.org,DTC,,,7,,",
        "Bob Roy,bob@example.org,DTC,,,7,,",
        "Cy Fay,cy@example.org,DTC,,,8,,",
    )
    rows = read(file)
    assert [codes(row) for row in rows] == [[], [("Member number", "external_id_of_another")], []]
    assert rows[1].findings[0].facts == {"row": 2}


def test_a_row_that_is_refused_by_itself_claims_no_address(file: Path) -> None:
    table(file, "Ann,ann@example.org,DTC,,31 Feb 2020,,,", "Bob,ann@example.org,DTC,,,,,")
    assert [row.refused for row in read(file)] == [True, False]


# Shapes


def test_columns_of_yes_and_no_name_communities(file: Path) -> None:
    table(
        file,
        "Ann,ann@example.org,x,",
        "Bob,bob@example.org,yes,Oui",
        "Cy,cy@example.org,no,perhaps",
        headings="Name,Email,Drug Treatment Court,Wellness Courts",
    )
    ann, bob, cy = read(file)
    assert ann.values.communities == ("drug-treatment-court",)
    assert bob.values.communities == ("drug-treatment-court", "wellness-courts")
    assert codes(cy) == [
        ("Wellness Courts", "yes_no_invalid"),
        (None, "communities_required"),
    ]


def test_an_import_into_one_community_takes_rows_that_name_none(file: Path) -> None:
    table(file, "Ann,ann@example.org", headings="Name,Email")
    chosen = MembershipMapping.model_validate({"columns": {"Name": "name", "Email": "email"}})
    (row,) = read(file, chosen, community="wellness-courts")
    assert row.values.communities == ("wellness-courts",)
    assert codes(read(file, chosen)[0]) == [(None, "communities_required")]


def test_an_ambiguous_community_is_a_note_with_its_candidates(file: Path) -> None:
    table(file, 'Ann,ann@example.org,"IC, DTC"', headings="Name,Email,Groups")
    (row,) = read(file)
    assert row.values.communities == ("drug-treatment-court",)
    assert (row.refused, row.whole) == (False, False)
    assert row.findings[0].facts == {
        "candidates": "indigenous-courts, integrated-court",
        "position": 1,
    }


def test_a_row_of_which_no_community_is_recognised_is_refused(file: Path) -> None:
    table(file, "Ann,ann@example.org,IC", headings="Name,Email,Groups")
    assert codes(read(file)[0]) == [
        ("Groups", "community_ambiguous"),
        ("Groups", "communities_none_known"),
    ]


def test_a_list_in_json_names_communities_one_by_one(file: Path) -> None:
    file.write_text(
        '[{"name": "Ann", "email": "a@example.org", "communities": ["DTC", "Wellness"]}]'
    )
    assert read(file)[0].values.communities == ("drug-treatment-court", "wellness-courts")


def test_days_are_in_order_and_may_lie_ahead(file: Path) -> None:
    table(
        file,
        "Ann,ann@example.org,DTC,,2199-01-01,,,2199-12-31",
        "Bob,bob@example.org,DTC,,2024-01-02,,,2024-01-01",
        "Cy,cy@example.org,DTC,,,,,NEVER",
    )
    ann, bob, cy = read(file)
    assert codes(ann) == [] and str(ann.values.until_on) == "2199-12-31"
    assert codes(bob) == [("Until", "day_before_start")]
    assert (codes(cy), cy.values.until_on) == ([], None)


def test_all_that_is_wrong_with_a_row_is_said_at_once(file: Path) -> None:
    table(file, "12 Main St,nobody,Bowling,,03/04/2024,,Purple,2 Mar 24")
    assert {code for _, code in codes(read(file)[0])} == {
        *("name_not_a_name", "email_invalid", "community_unknown", "communities_none_known"),
        *("day_ambiguous", "status_unknown", "day_year_short"),
    }
