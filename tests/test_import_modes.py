"""What an import may do to what is there: add, update, fill in, bring into step."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.models import Activity, Membership, Person
from tests.cast import DTC, WELLNESS, Api, Someone, day
from tests.importing import applied, ask, csv_of, done, outcomes, planned, rows_of, send

PERSON = "email,name,communities,occupation,affiliation"
MEMBER = "email,name,communities,category,since_on,until_on,member id,status"


async def line_of(api: Api, email: str) -> Any:
    """Somebody's identity line as it stands."""
    (row,) = await api.read(
        sa.select(
            Person.id, Person.name, Person.occupation, Person.affiliation, Person.email
        ).where(col(Person.email) == email)
    )
    return row


async def running(api: Api, email: str) -> list[Any]:
    """The memberships of somebody that nobody has ended."""
    return await api.read(
        sa.select(Membership.id, Membership.category, Membership.since_on, Membership.until_on)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(col(Person.email) == email, col(Membership.ended_at).is_(None))
        .order_by(Membership.id)
    )


# People


@pytest.mark.parametrize(
    ("mode", "occupation", "affiliation"),
    [
        ("add", "Court coordinator", None),
        ("fill", "Court coordinator", "Legal Aid"),
        ("update", "Judge", "Legal Aid"),
    ],
)
async def test_a_mode_says_what_of_a_person_is_overwritten(
    api: Api, mode: str, occupation: str, affiliation: str | None
) -> None:
    staff = await api.staff()
    mia = await api.member("Mia Member", affiliation=None)
    file = csv_of(f"{mia.email},Mia Member,{DTC},Judge,Legal Aid", headings=PERSON)
    job = await applied(staff, file, mode=mode)
    assert await outcomes(staff, job) == [("unchanged" if mode == "add" else "changed", [])]
    found = await line_of(api, mia.email)
    assert (found.occupation, found.affiliation) == (occupation, affiliation)
    again = await applied(staff, file, mode=mode)
    assert await outcomes(staff, again) == [("unchanged", [])]


async def test_a_person_is_found_by_number_when_the_address_has_changed_there(api: Api) -> None:
    staff = await api.staff()
    first = csv_of(f"old@example.org,Anna Addo,{DTC},,,,7,", headings=MEMBER)
    await applied(staff, first, source="club")
    moved = csv_of(f"new@example.org,Anna Bay,{DTC},,,,7,", headings=MEMBER)
    job = await applied(staff, moved, source="club", mode="update")
    assert await outcomes(staff, job) == [("changed", ["address_not_changed"])]
    assert (await line_of(api, "old@example.org")).name == "Anna Bay"
    elsewhere = await planned(staff, moved, source="another club", mode="update")
    assert await outcomes(staff, elsewhere) == [("created", [])]


