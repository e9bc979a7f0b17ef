"""The health of leadership, over all communities at once: which of them is in trouble, and why.

Its facts are read in a fixed number of statements, however many communities there are.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.db import Source
from app.models import (
    Community,
    CommunityStatus,
    Membership,
    Person,
    Seat,
    SuccessionCandidate,
    Term,
    Territory,
)
from app.policy import Capability, Standing
from app.services import (
    communities,
    findings,
    leadership,
    open_elections,
    seated,
    seating,
    succession_candidates,
)
from app.services.findings import SEVERITIES, Facts
from app.services.seated import Which
from app.services.seating import TODAY

_COMMUNITIES = sa.select(
    *communities.REFERENCE, Community.place, Community.eligible_occupations
).order_by(col(Community.place), col(Community.id))
_TERRITORIES = sa.select(Territory.code, Territory.name).order_by(col(Territory.place))
_TERMS = leadership.LAST.where(
    seating.own(Term), col(Term.subcommittee_id).is_(None), col(Term.seat_id).is_not(None)
).order_by(col(Term.starts_on), col(Term.id))
# How many belong, and how many of them lead, by where they are from.
_PEOPLE = (
    sa.select(
        Membership.community_id,
        Person.territory,
        sa.func.count(sa.distinct(col(Membership.id))).label("members"),
        sa.func.count(sa.distinct(col(Term.id))).label("leaders"),
    )
    .select_from(Membership)
    .join(Person, col(Person.id) == Membership.person_id)
    .outerjoin(
        Term,
        sa.and_(
            col(Term.person_id) == Membership.person_id,
            col(Term.body_id) == Membership.community_id,
            seating.holds_seat(TODAY),
        ),
    )
    .where(seating.membership_runs(TODAY), col(Person.deactivated_at).is_(None))
    .group_by(col(Membership.community_id), col(Person.territory))
)


_Known = dict[UUID | None, Facts]


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is looked at: one community, or the association and every active community."""

    communities: Any
    seats: Any
    terms: Any
    candidates: Any
    people: Any


def _everywhere() -> _Scope:
    active = sa.select(col(Community.id)).where(col(Community.status) == CommunityStatus.ACTIVE)
    return _Scope(
        col(Community.status) == CommunityStatus.ACTIVE,
        sa.and_(
            col(Seat.subcommittee_id).is_(None),
            sa.or_(col(Seat.community_id).is_(None), col(Seat.community_id).in_(active)),
        ),
        sa.or_(col(Term.community_id).is_(None), col(Term.community_id).in_(active)),
        col(SuccessionCandidate.community_id).in_(active),
        col(Membership.community_id).in_(active),
    )


def _in_one(community_id: UUID) -> _Scope:
    return _Scope(
        col(Community.id) == community_id,
        col(Seat.body_id) == community_id,
        col(Term.body_id) == community_id,
        col(SuccessionCandidate.community_id) == community_id,
        col(Membership.community_id) == community_id,
    )


async def get(source: Source, standing: Standing) -> dict[str, Any]:
    """Every active community with what was found, and the association's own seats."""
    bodies = await _bodies(source, standing, _everywhere())
    association = bodies.pop(None)
    ranked = sorted(bodies.values(), key=_gravity)
    return {
        "as_of": standing.today,
        "summary": _summary(ranked),
        "association": association,
        "communities": ranked,
    }


async def of_community(source: Source, standing: Standing) -> dict[str, Any]:
    """One community with what was found."""
    bodies = await _bodies(source, standing, _in_one(standing.here.id))
    return bodies[standing.here.id]


async def _bodies(
    source: Source, standing: Standing, scope: _Scope
) -> dict[UUID | None, dict[str, Any]]:
    """The association (None) and the communities in the catalogue's order, as they are shown."""
    rows = await source.rows(_COMMUNITIES.where(scope.communities))
    places = {row.community_id: row for row in rows}
    rows = await source.rows(_TERRITORIES)
    # ISO 3166-2 has a hyphen; places outside of the list need nobody to speak for them.
    territories = {row.code: row.name for row in rows if "-" in row.code}
    facts: _Known = {
        community_id: Facts(
            standing.today,
            of_community=community_id is not None,
            territories=territories,
            knows_territories=standing.can(Capability.MEMBERSHIPS_READ_PRIVATE),
        )
        for community_id in (None, *places)
    }
    await _add_seats(source, scope, facts, standing.today)
    await _add_terms(source, scope, facts, standing.today)
    await _add_people(source, scope, facts, standing.today)
    await _add_elections(source, standing, list(places.values()), facts)
    return {
        community_id: _shown(places.get(community_id), known)
        for community_id, known in facts.items()
    }


