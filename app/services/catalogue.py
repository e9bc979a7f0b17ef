"""The list of communities: nothing is counted again that has not changed since.

Each transaction that changes what the catalogue says of a community moves a version of it (its own
or its roster's), and a post moves its last activity. These few numbers are its pulse. It is read at
every request; members and seats are counted only where it or the day has moved, and the answer to
strangers, who all see the same, is kept as it was encoded as long as nothing has.
"""

import hashlib
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app.listing import Listing, Page, Ready, page
from app.models import Community, CommunityStatus, Membership
from app.models.base import Instant
from app.policy import Standing
from app.reader import Prepared, Reader, encoded
from app.schemas.base import page_of
from app.services import communities
from app.services.seating import TODAY, membership_runs

KEPT_ANSWERS = 100

_PULSE = Prepared(
    sa.select(
        Community.id,
        Community.version,
        Community.roster_version,
        communities.LAST_POSTED.label("last_activity_at"),
    ).order_by(col(Community.id))
)
_COUNTS = Prepared(
    sa.select(
        communities.MEMBERS.label("member_count"), communities.VACANT.label("vacant_seats")
    ).where(col(Community.id) == sa.bindparam("community", type_=sa.Uuid))
)


class Pulse(NamedTuple):
    """What moves whenever the catalogue does; `key` is all of it as text."""

    key: bytes
    of: dict[UUID, Any]


class Counts(NamedTuple):
    """What is counted of a community, and of which roster and day that is true."""

    roster_version: int
    today: Any
    member_count: int
    vacant_seats: int


_MEMBER_OF = (
    sa.select(Membership.id)
    .where(
        col(Membership.community_id) == Community.id,
        col(Membership.person_id) == sa.bindparam("caller", type_=sa.Uuid),
        membership_runs(TODAY),
    )
    .correlate(Community)
    .exists()
)


@lru_cache
def listing(
    everything: bool,
    status: bool,
    updated_after: bool,
    within: frozenset[UUID] | None = None,
) -> Listing:
    """The communities in the association's order, over what the caller may see.

    Of those that are hidden, their members see their own and some see everything; a credential
    for some communities shows none beside them (`within`).
    """
    query = sa.select(*communities.OWN)
    hidden: Any = sa.true() if everything else _MEMBER_OF
    if within is not None:
        named = (col(Community.id) == community_id for community_id in sorted(within))
        hidden = sa.and_(hidden, sa.or_(sa.false(), *named))
    if not everything or within is not None:
        query = query.where(sa.or_(col(Community.listed).is_(True), hidden))
    if status:
        query = query.where(col(Community.status) == sa.bindparam("status", type_=sa.String))
    if updated_after:
        query = query.where(
            col(Community.updated_at) > sa.bindparam("updated_after", type_=Instant)
        )
    return Listing(query, col(Community.place), col(Community.id))


async def listed(
    reader: Reader,
    standing: Standing,
    asked: Page,
    status: CommunityStatus | None,
    updated_after: Any,
) -> Any:
    """One page of the catalogue as this caller sees it, to be encoded or encoded already."""
    pulse = await reader.shared("pulse", lambda: _pulse(reader))
    if not standing.anonymous:
        return await _page(reader, standing, pulse, asked, status, updated_after)
    now = (pulse.key, standing.today, standing.grants.version)
    kept_for, answers = reader.remembered.get("public catalogue", (None, {}))
    if kept_for != now or len(answers) >= KEPT_ANSWERS:
        answers = {}
        reader.remembered["public catalogue"] = now, answers
    # The fingerprint stands for the filters.
    key = asked._replace(known=frozenset())
    if key not in answers:
        answers[key] = _ready(await _page(reader, standing, pulse, asked, status, updated_after))
    return answers[key]


def _ready(answer: dict[str, Any]) -> Ready:
    body = encoded(answer)
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    return Ready(body, answer["next_cursor"], etag)


async def _pulse(reader: Reader) -> Pulse:
    rows = await reader.rows(_PULSE)
    return Pulse(encoded([list(row) for row in rows]), {row.id: row for row in rows})


async def _page(
    reader: Reader,
    standing: Standing,
    pulse: Pulse,
    asked: Page,
    status: CommunityStatus | None,
    updated_after: Any,
) -> dict[str, Any]:
    within = standing.bounds.communities if standing.bounds else None
    found = await page(
        reader,
        listing(standing.lists_hidden, status is not None, updated_after is not None, within),
        asked,
        today=standing.today,
        caller=standing.person.id if standing.person else None,
        status=status,
        updated_after=updated_after,
    )
    standings = await communities.standings_in(reader, standing, found.rows)
    items = []
    for row, there in zip(found.rows, standings, strict=True):
        beat = pulse.of.get(row.id)
        counts = await _counts(reader, row.id, beat, standing.today)
        items.append(
            communities.shown(
                row,
                there,
                member_count=counts.member_count,
                vacant_seats=counts.vacant_seats,
                last_activity_at=beat.last_activity_at if beat else None,
            )
        )
    return page_of(items, found.next_cursor, found.total)


async def _counts(reader: Reader, community: UUID, beat: Any, today: Any) -> Counts:
    """Counted at this version of the roster or, since it is read afterwards, at a later one."""
    known: dict[UUID, Counts] = reader.remembered.setdefault("catalogue counts", {})
    version = beat.roster_version if beat else 0
    counts = known.get(community)
    if counts is None or (counts.roster_version, counts.today) != (version, today):
        row = await reader.one(_COUNTS, community=community, today=today)
        counts = Counts(version, today, row.member_count, row.vacant_seats)
        known[community] = counts
    return counts
