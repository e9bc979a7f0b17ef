"""Profiles that wait for their owners: where they count, and how an account takes the place of one.

A community that writes somebody down who has an account elsewhere does not find out that they have:
it gets a profile (`models.UnclaimedProfile`), about which everything can be said and done that can
be of a member who has never signed in.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import clock
from app.among import among
from app.db import Source, Work
from app.models import (
    EligibilityException,
    EligibilityVerification,
    Mail,
    MailedToken,
    Membership,
    Nomination,
    Person,
    PersonSource,
    SuccessionCandidate,
    Term,
    UnclaimedProfile,
    Unsubscription,
    Voter,
)
from app.policy import Standing
from app.reader import Prepared
from app.services import communities

# What may be about a member who has never signed in: it becomes the account's.
MOVED: tuple[tuple[Any, str], ...] = (
    (Membership, "person_id"),
    (Term, "person_id"),
    (Nomination, "person_id"),
    (EligibilityException, "person_id"),
    (Voter, "person_id"),
    (SuccessionCandidate, "person_id"),
    (EligibilityVerification, "person_id"),
    (PersonSource, "person_id"),
    (Mail, "recipient_id"),
)
# What goes with the profile.
GONE: tuple[tuple[Any, str], ...] = (
    (MailedToken, "person_id"),
    (Unsubscription, "person_id"),
    (UnclaimedProfile, "person_id"),
    (Person, "id"),
)

# The key of somebody's address, by their account or as a community has written it down.
ADDRESS = sa.func.coalesce(
    Person.email_key,
    sa.select(UnclaimedProfile.email_key)
    .where(col(UnclaimedProfile.person_id) == Person.id)
    .correlate(Person)
    .scalar_subquery(),
)


def known_as(email_key: Any, community_id: Any) -> Any:
    """The ids of whoever an address is known as in a community: its account, and its profile."""
    return sa.union_all(
        sa.select(Person.id).where(col(Person.email_key) == email_key),
        sa.select(UnclaimedProfile.person_id).where(
            col(UnclaimedProfile.community_id) == community_id,
            col(UnclaimedProfile.email_key) == email_key,
        ),
    )


_Account: Any = aliased(Person)
_WAITING = (
    sa.select(
        UnclaimedProfile.person_id,
        UnclaimedProfile.community_id,
        col(Person.id).label("account_id"),
    )
    .join(Person, col(Person.email_key) == UnclaimedProfile.email_key)
    .where(among(col(Person.id), "people"))
)
_OF_ACCOUNTS = Prepared(_WAITING)
# An account that may not be its address's owner's takes up nothing, nor one that belongs already.
_TAKEN_UP = Prepared(
    _WAITING.where(
        among(col(UnclaimedProfile.community_id), "places"),
        sa.or_(col(Person.email_verified_at).is_not(None), col(Person.password_hash).is_(None)),
        ~sa.select(Membership.id)
        .where(
            col(Membership.person_id) == Person.id,
            col(Membership.community_id) == UnclaimedProfile.community_id,
            col(Membership.ended_at).is_(None),
        )
        .exists(),
    )
)
# Profiles before accounts, as an import holds them. Accounts not for their keys: whoever has just
# referred to one need not be through first.
_HELD = (
    sa.select(Person.id)
    .where(
        col(Person.id).in_(
            sa.select(UnclaimedProfile.person_id)
            .join(_Account, col(_Account.email_key) == UnclaimedProfile.email_key)
            .where(among(col(_Account.id), "people"))
        )
    )
    .order_by(col(Person.id))
    .with_for_update(),
    sa.select(Person.id)
    .where(among(col(Person.id), "people"))
    .order_by(col(Person.id))
    .with_for_update(key_share=True),
)


async def of_accounts(source: Source, people: Collection[UUID]) -> dict[UUID, UUID]:
    """The profiles that wait for these accounts, each with its account."""
    rows = await source.rows(_OF_ACCOUNTS, people=people)
    return {row.person_id: row.account_id for row in rows}


async def hold(work: Work, people: Collection[UUID]) -> None:
    """Holds accounts, and the profiles that wait for them: a list that is just being imported is
    waited for."""
    for held in _HELD:
        await work.rows(held, people=people)


async def take_up(work: Work, people: Collection[UUID], places: Collection[UUID]) -> bool:
    """Makes what is said in communities of these accounts' addresses theirs: the memberships there
    with all that hangs on them; False if there is nothing, or nothing for them."""
    await hold(work, people)
    rows = await work.rows(_TAKEN_UP, people=people, places=places)
    for row in rows:
        for model, column in MOVED:
            await _move(work, sa.inspect(model).local_table, column, row)
        for model, column in GONE:
            table = sa.inspect(model).local_table
            await work.execute(sa.delete(table).where(table.c[column] == row.person_id))
    for place in sorted({row.community_id for row in rows}):
        await communities.touch_roster(work, place)
    return bool(rows)


async def _move(work: Work, table: Any, column: str, row: Any) -> None:
    """Makes what a table says of a profile the account's; it is another version of it then."""
    values = {column: row.account_id}
    if "version" in table.c:
        values["version"] = table.c.version + 1
    if "updated_at" in table.c:
        values["updated_at"] = clock.now()
    await work.execute(sa.update(table).where(table.c[column] == row.person_id).values(values))


async def is_own(source: Source, standing: Standing, person_id: UUID) -> bool:
    """True if somebody is the caller, or written down with the caller's address: what nobody may do
    about themselves, they may not do about that either."""
    if standing.person is None or standing.is_person(person_id):
        return standing.person is not None
    address = sa.select(Person.email_key).where(col(Person.id) == standing.person.id)
    found = sa.select(UnclaimedProfile.person_id).where(
        col(UnclaimedProfile.person_id) == person_id,
        col(UnclaimedProfile.email_key) == address.scalar_subquery(),
    )
    return await source.first(found) is not None


async def account_of(work: Work, person: Person) -> Person | None:
    """The account behind a person: their own, or the one for which a profile waits.

    What only its owner may have is mailed to the account's own address: what somebody typed may
    look alike to the key and still be another's.
    """
    if person.email_key is not None:
        return person
    found = (
        sa.select(Person)
        .join(UnclaimedProfile, col(UnclaimedProfile.email_key) == Person.email_key)
        .where(col(UnclaimedProfile.person_id) == person.id)
    )
    return (await work.execute(found)).scalars().first()
