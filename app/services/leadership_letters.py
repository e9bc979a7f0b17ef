"""What mails about leadership say: terms that begin and end, seats that empty, who acts in them."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, texts
from app.db import Work
from app.models import Association, Community, Mail, Person, Position, Seat, Term
from app.services import seated
from app.services.seated import Seated, Which

# Which text of the mail, and its facts; None where the mail has become untrue.
Said = tuple[str, dict[str, str]] | None


async def write(work: Work, mail: Mail, reader: Person, language: str) -> Said:
    """What a mail about leadership says to its reader."""
    return await LETTERS[mail.kind](work, mail, reader, language)


async def _term(work: Work, mail: Mail, _reader: Person, language: str) -> Said:
    """A term that was recorded, or that has begun; one that was ended since is not announced."""
    term = await work.get(Term, mail.subject_id)
    if term is None or term.ended_at is not None:
        return None
    facts = await _place(work, term.community_id, term.position_code, language)
    facts["starts_on"] = term.starts_on.isoformat()
    if term.ends_on is None:
        return "body_open_ended", facts
    return "body", facts | {"ends_on": term.ends_on.isoformat()}


async def _term_removed(work: Work, mail: Mail, _reader: Person, language: str) -> Said:
    term = await work.get(Term, mail.subject_id)
    if term is None:
        return None
    facts = await _place(work, term.community_id, term.position_code, language)
    return "body", facts | {"reason": term.end_reason or "-"}


async def _term_ending_soon(work: Work, mail: Mail, reader: Person, language: str) -> Said:
    term = await work.get(Term, mail.subject_id)
    if term is None or term.ended_at is not None or term.ends_on is None:
        return None
    if term.ends_on < clock.today():
        return None
    facts = await _place(work, term.community_id, term.position_code, language)
    facts["ends_on"] = term.ends_on.isoformat()
    if reader.id == term.person_id:
        return "body", facts
    holder = await work.get_one(Person, term.person_id)
    return "body_to_others", facts | {"holder": holder.name}


async def _vacancy_opened(work: Work, mail: Mail, _reader: Person, language: str) -> Said:
    seat = await _seated(work, mail.subject_id)
    if seat is None or seat.holder is not None:
        return None
    return "body", await _place(work, seat.seat.community_id, seat.seat.position_code, language)


async def _acting_started(work: Work, mail: Mail, reader: Person, language: str) -> Said:
    seat = await _seated(work, mail.subject_id)
    if seat is None or seat.acting is None or seat.acting.person_id != reader.id:
        return None
    facts = await _place(work, seat.seat.community_id, seat.seat.position_code, language)
    if seat.holder is None:
        return "body", facts
    return "body_for_holder", facts | {"holder": seat.holder.name}


async def _seated(work: Work, seat_id: UUID | None) -> Seated | None:
    seat = await work.get(Seat, seat_id) if seat_id else None
    if seat is None:
        return None
    one = Which(col(Seat.id) == seat.id, col(Term.body_id).is_not_distinct_from(seat.body_id))
    found = await seated.on(work, one, clock.today())
    return found[0] if found else None


async def _place(
    work: Work, community_id: UUID | None, position_code: str, language: str
) -> dict[str, str]:
    """Which position, and where: in a community, or in the association."""
    position = await work.get_one(Position, position_code)
    where: Community | Association
    if community_id is not None:
        where = await work.get_one(Community, community_id)
    else:
        where = await work.entity(sa.select(Association))
    return {
        "position": texts.one_line(position.title, language),
        "where": texts.one_line(where.name, language),
    }


LETTERS: Mapping[str, Callable[[Work, Mail, Person, str], Awaitable[Said]]] = {
    "acting_started": _acting_started,
    "term_ending_soon": _term_ending_soon,
    "term_recorded": _term,
    "term_removed": _term_removed,
    "term_started": _term,
    "vacancy_opened": _vacancy_opened,
}
