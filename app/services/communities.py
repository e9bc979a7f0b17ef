"""The catalogue of communities, and what a caller may do in each."""

import dataclasses
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work, unique_or
from app.models import (
    Community,
    CommunityStatus,
    Discussion,
    JoinPolicy,
    Membership,
    Occupation,
    Seat,
    Term,
)
from app.policy import Capability, CommunityLine, MembershipLine, Standing
from app.preconditions import Expected, merge
from app.reader import Prepared
from app.services import held_terms, seats
from app.services.seating import (
    TODAY,
    holds_seat,
    membership_runs,
    paused_until,
    seat_exists,
    suspended_until,
    term_runs,
    verified,
)

# What the catalogue says of a community, computed for today.

MEMBERS = (
    sa.select(sa.func.count())
    .select_from(Membership)
    .where(col(Membership.community_id) == Community.id, membership_runs(TODAY))
    .correlate(Community)
    .scalar_subquery()
)
_HELD = (
    sa.select(Term.id)
    .where(col(Term.seat_id) == Seat.id, holds_seat(TODAY))
    .correlate(Seat)
    .exists()
)
VACANT = (
    sa.select(sa.func.count())
    .select_from(Seat)
    .where(
        col(Seat.community_id) == Community.id,
        col(Seat.subcommittee_id).is_(None),
        seat_exists(TODAY),
        ~_HELD,
    )
    .correlate(Community)
    .scalar_subquery()
)
LAST_POSTED = (
    sa.select(sa.func.max(Discussion.last_posted_at))
    .where(col(Discussion.community_id) == Community.id)
    .correlate(Community)
    .scalar_subquery()
)
OWN = (
    col(Community.id),
    col(Community.slug),
    col(Community.place),
    col(Community.name),
    col(Community.description),
    col(Community.status),
    col(Community.listed),
    col(Community.join_policy),
    col(Community.eligible_occupations),
    col(Community.eligibility_confirmations),
    col(Community.reapplication_days),
    col(Community.publishes_leadership),
    col(Community.version),
    col(Community.created_at),
    col(Community.updated_at),
)
_ONE = sa.select(
    *OWN,
    MEMBERS.label("member_count"),
    VACANT.label("vacant_seats"),
    LAST_POSTED.label("last_activity_at"),
)


_MINE = Prepared(
    sa.select(
        Membership.community_id,
        col(Membership.id).label("membership_id"),
        Membership.category,
        Membership.since_on,
        Membership.until_on,
        suspended_until(TODAY).label("suspended_until"),
        paused_until(TODAY).label("paused_until"),
        verified(TODAY, Membership.person_id, Membership.community_id).label("eligible"),
    ).where(
        col(Membership.person_id) == sa.bindparam("caller", type_=sa.Uuid), membership_runs(TODAY)
    )
)
_MY_TERMS = Prepared(
    sa.select(*held_terms.columns()).where(
        col(Term.person_id) == sa.bindparam("caller", type_=sa.Uuid),
        col(Term.community_id).is_not(None),
        term_runs(TODAY),
    )
)


async def standings_in(reader: Source, standing: Standing, rows: list[Any]) -> list[Standing]:
    """The caller's standing in each community of a page, in two statements for all of them."""
    memberships: dict[UUID, Any] = {}
    terms: dict[UUID, list[Any]] = {}
    if standing.person is not None:
        asked = {"caller": standing.person.id, "today": standing.today}
        memberships = {row.community_id: row for row in await reader.rows(_MINE, **asked)}
        for row in await reader.rows(_MY_TERMS, **asked):
            terms.setdefault(row.term_community_id, []).append(row)
    found = []
    for row in rows:
        mine = memberships.get(row.id)
        held = tuple(
            line
            for term in terms.get(row.id, ())
            for line in held_terms.lines(term, row.id, standing.grants)
            if line.in_community
        )
        found.append(
            standing.elsewhere(
                line(row),
                _membership_line(mine) if mine else None,
                mine.suspended_until if mine else None,
                held,
                bool(mine and mine.eligible),
            )
        )
    return found


def _membership_line(row: Any) -> MembershipLine:
    return MembershipLine(
        row.membership_id, row.category, row.since_on, row.until_on, row.paused_until
    )


def line(row: Any) -> CommunityLine:
    """A row of the catalogue as a standing needs it."""
    return CommunityLine(
        row.id, row.slug, str(row.status), row.listed, bool(row.eligible_occupations)
    )


def shown(
    row: Any,
    standing: Standing,
    *,
    member_count: int,
    vacant_seats: int,
    last_activity_at: Any,
) -> dict[str, Any]:
    """A community as this caller sees it; what is inside a restricted one is not counted."""
    inside = standing.belongs or not row.eligible_occupations
    return {
        "id": row.id,
        "slug": row.slug,
        "name": row.name,
        "description": row.description,
        "status": row.status,
        "listed": row.listed,
        "join_policy": row.join_policy,
        "eligible_occupations": row.eligible_occupations,
        "eligibility_confirmations": row.eligibility_confirmations,
        "reapplication_days": row.reapplication_days,
        "publishes_leadership": row.publishes_leadership,
        "member_count": member_count if inside else None,
        "last_activity_at": last_activity_at if inside else None,
        "vacant_seats": vacant_seats,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "viewer": {"can": affordances(standing, JoinPolicy(row.join_policy))},
    }


