"""Who holds a seat, who can exercise it, and who acts in it: each said once, as a condition in SQL.

Rights (services/standing.py) and what is shown of leadership (services/leadership.py) read the same
conditions, so that they cannot disagree. `day` is the association's calendar day that is asked
about; `end`, where it is given, the instant at which that day is over: then what ended later still
counts. Without it only what has not ended counts, which is the present.

A holder *holds* a seat while the term, the membership and the account run. Whoever holds it is
*able* to exercise it unless the rights of the membership rest (it is suspended, or paused, or what
a restricted community asks for is not verified) or the holder is absent. While nobody who
holds it is able, a named acting holder acts, or else the holder of the position that acts for it
by rule. So at no moment do two people exercise one seat.
"""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.models import (
    Absence,
    Community,
    EligibilityVerification,
    Membership,
    MembershipPause,
    Person,
    Position,
    Seat,
    Suspension,
    Term,
    TermBasis,
)
from app.models.base import Instant, has_item, is_empty

TODAY = sa.bindparam("today", type_=sa.Date)
DAY_END = sa.bindparam("day_end", type_=Instant)


def _not_over(ended_at: Any, end: Any) -> Any:
    return ended_at.is_(None) if end is None else sa.or_(ended_at.is_(None), ended_at >= end)


def term_runs(day: Any, term: Any = Term) -> Any:
    """The condition that a term runs on a day; a day on which it was ended is no longer its own."""
    return sa.and_(
        col(term.starts_on) <= day,
        sa.or_(col(term.ends_on).is_(None), col(term.ends_on) >= day),
        sa.or_(col(term.free_from).is_(None), col(term.free_from) > day),
    )


def term_is_not_over(day: Any, term: Any = Term) -> Any:
    """The condition that a term runs on a day or is still to come."""
    return sa.or_(
        col(term.free_from).is_(None),
        sa.and_(col(term.free_from) > day, col(term.free_from) > col(term.starts_on)),
    )


def membership_runs(day: Any, membership: Any = Membership, end: Any = None) -> Any:
    """The condition that a membership runs on a day."""
    return sa.and_(
        col(membership.since_on) <= day,
        sa.or_(col(membership.until_on).is_(None), col(membership.until_on) >= day),
        _not_over(col(membership.ended_at), end),
    )


def membership_is_not_over(day: Any) -> Any:
    """The condition that a membership runs on a day or is still to come."""
    return sa.and_(
        col(Membership.ended_at).is_(None),
        sa.or_(col(Membership.until_on).is_(None), col(Membership.until_on) >= day),
    )


def suspended_until(day: Any, membership: Any = Membership, end: Any = None) -> Any:
    """The last day of the suspension of a membership that runs on a day, as a scalar."""
    began = () if end is None else (col(Suspension.starts_at) < end,)
    return (
        sa.select(sa.func.max(Suspension.until_on))
        .where(
            col(Suspension.membership_id) == membership.id,
            _not_over(col(Suspension.lifted_at), end),
            col(Suspension.until_on) >= day,
            *began,
        )
        .correlate(membership)
        .scalar_subquery()
    )


# Where a pause has no last day.
NO_END = date.max


def pause_is_not_over(day: Any, end: Any = None) -> Any:
    """The condition that a pause runs on a day or is still to come."""
    declared = () if end is None else (col(MembershipPause.declared_at) < end,)
    return sa.and_(
        sa.or_(col(MembershipPause.until_on).is_(None), col(MembershipPause.until_on) >= day),
        _not_over(col(MembershipPause.ended_at), end),
        *declared,
    )


def paused_until(day: Any, membership: Any = Membership, end: Any = None) -> Any:
    """The last day of the pause of a membership that runs on a day, as a scalar; NO_END if open."""
    return (
        sa.select(sa.func.max(sa.func.coalesce(MembershipPause.until_on, sa.literal(NO_END))))
        .where(
            col(MembershipPause.membership_id) == membership.id,
            col(MembershipPause.starts_on) <= day,
            pause_is_not_over(day, end),
        )
        .correlate(membership)
        .scalar_subquery()
    )


def confirmed(day: Any, verification: Any = EligibilityVerification, end: Any = None) -> Any:
    """The condition that a verification holds on a day."""
    return sa.and_(
        col(verification.confirmed_on) <= day,  # null until it is confirmed
        col(verification.until_on) >= day,
        _not_over(col(verification.revoked_at), end),
    )


def verified(day: Any, person_id: Any, community_id: Any, end: Any = None) -> Any:
    """The condition that a community admits somebody: it is open to all, or what it asks for is
    verified of them on that day."""
    community, verification = aliased(Community), aliased(EligibilityVerification)
    admitted = (
        sa.select(verification.id)
        .where(
            col(verification.community_id) == community.id,
            col(verification.person_id) == person_id,
            confirmed(day, verification, end),
            has_item(community.eligible_occupations, verification.occupation_code),
        )
        .correlate_except(verification)
        .exists()
    )
    return (
        sa.select(community.id)
        .where(
            col(community.id) == community_id,
            sa.or_(is_empty(community.eligible_occupations), admitted),
        )
        .correlate_except(community)
        .exists()
    )


