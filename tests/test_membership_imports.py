"""Importing memberships: a file is planned, looked at, and applied."""

import csv
import io
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.models import Activity, Agreement, Membership, MembershipImportPiece, Person
from app.services import retention
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day
from tests.importing import (
    IMPORTS,
    applied,
    ask,
    csv_of,
    done,
    now,
    outcomes,
    planned,
    rows_of,
    send,
    work_off,
)
from tests.machines import machine_of, partner_of, script_of

ANNA = f"anna@example.org,Anna Addo,{DTC}"
BEN = f"ben@example.org,Ben Bay,{WELLNESS}"
FULL = "email,name,communities,category,since_on,until_on,member id"


async def names_in(staff: Someone, community: str = DTC) -> list[str]:
    """Who belongs to a community today."""
    answer = await staff.get(f"/communities/{community}/memberships", params={"limit": 100})
    return sorted(one["person"]["name"] for one in answer.json()["items"])


async def kinds(api: Api) -> list[str]:
    """What the log says, in the order in which it happened."""
    return [row.kind for row in await api.read(sa.select(Activity.kind).order_by(Activity.id))]


# Plan, then apply


async def test_a_plan_says_what_a_file_would_do_and_writes_nothing(api: Api) -> None:
    staff = await api.staff()
    job = await planned(staff, csv_of(ANNA, BEN))
    assert (job["status"], job["counts"]["created"]) == ("planned", 2)
    assert await outcomes(staff, job) == [("created", []), ("created", [])]
    assert await api.read(sa.select(Person.id).where(col(Person.email) == "anna@example.org")) == []
    assert await names_in(staff) == []


async def test_a_plan_is_applied_when_it_is_asked_for(api: Api) -> None:
    staff = await api.staff()
    job = await done(staff, await planned(staff, csv_of(ANNA, BEN)), "application")
    assert (job["status"], job["progress"]["rows_done"]) == ("applied", 2)
    assert await names_in(staff) == ["Anna Addo"]
    assert await names_in(staff, WELLNESS) == ["Ben Bay"]


async def test_plan_and_application_can_be_one_request(api: Api) -> None:
    staff = await api.staff()
    await applied(staff, csv_of(ANNA))
    assert await names_in(staff) == ["Anna Addo"]


async def test_importing_a_file_again_changes_nothing_and_says_so(api: Api) -> None:
    staff = await api.staff()
    file = csv_of(
        f"a@example.org,Anna Addo,{DTC},academic,2020-01-01,,7",
        f"b@example.org,Ben Bay,{WELLNESS},,2019-01-01,2020-01-01,8",
        f"c@example.org,Cy Cole,{WELLNESS},,{day(10)},{day(20)},9",
        headings=FULL,
    )
    await applied(staff, file, source="club", mode="sync")
    before = await kinds(api)
    again = await applied(staff, file, source="club", mode="sync")
    assert again["counts"] == {
        "created": 0, "changed": 0, "unchanged": 3, "ended": 0, "refused": 0, "kept": 0,
        "noted": 0
    }  # fmt: skip
    assert (await kinds(api))[len(before) :] == [
        "membership_import.created",
        "membership_import.planned",
        "membership_import.applied",
    ]


async def test_first_and_last_days_are_kept_past_and_to_come(api: Api) -> None:
    staff = await api.staff()
    await applied(
        staff,
        csv_of(
            f"a@example.org,Anna Addo,{DTC},academic,2020-01-01,,",
            f"b@example.org,Ben Bay,{DTC},,2019-01-01,2020-01-01,",
            f"c@example.org,Cy Cole,{DTC},,{day(10)},{day(20)},",
            headings=FULL,
        ),
    )
    assert await names_in(staff) == ["Anna Addo"]
    rows = await api.read(
        sa.select(Person.name, Membership.since_on, Membership.until_on, Membership.category)
        .join(Membership, col(Membership.person_id) == Person.id)
        .order_by(Person.name)
    )
    assert [(r.name, r.since_on.isoformat(), str(r.until_on or "")) for r in rows] == [
        ("Anna Addo", "2020-01-01", ""),
        ("Ben Bay", "2019-01-01", "2020-01-01"),
        ("Cy Cole", day(10), day(20)),
    ]
    assert rows[0].category == "academic"


