"""The forms about proposals: proposing, standing behind one, proving the address, withdrawing.

Nothing counts, and nobody sees it, until the address is confirmed; the answer to a form is the
same whether or not the address is known. A signed-in person who writes from their own proven
address waits for nobody's mail.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, proposal_errors
from app.db import Work, unique_or
from app.models import CommunityProposal, ProposalStatus, ProposalSupporter
from app.policy import Standing
from app.schemas.base import address_key
from app.services import addresses, association, community_proposals, rules, similar_communities
from app.services.community_proposals import counting, named, onlooker
from app.services.retention import UNCONFIRMED

# Of one address, that nobody has confirmed.
FORMS_AN_HOUR = 5
_UNPROVEN = sa.select(col(ProposalSupporter.id)).where(col(ProposalSupporter.verified_at).is_(None))


async def submit(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """A proposal, which is open once its proposer's address is confirmed; and what is like it.

    Raises RulesVersionOutdated, Invalid (no name, unknown codes), TooManyRequests, and
    ProposalOpenAlready for somebody whose address is proven.
    """
    _refuse_outdated(standing, body["agrees_to_rules_version"])
    refuse_nameless(body)
    answers = body["proposer"]
    await association.refuse_unknown_codes(
        work, answers["occupation_code"], answers["territory"], "/proposer"
    )
    now, key = clock.now(), address_key(answers["email"])
    proven = (await onlooker(work, standing)).address == key
    if not proven:
        await addresses.refuse_flood(work, _UNPROVEN, ProposalSupporter, key, FORMS_AN_HOUR)
    proposal = CommunityProposal(
        status=ProposalStatus.AWAITING_VERIFICATION,
        **{name: body[name] for name in ("name", "area", "specifics", "rationale", "language")},
        email_key=key,
        submitted_at=now,
        updated_at=now,
    )
    work.add(proposal)
    await work.flush()
    form = await _form(work, proposal.id, answers, body, proposes=True)
    activity.record(
        work,
        "proposal.submitted",
        standing,
        proposal.id,
        form_id=form.id,
        rules_version=form.rules_version,
        privacy_notice_version=form.privacy_notice_version,
    )
    await work.flush()
    if proven:
        await confirm(work, standing, form.id, key)
    wanted = similar_communities.proposed(body)
    similar = await similar_communities.find(work, wanted, besides=proposal.id)
    return _receipt(proposal, form) | {"similar": similar}


async def support(
    work: Work, standing: Standing, proposal_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """One more who stands behind an open proposal, once their address is confirmed.

    Raises NotFound, ProposalNotOpen, RulesVersionOutdated, Invalid (unknown codes),
    TooManyRequests, and OwnProposal for somebody whose address is proven.
    """
    who = await onlooker(work, standing)
    proposal = await community_proposals.locked(work, who, proposal_id)
    if proposal.status != ProposalStatus.OPEN:
        raise proposal_errors.ProposalNotOpen
    _refuse_outdated(standing, body["agrees_to_rules_version"])
    await association.refuse_unknown_codes(work, body["occupation_code"], body["territory"])
    key = address_key(body["email"])
    if who.address != key:
        await addresses.refuse_flood(work, _UNPROVEN, ProposalSupporter, key, FORMS_AN_HOUR)
    form = await _form(work, proposal.id, body, body, proposes=False)
    activity.record(
        work,
        "proposal.support_offered",
        standing,
        form.id,
        proposal_id=proposal.id,
        rules_version=form.rules_version,
        privacy_notice_version=form.privacy_notice_version,
    )
    await work.flush()
    if who.address == key:
        form = await _counted(work, standing, proposal, form)
    return _receipt(proposal, form)


async def confirm(work: Work, standing: Standing, form_id: UUID, key: str) -> dict[str, Any] | None:
    """The address of a form is proven: the proposal is open, or has one supporter more.

    None where the form is about no proposal. Raises ProposalOpenAlready, ProposalNotOpen,
    OwnProposal.
    """
    found = await work.first(
        sa.select(ProposalSupporter.proposal_id).where(
            col(ProposalSupporter.id) == form_id,
            col(ProposalSupporter.email_key) == key,
            col(ProposalSupporter.submitted_at) > clock.now() - UNCONFIRMED,
        )
    )
    if found is None:
        return None
    # Whoever decides, withdraws or supports has the proposal to themselves.
    proposal = await work.locked(CommunityProposal, found.proposal_id)
    form = await work.locked(ProposalSupporter, form_id)
    if form.proposes:
        await _open(work, standing, proposal, form)
    else:
        form = await _counted(work, standing, proposal, form)
    return _receipt(proposal, form)


async def withdraw_support(
    work: Work, standing: Standing, proposal_id: UUID, link: str | None
) -> None:
    """A supporter stands behind an open proposal no longer; its proposer withdraws it as a whole.

    Raises NotFound (also for those who do not support it), TokenInvalid, OwnProposal,
    ProposalNotOpen.
    """
    who = await onlooker(work, standing, link)
    proposal = await community_proposals.locked(work, who, proposal_id)
    form = await _support_of(work, proposal_id, who.address_at(proposal_id))
    if form is None:
        raise errors.NotFound
    if form.proposes:
        raise proposal_errors.OwnProposal
    if proposal.status != ProposalStatus.OPEN:
        raise proposal_errors.ProposalNotOpen
    form.withdrawn_at = clock.now()
    activity.record(work, "proposal.support_withdrawn", standing, form.id, proposal_id=proposal.id)


# The forms


def refuse_nameless(body: dict[str, Any]) -> None:
    """Raises Invalid for a community without a name in any language."""
    if not any(body["name"].values()):
        raise errors.Invalid(errors=[errors.field("/name", "one_language_required")])


def _refuse_outdated(standing: Standing, version: int) -> None:
    if version != standing.rules_in_force:
        raise rules.outdated(standing)


_ANSWERS = (
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


async def _form(
    work: Work, proposal_id: UUID, answers: dict[str, Any], body: dict[str, Any], *, proposes: bool
) -> ProposalSupporter:
    form = ProposalSupporter(
        proposal_id=proposal_id,
        proposes=proposes,
        **{name: answers[name] for name in _ANSWERS},
        email_key=address_key(answers["email"]),
        language=body["language"],
        rules_version=body["agrees_to_rules_version"],
        privacy_notice_version=await association.privacy_notice_version(work),
        submitted_at=clock.now(),
    )
    work.add(form)
    return form


async def _open(
    work: Work, standing: Standing, proposal: CommunityProposal, form: ProposalSupporter
) -> None:
    if proposal.status != ProposalStatus.AWAITING_VERIFICATION:
        return
    proposal.verified_at = proposal.updated_at = form.verified_at = clock.now()
    proposal.version += 1
    taken = {"uq_community_proposal_open": proposal_errors.ProposalOpenAlready()}
    async with unique_or(work, taken):
        proposal.status = ProposalStatus.OPEN
    activity.record(work, "proposal.opened", standing, proposal.id, form_id=form.id)


async def _counted(
    work: Work, standing: Standing, proposal: CommunityProposal, form: ProposalSupporter
) -> ProposalSupporter:
    """The form by which this address counts: this one, or the one by which it does already."""
    counts = await _support_of(work, proposal.id, form.email_key)
    if counts is not None and counts.proposes:
        raise proposal_errors.OwnProposal
    if counts is not None:
        return counts
    if proposal.status != ProposalStatus.OPEN:
        raise proposal_errors.ProposalNotOpen
    form.verified_at = clock.now()
    activity.record(work, "proposal.supported", standing, form.id, proposal_id=proposal.id)
    await work.flush()
    return form


async def _support_of(work: Work, proposal_id: UUID, key: str | None) -> ProposalSupporter | None:
    found = await work.execute(
        sa.select(ProposalSupporter).where(
            col(ProposalSupporter.proposal_id) == proposal_id,
            col(ProposalSupporter.email_key) == key,
            counting(),
        )
    )
    return found.scalars().first()


def _receipt(proposal: CommunityProposal, form: ProposalSupporter) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "status": proposal.status,
        "name": named(proposal.name),
        "submitted_at": form.submitted_at,
        "confirmed_at": form.verified_at,
    }
