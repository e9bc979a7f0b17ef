"""The accounts of people whose forms were accepted: there already, or made then."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Work, insert_ignoring, unique_or
from app.models import Membership, Person, UnclaimedProfile, new_id
from app.policy import Standing
from app.services import unclaimed_profiles


class Applicant(Protocol):
    """A form's answers about whoever filled it in, and when the address was confirmed."""

    name: Any
    email: Any
    email_key: Any
    occupation: Any
    occupation_code: Any
    affiliation: Any
    area_of_interest: Any
    territory: Any
    language: Any
    verified_at: datetime | None


_ANSWERS = (
    "name",
    "email",
    "email_key",
    "occupation",
    "occupation_code",
    "affiliation",
    "area_of_interest",
    "territory",
    "language",
)


# How many accounts are asked for in one statement.
_AT_ONCE = 500


async def of_applicant(work: Work, standing: Standing, form: Applicant) -> Person:
    """The account of one applicant, as `of_applicants` has it."""
    return (await of_applicants(work, standing, [form]))[form.email_key]


async def of_applicants(
    work: Work, standing: Standing, forms: Sequence[Applicant]
) -> dict[str, Person]:
    """The applicants' accounts by the keys of their addresses: the ones they have, deactivated or
    not, or new ones without a password.

    The profile of somebody who has an account is theirs; a form changes nothing in it. Forms come
    in the order of their addresses, so that of two units of work neither waits for the other.
    """
    made = {form.email_key: _new(form) for form in forms}
    # Two forms of one newcomer may be accepted at the same moment: one account, either way.
    if made:
        await work.execute(insert_ignoring(work, Person), list(made.values()))
    people: dict[str, Person] = {}
    for keys in _batched(made, _AT_ONCE):
        found = await work.execute(sa.select(Person).where(col(Person.email_key).in_(keys)))
        people |= {str(person.email_key): person for person in found.scalars()}
    for form in forms:
        person = people[form.email_key]
        if person.id == made[form.email_key]["id"]:
            activity.record(work, "account.created", standing, person.id)
        elif person.email_verified_at is None and person.deactivated_at is None:
            person.email_verified_at = form.verified_at
    return people


async def of_unproven(
    work: Work, standing: Standing, form: Applicant, community_id: UUID
) -> Person:
    """Whoever stands in a community for an address that somebody else may have written down.

    Whether it has an account elsewhere shows to nobody: then it is a profile that waits to be
    claimed. Whoever belongs to the community, or did, is known there already.
    """
    known_as = unclaimed_profiles.known_as(form.email_key, community_id)
    known = sa.select(Person).where(col(Person.id).in_(known_as))
    people = (await work.execute(known)).scalars().all()
    if not people:
        return await of_applicant(work, standing, form)
    await unclaimed_profiles.hold(work, [person.id for person in people])
    here = sa.select(Membership.id).where(
        col(Membership.person_id) == Person.id, col(Membership.community_id) == community_id
    )
    found = (await work.execute(known.where(here.exists()))).scalars().first()
    if found is not None:
        return found
    values = _new(form) | {"email_key": None}
    await work.insert_many(Person, [values])
    profile = await work.get_one(Person, values["id"])
    waits = UnclaimedProfile(
        person_id=profile.id, community_id=community_id, email_key=form.email_key
    )
    taken = {"uq_unclaimed_profile_community_id_email_key": errors.MembershipExists()}
    async with unique_or(work, taken):
        work.add(waits)
    activity.record(work, "profile.created", standing, profile.id)
    return profile


def _new(form: Applicant) -> dict[str, Any]:
    now = clock.now()
    return {answer: getattr(form, answer) for answer in _ANSWERS} | {
        "id": new_id(),
        "email_verified_at": form.verified_at,
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }


def _batched(keys: Iterable[str], size: int) -> Iterator[list[str]]:
    """The keys in parts of at most so many."""
    waiting = iter(keys)
    while part := list(islice(waiting, size)):
        yield part
