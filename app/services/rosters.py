"""Rosters: who belongs to a community, on any day, by any filter that the caller may use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import clock, errors
from app.listing import Listing
from app.models import (
    Community,
    Membership,
    MembershipCategory,
    MembershipPause,
    Person,
    Suspension,
    UnclaimedProfile,
)
from app.models.base import Instant, is_empty
from app.policy import Capability, Standing
from app.schemas.memberships import MembershipStatus
from app.services import communities
from app.services.seating import (
    DAY_END,
    TODAY,
    membership_runs,
    paused_until,
    suspended_until,
    verified,
)

# A suspension or a pause is between the member and those who may know of it, and so is that it
# changed something: it leaves `updated_at` as it was and has an instant of its own.
_SUSPENSION_CHANGED = (
    sa.select(sa.func.max(sa.func.coalesce(Suspension.lifted_at, Suspension.starts_at)))
    .where(col(Suspension.membership_id) == Membership.id)
    .scalar_subquery()
)
_PAUSE_CHANGED = (
    sa.select(sa.func.max(sa.func.coalesce(MembershipPause.ended_at, MembershipPause.declared_at)))
    .where(col(MembershipPause.membership_id) == Membership.id)
    .scalar_subquery()
)


_Account: Any = aliased(Person)
# Whoever looks at all rosters sees the account of whom a community has written down for itself.
_OWNER = sa.func.coalesce(
    sa.select(_Account.id)
    .join(UnclaimedProfile, col(UnclaimedProfile.email_key) == _Account.email_key)
    .where(col(UnclaimedProfile.person_id) == Membership.person_id)
    .correlate(Membership)
    .scalar_subquery(),
    Membership.person_id,
)


def _roster(end: Any = None, *, everywhere: bool = False) -> Any:
    """The columns of a roster, as of now, or (with `end`) of a day that is over."""
    return sa.select(
        Membership.id,
        col(Person.id).label("person_id"),
        Membership.category,
        Membership.since_on,
        Membership.until_on,
        Membership.ended_at,
        Membership.ending,
        Membership.end_reason,
        Membership.updated_at,
        Membership.version,
        Person.name,
        Person.occupation,
        Person.affiliation,
        Person.email,
        Person.occupation_code,
        Person.area_of_interest,
        Person.territory,
        Person.language,
        *communities.REFERENCE,
        suspended_until(TODAY, end=end).label("suspended_until"),
        paused_until(TODAY, end=end).label("paused_until"),
        verified(TODAY, Membership.person_id, Membership.community_id, end).label("verified"),
        _SUSPENSION_CHANGED.label("suspension_changed_at"),
        _PAUSE_CHANGED.label("pause_changed_at"),
    ).select_from(
        sa.join(
            Membership, Person, col(Person.id) == (_OWNER if everywhere else Membership.person_id)
        ).join(Community, col(Community.id) == Membership.community_id)
    )


ROSTER = _roster()


@dataclass(frozen=True, slots=True)
class Filters:
    """What a roster is asked for. Repeating a filter means or; several filters mean and.

    `text` is found in a member's name, occupation and affiliation, and in the address by whoever
    may see it. Asking for a `status`, a `territory`, an `occupation_code` or another day is for
    those who may see these.
    """

    category: Sequence[MembershipCategory] | None = None
    status: Sequence[MembershipStatus] | None = None
    territory: Sequence[str] | None = None
    occupation_code: Sequence[str] | None = None
    joined_after: date | None = None
    joined_before: date | None = None
    text: str | None = None
    person_id: UUID | None = None
    updated_after: datetime | None = None
    as_of: date | None = None


def _stands(status: MembershipStatus, end: Any) -> Any:
    """The condition that a membership stands so on a day: `membership_pages.status_on` in SQL."""
    suspended = suspended_until(TODAY, end=end).is_not(None)
    paused = sa.or_(
        paused_until(TODAY, end=end).is_not(None),
        ~verified(TODAY, Membership.person_id, Membership.community_id, end),
    )
    over = sa.or_(
        col(Membership.ended_at).is_not(None) if end is None else col(Membership.ended_at) < end,
        col(Membership.until_on) < TODAY,
    )
    runs = membership_runs(TODAY, end=end)
    return {
        MembershipStatus.ENDED: sa.func.coalesce(over, sa.false()),
        MembershipStatus.PLANNED: sa.and_(
            ~sa.func.coalesce(over, sa.false()), col(Membership.since_on) > TODAY
        ),
        MembershipStatus.SUSPENDED: sa.and_(runs, suspended),
        MembershipStatus.PAUSED: sa.and_(runs, ~suspended, paused),
        MembershipStatus.ACTIVE: sa.and_(runs, ~suspended, ~paused),
    }[status]


def _one_of(column: Any, name: str, count: int) -> Any:
    return sa.or_(*(column == sa.bindparam(f"{name}_{i}", type_=sa.String) for i in range(count)))


# SQLite lowers the letters of English alone, so a name is looked for in several spellings.
_SPELLINGS = ("text_lower", "text_plain", "text_title")


def _contains(column: Any) -> Any:
    lowered, *others = (sa.bindparam(name, type_=sa.String) for name in _SPELLINGS)
    return sa.or_(
        sa.func.lower(column).like(lowered, escape="\\"),
        *(column.like(other, escape="\\") for other in others),
    )


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a roster's statement depends on: which filters there are, and what the caller may."""

    past: bool
    runs: bool
    categories: tuple[MembershipCategory, ...]
    statuses: tuple[MembershipStatus, ...]
    territories: int
    occupations: int
    joined_after: bool
    joined_before: bool
    text: bool
    person: bool
    updated_after: bool
    private: bool
    rests: bool
    everywhere: bool
    open_to_all: bool


