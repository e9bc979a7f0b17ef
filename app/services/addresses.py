"""The caller's own address, and forms in which anybody may write anybody's."""

from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col

from app import clock, errors
from app.db import Source, Work
from app.models import Person
from app.policy import Standing
from app.reader import Prepared

_OWN = Prepared(
    sa.select(Person.email_key, Person.email_verified_at).where(
        col(Person.id) == sa.bindparam("caller", type_=sa.Uuid)
    )
)


class OwnAddress(NamedTuple):
    """The key of the address that an account says is its own, and the same if that is proven."""

    said: str | None
    proven: str | None


async def own(source: Source, standing: Standing) -> OwnAddress:
    """The address of the caller; of a stranger and of a machine there is none."""
    if standing.person is None:
        return OwnAddress(None, None)
    mine = await source.one(_OWN, caller=standing.person.id)
    return OwnAddress(mine.email_key, mine.email_key if mine.email_verified_at else None)


async def refuse_flood(work: Work, unproven: sa.Select, form: Any, key: str, most: int) -> None:
    """Nobody's letter box is filled by forms that somebody else sends in their name: so many of
    these unproven ones an hour, and no more. Raises TooManyRequests."""
    recent = unproven.where(
        col(form.email_key) == key, col(form.submitted_at) > clock.now() - timedelta(hours=1)
    )
    if len(await work.rows(recent.limit(most))) >= most:
        raise errors.TooManyRequests(headers={"Retry-After": "3600"})
