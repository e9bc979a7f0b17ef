"""What there is already of what somebody wants to propose: communities, and open proposals.

A community that is not listed is never pointed out, to nobody: that there is one would be told by
trying words.
"""

from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import likeness, texts
from app.db import Source
from app.models import Community, CommunityProposal, ProposalStatus
from app.services import communities

# From which likeness on something is pointed out, and how many of each at most.
ALIKE, MOST = 0.3, 5
# Of descriptions a smaller part is ever the same than of names.
OF_WHOLE = 1.6
# How many open proposals are looked at, the latest.
_PROPOSALS_READ = 200

_COMMUNITIES = (
    sa.select(*communities.REFERENCE, col(Community.description), col(Community.status))
    .where(col(Community.listed).is_(True))
    .order_by(col(Community.place), col(Community.id))
)
_PROPOSALS = (
    sa.select(
        CommunityProposal.id,
        CommunityProposal.name,
        CommunityProposal.area,
        CommunityProposal.specifics,
        CommunityProposal.language,
    )
    .where(col(CommunityProposal.status) == ProposalStatus.OPEN)
    .order_by(col(CommunityProposal.id).desc())
    .limit(_PROPOSALS_READ)
)


class Wanted(NamedTuple):
    """A community in words: its name in each language that it has one in, and what it is for."""

    name: dict[str, str | None]
    about: dict[str, str]

    def whole(self, language: str) -> str:
        """All that is said of it in a language."""
        return f"{self.name.get(language) or ''} {self.about.get(language) or ''}"


def proposed(values: Any) -> Wanted:
    """What a form or a proposal says that it wants."""
    return Wanted(values["name"], {values["language"]: f"{values['area']} {values['specifics']}"})


async def find(source: Source, wanted: Wanted, besides: UUID | None = None) -> dict[str, Any]:
    """The listed communities and the open proposals (`besides` one) that are like what is wanted,
    the likest first. The same words always find the same."""
    known = await source.rows(_COMMUNITIES)
    open_ones = [row for row in await source.rows(_PROPOSALS) if row.id != besides]
    described = [Wanted(row.community_name, row.description) for row in known]
    described += [proposed(row._asdict()) for row in open_ones]
    measured = _measured(wanted, described)
    return {
        "communities": [
            {"community": communities.reference(row), "status": row.status, "likeness": like}
            for row, like in _likest(known, measured[: len(known)])
        ],
        "proposals": [
            {"id": row.id, "name": row.name, "area": row.area, "likeness": like}
            for row, like in _likest(open_ones, measured[len(known) :])
        ],
    }


def _measured(wanted: Wanted, described: list[Wanted]) -> list[float]:
    """How alike what is wanted is to each, in the language in which it is most."""
    best = [0.0] * len(described)
    for language in texts.LANGUAGES:
        names = tuple(one.name.get(language) or "" for one in described)
        wholes = tuple(one.whole(language) for one in described)
        by_name = likeness.among(names).likeness(wanted.name.get(language) or "")
        by_whole = likeness.among(wholes).likeness(wanted.whole(language))
        for place, (name, whole) in enumerate(zip(by_name, by_whole, strict=True)):
            best[place] = max(best[place], name, min(1.0, OF_WHOLE * whole))
    return best


def _likest(rows: list[Any], measured: list[float]) -> list[tuple[Any, float]]:
    found = [
        (row, round(like, 2))
        for row, like in zip(rows, measured, strict=True)
        if round(like, 2) >= ALIKE
    ]
    return sorted(found, key=lambda one: -one[1])[:MOST]