async def test_somebody_who_is_a_member_already_is_known_by_number_from_then_on(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    known = csv_of(f"{mia.email},Mia Member,{DTC},,,,7,", headings=MEMBER)
    assert (await applied(staff, known, source="club"))["counts"]["unchanged"] == 1
    moved = csv_of(f"elsewhere@example.org,Mia Member,{WELLNESS},,,,7,", headings=MEMBER)
    job = await applied(staff, moved, source="club")
    assert await outcomes(staff, job) == [("created", ["address_not_changed"])]
    assert len(await running(api, mia.email)) == 2


async def test_no_file_changes_how_somebody_signs_in_or_holds_a_seat(api: Api) -> None:
    staff = await api.staff()
    chair = await api.leader("Claire Chair", "chair")
    rows = (
        f"{chair.email},Claire Chair,{DTC},,,{day(-1)},,Lapsed",
        f"{chair.email},Claire Chair,{DTC},,,{day(5)},,",
    )
    for row in rows:
        job = await applied(staff, csv_of(row, headings=MEMBER), mode="update", source="club")
        assert await outcomes(staff, job) == [("unchanged", ["seat_holder_kept"])]
    (membership,) = await running(api, chair.email)
    assert membership.until_on is None
    kept = sa.select(Person.password_hash, Person.email_verified_at).where(Person.id == chair.id)
    ((password, verified),) = await api.read(kept)
    assert password is not None and verified is not None


# Memberships


async def test_update_changes_a_membership_and_add_does_not(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    file = csv_of(f"{mia.email},Mia Member,{DTC},observer,,{day(30)},,", headings=MEMBER)
    assert await outcomes(staff, await applied(staff, file)) == [("unchanged", [])]
    job = await applied(staff, file, mode="update")
    assert await outcomes(staff, job) == [("changed", [])]
    (found,) = await running(api, mia.email)
    assert (found.category, found.until_on.isoformat()) == ("observer", day(30))


async def test_only_what_a_source_brought_is_moved_to_another_first_day_or_ended(
    api: Api,
) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    older = csv_of(f"{mia.email},Mia Member,{DTC},,2010-01-01,,,", headings=MEMBER)
    job = await applied(staff, older, mode="update", source="club")
    assert await outcomes(staff, job) == [("unchanged", ["since_not_changed"])]
    lapsed = csv_of(f"{mia.email},Mia Member,{DTC},,,,,Lapsed", headings=MEMBER)
    job = await applied(staff, lapsed, mode="update", source="club")
    assert await outcomes(staff, job) == [("unchanged", ["membership_of_other_origin"])]
    anna = "anna@example.org,Anna Addo,{},,{},,,{}".format
    for said, outcome in (
        (anna(DTC, "2020-01-01", ""), "created"),
        (anna(DTC, "2018-01-01", ""), "changed"),
        (anna(DTC, "", "Lapsed"), "ended"),
    ):
        file = csv_of(said, headings=MEMBER)
        job = await applied(staff, file, mode="update", source="club", most_ended=100)
        assert await outcomes(staff, job) == [(outcome, [])]
    assert await running(api, "anna@example.org") == []


# Sync


def people(*names: str) -> str:
    return csv_of(*(f"{name}@example.org,{name} Addo,{DTC}" for name in names))


async def synced(staff: Someone, file: str, **fields: Any) -> dict[str, Any]:
    return await applied(staff, file, mode="sync", source="club", **fields)


async def test_what_a_source_brought_and_no_longer_has_is_ended(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    await synced(staff, people("anna", "ben"))
    job = await synced(staff, people("anna"), most_ended=50)
    assert job["counts"]["ended"] == 1
    (row,) = await rows_of(staff, job, outcome="ended")
    assert row["cells"] is None and row["findings"][0]["code"] == "absent_from_file"
    assert await running(api, "ben@example.org") == []
    assert await running(api, mia.email) != [] != await running(api, "anna@example.org")
    back = await synced(staff, people("anna", "ben"))
    assert back["counts"]["created"] == 1
    assert len(await running(api, "ben@example.org")) == 1
    ended = sa.select(Activity.id).where(col(Activity.kind) == "membership.import_ended")
    assert len(await api.read(ended)) == 1


async def test_more_than_was_allowed_is_not_ended_before_somebody_says_so(api: Api) -> None:
    staff = await api.staff()
    await synced(staff, people("anna", "ben", "cy"))
    job = await planned(staff, people("anna"), mode="sync", source="club", apply="true")
    assert (job["status"], job["problem"]["code"]) == ("planned", "import.endings_exceed_limit")
    assert job["endings"] == {
        "planned": 2,
        "running": 3,
        "most_ended": 10,
        "exceeded": True,
        "withheld": False,
    }
    refused = await ask(staff, job, "application")
    assert refused.json()["code"] == "import.endings_exceed_limit"
    job = await done(staff, job, "application", allow_more_endings=True)
    assert (job["status"], job["counts"]["ended"]) == ("applied", 2)


async def test_a_seat_holder_is_not_ended_by_a_files_silence(api: Api) -> None:
    staff = await api.staff()
    await synced(staff, people("anna", "ben"))
    anna = await line_of(api, "anna@example.org")
    someone = Someone(api, anna.id, "anna Addo", anna.email, "", anna.id)
    await api.hold(someone, "chair")
    job = await synced(staff, people("ben"), most_ended=100)
    assert await outcomes(staff, job) == [
        ("unchanged", []),
        ("unchanged", ["seat_holder_absent"]),
    ]
    assert len(await running(api, "anna@example.org")) == 1


async def test_the_silence_of_a_row_that_was_not_understood_ends_nothing(api: Api) -> None:
    staff = await api.staff()
    await synced(staff, csv_of(f"anna@example.org,anna Addo,{DTC};{WELLNESS}"))
    half = csv_of(f"anna@example.org,anna Addo,{DTC};Sailing club")
    assert (await synced(staff, half, most_ended=100))["counts"]["ended"] == 0
    refused = csv_of("anna@example.org,12345,Sailing club")
    assert (await synced(staff, refused, most_ended=100))["counts"]["ended"] == 0
    nobody = csv_of(f"not an address,anna Addo,{DTC}")
    job = await synced(staff, nobody, most_ended=100)
    assert (job["counts"]["ended"], job["endings"]["withheld"]) == (0, True)
    whole = csv_of(f"anna@example.org,anna Addo,{DTC}")
    assert (await synced(staff, whole, most_ended=100))["counts"]["ended"] == 1


async def test_bringing_into_step_needs_to_know_with_what(api: Api) -> None:
    staff = await api.staff()
    refused = await send(staff, people("anna"), mode="sync")
    assert (refused.status_code, refused.json()["code"]) == (422, "import.source_required")
