"""What a file, or a machine that hands one in, might do or learn beyond what it may."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.models import (
    Community,
    CommunityStatus,
    EligibilityVerification,
    Membership,
    MembershipImport,
    Person,
)
from app.services import membership_import_mappings
from app.services.import_planning import Planning
from tests.answers import ok
from tests.cast import DTC, ROUNDTABLE, WELLNESS, Api, Someone, day
from tests.crowds import Doors
from tests.directories import directory_of
from tests.importing import applied, csv_of, done, outcomes, planned, send, work_off
from tests.machines import machine_of, partner_of
from tests.test_import_eligibility import owners, verified
from tests.test_import_mailboxes import message

NUMBERED = "email,name,communities,external_id"


# What is somebody else's


async def test_a_file_gives_nobody_what_was_verified_of_another_address(api: Api) -> None:
    staff, other, pat = await api.staff(), await api.staff("Otis Other"), await api.person("Pat P")
    await verified(api, pat.email, other, until=1)
    await verified(api, "vic@example.org", other, until=300)
    known = csv_of(f"{pat.email},{pat.name},{WELLNESS},7", headings=NUMBERED)
    await applied(staff, known, source="club")
    file = csv_of(f"vic@example.org,{pat.name},{ROUNDTABLE},7", headings=NUMBERED)
    job = await applied(staff, file, source="club")
    assert await outcomes(staff, job) == [("created", ["address_not_changed"])]
    assert sorted(await owners(api)) == [(pat.email, pat.name), ("vic@example.org", None)]


async def test_a_reversal_does_not_tell_a_community_what_became_of_somebody_elsewhere(
    api: Api,
) -> None:
    secretary, staff = await api.leader("Sam Secretary", "secretary"), await api.staff()
    known = await api.member("Wendy Wellness", WELLNESS)
    addresses = ("used@example.org", "lonely@example.org", known.email)
    files = [csv_of(f"{address},Nadia New,{DTC}") for address in addresses]
    jobs = [await applied(secretary, file, community=DTC) for file in files]
    await applied(staff, csv_of(f"used@example.org,Nadia New,{WELLNESS}"))
    told = []
    for job in jobs:
        job = await done(secretary, job, "reversal")
        told.append((job["counts"], await outcomes(secretary, job)))
    assert told[0] == told[1] == told[2]


async def test_an_odd_name_does_not_tell_a_community_that_its_owner_is_known(api: Api) -> None:
    secretary = await api.leader("Sam Secretary", "secretary")
    elsewhere, here = await api.member("Wendy W", WELLNESS), await api.member("Mia Member")
    for someone in (elsewhere, here):
        await api.change(Person, someone.id, name="3rd Division")

    async def told(address: str) -> Any:
        file = csv_of(f"{address},3rd Division,{DTC}")
        return await outcomes(secretary, await planned(secretary, file, community=DTC))

    assert await told(elsewhere.email) == await told("nobody@example.org")
    assert await told(here.email) == [("unchanged", [])]


@pytest.mark.parametrize("place", [DTC, None])
async def test_a_partner_loses_what_is_hidden_or_restricted_before_its_import_runs(
    api: Api, place: str | None
) -> None:
    staff = await api.staff()
    machine = await machine_of(staff, await partner_of(staff, "memberships:import"))
    for count, changed in enumerate(({"listed": False}, {"eligible_occupations": ["judge"]})):
        file = csv_of(f"ann{count}@example.org,Ann Addo,{DTC}")
        job = ok(await send(machine, file, apply="true", community=place), 202)
        ok(await staff.patch(f"/communities/{DTC}", changed))
        await work_off(api)
        (row,) = await api.read(
            sa.select(MembershipImport.status, MembershipImport.created).where(
                col(MembershipImport.id) == UUID(job["id"])
            )
        )
        assert tuple(row) == (("failed", 0) if place else ("applied", 0))
        ok(await staff.patch(f"/communities/{DTC}", {"listed": True, "eligible_occupations": []}))
    assert await api.read(sa.select(Membership.id)) == []


# Suspensions


async def suspended(staff: Someone, membership: Any) -> None:
    body = {"until_on": day(30), "reason": "To cool down."}
    ok(await staff.put(f"/memberships/{membership}/suspension", body))


async def test_a_suspension_is_not_shed_by_a_file_that_leaves_somebody_out_for_a_night(
    api: Api,
) -> None:
    staff = await api.staff()
    both = csv_of(f"a@example.org,Ann Addo,{DTC}", f"b@example.org,Ben Bay,{DTC}")
    nightly = {"source": "club", "mode": "sync", "most_ended": 100}
    await applied(staff, both, **nightly)
    ann = sa.select(Membership.id).join(Person).where(col(Person.email_key) == "a@example.org")
    await suspended(staff, (await api.read(ann))[0].id)
    await applied(staff, csv_of(f"b@example.org,Ben Bay,{DTC}"), **nightly)
    job = await applied(staff, both, **nightly)
    assert await outcomes(staff, job) == [("unchanged", ["suspended_here"]), ("unchanged", [])]


async def test_a_suspension_goes_on_in_whatever_way_somebody_comes_back(api: Api) -> None:
    directory, staff = await directory_of(api, DTC), await api.staff()
    user = await directory.user("jane@example.org")
    ok(await directory.add(user), 204)
    (row,) = await api.read(sa.select(Membership.id, Membership.person_id))
    await suspended(staff, row.id)
    for active in (False, True):
        change = {"op": "replace", "path": "active", "value": active}
        ok(await directory.patch(f"/Users/{user}", change))
    path = f"/communities/{DTC}/memberships"
    (jane,) = ok(await staff.get(path))["items"]
    assert (jane["id"] == str(row.id), jane["status"]) == (False, "suspended")
    ok(await staff.post(f"/memberships/{jane['id']}/end", {"reason": "Moved."}))
    again = ok(await staff.post(path, {"person_id": str(row.person_id)}), 201)
    assert again["status"] == "suspended"
    lifted = await staff.delete(f"/memberships/{again['id']}/suspension")
    assert lifted.status_code == 204
    assert ok(await staff.get(path))["items"][0]["status"] == "active"


# What a file does not say


async def test_nothing_ends_for_a_row_whose_person_cannot_be_told(api: Api) -> None:
    staff = await api.staff()
    names = [f"Person {letter}" for letter in "abcdefghijklmnopqrst"]
    rows = [f"p{count}@example.org,{name},{DTC}" for count, name in enumerate(names)]
    await applied(staff, csv_of(*rows), source="club", mode="sync")
    rows = [f"{row},{count + 100}" for count, row in enumerate(rows)]
    rows[3] = rows[3].replace("@", "@@")
    job = await planned(staff, csv_of(*rows, headings=NUMBERED), source="club", mode="sync")
    assert (job["counts"]["ended"], job["endings"]["withheld"]) == (0, True)


@pytest.mark.parametrize(("before", "after"), [((10, 20), (30, None)), ((60, None), (None, 30))])
async def test_no_membership_ends_before_it_begins(
    api: Api, before: tuple[int, int | None], after: tuple[int | None, int | None]
) -> None:
    staff, headings = await api.staff(), "email,name,communities,since_on,until_on"

    def file(days: tuple[int | None, int | None]) -> str:
        said = ",".join("" if one is None else day(one) for one in days)
        return csv_of(f"a@example.org,Ann Addo,{DTC},{said}", headings=headings)

    await applied(staff, file(before), source="club")
    was = await api.read(sa.select(Membership.since_on, Membership.until_on))
    job = await applied(staff, file(after), source="club", mode="update")
    assert await outcomes(staff, job) == [("unchanged", ["days_not_changed"])]
    assert await api.read(sa.select(Membership.since_on, Membership.until_on)) == was


async def test_one_account_in_two_rows_by_number_and_by_address_is_planned_once(api: Api) -> None:
    staff = await api.staff()
    known = csv_of(f"old@example.org,Ann Addo,{WELLNESS},7", headings=NUMBERED)
    await applied(staff, known, source="club", mode="update")
    rows = (f"new@example.org,Ann Addo,{DTC},7", f"old@example.org,Ann Addo,{DTC},")
    job = await planned(staff, csv_of(*rows, headings=NUMBERED), source="club", mode="update")
    assert [(outcome, codes[-1]) for outcome, codes in await outcomes(staff, job)] == [
        ("created", "address_not_changed"),
        ("refused", "account_of_another_row"),
    ]


# Characters that no database keeps


def as_json(affiliation: str) -> bytes:
    person = {"email": "a@example.org", "name": "Ann Addo", "communities": DTC}
    return json.dumps([person | {"affiliation": "X"}]).replace("X", affiliation).encode()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.json", as_json("a\\u0000b"), "text_control_characters"),
        ("a.json", as_json("a\\ud800b"), "text_not_unicode"),
        (
            "a.csv",
            csv_of(
                f"a@example.org,Ann Addo,{DTC},a\0b", headings="email,name,communities,affiliation"
            ),
            "text_control_characters",
        ),
    ],
    ids=["zero in JSON", "half a character in JSON", "zero in CSV"],
)
async def test_a_character_that_cannot_be_kept_refuses_its_row_and_no_more(
    api: Api, name: str, content: Any, code: str
) -> None:
    staff = await api.staff()
    job = await applied(staff, content, name=name)
    assert await outcomes(staff, job) == [("refused", [code])]
    report = await staff.get(f"/membership-imports/{job['id']}/report.csv")
    assert "a\N{REPLACEMENT CHARACTER}b" in report.text


async def test_a_message_with_characters_that_cannot_be_kept_is_read_without_them(api: Api) -> None:
    staff, base = await api.staff(), message(sender="Wei <w@example.org>", id="<q@x>").encode()
    broken = (
        base.replace(b"circle", b"cir\x00cle"),
        base.replace(b"Date:", b"Subject: a\x00b\nDate:").replace(b"w@", b"w1@"),
        base.replace(b"=utf-8", b"=utf-7").replace(b"circle", b"+2AA-cir").replace(b"w@", b"w2@"),
    )
    for content in broken:
        job = await applied(staff, content, name="requests.mbox")
        assert job["counts"]["created"] == 1, content


async def test_messages_of_a_program_that_calls_them_all_the_same_are_all_requests(
    api: Api,
) -> None:
    staff = await api.staff()
    for address in ("w@example.org", "w2@example.org"):
        mailbox = message(sender=f"Wei <{address}>", id="<q@x>")
        job = await applied(staff, mailbox, name="requests.mbox")
        assert job["counts"]["created"] == 1


# Limits, at once


async def test_no_more_than_so_many_wait_however_many_come_at_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = await api.staff()
    monkeypatch.setattr("app.services.membership_imports.MOST_WAITING", 3)
    monkeypatch.setattr(membership_import_mappings, "MOST", 3)
    file = csv_of(f"a@example.org,Ann Addo,{DTC}")
    async with Doors.to(api) as doors:
        handed = await asyncio.gather(*(send(doors.at(staff, n % 2), file) for n in range(8)))
        body = {"columns": {"Wer": "name", "Mail": "email"}}
        path = "/membership-import-mappings"
        saved = await asyncio.gather(
            *(doors.at(staff, n % 2).put(f"{path}/m{n}", body) for n in range(8))
        )
    assert sorted(answer.status_code for answer in handed) == [202] * 3 + [409] * 5
    assert sum(answer.is_success for answer in saved) == 3


async def test_what_was_verified_stays_with_its_address_where_a_file_only_names_it(
    api: Api,
) -> None:
    staff = await api.staff()
    await verified(api, "vic@example.org", staff)
    await applied(staff, csv_of(f"vic@example.org,Vic V,{WELLNESS}"))
    (row,) = await api.read(sa.select(EligibilityVerification.person_id))
    assert row.person_id is None


# One's own


async def test_nobody_brings_themselves_in_or_changes_their_own_membership_by_a_file(
    api: Api,
) -> None:
    staff, other = await api.staff(), await api.staff("Stella Other")
    file = csv_of(f"{staff.email},{staff.name},{DTC}")
    assert await outcomes(staff, await applied(staff, file)) == [("unchanged", ["own_membership"])]
    assert await outcomes(other, await applied(other, file)) == [("created", [])]
    academic = csv_of(
        f"{staff.email},{staff.name},{DTC},academic", headings="email,name,communities,category"
    )
    job = await applied(staff, academic, mode="update")
    assert await outcomes(staff, job) == [("unchanged", ["own_membership"])]
    job = await applied(other, academic, mode="update")
    assert await outcomes(other, job) == [("changed", [])]


async def test_everybody_may_end_their_own_membership_by_a_file_too(api: Api) -> None:
    staff, other = await api.staff(), await api.staff("Stella Other")
    file = csv_of(f"{staff.email},{staff.name},{DTC},", headings="email,name,communities,status")
    await applied(other, file, source="club")
    over = file.replace(f"{DTC},", f"{DTC},Lapsed")
    job = await applied(staff, over, source="club", mode="update", most_ended=100)
    assert await outcomes(staff, job) == [("ended", [])]


async def test_a_plan_in_which_somebody_else_had_one_does_not_bring_one_in(api: Api) -> None:
    staff, other = await api.staff(), await api.staff("Stella Other")
    job = await planned(staff, csv_of(f"{other.email},{other.name},{DTC}"))
    assert job["counts"]["created"] == 1
    job = await done(other, job, "application")
    assert await outcomes(staff, job) == [("refused", ["changed_since_plan"])]


# The same person in several rows


async def test_of_several_rows_the_first_that_is_not_refused_makes_the_account(api: Api) -> None:
    staff = await api.staff()
    closed = ("indigenous-courts", "integrated-court")
    for slug in closed:
        place = await api.community_id(slug)
        await api.change(Community, place, status=CommunityStatus.ARCHIVED)
    rows = (f"new@example.org,Nadia New,{slug}" for slug in (*closed, DTC))
    job = await applied(staff, csv_of(*rows))
    assert await outcomes(staff, job) == [
        ("refused", ["community_archived"]),
        ("refused", ["community_archived"]),
        ("created", []),
    ]


async def test_who_was_planned_before_a_crash_is_remembered_after_it(
    sqlite_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, place = await sqlite_api.staff(), await sqlite_api.community_id("integrated-court")
    await sqlite_api.change(Community, place, status=CommunityStatus.ARCHIVED)
    for known in (f"old@example.org,Ann Addo,{WELLNESS},7", f"gone@example.org,Bo Bo,{WELLNESS},8"):
        await applied(staff, csv_of(known, headings=NUMBERED), source="club", mode="update")
    letters = "abcdefghijklmnopqrstuvwxyz"
    many = [
        f"m{n}@example.org,Person {letters[n % 26]}{letters[n // 26]},{DTC}," for n in range(70)
    ]
    rows = (
        f"new@example.org,Ann Addo,{DTC},7",
        "eve@example.org,Eve Eve,integrated-court,",
        f"eve@example.org,Eve Eve,{DTC},",
        *many,
        f"old@example.org,Ann Addo,{WELLNESS},",
        f"eve@example.org,Eve Eve,{WELLNESS},",
    )
    plan, batches = Planning.plan, iter(range(9))

    async def crash(*given: Any) -> Any:
        if next(batches) == 1:
            raise SystemExit
        return await plan(*given)

    file, fields = csv_of(*rows, headings=NUMBERED), {"source": "club", "mode": "update"}
    job = ok(await send(staff, file, **fields), 202)
    with monkeypatch.context() as patched:
        patched.setattr(Planning, "plan", crash)
        with pytest.raises(SystemExit):
            await work_off(sqlite_api)
    await work_off(sqlite_api)
    whole = await planned(staff, file, **fields)
    found = await outcomes(staff, job)
    assert found[-2:] == [("refused", ["account_of_another_row"]), ("created", [])]
    assert found == await outcomes(staff, whole)
    assert await outcomes(staff, await done(staff, job, "application")) == found


# Archived


async def test_a_files_silence_ends_nothing_in_an_archived_community(api: Api) -> None:
    staff = await api.staff()
    rows = [f"a@example.org,Ann Addo,{WELLNESS}", f"b@example.org,Ben Bay,{DTC}"]
    nightly = {"source": "club", "mode": "sync", "most_ended": 100}
    await applied(staff, csv_of(*rows), **nightly)
    early = await planned(staff, csv_of(rows[1]), **nightly)
    assert early["counts"]["ended"] == 1
    place = await api.community_id(WELLNESS)
    await api.change(Community, place, status=CommunityStatus.ARCHIVED)
    early = await done(staff, early, "application")
    late = await planned(staff, csv_of(rows[1]), **nightly)
    assert (early["counts"]["ended"], late["counts"]["ended"]) == (0, 0)
