"""Succession plans: who could follow in each seat of a Leadership Group, and what is handed over.

A plan is kept by hand and gives nobody a right or a seat: it says whom to ask when a term ends.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock, errors, markdown
from app.db import Source, Work
from app.models import Person, Seat, SuccessionPlan, Term
from app.policy import Capability, Standing
from app.preconditions import Expected, merge
from app.services import handovers, leadership, seated, succession_candidates, successors
from app.services.seated import Seated

FIRST_VERSION = 1  # of a plan that nobody has written yet

_Editor = aliased(Person)
_PLANS = sa.select(
    SuccessionPlan.seat_id,
    SuccessionPlan.overlap_days,
    SuccessionPlan.handover_notes,
    SuccessionPlan.handover_notes_html,
    SuccessionPlan.language,
    SuccessionPlan.updated_at,
    SuccessionPlan.updated_by,
    SuccessionPlan.version,
    col(_Editor.name).label("editor"),
).join(_Editor, col(_Editor.id) == SuccessionPlan.updated_by)


# What is shown


async def get(source: Source, standing: Standing) -> dict[str, Any]:
    """The plans of every seat of the community's Leadership Group."""
    return {"seats": await _shown(source, standing)}


async def get_seat(source: Source, standing: Standing, seat_id: UUID) -> dict[str, Any]:
    """The plan of one seat. Raises NotFound for a seat that is in no Leadership Group."""
    for one in await _shown(source, standing):
        if one["seat_id"] == seat_id:
            return one
    raise errors.NotFound


async def _shown(source: Source, standing: Standing) -> list[dict[str, Any]]:
    """The plans of all seats, in a fixed number of statements."""
    here, today = standing.here.id, standing.today
    seats = await seated.on(source, seated.OF_BODY, today, body=here)
    following = await successors.of_seats(source, col(Term.body_id) == here, today)
    candidates = await succession_candidates.in_community(source, standing)
    items = await handovers.in_community(source, standing)
    rows = await source.rows(_PLANS.where(col(SuccessionPlan.community_id) == here))
    plans = {row.seat_id: row for row in rows}
    return [
        {
            **leadership.seat_shown(one, True),
            **_plan(standing, plans.get(one.seat.id), _of(one, items)),
            "seat_id": one.seat.id,
            "community_id": here,
            "next_term": successors.shown(following.get(one.seat.id)),
            "candidates": _of(one, candidates),
        }
        for one in seats
    ]


def _of(one: Seated, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [thing for thing in found if thing["seat_id"] == one.seat.id]


def _plan(standing: Standing, row: Any | None, items: list[dict[str, Any]]) -> dict[str, Any]:
    """What is written in a plan. Its version, when it changed, and the language of words that are
    not shown would tell others that there is something that they do not see."""
    keeps = standing.can(Capability.SUCCESSION_MANAGE)
    changed = row is not None and keeps
    edits = keeps and not standing.here.archived
    written = ("overlap_days", "handover_notes", "handover_notes_html")
    worded = row is not None and (keeps or items or row.handover_notes is not None)
    return {name: getattr(row, name, None) for name in written} | {
        "checklist": items,
        "language": row.language if worded else None,
        "updated_at": row.updated_at if changed else None,
        "updated_by": {"id": row.updated_by, "name": row.editor} if changed else None,
        "version": getattr(row, "version", FIRST_VERSION) if keeps else None,
        "viewer": {"can": ["replace_seat_succession_plan"] if edits else []},
    }


# Keeping it


async def replace(
    work: Work, standing: Standing, seat_id: UUID, body: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Replaces the plan of a seat; one that is as it was already stays at its version.

    Raises CommunityArchived, PreconditionFailed, and Invalid for people who are no members or are
    named twice, and for items of the checklist that are not there.
    """
    standing.require_active()
    notes = body["handover_notes"]
    html = await markdown.rendered(notes) if notes is not None else None
    seat = await work.locked(Seat, seat_id)  # those who change its plan take turns
    if seat.body_id != standing.here.id:
        raise errors.NotFound
    plan = await work.get(SuccessionPlan, seat_id, populate_existing=True) or SuccessionPlan(
        seat_id=seat_id,
        community_id=standing.here.id,
        updated_at=clock.now(),
        updated_by=standing.me.id,
        version=FIRST_VERSION,
    )
    read = plan.version
    expected.check(read)
    written = {name: body[name] for name in ("overlap_days", "handover_notes", "language")}
    changed = merge(plan, written)
    if await succession_candidates.rearrange(work, standing, seat, body["candidates"]):
        changed.append("candidates")
    if await handovers.rearrange(work, seat, body["checklist"]):
        changed.append("checklist")
    if changed:
        plan.handover_notes_html = html
        plan.version, plan.updated_at, plan.updated_by = read + 1, clock.now(), standing.me.id
        work.add(plan)
        activity.record(
            work,
            "succession.planned",
            standing,
            seat.id,
            community_id=seat.community_id,
            position=seat.position_code,
            seat=seat.number,
            members=changed,
        )
    await work.flush()
    return await get_seat(work, standing, seat_id)
