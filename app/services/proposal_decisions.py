"""Deciding about a proposal: once, with a reason, by somebody who does not stand behind it."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, proposal_errors
from app.db import Work
from app.models import CommunityProposal, ProposalOutcome, ProposalStatus, ProposalSupporter
from app.policy import Standing
from app.preconditions import Expected
from app.services import (
    accounts,
    communities,
    community_proposals,
    join_submissions,
    memberships,
    rules,
)
from app.services.community_proposals import counting


async def decide(
    work: Work, standing: Standing, proposal_id: UUID, body: dict[str, Any], expected: Expected
) -> dict[str, Any]:
    """Accepts or declines a proposal, once. Accepting creates the community, with its seats, and
    makes those behind the proposal who wish it its first members; where only the verified may
    belong, they have asked to join, and wait for that.

    Raises NotFound, OwnProposal, Invalid (a community is named where none is created, or the other
    way round; unknown occupations), ProposalAlreadyDecided, PreconditionFailed, ProposalNotOpen,
    SlugTaken.
    """
    who = await community_proposals.onlooker(work, standing)
    proposal = await community_proposals.locked(work, who, proposal_id)
    if (await community_proposals.find(work, who, proposal_id)).supported:
        raise proposal_errors.OwnProposal
    outcome = ProposalOutcome(body["outcome"])
    _refuse_mismatch(outcome, body["community"])
    if proposal.status in community_proposals.DECIDED:
        raise proposal_errors.ProposalAlreadyDecided
    expected.check(proposal.version)
    if proposal.status != ProposalStatus.OPEN:
        raise proposal_errors.ProposalNotOpen
    proposal.reason = body["reason"]
    proposal.decided_at = proposal.updated_at = clock.now()
    proposal.decided_by = standing.me.id
    proposal.version += 1
    if outcome is ProposalOutcome.ACCEPTED:
        await _accept(work, standing, proposal, body["community"])
    else:
        proposal.status = ProposalStatus.DECLINED
        activity.record(work, "proposal.declined", standing, proposal.id)
    await work.flush()
    return community_proposals.shown(await community_proposals.find(work, who, proposal_id), who)


def _refuse_mismatch(outcome: ProposalOutcome, community: dict[str, Any] | None) -> None:
    if outcome is ProposalOutcome.ACCEPTED and community is None:
        raise errors.Invalid(errors=[errors.field("/community", "required")])
    if outcome is ProposalOutcome.DECLINED and community is not None:
        raise errors.Invalid(errors=[errors.field("/community", "accepted_only")])


async def _accept(
    work: Work, standing: Standing, proposal: CommunityProposal, values: dict[str, Any]
) -> None:
    created = await communities.create(work, standing, values, "/community")
    proposal.status = ProposalStatus.ACCEPTED
    proposal.community_id = created["id"]
    forms = [form for form in await _behind(work, proposal.id) if form.wishes_to_belong]
    members, requests = forms, list[ProposalSupporter]()
    if created["eligible_occupations"]:
        # Nobody can have been verified for what did not exist: they ask to join instead.
        members, requests = requests, forms
    await join_submissions.ask_for(work, standing, requests, created["id"])
    activity.record(
        work,
        "proposal.accepted",
        standing,
        proposal.id,
        community_id=created["id"],
        slug=created["slug"],
        members=await _admit(work, standing, members, created["id"]),
        requests=len(requests),
    )


async def _behind(work: Work, proposal_id: UUID) -> list[ProposalSupporter]:
    """All who stand behind a proposal, by address: two proposals that are accepted at once make
    accounts for the same newcomers in the same order, and neither waits for the other."""
    found = await work.execute(
        sa.select(ProposalSupporter)
        .where(col(ProposalSupporter.proposal_id) == proposal_id, counting())
        .order_by(col(ProposalSupporter.email_key))
        .with_for_update()
    )
    return list(found.scalars())


async def _admit(
    work: Work, standing: Standing, forms: list[ProposalSupporter], community_id: UUID
) -> int:
    """The first members, all at once; nobody whose account was deactivated in between."""
    people = await accounts.of_applicants(work, standing, forms)
    admitted = [form for form in forms if people[form.email_key].deactivated_at is None]
    person_ids = [people[form.email_key].id for form in admitted]
    begun = await memberships.begin_all(work, community_id, person_ids)
    for form, person_id in zip(admitted, person_ids, strict=True):
        form.membership_id = begun[person_id].id
        activity.record(
            work,
            "proposal.member_admitted",
            standing,
            begun[person_id].id,
            community_id=community_id,
            proposal_id=form.proposal_id,
            person_id=person_id,
        )
    await rules.record_earlier(
        work,
        [
            {
                "person_id": person_id,
                "rules_version": form.rules_version,
                "agreed_at": form.verified_at,
                "language": form.language,
            }
            for form, person_id in zip(admitted, person_ids, strict=True)
        ],
    )
    return len(admitted)
