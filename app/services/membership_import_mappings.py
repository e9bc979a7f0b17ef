"""Mappings of columns that are kept by name, for the association or for one community."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, import_errors
from app.db import Source, Work, unique_or
from app.models import Association, Community, MembershipImportMapping
from app.policy import Standing
from app.preconditions import Expected
from app.schemas.membership_mappings import MembershipMapping
from app.services import communities

MOST = 100
_MAPPINGS = (
    sa.select(
        *sa.inspect(MembershipImportMapping).columns,
        col(Community.slug).label("community_slug"),
        col(Community.name).label("community_name"),
    )
    .select_from(MembershipImportMapping)
    .outerjoin(Community, col(Community.id) == MembershipImportMapping.community_id)
)


def _here(standing: Standing) -> Any:
    place = standing.community.id if standing.community else None
    return col(MembershipImportMapping.community_id).is_not_distinct_from(place)


def _shown(row: Any) -> dict[str, Any]:
    community = communities.reference(row) if row.community_id else None
    return {**row._asdict(), "community": community}


async def of(source: Source, standing: Standing) -> list[dict[str, Any]]:
    """The mappings that are kept where the caller stands, by name."""
    rows = await source.rows(
        _MAPPINGS.where(_here(standing)).order_by(col(MembershipImportMapping.name))
    )
    return [_shown(row) for row in rows]


async def kept(source: Source, standing: Standing, name: str) -> MembershipMapping:
    """The mapping of this name. Raises Invalid where none is kept."""
    row = await source.first(
        _MAPPINGS.where(_here(standing), col(MembershipImportMapping.name) == name)
    )
    if row is None:
        raise errors.Invalid(errors=[errors.field("/mapping_name", "not_known")])
    return MembershipMapping.model_validate(row.mapping)


async def save(
    work: Work, standing: Standing, name: str, mapping: MembershipMapping, expected: Expected
) -> dict[str, Any]:
    """Keeps a mapping under a name, in place of the one that was kept under it before.

    Raises TooManyMappings, PreconditionFailed.
    """
    now = clock.now()
    found = sa.select(MembershipImportMapping).where(
        _here(standing), col(MembershipImportMapping.name) == name
    )
    there = (await work.execute(found.with_for_update())).scalars().first()
    expected.check(there.version if there else 0)
    if there is None:
        await _refuse_too_many(work, standing)
        there = MembershipImportMapping(
            community_id=standing.community.id if standing.community else None,
            name=name,
            mapping={},
            created_at=now,
            updated_at=now,
            version=0,
        )
    said = mapping.model_dump(mode="json")
    if there.mapping != said:
        there.mapping = said
        there.updated_at = now
        there.version += 1
        work.add(there)
        activity.record(
            work,
            "membership_import_mapping.saved",
            standing,
            there.id,
            community_id=there.community_id,
        )
    taken = errors.Unavailable()  # somebody else has kept one under it at the same moment
    async with unique_or(
        work,
        {
            "uq_membership_import_mapping_association": taken,
            "uq_membership_import_mapping_community_id_name": taken,
        },
    ):
        pass
    return _shown(await work.one(_MAPPINGS.where(col(MembershipImportMapping.id) == there.id)))


async def _refuse_too_many(work: Work, standing: Standing) -> None:
    """Of several that are kept at once, one is counted after the other."""
    if standing.community is not None:
        await work.locked(Community, standing.community.id)
    else:
        await work.execute(sa.select(Association.id).with_for_update())
    row = await work.one(
        sa.select(sa.func.count().label("count"))
        .select_from(MembershipImportMapping)
        .where(_here(standing))
    )
    if row.count >= MOST:
        raise import_errors.TooManyMappings


async def delete(work: Work, standing: Standing, name: str, expected: Expected) -> None:
    """Throws a mapping away. Raises NotFound, PreconditionFailed."""
    found = sa.select(MembershipImportMapping).where(
        _here(standing), col(MembershipImportMapping.name) == name
    )
    there = await work.entity(found.with_for_update())
    expected.check(there.version)
    await work.delete(there)
    activity.record(
        work,
        "membership_import_mapping.deleted",
        standing,
        there.id,
        community_id=there.community_id,
    )