@lru_cache(maxsize=500)
def _listing(shape: _Shape) -> Listing:
    """A roster in the order of joining."""
    end = DAY_END if shape.past else None
    conditions = []
    if not shape.everywhere:
        here = sa.bindparam("community", type_=sa.Uuid)
        conditions.append(col(Membership.community_id) == here)
    if shape.open_to_all:
        conditions += [col(Community.listed), is_empty(Community.eligible_occupations)]
    if shape.statuses:
        conditions.append(sa.or_(*(_stands(status, end) for status in shape.statuses)))
    elif shape.runs:
        conditions.append(membership_runs(TODAY, end=end))
    if shape.categories:
        conditions.append(sa.or_(*(col(Membership.category) == one for one in shape.categories)))
    if shape.territories:
        conditions.append(_one_of(col(Person.territory), "territory", shape.territories))
    if shape.occupations:
        conditions.append(_one_of(col(Person.occupation_code), "occupation", shape.occupations))
    if shape.joined_after:
        conditions.append(col(Membership.since_on) > sa.bindparam("joined_after", type_=sa.Date))
    if shape.joined_before:
        conditions.append(col(Membership.since_on) < sa.bindparam("joined_before", type_=sa.Date))
    if shape.text:
        said = [col(Person.name), col(Person.occupation), col(Person.affiliation)]
        searched = [*said, col(Person.email)] if shape.private else said
        conditions.append(sa.or_(*(_contains(column) for column in searched)))
    if shape.person:
        conditions.append(col(Person.id) == sa.bindparam("person", type_=sa.Uuid))
    if shape.updated_after:
        after = sa.bindparam("updated_after", type_=Instant)
        changed = [col(Membership.updated_at) > after]
        if shape.rests:
            changed += [after < _SUSPENSION_CHANGED, after < _PAUSE_CHANGED]
        conditions.append(sa.or_(*changed))
    found = _roster(end, everywhere=shape.everywhere)
    return Listing(found.where(*conditions), col(Membership.id))


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def asked(
    standing: Standing, filters: Filters, *, everywhere: bool = False
) -> tuple[Listing, dict[str, Any]]:
    """The roster as a caller asked for it, and the parameters of its statement.

    It is that of the standing's community, or (`everywhere`) of all. What has ended shows to a
    script that synchronises (`updated_after`), if its owner may read the history.

    Raises PermissionDenied for a filter that would tell what the caller does not see, Invalid for
    a day and an instant together.
    """
    private = standing.can(Capability.MEMBERSHIPS_READ_PRIVATE)
    past = filters.as_of is not None and filters.as_of != standing.today
    if past or filters.status or filters.territory or filters.occupation_code:
        standing.require(Capability.MEMBERSHIPS_READ_PRIVATE)
    after = filters.updated_after is not None
    if past and after:
        raise errors.Invalid(errors=[errors.parameter("as_of", "not_with_updated_after")])
    territories = sorted(set(filters.territory or ()))
    occupations = sorted(set(filters.occupation_code or ()))
    shape = _Shape(
        past=past,
        runs=not (private and (after or filters.person_id is not None)),
        categories=tuple(sorted(set(filters.category or ()))),
        statuses=tuple(sorted(set(filters.status or ()))),
        territories=len(territories),
        occupations=len(occupations),
        joined_after=filters.joined_after is not None,
        joined_before=filters.joined_before is not None,
        text=filters.text is not None,
        person=filters.person_id is not None,
        updated_after=after,
        private=private,
        rests=after and may_know_of_rests(standing),
        everywhere=everywhere,
        # What is hidden or restricted exists for members, and for who administers everywhere.
        open_to_all=everywhere and not standing.oversees,
    )
    day = filters.as_of or standing.today
    text = filters.text or ""
    parameters = {
        "today": day,
        "community": None if everywhere else standing.here.id,
        "person": filters.person_id,
        "updated_after": filters.updated_after,
        "joined_after": filters.joined_after,
        "joined_before": filters.joined_before,
        "text_lower": _like(text.lower()),
        "text_plain": _like(text),
        "text_title": _like(text.title()),
        **{f"territory_{index}": code for index, code in enumerate(territories)},
        **{f"occupation_{index}": code for index, code in enumerate(occupations)},
    }
    if past:
        parameters["day_end"] = clock.end_of(day)
    return _listing(shape), parameters


def may_know_of_rests(standing: Standing) -> bool:
    """True for those who may know that the rights of somebody else's membership rest, and why."""
    return standing.can(Capability.MEMBERSHIPS_READ_PRIVATE) or standing.can(
        Capability.SANCTIONS_SUSPEND
    )


OWN = Listing(
    ROSTER.where(col(Membership.person_id) == sa.bindparam("person", type_=sa.Uuid)),
    col(Membership.id),
    descending=True,
)
