"""The association's own data: who it is, and its closed lists."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity, errors, settings
from app.db import Source, Work
from app.models import (
    Association,
    Occupation,
    Territory,
)
from app.policy import Standing
from app.preconditions import Expected, merge
from app.reader import Prepared
from app.services.standing import rules_in_force
from app.statements import Select

_COLUMNS = tuple(sa.inspect(Association).columns)


def _association(day: Any) -> Select:
    return sa.select(*_COLUMNS, rules_in_force(day).label("rules_version"))


async def get(source: Source, standing: Standing) -> dict[str, Any]:
    """The association."""
    row = await source.one(_association(standing.today))
    notice = dict(row.privacy_notice)
    return {
        **row._asdict(),
        "time_zone": settings.get().zone.key,
        "notices": row.notices,
        "privacy_notice": {"version": notice["version"], "text": notice["text"]},
    }


async def privacy_notice_version(work: Work) -> int:
    """The version of the privacy notice that stands beside forms, kept with what is sent by one."""
    row = await work.one(sa.select(Association.privacy_notice))
    return row.privacy_notice["version"]


async def update(work: Work, standing: Standing, patch: dict[str, Any], expected: Expected) -> None:
    """Changes the association's texts; a new privacy notice gets the next version."""
    association = await work.locked(Association, 1)
    expected.check(association.version)
    notice = association.privacy_notice
    if patch.get("privacy_notice", notice["text"]) != notice["text"]:
        notice = {"version": notice["version"] + 1, "text": patch["privacy_notice"]}
    changed = merge(association, patch | {"privacy_notice": notice})
    if changed:
        activity.record(work, "association.updated", standing, association.code, members=changed)
        await work.flush()


async def occupations(source: Source) -> list[dict[str, Any]]:
    """The closed list of occupations, in the order of forms."""
    return [row._asdict() for row in await source.rows(_OCCUPATIONS)]


async def territories(source: Source) -> list[dict[str, Any]]:
    """The closed list of territories."""
    return [row._asdict() for row in await source.rows(_TERRITORIES)]


_OCCUPATIONS = Prepared(
    sa.select(Occupation.code, Occupation.label, Occupation.also_called).order_by(
        col(Occupation.place)
    )
)
_TERRITORIES = Prepared(
    sa.select(Territory.code, Territory.name, Territory.also_called).order_by(col(Territory.place))
)


async def refuse_unknown_codes(
    source: Source, occupation_code: str | None, territory: str | None, within: str = ""
) -> None:
    """Raises Invalid for codes that the closed lists do not have."""
    wrong = []
    if occupation_code is not None and not await source.rows(
        sa.select(Occupation.code).where(col(Occupation.code) == occupation_code)
    ):
        wrong.append(errors.field(f"{within}/occupation_code", "not_known"))
    if territory is not None and not await source.rows(
        sa.select(Territory.code).where(col(Territory.code) == territory)
    ):
        wrong.append(errors.field(f"{within}/territory", "not_known"))
    if wrong:
        raise errors.Invalid(errors=wrong)
