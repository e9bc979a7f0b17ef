"""Terms as they are shown: to their holder, to those who read the history, in lists."""

from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import errors
from app.db import Source
from app.listing import Listing
from app.models import Absence, Person, Seat, Term, TermBasis, TermStatus
from app.models.terms import status_on
from app.policy import Capability, Standing
from app.services import seating
from app.services.seating import TODAY

_Recorder = aliased(Person)
_Away = aliased(Absence)
TERMS = sa.select(
    Term.id,
    Term.community_id,
    Term.subcommittee_id,
    Term.position_code,
    Term.seat_id,
    Term.starts_on,
    Term.ends_on,
    Term.handover_from,
    Term.ended_at,
    Term.ending,
    Term.end_reason,
    Term.basis,
    Term.exception_reason,
    Term.election_id,
    Term.recorded_at,
    Term.recorded_by,
    Term.version,
    Term.person_id,
    col(Seat.number).label("seat"),
    Person.name,
    Person.occupation,
    Person.affiliation,
    col(_Recorder.name).label("recorder"),
    seating.holds(TODAY).label("holds"),
    col(_Away.starts_on).label("absent_from"),
    col(_Away.ends_on).label("absent_until"),
).select_from(
    sa.join(Term, Person, col(Person.id) == Term.person_id)
    .outerjoin(Seat, col(Seat.id) == Term.seat_id)
    .outerjoin(_Recorder, col(_Recorder.id) == Term.recorded_by)
    .outerjoin(
        _Away,
        sa.and_(
            col(_Away.term_id) == Term.id,
            col(_Away.ended_at).is_(None),
            sa.or_(col(_Away.ends_on).is_(None), col(_Away.ends_on) >= TODAY),
        ),
    )
)


@lru_cache
def listing(of_community: bool) -> Listing:
    """All terms of a community, or of the association, in the order of recording."""
    if of_community:
        wanted = col(Term.community_id) == sa.bindparam("community", type_=sa.Uuid)
    else:
        wanted = col(Term.community_id).is_(None)
    return Listing(TERMS.where(wanted), col(Term.id))


def person_shown(row: Any) -> dict[str, Any]:
    """The identity line of a holder, as it is today."""
    return {
        "id": row.person_id,
        "name": row.name,
        "occupation": row.occupation,
        "affiliation": row.affiliation,
    }


def status_of(row: Any, day: date) -> TermStatus:
    """Where a term stands: one whose membership or account ended has lapsed, recorded or not."""
    status = status_on(day, row.starts_on, row.ends_on, row.ending)
    return TermStatus.LAPSED if status is TermStatus.RUNNING and not row.holds else status


def shown(row: Any, standing: Standing, warnings: list[dict[str, Any]] | None = None) -> Any:
    """A term as this caller sees it; why it ended early is between the holder and leaders."""
    mine = standing.person is not None and standing.person.id == row.person_id
    status = status_of(row, standing.today)
    may_know = mine or standing.can(Capability.MEMBERSHIPS_READ_PRIVATE)
    away = {"starts_on": row.absent_from, "ends_on": row.absent_until}
    return {
        **row._asdict(),
        "position": row.position_code,
        "person": person_shown(row),
        "status": status,
        "end_reason": row.end_reason if may_know else None,
        "exception_reason": row.exception_reason if may_know else None,
        "absence": away if row.absent_from is not None else None,
        "recorded_by": {"id": row.recorded_by, "name": row.recorder} if row.recorder else None,
        "warnings": warnings or [],
        "viewer": {"can": _affordances(standing, row, mine, status)},
    }


def _affordances(standing: Standing, row: Any, mine: bool, status: TermStatus) -> list[str]:
    appoints = standing.can(Capability.LEADERSHIP_APPOINT)
    current = status in (TermStatus.RUNNING, TermStatus.PLANNED)
    found = []
    if mine and status is TermStatus.RUNNING:
        found.append("resign_term")
    if not mine and appoints:
        if current:
            found.append("remove_term")
        if status is not TermStatus.ANNULLED:
            found.append("annul_term")
    if current and row.basis != TermBasis.ACTING and (mine or appoints):
        found.append("declare_absence")
        if row.absent_from is not None:
            found.append("end_absence")
    return found


async def one(source: Source, standing: Standing, term_id: UUID) -> Any:
    """The row of a term as it stands today. Raises NotFound."""
    return await source.one(TERMS.where(col(Term.id) == term_id), today=standing.today)


async def get(source: Source, standing: Standing, term_id: UUID) -> dict[str, Any]:
    """One term; its holder sees it without any position."""
    row = await one(source, standing, term_id)
    mine = standing.person is not None and row.person_id == standing.person.id
    if not mine and not standing.can(Capability.LEADERSHIP_READ_HISTORY):
        raise errors.NotFound
    return shown(row, standing)
