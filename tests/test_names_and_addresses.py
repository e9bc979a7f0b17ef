"""Names and addresses that look like somebody else's, and text with what nobody sees."""

import unicodedata

import pytest

from tests.answers import wrong
from tests.cast import DTC, PASSWORD, Api
from tests.forms import asked, stored

DISGUISES = {
    "NUL": "Ann\x00Lee",
    "a bell": "Ann\x07Lee",
    "an escape sequence": "Ann\x1b[31mLee",
    "a C1 control": "Ann\x9bLee",
    "a line break": "Ann\nLee",
    "a carriage return": "Ann\rLee",
    "a line separator": "Ann\u2028Lee",
    "right-to-left override": "Ann\u202eeeL",
    "left-to-right override": "Ann\u202dLee",
    "an isolate": "Ann\u2066Lee",
    "a right-to-left mark": "Ann\u200fLee",
    "an Arabic letter mark": "Ann\u061cLee",
    "a zero-width space": "Ann\u200bLee",
    "a zero-width joiner": "Ann\u200dLee",
    "a soft hyphen": "Ann\u00adLee",
    "a word joiner": "Ann\u2060Lee",
    "a byte order mark": "Ann\ufeffLee",
    "a Hangul filler": "Ann\u3164Lee",
    "a tag character": "Ann\U000e0041Lee",
    "a variation selector": "Ann\ufe0fLee",
    "a noncharacter": "Ann\uffffLee",
    "a noncharacter beyond the first plane": "Ann\U0001fffeLee",
    "a private character": "Ann\ue000Lee",
}


@pytest.mark.parametrize("name", DISGUISES.values(), ids=DISGUISES.keys())
async def test_a_name_with_what_nobody_sees_is_refused(sqlite_api: Api, name: str) -> None:
    assert wrong(await asked(sqlite_api, name=name)) == [("/name", "text_control_characters")]
    assert await stored(sqlite_api) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  Siobhan   O'Neill ", "Siobhan O'Neill"),
        ("Zoe\u0308 Le\u0301ger", "Zoë Léger"),
        ("Ọlá Kẹ́hìndé", unicodedata.normalize("NFC", "Ọlá Kẹ́hìndé")),
        ("מִרְיָם", unicodedata.normalize("NFC", "מִרְיָם")),
        ("Ann\u00a0Lee", "Ann Lee"),
        ("李小龍 🐉", "李小龍 🐉"),
        ("Ada 👩\u200d⚖\ufe0f", "Ada 👩\u200d⚖\ufe0f"),
        ("ශ්\u200dරී", "ශ්\u200dරී"),
        ("علی\u200cرضا", "علی\u200cرضا"),
    ],
)
async def test_a_name_is_kept_trimmed_and_composed(api: Api, name: str, kept: str) -> None:
    assert (await asked(api, name=name)).status_code == 202
    assert [row.name for row in await stored(api)] == [kept]


async def test_prose_may_have_lines_and_no_other_control(api: Api) -> None:
    chair = await api.leader("Claire Chair", "chair")
    started = await api.discussion(chair, body="One\r\nTwo\rThree\n\tFour ")
    assert started["opening_post"]["body"] == "One\nTwo\nThree\n\tFour"
    for bad in ("a\x00b", "a\x1bb", "a\u202eb", "a\u2028b", "a\ufdd0b"):
        body = {"title": "Title", "body": bad, "tags": [], "language": "en"}
        answer = await chair.post(f"/communities/{DTC}/discussions", body)
        assert wrong(answer) == [("/body", "text_control_characters")]


# Addresses


@pytest.mark.parametrize(
    "email",
    [
        "ｖictim@example.org",
        "ſtaff@example.org",
        "ﬁona@example.org",
        "staff@ｅxample.org",
        "sta\u200bff@example.org",
        "staff@example.org\u202e",
        "staff\x00@example.org",
        "staff@example.org\nBcc: all@example.org",
        "Staff <staff@example.org>",
        "staff@example.org, other@example.org",
        "staff@[127.0.0.1]",
        "staff@localhost",
        "staff",
        "@example.org",
        "staff@@example.org",
        '"staff"@example.org',
        f"{'a' * 250}@example.org",
        "",
    ],
)
async def test_an_address_that_is_none_or_looks_like_somebody_elses_is_refused(
    sqlite_api: Api, email: str
) -> None:
    ((pointer, code),) = wrong(await asked(sqlite_api, email=email))
    assert pointer == "/email"
    assert code in ("email_invalid", "text_control_characters")
    for path in ("password-resets", "sign-in-links", "email-verifications"):
        assert (await sqlite_api.post(f"/auth/{path}", {"email": email})).status_code == 422


async def test_two_spellings_of_one_address_are_one_address(api: Api) -> None:
    for email in ("Siobhan.ONeill@Example.ORG", " siobhan.oneill@example.org "):
        assert (await asked(api, email=email)).status_code == 202
    assert {row.email_key for row in await stored(api)} == {"siobhan.oneill@example.org"}
    assert {row.email for row in await stored(api)} == {
        "Siobhan.ONeill@example.org",  # as it was typed
        "siobhan.oneill@example.org",
    }


async def test_one_signs_in_by_any_spelling_of_the_address(api: Api) -> None:
    person = await api.person("Petra Person")
    for username in (person.email, person.email.upper(), f"  {person.email} "):
        asked = {"grant_type": "password", "username": username, "password": PASSWORD}
        assert (await api.post("/auth/tokens", asked)).status_code == 200, username


async def test_the_two_forms_of_an_international_domain_are_one(api: Api) -> None:
    for email in ("zoe@exämple.org", "zoe@xn--exmple-cua.org"):
        assert (await asked(api, email=email)).status_code == 202
    assert len({row.email_key for row in await stored(api)}) == 1
