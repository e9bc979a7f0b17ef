"""Undoing an import: precisely what it did, where nothing has been built on it since."""

import sqlalchemy as sa
from sqlmodel import col

from app.models import (
    Activity,
    Community,
    EligibilityVerification,
    Membership,
    MembershipSource,
    Person,
    PersonSource,
)
from tests.cast import (
    DTC,
    PASSWORD,
    ROUNDTABLE,
    WELLNESS,
    Api,
    Someone,
    day,
    mail_to,
    on,
    token_in,
)
from tests.importing import applied, ask, csv_of, done, outcomes, rows_of
from tests.test_import_eligibility import verified

MEMBER = "email,name,communities,occupation,category,since_on,member id,status"


async def everything(api: Api) -> list[list[tuple[object, ...]]]:
    """All that an import can change, but for the log and for versions."""
    found = []
    for model, left_out in (
        (Person, {"updated_at", "version"}),
        (Membership, {"updated_at", "version"}),
        (MembershipSource, set()),
        (PersonSource, set()),
    ):
        columns = [c for c in sa.inspect(model).columns if c.key not in left_out]
        rows = await api.read(sa.select(*columns).order_by(columns[0]))
        found.append([tuple(row) for row in rows])
    return found


async def test_an_import_is_undone_and_can_be_applied_again(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    first = csv_of(f"cy@example.org,Cy Cole,{DTC},,,,1,", headings=MEMBER)
    await applied(staff, first, source="club")
    before = await everything(api)
    file = csv_of(
        f"anna@example.org,Anna Addo,{DTC};{WELLNESS},Judge,academic,2020-01-01,7,",
        f"{mia.email},Mia Member,{DTC},Judge,observer,,8,",
        f"cy@example.org,Cy Cole,{DTC},,,,1,Lapsed",
        headings=MEMBER,
    )
    job = await applied(staff, file, source="club", mode="update", most_ended=100)
    assert [one[0] for one in await outcomes(staff, job)] == ["created", "changed", "ended"]
    job = await done(staff, job, "reversal")
    assert (job["status"], job["counts"]["kept"]) == ("reversed", 0)
    assert {row["state"] for row in await rows_of(staff, job)} == {"reversed"}
    assert await everything(api) == before
    job = await done(staff, job, "application", allow_more_endings=True)
    assert job["status"] == "applied"
    assert [one[0] for one in await outcomes(staff, job)] == ["created", "changed", "ended"]
    assert await everything(api) != before


async def test_what_was_built_upon_stays_and_its_row_says_so(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    file = csv_of(
        f"anna@example.org,Anna Addo,{DTC},,,,,",
        f"ben@example.org,Ben Bay,{DTC},,,,,",
        f"{mia.email},Mia Member,{WELLNESS},Judge,,,,",
        headings=MEMBER,
    )
    job = await applied(staff, file, mode="update", invite="true")
    chosen = token_in(mail_to(await api.work_off(), "anna@example.org"))
    body = {"token": chosen, "password": PASSWORD}
    assert (await api.post("/auth/password-resets/confirmation", body)).status_code == 204
    assert (await mia.patch("/me", {"affiliation": "Another court"})).status_code == 200
    job = await done(staff, job, "reversal")
    assert (job["status"], job["counts"]["kept"]) == ("reversed", 2)
    rows = await rows_of(staff, job)
    assert [(row["state"], [one["code"] for one in row["findings"]]) for row in rows] == [
        ("kept", ["account_in_use"]),
        ("reversed", []),
        ("kept", ["account_changed_since"]),
    ]
    left = await api.read(
        sa.select(Person.name, Person.occupation)
        .where(col(Person.email).in_(["anna@example.org", "ben@example.org", mia.email]))
        .order_by(Person.name)
    )
    assert [tuple(row) for row in left] == [("Anna Addo", None), ("Mia Member", "Judge")]


async def test_a_membership_that_carries_a_seat_is_not_taken_back(api: Api) -> None:
    staff = await api.staff()
    job = await applied(staff, csv_of(f"anna@example.org,Anna Addo,{DTC}"))
    (anna,) = await api.read(
        sa.select(Person.id, Person.email).where(col(Person.email) == "anna@example.org")
    )
    await api.hold(Someone(api, anna.id, "Anna Addo", anna.email, "", anna.id), "chair")
    job = await done(staff, job, "reversal")
    assert await outcomes(staff, job) == [("created", ["membership_in_use", "account_in_use"])]
    assert len((await staff.get(f"/communities/{DTC}/memberships")).json()["items"]) == 1


async def test_what_was_done_until_it_was_called_off_can_be_undone(api: Api) -> None:
    staff = await api.staff()
    job = await applied(staff, csv_of(f"anna@example.org,Anna Addo,{DTC}"))
    again = await ask(staff, job, "application")
    assert again.json()["import_status"] == "applied"
    job = await done(staff, job, "reversal")
    twice = await ask(staff, job, "reversal")
    assert twice.json()["import_status"] == "reversed"
    undone = sa.select(Activity.kind).where(col(Activity.kind).like("%.import_undone"))
    kinds = sorted(row.kind for row in await api.read(undone))
    assert kinds == ["account.import_undone", "membership.import_undone"]


DAYS = "email,name,communities,since_on,until_on"


async def brought(api: Api, address: str) -> Someone:
    """Somebody whom a file has brought, with their memberships."""
    (row,) = await api.read(
        sa.select(Person.id, Person.name, Person.email).where(col(Person.email) == address)
    )
    someone = Someone(api, row.id, row.name, row.email, "", row.id)
    rows = await api.read(
        sa.select(Membership.id, Community.slug)
        .join(Community, col(Community.id) == Membership.community_id)
        .where(col(Membership.person_id) == row.id)
        .order_by(col(Membership.id))
    )
    someone.memberships.update({row.slug: row.id for row in rows})
    return someone


async def test_the_last_day_under_a_seat_is_not_put_back(api: Api) -> None:
    staff = await api.staff()
    for until, mode in ((10, "add"), (400, "update")):
        file = csv_of(f"a@example.org,Ann Addo,{DTC},{day(-30)},{day(until)}", headings=DAYS)
        job = await applied(staff, file, source="club", mode=mode)
    ann = await brought(api, "a@example.org")
    await api.hold(ann, "chair")
    job = await done(staff, job, "reversal")
    assert await outcomes(staff, job) == [("changed", ["membership_in_use"])]
    (row,) = await api.read(sa.select(Membership.until_on))
    assert row.until_on == on(400)


async def test_what_a_leader_has_changed_since_stays_and_the_source_still_knows_whose_it_is(
    api: Api,
) -> None:
    staff = await api.staff()
    numbered = "email,name,communities,external_id"
    file = csv_of(f"a@example.org,Ann Addo,{DTC},7", headings=numbered)
    job = await applied(staff, file, source="club")
    ann = await brought(api, "a@example.org")
    path = f"/memberships/{ann.memberships[DTC]}"
    assert (await staff.patch(path, {"category": "academic"})).status_code == 200
    job = await done(staff, job, "reversal")
    codes = ["membership_changed_since", "account_in_use"]
    assert await outcomes(staff, job) == [("created", codes)]
    assert (await staff.get(path)).json()["category"] == "academic"
    moved = csv_of(f"new@example.org,Ann Addo,{DTC},7", headings=numbered)
    job = await applied(staff, moved, source="club", mode="sync", most_ended=100)
    assert await outcomes(staff, job) == [("unchanged", ["address_not_changed"])]


async def test_the_source_still_knows_of_whom_something_of_it_is_left(api: Api) -> None:
    secretary = await api.leader("Sam Secretary", "secretary")
    days = f"{DAYS},external_id"
    jobs = []
    for since, until in ((day(-50), day(-40)), (day(-30), "")):
        file = csv_of(f"a@example.org,Ann Addo,{DTC},{since},{until},7", headings=days)
        jobs.append(await applied(secretary, file, source="club", community=DTC))
    await done(secretary, jobs[0], "reversal")
    assert len(await api.read(sa.select(PersonSource.id))) == 1


async def test_whoever_came_back_since_stays_as_they_came_back(api: Api) -> None:
    staff = await api.staff()
    await applied(staff, csv_of(f"a@example.org,Ann Addo,{DTC}"), source="club")
    job = await applied(
        staff,
        csv_of(f"a@example.org,Ann Addo,{DTC},Lapsed", headings="email,name,communities,status"),
        source="club",
        mode="update",
        most_ended=100,
    )
    await api.join(await brought(api, "a@example.org"))
    job = await done(staff, job, "reversal")
    assert await outcomes(staff, job) == [("ended", ["member_again_since"])]
    ended = await api.read(sa.select(Membership.ended_at).order_by(col(Membership.id)))
    assert [row.ended_at is None for row in ended] == [False, True]


async def test_what_was_verified_of_an_address_stays_with_an_account_that_stays(api: Api) -> None:
    staff = await api.staff()
    await verified(api, "vic@example.org", await api.staff("Otis Other"))
    job = await applied(staff, csv_of(f"vic@example.org,Vic V,{ROUNDTABLE}"))
    vic = await brought(api, "vic@example.org")
    path = f"/memberships/{vic.memberships[ROUNDTABLE]}"
    assert (await staff.patch(path, {"category": "academic"})).status_code == 200
    await done(staff, job, "reversal")
    (row,) = await api.read(sa.select(EligibilityVerification.person_id))
    assert row.person_id == vic.id


async def test_the_source_still_knows_whose_an_account_is_that_somebody_uses(api: Api) -> None:
    staff = await api.staff()
    numbered = "email,name,communities,external_id"
    file = csv_of(f"anna@example.org,Anna Addo,{DTC},7", headings=numbered)
    job = await applied(staff, file, source="club", invite="true")
    chosen = token_in(mail_to(await api.work_off(), "anna@example.org"))
    body = {"token": chosen, "password": PASSWORD}
    assert (await api.post("/auth/password-resets/confirmation", body)).status_code == 204
    job = await done(staff, job, "reversal")
    assert await outcomes(staff, job) == [("created", ["account_in_use"])]
    assert len(await api.read(sa.select(PersonSource.id))) == 1


async def test_what_stayed_is_not_passed_over_when_the_rest_is_applied_again(api: Api) -> None:
    staff = await api.staff()
    rows = [f"{name}@example.org,{name} Addo,{DTC}" for name in ("anna", "ben")]
    job = await applied(staff, csv_of(*rows), invite="true")
    chosen = token_in(mail_to(await api.work_off(), "anna@example.org"))
    body = {"token": chosen, "password": PASSWORD}
    assert (await api.post("/auth/password-resets/confirmation", body)).status_code == 204
    job = await done(staff, job, "reversal")
    assert job["counts"]["kept"] == 1
    job = await done(staff, job, "application")
    assert await outcomes(staff, job) == [("refused", ["changed_since_plan"]), ("created", [])]
    job = await applied(staff, csv_of(*rows))
    assert await outcomes(staff, job) == [("created", []), ("unchanged", [])]
