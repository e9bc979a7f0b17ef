"""Changes of the permission table: proposed by one person, confirmed by another.

A change waits for a second holder of grants:manage, unless the association has set that aside
(`association.confirms_grants`); setting it aside is such a change itself. Rights follow at the next
request of anybody, since each compares the table's version.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, ceilings, clock, errors, policy
from app.db import Source, Work
from app.listing import Listing
from app.models import (
    Association,
    Grant,
    GrantChange,
    GrantChangeStatus,
    GrantOutcome,
    Person,
    Position,
    PositionScope,
)
from app.policy import Capability, Standing
from app.preconditions import Expected
from app.services import grants

_Proposer = aliased(Person)
_Decider = aliased(Person)
CHANGES = sa.select(
    *sa.inspect(GrantChange).columns,
    col(_Proposer.name).label("proposer"),
    col(_Decider.name).label("decider"),
).select_from(
    sa.join(GrantChange, _Proposer, col(_Proposer.id) == GrantChange.proposed_by).outerjoin(
        _Decider, col(_Decider.id) == GrantChange.decided_by
    )
)
ALL = Listing(CHANGES, col(GrantChange.id), descending=True)
OF_STATUS = Listing(
    CHANGES.where(col(GrantChange.status) == sa.bindparam("status", type_=sa.String)),
    col(GrantChange.id),
    descending=True,
)


def asked(status: GrantChangeStatus | None) -> tuple[Listing, dict[str, Any]]:
    """All changes, or those in one state, the latest first."""
    return (ALL, {}) if status is None else (OF_STATUS, {"status": status})


async def shown_all(source: Source, standing: Standing, rows: list[Any]) -> list[dict[str, Any]]:
    """Changes as this caller sees them."""
    able = await grants.holders(source)
    return [_shown(row, standing, able) for row in rows]


def _shown(row: Any, standing: Standing, able: set[UUID]) -> dict[str, Any]:
    decided = {"id": row.decided_by, "name": row.decider} if row.decided_by else None
    can = []
    if row.status == GrantChangeStatus.PENDING:
        mine = row.proposed_by == standing.me.id
        can = ["withdraw_grant_change" if mine else "decide_grant_change"]
    return {
        **row._asdict(),
        "replaces": row.replaced,
        "proposed_by": {"id": row.proposed_by, "name": row.proposer},
        "decided_by": decided,
        "confirmers": len(able - {row.proposed_by}),
        "viewer": {"can": can},
    }


async def get(source: Source, standing: Standing, change_id: UUID) -> dict[str, Any]:
    """One change."""
    row = await source.one(CHANGES.where(col(GrantChange.id) == change_id))
    return (await shown_all(source, standing, [row]))[0]


async def propose(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """Proposes a change; where the association confirms none it is made at once.

    Raises Invalid, GrantChangeStale, GrantCeiling, GrantLastHolder, GrantUnchanged.
    """
    association = await work.locked(Association, 1)
    _refuse_misshapen(standing, body)
    if body["based_on"] > association.grants_version:
        raise errors.Invalid(errors=[errors.field("/based_on", "not_known")])
    change = GrantChange(
        **body, proposed_at=clock.now(), proposed_by=standing.me.id, updated_at=clock.now()
    )
    await _refuse_stale(work, change)
    if change.capability is None:
        if change.confirms_grants == association.confirms_grants:
            raise errors.GrantUnchanged
    else:
        await _refuse_unfit(work, standing, change)
    work.add(change)
    await work.flush()
    if association.confirms_grants:
        facts = _moved(change) | _subject(change)
        activity.record(work, "grant.change_proposed", standing, change.id, **facts)
    else:
        await _make(work, standing, association, change)
    await work.flush()
    return await get(work, standing, change.id)


def _refuse_misshapen(standing: Standing, body: dict[str, Any]) -> None:
    """Either a row with its grantees, or the setting, which is of the association as well."""
    wrong = []
    if body["confirms_grants"] is None:
        wrong = [
            errors.field(f"/{member}", "required")
            for member in ("capability", "granted_to")
            if body[member] is None
        ]
    elif body["capability"] is not None or body["granted_to"] is not None:
        wrong = [errors.field("/confirms_grants", "one_change_at_a_time")]
    if wrong:
        raise errors.Invalid(errors=wrong)
    if body["confirms_grants"] is not None:
        standing.require(Capability.ASSOCIATION_MANAGE)


async def _refuse_unfit(work: Work, standing: Standing, change: GrantChange) -> None:
    capability, granted_to = Capability(str(change.capability)), list(change.granted_to or ())
    rows = await work.rows(sa.select(Position.code, Position.scope, Position.rank))
    order = {row.code: (row.scope != PositionScope.COMMUNITY, row.rank, row.code) for row in rows}
    known = {*order, *policy.BASE_GRANTEES}
    unknown = [
        errors.field(f"/granted_to/{index}", "not_known")
        for index, grantee in enumerate(granted_to)
        if grantee not in known
    ]
    if unknown:
        raise errors.Invalid(errors=unknown)
    if any(ceilings.exceeded(capability, grantee) for grantee in granted_to):
        raise errors.GrantCeiling
    if capability is Capability.GRANTS_MANAGE:
        await grants.refuse_without_holder(work, standing, granted_to)
    held = {
        row.grantee
        for row in await work.rows(
            sa.select(Grant.grantee).where(col(Grant.capability) == capability)
        )
    }
    if held == set(granted_to):
        raise errors.GrantUnchanged

    def arranged(grantees: set[str]) -> list[str]:
        base = [grantee for grantee in policy.BASE_GRANTEES if grantee in grantees]
        return base + sorted(grantees.difference(base), key=lambda code: order.get(code, (9,)))

    change.granted_to, change.replaced = arranged(set(granted_to)), arranged(held)


async def _refuse_stale(work: Work, change: GrantChange) -> None:
    """Raises GrantChangeStale if what is to be changed has moved since its author read it."""
    same = (
        col(GrantChange.capability).is_(None)
        if change.capability is None
        else col(GrantChange.capability) == change.capability
    )
    moved = await work.first(
        sa.select(GrantChange.id)
        .where(same, col(GrantChange.made_version) > change.based_on)
        .limit(1)
    )
    if moved is not None:
        raise errors.GrantChangeStale


def _subject(change: GrantChange) -> dict[str, Any]:
    """What is to change, as records say it."""
    return {"capability": change.capability, "confirms_grants": change.confirms_grants}


def _moved(change: GrantChange) -> dict[str, Any]:
    """Who is given the capability, and from whom it is taken."""
    after, before = set(change.granted_to or ()), set(change.replaced or ())
    return {"added": after - before, "removed": before - after}


async def _make(
    work: Work, standing: Standing, association: Association, change: GrantChange
) -> None:
    """Makes the change: it holds at the next request of anybody."""
    if change.capability is None:
        association.confirms_grants = bool(change.confirms_grants)
        association.version += 1
    else:
        if change.capability == Capability.GRANTS_MANAGE:
            await grants.refuse_without_holder(work, standing, list(change.granted_to or ()))
        await work.execute(sa.delete(Grant).where(col(Grant.capability) == change.capability))
        work.add_all(
            Grant(capability=change.capability, grantee=grantee)
            for grantee in change.granted_to or ()
        )
    association.grants_version += 1
    change.made_version = association.grants_version
    second = None if change.proposed_by == standing.me.id else standing.me.id
    if second is None:
        change.close(GrantChangeStatus.MADE, None, None, clock.now())
    people: dict[str, Any] = {
        "change_id": change.id,
        "proposed_by": change.proposed_by,
        "confirmed_by": second,
    }
    if change.capability is None:
        about, facts = association.code, {"confirms_grants": change.confirms_grants}
        activity.record(
            work, "association.confirmation_changed", standing, about, **people, **facts
        )
    else:
        about, facts = change.capability, _moved(change)
        activity.record(work, "grant.changed", standing, about, **people, **facts)


async def decide(
    work: Work, standing: Standing, change_id: UUID, body: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """A second person confirms a change, which is thereby made, or refuses it. Once.

    Raises Invalid, OwnGrantChange, GrantChangeDecided, GrantChangeStale, GrantLastHolder.
    """
    outcome, reason = body["outcome"], body["reason"]
    if outcome is GrantOutcome.REFUSED and reason is None:
        raise errors.Invalid(errors=[errors.field("/reason", "reason_required")])
    # In this order everywhere: what takes the last holder away waits at the association's row.
    association = await work.locked(Association, 1)
    change = await work.locked(GrantChange, change_id)
    if change.proposed_by == standing.me.id:
        raise errors.OwnGrantChange
    _refuse_decided(change, expected)
    if standing.me.id not in await grants.holders(work):
        # They were one when the request came, and have lost it while it waited for the lock.
        positions = standing.grants.positions(Capability.GRANTS_MANAGE)
        reasons = [policy.because("position_required", positions=positions)]
        raise errors.PermissionDenied(
            members={"capability": Capability.GRANTS_MANAGE, "because": reasons}
        )
    by, now = standing.me.id, clock.now()
    if outcome is GrantOutcome.REFUSED:
        change.close(GrantChangeStatus.REFUSED, by, reason, now)
        facts: dict[str, Any] = _subject(change) | {"proposed_by": change.proposed_by}
        activity.record(work, "grant.change_refused", standing, change.id, **facts)
    else:
        await _refuse_stale(work, change)
        change.close(GrantChangeStatus.MADE, by, reason, now)
        await _make(work, standing, association, change)
    await work.flush()
    return await get(work, standing, change.id)


def _refuse_decided(change: GrantChange, expected: Expected) -> None:
    if change.status != GrantChangeStatus.PENDING:
        raise errors.GrantChangeDecided
    expected.check(change.version)


async def withdraw(
    work: Work, standing: Standing, change_id: UUID, reason: str | None
) -> dict[str, Any]:
    """Takes one's own proposal back. Raises GrantChangeDecided."""
    change = await work.locked(GrantChange, change_id)
    if change.proposed_by != standing.me.id:
        standing.refuse_others(Capability.GRANTS_MANAGE)
    if change.status != GrantChangeStatus.PENDING:
        raise errors.GrantChangeDecided
    change.close(GrantChangeStatus.WITHDRAWN, None, reason, clock.now())
    activity.record(work, "grant.change_withdrawn", standing, change.id, **_subject(change))
    await work.flush()
    return await get(work, standing, change.id)
