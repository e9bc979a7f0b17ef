"""What is not kept of proposals: forms that nobody confirmed, and what was closed long ago."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from app.models import CommunityProposal, ProposalLink, ProposalStatus, ProposalSupporter

WITHDRAWN = timedelta(days=30)


def statements(now: datetime, unconfirmed: timedelta, refused: timedelta) -> dict[str, sa.Delete]:
    """What erases them, in the order in which one leads to the other.

    Of a proposal that became a community its proposer stays beside it.
    """
    status = col(CommunityProposal.status)
    closed_long_ago = col(CommunityProposal.updated_at) < now - refused
    over = sa.or_(
        sa.and_(
            status == ProposalStatus.AWAITING_VERIFICATION,
            col(CommunityProposal.submitted_at) < now - unconfirmed,
        ),
        sa.and_(status.in_((ProposalStatus.DECLINED, ProposalStatus.WITHDRAWN)), closed_long_ago),
    )
    forms = (
        sa.select(col(ProposalSupporter.id))
        .join(CommunityProposal, col(CommunityProposal.id) == ProposalSupporter.proposal_id)
        .where(
            sa.or_(
                over,
                col(ProposalSupporter.withdrawn_at) < now - WITHDRAWN,
                sa.and_(
                    col(ProposalSupporter.verified_at).is_(None),
                    col(ProposalSupporter.submitted_at) < now - unconfirmed,
                ),
                sa.and_(
                    status == ProposalStatus.ACCEPTED,
                    closed_long_ago,
                    col(ProposalSupporter.proposes).is_(False),
                ),
            )
        )
    )
    return {
        "proposal_link": sa.delete(ProposalLink).where(
            sa.or_(
                col(ProposalLink.expires_at) < now,
                col(ProposalLink.supporter_id).in_(forms.scalar_subquery()),
            )
        ),
        "proposal_supporter": sa.delete(ProposalSupporter).where(
            col(ProposalSupporter.id).in_(forms.scalar_subquery())
        ),
        "community_proposal": sa.delete(CommunityProposal).where(over),
    }
