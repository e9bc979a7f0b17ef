"""What the importer of one community learns, and what they can change: membership there."""

import json
import re

import sqlalchemy as sa
from sqlmodel import col

from app.models import Community, Membership, Person
from tests.cast import DTC, WELLNESS, Api, day
from tests.importing import IMPORTS, applied, csv_of, done, outcomes, planned, rows_of, send

PERSON = "email,name,communities,occupation"
# Ids and instants, which differ from one import to the next.
_MOVING = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z"


async def test_an_address_that_is_known_elsewhere_looks_like_one_that_is_not(api: Api) -> None:
    secretary = await api.leader("Sam Secretary", "secretary")
    known = await api.member("Wendy Wellness", WELLNESS)
    off = await api.member("Otto Off", WELLNESS)
    staff = await api.staff()
    assert (await staff.put(f"/people/{off.id}/deactivation")).status_code == 204
    rows = [
        f"{address},{name},{DTC},Judge"
        for address, name in (
            ("new@example.org", "Nadia New"),
            (known.email, "Nadia New II"),
            (off.email, "Nadia New III"),
        )
    ]
    jobs = []
    for row in rows:
        file = csv_of(row, headings=PERSON)
        jobs.append(await planned(secretary, file, community=DTC, mode="update"))
        jobs.append(await applied(secretary, file, community=DTC, mode="update"))
    seen = [
        (job["counts"], job["endings"], await outcomes(secretary, job), job["viewer"])
        for job in jobs
    ]
    assert seen[0::2] == [seen[0]] * 3 and seen[1::2] == [seen[1]] * 3
    assert seen[1][2] == [("created", [])]


async def test_nor_does_it_look_otherwise_on_anything_that_the_importer_sees_afterwards(
    api: Api,
) -> None:
    """The roster, its filters, the export, the log, and what follows a membership: ids are as new,
    and everything that is said is what the file said."""
    chair, staff = await api.leader("Chidi Chair", "chair"), await api.staff()
    known = await api.member("Wendy Wellness", WELLNESS)
    await api.change(Person, known.id, territory="CA-ON", occupation_code="judge")
    off = await api.member("Otto Off", WELLNESS)
    assert (await staff.put(f"/people/{off.id}/deactivation")).status_code == 204
    roster, seen = f"/communities/{DTC}/memberships", []
    for number, address in (
        ("N-1", "new@example.org"),
        ("N-2", known.email),
        ("N-3", off.email),
    ):
        file = csv_of(
            f"{address},Nadia New,{DTC},Nurse,{number},{day(-9)}",
            headings=f"{PERSON},external_id,since_on",
        )
        job = await applied(chair, file, community=DTC, mode="update", source="club")
        (item,) = (await chair.get(roster, params={"q": address})).json()["items"]
        person, membership = item["person"]["id"], f"/memberships/{item['id']}"
        assert person > job["id"] and item["private"]["email"] == address
        asked = (
            {"q": "Nadia"},
            {"q": "Court coordinator"},
            {"territory": "CA-ON"},
            {"occupation_code": "judge"},
            {"person_id": person},
            {"include": "total"},
        )
        lists = [(await chair.get(roster, params=one)).json() for one in asked]
        log = await chair.get(f"/communities/{DTC}/audit-log", params={"limit": 3})
        again = await applied(chair, file, community=DTC, mode="update", source="club")
        export = await chair.get(f"{roster}/export", params={"format": "csv", "source": "club"})
        report = await chair.get(f"{IMPORTS}/{job['id']}/report.csv")
        pause = await chair.put(f"{membership}/pause", {"reason": "For the test."})
        resumed = await chair.delete(f"{membership}/pause")
        told = [
            item,
            lists,
            [(one["kind"], sorted(one["facts"])) for one in log.json()["items"]],
            await outcomes(chair, again),
            (await chair.get(membership)).json(),
            sorted(export.text.splitlines()),
            report.text,
            pause.json(),
            (resumed.status_code, resumed.json()),
            (await done(chair, job, "reversal"))["counts"],
        ]
        await chair.post(f"{membership}/end", {"reason": "For the next."})
        text = json.dumps(told).replace(address, "address").replace(number, "number")
        seen.append(re.sub(_MOVING, "-", text))
    assert seen[1:] == seen[:1] * 2


async def test_an_existing_persons_identity_line_is_theirs(api: Api) -> None:
    secretary = await api.leader("Sam Secretary", "secretary")
    wendy, mia = await api.member("Wendy Wellness", WELLNESS), await api.member("Mia Member")
    file = csv_of(
        f"{wendy.email},Nadia New,{DTC},Judge",
        f"{mia.email},Max Other,{DTC},Judge",
        headings=PERSON,
    )
    job = await applied(secretary, file, community=DTC, mode="update", source="club")
    assert await outcomes(secretary, job) == [("created", []), ("unchanged", [])]
    rows = await api.read(
        sa.select(Person.name, Person.occupation).where(col(Person.id).in_([wendy.id, mia.id]))
    )
    assert {tuple(row) for row in rows} == {
        ("Wendy Wellness", "Court coordinator"),
        ("Mia Member", "Court coordinator"),
    }


