"""Who may do what: the standing that a person has in a community now.

It asks for capabilities (capabilities.py), never for positions; which position gives which is data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from app import errors
from app.capabilities import ACCOUNT as ACCOUNT
from app.capabilities import BASE_GRANTEES as BASE_GRANTEES
from app.capabilities import CONTENT as CONTENT
from app.capabilities import FRONT_OF_RESTRICTED as FRONT_OF_RESTRICTED
from app.capabilities import MEMBER as MEMBER
from app.capabilities import OPEN_TO_ALL as OPEN_TO_ALL
from app.capabilities import PUBLIC as PUBLIC
from app.capabilities import TAKING_PART as TAKING_PART
from app.capabilities import Capability as Capability
from app.models import ActorKind, CommunityStatus


@dataclass(frozen=True, slots=True)
class Grants:
    """The permission table as it stands: for each capability, who is given it."""

    version: int
    table: Mapping[str, frozenset[str]]
    ranks: Mapping[str, tuple[int, int]]
    acts_for: Mapping[str, str] = field(default_factory=dict)
    held_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to(self, capability: Capability) -> frozenset[str]:
        """Who is given this capability."""
        return self.table.get(capability, frozenset())

    def gives(self, grantee: str) -> bool:
        """True if a grantee is given anything at all."""
        return any(grantee in held for held in self.table.values())

    def positions(self, capability: Capability) -> list[str]:
        """The positions that give it, community's first, by rank."""
        held = [g for g in self.to(capability) if g not in BASE_GRANTEES]
        return sorted(held, key=lambda code: (self.ranks.get(code, (9, 0)), code))


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
    """The caller's membership here, running today."""

    id: UUID
    category: str
    since_on: date
    until_on: date | None


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


