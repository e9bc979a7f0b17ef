"""The lines of which a standing is made: who calls, from where, and what they hold."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.models import CommunityStatus


@dataclass(frozen=True, slots=True)
class PersonLine:
    """The caller: who they are, and the line under which they speak."""

    id: UUID
    name: str
    occupation: str | None
    affiliation: str | None
    language: str


@dataclass(frozen=True, slots=True)
class CommunityLine:
    """What a standing needs to know of a community."""

    id: UUID
    slug: str
    status: str
    listed: bool
    restricted: bool

    @property
    def archived(self) -> bool:
        """True if it can be read and not written to."""
        return self.status == CommunityStatus.ARCHIVED


@dataclass(frozen=True, slots=True)
class MembershipLine:
    """The caller's membership here, running today; and the last day of a pause, if one does too."""

    id: UUID
    category: str
    since_on: date
    until_on: date | None
    paused_until: date | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """A seat in which somebody acts: of which position, and for whom, if it is held."""

    seat_id: UUID
    for_person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TermLine:
    """A term of the caller's that runs now: whether it counts here, and if in place of another.

    It counts unless the membership is suspended or the holder absent; an acting one only while
    nobody who holds the seat is able (services/seating.py).
    """

    id: UUID
    position: str
    starts_on: date
    ends_on: date | None
    in_community: bool
    here: bool = True
    counts: bool = True
    absent: bool = False
    acting: Acting | None = None
    ex_officio: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a machine's credential is for: these capabilities and no others, there and nowhere else.

    `id` is the credential's, `key` finds it again; `unnoted` says that its use has to be noted.
    """

    id: UUID
    capabilities: frozenset[str]
    communities: frozenset[UUID] | None = None
    key: str | None = None
    unnoted: bool = False

    @staticmethod
    def places(communities: list[str] | None) -> frozenset[UUID] | None:
        """The communities of a credential as a standing has them; None for everywhere."""
        return None if communities is None else frozenset(map(UUID, communities))

    def reach(self, community: CommunityLine | None) -> bool:
        """True where it is of use: one for some communities is for nothing beside them, the
        association as a whole included."""
        if self.communities is None:
            return True
        return community is not None and community.id in self.communities


@dataclass(frozen=True, slots=True)
class PartnerLine:
    """A partner organisation whose machine calls."""

    id: UUID
    name: str
