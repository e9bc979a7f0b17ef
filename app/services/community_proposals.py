"""Proposals of communities: who sees what of them, lists of them, and taking one's own back."""

from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import activity, clock, errors, proposal_errors
from app.db import Source, Work
from app.listing import Listing
from app.models import (
    Community,
    CommunityProposal,
    Person,
    ProposalLink,
    ProposalStatus,
    ProposalSupporter,
)
from app.models.base import Instant
from app.policy import Capability, Standing
from app.reader import Prepared
from app.services import addresses, communities

DECIDED = (ProposalStatus.ACCEPTED, ProposalStatus.DECLINED)
_PROPOSER = (
    "name",
    "email",
    "occupation",
    "occupation_code",
    "affiliation",
    "area_of_interest",
    "territory",
    "wishes_to_belong",
    "wishes_to_lead",
)


def counting(supporter: Any = ProposalSupporter) -> Any:
    """The condition that somebody stands behind a proposal, and has not withdrawn."""
    return sa.and_(col(supporter.verified_at).is_not(None), col(supporter.withdrawn_at).is_(None))


_Decider = aliased(Person)
_Proposer = aliased(ProposalSupporter)
_OTHERS = (
    sa.select(sa.func.count())
    .select_from(ProposalSupporter)
    .where(
        col(ProposalSupporter.proposal_id) == CommunityProposal.id,
        col(ProposalSupporter.proposes).is_(False),
        counting(),
    )
    .correlate(CommunityProposal)
    .scalar_subquery()
)
_MINE = (
    sa.select(ProposalSupporter.id)
    .where(
        col(ProposalSupporter.proposal_id) == CommunityProposal.id,
        col(ProposalSupporter.email_key) == sa.bindparam("address", type_=sa.String),
        counting(),
    )
    .correlate(CommunityProposal)
    .exists()
)
PROPOSALS = (
    sa.select(
        CommunityProposal.id,
        CommunityProposal.status,
        CommunityProposal.name,
        CommunityProposal.area,
        CommunityProposal.specifics,
        CommunityProposal.rationale,
        CommunityProposal.language,
        CommunityProposal.email_key,
        CommunityProposal.submitted_at,
        CommunityProposal.verified_at,
        CommunityProposal.decided_at,
        CommunityProposal.decided_by,
        CommunityProposal.reason,
        CommunityProposal.updated_at,
        CommunityProposal.version,
        col(_Decider.name).label("decider"),
        _OTHERS.label("supporter_count"),
        _MINE.label("supported"),
        *(getattr(_Proposer, name).label(f"proposer_{name}") for name in _PROPOSER),
        *communities.REFERENCE,
        col(Community.listed).label("community_listed"),
    )
    .select_from(CommunityProposal)
    .join(
        _Proposer,
        sa.and_(
            col(_Proposer.proposal_id) == CommunityProposal.id, col(_Proposer.proposes).is_(True)
        ),
    )
    .outerjoin(_Decider, col(_Decider.id) == CommunityProposal.decided_by)
    .outerjoin(Community, col(Community.id) == CommunityProposal.community_id)
    # One whose proposer's address nobody has confirmed is nobody's yet.
    .where(col(CommunityProposal.verified_at).is_not(None))
)
_ONE = Prepared(
    PROPOSALS.where(col(CommunityProposal.id) == sa.bindparam("proposal", type_=sa.Uuid))
)
_LINK = Prepared(
    sa.select(ProposalSupporter.proposal_id, ProposalSupporter.email_key)
    .join(ProposalLink, col(ProposalLink.supporter_id) == ProposalSupporter.id)
    .where(
        col(ProposalLink.token_hash) == sa.bindparam("link", type_=sa.String),
        col(ProposalLink.expires_at) > sa.bindparam("now", type_=Instant),
    )
)


# Who looks


class Onlooker(NamedTuple):
    """Somebody who asks about proposals: what they may do, and which address is theirs.

    Whoever came by a mailed link has its address, and for the link's own proposal alone.
    """

    standing: Standing
    address: str | None = None
    linked_to: UUID | None = None

    def address_at(self, proposal_id: UUID) -> str | None:
        """The address with which they may stand behind this proposal."""
        return self.address if self.linked_to in (None, proposal_id) else None

    @property
    def decides(self) -> bool:
        """True for those who decide about proposals."""
        return self.standing.can(Capability.PROPOSALS_DECIDE)


async def onlooker(source: Source, standing: Standing, link: str | None = None) -> Onlooker:
    """Who asks: somebody signed in, somebody with a mailed link, or anybody.

    Raises TokenInvalid for a link that is good no longer, or never was.
    """
    if link is not None:
        found = await source.first(_LINK, link=link, now=clock.now())
        if found is None:
            raise errors.TokenInvalid
        return Onlooker(standing, found.email_key, found.proposal_id)
    return Onlooker(standing, (await addresses.own(source, standing)).proven)


def _sees(who: Onlooker, row: Any) -> bool:
    return who.decides or _own(row, who) or row.supported or _is_public(row)


def _is_public(row: Any) -> bool:
    """True of what anybody may read who has its address: an open proposal, and one of which a
    community came that everybody sees; that there is a hidden one is not told in this way either.
    """
    accepted = row.status == ProposalStatus.ACCEPTED and row.community_listed
    return row.status == ProposalStatus.OPEN or accepted


