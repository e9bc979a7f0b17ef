"""The candidates of succession plans, and their consent, which only they can give or take back.

Whoever has not agreed is a candidate for those who keep the plan and for themselves alone: not in
the answers of others, not in their order, not in their ETags.
"""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work
from app.models import ConsentState, Membership, Person, Seat, SuccessionCandidate
from app.models.succession import consent_of
from app.policy import Capability, Standing
from app.preconditions import Expected, merge
from app.services import seating, term_pages
from app.services.seating import TODAY

# The condition that a candidate still can be one: belongs, with an account that is in use.
STANDS = sa.and_(seating.membership_runs(TODAY), col(Person.deactivated_at).is_(None))

_Proposer = aliased(Person)
CANDIDATES = (
    sa.select(
        SuccessionCandidate.id,
        SuccessionCandidate.community_id,
        SuccessionCandidate.seat_id,
        SuccessionCandidate.person_id,
        SuccessionCandidate.readiness,
        SuccessionCandidate.note,
        SuccessionCandidate.proposed_at,
        SuccessionCandidate.proposed_by,
        SuccessionCandidate.consented_at,
        SuccessionCandidate.withdrawn_at,
        SuccessionCandidate.version,
        Person.name,
        Person.occupation,
        Person.affiliation,
        col(_Proposer.name).label("proposer"),
        col(Seat.position_code).label("position"),
        col(Seat.number).label("seat"),
    )
    .join(Membership, col(Membership.id) == SuccessionCandidate.membership_id)
    .join(Person, col(Person.id) == SuccessionCandidate.person_id)
    .join(_Proposer, col(_Proposer.id) == SuccessionCandidate.proposed_by)
    .join(Seat, col(Seat.id) == SuccessionCandidate.seat_id)
    .where(STANDS, seating.seat_exists(TODAY))
    .order_by(col(SuccessionCandidate.place), col(SuccessionCandidate.id))
)


_AGREED = (
    sa.select(SuccessionCandidate.seat_id)
    .join(Membership, col(Membership.id) == SuccessionCandidate.membership_id)
    .join(Person, col(Person.id) == SuccessionCandidate.person_id)
    .where(col(SuccessionCandidate.consented_at).is_not(None), STANDS)
    .distinct()
)


async def seats_with(source: Source, wanted: Any, day: date, **parameters: Any) -> set[UUID]:
    """The seats, of those of a condition, in whose plans somebody has agreed to follow."""
    rows = await source.rows(_AGREED.where(wanted), today=day, **parameters)
    return {row.seat_id for row in rows}


async def in_community(source: Source, standing: Standing) -> list[dict[str, Any]]:
    """The candidates for all seats of the community whom this caller may see, in order."""
    rows = await source.rows(
        CANDIDATES.where(col(SuccessionCandidate.community_id) == standing.here.id),
        today=standing.today,
    )
    return [shown(standing, row) for row in rows if _sees(standing, row)]


async def get(source: Source, standing: Standing, candidate_id: UUID) -> dict[str, Any]:
    """One candidate. Raises NotFound for those who may not see them."""
    row = await source.one(
        CANDIDATES.where(col(SuccessionCandidate.id) == candidate_id), today=standing.today
    )
    if not _sees(standing, row):
        raise errors.NotFound
    return shown(standing, row)


def _is(standing: Standing, person_id: UUID) -> bool:
    return standing.person is not None and standing.person.id == person_id


def _sees(standing: Standing, row: Any) -> bool:
    if _is(standing, row.person_id) or standing.can(Capability.SUCCESSION_MANAGE):
        return True
    known = consent_of(row) is ConsentState.GIVEN
    return known and standing.can(Capability.LEADERSHIP_READ_HISTORY)


def shown(standing: Standing, row: Any) -> dict[str, Any]:
    """A candidate as this caller sees them."""
    mine, consent, can = _is(standing, row.person_id), consent_of(row), []
    known = mine or standing.can(Capability.SUCCESSION_MANAGE)
    if mine and not standing.here.archived:
        if consent is not ConsentState.GIVEN:
            can.append("give_succession_consent")
        if consent is not ConsentState.WITHDRAWN:
            can.append("withdraw_succession_consent")
    return {
        **row._asdict(),
        "person": term_pages.person_shown(row),
        "note": row.note if known else None,
        "consent": consent,
        "answered_at": row.consented_at or row.withdrawn_at,
        "proposed_at": row.proposed_at if known else None,
        "proposed_by": {"id": row.proposed_by, "name": row.proposer} if known else None,
        # For the ETag, which would tell the others that something changed.
        "version": row.version if known else None,
        "viewer": {"can": can},
    }


