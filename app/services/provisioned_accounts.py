"""Whose accounts a directory's users are: found by their address, or made, and never changed."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock
from app.among import among
from app.db import Work, insert_ignoring
from app.models import Person, ProvisionedUser, new_id
from app.policy import Standing
from app.reader import Prepared
from app.services import eligibility

_ADDRESSES = Prepared(sa.select(Person.id, Person.email_key).where(among(col(Person.id), "people")))


async def find(
    work: Work, standing: Standing, users: Sequence[ProvisionedUser]
) -> dict[UUID, UUID]:
    """The account of each user's address, made where there is none: unproven, without a password.

    An account that is there stays as it is: its profile and its sign-in are its owner's. Whoever
    has been found stays who they are.
    """
    unknown = {user.user_name_key: user for user in users if user.person_id is None}
    if unknown:
        await _link(work, standing, unknown)
    return {user.id: user.person_id for user in users if user.person_id is not None}


async def _link(work: Work, standing: Standing, unknown: dict[str, ProvisionedUser]) -> None:
    now = clock.now()
    made = {
        key: {
            "id": new_id(),
            "name": user.known_as,
            "email": user.user_name,
            "email_key": key,
            "occupation_code": "other",
            "language": "en",
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        for key, user in sorted(unknown.items())
    }
    await work.execute(insert_ignoring(work, Person), list(made.values()))
    found = await work.rows(
        sa.select(Person.id, Person.email_key).where(col(Person.email_key).in_(made))
    )
    for row in found:
        unknown[row.email_key].person_id = row.id
        if row.id == made[row.email_key]["id"]:
            activity.record(work, "account.created", standing, row.id)


async def are_admitted(work: Work, users: Sequence[ProvisionedUser], community_id: UUID) -> bool:
    """True if a restricted community admits all of these users, with or without accounts."""
    linked = [user.person_id for user in users if user.person_id is not None]
    own = {row.id: row.email_key for row in await work.rows(_ADDRESSES, people=linked)}
    addresses = {own.get(user.person_id, user.user_name_key) for user in users}
    return await eligibility.admitted(work, addresses, community_id) == addresses
