"""The health of leadership, over all communities at once: which of them is in trouble, and why.

Its facts are read in a fixed number of statements, however many communities there are.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.among import among
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
from app.reader import Prepared
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
_OVER = Prepared(
    _TERMS.where(
        among(col(Term.seat_id), "seats"),
        col(Term.starts_on) <= TODAY,
        sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > col(Term.starts_on)),
    )
)
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
    """What is looked at, by statements that are made once."""

    communities: Prepared
    seats: Which
    terms: Prepared
    candidates: Any
    people: Prepared

    @classmethod
    def of(cls, communities: Any, seats: Any, terms: Any, candidates: Any, people: Any) -> Self:
        """By a condition for each."""
        return cls(
            Prepared(_COMMUNITIES.where(communities)),
            Which(seats, sa.and_(terms, col(Term.subcommittee_id).is_(None)), kept=True),
            Prepared(_TERMS.where(terms, seating.term_is_not_over(TODAY))),
            candidates,
            Prepared(_PEOPLE.where(people)),
        )


_ACTIVE = sa.select(col(Community.id)).where(col(Community.status) == CommunityStatus.ACTIVE)
_COMMUNITY: Any = sa.bindparam("community", type_=sa.Uuid)

# The association and every active community; or one community.
_EVERYWHERE = _Scope.of(
    col(Community.status) == CommunityStatus.ACTIVE,
    sa.and_(
        col(Seat.subcommittee_id).is_(None),
        sa.or_(col(Seat.community_id).is_(None), col(Seat.community_id).in_(_ACTIVE)),
    ),
    sa.or_(col(Term.community_id).is_(None), col(Term.community_id).in_(_ACTIVE)),
    col(SuccessionCandidate.community_id).in_(_ACTIVE),
    col(Membership.community_id).in_(_ACTIVE),
)
_IN_ONE = _Scope.of(
    col(Community.id) == _COMMUNITY,
    col(Seat.body_id) == _COMMUNITY,
    col(Term.body_id) == _COMMUNITY,
    col(SuccessionCandidate.community_id) == _COMMUNITY,
    col(Membership.community_id) == _COMMUNITY,
)


async def get(source: Source, standing: Standing) -> dict[str, Any]:
    """Every active community with what was found, and the association's own seats."""
    bodies = await _bodies(source, standing, _EVERYWHERE)
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
    here = standing.here.id
    bodies = await _bodies(source, standing, _IN_ONE, community=here)
    return bodies[here]


async def _bodies(
    source: Source, standing: Standing, scope: _Scope, **asked: Any
) -> dict[UUID | None, dict[str, Any]]:
    """The association (None) and the communities in the catalogue's order, as they are shown."""
    asked["today"] = standing.today
    rows = await source.rows(scope.communities, **asked)
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
    await _add_seats(source, scope, facts, **asked)
    await _add_terms(source, scope, facts, **asked)
    await _add_people(source, scope, facts, **asked)
    await _add_elections(source, standing, list(places.values()), facts)
    return {
        community_id: _shown(places.get(community_id), known)
        for community_id, known in facts.items()
    }


async def _add_seats(
    source: Source, scope: _Scope, facts: _Known, today: date, **asked: Any
) -> None:
    for one in await seated.on(source, scope.seats, today, **asked):
        facts[one.seat.community_id].seats.append(one)
    agreed = await succession_candidates.seats_with(source, scope.candidates, today, **asked)
    for known in facts.values():
        known.candidates = {one.seat.id for one in known.seats} & agreed


async def _add_terms(
    source: Source, scope: _Scope, facts: _Known, today: date, **asked: Any
) -> None:
    """The terms that run or are to come, and the last that held each vacant seat."""
    for term in await source.rows(scope.terms, today=today, **asked):
        known = facts[term.community_id]
        known.current.append(term)
        if term.starts_on > today:
            known.following.setdefault(term.seat_id, term)
        elif not term.holds:
            known.lapsed.append(term)
    vacant = {one.seat.id for known in facts.values() for one in known.vacant}
    for term in await source.rows(_OVER, seats=vacant, today=today):
        facts[term.community_id].last[term.seat_id] = term


async def _add_people(source: Source, scope: _Scope, facts: _Known, **asked: Any) -> None:
    for row in await source.rows(scope.people, **asked):
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