# Their consent


async def give_consent(
    work: Work, standing: Standing, candidate_id: UUID, expected: Expected
) -> dict[str, Any]:
    """The candidate agrees to be one. Raises PermissionDenied for anybody else."""
    await _answer(work, standing, candidate_id, expected, consents=True)
    return await get(work, standing, candidate_id)


async def withdraw_consent(
    work: Work, standing: Standing, candidate_id: UUID, expected: Expected
) -> None:
    """The candidate does not agree, or no longer. Raises PermissionDenied for anybody else."""
    await _answer(work, standing, candidate_id, expected, consents=False)


async def _answer(
    work: Work, standing: Standing, candidate_id: UUID, expected: Expected, *, consents: bool
) -> None:
    await get(work, standing, candidate_id)
    candidate = await work.locked(SuccessionCandidate, candidate_id)
    if candidate.person_id != standing.me.id:
        standing.refuse_others()
    standing.require_active()
    expected.check(candidate.version)
    if not candidate.answer(consents, clock.now()):
        return
    kind = "succession.consent_given" if consents else "succession.consent_withdrawn"
    record(work, kind, standing, await work.get_one(Seat, candidate.seat_id), candidate)
    await work.flush()


def record(
    work: Work, kind: str, standing: Standing, seat: Seat, candidate: SuccessionCandidate
) -> None:
    """What happened to a candidate; who it is, the record does not say."""
    activity.record(
        work,
        kind,
        standing,
        candidate.id,
        community_id=candidate.community_id,
        position=seat.position_code,
        seat=seat.number,
    )


# Who they are


async def rearrange(
    work: Work, standing: Standing, seat: Seat, wanted: list[dict[str, Any]]
) -> bool:
    """Makes the candidates of a seat those that are wanted; True if that changed anything.

    Who is one already keeps their consent; who is new is asked for it. Raises Invalid for people
    who are no members, or are named twice.
    """
    memberships = await _memberships(work, standing, wanted)
    found = await work.execute(
        sa.select(SuccessionCandidate).where(col(SuccessionCandidate.seat_id) == seat.id)
    )
    had = {candidate.membership_id: candidate for candidate in found.scalars()}
    dropped = had.keys() - set(memberships)
    for membership_id in dropped:
        await work.delete(had[membership_id])
        record(work, "succession.candidate_removed", standing, seat, had[membership_id])
    changed = bool(dropped)
    for place, (membership_id, one) in enumerate(zip(memberships, wanted, strict=True)):
        said: dict[str, Any] = {"place": place, "readiness": one["readiness"], "note": one["note"]}
        if membership_id in had:
            changed |= bool(merge(had[membership_id], said))
            continue
        candidate = SuccessionCandidate(
            community_id=standing.here.id,
            seat_id=seat.id,
            membership_id=membership_id,
            person_id=one["person_id"],
            proposed_at=clock.now(),
            proposed_by=standing.me.id,
            **said,
        )
        work.add(candidate)
        record(work, "succession.candidate_proposed", standing, seat, candidate)
        changed = True
    return changed


async def _memberships(work: Work, standing: Standing, wanted: list[dict[str, Any]]) -> list[UUID]:
    """The memberships of the people who are wanted, in their order."""
    people = [one["person_id"] for one in wanted]
    rows = await work.rows(
        sa.select(Membership.id, Membership.person_id)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(
            col(Membership.community_id) == standing.here.id,
            col(Membership.person_id).in_(people),
            STANDS,
        ),
        today=standing.today,
    )
    of = {row.person_id: row.id for row in rows}
    wrong = []
    for place, person_id in enumerate(people):
        at = f"/candidates/{place}/person_id"
        if person_id not in of:
            wrong.append(errors.field(at, "not_a_member"))
        elif person_id in people[:place]:
            wrong.append(errors.field(at, "duplicate"))
    if wrong:
        raise errors.Invalid(errors=wrong)
    return [of[person_id] for person_id in people]
