"""The three files that associations have sent, imported into the real database, row by row."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.models import Membership, Person
from tests.cast import DTC, ROUNDTABLE, Api, Someone
from tests.importing import applied, done, rows_of
from tests.membership_samples import DATA

MENTAL_HEALTH = "treatment-issues-mental-health"
Told = dict[int, tuple[str, list[str]]]


async def imported(staff: Someone, name: str, **fields: Any) -> tuple[dict[str, Any], Told]:
    """A sample as it is imported, and what is said of its rows, by their numbers in the file."""
    job = await applied(staff, (DATA / name).read_bytes(), name=name, source="sample", **fields)
    rows = await rows_of(staff, job, noted=True)
    return job, {
        row["number"]: (row["outcome"], [finding["code"] for finding in row["findings"]])
        for row in rows
    }


def all_of(rows: Iterable[int], outcome: str, *codes: str) -> Told:
    return {number: (outcome, list(codes)) for number in rows}


async def test_each_untidy_row_of_the_export_becomes_what_it_should(api: Api) -> None:
    staff = await api.staff()
    job, told = await imported(staff, "wild_apricot_contacts.csv")
    assert told == {
        **all_of((8, 27, 53), "unchanged", *["former_not_added"] * 1),
        **all_of((4, 10, 29, 45, 52, 56), "unchanged", *["former_not_added"] * 2),
        **all_of((33, 44, 47, 48, 50, 59), "unchanged", *["former_not_added"] * 3),
        # The same person again, with another number, organisation and first day: adds up.
        9: ("created", ["differs_from_row"] * 4),
        13: ("refused", ["email_required"]),
        15: ("refused", ["email_invalid"]),
        19: ("created", ["community_unknown"]),
        21: ("refused", ["eligibility_not_verified"]),
        25: ("refused", ["day_impossible"]),
        31: ("refused", ["name_not_a_name"]),
        43: ("refused", ["communities_required"]),
        # A second person on an address that is somebody's already.
        49: ("refused", ["address_of_another"]),
    }
    assert job["counts"] == {
        "created": 38, "changed": 0, "unchanged": 15, "ended": 0, "refused": 7, "kept": 0,
        "noted": 24
    }  # fmt: skip
    again, _ = await imported(staff, "wild_apricot_contacts.csv")
    assert (again["counts"]["unchanged"], again["counts"]["refused"]) == (53, 7)


async def test_the_export_is_undone_without_a_trace_and_applied_again(api: Api) -> None:
    staff = await api.staff()
    job, _ = await imported(staff, "wild_apricot_contacts.csv")
    job = await done(staff, job, "reversal")
    assert (job["status"], job["counts"]["kept"]) == ("reversed", 0)
    assert await api.read(sa.select(Membership.id)) == []
    assert len(await api.read(sa.select(Person.id))) == 1  # the staff member who asked
    job = await done(staff, job, "application")
    assert (job["status"], job["counts"]["created"]) == ("applied", 38)


async def test_the_answers_of_the_form_are_read_as_they_stand(api: Api) -> None:
    staff = await api.staff()
    job, told = await imported(staff, "form_join_requests.csv")
    assert told == all_of((2, 5, 12, 14), "created", "eligibility_not_verified")
    assert job["counts"]["created"] == 25
    (olga,) = await api.read(
        sa.select(
            Person.name, Person.occupation, Person.affiliation, Person.area_of_interest
        ).where(col(Person.email) == "applicant00@example.net")
    )
    assert tuple(olga) == (
        "Olga MacLeod",
        "Professor",
        "Nunavut Court of Justice",
        "housing first",
    )


async def test_the_messages_of_a_mailbox_become_requests_to_join(api: Api) -> None:
    """What could be read of each, with a note of what is missing; the rest is listed."""
    staff = await api.staff()
    job, told = await imported(staff, "join_requests.mbox")
    assert told == {
        4: ("refused", ["mail_unlabelled"]),
        5: ("created", ["mail_answer_missing", "mail_sender_taken"]),
        6: ("created", ["mail_other_sender"]),
    }
    assert (job["counts"]["created"], job["counts"]["refused"]) == (5, 1)
    listed = [
        one
        for place in (DTC, "wellness-courts", "indigenous-courts", ROUNDTABLE, MENTAL_HEALTH)
        for one in (await staff.get(f"/communities/{place}/join-requests")).json()["items"]
    ]
    assert sorted((one["name"], one["community"]["slug"]) for one in listed) == [
        ("Dakota Cardinal", "indigenous-courts"),
        ("Dakota Cardinal", ROUNDTABLE),
        ("Priya Sandhu", MENTAL_HEALTH),
        ("Siobh\u00e1n O'Neill", DTC),
        ("Wei Wong", "indigenous-courts"),
        ("Wei Wong", "wellness-courts"),
        ("\u00c9tienne Gagn\u00e9", DTC),
    ]
    (priya,) = [one for one in listed if one["name"] == "Priya Sandhu"]
    assert (priya["status"], priya["origin"], priya["email"]) == (
        "pending",
        "mailbox",
        "sender5@example.com",
    )
    assert (priya["occupation"], priya["area_of_interest"]) == ("Psychiatrist", None)
    assert [(note["about"], note["code"]) for note in priya["notes"]] == [
        ("area_of_interest", "mail_answer_missing"),
        ("email", "mail_sender_taken"),
    ]
    assert (priya["verified_at"], priya["rules_version"]) == (None, None)
    assert priya["message"].startswith("Your name: Priya Sandhu")
    assert priya["submitted_at"].startswith("2026-10-10T14:00:00")
    again, told = await imported(staff, "join_requests.mbox")
    assert (again["counts"]["created"], again["counts"]["unchanged"]) == (0, 5)
    assert told[6] == ("unchanged", ["mail_other_sender", "mail_known", "mail_known"])
    assert (await staff.get(f"/communities/{DTC}/memberships")).json()["items"] == []
