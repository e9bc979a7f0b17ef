"""Users as a partner's directory has them. Whether somebody has an account here shows in none of
them: the row is the partner's, and an account is found or made when a user is put into a group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from scim2_models import Resource, SearchRequest
from sqlmodel import col

from app import activity, clock, errors, provisioning_errors
from app.db import Source, Work, unique_or
from app.models import Community, Membership, ProvisionedMember, ProvisionedUser
from app.policy import Standing
from app.schemas import provisioning as schema
from app.schemas.base import address_key
from app.schemas.provisioning import DEFAULT_RESULTS, MOST_RESULTS, Group, GroupOfUser, User
from app.services import provisioned_members, provisioning, seating
from app.services import provisioning_filters as filters

_TAKEN = {
    "uq_provisioned_user_partner_id_user_name_key": provisioning_errors.UserNameTaken(),
    "uq_provisioned_user_partner_id_external_id": provisioning_errors.ExternalIdTaken(),
}
_USERS = sa.select(*sa.inspect(ProvisionedUser).columns)
COLUMNS: filters.Columns = {
    "id": filters.identifier(col(ProvisionedUser.id)),
    "externalid": filters.exact(col(ProvisionedUser.external_id)),
    "username": filters.address(col(ProvisionedUser.user_name_key)),
    "displayname": filters.words(col(ProvisionedUser.display_name)),
    "name.formatted": filters.words(col(ProvisionedUser.formatted_name)),
    "name.givenname": filters.words(col(ProvisionedUser.given_name)),
    "name.familyname": filters.words(col(ProvisionedUser.family_name)),
    "active": filters.flag(col(ProvisionedUser.active)),
    "meta.created": filters.instant(col(ProvisionedUser.created_at)),
    "meta.lastmodified": filters.instant(col(ProvisionedUser.updated_at)),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of resources, from `start` on, of `total` that there are."""

    total: int
    start: int
    resources: Sequence[Resource[Any]]


def page_of(asked: SearchRequest[Any]) -> tuple[int, int]:
    """From where a query wants how many; startIndex counts from 1."""
    count = DEFAULT_RESULTS if asked.count is None else min(asked.count, MOST_RESULTS)
    return min(asked.start_index_0 or 0, 2**31), count


async def find(source: Source, standing: Standing, asked: SearchRequest[Any]) -> Found:
    """The partner's users that a query asks for. Raises FilterUnusable, PathUnusable."""
    partner = provisioning.partner_of(standing)
    mine = sa.and_(col(ProvisionedUser.partner_id) == partner.id, filters.condition(asked, COLUMNS))
    total = await source.one(sa.select(sa.func.count().label("found")).where(mine))
    start, count = page_of(asked)
    ordered = filters.order(asked, COLUMNS, col(ProvisionedUser.id))
    rows = await source.rows(_USERS.where(mine).order_by(*ordered).offset(start).limit(count))
    return Found(total.found, start + 1, await _shown(source, standing, rows))


async def get(source: Source, standing: Standing, user_id: UUID) -> User:
    """One of the partner's users. Raises NotFound, for another partner's too."""
    partner = provisioning.partner_of(standing)
    row = await source.one(
        _USERS.where(
            col(ProvisionedUser.id) == user_id, col(ProvisionedUser.partner_id) == partner.id
        )
    )
    return (await _shown(source, standing, [row]))[0]


async def _shown(source: Source, standing: Standing, rows: Sequence[Any]) -> list[User]:
    """Users with their groups, which are read in one statement for all."""
    groups = await _groups_of(source, standing, [row.id for row in rows])
    found = []
    for row in rows:
        user, mine = schema.user_of(row), groups.get(row.id, [])
        version = provisioning.version_of(row.version, [(one.value, one.display) for one in mine])
        user.groups = mine or None
        user.meta = provisioning.meta(User, row.id, version, row.created_at, row.updated_at)
        found.append(user)
    return found


async def _groups_of(
    source: Source, standing: Standing, user_ids: Sequence[UUID]
) -> dict[UUID, list[GroupOfUser]]:
    rows = await source.rows(
        visible(standing)
        .with_only_columns(ProvisionedMember.user_id, Community.id, Community.name)
        .join(Community, col(Community.id) == ProvisionedMember.community_id)
        .where(col(ProvisionedMember.user_id).in_(user_ids), provisioning.within_reach(standing))
        .order_by(col(Community.id))
    )
    found: dict[UUID, list[GroupOfUser]] = {}
    for row in rows:
        shown = GroupOfUser(
            value=str(row.id),
            ref=provisioning.reference(Group, row.id),
            display=row.name["en"],
            type="direct",
        )
        found.setdefault(row.user_id, []).append(shown)
    return found


