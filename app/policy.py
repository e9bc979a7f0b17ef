"""Who may do what: the capabilities, and the standing that a person has in a community now.

A capability is the word in the permission table, in OpenAPI, in the scope of a token and in the
test matrix. Code asks for a capability, never for a position; which position gives it is data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from app import errors
from app.models import ActorKind, CommunityStatus


class Capability(StrEnum):
    """Everything that one may be let do; texts/<language>/capabilities.toml says what it is."""

    COMMUNITIES_READ = "communities:read"
    COMMUNITIES_UPDATE = "communities:update"
    COMMUNITIES_MANAGE = "communities:manage"
    PROPOSALS_SUBMIT = "proposals:submit"
    PROPOSALS_DECIDE = "proposals:decide"
    JOIN_REQUESTS_SUBMIT = "join_requests:submit"
    JOIN_REQUESTS_READ = "join_requests:read"
    JOIN_REQUESTS_DECIDE = "join_requests:decide"
    ELIGIBILITY_VERIFY = "eligibility:verify"
    MEMBERSHIPS_READ = "memberships:read"
    MEMBERSHIPS_READ_PRIVATE = "memberships:read_private"
    MEMBERSHIPS_MANAGE = "memberships:manage"
    MEMBERSHIPS_IMPORT = "memberships:import"
    MEMBERSHIPS_EXPORT = "memberships:export"
    LEADERSHIP_READ = "leadership:read"
    LEADERSHIP_READ_HISTORY = "leadership:read_history"
    LEADERSHIP_APPOINT = "leadership:appoint"
    LEADERSHIP_ACT = "leadership:act"
    ELECTIONS_MANAGE = "elections:manage"
    ELECTIONS_VOTE = "elections:vote"
    SUCCESSION_MANAGE = "succession:manage"
    RULES_READ = "rules:read"
    RULES_PUBLISH = "rules:publish"
    DISCUSSIONS_READ = "discussions:read"
    DISCUSSIONS_START = "discussions:start"
    POSTS_WRITE = "posts:write"
    POSTS_REPORT = "posts:report"
    POSTS_MODERATE = "posts:moderate"
    SANCTIONS_WARN = "sanctions:warn"
    SANCTIONS_SUSPEND = "sanctions:suspend"
    SANCTIONS_REMOVE = "sanctions:remove"
    APPEALS_DECIDE = "appeals:decide"
    MEETINGS_READ = "meetings:read"
    MEETINGS_MANAGE = "meetings:manage"
    MINUTES_WRITE = "minutes:write"
    MINUTES_APPROVE = "minutes:approve"
    EVENTS_READ = "events:read"
    EVENTS_MANAGE = "events:manage"
    NEEDS_SUBMIT = "needs:submit"
    NEEDS_MANAGE = "needs:manage"
    RESOURCES_READ = "resources:read"
    RESOURCES_SUBMIT = "resources:submit"
    RESOURCES_PUBLISH = "resources:publish"
    ADVOCACY_MANAGE = "advocacy:manage"
    ADVOCACY_ENDORSE = "advocacy:endorse"
    ASSISTANCE_SUBMIT = "assistance:submit"
    ASSISTANCE_MANAGE = "assistance:manage"
    INSIGHTS_READ = "insights:read"
    AUDIT_READ = "audit:read"
    PARTNERS_MANAGE = "partners:manage"
    PEOPLE_MANAGE = "people:manage"
    ASSOCIATION_MANAGE = "association:manage"
    LEADERSHIP_OVERSEE = "leadership:oversee"
    GRANTS_MANAGE = "grants:manage"


# Grantees that are not positions.
PUBLIC, ACCOUNT, MEMBER = "public", "account", "member"
BASE_GRANTEES = (PUBLIC, ACCOUNT, MEMBER)

# What may be given to people who do not belong; everything else is private and has that ceiling.
OPEN_TO_ALL = frozenset(
    {
        Capability.COMMUNITIES_READ,
        Capability.PROPOSALS_SUBMIT,
        Capability.JOIN_REQUESTS_SUBMIT,
        Capability.LEADERSHIP_READ,
        Capability.RULES_READ,
        Capability.EVENTS_READ,
        Capability.ASSISTANCE_SUBMIT,
    }
)

# What is said and kept inside a community. In a restricted one it is for its verified members
# alone, whatever position in the association somebody holds.
CONTENT = frozenset(
    {
        Capability.DISCUSSIONS_READ,
        Capability.DISCUSSIONS_START,
        Capability.POSTS_WRITE,
        Capability.POSTS_REPORT,
        Capability.POSTS_MODERATE,
        Capability.MEETINGS_READ,
        Capability.MEETINGS_MANAGE,
        Capability.MINUTES_WRITE,
        Capability.MINUTES_APPROVE,
        Capability.NEEDS_SUBMIT,
        Capability.NEEDS_MANAGE,
        Capability.RESOURCES_READ,
        Capability.RESOURCES_SUBMIT,
        Capability.RESOURCES_PUBLISH,
        Capability.ELECTIONS_MANAGE,
        Capability.ELECTIONS_VOTE,
    }
)

# Taking part is an express agreement to keep the rules: these need the version in force.
TAKING_PART = frozenset(
    {
        Capability.DISCUSSIONS_START,
        Capability.POSTS_WRITE,
        Capability.ELECTIONS_VOTE,
        Capability.NEEDS_SUBMIT,
        Capability.RESOURCES_SUBMIT,
    }
)

# What outsiders may see even of a restricted community: its entry, its seats, how to ask.
FRONT_OF_RESTRICTED = frozenset(
    {
        Capability.COMMUNITIES_READ,
        Capability.LEADERSHIP_READ,
        Capability.JOIN_REQUESTS_SUBMIT,
    }
)


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


def ceiling(capability: Capability, grantee: str) -> bool:
    """True if this capability may never be given to this grantee, whatever the table says."""
    return grantee in (PUBLIC, ACCOUNT) and capability not in OPEN_TO_ALL