def absence_on(day: Any, term: Any = Term, end: Any = None) -> Any:
    """The absence of a term's holder that runs on a day, as a scalar: its id, or null."""
    return (
        sa.select(col(Absence.id))
        .where(
            col(Absence.term_id) == term.id,
            col(Absence.starts_on) <= day,
            sa.or_(col(Absence.ends_on).is_(None), col(Absence.ends_on) >= day),
            _not_over(col(Absence.ended_at), end),
        )
        .correlate(term)
        .limit(1)
        .scalar_subquery()
    )


def active(term: Any, end: Any = None) -> Any:
    """The condition that the holder's account has not been switched off."""
    person = aliased(Person)
    return (
        sa.select(person.id)
        .where(col(person.id) == term.person_id, _not_over(col(person.deactivated_at), end))
        .correlate(term)
        .exists()
    )


def _belongs(day: Any, term: Any, end: Any, *, resting: bool) -> Any:
    """The condition that the holder is a member where the seat is."""
    belonging = aliased(Membership)
    found = sa.select(belonging.id).where(
        col(belonging.community_id) == term.community_id,
        col(belonging.person_id) == term.person_id,
        membership_runs(day, belonging, end),
    )
    if not resting:
        found = found.where(
            suspended_until(day, belonging, end).is_(None),
            paused_until(day, belonging, end).is_(None),
            verified(day, belonging.person_id, belonging.community_id, end),
        )
    return sa.or_(col(term.community_id).is_(None), found.correlate(term).exists())


def holds(day: Any, term: Any = Term, end: Any = None) -> Any:
    """The condition that a term gives its holder the seat: term, membership and account run."""
    return sa.and_(
        term_runs(day, term),
        active(term, end),
        _belongs(day, term, end, resting=True),
    )


def able(day: Any, term: Any = Term, end: Any = None) -> Any:
    """The condition that a holder can exercise a seat: not absent, and no rights resting."""
    return sa.and_(
        term_runs(day, term),
        active(term, end),
        _belongs(day, term, end, resting=False),
        absence_on(day, term, end).is_(None),
    )


def own(term: Any) -> Any:
    """The condition that a term is the seat's own, and not one of somebody who acts in it."""
    return col(term.basis) != TermBasis.ACTING


def holds_seat(day: Any) -> Any:
    """The condition that the seat of a term is held on a day, and not only acted in."""
    return sa.and_(own(Term), holds(day))


def _exercised(day: Any, seat_id: Any, around: Any, end: Any) -> Any:
    """The condition that the holder of a seat is able."""
    other = aliased(Term)
    return (
        sa.select(other.id)
        .where(col(other.seat_id) == seat_id, own(other), able(day, other, end))
        .correlate(around)
        .exists()
    )


def counts(day: Any, term: Any = Term, end: Any = None) -> Any:
    """The condition that a term gives its holder the rights of the position now.

    That of an acting holder does only while nobody who holds the seat is able.
    """
    return sa.and_(
        able(day, term, end),
        sa.or_(own(term), ~_exercised(day, term.seat_id, term, end)),
    )


def acting_seat(day: Any, term: Any = Term, end: Any = None) -> Any:
    """The seat in which a holder acts by rule, as a scalar: its id, or null.

    It is a seat of the position that the holder's own position acts for, in the same body, which
    nobody exercises; of several holders who could act, the one of the first seat does.
    """
    seat, mine, earlier = aliased(Seat), aliased(Seat), aliased(Seat)
    named, other, position = aliased(Term), aliased(Term), aliased(Position)
    same = col(seat.body_id).is_not_distinct_from(term.body_id)
    somebody_named = (
        sa.select(named.id)
        .where(
            col(named.seat_id) == seat.id,
            col(named.basis) == TermBasis.ACTING,
            able(day, named, end),
        )
        .correlate(seat)
        .exists()
    )
    before_me = (
        sa.select(other.id)
        .join(earlier, col(earlier.id) == other.seat_id)
        .join(mine, col(mine.id) == term.seat_id)
        .where(
            col(other.body_id).is_not_distinct_from(term.body_id),
            col(other.position_code) == term.position_code,
            own(other),
            col(earlier.number) < mine.number,
            able(day, other, end),
        )
        .correlate(term)
        .exists()
    )
    return (
        sa.select(seat.id)
        .join(position, col(position.acts_for) == seat.position_code)
        .where(
            col(position.code) == term.position_code,
            same,
            seat_exists(day, seat),
            own(term),
            able(day, term, end),
            ~_exercised(day, seat.id, seat, end),
            ~somebody_named,
            ~before_me,
        )
        .order_by(col(seat.number))
        .limit(1)
        .correlate(term)
        .scalar_subquery()
    )


def seat_exists(day: Any, seat: Any = Seat) -> Any:
    """The condition that a seat exists on a day, held or vacant."""
    return sa.and_(
        col(seat.opened_on) <= day, sa.or_(col(seat.closed_on).is_(None), col(seat.closed_on) > day)
    )


def incumbent(day: Any, seat_id: Any, around: Any, end: Any = None) -> Any:
    """The person who holds a seat, able or not, as a scalar: the id, or null."""
    holder = aliased(Term)
    return (
        sa.select(holder.person_id)
        .where(col(holder.seat_id) == seat_id, own(holder), holds(day, holder, end))
        .correlate(around)
        .limit(1)
        .scalar_subquery()
    )
