"""Checklists of what is handed over with a seat, and who has done what of it."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work
from app.models import HandoverItem, Person, Seat, Term
from app.policy import Capability, Standing
from app.preconditions import Expected, merge
from app.reader import Prepared
from app.services import seating
from app.services.seating import TODAY

_Doer = aliased(Person)
_ITEMS = (
    sa.select(
        HandoverItem.id,
        HandoverItem.community_id,
        HandoverItem.seat_id,
        HandoverItem.text,
        HandoverItem.done_at,
        HandoverItem.done_by,
        HandoverItem.version,
        col(_Doer.name).label("doer"),
    )
    .outerjoin(_Doer, col(_Doer.id) == HandoverItem.done_by)
    .order_by(col(HandoverItem.place), col(HandoverItem.id))
)
_SEATS = Prepared(
    sa.select(Term.seat_id).where(
        col(Term.person_id) == sa.bindparam("person", type_=sa.Uuid),
        col(Term.body_id) == sa.bindparam("community", type_=sa.Uuid),
        seating.term_is_not_over(TODAY),
        sa.or_(col(Term.starts_on) > TODAY, seating.counts(TODAY)),
    )
)


async def in_community(source: Source, standing: Standing) -> list[dict[str, Any]]:
    """What is to be handed over with all seats of the community, in order."""
    return await _shown(source, standing, col(HandoverItem.community_id) == standing.here.id)


async def _shown(source: Source, standing: Standing, wanted: Any) -> list[dict[str, Any]]:
    rows = await source.rows(_ITEMS.where(wanted))
    if not rows:
        return []
    seats = await _own_seats(source, standing)
    keeps, archived = standing.can(Capability.SUCCESSION_MANAGE), standing.here.archived
    found = []
    for row in rows:
        act = "complete_handover_item" if row.done_at is None else "reopen_handover_item"
        able = (keeps or row.seat_id in seats) and not archived
        done_by = {"id": row.done_by, "name": row.doer} if row.done_by else None
        viewer = {"can": [act] if able else []}
        found.append({**row._asdict(), "done_by": done_by, "viewer": viewer})
    return found


async def _own_seats(source: Source, standing: Standing) -> set[UUID]:
    """The seats of the community that the caller holds, acts in by name, or is to follow in."""
    if not standing.can(Capability.LEADERSHIP_READ_HISTORY):
        return set()
    rows = await source.rows(
        _SEATS, today=standing.today, person=standing.me.id, community=standing.here.id
    )
    return {row.seat_id for row in rows}


async def complete(
    work: Work, standing: Standing, item_id: UUID, expected: Expected
) -> dict[str, Any]:
    """Notes that something was handed over, by whom and when; again, it stays as it is.

    For those who keep the plan, whoever holds the seat, and whoever is to follow in it.
    """
    await _set_done(work, standing, item_id, expected, done=True)
    (item,) = await _shown(work, standing, col(HandoverItem.id) == item_id)
    return item


async def reopen(work: Work, standing: Standing, item_id: UUID, expected: Expected) -> None:
    """Notes that it was not handed over after all."""
    await _set_done(work, standing, item_id, expected, done=False)


async def _set_done(
    work: Work, standing: Standing, item_id: UUID, expected: Expected, *, done: bool
) -> None:
    item = await work.locked(HandoverItem, item_id)
    if not standing.can(Capability.SUCCESSION_MANAGE):
        if not standing.can(Capability.LEADERSHIP_READ_HISTORY):
            raise errors.NotFound
        if item.seat_id not in await _own_seats(work, standing):
            standing.require(Capability.SUCCESSION_MANAGE)
    standing.require_active()
    expected.check(item.version)
    if done == (item.done_at is not None):
        return
    item.done_at, item.done_by = (clock.now(), standing.me.id) if done else (None, None)
    item.version += 1
    seat = await work.get_one(Seat, item.seat_id)
    activity.record(
        work,
        "handover.item_completed" if done else "handover.item_reopened",
        standing,
        item.id,
        community_id=item.community_id,
        position=seat.position_code,
        seat=seat.number,
    )
    await work.flush()


async def rearrange(work: Work, seat: Seat, wanted: list[dict[str, Any]]) -> bool:
    """Makes the checklist of a seat the one that is wanted; True if that changed anything.

    An item that is named by its id keeps whether it is done. Raises Invalid for ids that are not
    of this list, or come twice.
    """
    if seat.community_id is None:
        raise errors.NotFound  # a seat of the association, which has no plan
    found = await work.execute(sa.select(HandoverItem).where(col(HandoverItem.seat_id) == seat.id))
    had = {item.id: item for item in found.scalars()}
    named = [one["id"] for one in wanted]
    wrong = []
    for place, item_id in enumerate(named):
        if item_id is not None and item_id not in had:
            wrong.append(errors.field(f"/checklist/{place}/id", "not_known"))
        elif item_id is not None and item_id in named[:place]:
            wrong.append(errors.field(f"/checklist/{place}/id", "duplicate"))
    if wrong:
        raise errors.Invalid(errors=wrong)
    dropped = had.keys() - set(named)
    for item_id in dropped:
        await work.delete(had[item_id])
    changed = bool(dropped)
    for place, one in enumerate(wanted):
        said: dict[str, Any] = {"place": place, "text": one["text"]}
        if one["id"] is not None:
            changed |= bool(merge(had[one["id"]], said))
        else:
            changed = True
            work.add(HandoverItem(community_id=seat.community_id, seat_id=seat.id, **said))
    return changed