async def test_who_is_imported_has_agreed_to_nothing_and_proven_nothing(api: Api) -> None:
    staff = await api.staff()
    await applied(staff, csv_of(ANNA))
    (person,) = await api.read(
        sa.select(Person.id, Person.email_verified_at, Person.password_hash).where(
            col(Person.email) == "anna@example.org"
        )
    )
    assert person.email_verified_at is None and person.password_hash is None
    agreed = sa.select(Agreement.person_id).where(col(Agreement.person_id) == person.id)
    assert await api.read(agreed) == []


async def test_each_change_is_on_the_log_once_as_done_by_whoever_asked(api: Api) -> None:
    staff = await api.staff()
    await applied(staff, csv_of(f"anna@example.org,Anna Addo,{DTC};{WELLNESS}"))
    rows = await api.read(
        sa.select(Activity.kind, Activity.actor_id, Activity.facts)
        .where(col(Activity.kind).in_(["account.imported", "membership.imported"]))
        .order_by(Activity.kind)
    )
    assert [row.kind for row in rows] == ["account.imported"] + ["membership.imported"] * 2
    assert {row.actor_id for row in rows} == {staff.id}
    assert len({row.facts["import_id"] for row in rows}) == 1


async def test_nobody_is_mailed_unless_it_was_asked_for(api: Api) -> None:
    staff = await api.staff()
    await api.work_off()
    await applied(staff, csv_of(ANNA))
    assert await api.work_off() == []
    await applied(staff, csv_of(f"ben@example.org,Ben Bay,{DTC};{WELLNESS}"), invite="true")
    (mail,) = await api.work_off()
    assert mail["To"] == "ben@example.org" and "token=" in mail.get_content()
    assert mail.get_content().count("CP") == 2


# What a row may not do


async def test_a_restricted_community_takes_nobody_who_is_not_verified(api: Api) -> None:
    staff = await api.staff()
    job = await applied(
        staff,
        csv_of(
            f"a@example.org,Anna Addo,{ROUNDTABLE}",
            f"b@example.org,Ben Bay,{ROUNDTABLE};{DTC}",
        ),
    )
    assert await outcomes(staff, job) == [
        ("refused", ["eligibility_not_verified"]),
        ("created", ["eligibility_not_verified"]),
    ]
    assert await names_in(staff) == ["Ben Bay"]


async def test_an_account_of_another_name_is_left_alone(api: Api) -> None:
    staff = await api.staff()
    mia = await api.member("Mia Member")
    job = await applied(staff, csv_of(f"{mia.email},Max Other,{WELLNESS}"), mode="update")
    assert await outcomes(staff, job) == [("refused", ["account_of_another_name"])]
    same = await applied(staff, csv_of(f"{mia.email},Member Mia,{WELLNESS}"), mode="update")
    assert await outcomes(staff, same) == [("created", [])]


async def test_the_same_person_twice_adds_up_also_across_a_refusal(api: Api) -> None:
    staff = await api.staff()
    job = await applied(
        staff,
        csv_of(
            f"a@example.org,Anna Addo,{ROUNDTABLE}",
            f"a@example.org,Anna Addo,{DTC}",
            f"a@example.org,Anna Addo,{WELLNESS}",
            f"a@example.org,Otto Other,{WELLNESS}",
        ),
    )
    assert await outcomes(staff, job) == [
        ("refused", ["eligibility_not_verified"]),
        ("created", []),
        ("created", []),
        ("refused", ["address_of_another"]),
    ]
    assert await names_in(staff) == await names_in(staff, WELLNESS) == ["Anna Addo"]


async def test_who_has_left_is_not_brought_back_by_an_older_file(api: Api) -> None:
    staff = await api.staff()
    file = csv_of(f"anna@example.org,Anna Addo,{DTC},,2020-01-01,,", headings=FULL)
    await applied(staff, file)
    (row,) = (await staff.get(f"/communities/{DTC}/memberships")).json()["items"]
    await staff.post(f"/memberships/{row['id']}/end", {"reason": "She asked to."})
    assert await outcomes(staff, await applied(staff, file)) == [
        ("unchanged", ["ended_here_since"])
    ]
    newer = csv_of(f"anna@example.org,Anna Addo,{DTC},,{day(1)},,", headings=FULL)
    assert await outcomes(staff, await applied(staff, newer)) == [("created", [])]


# As a whole, or as far as it goes


