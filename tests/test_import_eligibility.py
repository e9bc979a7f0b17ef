"""What an import makes of those whose address was verified before they had an account."""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from app import clock
from app.models import EligibilityVerification, Membership, Person, VerificationStatus
from tests.cast import ROUNDTABLE, WELLNESS, Api, Someone
from tests.importing import applied, csv_of, done, outcomes


async def verified(api: Api, address: str, verifier: Someone, until: int = 365) -> None:
    """The owner of an address without an account, confirmed to be a judge."""
    now = clock.now()
    async with api.database.work() as work:
        work.add(
            EligibilityVerification(
                community_id=await api.community_id(ROUNDTABLE),
                name="A Judge",
                email_key=address,
                occupation_code="judge",
                status=VerificationStatus.CONFIRMED,
                requested_by=verifier.id,
                requested_at=now,
                first_by=verifier.id,
                first_at=now,
                first_basis="The court's public list.",
                confirmed_on=clock.today(),
                until_on=clock.today() + timedelta(days=until),
                updated_at=now,
            )
        )


async def owners(api: Api) -> list[tuple[str, str | None]]:
    """Of which address each verification is, and of whose account."""
    found = (
        sa.select(EligibilityVerification.email_key, Person.name)
        .outerjoin(Person, col(Person.id) == EligibilityVerification.person_id)
        .order_by(EligibilityVerification.email_key)
    )
    return [tuple(row) for row in await api.read(found)]


async def test_a_newcomer_whose_address_is_verified_is_admitted_and_takes_it_over(
    api: Api,
) -> None:
    staff = await api.staff()
    await verified(api, "jo@example.org", staff)
    await verified(api, "vic@example.org", staff, until=-1)
    file = csv_of(
        f"Jo@example.org,Jo Justice,{ROUNDTABLE};{WELLNESS}",
        f"vic@example.org,Vic Lapsed,{ROUNDTABLE}",
        f"pat@example.org,Pat Plain,{ROUNDTABLE}",
    )
    job = await applied(staff, file)
    refused = ("refused", ["eligibility_not_verified"])
    assert await outcomes(staff, job) == [("created", []), refused, refused]
    assert await owners(api) == [("jo@example.org", "Jo Justice"), ("vic@example.org", None)]
    again = await applied(staff, file)
    assert (await outcomes(staff, again))[0] == ("unchanged", [])
    job = await done(staff, job, "reversal")
    assert (job["status"], job["counts"]["kept"]) == ("reversed", 0)
    assert await owners(api) == [("jo@example.org", None), ("vic@example.org", None)]
    assert await api.read(sa.select(Membership.id)) == []
    job = await done(staff, job, "application")
    assert (await owners(api))[0] == ("jo@example.org", "Jo Justice")


async def test_an_address_that_its_account_has_not_proven_admits_nobody(api: Api) -> None:
    staff = await api.staff()
    proven, other = await api.person("Jo Justice"), await api.person("Vic Unproven")
    await api.change(Person, other.id, email_verified_at=None)
    for one in (proven, other):
        await verified(api, one.email, staff)
    job = await applied(
        staff,
        csv_of(*(f"{one.email},{one.name},{ROUNDTABLE}" for one in (proven, other))),
    )
    assert await outcomes(staff, job) == [
        ("created", []),
        ("refused", ["eligibility_not_verified"]),
    ]
    assert sorted(name or "-" for _, name in await owners(api)) == ["-", "Jo Justice"]


async def test_nobody_is_admitted_by_what_they_verified_themselves(api: Api) -> None:
    staff, other = await api.staff(), await api.staff("Otis Other")
    await verified(api, staff.email, staff)
    line = csv_of(f"{staff.email},{staff.name},{ROUNDTABLE}")
    job = await applied(other, line)
    assert await outcomes(other, job) == [("refused", ["eligibility_not_verified"])]
    await verified(api, staff.email, other)
    assert await outcomes(other, await applied(other, line)) == [("created", [])]