def visible(standing: Standing) -> sa.Select[Any]:
    """The members that a partner is shown: those whom it put there, while their membership is not
    over. Others are not, whatever address it gives to a user of its own."""
    partner = provisioning.partner_of(standing)
    return (
        sa.select(ProvisionedMember.community_id, ProvisionedMember.user_id)
        .join(ProvisionedUser, col(ProvisionedUser.id) == ProvisionedMember.user_id)
        .join(
            Membership,
            sa.and_(
                col(Membership.person_id) == ProvisionedUser.person_id,
                col(Membership.community_id) == ProvisionedMember.community_id,
                seating.membership_is_not_over(standing.today),
            ),
        )
        .where(
            col(ProvisionedUser.partner_id) == partner.id,
            col(ProvisionedMember.membership_id).is_not(None),
        )
    )


# Changes


async def create(work: Work, standing: Standing, sent: User) -> User:
    """A user of the partner's. Raises UserNameTaken, ExternalIdTaken: by its own users alone."""
    partner = provisioning.partner_of(standing)
    now = clock.now()
    values: dict[str, Any] = schema.columns_of(sent) | {"active": sent.active is not False}
    user = ProvisionedUser(
        **values,
        partner_id=partner.id,
        user_name_key=address_key(values["user_name"]),
        created_at=now,
        updated_at=now,
    )
    async with unique_or(work, _TAKEN):
        work.add(user)
    activity.record(work, "provisioned_user.created", standing, user.id)
    return (await _shown(work, standing, [user]))[0]


async def replace(
    work: Work, standing: Standing, user_id: UUID, sent: User, if_match: str | None
) -> User:
    """Makes a user what was sent; what was left out is cleared, but `active` stays.

    Raises NotFound, PreconditionFailed, UserNameTaken, ExternalIdTaken, SeatHeld.
    """
    user, seen = await _locked(work, standing, user_id, if_match)
    values = schema.columns_of(sent)
    if sent.active is None:
        values["active"] = user.active
    return await _changed(work, standing, user, seen, values)


async def patch(
    work: Work, standing: Standing, user_id: UUID, body: dict[str, Any], if_match: str | None
) -> User:
    """Changes a user by operations. Raises NotFound, PreconditionFailed, UserNameTaken,
    ExternalIdTaken, SeatHeld, and what is wrong with the operations."""
    user, seen = await _locked(work, standing, user_id, if_match)
    patched = schema.patched_user(seen.model_copy(deep=True), body)
    values = schema.columns_of(patched)
    if patched.active is None:
        values["active"] = user.active
    return await _changed(work, standing, user, seen, values)


async def delete(work: Work, standing: Standing, user_id: UUID, if_match: str | None) -> None:
    """Forgets a user, and ends the memberships that were begun for them. The account stays.

    Raises NotFound, PreconditionFailed, SeatHeld.
    """
    user, _ = await _locked(work, standing, user_id, if_match)
    await provisioned_members.forget(work, standing, user)
    await work.delete(user)
    activity.record(work, "provisioned_user.deleted", standing, user.id)


async def _locked(
    work: Work, standing: Standing, user_id: UUID, if_match: str | None
) -> tuple[ProvisionedUser, User]:
    """The user, held for this unit of work alone, and as the partner sees it."""
    partner = provisioning.partner_of(standing)
    user = await work.locked(ProvisionedUser, user_id)
    if user.partner_id != partner.id:
        raise errors.NotFound
    (seen,) = await _shown(work, standing, [user])
    provisioning.refuse_stale(if_match, str(seen.meta.version if seen.meta else ""))
    return user, seen


async def _changed(
    work: Work, standing: Standing, user: ProvisionedUser, seen: User, values: dict[str, Any]
) -> User:
    changed = [name for name, value in values.items() if getattr(user, name) != value]
    if not changed:
        return seen
    async with unique_or(work, _TAKEN):
        for name in changed:
            setattr(user, name, values[name])
        if "user_name" in changed:
            user.user_name_key = address_key(user.user_name)
            await _unlink(work, user)
        user.updated_at = clock.now()
        user.version += 1
    activity.record(
        work,
        "provisioned_user.updated",
        standing,
        user.id,
        members=changed,
        active=user.active,
    )
    if "active" in changed:
        turn = provisioned_members.wake if user.active else provisioned_members.rest
        await turn(work, standing, user)
    return (await _shown(work, standing, [user]))[0]


async def _unlink(work: Work, user: ProvisionedUser) -> None:
    """A user of another address is another person, unless they have been put somewhere."""
    placed = sa.select(ProvisionedMember.id).where(col(ProvisionedMember.user_id) == user.id)
    if await work.first(placed.limit(1)) is None:
        user.person_id = None
