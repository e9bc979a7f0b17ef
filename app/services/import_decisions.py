"""What is decided about a row, whatever kind of file it is of: the plan, in JSON, and what is said.

A plan says what becomes of the person (`make`, `update`, `keep`, or `other_row` where an earlier
row of the file makes the account) and of each membership, or which requests it makes. It names no
versions, so that two plans are equal if they would do the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.membership_files.rows import Finding
from app.models import MembershipImport, RowOutcome
from app.services.import_worlds import Place, World

Values = dict[str, Any]


@dataclass(slots=True)
class Decision:
    """What a row would do, what is said of it, and which memberships it speaks of."""

    outcome: RowOutcome = RowOutcome.UNCHANGED
    person: Values = field(default_factory=dict)
    memberships: list[Values] = field(default_factory=list)
    requests: list[Values] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    mentions: set[UUID] = field(default_factory=set)

    def does(self) -> Values | None:
        """The plan as it is kept and compared; None for one that changes nothing."""
        plan = {"person": self.person, "memberships": self.memberships}
        if self.requests:
            return plan | {"requests": self.requests}
        changes = self.person.get("act") in ("make", "update") or self.person.get("link")
        return plan if self.memberships or changes else None

    def note(self, code: str, place: Place) -> None:
        """Says something of a community that refuses nothing."""
        self.findings.append(Finding(None, code, {"community": place.slug}, refuses=False))

    def refused(self) -> "Decision":
        """Nothing is done, and what was said says why: no community takes the person."""
        told = [Finding(one.column, one.code, one.facts) for one in self.findings]
        return Decision(RowOutcome.REFUSED, findings=told, mentions=self.mentions)


def person_plan(
    act: str, person_id: UUID | None = None, values: Values | None = None, *, link: bool = False
) -> Values:
    """What becomes of a person; `link` if the source's number for them is to be remembered."""
    known = None if person_id is None else str(person_id)
    return {"act": act, "id": known, "values": values or {}, "link": link}


def membership_plan(
    act: str,
    community_id: UUID,
    membership_id: UUID | None = None,
    values: Values | None = None,
    lapses: UUID | None = None,
) -> Values:
    """What becomes of a membership; `lapses` is one before it, which the calendar has ended."""
    return {
        "community": str(community_id),
        "act": act,
        "id": None if membership_id is None else str(membership_id),
        "values": values or {},
        "lapses": None if lapses is None else str(lapses),
    }


class Deciding:
    """The rows of one import in one state of the world: which communities they are about."""

    def __init__(self, job: MembershipImport, world: World) -> None:
        self._job = job
        self._world = world
        self._places = world.places_for(job)

    def _named(self, said: Mapping[str, Any], found: Decision) -> Iterator[Place]:
        """The communities of a row; an import into one leaves the others aside."""
        for one in said["communities"]:
            place = self._world.places.get(UUID(one))
            if place is None:
                continue
            if self._job.community_id in (None, place.id):
                yield place
            else:
                found.note("community_elsewhere", place)

    def _closed(self, place: Place) -> str | None:
        """Why this import brings nobody into a community, whoever it is."""
        if place.id not in self._places:
            return "community_not_permitted"
        return "community_archived" if place.archived else None