_AFFORDANCES: tuple[tuple[str, Capability], ...] = (
    ("list_memberships", Capability.MEMBERSHIPS_READ),
    ("list_discussions", Capability.DISCUSSIONS_READ),
    ("list_terms", Capability.LEADERSHIP_READ_HISTORY),
    ("list_subcommittees", Capability.MEMBERSHIPS_READ),
    ("get_succession_plan", Capability.LEADERSHIP_READ_HISTORY),
    ("get_community_leadership_health", Capability.INSIGHTS_READ),
    ("list_join_requests", Capability.JOIN_REQUESTS_READ),
    ("list_invitations", Capability.MEMBERSHIPS_MANAGE),
    ("list_eligibility_verifications", Capability.ELIGIBILITY_VERIFY),
    ("list_review_queue", Capability.POSTS_MODERATE),
    ("list_community_audit_log", Capability.AUDIT_READ),
)
_ACTS: tuple[tuple[str, Capability], ...] = (
    ("start_discussion", Capability.DISCUSSIONS_START),
    ("begin_term", Capability.LEADERSHIP_APPOINT),
    ("add_membership", Capability.MEMBERSHIPS_MANAGE),
    ("create_subcommittee", Capability.COMMUNITIES_UPDATE),
    ("open_election", Capability.ELECTIONS_MANAGE),
)


def affordances(standing: Standing, policy: JoinPolicy) -> list[str]:
    """The operations on a community that would be allowed: asking to join, lists behind a
    right, and acts. What everybody may read goes without saying."""
    active = not standing.here.archived
    found = []
    # A form cannot name a community that is not listed, whoever sends it.
    listed, belongs = standing.here.listed, standing.membership is not None
    takes_forms = active and listed and policy is JoinPolicy.REQUEST and not belongs
    if takes_forms and standing.can(Capability.JOIN_REQUESTS_SUBMIT):
        found.append("submit_join_request")
    if standing.anonymous:
        return found
    found += [name for name, capability in _AFFORDANCES if standing.can(capability)]
    if standing.sees_content and standing.can(Capability.LEADERSHIP_READ_HISTORY):
        found.append("list_elections")
    if active:
        found += [name for name, capability in _ACTS if standing.can(capability)]
        if policy is not JoinPolicy.CLOSED and standing.can(Capability.MEMBERSHIPS_MANAGE):
            found.append("create_invitations")
    if standing.can(Capability.COMMUNITIES_UPDATE) or standing.can(Capability.COMMUNITIES_MANAGE):
        found.append("update_community")
    return found


async def get(source: Source, standing: Standing) -> dict[str, Any]:
    """The community of the caller's standing, as the caller sees it."""
    row = await source.one(_ONE.where(col(Community.id) == standing.here.id), today=standing.today)
    counted = {
        "member_count": row.member_count,
        "vacant_seats": row.vacant_seats,
        "last_activity_at": row.last_activity_at,
    }
    return shown(row, standing, **counted) | {"version": row.version}


# Changes


async def create(
    work: Work, standing: Standing, values: dict[str, Any], within: str = ""
) -> dict[str, Any]:
    """A new community at the end of the catalogue, with its seats, vacant; `within` is where in the
    body it is described.

    Raises SlugTaken, and Invalid for unknown occupations.
    """
    await _refuse_unknown_occupations(work, values["eligible_occupations"], within)
    now = clock.now()
    last = await work.first(sa.select(sa.func.max(Community.place).label("place")))
    community = Community(
        **values, place=(last.place or 0) + 1 if last else 1, created_at=now, updated_at=now
    )
    async with unique_or(work, {"uq_community_slug": errors.SlugTaken()}):
        work.add(community)
    await seats.make_for_community(work, community.id)
    activity.record(
        work,
        "community.created",
        standing,
        community.id,
        community_id=community.id,
        slug=community.slug,
    )
    return await get(work, dataclasses.replace(standing, community=line(community), _cache={}))


_MANAGED = {"listed", "status", "eligible_occupations", "eligibility_confirmations"}


async def update(
    work: Work, standing: Standing, patch: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Changes a community's own data. Hiding, restricting and archiving need communities:manage."""
    if _MANAGED & set(patch):
        standing.require(Capability.COMMUNITIES_MANAGE)
    if set(patch) - _MANAGED:
        standing.require(Capability.COMMUNITIES_UPDATE)
    community = await work.locked(Community, standing.here.id)
    expected.check(community.version)
    await _refuse_unknown_occupations(work, patch.get("eligible_occupations", []))
    changed = merge(community, patch)
    if changed:
        community.roster_version += 1
        community.updated_at = clock.now()
        activity.record(
            work,
            "community.updated",
            standing,
            community.id,
            community_id=community.id,
            members=changed,
        )
        await work.flush()
    return await get(work, dataclasses.replace(standing, community=line(community), _cache={}))


async def _refuse_unknown_occupations(work: Work, codes: list[str], within: str = "") -> None:
    known = {row.code for row in await work.rows(sa.select(Occupation.code))}
    unknown = [
        errors.field(f"{within}/eligible_occupations/{index}", "not_known")
        for index, code in enumerate(codes)
        if code not in known
    ]
    if unknown:
        raise errors.Invalid(errors=unknown)


def reference(row: Any) -> dict[str, Any]:
    """A community as other resources name it; the row has its columns under community_*."""
    return {"id": row.community_id, "slug": row.community_slug, "name": row.community_name}


REFERENCE = (
    col(Community.id).label("community_id"),
    col(Community.slug).label("community_slug"),
    col(Community.name).label("community_name"),
)


def archived(row: Any) -> bool:
    """True if a community takes nothing new."""
    return row.status == CommunityStatus.ARCHIVED


async def touch_roster(work: Work, community_id: Any) -> None:
    """Moves the community's roster version: its members or its seats have changed."""
    await work.execute(
        sa.update(Community)
        .where(col(Community.id) == community_id)
        .values(roster_version=Community.roster_version + 1)
    )