@dataclass(frozen=True)
class Standing:
    """What one person may do in one community (or in the association) at this instant, and why.

    Computed at each request from what runs today; nothing in it outlives the request.
    """

    grants: Grants
    now: datetime
    today: date
    rules_in_force: int
    person: PersonLine | None = None
    session_id: UUID | None = None
    community: CommunityLine | None = None
    membership: MembershipLine | None = None
    suspended_until: date | None = None
    terms: tuple[TermLine, ...] = ()
    rules_agreed: int | None = None
    eligible: bool = False
    _acted: list[TermLine] = field(default_factory=list, compare=False, repr=False)
    _cache: dict[Capability, bool] = field(default_factory=dict, compare=False, repr=False)

    @property
    def actor(self) -> tuple[ActorKind, UUID | None]:
        """Who is recorded as having done it."""
        return (ActorKind.PERSON, self.person.id) if self.person else (ActorKind.APPLICANT, None)

    @property
    def me(self) -> PersonLine:
        """The caller, where an operation has one."""
        if self.person is None:
            raise errors.Unauthenticated
        return self.person

    @property
    def here(self) -> CommunityLine:
        """The community, where an operation has one."""
        if self.community is None:
            raise errors.NotFound
        return self.community

    @property
    def agreed(self) -> bool:
        """True if the rules in force have been agreed to."""
        return self.rules_agreed is not None and self.rules_agreed >= self.rules_in_force

    @cached_property
    def positions(self) -> tuple[TermLine, ...]:
        """The positions that count here now, those in which the caller acts included."""
        return tuple(
            term
            for term in self.terms
            if term.counts and (not term.in_community or (term.here and self._admitted))
        )

    @property
    def acting(self) -> dict[str, Any] | None:
        """As whom the caller did what was asked, if only a position in which they act allows it."""
        if not self._acted:
            return None
        term = self._acted[0]
        absent = term.acting.for_person_id if term.acting else None
        return {"position": term.position, "for_person_id": str(absent) if absent else None}

    @property
    def _admitted(self) -> bool:
        return self.community is None or not self.community.restricted or self.eligible

    @cached_property
    def grantees(self) -> frozenset[str]:
        """As whom the caller counts here: public, account, member, and each position held."""
        found = {PUBLIC}
        if self.person is not None:
            found.add(ACCOUNT)
        if self.membership is not None and self.suspended_until is None and self._admitted:
            found.add(MEMBER)
        found.update(term.position for term in self.positions)
        return frozenset(found)

    @property
    def oversees(self) -> bool:
        """True for holders of a position in the association that gives anything."""
        return any(
            not term.in_community and term.counts and self.grants.gives(term.position)
            for term in self.terms
        )

    @property
    def belongs(self) -> bool:
        """True for members (suspended ones too) and for those who administer everywhere."""
        return (self.membership is not None and self._admitted) or self.oversees

    @property
    def sees_page(self) -> bool:
        """True if the community's entry exists for the caller: an unlisted one hides itself."""
        return self.community is not None and (self.community.listed or self.belongs)

    def sees(self, capability: Capability) -> bool:
        """True if a list or act of this capability exists for the caller here at all."""
        if self.community is None:
            return True
        if not self.sees_page:
            return False
        if not self.community.restricted or capability in FRONT_OF_RESTRICTED:
            return True
        return self.belongs and (self.eligible or capability not in CONTENT)

    @property
    def sees_content(self) -> bool:
        """True unless this is a restricted community and the caller none of those it admits."""
        return self._admitted

    def can(self, capability: Capability) -> bool:
        """True if the caller may do this here now."""
        known = self._cache.get(capability)
        if known is None:
            known = self._cache[capability] = self._given(capability) and not (
                capability in TAKING_PART and not self.agreed
            )
        return known

    def _given(self, capability: Capability) -> bool:
        if capability in CONTENT and not self._admitted:
            return False
        return not self.grantees.isdisjoint(self.grants.to(capability))

    def because(self, capability: Capability) -> list[dict[str, Any]]:
        """Why the caller may not, in codes; the words are added on the way out."""
        given_to = self.grants.to(capability)
        if self._given(capability):
            return [because("rules_agreement_required", rules_version=self.rules_in_force)]
        if self.person is None:
            return [because("sign_in_required", positions=self.grants.positions(capability))]
        if capability in CONTENT and not self._admitted:
            return [because("eligibility_required")]
        if self.membership is not None and self.suspended_until is not None:
            lost = {MEMBER, *(term.position for term in self.terms if term.here)}
            if not lost.isdisjoint(given_to):
                return [because("membership_suspended", until=self.suspended_until)]
        resting = [t.position for t in self.terms if t.here and t.absent and t.position in given_to]
        if resting:
            return [because("holder_absent", positions=resting)]
        if MEMBER in given_to:
            return [because("membership_required")]
        return [because("position_required", positions=self.grants.positions(capability))]

    def require(self, capability: Capability) -> None:
        """Raises the refusal that says why the caller may not do this here.

        What is allowed only to somebody who acts for another is remembered for the log.
        """
        if self.can(capability):
            self._note_acting(capability)
            return
        if self.person is None:
            raise errors.Unauthenticated
        if not self.sees(capability):
            raise errors.NotFound
        reasons = self.because(capability)
        if reasons[0]["code"] == "rules_agreement_required":
            raise errors.RulesAgreementRequired(
                facts={"rules_version": self.rules_in_force},
                members={"rules_version": self.rules_in_force},
            )
        raise errors.PermissionDenied(members={"capability": capability, "because": reasons})

    def _note_acting(self, capability: Capability) -> None:
        given_to = self.grants.to(capability)
        allowing = [term for term in self.positions if term.position in given_to]
        if allowing and all(term.acting for term in allowing) and MEMBER not in given_to:
            self._acted.extend(allowing)

    def refuse_others(self, capability: Capability | None = None) -> None:
        """Raises PermissionDenied where only the person concerned may do something."""
        raise errors.PermissionDenied(
            members={"capability": capability, "because": [because("own_only")]}
        )

    def require_active(self) -> None:
        """Raises CommunityArchived where nothing may be written any more."""
        if self.here.archived:
            raise errors.CommunityArchived


def because(
    code: str,
    *,
    positions: list[str] | None = None,
    from_on: date | None = None,
    until: date | None = None,
    rules_version: int | None = None,
) -> dict[str, Any]:
    """One reason, every member always present."""
    return {
        "code": code,
        "positions": positions or [],
        "from_on": from_on.isoformat() if from_on else None,
        "until": until.isoformat() if until else None,
        "rules_version": rules_version,
    }