async def test_all_or_nothing_is_not_applied_where_a_row_is_refused(api: Api) -> None:
    staff = await api.staff()
    file = csv_of(ANNA, f"not an address,Ben Bay,{DTC}")
    job = await planned(staff, file, handling="all_or_nothing", apply="true")
    assert (job["status"], job["problem"]["code"]) == ("planned", "import.rows_refused")
    refused = await ask(staff, job, "application")
    assert (refused.status_code, refused.json()["code"]) == (409, "import.rows_refused")
    assert await names_in(staff) == []
    job = await done(staff, job, "application", handling="best_effort")
    assert (job["status"], await names_in(staff)) == ("applied", ["Anna Addo"])


@pytest.mark.parametrize("handling", ["all_or_nothing", "best_effort"])
async def test_a_row_whose_plan_would_be_another_by_now_is_not_done(
    api: Api, handling: str
) -> None:
    staff, mia = await api.staff(), await api.person("Mia Member")
    rows = f"{mia.email},Mia Member,{DTC}", ANNA
    job = await planned(staff, csv_of(*rows), handling=handling)
    await api.join(mia)
    job = await done(staff, job, "application")
    if handling == "best_effort":
        assert job["status"] == "applied"
        assert await outcomes(staff, job) == [("refused", ["changed_since_plan"]), ("created", [])]
        assert await names_in(staff) == ["Anna Addo", "Mia Member"]
    else:
        assert (job["status"], job["problem"]["code"]) == ("failed", "import.plan_outdated")
        assert job["problem"]["rows"] == [2]
        assert await names_in(staff) == ["Mia Member"]


async def test_what_was_called_off_is_not_applied(api: Api) -> None:
    staff = await api.staff()
    job = await planned(staff, csv_of(ANNA))
    assert (await ask(staff, job, "application")).status_code == 202
    assert (await ask(staff, job, "cancellation")).json()["status"] == "cancelled"
    await work_off(api)
    assert (await now(staff, job))["status"] == "cancelled"
    assert await names_in(staff) == []
    again = await ask(staff, job, "cancellation")
    assert again.json()["import_status"] == "cancelled"


async def test_an_import_stops_when_the_right_behind_it_ends(api: Api) -> None:
    staff, chair = await api.staff(), await api.leader("Claire Chair", "chair")
    job = await planned(chair, csv_of(ANNA), community=DTC)
    assert (await ask(chair, job, "application")).status_code == 202
    removal = await staff.post(f"/terms/{chair.terms['chair']}/removal", {"reason": "Moved."})
    assert removal.status_code == 201
    await work_off(api)
    assert (await now(staff, job))["problem"]["code"] == "import.right_ended"
    assert "Anna Addo" not in await names_in(staff)


# The columns


async def test_a_file_whose_columns_are_not_clear_waits_to_be_told(api: Api) -> None:
    staff = await api.staff()
    file = csv_of("anna@example.org,Anna Addo,DTC", headings="Courriel,Qui,Où")
    job = await planned(staff, file)
    assert (job["status"], job["mapping"]) == ("mapping_required", None)
    assert set(job["suggestion"]["missing"]) == {"name", "communities"}
    path = f"{IMPORTS}/{job['id']}/mapping"
    unfit = await staff.put(path, {"columns": {"Courriel": "email"}})
    assert (unfit.status_code, unfit.json()["missing"]) == (422, ["name", "communities"])
    told = {"columns": {"Courriel": "email", "Qui": "name", "Où": "communities"}}
    assert (await staff.put(path, told)).json()["status"] == "waiting"
    await work_off(api)
    assert (await now(staff, job))["counts"]["created"] == 1


async def test_a_mapping_is_kept_by_name_and_used_again(api: Api) -> None:
    staff = await api.staff()
    told = {"columns": {"Courriel": "email", "Qui": "name", "Où": "communities"}}
    kept = await staff.put("/membership-import-mappings/Club", told)
    assert kept.json()["mapping"]["columns"] == told["columns"]
    stale = {"If-Match": '"9-x"'}
    assert (
        await staff.put("/membership-import-mappings/Club", told, headers=stale)
    ).status_code == 412
    file = csv_of(f"anna@example.org,Anna Addo,{DTC}", headings="Courriel,Qui,Où")
    job = await planned(staff, file, mapping_name="Club")
    assert job["counts"]["created"] == 1
    (one,) = (await staff.get("/membership-import-mappings")).json()["items"]
    assert one["name"] == "Club"
    assert (await staff.delete("/membership-import-mappings/Club")).status_code == 204
    assert (await send(staff, file, mapping_name="Club")).status_code == 422
    assert (await staff.delete("/membership-import-mappings/Club")).status_code == 404


