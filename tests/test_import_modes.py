"""What an import may do to what is there: add, update, fill in, bring into step."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.models import Activity, Membership, Person
from tests.answers import ok
from tests.cast import DTC, WELLNESS, Api, Someone, day, on
from tests.importing import applied, ask, csv_of, done, outcomes, planned, rows_of, send
from tests.machines import machine_of, partner_of

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
    row = "anna@example.org,Anna Addo,{},,{},,,{}".format
    for said, outcome in (
        (row(DTC, "2020-01-01", ""), "created"),
        (row(DTC, "2018-01-01", ""), "changed"),
        (row(DTC, "", "Lapsed"), "ended"),
    ):
        file = csv_of(said, headings=MEMBER)
        job = await applied(staff, file, mode="update", source="club", most_ended=100)
        assert await outcomes(staff, job) == [(outcome, [])]
    assert await running(api, "anna@example.org") == []


@pytest.mark.parametrize("last", [0, 30])
async def test_a_last_day_is_set_by_its_source_or_for_the_association_as_a_whole(
    api: Api, last: int
) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    secretary = await api.leader("Sam Secretary", "secretary")
    rows = (
        f"{mia.email},Mia Member,{DTC},,,{{0}},,",
        f"anna@example.org,Anna Addo,{DTC},,,{{0}},,",
    )
    open_ended, file = (csv_of(*rows, headings=MEMBER).format(on) for on in ("", day(last)))
    await applied(staff, open_ended, mode="sync", source="club")
    kept = ("unchanged", ["membership_of_other_origin"])
    for mode in ("update", "sync"):
        job = await applied(secretary, file, community=DTC, mode=mode, source="club")
        assert await outcomes(secretary, job) == [kept, kept]
    job = await applied(staff, file, mode="sync", source="club")
    assert await outcomes(staff, job) == [kept, ("changed", [])]
    assert [one.until_on for one in await running(api, mia.email)] == [None]
    job = await applied(staff, file, mode="update", source="club")
    assert await outcomes(staff, job) == [("changed", []), ("unchanged", [])]
    for email in (mia.email, "anna@example.org"):
        assert [one.until_on.isoformat() for one in await running(api, email)] == [day(last)]


# Earlier memberships


async def belonged(staff: Someone, *days: int) -> list[int]:
    """How often Anna stands on the rosters of these days."""
    path, counts = f"/communities/{DTC}/memberships", []
    for offset in days:
        listed = ok(await staff.get(path, params={"as_of": day(offset), "q": "Anna"}))
        counts.append(len(listed["items"]))
    return counts


def anna(since: int | None, until: int | None = None) -> str:
    first, last = ("" if one is None else day(one) for one in (since, until))
    return csv_of(f"anna@example.org,Anna Addo,{DTC},,{first},{last},,", headings=MEMBER)


async def test_who_comes_back_belongs_from_the_day_on_which_the_earlier_membership_ended(
    api: Api,
) -> None:
    staff = await api.staff()
    ben = csv_of(f"ben@example.org,Ben Bay,{DTC},,,,,", headings=MEMBER)
    told = {"mode": "sync", "source": "club", "most_ended": 100}
    for file in (anna(-50), ben):
        await applied(staff, file, **told)
    for outcome in ("created", "unchanged"):
        job = await applied(staff, anna(-50), **told)
        assert (await outcomes(staff, job))[0] == (outcome, ["days_of_earlier"])
    assert await belonged(staff, -51, -50, -1, 0) == [0, 1, 1, 1]
    (found,) = await running(api, "anna@example.org")
    assert found.since_on.isoformat() == day(0)


@pytest.mark.parametrize("mode", ["add", "update"])
async def test_what_ended_by_the_calendar_is_not_begun_over_again(api: Api, mode: str) -> None:
    staff = await api.staff()
    await applied(staff, anna(-50, -5), source="club")
    job = await applied(staff, anna(-70), mode=mode, source="club")
    assert await outcomes(staff, job) == [("created", ["days_of_earlier"])]
    assert await belonged(staff, -70, -51, -50, -5, -4, 0) == [0, 0, 1, 1, 1, 1]
    job = await applied(staff, anna(-70), mode=mode, source="club")
    told = [] if mode == "add" else ["days_of_earlier"]
    assert await outcomes(staff, job) == [("unchanged", told)]


async def test_the_first_day_of_a_running_membership_moves_up_to_the_earlier_one(api: Api) -> None:
    staff = await api.staff()
    for since, until in ((-50, -40), (-10, None)):
        await applied(staff, anna(since, until), source="club")
    for outcome in ("changed", "unchanged"):
        job = await applied(staff, anna(-45), mode="update", source="club")
        assert await outcomes(staff, job) == [(outcome, ["days_of_earlier"])]
    assert await belonged(staff, -51, -50, -40, -39, -11, 0) == [0, 1, 1, 1, 1, 1]


async def test_history_is_kept_of_the_days_that_no_other_history_has(api: Api) -> None:
    staff = await api.staff()
    for since, until, outcome, codes in (
        (-50, -20, "created", []),
        (-60, -40, "unchanged", ["days_of_earlier"]),
        (None, -30, "unchanged", ["days_of_earlier"]),
        (-30, -10, "created", ["days_of_earlier"]),
        (-30, -10, "unchanged", ["days_of_earlier"]),
        (-90, -60, "created", []),
        (-90, -60, "unchanged", []),
    ):
        job = await applied(staff, anna(since, until), source="club")
        assert await outcomes(staff, job) == [(outcome, codes)], (since, until)
    days = (-91, -90, -60, -59, -51, -50, -20, -19, -10, -9)
    assert await belonged(staff, *days) == [0, 1, 1, 0, 0, 1, 1, 1, 1, 0]


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
    assert f"ben Addo in {DTC}" in row["findings"][0]["detail"]["en"]
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


# Between the plan and its application


async def test_whoever_takes_a_seat_after_the_plan_is_not_ended_by_it(api: Api) -> None:
    staff = await api.staff()
    await synced(staff, people("anna", "ben"))
    job = await planned(staff, people("ben"), mode="sync", source="club", most_ended=100)
    anna = await line_of(api, "anna@example.org")
    await api.hold(Someone(api, anna.id, "anna Addo", anna.email, "", anna.id), "chair")
    job = await done(staff, job, "application")
    assert job["counts"]["ended"] == 0
    assert len(await running(api, "anna@example.org")) == 1


async def test_a_plan_ends_nothing_where_whoever_applies_it_may_not_import(api: Api) -> None:
    staff = await api.staff()
    machine = await machine_of(staff, await partner_of(staff, "memberships:import"))
    rows = [f"{name}@example.org,{name} Addo,{DTC};{WELLNESS}" for name in ("anna", "ben")]
    await synced(machine, csv_of(*rows))
    job = await planned(machine, csv_of(rows[0]), mode="sync", source="club", most_ended=100)
    assert job["counts"]["ended"] == 2
    assert (await staff.patch(f"/communities/{WELLNESS}", {"listed": False})).status_code == 200
    job = await done(machine, job, "application")
    ended = [row["state"] for row in await rows_of(machine, job, outcome="ended")]
    assert ended == ["applied"]
    assert await running(api, "ben@example.org") != []


async def test_the_limit_on_endings_counts_what_runs_and_not_what_is_over(api: Api) -> None:
    staff = await api.staff()
    await synced(staff, people("anna", "ben", "cy"))
    cy = await line_of(api, "cy@example.org")
    (over,) = await api.read(sa.select(Membership.id).where(col(Membership.person_id) == cy.id))
    await api.change(Membership, over.id, since_on=on(-50), until_on=on(-5))
    job = await planned(staff, people("anna"), mode="sync", source="club")
    assert (job["endings"]["planned"], job["endings"]["running"]) == (1, 2)


async def test_the_first_day_under_a_seat_stays(api: Api) -> None:
    staff, days = await api.staff(), "email,name,communities,since_on"
    file = csv_of(f"anna@example.org,anna Addo,{DTC},{day(-50)}", headings=days)
    await applied(staff, file, source="club")
    anna = await line_of(api, "anna@example.org")
    await api.hold(Someone(api, anna.id, "anna Addo", anna.email, "", anna.id), "chair")
    moved = csv_of(f"anna@example.org,anna Addo,{DTC},{day(-10)}", headings=days)
    job = await applied(staff, moved, source="club", mode="update")
    assert await outcomes(staff, job) == [("unchanged", ["since_not_changed"])]


async def test_a_membership_that_runs_is_not_put_off(api: Api) -> None:
    staff, days = await api.staff(), "email,name,communities,since_on"
    for since, told in ((-50, []), (9, ["since_not_changed"])):
        file = csv_of(f"anna@example.org,anna Addo,{DTC},{day(since)}", headings=days)
        job = await applied(staff, file, source="club", mode="update")
        assert (await outcomes(staff, job))[0][1] == told
    assert len(await running(api, "anna@example.org")) == 1


async def test_the_category_of_a_membership_that_runs_is_changed_whatever_its_days(
    api: Api,
) -> None:
    staff, days = await api.staff(), "email,name,communities,since_on,until_on,category"
    for category, outcome in (("academic", "created"), ("observer", "changed")):
        row = f"anna@example.org,anna Addo,{DTC},{day(-50)},{day(9)},{category}"
        job = await applied(staff, csv_of(row, headings=days), source="club", mode="update")
        assert await outcomes(staff, job) == [(outcome, [])]


async def test_a_plan_says_what_it_would_overwrite(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    secretary = await api.leader("Sam Secretary", "secretary")
    file = csv_of(
        f"{mia.email},Mia Member,{DTC},Judge,observer,{day(9)}",
        f"new@example.org,Nadia New,{DTC},Judge,observer,",
        headings="email,name,communities,occupation,category,until_on",
    )
    place = str(await api.community_id())
    observer = {"community_id": place, "member": "category", "to": "observer"}
    until = {"community_id": place, "member": "until_on", "to": day(9)}
    judge = {"community_id": None, "member": "occupation", "to": "Judge"}
    for by, community, told in (
        (secretary, DTC, [observer]),
        (staff, None, [judge, observer, until]),
    ):
        job = await planned(by, file, mode="update", community=community)
        mine, new = await rows_of(by, job)
        assert (mine["outcome"], new["outcome"]) == ("changed", "created")
        assert [one for one in mine["changes"] if one["member"] != "occupation_code"] == told
        assert new["changes"] == []
