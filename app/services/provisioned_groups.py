"""Communities as a partner's directory has them: groups whose members it puts in and takes out."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from scim2_models import SearchRequest
from sqlmodel import col

from app import activity, clock, provisioning_errors
from app.db import Source, Work, insert_ignoring, unique_or
from app.models import Community, ProvisionedGroup, ProvisionedMember, ProvisionedUser, new_id
from app.policy import Standing
from app.schemas.provisioned_groups import Wanted
from app.schemas.provisioning import Group
from app.services import provisioned_members, provisioned_users, provisioning
from app.services import provisioning_filters as filters
from app.services.provisioned_users import Found, page_of

_TAKEN = {"uq_provisioned_group_partner_id_external_id": provisioning_errors.ExternalIdTaken()}
# At once: everybody else who writes waits meanwhile.
MOST_CHANGES = 1000
_NAME = col(Community.name)["en"].as_string()


def _columns(standing: Standing) -> filters.Columns:
    def among_members(condition: Any) -> Any:
        members = provisioned_users.visible(standing).where(condition)
        return members.where(col(ProvisionedMember.community_id) == Community.id).exists()

    return {
        "id": filters.identifier(col(Community.id)),
        "externalid": filters.exact(col(ProvisionedGroup.external_id)),
        "displayname": filters.words(_NAME),
        "members.value": filters.identifier(col(ProvisionedMember.user_id), among_members),
        "meta.created": filters.instant(col(Community.created_at)),
        "meta.lastmodified": filters.instant(_MODIFIED),
    }


_MODIFIED = sa.case(
    (
        col(ProvisionedGroup.updated_at) > col(Community.updated_at),
        col(ProvisionedGroup.updated_at),
    ),
    else_=col(Community.updated_at),
)


def _groups(standing: Standing, *columns: Any) -> sa.Select[Any]:
    partner = provisioning.partner_of(standing)
    mine = sa.and_(
        col(ProvisionedGroup.community_id) == Community.id,
        col(ProvisionedGroup.partner_id) == partner.id,
    )
    return (
        sa.select(*columns)
        .select_from(sa.outerjoin(Community, ProvisionedGroup, mine))
        .where(provisioning.within_reach(standing))
    )


_SHOWN = (
    col(Community.id),
    _NAME.label("name"),
    col(ProvisionedGroup.external_id),
    col(Community.created_at),
    _MODIFIED.label("modified"),
)


async def find(source: Source, standing: Standing, asked: SearchRequest[Any]) -> Found:
    """The groups that a query asks for. Raises FilterUnusable, PathUnusable."""
    columns = _columns(standing)
    condition = filters.condition(asked, columns)
    counted = _groups(standing, sa.func.count().label("found")).where(condition)
    start, count = page_of(asked)
    ordered = filters.order(asked, columns, col(Community.id))
    rows = await source.rows(
        _groups(standing, *_SHOWN).where(condition).order_by(*ordered).offset(start).limit(count)
    )
    total = (await source.one(counted)).found
    return Found(total, start + 1, await _shown(source, standing, rows))


async def get(source: Source, standing: Standing) -> Group:
    """The group that is the community of the caller's standing."""
    row = await source.one(_groups(standing, *_SHOWN).where(col(Community.id) == standing.here.id))
    return (await _shown(source, standing, [row]))[0]


async def _shown(source: Source, standing: Standing, rows: Sequence[Any]) -> list[Group]:
    """Groups with their members, which are read in one statement for all."""
    places = [row.id for row in rows]
    members: dict[UUID, list[UUID]] = {place: [] for place in places}
    statement = provisioned_users.visible(standing).where(
        col(ProvisionedMember.community_id).in_(places)
    )
    for member in await source.rows(statement.order_by(col(ProvisionedMember.user_id))):
        members[member.community_id].append(member.user_id)
    return [_group(row, members[row.id]) for row in rows]


def _group(row: Any, members: list[UUID]) -> Group:
    version = provisioning.version_of(row.name, row.external_id, members)
    return Group(
        id=str(row.id),
        external_id=row.external_id,
        display_name=row.name,
        meta=provisioning.meta(Group, row.id, version, row.created_at, row.modified),
    ).holding(members)


async def change(work: Work, standing: Standing, wanted: Wanted, if_match: str | None) -> None:
    """Makes a group what is wanted of it: puts in and takes out, and nobody who is there already
    or was not.

    Raises PreconditionFailed, MemberUnknown, TooMuch, ExternalIdTaken, SeatHeld,
    CommunityArchived, EligibilityNotVerified.
    """
    group = await _locked(work, standing)
    if if_match is not None:
        seen = await get(work, standing)
        provisioning.refuse_stale(if_match, str(seen.meta.version if seen.meta else ""))
    if wanted.identified and group.external_id != wanted.external_id:
        async with unique_or(work, _TAKEN):
            group.external_id = wanted.external_id
            group.updated_at = clock.now()
        activity.record(
            work,
            "provisioned_group.updated",
            standing,
            group.id,
            community_id=group.community_id,
            members=["external_id"],
        )
    if wanted.steps:
        await _change_members(work, standing, group, wanted)


async def _locked(work: Work, standing: Standing) -> ProvisionedGroup:
    """The partner's own row for the group, made where there is none, and held by this unit of work
    alone: under it the partner changes the group's members, one request after the other."""
    partner = provisioning.partner_of(standing)
    mine = {"partner_id": partner.id, "community_id": standing.here.id}
    values = {"id": new_id(), "updated_at": clock.now()} | mine
    await work.execute(insert_ignoring(work, ProvisionedGroup, values))
    statement = sa.select(ProvisionedGroup).filter_by(**mine).with_for_update()
    return await work.entity(statement)


async def _change_members(
    work: Work, standing: Standing, group: ProvisionedGroup, wanted: Wanted
) -> None:
    there = await _members(work, group)
    before = frozenset(there)
    after = wanted.after(before)
    if after == before:
        return
    if len(before ^ after) > MOST_CHANGES:
        raise provisioning_errors.TooMuch
    users = await _users(work, group.partner_id, before ^ after)
    if after - before - set(users):
        raise provisioning_errors.MemberUnknown
    there = await _members(work, group)  # as they stand, now that the users are held
    gone = [there[user_id] for user_id in sorted(before - after)]
    new = [users[user_id] for user_id in sorted(after - before)]
    if gone:
        await provisioned_members.lift(work, standing, gone)
    if new:
        await provisioned_members.place(work, standing, standing.here, new)
    group.updated_at = clock.now()


async def _members(work: Work, group: ProvisionedGroup) -> dict[UUID, ProvisionedMember]:
    """All whom the partner has put into the group, by user: also those whose membership is over."""
    found = await work.execute(
        sa.select(ProvisionedMember)
        .join(ProvisionedUser, col(ProvisionedUser.id) == ProvisionedMember.user_id)
        .where(
            col(ProvisionedUser.partner_id) == group.partner_id,
            col(ProvisionedMember.community_id) == group.community_id,
        )
        .execution_options(populate_existing=True)
    )
    return {member.user_id: member for member in found.scalars()}


async def _users(
    work: Work, partner_id: UUID, user_ids: frozenset[UUID]
) -> dict[UUID, ProvisionedUser]:
    """The partner's users of these ids, held in the order of their ids."""
    found = await work.execute(
        sa.select(ProvisionedUser)
        .where(col(ProvisionedUser.partner_id) == partner_id, col(ProvisionedUser.id).in_(user_ids))
        .order_by(col(ProvisionedUser.id))
        .with_for_update()
    )
    return {user.id: user for user in found.scalars()}