async def test_other_communities_are_left_aside(api: Api) -> None:
    chair, staff = await api.leader("Claire Chair", "chair"), await api.staff()
    hidden = await api.community_id("current-issues")
    await api.change(Community, hidden, listed=False)
    file = csv_of(
        f"a@example.org,Anna Addo,{WELLNESS}",
        f"b@example.org,Ben Bay,{WELLNESS};{DTC}",
        "c@example.org,Cy Cole,current-issues",
        "d@example.org,Dee Dole,no-such-community",
    )
    job = await applied(chair, file, community=DTC)
    assert await outcomes(chair, job) == [
        ("unchanged", ["community_elsewhere"]),
        ("created", ["community_elsewhere"]),
        ("refused", ["community_unknown", "communities_none_known"]),
        ("refused", ["community_unknown", "communities_none_known"]),
    ]
    roster = await staff.get(f"/communities/{WELLNESS}/memberships")
    assert roster.json()["items"] == []
    people = sa.select(Person.id).where(col(Person.email) == "a@example.org")
    assert await api.read(people) == []


async def test_a_leader_imports_into_their_own_community_alone(api: Api) -> None:
    chair, other = (
        await api.leader("Claire Chair", "chair"),
        await api.leader("Cora Chair", "chair", WELLNESS),
    )
    file = csv_of(f"a@example.org,Anna Addo,{DTC}")
    assert (await send(chair, file)).status_code == 403
    assert (await send(chair, file, community=WELLNESS)).status_code == 403
    job = await planned(chair, file, community=DTC)
    assert (await other.get(f"{IMPORTS}/{job['id']}")).status_code == 404
    assert (await other.get(f"{IMPORTS}/{job['id']}/rows")).status_code == 404
    assert (await chair.get(f"{IMPORTS}/{job['id']}")).status_code == 200


async def test_numbers_of_one_community_are_not_those_of_another(api: Api) -> None:
    """Whoever could name a number of the association's would find out whose it is."""
    staff, chair = await api.staff(), await api.leader("Claire Chair", "chair")
    headings = "email,name,communities,member id"
    mine = csv_of(f"w@example.org,Wendy Wellness,{WELLNESS},7", headings=headings)
    await applied(staff, mine, source="club")
    probe = csv_of(f"p@example.org,Pat Probe,{DTC},7", headings=headings)
    job = await applied(chair, probe, source="club", community=DTC)
    assert await outcomes(chair, job) == [("created", [])]
    roster = (await chair.get(f"/communities/{DTC}/memberships")).json()["items"]
    assert {one["person"]["name"] for one in roster} == {"Claire Chair", "Pat Probe"}


async def test_a_files_rows_are_seen_by_those_who_import_there(api: Api) -> None:
    staff, mia = await api.staff(), await api.member("Mia Member")
    job = await planned(staff, csv_of(f"a@example.org,Anna Addo,{DTC}"), community=DTC)
    chair = await api.leader("Claire Chair", "chair")
    assert len(await rows_of(chair, job)) == 1
    assert (await mia.get(f"{IMPORTS}/{job['id']}/report.csv")).status_code == 404


async def test_an_address_that_becomes_known_after_the_plan_looks_like_one_that_does_not(
    api: Api,
) -> None:
    secretary, staff = await api.leader("Sam Secretary", "secretary"), await api.staff()
    jobs = {}
    for handling in ("best_effort", "all_or_nothing"):
        rows = [f"{name}.{handling}@example.org,Nadia New,{DTC}" for name in ("known", "unknown")]
        jobs[handling] = await planned(secretary, csv_of(*rows), community=DTC, handling=handling)
        await applied(staff, csv_of(f"known.{handling}@example.org,Wendy Wellness,{WELLNESS}"))
    for job in jobs.values():
        found = await done(secretary, job, "application")
        assert found["status"] == "applied"
        assert await outcomes(secretary, found) == [("created", [])] * 2


async def test_what_is_applied_again_after_a_reversal_tells_nothing_of_who_is_known_by_then(
    api: Api,
) -> None:
    secretary, staff = await api.leader("Sam Secretary", "secretary"), await api.staff()
    rows = [f"{name}@example.org,Nadia New,{DTC}" for name in ("known", "unknown")]
    job = await applied(secretary, csv_of(*rows), community=DTC)
    await applied(staff, csv_of(f"known@example.org,Nadia New,{WELLNESS}"))
    job = await done(secretary, job, "reversal")
    assert await outcomes(secretary, job) == [("created", [])] * 2
    job = await done(secretary, job, "application")
    assert await outcomes(secretary, job) == [("created", [])] * 2
    listed = (await secretary.get(f"/communities/{DTC}/memberships")).json()["items"]
    assert [one["person"]["name"] for one in listed].count("Nadia New") == 2


async def test_a_number_that_became_somebody_elses_after_the_plan_is_not_taken_for_them(
    api: Api,
) -> None:
    secretary = await api.leader("Sam Secretary", "secretary")
    numbered, club = f"{PERSON},external_id,since_on", {"source": "club", "community": DTC}
    early = csv_of(f"ann@example.org,Ann Addo,{DTC},Judge,7,{day(1)}", headings=numbered)
    job = await planned(secretary, early, **club)
    other = csv_of(f"ben@example.org,Ben Bay,{DTC},Judge,7,", headings=numbered)
    await applied(secretary, other, **club)
    (ben,) = await api.read(sa.select(Membership.id).order_by(col(Membership.id).desc()).limit(1))
    body = {"reason": "Moved."}
    assert (await secretary.post(f"/memberships/{ben.id}/end", body)).is_success
    job = await done(secretary, job, "application")
    assert await outcomes(secretary, job) == [("refused", ["changed_since_plan"])]
