"""Partner organisations: what their machines may do at most, and where.

Whoever admits a partner gives it no more than they may do themselves in the whole association:
a credential of it could be theirs the next minute.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.capabilities import MACHINES
from app.db import Source, Work
from app.listing import Listing
from app.models import Partner
from app.policy import Capability, Standing
from app.preconditions import Expected, merge
from app.services import scoping

PARTNERS = sa.select(*sa.inspect(Partner).columns)
LISTING = Listing(PARTNERS, col(Partner.id))
_ACTS = ["update_partner", "list_credentials", "create_credential"]


def shown(row: Any, standing: Standing) -> dict[str, Any]:
    """A partner as those see it who look after partners; no token changes one."""
    acts = _ACTS if standing.bounds is None else ["list_credentials"]
    return {**row._asdict(), "viewer": {"can": acts}}


async def get(source: Source, standing: Standing, partner_id: UUID) -> dict[str, Any]:
    """One partner."""
    return shown(await source.one(PARTNERS.where(col(Partner.id) == partner_id)), standing)


async def create(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """Admits a partner. Raises Invalid, and PermissionDenied for what the caller may not do."""
    refuse_beyond(standing, body["capabilities"])
    now = clock.now()
    given: dict[str, Any] = body | {
        "capabilities": _arranged(body["capabilities"]),
        "communities": await scoping.places(work, standing, body["communities"]),
    }
    partner = Partner(
        **given,
        created_at=now,
        updated_at=now,
    )
    work.add(partner)
    activity.record(
        work,
        "partner.created",
        standing,
        partner.id,
        capabilities=partner.capabilities,
        communities=partner.communities,
    )
    await work.flush()
    return await get(work, standing, partner.id)


async def update(
    work: Work, standing: Standing, partner_id: UUID, patch: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Changes a partner; what it may have holds at the next request of its machines.

    Raises Invalid, PreconditionFailed; PermissionDenied where it would get what the caller may not
    do themselves.
    """
    partner = await work.locked(Partner, partner_id)
    expected.check(partner.version)
    if "communities" in patch:
        patch["communities"] = await _settled(work, standing, partner, patch["communities"])
    if "capabilities" in patch:
        patch["capabilities"] = _arranged(patch["capabilities"])
    refuse_beyond(standing, _gained(partner, patch))
    changed = merge(partner, patch)
    if changed:
        partner.updated_at = clock.now()
        activity.record(
            work,
            "partner.updated",
            standing,
            partner.id,
            members=changed,
            capabilities=partner.capabilities,
            communities=partner.communities,
            active=partner.active,
        )
        await work.flush()
    return await get(work, standing, partner_id)


async def _settled(
    work: Work, standing: Standing, partner: Partner, named: list[str] | None
) -> list[str] | None:
    """The communities that were named; those that it had already need not be seen by the caller."""
    if named is None:
        return None
    had = partner.communities or []
    kept = [name for name in named if name in had]
    new = [name for name in named if name not in had]
    found = await scoping.places(work, standing, new) or []
    return list(dict.fromkeys(kept + found))


def _arranged(capabilities: Iterable[str]) -> list[str]:
    wanted = set(capabilities)
    return [capability for capability in Capability if capability in wanted]


def _gained(partner: Partner, patch: dict[str, Any]) -> list[str]:
    """The capabilities that a change gives, or gives anywhere else, or gives back."""
    after = patch.get("capabilities", partner.capabilities)
    places = patch.get("communities", partner.communities)
    before = partner.communities
    wider = before is not None and (places is None or not set(places) <= set(before))
    if wider or (patch.get("active", False) and not partner.active):
        return list(after)
    return [capability for capability in after if capability not in partner.capabilities]


def refuse_beyond(standing: Standing, capabilities: Iterable[str]) -> None:
    """Raises Invalid for what is never for machines, PermissionDenied for what the caller may not
    do themselves in the whole association."""
    listed = list(capabilities)
    wrong = [
        errors.field(f"/capabilities/{index}", "not_for_machines")
        for index, capability in enumerate(listed)
        if capability not in MACHINES
    ]
    if wrong:
        raise errors.Invalid(errors=wrong)
    for capability in listed:
        standing.require(Capability(capability))
