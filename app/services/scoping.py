"""What a credential is made for: the communities that were named, and its last day."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, errors
from app.db import Work
from app.models import Community
from app.policy import Standing
from app.services import communities

LONGEST = timedelta(days=366)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


async def places(work: Work, standing: Standing, named: list[str] | None) -> list[str] | None:
    """The ids of the communities that were named by id or slug, each once; None for everywhere.

    Raises Invalid for what is not there for the caller: a hidden one of others is as unknown as
    one that never was.
    """
    if named is None:
        return None
    ids = [UUID(name) for name in named if _UUID.fullmatch(name)]
    rows = await work.rows(
        sa.select(*communities.OWN).where(
            sa.or_(col(Community.slug).in_(named), col(Community.id).in_(ids))
        )
    )
    found: dict[str, str] = {}
    for row, there in zip(rows, await communities.standings_in(work, standing, rows), strict=True):
        if there.sees_page:
            found |= {row.slug: str(row.id), str(row.id): str(row.id)}
    wrong = [
        errors.field(f"/communities/{index}", "not_known")
        for index, name in enumerate(named)
        if _key(name) not in found
    ]
    if wrong:
        raise errors.Invalid(errors=wrong)
    return list(dict.fromkeys(found[_key(name)] for name in named))


def _key(name: str) -> str:
    return name.lower() if _UUID.fullmatch(name) else name


def end_of(expires_on: date) -> datetime:
    """The instant from which on a credential no longer works. Raises Invalid for a last day that
    is over, or more than a year away."""
    today = clock.today()
    if expires_on < today:
        raise errors.Invalid(errors=[errors.field("/expires_on", "day_in_the_past")])
    if expires_on > today + LONGEST:
        raise errors.Invalid(errors=[errors.field("/expires_on", "day_too_far")])
    return clock.end_of(expires_on)


def working(model: Any) -> Any:
    """The condition that a credential still works."""
    return sa.and_(col(model.revoked_at).is_(None), col(model.expires_at) > clock.now())
