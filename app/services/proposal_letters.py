"""Mails about proposals: the address is confirmed, the way back, and what was decided.

What a proposal says is repeated only to addresses that are proven.
"""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, texts, tokens
from app.db import Work
from app.models import (
    Activity,
    Community,
    CommunityProposal,
    CommunityStatus,
    JoinPolicy,
    JoinRequest,
    Membership,
    Person,
    ProposalLink,
    ProposalStatus,
    ProposalSupporter,
    TokenPurpose,
)
from app.policy import Capability
from app.services import grants, join_letters, mailed_links
from app.services.community_proposals import counting
from app.services.retention import UNCONFIRMED

# To those who stand behind a proposal, at the address of their form.
LETTERS = ("confirm_proposal", "proposal_link", "proposal_closed", "proposal_accepted")
# How long somebody follows a proposal by the link that they were mailed.
FOLLOWED = timedelta(days=366)


async def readers(work: Work, kind: str, activity: Activity) -> list[ProposalSupporter]:
    """The forms to whose addresses a mail goes."""
    if kind == "confirm_proposal":
        return await _forms(work, col(ProposalSupporter.id) == _form_of(activity))
    if kind == "proposal_link":
        own = sa.select(col(Person.email_key)).where(col(Person.id) == activity.actor_id)
        return await _forms(
            work,
            col(ProposalSupporter.id) == _form_of(activity),
            # Whoever did it signed in, with this address, finds it there.
            col(ProposalSupporter.email_key).not_in(own),
        )
    behind = (col(ProposalSupporter.proposal_id) == UUID(activity.subject_id), counting())
    if kind == "proposal_accepted":
        return await _forms(work, *behind, col(ProposalSupporter.membership_id).is_(None))
    withdrawn = activity.kind == "proposal.withdrawn"
    others = (col(ProposalSupporter.proposes).is_(False),) if withdrawn else ()
    return await _forms(work, *behind, *others)


async def deciders(work: Work) -> set[UUID]:
    """Those who may decide about a proposal today."""
    return await grants.holders_of(work, Capability.PROPOSALS_DECIDE)


def _form_of(activity: Activity) -> UUID:
    return UUID(activity.facts.get("form_id", activity.subject_id))


async def _forms(work: Work, *conditions: Any) -> list[ProposalSupporter]:
    found = sa.select(ProposalSupporter).where(*conditions).order_by(col(ProposalSupporter.id))
    return list((await work.execute(found)).scalars())


async def awaiting(work: Work, email_key: str) -> ProposalSupporter | None:
    """The latest form of an address that waits for its confirmation."""
    found = await _forms(work, col(ProposalSupporter.email_key) == email_key, *_confirmable())
    return found[-1] if found else None


def _confirmable() -> tuple[Any, ...]:
    """The conditions that the address of a form can still be confirmed."""
    return (
        col(ProposalSupporter.verified_at).is_(None),
        col(ProposalSupporter.submitted_at) > clock.now() - UNCONFIRMED,
    )


# What they say


class Said(NamedTuple):
    """What one mail says, to whom."""

    form: ProposalSupporter
    body: str
    facts: dict[str, str]


async def write(work: Work, kind: str, form_id: UUID | None) -> Said | None:
    """What a mail says to somebody behind a proposal; None where it has become untrue."""
    if kind == "confirm_proposal":
        waiting = await _forms(work, col(ProposalSupporter.id) == form_id, *_confirmable())
        return await confirmation(work, waiting[0]) if waiting else None
    form = await work.get(ProposalSupporter, form_id)
    if form is None or form.verified_at is None or form.withdrawn_at is not None:
        return None
    proposal = await work.get_one(CommunityProposal, form.proposal_id)
    name = {"proposal": _named(proposal, form.language)}
    if kind == "proposal_link":
        if proposal.status != ProposalStatus.OPEN:
            return None
        body = "body" if form.proposes else "body_supporter"
        return Said(form, body, name | {"link": _following(work, form)})
    facts = name | {"reason": proposal.reason or "-"}
    if kind == "proposal_accepted":
        return await _accepted(work, form, proposal, facts)
    if proposal.status == ProposalStatus.WITHDRAWN:
        return Said(form, "body_withdrawn", facts)
    return Said(form, "body" if form.proposes else "body_supporter", facts)


async def _accepted(
    work: Work, form: ProposalSupporter, proposal: CommunityProposal, facts: dict[str, str]
) -> Said:
    if form.join_request_id is not None:
        request = await work.get_one(JoinRequest, form.join_request_id)
        return Said(form, "body_asked", facts | {"link": join_letters.following(work, request)})
    if form.wishes_to_belong:
        return Said(form, "body_not_admitted", facts)
    return Said(form, _way_in(await work.get_one(Community, proposal.community_id)), facts)


def _way_in(community: Community) -> str:
    """The body that says to those who did not ask to belong how they still can."""
    if community.status != CommunityStatus.ACTIVE or community.join_policy == JoinPolicy.CLOSED:
        return "body_closed"
    if community.join_policy == JoinPolicy.INVITATION_ONLY or not community.listed:
        return "body_by_invitation"  # no form finds a hidden one
    return "body"


async def confirmation(work: Work, form: ProposalSupporter) -> Said:
    """What leads to the proof of an address, for the form of a proposer or supporter."""
    link = await mailed_links.one_time(
        work, TokenPurpose.EMAIL_VERIFICATION, form.email_key, submission_id=form.id
    )
    return Said(form, "body" if form.proposes else "body_supporter", {"link": link})


def _following(work: Work, form: ProposalSupporter) -> str:
    """The link by which somebody without an account follows a proposal, and withdraws."""
    token, now = tokens.LINK + tokens.opaque(), clock.now()
    work.add(
        ProposalLink(
            token_hash=tokens.hashed(token),
            supporter_id=form.id,
            created_at=now,
            expires_at=now + FOLLOWED,
        )
    )
    return mailed_links.proposal(form.proposal_id, token)


def _named(proposal: CommunityProposal, language: str) -> str:
    """The proposed name in a language, or else in the one in which it was given."""
    given = {code: name for code, name in proposal.name.items() if name}
    return " ".join((given.get(language) or next(iter(given.values()))).split())


async def opened(work: Work, proposal_id: UUID | None, language: str) -> dict[str, str] | None:
    """What those who decide are told of a proposal that waits for them."""
    proposal = await work.get(CommunityProposal, proposal_id)
    if proposal is None or proposal.status != ProposalStatus.OPEN:
        return None
    return {"proposal": _named(proposal, language)}


async def founding(
    work: Work, membership_id: UUID | None, person: Person, language: str
) -> tuple[str, dict[str, str]] | None:
    """What a first member of a new community is told."""
    membership = await work.get(Membership, membership_id)
    if membership is None or membership.ended_at is not None:
        return None
    community = await work.get_one(Community, membership.community_id)
    facts = {"community": texts.one_line(community.name, language)}
    return await mailed_links.to_sign_in(work, person, "body", facts)
