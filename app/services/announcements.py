"""What the calendar brings about, said once on the log: rights follow the clock by themselves.

Nothing here gives or takes a right. The worker compares what is with what was said last, so that
a server which was down over midnight says afterwards what happened, once, and with the day on
which it did. Each message is kept by its key in `announcement`, or on the seat it is about, in the
transaction that records it.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock
from app.db import Source, Work, insert_ignoring
from app.models import Announcement, Seat, Term
from app.services import leadership, seated, seating, term_pages
from app.services.seated import Seated
from app.services.seating import TODAY

# A holder and those who may follow are told so many days before the last one.
SOON = (7, 30, 90)
_ALL = 1000


async def announce(work: Work) -> int:
    """Records what has come about since the last time; how many records that made."""
    said = 0
    for step in (_started, _ended, _ending_soon, _seats):
        said += await step(work)
    return said


async def _once(work: Work, kind: str, subject_id: UUID, detail: str = "") -> bool:
    """True for the first that says this."""
    row = {
        "kind": kind,
        "subject_id": subject_id,
        "detail": detail,
        "announced_at": clock.now(),
    }
    return await work.written(insert_ignoring(work, Announcement, row)) == 1


_TERMS = (
    sa.select(
        Term.id,
        Term.community_id,
        Term.position_code,
        Term.person_id,
        Term.starts_on,
        Term.ends_on,
        Term.free_from,
        Term.basis,
        col(Seat.number).label("seat"),
    )
    .select_from(Term)
    .outerjoin(Seat, col(Seat.id) == Term.seat_id)
    .where(seating.own(Term))
    .order_by(col(Term.starts_on), col(Term.id))
    .limit(_ALL)
)


def _unsaid(kind: str, *details: str) -> Any:
    """The condition that nothing of this kind was said of a term yet."""
    said = sa.select(col(Announcement.kind)).where(
        col(Announcement.kind) == kind, col(Announcement.subject_id) == Term.id
    )
    if details:
        said = said.where(col(Announcement.detail).in_(details))
    return ~said.correlate(Term).exists()


def _facts(row: Any) -> dict[str, Any]:
    return {"position": row.position_code, "seat": row.seat, "person_id": row.person_id}


async def due(source: Source) -> bool:
    """True if something is to be said: looked at without a unit of work, which would lock."""
    for found in (_beginning, _over, _nearing):
        if await found(source):
            return True
    return bool(await _changed(source))


async def _beginning(source: Source) -> list[Any]:
    """Terms that were planned and whose first day has come, held for a day at least."""
    return await source.rows(
        _TERMS.where(
            col(Term.starts_on) <= TODAY,
            sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > col(Term.starts_on)),
            _unsaid("term.started"),
        ),
        today=clock.today(),
    )


async def _over(source: Source) -> list[Any]:
    """Terms whose last day is over; those that ended earlier were recorded when they did."""
    return await source.rows(
        _TERMS.where(col(Term.ends_on) < TODAY, col(Term.ending).is_(None), _unsaid("term.ended")),
        today=clock.today(),
    )


async def _nearing(source: Source) -> list[tuple[Any, int]]:
    """Terms that end soon, each with the nearest of the marks that were passed; none that was said
    before, and none that lies behind one that was."""
    today, found, seen = clock.today(), [], set()
    for place, days in enumerate(SOON):
        nearer = [str(one) for one in SOON[: place + 1]]
        rows = await source.rows(
            _TERMS.where(
                seating.holds(TODAY),
                col(Term.ends_on) <= sa.bindparam("until", type_=sa.Date),
                _unsaid("term.ending_soon", *nearer),
            ),
            today=today,
            until=today + timedelta(days=days),
        )
        found += [(row, days) for row in rows if row.id not in seen]
        seen |= {row.id for row in rows}
    return found


async def _changed(source: Source) -> list[tuple[Seated, UUID | None, str | None]]:
    """Seats that stand otherwise than the log last said, each with who holds it and who acts."""
    found = await seated.on(source, seated.EVERYWHERE, clock.today())
    changed = []
    for one in found:
        holder = one.holder.id if one.holder else None
        acting = str(one.acting.id) if one.acting else None
        if (holder, acting) != (one.seat.announced_term_id, one.seat.announced_acting):
            changed.append((one, holder, acting))
    return changed


async def _started(work: Work) -> int:
    said = 0
    for row in await _beginning(work):
        if await _once(work, "term.started", row.id):
            activity.record(
                work,
                "term.started",
                None,
                row.id,
                community_id=row.community_id,
                **_facts(row),
                starts_on=row.starts_on,
                ends_on=row.ends_on,
                basis=row.basis,
            )
            said += 1
    return said


async def _ended(work: Work) -> int:
    said = 0
    for row in await _over(work):
        if await _once(work, "term.ended", row.id):
            activity.record(
                work,
                "term.ended",
                None,
                row.id,
                community_id=row.community_id,
                **_facts(row),
                ends_on=row.ends_on,
            )
            said += 1
    return said


async def _ending_soon(work: Work) -> int:
    said = 0
    for row, mark in await _nearing(work):
        if await _once(work, "term.ending_soon", row.id, str(mark)):
            activity.record(
                work,
                "term.ending_soon",
                None,
                row.id,
                community_id=row.community_id,
                **_facts(row),
                ends_on=row.ends_on,
                days=(row.ends_on - clock.today()).days,
            )
            said += 1
    return said


# Seats


async def _seats(work: Work) -> int:
    """What has changed of the seats: emptied, filled, acted in."""
    said = 0
    for one, holder, acting in await _changed(work):
        seat = await work.locked(Seat, one.seat.id)
        said += await _holding(work, one, seat, holder)
        said += _acting(work, one, seat, acting)
        seat.announced_term_id, seat.announced_acting = holder, acting
    await work.flush()
    return said


def _of(seat: Seat) -> dict[str, Any]:
    return {"position": seat.position_code, "seat": seat.number}


async def _holding(work: Work, one: Seated, seat: Seat, holder: UUID | None) -> int:
    """A seat that one holder left and the next took at once was never vacant."""
    before = seat.announced_term_id
    if (holder is None) == (before is None):
        return 0
    if holder is None:
        today = clock.today()
        last = await work.one(leadership.LAST.where(col(Term.id) == before), today=today)
        activity.record(
            work,
            "vacancy.opened",
            None,
            seat.id,
            community_id=seat.community_id,
            **_of(seat),
            since_on=leadership.emptied_on(last, today),
            cause=term_pages.status_of(last, today),
            term_id=last.id,
        )
    else:
        activity.record(
            work,
            "vacancy.filled",
            None,
            seat.id,
            community_id=seat.community_id,
            **_of(seat),
            term_id=holder,
            person_id=one.holder.person_id if one.holder else None,
        )
    return 1


def _acting(work: Work, one: Seated, seat: Seat, acting: str | None) -> int:
    before, said = seat.announced_acting, 0
    if before == acting:
        return 0
    if before is not None:
        activity.record(
            work,
            "acting.ended",
            None,
            seat.id,
            community_id=seat.community_id,
            **_of(seat),
            term_id=before,
        )
        said += 1
    if one.acting is not None:
        activity.record(
            work,
            "acting.started",
            None,
            seat.id,
            community_id=seat.community_id,
            **_of(seat),
            term_id=one.acting.id,
            person_id=one.acting.person_id,
            for_person_id=one.holder.person_id if one.holder else None,
        )
        said += 1
    return said
