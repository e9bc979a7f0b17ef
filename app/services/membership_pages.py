"""Memberships as each caller sees them: the identity line to members, more to those who may."""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, errors
from app.db import Source
from app.models import Membership, MembershipPause, Term
from app.policy import Capability, Standing
from app.schemas.memberships import MembershipStatus
from app.services import communities
from app.services.rosters import ROSTER, may_know_of_rests
from app.services.seating import TODAY, own, pause_is_not_over, term_is_not_over

_TERMS = (
    sa.select(Term.person_id, Term.community_id, Term.position_code, Term.starts_on)
    .where(term_is_not_over(TODAY), own(Term))
    .order_by(col(Term.position_code))
)


async def shown_all(
    source: Source,
    standing: Standing,
    rows: list[Any],
    as_of: date | None = None,
    *,
    owned: bool = False,
) -> list[dict[str, Any]]:
    """The rows of a roster as this caller sees them; terms in one statement for all.

    `owned` are those that wait for the caller to claim them.
    """
    day = as_of or standing.today
    mine = {row.id for row in rows if owned or standing.is_person(row.person_id)}
    known = [row.id for row in rows if row.id in mine or may_know_of_rests(standing)]
    declared = await _declared_pauses(source, known, day, as_of)
    people = {row.person_id for row in rows}
    places = {row.community_id for row in rows}
    terms: dict[tuple[UUID, UUID], list[Any]] = {}
    if rows:
        here = (col(Term.person_id).in_(people), col(Term.community_id).in_(places))
        for term in await source.rows(_TERMS.where(*here), today=day):
            terms.setdefault((term.person_id, term.community_id), []).append(term)
    return [
        _shown(
            row,
            standing,
            terms.get((row.person_id, row.community_id), []),
            declared.get(row.id),
            day,
            mine=row.id in mine,
            claimable=owned,
        )
        for row in rows
    ]


async def _declared_pauses(
    source: Source, known: list[UUID], day: date, as_of: date | None
) -> dict[UUID, Any]:
    """By membership, the pause that runs or is to come, of those of which the caller may know."""
    if not known:
        return {}
    end = as_of and clock.end_of(as_of)
    found = sa.select(
        MembershipPause.membership_id,
        MembershipPause.starts_on,
        MembershipPause.until_on,
        MembershipPause.declared_by,
    ).where(col(MembershipPause.membership_id).in_(known), pause_is_not_over(day, end=end))
    return {pause.membership_id: pause for pause in await source.rows(found)}


def status_on(day: date, row: Any) -> MembershipStatus:
    """Where a membership stands on a day."""
    ended = row.ended_at is not None and row.ended_at < clock.end_of(day)
    if ended or (row.until_on is not None and row.until_on < day):
        return MembershipStatus.ENDED
    if day < row.since_on:
        return MembershipStatus.PLANNED
    if row.suspended_until is not None:
        return MembershipStatus.SUSPENDED
    resting = row.paused_until is not None or not row.verified
    return MembershipStatus.PAUSED if resting else MembershipStatus.ACTIVE


RUNNING = frozenset({MembershipStatus.ACTIVE, MembershipStatus.SUSPENDED, MembershipStatus.PAUSED})


def _pause(row: Any, declared: Any | None) -> dict[str, Any] | None:
    """Why the rights rest although nobody took them away, or from what day on they will."""
    if declared is None or (row.paused_until is None and not row.verified):
        unverified = {"cause": "not_verified", "starts_on": None, "until_on": None}
        return None if row.verified else unverified
    days = {"starts_on": declared.starts_on, "until_on": declared.until_on}
    return {"cause": "declared", **days}


def _shown(
    row: Any,
    standing: Standing,
    terms: list[Any],
    declared: Any | None,
    day: date,
    *,
    mine: bool,
    claimable: bool,
) -> dict[str, Any]:
    if claimable:
        can = (
            ["claim_membership"] if status_on(standing.today, row) != MembershipStatus.ENDED else []
        )
    else:
        can = _affordances(standing, row, declared, bool(terms), mine=mine)
    private = standing.can(Capability.MEMBERSHIPS_READ_PRIVATE)
    manages = standing.can(Capability.MEMBERSHIPS_MANAGE)
    may_know = mine or may_know_of_rests(standing)
    status = status_on(day, row)
    runs = status in RUNNING
    changed = (row.updated_at, row.suspension_changed_at, row.pause_changed_at)
    return {
        "id": row.id,
        # For the ETag, which would tell the others that something changed.
        "version": row.version if may_know or manages else None,
        "community": communities.reference(row),
        "person": {
            "id": row.person_id,
            "name": row.name,
            "occupation": row.occupation,
            "affiliation": row.affiliation,
        },
        "private": {
            "email": row.email,
            "occupation_code": row.occupation_code,
            "area_of_interest": row.area_of_interest,
            "territory": row.territory,
        }
        if private or mine
        else None,
        "category": row.category,
        "status": status if may_know or not runs else MembershipStatus.ACTIVE,
        "since_on": row.since_on,
        "until_on": row.until_on,
        "ending": row.ending if private or mine else None,
        "end_reason": row.end_reason if private or mine else None,
        "suspended_until": row.suspended_until if may_know else None,
        "pause": _pause(row, declared) if may_know and runs else None,
        "positions": [term.position_code for term in terms if term.starts_on <= day]
        if runs
        else [],
        "updated_at": max(one for one in changed if one) if may_know else row.updated_at,
        "viewer": {"can": can},
    }


def _affordances(
    standing: Standing, row: Any, declared: Any | None, has_terms: bool, *, mine: bool
) -> list[str]:
    status = status_on(standing.today, row)
    if status == MembershipStatus.ENDED:
        return []
    manages = standing.can(Capability.MEMBERSHIPS_MANAGE)
    appoints = standing.can(Capability.LEADERSHIP_APPOINT) or not has_terms
    ends = standing.reaches(Capability.MEMBERSHIPS_MANAGE) if mine else manages and appoints
    found = []
    if ends:
        found.append("end_membership")
        if declared is None:
            found.append("pause_membership")
        elif manages or standing.is_person(declared.declared_by):
            found.append("resume_membership")
    if manages and not mine:
        found.append("update_membership")
    if standing.can(Capability.SANCTIONS_SUSPEND) and not mine and appoints:
        suspended = status == MembershipStatus.SUSPENDED
        found.append("lift_suspension" if suspended else "suspend_membership")
    return found


async def get(source: Source, standing: Standing, membership_id: UUID) -> dict[str, Any]:
    """One membership of the community of the caller's standing, or one's own."""
    row = await source.one(ROSTER.where(col(Membership.id) == membership_id), today=standing.today)
    mine = standing.is_person(row.person_id)
    if not mine and not standing.can(Capability.MEMBERSHIPS_READ):
        raise errors.NotFound
    runs = status_on(standing.today, row) in RUNNING
    if not (runs or mine or standing.can(Capability.MEMBERSHIPS_READ_PRIVATE)):
        raise errors.NotFound
    return (await shown_all(source, standing, [row]))[0]
