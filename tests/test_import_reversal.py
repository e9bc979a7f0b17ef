"""Undoing an import: precisely what it did, where nothing has been built on it since."""

import sqlalchemy as sa
from sqlmodel import col

from app.models import Activity, Membership, MembershipSource, Person, PersonSource
from tests.cast import DTC, PASSWORD, WELLNESS, Api, Someone, mail_to, token_in
from tests.importing import applied, ask, csv_of, done, outcomes, rows_of

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