def _own(row: Any, who: Onlooker) -> bool:
    return row.email_key == who.address_at(row.id)


async def find(source: Source, who: Onlooker, proposal_id: UUID) -> Any:
    """The proposal's row, if it exists for the caller. Raises NotFound."""
    address = who.address_at(proposal_id)
    row = await source.first(_ONE, proposal=proposal_id, address=address)
    if row is None or not _sees(who, row):
        raise errors.NotFound
    return row


async def get(
    source: Source, standing: Standing, proposal_id: UUID, link: str | None = None
) -> dict[str, Any]:
    """One proposal as the caller sees it. Raises NotFound, TokenInvalid."""
    who = await onlooker(source, standing, link)
    return shown(await find(source, who, proposal_id), who)


def shown(row: Any, who: Onlooker) -> dict[str, Any]:
    """A proposal as this caller sees it: people and reasons are for those whom they concern."""
    own = _own(row, who)
    inside = own or who.decides
    decider = {"id": row.decided_by, "name": row.decider} if who.decides else None
    known = row.community_id is not None and (who.decides or row.community_listed)
    return {
        **row._asdict(),
        "name": named(row.name),
        "proposer": {name: getattr(row, f"proposer_{name}") for name in _PROPOSER}
        if inside
        else None,
        "decision": {
            "outcome": row.status,
            "reason": row.reason,
            "decided_at": row.decided_at,
            "decided_by": decider,
        }
        if inside and row.status in DECIDED
        else None,
        "community": communities.reference(row) if known else None,
        "viewer": {"can": _affordances(row, who, own)},
    }


def named(name: dict[str, str | None]) -> dict[str, str | None]:
    """A proposed name with each of the languages in it."""
    return {"en": name.get("en"), "fr": name.get("fr")}


def _affordances(row: Any, who: Onlooker, own: bool) -> list[str]:
    found = ["list_proposal_supporters"] if who.decides else []
    if row.status != ProposalStatus.OPEN:
        return found
    in_person = who.standing.bounds is None
    if not row.supported and who.standing.can(Capability.PROPOSALS_SUBMIT):
        found.append("support_community_proposal")
    if not row.supported and who.decides:
        found.append("decide_community_proposal")
    if row.supported and in_person:
        found.append("withdraw_community_proposal" if own else "withdraw_proposal_support")
    return found


# Lists


@lru_cache
def listing(statuses: tuple[ProposalStatus, ...], own: bool = False) -> Listing:
    """Proposals in these states (or in any), the earliest first; all of them, or one address's."""
    query = PROPOSALS
    if own:
        query = query.where(
            col(CommunityProposal.email_key) == sa.bindparam("address", type_=sa.String)
        )
    if statuses:
        query = query.where(
            sa.or_(*(col(CommunityProposal.status) == status for status in statuses))
        )
    return Listing(query, col(CommunityProposal.id))


def asked(statuses: list[ProposalStatus] | None, *, own: bool = False) -> Listing:
    """The proposals that a caller asked for."""
    return listing(tuple(sorted(set(statuses or ()))), own)


@lru_cache
def supporters() -> Listing:
    """Those who stand behind a proposal beside its proposer, the earliest first."""
    return Listing(
        sa.select(
            ProposalSupporter.id,
            ProposalSupporter.name,
            ProposalSupporter.email,
            ProposalSupporter.occupation,
            ProposalSupporter.occupation_code,
            ProposalSupporter.affiliation,
            ProposalSupporter.area_of_interest,
            ProposalSupporter.territory,
            ProposalSupporter.language,
            ProposalSupporter.wishes_to_belong,
            ProposalSupporter.wishes_to_lead,
            ProposalSupporter.verified_at,
            ProposalSupporter.membership_id,
            ProposalSupporter.join_request_id,
        ).where(
            col(ProposalSupporter.proposal_id) == sa.bindparam("proposal", type_=sa.Uuid),
            col(ProposalSupporter.proposes).is_(False),
            counting(),
        ),
        col(ProposalSupporter.id),
    )


# Taking it back


async def locked(work: Work, who: Onlooker, proposal_id: UUID) -> CommunityProposal:
    """The proposal, held for this unit of work alone, if it exists for the caller."""
    await find(work, who, proposal_id)
    return await work.locked(CommunityProposal, proposal_id)


async def withdraw(
    work: Work, standing: Standing, proposal_id: UUID, link: str | None
) -> dict[str, Any]:
    """Its proposer takes an open proposal back.

    Raises NotFound, TokenInvalid, PermissionDenied for anybody else, ProposalNotOpen.
    """
    who = await onlooker(work, standing, link)
    proposal = await locked(work, who, proposal_id)
    if proposal.email_key != who.address_at(proposal_id):
        standing.refuse_others(Capability.PROPOSALS_SUBMIT)
    if proposal.status != ProposalStatus.OPEN:
        raise proposal_errors.ProposalNotOpen
    proposal.status = ProposalStatus.WITHDRAWN
    proposal.updated_at = clock.now()
    proposal.version += 1
    activity.record(work, "proposal.withdrawn", standing, proposal.id)
    await work.flush()
    return shown(await find(work, who, proposal_id), who)
