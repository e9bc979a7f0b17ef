"""Writing what a batch of rows comes to, set-based, in the caller's transaction.

The world was read, and held, in the same unit of work. What somebody else made in the meantime all
the same (an account of this address, a membership) is found out by the constraints, and the row is
left undone.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity
from app.db import Work
from app.models import (
    EligibilityVerification,
    Membership,
    MembershipEnding,
    MembershipSource,
    Person,
    PersonSource,
    UnclaimedProfile,
)
from app.services import communities, import_effects, unclaimed_profiles
from app.services.import_effects import Batch, Planned, Values


async def write(work: Work, batch: Batch, rows: Sequence[Planned]) -> dict[int, Values]:
    """Writes a batch that was gathered for rows; by their numbers, what undoes each that was
    done."""
    begun = {one["person_id"] for one in batch.begun}
    if people := begun.intersection(batch.world.waiting.values()):
        await unclaimed_profiles.take_up(work, people, batch.touched)
    while met := await _make(work, batch):
        rows = [row for row in rows if row.number not in met]
        batch = import_effects.gather(batch.job, batch.world, rows)
    await work.insert_many(MembershipSource, batch.sources)
    await work.update_many(EligibilityVerification, ("id",), batch.adopted)
    for model, changed in batch.changed.items():
        await _change(work, model, list(changed.values()))
    await _ended(work, batch)
    await work.insert_many(PersonSource, batch.links, ignoring=True)
    for place in sorted(batch.touched):
        await communities.touch_roster(work, place)
    asked_by = batch.job.asked_by_kind, batch.job.asked_by
    await activity.record_all(work, batch.records, asked_by)
    return batch.done


async def _make(work: Work, batch: Batch) -> set[int]:
    """Makes accounts and memberships; the numbers of the rows that met others, if any did. Then
    nothing is made: a row is done as a whole or not at all."""
    met = await _inserted(work, Person, batch.people, batch.makers)
    if not met:
        await work.insert_many(UnclaimedProfile, batch.unclaimed)
        await _close_lapsed(work, batch)
        met = await _inserted(work, Membership, batch.begun, batch.beginners)
    if met:
        profiles = [one["person_id"] for one in batch.unclaimed]
        for model, column, ids in (
            (Membership, Membership.id, [one["id"] for one in batch.begun]),
            (UnclaimedProfile, UnclaimedProfile.person_id, profiles),
            (Person, Person.id, [one["id"] for one in batch.people]),
        ):
            await work.execute(sa.delete(model).where(col(column).in_(ids)))
    return met


async def _inserted(
    work: Work, model: Any, wanted: list[Values], numbers: Sequence[int]
) -> set[int]:
    """Inserts what nobody else had written before; the numbers of the others."""
    if await work.insert_many(model, wanted, ignoring=True) == len(wanted):
        return set()
    ids = [one["id"] for one in wanted]
    there = {row.id for row in await work.rows(sa.select(model.id).where(model.id.in_(ids)))}
    return {number for number, one in zip(numbers, ids, strict=True) if one not in there}


async def _close_lapsed(work: Work, batch: Batch) -> None:
    """What ended by the calendar is closed before the person is let in again."""
    if batch.lapsed:
        await work.execute(
            sa.update(Membership)
            .where(col(Membership.id).in_(batch.lapsed), col(Membership.ended_at).is_(None))
            .values(
                ended_at=batch.now,
                ending=MembershipEnding.LAPSED,
                updated_at=batch.now,
                version=Membership.version + 1,
            )
        )


async def _change(work: Work, model: Any, rows: list[Values]) -> None:
    """Each row's own values; together those that change the same columns."""
    alike: dict[frozenset[str], list[Values]] = {}
    for row in rows:
        alike.setdefault(frozenset(row), []).append(row)
    for several in alike.values():
        await work.update_many(model, ("id",), several)


async def _ended(work: Work, batch: Batch) -> None:
    """Notes of memberships that the import's source brought that this import has ended them."""
    if batch.ended:
        await work.execute(
            sa.update(MembershipSource)
            .where(col(MembershipSource.membership_id).in_(batch.ended))
            .values(ended_by=batch.job.id)
        )
