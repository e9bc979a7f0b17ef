"""Who may do what: the standing that a person has in a community now.

It asks for capabilities (capabilities.py), never for positions; which position gives which is data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from app import errors
from app.capabilities import ACCOUNT as ACCOUNT
from app.capabilities import BASE_GRANTEES as BASE_GRANTEES
from app.capabilities import CONTENT as CONTENT
from app.capabilities import FRONT_OF_RESTRICTED as FRONT_OF_RESTRICTED
from app.capabilities import MACHINES as MACHINES
from app.capabilities import MEMBER as MEMBER
from app.capabilities import OPEN_TO_ALL as OPEN_TO_ALL
from app.capabilities import PUBLIC as PUBLIC
from app.capabilities import READING as READING
from app.capabilities import TAKING_PART as TAKING_PART
from app.capabilities import Capability as Capability
from app.lines import Acting as Acting
from app.lines import Bounds as Bounds
from app.lines import CommunityLine as CommunityLine
from app.lines import MembershipLine as MembershipLine
from app.lines import PartnerLine as PartnerLine
from app.lines import PersonLine as PersonLine
from app.lines import TermLine as TermLine
from app.models import ActorKind


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
    partner: PartnerLine | None = None
    # Whoever runs a command beside the database: nobody on the web is.
    operator: bool = False
    bounds: Bounds | None = None
    # What the holder has and a credential for other places leaves aside here.
    set_aside: tuple[TermLine, ...] = ()
    _acted: list[TermLine] = field(default_factory=list, compare=False, repr=False)
    _cache: dict[Capability, bool] = field(default_factory=dict, compare=False, repr=False)

    @property
    def actor(self) -> tuple[ActorKind, UUID | None]:
        """Who is recorded as having done it."""
        if self.partner is not None:
            return ActorKind.PARTNER, self.partner.id
        if self.operator:
            return ActorKind.SYSTEM, None
        return (ActorKind.PERSON, self.person.id) if self.person else (ActorKind.APPLICANT, None)

    @property
    def me(self) -> PersonLine:
        """The person who calls, where an operation needs one.

        Raises Unauthenticated for nobody, PersonRequired for a partner's machine.
        """
        if self.partner is not None:
            raise errors.PersonRequired
        if self.person is None:
            raise errors.Unauthenticated
        return self.person

    def is_person(self, person_id: UUID | None) -> bool:
        """True if the caller is this person."""
        return self.person is not None and self.person.id == person_id

    @property
    def anonymous(self) -> bool:
        """True for somebody who sent no credentials."""
        return self.person is None and self.partner is None and not self.operator

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
    def _resting(self) -> bool:
        paused = self.membership is not None and self.membership.paused_until is not None
        return paused or self.suspended_until is not None

    @property
    def _admitted(self) -> bool:
        return self.community is None or not self.community.restricted or self.eligible

    @cached_property
    def grantees(self) -> frozenset[str]:
        """As whom the caller counts here: public, account, member, and each position held."""
        found = {PUBLIC}
        if self.person is not None:
            found.add(ACCOUNT)
        if self.membership is not None and not self._resting and self._admitted:
            found.add(MEMBER)
        found.update(term.position for term in self.positions)
        return frozenset(found)

    @property
    def oversees(self) -> bool:
        """True for holders of a position in the association that gives anything."""
        return self.operator or self._by_office(self.terms)

    def _by_office(self, terms: tuple[TermLine, ...]) -> bool:
        return any(
            not term.in_community and term.counts and self.grants.gives(term.position)
            for term in terms
        )

    @property
    def belongs(self) -> bool:
        """True for members (suspended ones too), for those who administer everywhere, and for a
        partner where it was named for this very community."""
        if self.partner is not None:
            return self._named
        return (self.membership is not None and self._admitted) or self.oversees

    @property
    def _named(self) -> bool:
        bounds = self.bounds
        return bounds is not None and bounds.communities is not None and self.reached

    # Machines: a credential narrows its holder, and never adds anything to a person

    @property
    def reached(self) -> bool:
        """True unless the caller's credential is for other places than this."""
        return self.bounds is None or self.bounds.reach(self.community)

    def in_scope(self, capability: Capability) -> bool:
        """True unless the caller's credential leaves this capability out."""
        return self.bounds is None or capability in self.bounds.capabilities

    def reaches(self, capability: Capability) -> bool:
        """True unless the caller's credential leaves this capability, or this place, out."""
        return self.in_scope(capability) and self.reached

    @property
    def lists_hidden(self) -> bool:
        """True if a list of communities has hidden ones too, as far as the credential goes."""
        if self.partner is not None:
            return self.bounds is not None and self.bounds.communities is not None
        return self._by_office((*self.terms, *self.set_aside))

    def confined(self) -> "Standing":
        """This standing; outside of the credential's communities that of a stranger."""
        if self.reached:
            return self
        offices = tuple(term for term in self.terms if not term.in_community)
        outside = {"membership": None, "suspended_until": None, "eligible": False}
        return replace(self, **outside, terms=(), set_aside=offices)

    def elsewhere(
        self,
        community: CommunityLine,
        membership: MembershipLine | None,
        suspended_until: date | None,
        held: tuple[TermLine, ...],
        eligible: bool,
    ) -> "Standing":
        """The same caller's standing in another community, by what they have there."""
        offices = [term for term in (*self.terms, *self.set_aside) if not term.in_community]
        return replace(
            self,
            community=community,
            membership=membership,
            suspended_until=suspended_until,
            eligible=eligible,
            terms=(*offices, *held),
            set_aside=(),
            _acted=[],
            _cache={},
        ).confined()

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
            known = self._cache[capability] = (
                self.in_scope(capability)
                and self._given(capability)
                and not (capability in TAKING_PART and not self.agreed)
            )
        return known

    def _given(self, capability: Capability) -> bool:
        if capability in CONTENT and not self._admitted:
            return False
        if self.operator or (self.partner is not None and self.reaches(capability)):
            return True
        return not self.grantees.isdisjoint(self.grants.to(capability))

    def because(self, capability: Capability) -> list[dict[str, Any]]:
        """Why the caller may not, in codes; the words are added on the way out."""
        given_to = self.grants.to(capability)
        if self.bounds is not None and (self.partner is not None or not self.reaches(capability)):
            return [because("token_scope")]
        if self._given(capability):
            return [because("rules_agreement_required", rules_version=self.rules_in_force)]
        if self.anonymous:
            return [because("sign_in_required", positions=self.grants.positions(capability))]
        if capability in CONTENT and not self._admitted:
            return [because("eligibility_required")]
        if self.membership is not None and self._resting:
            lost = {MEMBER, *(term.position for term in self.terms if term.here)}
            if not lost.isdisjoint(given_to):
                return [self._why_resting(self.membership)]
        resting = [t.position for t in self.terms if t.here and t.absent and t.position in given_to]
        if resting:
            return [because("holder_absent", positions=resting)]
        if MEMBER in given_to:
            return [because("membership_required")]
        return [because("position_required", positions=self.grants.positions(capability))]

    def _why_resting(self, membership: MembershipLine) -> dict[str, Any]:
        if self.suspended_until is not None:
            return because("membership_suspended", until=self.suspended_until)
        until = membership.paused_until
        return because("membership_paused", until=None if until == date.max else until)

    def require(self, capability: Capability) -> None:
        """Raises the refusal that says why the caller may not do this here.

        What is allowed only to somebody who acts for another is remembered for the log.
        """
        if self.can(capability):
            self._note_acting(capability)
            return
        if self.anonymous:
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

    def refuse_machines(self, capability: Capability | None = None) -> None:
        """Raises the refusal of what people do themselves, signed in, where a machine asks."""
        if self.partner is not None:
            raise errors.PersonRequired
        if self.bounds is not None:
            raise errors.PermissionDenied(
                members={"capability": capability, "because": [because("token_scope")]}
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