async def _add_seats(source: Source, scope: _Scope, facts: _Known, today: date) -> None:
    terms = sa.and_(scope.terms, col(Term.subcommittee_id).is_(None))
    for one in await seated.on(source, Which(scope.seats, terms), today):
        facts[one.seat.community_id].seats.append(one)
    agreed = await succession_candidates.seats_with(source, scope.candidates, today)
    for known in facts.values():
        known.candidates = {one.seat.id for one in known.seats} & agreed


async def _add_terms(source: Source, scope: _Scope, facts: _Known, today: date) -> None:
    """The terms that run or are to come, and the last that held each vacant seat."""
    current = _TERMS.where(scope.terms, seating.term_is_not_over(TODAY))
    for term in await source.rows(current, today=today):
        known = facts[term.community_id]
        known.current.append(term)
        if term.starts_on > today:
            known.following.setdefault(term.seat_id, term)
        elif not term.holds:
            known.lapsed.append(term)
    vacant = {one.seat.id for known in facts.values() for one in known.vacant}
    over = _TERMS.where(
        col(Term.seat_id).in_(vacant),
        col(Term.starts_on) <= TODAY,
        sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > col(Term.starts_on)),
    )
    for term in await source.rows(over, today=today):
        facts[term.community_id].last[term.seat_id] = term


async def _add_people(source: Source, scope: _Scope, facts: _Known, today: date) -> None:
    for row in await source.rows(_PEOPLE.where(scope.people), today=today):
        known = facts[row.community_id]
        known.member_count += row.members
        if row.territory is not None:
            known.members[row.territory] = row.members
            known.leaders[row.territory] = row.leaders


async def _add_elections(
    source: Source, standing: Standing, places: list[Any], facts: _Known
) -> None:
    """What is elected in a restricted community is told to those whom it admits alone."""
    inside = standing.community is not None and standing.sees_content
    told = {row.community_id for row in places if inside or not row.eligible_occupations}
    for one in await open_elections.in_communities(source, told):
        if one.overdue(standing.today):
            facts[one.community_id].overdue.append(one.id)


# As it is shown


def _shown(place: Any | None, known: Facts) -> dict[str, Any]:
    listed = findings.found(known)
    return {
        "community": communities.reference(place) if place is not None else None,
        "severity": listed[0]["severity"] if listed else None,
        "seats": len(known.seats),
        "filled_seats": len(known.seats) - len(known.vacant),
        "member_count": known.member_count if place is not None else None,
        "findings": listed,
    }


def _gravity(body: dict[str, Any]) -> tuple[int, int]:
    """The gravest finding first, then the most; the catalogue's order is kept beyond that."""
    gravest = SEVERITIES.index(body["severity"]) if body["severity"] else len(SEVERITIES)
    return gravest, -len(body["findings"])


def _summary(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    gravest = Counter(body["severity"] for body in bodies)
    codes = Counter(finding["code"] for body in bodies for finding in body["findings"])
    worst: dict[str, str] = {}
    for severity in reversed(SEVERITIES):
        for body in bodies:
            for finding in body["findings"]:
                if finding["severity"] == severity:
                    worst[finding["code"]] = severity
    counts: list[dict[str, Any]] = [
        {"code": code, "severity": worst[code], "communities": codes[code]} for code in codes
    ]
    return {
        "communities": len(bodies),
        **{severity: gravest[severity] for severity in SEVERITIES},
        "well": gravest[None],
        "seats": sum(body["seats"] for body in bodies),
        "vacant_seats": sum(body["seats"] - body["filled_seats"] for body in bodies),
        "findings": sorted(
            counts, key=lambda one: (SEVERITIES.index(one["severity"]), -one["communities"])
        ),
    }