# The report


def cells(report: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(report.removeprefix("\ufeff")))


async def test_the_report_is_the_file_with_what_became_of_it_and_can_be_sent_again(
    api: Api,
) -> None:
    staff = await api.staff()
    job = await planned(staff, csv_of(ANNA, f"ben.example.org,Ben Bay,{WELLNESS}"))
    path = f"{IMPORTS}/{job['id']}/report.csv"
    report = await staff.get(path)
    heading, anna, ben = cells(report.text)
    assert heading[:3] == ["email", "name", "communities"]
    assert (anna[3], ben[3]) == ("created", "refused") and "[email_invalid]" in ben[4]
    french = await staff.get(path, headers={"Accept-Language": "fr"})
    assert (await staff.get(path, params={"language": "fr"})).text == french.text != report.text
    corrected = report.text.replace("ben.example.org", "ben@example.org")
    again = await applied(staff, corrected)
    assert again["counts"]["created"] == 2


async def test_rows_are_listed_by_outcome_in_both_languages(api: Api) -> None:
    staff = await api.staff()
    job = await planned(staff, csv_of(ANNA, f"ben.example.org,Ben Bay,{WELLNESS}"))
    (row,) = await rows_of(staff, job, outcome="refused")
    assert row["cells"][1] == "Ben Bay" and row["number"] == 3
    (finding,) = row["findings"]
    assert (finding["column"], finding["code"]) == ("email", "email_invalid")
    assert set(finding["detail"]) == {"en", "fr"}
    (noted,) = await rows_of(staff, job, noted=True)
    assert noted == row


# Who may


async def test_a_script_and_a_partners_machine_import_within_what_they_are_for(api: Api) -> None:
    staff = await api.staff()
    script = await script_of(staff, "memberships:import", communities=[DTC])
    assert (await send(script, csv_of(ANNA))).status_code == 403
    assert (await planned(script, csv_of(ANNA), community=DTC))["counts"]["created"] == 1
    partner = await partner_of(staff, "memberships:import", communities=[WELLNESS])
    machine = await machine_of(staff, partner)
    assert (await send(machine, csv_of(BEN))).status_code == 403
    job = await applied(machine, csv_of(BEN), community=WELLNESS)
    assert job["created_by"]["kind"] == "partner"
    assert await names_in(staff, WELLNESS) == ["Ben Bay"]
    others = await planned(staff, csv_of(ANNA), community=WELLNESS)
    assert (await machine.get(f"{IMPORTS}/{others['id']}")).status_code == 404
    listed = (await machine.get(IMPORTS, params={"community": WELLNESS})).json()["items"]
    assert [one["id"] for one in listed] == [job["id"]]


async def test_the_same_file_under_one_key_is_one_import(api: Api) -> None:
    staff = await api.staff()
    answers = [
        await staff.call(
            "POST",
            IMPORTS,
            files={"file": ("members.csv", content)},
            headers={"Idempotency-Key": "tonight"},
        )
        for content in (csv_of(ANNA), csv_of(ANNA), csv_of(BEN))
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 422]
    assert answers[0].json()["id"] == answers[1].json()["id"]


# What is not kept


async def test_a_file_and_its_rows_are_erased_and_the_import_stays(api: Api) -> None:
    staff = await api.staff()
    job = await applied(staff, csv_of(ANNA))
    async with api.database.work() as work:
        await work.execute(
            sa.text("UPDATE membership_import SET updated_at = '2020-01-01 00:00:00+00:00'")
            if not api.database.sqlite
            else sa.text("UPDATE membership_import SET updated_at = '2020-01-01 00:00:00.000000'")
        )
    async with api.database.work() as work:
        await retention.erase(work)
    assert await api.read(sa.select(MembershipImportPiece.number)) == []
    assert await rows_of(staff, job) == []
    found = await now(staff, job)
    assert found["file"]["erased_at"] is not None and found["counts"]["created"] == 1
    assert (await staff.get(f"{IMPORTS}/{job['id']}/report.csv")).status_code == 409
    assert (await ask(staff, job, "reversal")).json()["code"] == "import.file_erased"
