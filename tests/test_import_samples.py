"""The three files that associations have sent, imported into the real database, row by row."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.models import Membership, Person
from tests.cast import DTC, Api, Someone
from tests.importing import applied, done, rows_of
from tests.membership_samples import DATA

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
        "created": 38, "changed": 0, "unchanged": 15, "ended": 0, "refused": 7, "kept": 0
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


async def test_a_mailbox_of_requests_makes_nobody_a_member(api: Api) -> None:
    """What could be read of each, and what is missing, is listed for a person to handle."""
    staff = await api.staff()
    job, told = await imported(staff, "join_requests.mbox")
    assert told == {
        **all_of((1, 2, 3), "refused", "mail_is_a_request"),
        4: ("refused", ["mail_unlabelled", "mail_is_a_request"]),
        5: ("refused", ["mail_answer_missing", "mail_sender_taken", "mail_is_a_request"]),
        6: ("refused", ["mail_other_sender", "mail_is_a_request"]),
    }
    rows = await rows_of(staff, job)
    assert all(row["cells"][1] for row in rows) and rows[3]["cells"][-1]
    roster = await staff.get(f"/communities/{DTC}/memberships")
    assert (roster.json()["items"], job["counts"]["refused"]) == ([], 6)
